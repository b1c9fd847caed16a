/** Builds quietly, then runs the soak with the given arguments. */
import { spawnSync } from 'node:child_process';

const build = spawnSync(process.execPath, ['scripts/build.mjs'], { stdio: ['ignore', 2, 2] });
if (build.status !== 0) process.exit(build.status ?? 1);
const soak = spawnSync(process.execPath, ['dist/bench/soak/main.js', ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(soak.status ?? 1);
