/**
 * The named lanes. All judge the same events by the same rules: the shipped content and a first-seen rule over
 * (host.id, process.executable) that holds the live terms, those of the fleet among them.
 */
import { type Correlator, createCorrelator, createEncoder, encodeEvents, parseRules, type Rule } from '../src/index.js';
import { loadRules, shippedContent } from '../src/node.js';
import { engineLanes } from './engine_lanes.js';
import type { Lane, LaneOptions, LaneWork } from './lane.js';
import type { PlainEvent } from './plain/condition.js';
import { createPlainCorrelator, type PlainCorrelator } from './plain/correlator.js';
import { judgeEvents, sliced, termEvents, termsRule } from './prime.js';
import { stateBytesLane } from './state_bytes.js';
import { stateLanes } from './state_lanes.js';
import { toNdjson, type WorkloadEvent } from './workload.js';

const batchRows = 4096;

async function benchRules(): Promise<Rule[]> {
  const shipped = await loadRules([shippedContent()]);
  const terms = parseRules(termsRule, { file: 'terms.toml' });
  const problems = [...shipped.problems, ...terms.problems].filter(({ severity }) => severity === 'error');
  if (problems.length > 0) throw new Error(`rules do not load: ${problems[0]?.file}: ${problems[0]?.message}`);
  return [...shipped.rules, ...terms.rules];
}

function primeTerms(correlator: Correlator, options: LaneOptions): void {
  const encoder = createEncoder({ fields: correlator.fields });
  let events: WorkloadEvent[] = [];
  let done = 0;
  const push = (): void => {
    correlator.push(encoder.encode(events));
    done += events.length;
    if (done % (64 * batchRows) === 0) encoder.reset();
    events = [];
  };
  for (const event of termEvents(options)) if (events.push(event) === batchRows) push();
  push();
}

function warmJudges(correlator: Correlator, options: LaneOptions): void {
  const events = judgeEvents(options);
  for (let first = 0; first < events.length; first += batchRows) {
    correlator.push(encodeEvents(events.slice(first, first + batchRows), { fields: correlator.fields }));
  }
}

async function createBenchCorrelator(options: LaneOptions): Promise<Correlator> {
  const correlator = await createCorrelator({ rules: await benchRules(), memory: '512MiB', pretouch: true });
  primeTerms(correlator, options);
  warmJudges(correlator, options);
  return correlator;
}

function correlatorWork(
  options: LaneOptions,
  correlator: Correlator,
  slices: readonly (readonly Uint8Array[])[],
): LaneWork {
  let alerts = 0;
  return {
    eventsPerSlice: options.eventsPerSlice,
    slices: slices.length,
    run(slice) {
      for (const bytes of slices[slice] ?? []) alerts += correlator.push(bytes).length;
    },
    summary() {
      const stats = correlator.stats();
      const lost = stats.losses.reduce((sum, loss) => sum + loss.count, 0);
      return `${alerts} alerts, ${stats.events} events, ${lost} losses`;
    },
    close: () => correlator.close(),
  };
}

function batches(events: WorkloadEvent[], encode: (events: WorkloadEvent[]) => Uint8Array): Uint8Array[] {
  const encoded: Uint8Array[] = [];
  for (let first = 0; first < events.length; first += batchRows)
    encoded.push(encode(events.slice(first, first + batchRows)));
  return encoded;
}

function lineWork(options: LaneOptions, handle: (event: PlainEvent) => number): LaneWork {
  const slices = sliced(options, (events) => Buffer.from(toNdjson(events)));
  let results = 0;
  return {
    eventsPerSlice: options.eventsPerSlice,
    slices: slices.length,
    run(slice) {
      const bytes = slices[slice] as Buffer;
      for (let start = 0; start < bytes.length; ) {
        const end = bytes.indexOf(10, start);
        results += handle(JSON.parse(bytes.toString('utf8', start, end)) as PlainEvent);
        start = end + 1;
      }
    },
    summary: () => `${results} results`,
  };
}

function primePlain(plain: PlainCorrelator, options: LaneOptions): void {
  for (const event of termEvents(options)) plain.push(event);
}

const coreLanes: readonly Lane[] = [
  {
    name: 'json-parse',
    describes: 'JSON.parse of each line and nothing else: the baseline',
    prepare: async (options) => lineWork(options, () => 1),
  },
  {
    name: 'plain-js',
    describes: 'JSON.parse and a straightforward JavaScript correlator of the same rules',
    prepare: async (options) => {
      const plain = createPlainCorrelator(await benchRules());
      primePlain(plain, options);
      return lineWork(options, (event) => plain.push(event));
    },
  },
  {
    name: 'ndjson',
    describes: 'NDJSON bytes to alerts',
    prepare: async (options) => {
      const correlator = await createBenchCorrelator(options);
      return correlatorWork(
        options,
        correlator,
        sliced(options, (events) => [toNdjson(events)]),
      );
    },
  },
  {
    name: 'kernel-batch',
    describes: 'self-contained EventBatches of 4096 rows to alerts',
    prepare: async (options) => {
      const correlator = await createBenchCorrelator(options);
      const encode = (events: WorkloadEvent[]): Uint8Array => encodeEvents(events, { fields: correlator.fields });
      return correlatorWork(
        options,
        correlator,
        sliced(options, (events) => batches(events, encode)),
      );
    },
  },
  {
    name: 'kernel-delta',
    describes: 'session-delta EventBatches of 4096 rows to alerts',
    prepare: async (options) => {
      const correlator = await createBenchCorrelator(options);
      const encoder = createEncoder({ fields: correlator.fields, limits: correlator.sessionLimits });
      const encode = (events: WorkloadEvent[]): Uint8Array => encoder.encode(events);
      return correlatorWork(
        options,
        correlator,
        sliced(options, (events) => batches(events, encode)),
      );
    },
  },
];

export const lanes: readonly Lane[] = [
  ...coreLanes.map((lane) => ({ ...lane, comparison: 'core' })),
  ...engineLanes(benchRules),
  ...stateLanes(benchRules, primeTerms),
  stateBytesLane,
];
