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
  /** Lanes of one comparison are prepared together and take turns, slice by slice. */
  readonly comparison?: string;
  prepare(options: LaneOptions): Promise<LaneWork>;
}

export interface LaneOptions {
  readonly seed: number;
  readonly hosts: number;
  readonly eventsPerSlice: number;
  /** Those that warm up included. */
  readonly slices: number;
  readonly warmupSlices: number;
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

/** What preparing left behind is not the lane's to clear away while it is measured. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** A lane at work, with the milliseconds of the slices measured so far. */
interface Running {
  readonly lane: Lane;
  readonly work: LaneWork;
  readonly samplesMs: number[];
  slice: number;
}

/**
 * Measures lanes in their order, those of one comparison in turns: what slows the machine down for a while slows each of
 * them. The first slices warm up and are not counted.
 */
export async function* measureLanes(lanes: readonly Lane[], options: LaneOptions): AsyncGenerator<LaneResult> {
  const waiting = [...lanes];
  for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) {
    const { comparison } = first;
    const others = comparison === undefined ? [] : waiting.filter((lane) => lane.comparison === comparison);
    for (const other of others) waiting.splice(waiting.indexOf(other), 1);
    yield* measureTogether([first, ...others], options);
  }
}

async function* measureTogether(lanes: readonly Lane[], options: LaneOptions): AsyncGenerator<LaneResult> {
  const running: Running[] = [];
  for (const lane of lanes) running.push({ lane, work: await lane.prepare(options), samplesMs: [], slice: 0 });
  collectGarbage();
  for (const one of running) while (one.slice < options.warmupSlices) await one.work.run(one.slice++);
  const slices = Math.min(...running.map(({ work }) => work.slices));
  for (let slice = options.warmupSlices; slice < slices; slice++) for (const one of running) await measureSlice(one);
  for (const one of running) {
    yield resultOf(one, options);
    await one.work.close?.();
  }
}

async function measureSlice(one: Running): Promise<void> {
  const { lane, work } = one;
  const bench = new Bench({ iterations: 1, time: 0, warmup: false, retainSamples: true });
  // Told whether it is synchronous: to find out, the harness would spend a slice.
  bench.add(lane.name, () => work.run(one.slice++), { async: work.isAsync === true });
  await bench.run();
  const { result } = bench.tasks[0] as (typeof bench.tasks)[number];
  if (result.state !== 'completed') throw new Error(`lane ${lane.name}: ${result.state}`, { cause: result });
  one.samplesMs.push(...(result.latency.samples ?? []));
}

function resultOf({ lane, work, samplesMs }: Running, options: LaneOptions): LaneResult {
  samplesMs.sort((a, b) => a - b);
  const rate = (ms: number): number => Math.round((work.eventsPerSlice * 1000) / ms);
  const medianMs = samplesMs[samplesMs.length >> 1] as number;
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
    summary: work.summary(),
  };
}
