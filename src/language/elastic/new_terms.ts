import type { Platform } from '../../core/paths.js';
import type { NewTermsRule } from '../../rule/ir.js';
import type { ObjectReader } from '../document/reader.js';
import type { StringNode } from '../document/tree.js';
import { readTimeBeforeRun } from './schedule.js';
import type { TimedInput } from './timed.js';

/** Fields that Elasticsearch combines at most. */
const fieldsMax = 3;

/**
 * The rule of a `new_terms` file, in either spelling: Kibana's `new_terms_fields` and `history_window_start`, or the
 * rule repository's `[rule.new_terms]`. By event time the window is the history; a gap of exactly the window is not new.
 */
export function newTermsRule({
  base,
  query,
  schedule,
  extensions,
  rule,
  report,
  joins,
}: TimedInput): NewTermsRule | undefined {
  const table = rule.object('new_terms');
  const names = table === undefined ? rule.strings('new_terms_fields') : readPair(table, 'value');
  const start = table === undefined ? rule.stringNode('history_window_start') : readStart(table);
  table?.finish();
  if (names === undefined && table === undefined && !rule.has('new_terms_fields')) {
    rule.missing('new_terms_fields', 'a list of one to three fields');
  }
  if (start === undefined && table === undefined && !rule.has('history_window_start')) {
    rule.missing('history_window_start', 'a time such as "now-7d"');
  }
  if (names !== undefined && (names.length < 1 || names.length > fieldsMax)) {
    report(rule.span(table === undefined ? 'new_terms_fields' : 'new_terms'), {
      code: 'RULE_VALUE',
      message: `a new_terms rule has ${names.length} fields`,
      expected: ['one to three fields'],
      remedy: 'Name one to three fields.',
    });
  }
  const windowUs = start === undefined ? undefined : readTimeBeforeRun(start, report);
  const { paths } = extensions;
  for (const name of Object.keys(paths)) {
    if (names === undefined || (names.includes(name) && extensions.mode === 'event_time')) continue;
    report(rule.span(table === undefined ? 'new_terms_fields' : 'new_terms'), {
      code: 'RULE_VALUE',
      message: `"${name}" of paths is no field that terms are told apart by in event time`,
      remedy: 'Name one of the new_terms fields under paths, and only with mode = "event_time".',
    });
  }
  if (query === undefined || names === undefined || windowUs === undefined) return undefined;
  const fields = names.map((name) => ({
    kind: 'field' as const,
    name,
    ...(Object.hasOwn(paths, name) && extensions.mode === 'event_time' ? { path: paths[name] as Platform } : {}),
  }));
  const shared = { ...base, kind: 'newTerms' as const, query, fields, windowUs };
  if (extensions.mode === 'event_time')
    return { ...shared, mode: 'eventTime', ...(joins === undefined ? {} : { joins }) };
  const timestamp = rule.string('timestamp_override');
  const clock = timestamp === undefined || timestamp === '' ? {} : { timestampField: timestamp };
  return { ...shared, ...schedule, ...clock, mode: 'elasticCompat' };
}

/** `[rule.new_terms]`: `field` says what `value` holds. */
function readPair(table: ObjectReader, key: string): string[] | undefined {
  table.oneOf('field', ['new_terms_fields']);
  const names = table.strings(key, true);
  if (names === undefined && !table.has(key)) table.missing(key, 'a list of one to three fields');
  return names;
}

function readStart(table: ObjectReader): StringNode | undefined {
  const [window, ...more] = table.objects('history_window_start');
  if (window === undefined || more.length > 0) {
    table.missing('history_window_start', 'one table with "field" and "value"');
    return undefined;
  }
  window.oneOf('field', ['history_window_start']);
  const value = window.stringNode('value');
  if (value === undefined && !window.has('value')) window.missing('value', 'a time such as "now-7d"');
  window.finish();
  return value;
}
