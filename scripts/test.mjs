/** Runs the tests and ends with the plain line `N passed, N failed`. Extra arguments go to vitest. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';

const report = 'build/test-report.json';
mkdirSync('build', { recursive: true });
rmSync(report, { force: true });
const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)];
const { status } = spawnSync('node_modules/.bin/vitest', args, { stdio: 'inherit' });
let line = '0 passed, 1 failed';
try {
  const {
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: skipped,
  } = JSON.parse(readFileSync(report, 'utf8'));
  line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
} catch (error) {
  console.error(`the test runner left no report: ${error.message}`);
}
console.log(line);
process.exit(status ?? 1);
