/** `npm run bench -- [--json] [--lane NAME]... [--smoke] [--seed N]` */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type LaneOptions, type LaneResult, measureLane } from './lane.js';
import { lanes } from './lanes.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    lane: { type: 'string', multiple: true },
    smoke: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});

const options: LaneOptions = values.smoke
  ? { seed: Number(values.seed), hosts: 20, eventsPerSlice: 500, slices: 4, terms: 2_000 }
  : { seed: Number(values.seed), hosts: 1_000, eventsPerSlice: 20_480, slices: 12, terms: 1_000_000 };

const unknown = values.lane?.find((name) => lanes.every((lane) => lane.name !== name));
if (unknown !== undefined) {
  console.error(`bench: no lane "${unknown}"; lanes: ${lanes.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}

const results: LaneResult[] = [];
if (!values.json) console.log(heading());
for (const lane of lanes) {
  if (values.lane !== undefined && !values.lane.includes(lane.name)) continue;
  const result = await measureLane(lane, options);
  results.push(result);
  if (!values.json) console.log(row(result, results[0] as LaneResult));
}
if (values.json) console.log(JSON.stringify(results));

/** Machine, Node and commit: a figure without them says nothing. */
function heading(): string {
  const processor = cpus()[0]?.model ?? 'unknown processor';
  let commit = 'no commit';
  try {
    commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // An installed package has no history.
  }
  return `${cpus().length} x ${processor}, Node ${process.version}, commit ${commit}, seed ${options.seed}, ${options.hosts} hosts, ${options.terms} live terms`;
}

function row(result: LaneResult, first: LaneResult): string {
  const { median, min, max } = result.eventsPerSecond;
  const ratio = median / first.eventsPerSecond.median;
  const columns = [
    result.lane.padEnd(14),
    `${median.toLocaleString('en')} events/s`.padStart(22),
    `(${min.toLocaleString('en')} to ${max.toLocaleString('en')})`.padEnd(26),
    `${result.nsPerEvent} ns/event`.padStart(16),
    `${ratio.toFixed(2)}x ${first.lane}`.padStart(18),
  ];
  return `${columns.join(' ')}  ${result.summary}`;
}
