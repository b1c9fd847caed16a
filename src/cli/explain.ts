/** `vedette explain`: why a rule fired on the events of files, or why it did not. */
import { parseArgs } from 'node:util';
import { nearestName } from '../core/nearest_name.js';
import type { NearEvent } from '../correlator/explain/collector.js';
import { createExplainer, type Explanation, type PartExplanation } from '../correlator/explain/explain.js';
import type { Rule } from '../rule/ir.js';
import { createSourceReader } from '../source/reader.js';
import { fieldTypesFrom, fieldTypesHelp } from './field_types.js';
import { resolveInputs } from './input.js';
import { CommandError, type Io, paint, printable } from './io.js';
import { pushFiles, rulesFor, streamHelp, streamOptions } from './stream.js';
import { renderAlert } from './timeline.js';

const help = `usage: vedette explain --rule ID [OPTION]... FILE|FOLDER|-...

Tells why the rule fired on the events, or which of its conditions failed on the events that came nearest.

  --rule ID           the rule to explain
${streamHelp}  ${fieldTypesHelp}
  --json              one JSON object on stdout, and nothing else there
`;

const options = {
  ...streamOptions,
  'field-types': { type: 'string' },
  rule: { type: 'string' },
} as const;

/** Runs the command. Resolves to 0 whether or not the rule fired. */
export async function explain(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) {
    io.stdout(help);
    return 0;
  }
  if (values.rule === undefined) throw new CommandError('no rule given; name one with --rule ID');
  if (positionals.length === 0)
    throw new CommandError('no event files given; name files, folders or - for standard input');
  const files = await resolveInputs(positionals);
  const rules = await rulesFor(values, io, await fieldTypesFrom(values['field-types']));
  const explainer = await createExplainer(ruleNamed(values.rule, rules), rules, {
    lateness: values.lateness,
    memory: values.memory,
    ...(values.host === undefined ? {} : { defaultHost: values.host }),
  });
  await pushFiles('explain', files, createSourceReader(values.format), (events) => explainer.push(events), io);
  const explanation = explainer.finish();
  io.stdout(values.json ? `${JSON.stringify(explanation)}\n` : render(explanation, io));
  return 0;
}

function ruleNamed(id: string, rules: readonly Rule[]): Rule {
  const found = rules.find((rule) => rule.id === id) ?? rules.find((rule) => rule.name === id);
  if (found !== undefined) return found;
  const ids = rules.map((rule) => rule.id);
  const near = nearestName(id, ids);
  const hint =
    near === undefined
      ? `rules: ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ', …' : ''}`
      : `did you mean "${near}"?`;
  throw new CommandError(`no rule "${id}"; ${hint}`);
}

function render(explanation: Explanation, io: Io): string {
  const { rule, events, alertCount, alerts, parts } = explanation;
  const outcome = alertCount > 0 ? `fired ${plural(alertCount, 'time')}` : 'did not fire';
  const lines = [
    paint(io, 'bold', `${rule.id}  ${printable(rule.name)}: ${outcome} on ${plural(events, 'event')}`),
    '',
  ];
  if (alertCount > 0) return `${lines.join('\n')}\n${alerts.map((alert) => renderAlert(alert, io)).join('')}`;
  for (const category of explanation.missingCategories)
    lines.push(
      category === 'any' ? 'No event came at all.' : `Missing telemetry: no event of category "${category}" was seen.`,
      '',
    );
  for (const part of orderedParts(parts)) lines.push(...partLines(part, io), '');
  for (const [id, count] of Object.entries(explanation.heard))
    lines.push(`It hears rule ${id}, which fired ${plural(count, 'time')}.`);
  for (const reason of explanation.joins) lines.push(printable(reason));
  const silent = closingReason(explanation);
  if (silent !== undefined) lines.push(silent);
  for (const { reason, count } of explanation.losses)
    lines.push(`Lost: ${reason} ${count}; the answer may lack these.`);
  return `${lines.join('\n').trimEnd()}\n`;
}

/** Items of behaviour rules that nothing came near are told in one line. */
const itemsMax = 8;

function orderedParts(parts: readonly PartExplanation[]): PartExplanation[] {
  const items = parts.filter(({ attributed }) => attributed !== undefined);
  const telling = items.filter(({ matched, nearest }) => matched > 0 || nearest.length > 0);
  const shown = [...telling]
    .sort((a, b) => (b.attributed ?? 0) - (a.attributed ?? 0) || b.matched - a.matched)
    .slice(0, itemsMax);
  return [...parts.filter((part) => part.attributed === undefined), ...shown];
}

function partLines(part: PartExplanation, io: Io): string[] {
  const of = part.category === null ? 'events' : `events of category "${part.category}"`;
  const name = part.isAbsence ? `${part.name} (must not come)` : part.name;
  const under = part.attributed === undefined ? '' : `, ${part.attributed} of them under a root process`;
  const lines = [`${paint(io, 'bold', name)}: ${part.matched} of ${part.seen} ${of} satisfy it${under}`];
  if (part.missingFields.length > 0)
    lines.push(`  no such event carries ${part.missingFields.map(printable).join(', ')}`);
  // What nearly was not there needs no explanation where its absence was asked for.
  if (!part.isAbsence) for (const event of part.nearest) lines.push(...nearLines(event, io));
  return lines;
}

function nearLines(event: NearEvent, io: Io): string[] {
  const process = event.process === null ? '' : `  ${printable(event.process)}`;
  return [
    `  nearest: event ${event.ordinal}  ${event.time}  ${printable(event.host ?? '')}${process}`,
    ...event.held.map((text) => `    ${paint(io, 'green', 'held  ')}  ${printable(text)}`),
    ...event.failed.flatMap(({ condition, values }) => [
      `    ${paint(io, 'red', 'failed')}  ${printable(condition)}`,
      ...Object.entries(values).map(([name, value]) => `            ${printable(name)} ${valueText(value)}`),
    ]),
  ];
}

const valueMax = 200;

function valueText(value: unknown): string {
  if (value === null) return 'is missing';
  const text = printable(JSON.stringify(value));
  return `is ${text.length > valueMax ? `${text.slice(0, valueMax)}…` : text}`;
}

/** Why nothing was published although every part matched, where keys and times do not tell. */
function closingReason({ rule, parts, joins, alertCount }: Explanation): string | undefined {
  if (alertCount > 0 || joins.length > 0) return undefined;
  if (rule.kind === 'behavior') {
    const [root] = parts;
    if (root === undefined || root.matched === 0) return undefined;
    const items = parts.filter(({ attributed }) => (attributed ?? 0) > 0);
    return items.length === 0
      ? `${plural(root.matched, 'root process event')}, and nothing that the rule looks for under any of them.`
      : 'Items were witnessed under root processes, but no row of the ladder holds for them together.';
  }
  const isComplete = parts.length > 0 && parts.every(({ matched, isAbsence }) => isAbsence || matched > 0);
  return isComplete ? 'Every part matched; what it would have told was filtered, folded or known already.' : undefined;
}

function plural(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
