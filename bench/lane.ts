/** What a lane is, and how one is measured and reported. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Bench } from 'tinybench';

/** A lane's prepared work: successive slices of one stream, so that no slice is ever judged twice. */
export interface LaneWork {
  readonly eventsPerSlice: number;
  /** Slices available, warm-up included. */
  readonly slices: number;
  /** Processes one slice. */
  run(slice: number): void | Promise<void>;
  /** `run` returns promises. */
  readonly isAsync?: boolean;
  /** A line that shows the work was real, such as how many alerts came of it. */
  summary(): string;
  close?(): void | Promise<void>;
}

export interface Lane {
  readonly name: string;
  readonly describes: string;
  prepare(options: LaneOptions): Promise<LaneWork>;
}

export interface LaneOptions {
  readonly seed: number;
  readonly hosts: number;
  readonly eventsPerSlice: number;
  readonly slices: number;
  /** Live first-seen terms before the measured part. */
  readonly terms: number;
}

/** One line of the report. Rates are events per second over the measured slices. */
export interface LaneResult {
  readonly lane: string;
  readonly eventsPerSecond: { readonly median: number; readonly min: number; readonly max: number };
  readonly nsPerEvent: number;
  readonly events: number;
  readonly seed: number;
  readonly node: string;
  readonly summary: string;
}

const warmupSlices = 2;

/** What preparing left behind is not the lane's to clear away while it is measured. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** Prepares and measures one lane. The first two slices warm up and are not counted. */
export async function measureLane(lane: Lane, options: LaneOptions): Promise<LaneResult> {
  const work = await lane.prepare(options);
  collectGarbage();
  let slice = 0;
  const run = (): void | Promise<void> => work.run(slice++);
  while (slice < warmupSlices) await run();
  const measured = work.slices - warmupSlices;
  const bench = new Bench({ iterations: measured, time: 0, warmup: false, retainSamples: true });
  // Told whether it is synchronous: to find out, the harness would spend a slice.
  bench.add(lane.name, run, { async: work.isAsync === true });
  await bench.run();
  const { result } = bench.tasks[0] as (typeof bench.tasks)[number];
  if (result.state !== 'completed') throw new Error(`lane ${lane.name}: ${result.state}`, { cause: result });
  const samplesMs = [...(result.latency.samples ?? [])].sort((a, b) => a - b);
  const rate = (ms: number): number => Math.round((work.eventsPerSlice * 1000) / ms);
  const medianMs = samplesMs[samplesMs.length >> 1] as number;
  const summary = work.summary();
  await work.close?.();
  return {
    lane: lane.name,
    eventsPerSecond: {
      median: rate(medianMs),
      min: rate(samplesMs.at(-1) as number),
      max: rate(samplesMs[0] as number),
    },
    nsPerEvent: Math.round((medianMs * 1e6) / work.eventsPerSlice),
    events: work.eventsPerSlice * samplesMs.length,
    seed: options.seed,
    node: process.version,
    summary,
  };
}
