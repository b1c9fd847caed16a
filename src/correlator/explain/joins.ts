/** Why events that satisfied every step of a rule did not become one alert: keys, order, time, counts. */
import { formatDurationUs } from '../../core/duration.js';
import { formatTimeUs } from '../../core/time.js';
import type { AggregateRule, Rule, SampleRule, SequenceRule } from '../../rule/ir.js';
import { printExpr } from '../../rule/print_expr.js';
import { scopesOf } from '../../rule/scope.js';
import type { JoinRow, PartTally } from './collector.js';

/** Key values shown of each step. */
const examplesMax = 3;

/** Reasons in words; empty where some step did not match at all, which then is the reason. */
export function joinReasons(rule: Rule, tallies: readonly PartTally[]): string[] {
  const asked = tallies.filter(({ part }) => !part.isAbsence);
  if (asked.length === 0 || asked.some(({ matched }) => matched === 0)) return [];
  if (rule.kind === 'sequence' || rule.kind === 'sample') return stepReasons(rule, tallies, asked);
  return rule.kind === 'aggregate' ? aggregateReasons(rule, asked[0] as PartTally) : [];
}

type Chain = { readonly rows: readonly JoinRow[]; readonly spanUs: number };

function stepReasons(
  rule: SequenceRule | SampleRule,
  tallies: readonly PartTally[],
  asked: readonly PartTally[],
): string[] {
  const keyed = rule.steps[0]?.by.length ?? 0;
  const withHost = scopesOf([rule]).get(rule.id) === 'host';
  const groups = groupRows(asked, withHost);
  const joined = [...groups.values()].filter((steps) => steps.every((rows) => rows.length > 0));
  if (joined.length === 0) return [...missingKeys(asked), unsharedKeys(rule, asked)];
  if (rule.kind === 'sample') return ['the steps share keys; a sample is judged when the stream ends'];
  const runs = rule.steps.filter((step) => !step.missing).map((step) => step.runs);
  const chains = joined
    .map((steps) => closestChain(steps, runs, rule.unordered === true))
    .filter((one) => one !== undefined);
  const closest = chains.sort((a, b) => a.spanUs - b.spanUs)[0];
  const shared = keyed === 0 ? 'the steps matched' : `${joined.length} key values are shared by all steps`;
  if (closest === undefined)
    return [`${shared}, but never in the order of the rule (or not often enough): ${orderOf(joined[0] ?? [])}`];
  const { maxspanUs } = rule;
  const span = formatDurationUs(closest.spanUs);
  if (maxspanUs !== undefined && closest.spanUs > maxspanUs)
    return [
      `${shared}, but the closest chain took ${span}, longer than maxspan ${formatDurationUs(maxspanUs)}: ${chainText(closest)}`,
    ];
  const ended = tallies.filter(({ part, matched }) => part.isAbsence && matched > 0).map(({ part }) => part.name);
  const joinedText = `${shared} and a chain came within ${span}: ${chainText(closest)}`;
  if (ended.length > 0) return [`${joinedText}; it was ended by an event of ${ended.join(' or ')}`];
  const open = asked.flatMap(({ part }) => part.alternatives.flat().filter(({ isProbed }) => !isProbed));
  if (open.length > 0)
    return [`${joinedText}; conditions on earlier steps failed: ${open.map(({ text }) => text).join('; ')}`];
  return [`${joinedText}; a later event of an earlier step took its place, or the state was lost: see the losses`];
}

/** Rows of each step, by key. */
function groupRows(asked: readonly PartTally[], withHost: boolean): Map<string, JoinRow[][]> {
  const groups = new Map<string, JoinRow[][]>();
  asked.forEach(({ part, rows }, step) => {
    for (const row of rows) {
      if (row.key.some((value, i) => value === null && !isOptional(part.by[i]))) continue;
      const key = JSON.stringify(withHost ? [row.host, ...row.key] : row.key);
      const steps: JoinRow[][] = groups.get(key) ?? asked.map(() => []);
      groups.set(key, steps);
      steps[step]?.push(row);
    }
  });
  return groups;
}

const isOptional = (expr: PartTally['part']['by'][number] | undefined): boolean =>
  expr?.kind === 'field' && expr.optional === true;

function missingKeys(asked: readonly PartTally[]): string[] {
  return asked.flatMap(({ part, rows }) =>
    part.by.flatMap((expr, i) => {
      const missing = rows.filter(({ key }) => key[i] === null).length;
      return missing === 0
        ? []
        : [`${missing} of ${rows.length} events of ${part.name} have no ${printExpr(expr)}: they join nothing`];
    }),
  );
}

function unsharedKeys(rule: SequenceRule | SampleRule, asked: readonly PartTally[]): string {
  const names = rule.steps[0]?.by.map(printExpr).join(', ') ?? '';
  const examples = asked.map(({ part, rows }) => {
    const keys = [...new Set(rows.map(({ key }) => key.map((value) => value ?? 'missing').join(', ')))];
    return `${part.name} has ${keys.slice(0, examplesMax).join(' | ')}${keys.length > examplesMax ? ' | …' : ''}`;
  });
  return `every step matched, but no value of ${names} is shared by all of them: ${examples.join('; ')}`;
}

const isAfter = (a: JoinRow, b: JoinRow): boolean =>
  a.timeUs > b.timeUs || (a.timeUs === b.timeUs && a.ordinal > b.ordinal);

/** The chain of least span, taking the earliest event that follows at each step. */
function closestChain(
  steps: readonly (readonly JoinRow[])[],
  runs: readonly number[],
  isUnordered: boolean,
): Chain | undefined {
  const wanted = steps.flatMap((rows, step) => Array.from({ length: Math.max(1, runs[step] ?? 1) }, () => rows));
  if (isUnordered) {
    const rows = wanted.map((step) => step[0] as JoinRow).sort((a, b) => a.timeUs - b.timeUs);
    return { rows, spanUs: (rows.at(-1)?.timeUs ?? 0) - (rows[0]?.timeUs ?? 0) };
  }
  let best: Chain | undefined;
  for (const first of wanted[0] ?? []) {
    const rows = [first];
    for (const step of wanted.slice(1)) {
      const next = step.find((row) => isAfter(row, rows.at(-1) as JoinRow));
      if (next === undefined) break;
      rows.push(next);
    }
    if (rows.length < wanted.length) continue;
    const spanUs = (rows.at(-1) as JoinRow).timeUs - first.timeUs;
    if (best === undefined || spanUs < best.spanUs) best = { rows, spanUs };
  }
  return best;
}

const chainText = ({ rows }: Chain): string =>
  rows.map(({ timeUs, ordinal }) => `event ${ordinal} at ${formatTimeUs(timeUs)}`).join(', ');

const orderOf = (steps: readonly (readonly JoinRow[])[]): string =>
  steps
    .map((rows, i) => `step ${i + 1} at ${rows[0] === undefined ? 'no time' : formatTimeUs(rows[0].timeUs)}`)
    .join(', ');

function aggregateReasons(rule: AggregateRule, { rows, part }: PartTally): string[] {
  const groups = new Map<string, JoinRow[]>();
  for (const row of rows) {
    const key = JSON.stringify(row.key);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  let best = { key: '', count: 0 };
  for (const [key, members] of groups) {
    const count = mostWithin(
      members.map(({ timeUs }) => timeUs).sort((a, b) => a - b),
      rule.windowUs,
    );
    if (count > best.count) best = { key, count };
  }
  const wanted = rule.conditions.map(({ function: of, op, value }) => {
    const what = 'field' in of ? `${of.kind}(${of.field.name})` : of.kind;
    return `${what} ${op} ${value}`;
  });
  const key = part.by.length === 0 ? '' : ` for ${part.by.map(printExpr).join(', ')} = ${best.key}`;
  return [
    `at most ${best.count} events came within ${formatDurationUs(rule.windowUs)}${key}; the rule asks for ${wanted.join(' and ')}`,
  ];
}

/** The most times in any closed window; `times` ascend. */
function mostWithin(times: readonly number[], windowUs: number): number {
  let most = 0;
  let from = 0;
  times.forEach((time, to) => {
    while (time - (times[from] ?? time) > windowUs) from++;
    most = Math.max(most, to - from + 1);
  });
  return most;
}
