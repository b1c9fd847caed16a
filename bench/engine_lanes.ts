/** Lanes of the engine: shards in workers. */
import { createEncoder, encodeEvents, type Rule } from '../src/index.js';
import { createEngine, type Engine } from '../src/node.js';
import type { Lane, LaneOptions, LaneWork } from './lane.js';
import { judgeEvents, sliced, termEvents } from './prime.js';
import { toNdjson, type WorkloadEvent, workloadPrograms } from './workload.js';

/** Lines pushed at a time, two on their way: what a reader of a file does. */
const pushBytes = 256 * 1024;
const memory = '256MiB';
const batchRows = 4096;

/** Runs of whole lines of about `pushBytes`. */
function pieces(lines: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf(10, Math.min(start + pushBytes, lines.length - 1)) + 1 || lines.length;
    found.push(lines.subarray(start, end));
    start = end;
  }
  return found;
}

type Input = 'batches' | 'lines';

/** What is pushed of each slice: session-delta batches, or runs of lines. */
function inputsOf(engine: Engine, input: Input): (events: WorkloadEvent[]) => Uint8Array[] {
  if (input === 'lines') return (events) => pieces(Buffer.from(toNdjson(events)));
  const encoder = createEncoder({ fields: engine.fields });
  return (events) =>
    Array.from({ length: Math.ceil(events.length / batchRows) }, (_, index) =>
      encoder.encode(events.slice(index * batchRows, (index + 1) * batchRows)),
    );
}

async function shardsWork(
  options: LaneOptions,
  rules: readonly Rule[],
  shards: number,
  input: Input,
): Promise<LaneWork> {
  const engine = await createEngine({ rules, shards, memory, pretouch: true });
  // What a fleet runs is known, and the judges are compiled: else the first slices are mostly alerts of new programs.
  const known = { ...options, terms: workloadPrograms(options).length };
  for (const events of [[...termEvents(known)], judgeEvents(options)]) {
    for (let first = 0; first < events.length; first += batchRows) {
      await engine.push(encodeEvents(events.slice(first, first + batchRows), { fields: engine.fields }));
    }
  }
  const slices = sliced(options, inputsOf(engine, input));
  let alerts = 0;
  return {
    isAsync: true,
    eventsPerSlice: options.eventsPerSlice,
    slices: slices.length,
    async run(slice) {
      const pushed = await Promise.all((slices[slice] ?? []).map((piece) => engine.push(piece)));
      alerts += pushed.reduce((sum, one) => sum + one.length, 0);
    },
    summary: () => `${alerts} alerts`,
    close: () => engine.close(),
  };
}

/** The lanes of the engine for a rule set. */
export function engineLanes(rules: () => Promise<readonly Rule[]>): readonly Lane[] {
  const shards = (count: number, input: Input): Lane => ({
    name: input === 'batches' ? `shards-${count}` : `shards-${count}-ndjson`,
    comparison: input === 'batches' ? 'shards' : 'shards-ndjson',
    describes:
      `${input === 'batches' ? 'session-delta EventBatches of 4096 rows' : 'NDJSON bytes'} to alerts ` +
      `through ${count} worker${count === 1 ? '' : 's'}, routing included`,
    prepare: async (options) => shardsWork(options, await rules(), count, input),
  });
  return [shards(1, 'batches'), shards(2, 'batches'), shards(1, 'lines'), shards(2, 'lines')];
}
