/**
 * Runs the conformance suites of a folder through the compiled engine.
 *
 *   npm run -s conformance -- [--json] [--engine correlator|oracle] [DIR]
 *
 * DIR is `../shared/conformance` unless given. Builds first, quietly. Exit 1 when a case fails, 2 when DIR is not there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));
const corpora = fileURLToPath(new URL('../../shared/conformance', import.meta.url));
const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false }, engine: { type: 'string' } },
  allowPositionals: true,
});
const folder = positionals[0] ?? corpora;
if (!existsSync(folder)) {
  console.error(`conformance: there is no folder ${folder}`);
  process.exit(2);
}
const build = spawnSync(process.execPath, ['scripts/build.mjs'], { cwd: root, encoding: 'utf8' });
if (build.status !== 0) {
  console.error(`conformance: the build failed\n${build.stdout}${build.stderr}`);
  process.exit(2);
}
const { engines } = await import('../dist/test/support/correlator_engine.js');
const { runConformance } = await import('../dist/test/support/conformance/run.js');
const { toJson, toText } = await import('../dist/test/support/conformance/report.js');

const name = values.engine ?? engines.at(-1).name;
const engine = engines.find((one) => one.name === name);
if (engine === undefined) {
  console.error(`conformance: no engine ${name}; there are ${engines.map((one) => one.name).join(', ')}`);
  process.exit(2);
}
const report = await runConformance({ folder, corpora, engine });
console.log(values.json ? toJson(report) : toText(report));
process.exitCode = report.suites.some((suite) => suite.failed.length > 0) ? 1 : 0;
