import type { AggregateRule } from '../../rule/ir.js';
import type { ObjectReader, Report } from '../document/reader.js';
import type { TimedInput } from './timed.js';

export interface Threshold {
  readonly fields: readonly string[];
  readonly value: number;
  readonly cardinality: readonly { readonly field: string; readonly value: number }[];
}

/** Reads `[rule.threshold]`. */
export function readThreshold(rule: ObjectReader, report: Report): Threshold | undefined {
  const table = rule.object('threshold');
  if (table === undefined) {
    if (!rule.has('threshold')) rule.missing('threshold', 'a table with "field" and "value"');
    return undefined;
  }
  const fields = (table.strings('field', true) ?? []).filter((name) => name !== '');
  const value = table.number('value', 1, Number.MAX_SAFE_INTEGER);
  if (!table.has('value')) table.missing('value', 'how many events');
  const cardinality = table.objects('cardinality').flatMap((item) => {
    const field = item.requiredString('field');
    const least = item.number('value', 1, Number.MAX_SAFE_INTEGER);
    if (!item.has('value')) item.missing('value', 'how many distinct values');
    item.finish();
    return field === undefined || least === undefined ? [] : [{ field, value: least }];
  });
  if (cardinality.length > 1) {
    report(table.span('cardinality'), {
      code: 'RULE_VALUE',
      message: 'a threshold counts the distinct values of one field',
      remedy: 'Keep one entry of "cardinality".',
    });
  }
  table.finish();
  return value === undefined ? undefined : { fields, value, cardinality };
}

/**
 * The rule of a `threshold` file. The window slides over event time and is as long as what one run in Kibana counts
 * over: from `from` to `to` (6 minutes where the rule gives none), or `window` of [metadata.vedette]. It fires at the
 * crossing, then once more only after its window has passed.
 */
export function thresholdRule(threshold: Threshold | undefined, input: TimedInput): AggregateRule | undefined {
  const { base, query, schedule, extensions, rule, report } = input;
  if (extensions.mode === 'elastic_compat') {
    report(rule.span('type'), {
      code: 'UNSUPPORTED_MODE',
      message: 'threshold rules run in event time only',
      remedy: 'Leave mode "elastic_compat" out for this rule.',
    });
  }
  if (threshold === undefined || query === undefined) return undefined;
  const distinct = threshold.cardinality.map(({ field, value }) => ({
    function: { kind: 'distinct', field: { kind: 'field', name: field } } as const,
    op: '>=' as const,
    value,
  }));
  return {
    ...base,
    kind: 'aggregate',
    query,
    by: threshold.fields.map((name) => ({ kind: 'field', name })),
    windowUs: extensions.windowUs ?? schedule.lookbackUs,
    window: 'sliding',
    conditions: [{ function: { kind: 'count' }, op: '>=', value: threshold.value }, ...distinct],
    emit: 'crossing',
  };
}
