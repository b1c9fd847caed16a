/** Runs EQL rows: queries over events, constant expressions, and texts that must parse or be refused. */
import {
  type EqlDialect,
  type EqlOptions,
  eqlRule,
  parseEql,
  parseEqlExpression,
} from '../../../src/language/eql/index.js';
import type { Expr, Rule } from '../../../src/rule/ir.js';
import { compareEvents, ecsFieldNames, readEvent, scalarsAt } from '../../oracle/event.js';
import type { PlainAlert } from '../../oracle/oracle.js';
import { compareKeys } from '../../oracle/sample.js';
import type { Engine } from '../engines.js';
import { failed, type Outcome, passed, skipped } from './report.js';
import type { CaseFields, CaseRow, ExpressionRow, ParseRow, Source } from './rows.js';

/**
 * What the language itself leaves to an index mapping: without one, documents hold what they hold. Rows that need
 * these and do not pass are skipped.
 */
const mappingReasons: Readonly<Record<string, string>> = {
  'mapping:null_value': 'needs an index mapping: explicit nulls are indexed as another value',
  'mapping:date': 'needs an index mapping: the field is a date',
  'mapping:ip': 'needs an index mapping: the field is an address',
};

/** The mapping that rows with `mapping:version` are about. */
const versionTypes = { version: 'semver' } as const;

const ecsFields: CaseFields = { id: '_id', category: 'event.category', timestamp: '@timestamp', tiebreaker: null };

export async function runCase(row: CaseRow, events: readonly Source[], engine: Engine): Promise<Outcome> {
  const needsVersions = row.requires?.includes('mapping:version') === true;
  const { query, problems } = parseEql(row.query, {
    ...optionsOf(row.dialect, row.case_sensitive),
    ...(needsVersions ? { fieldTypes: versionTypes } : {}),
  });
  if (query === undefined)
    return orMapping(row, failed(`refused: ${problems.map(({ message }) => message).join('; ')}`));
  const max = row.params?.max_samples_per_key;
  const rule = eqlRule('case', query, max === undefined ? {} : { maxSamplesPerKey: max });
  const refusal = isForeign(row) ? engine.refusal?.(rule) : undefined;
  if (refusal !== undefined) return skipped(`Endgame only, and refused by name: ${refusal}`);
  return orMapping(row, await runRule(rule, row, events, engine));
}

export async function runRule(rule: Rule, row: CaseRow, events: readonly Source[], engine: Engine): Promise<Outcome> {
  const fields = row.fields ?? ecsFields;
  const stream = inOrder(row.features?.some(isLineage) === true ? events.map(withLineage) : events, fields);
  const options = {
    rules: [rule],
    eventCategoryField: fields.category,
    ...(fields.timestamp === null ? {} : { timestampField: fields.timestamp }),
    ...(fields.tiebreaker === null ? {} : { tiebreakerField: fields.tiebreaker }),
  };
  const found = await engine.run(options, [stream]).catch((error: unknown) => String(error));
  if (typeof found === 'string') return failed(found);
  const results = inResultOrder(rule, found).map((alert) => idsOf(alert, stream, fields));
  const isFlat = row.kind === 'event' || row.kind === 'flat';
  const actual = JSON.stringify(isFlat ? results.flat() : results);
  const accepted = row.expected_any_of ?? [row.expected];
  if (accepted.some((expected) => JSON.stringify(expected) === actual)) return passed;
  return failed(`expected ${JSON.stringify(accepted[0])}, found ${actual}`);
}

function optionsOf(dialect: string | undefined, caseSensitive: boolean | null | undefined): EqlOptions {
  return { dialect: (dialect ?? 'elasticsearch') as EqlDialect, caseSensitive: caseSensitive === true };
}

/** Rows that document the Endgame dialect alone; an engine of the Elasticsearch dialect may refuse what they ask for. */
const isForeign = (row: CaseRow): boolean => row.dialect === 'python-eql' && row.same_in_elastic !== true;

/** Failures of rows that need a mapping the engine cannot know are no failures of the language. */
function orMapping(row: CaseRow, outcome: Outcome): Outcome {
  const reason = row.requires?.map((requirement) => mappingReasons[requirement]).find((one) => one !== undefined);
  return outcome.kind === 'failed' && reason !== undefined ? skipped(reason) : outcome;
}

// ----------------------------------------------------------------------------------------------------- events

const isLineage = (feature: string): boolean => feature === 'lineage' || feature.endsWith(' of');

/** Endgame's process identities as the ECS fields that lineage is read from. */
function withLineage(event: Source): Source {
  const { unique_pid: id, unique_ppid: parentId, pid, ppid, subtype } = event;
  const parent = { ...(parentId === undefined ? {} : { entity_id: `${parentId}`, pid: ppid }) };
  const type = subtype === 'terminate' ? 'end' : 'start';
  const process = { ...(id === undefined ? {} : { entity_id: `${id}` }), pid, parent };
  return { ...event, process, event: event.event_type === 'process' ? { type } : {} };
}

/** Events by time, then tiebreaker, then place in the data; without a time field, a millisecond apart as they stand. */
function inOrder(events: readonly Source[], fields: CaseFields): Source[] {
  if (fields.timestamp === null) {
    return events.map((event, index) => ({ ...event, '@timestamp': new Date(index + 1).toISOString() }));
  }
  const names = { ...ecsFieldNames, timestampField: fields.timestamp, tiebreakerField: fields.tiebreaker ?? 'none' };
  return events
    .map((event, index) => ({ event, placed: readEvent(event, index, names) }))
    .filter(({ placed }) => placed !== undefined)
    .sort((a, b) => compareEvents(a.placed!, b.placed!))
    .map(({ event }) => event);
}

// ---------------------------------------------------------------------------------------------------- results

/** Events and sequences by their last event, samples by key; a pipe that sorts keeps its order. */
function inResultOrder(rule: Rule, alerts: readonly PlainAlert[]): readonly PlainAlert[] {
  if (rule.pipes?.some(({ kind }) => kind === 'sort' || kind === 'uniqueCount') === true) return alerts;
  if (rule.kind === 'sample') return [...alerts].sort((a, b) => compareKeys(a.key ?? [], b.key ?? []));
  const completion = (alert: PlainAlert): number => Math.max(...alert.evidence.map((ordinal) => ordinal ?? -1));
  return [...alerts].sort((a, b) => completion(a) - completion(b));
}

function idsOf(alert: PlainAlert, stream: readonly Source[], fields: CaseFields): unknown[] {
  return alert.evidence.map((ordinal) => (ordinal === null ? null : scalarsAt(stream[ordinal], fields.id)[0]));
}

// ------------------------------------------------------------------------------------------------ expressions

/** A constant expression has its value when exactly the right one of three conditions on it holds. */
export async function runExpression(row: ExpressionRow, engine: Engine): Promise<Outcome> {
  const options = optionsOf(row.dialect, row.case_sensitive);
  const { expr, problems } = parseEqlExpression(row.expression, { ...options, as: 'value' });
  const refused = `refused: ${problems.map(({ message }) => message).join('; ')}`;
  if (row.expect === 'error') return expr === undefined ? passed : failed('accepted, must be refused');
  if (expr === undefined) return failed(refused);
  const expected = row.expected ?? null;
  const conditions: Expr[] = [
    { kind: 'isNull', value: expr },
    { kind: 'compare', op: '==', left: expr, right: { kind: 'literal', value: expected }, case: 'exact' },
  ];
  const rules = conditions.map((condition, index): Rule => {
    return eqlRule(`${index}`, { kind: 'event', query: { category: null, condition }, pipes: [] });
  });
  const alerts = await engine.run({ rules }, [[{ '@timestamp': '2026-01-01T00:00:00Z' }]]);
  const held = alerts.map(({ rule }) => rule).sort();
  const wanted = expected === null ? ['0', '1'] : ['1'];
  return held.join() === wanted.join()
    ? passed
    : failed(`expected ${JSON.stringify(expected)}; ${JSON.stringify(expr)}`);
}

export function runParse(row: ParseRow): Outcome {
  const text = row.text ?? row.query ?? '';
  const options = optionsOf(row.dialect, null);
  const parsed = row.kind === 'expression' ? parseEqlExpression(text, options).expr : parseEql(text, options).query;
  if ((parsed === undefined) === (row.expect === 'error')) return passed;
  return failed(parsed === undefined ? `refused: ${JSON.stringify(text)}` : `accepted: ${JSON.stringify(text)}`);
}
