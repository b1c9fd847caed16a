/** `npm run bench -- [--json] [--lane NAME]... [--smoke] [--seed N] [--rules DIR]` */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type LaneOptions, type LaneResult, measureLanes } from './lane.js';
import { lanes } from './lanes.js';
import { defaultRulesFolder, measureRulesLoad, type RulesLoadResult, rulesLoadText } from './rules_load.js';

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    lane: { type: 'string', multiple: true },
    smoke: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    rules: { type: 'string', default: defaultRulesFolder },
  },
});

const options: LaneOptions = values.smoke
  ? { seed: Number(values.seed), hosts: 20, eventsPerSlice: 500, slices: 4, warmupSlices: 2, terms: 2_000 }
  : { seed: Number(values.seed), hosts: 1_000, eventsPerSlice: 20_480, slices: 20, warmupSlices: 10, terms: 1_000_000 };

const names = ['rules-load', ...lanes.map(({ name }) => name)];
const isAsked = (name: string): boolean => values.lane === undefined || values.lane.includes(name);
const unknown = values.lane?.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`bench: no lane "${unknown}"; lanes: ${names.join(', ')}`);
  process.exit(2);
}

if (!values.json) console.log(heading());
// First, while the process is cold.
const rulesLoad = isAsked('rules-load') ? loadRules() : undefined;
const results: LaneResult[] = [];
const asked = lanes.filter(({ name }) => isAsked(name));
for await (const result of measureLanes(asked, options)) {
  results.push(result);
  if (!values.json) console.log(row(result, results[0] as LaneResult));
}
if (values.json) console.log(JSON.stringify(rulesLoad === undefined ? results : [rulesLoad, ...results]));

function loadRules(): RulesLoadResult | undefined {
  const result = measureRulesLoad(values.rules);
  if (result === undefined) console.error(`rules-load: skipped, there is no folder ${values.rules}`);
  else if (!values.json) console.log(rulesLoadText(result));
  return result;
}

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
