/**
 * Fuzzes the engine's inputs: rule texts, NDJSON, event batches, snapshots.
 *
 *   npm run fuzz -- [--minutes N] [--seed S] [--target NAME]
 *   npm run fuzz -- --target NAME --replay FILE
 *
 * Inputs follow from the seed alone. A broken promise, an exhausted memory or an input that takes longer than a minute
 * ends the run: the input is written to `build/fuzz/` and the exit code is 1.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const hangSeconds = 60;
const heapMiB = 1024;
const root = fileURLToPath(new URL('..', import.meta.url));
const load = async () => ({
  ...(await import('../dist/test/fuzz/targets.js')),
  ...(await import('../dist/test/fuzz/loop.js')),
});

async function work() {
  const { seed, targetName, endsAt, counter } = workerData;
  const { targets, fuzzLoop } = await load();
  const chosen = targets.filter(({ name }) => targetName === undefined || name === targetName);
  const progress = new Int32Array(counter);
  const onStart = (_, iteration) => Atomics.store(progress, 0, iteration);
  const outcome = await fuzzLoop({ targets: chosen, seed, from: 0, isOver: () => Date.now() >= endsAt, onStart });
  parentPort.postMessage(outcome);
}

function build() {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/build.mjs'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) return;
  console.error(`fuzz: the build failed\n${stdout}${stderr}`);
  process.exit(2);
}

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      target: { type: 'string' },
      replay: { type: 'string' },
    },
  });
  build();
  const { targets, inputOf } = await load();
  const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target);
  if (chosen.length === 0) {
    console.error(`fuzz: no target ${values.target}; there are ${targets.map(({ name }) => name).join(', ')}`);
    process.exit(2);
  }
  if (values.replay !== undefined) {
    await chosen[0].check(readFileSync(values.replay));
    console.log(`${chosen[0].name}: the input keeps every promise`);
    return;
  }
  const seed = Number(values.seed);
  console.log(`fuzz: seed ${seed}, ${values.minutes} minutes, targets ${chosen.map(({ name }) => name).join(', ')}`);
  const { done, failure } = await runWorker(seed, values.target, Date.now() + Number(values.minutes) * 60_000, chosen);
  console.log(`fuzz: ${done} inputs`);
  if (failure === undefined) return;
  const target = chosen.find(({ name }) => name === failure.target);
  const file = `build/fuzz/${failure.target}-${seed}-${failure.iteration}`;
  mkdirSync(`${root}build/fuzz`, { recursive: true });
  writeFileSync(root + file, inputOf(target, seed, failure.iteration));
  console.error(`fuzz: ${failure.target}, iteration ${failure.iteration}: ${failure.message}`);
  console.error(`fuzz: npm run fuzz -- --target ${failure.target} --replay ${file}`);
  process.exitCode = 1;
}

/** Runs the loop in a worker, so that a hang or an exhausted heap is told with the input that caused it. */
function runWorker(seed, targetName, endsAt, chosen) {
  const counter = new SharedArrayBuffer(4);
  const progress = new Int32Array(counter);
  const failureAt = (iteration, message) => ({
    done: iteration,
    failure: { target: chosen[iteration % chosen.length].name, iteration, message },
  });
  return new Promise((resolve) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { seed, targetName, endsAt, counter },
      resourceLimits: { maxOldGenerationSizeMb: heapMiB },
    });
    let seen = -1;
    const watch = setInterval(() => {
      const iteration = Atomics.load(progress, 0);
      if (iteration === seen) settle(failureAt(iteration, `no answer within ${hangSeconds} s`));
      seen = iteration;
    }, hangSeconds * 1000);
    const settle = (outcome) => {
      clearInterval(watch);
      resolve(outcome);
      void worker.terminate();
    };
    worker.on('message', settle);
    worker.on('error', (error) => settle(failureAt(Atomics.load(progress, 0), error.stack ?? String(error))));
  });
}

await (isMainThread ? main() : work());
