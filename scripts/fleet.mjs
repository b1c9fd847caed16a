/** Builds quietly, then runs the rules over a generated fleet with the given arguments. */
import { spawnSync } from 'node:child_process';

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 2, 2] });
if (build.status !== 0) process.exit(build.status ?? 1);
const fleet = spawnSync(process.execPath, ['dist/examples/fleet/main.js', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
process.exit(fleet.status ?? 1);
