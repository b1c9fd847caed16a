import type { AlertOverride, RuleBase, Severity, Suppression, Threat } from '../../rule/ir.js';
import type { ObjectReader, Report } from '../document/reader.js';
import { readDuration } from './schedule.js';

const severities = ['low', 'medium', 'high', 'critical'] as const satisfies readonly Severity[];

/** What every rule carries into its alerts. Placeholders stand for what is missing; the problem is reported then. */
export function readBase(rule: ObjectReader, source: NonNullable<RuleBase['source']>): RuleBase {
  const id = rule.requiredString('rule_id') ?? 'unknown';
  const name = rule.requiredString('name') ?? id;
  const description = rule.string('description');
  const severity = rule.oneOf('severity', severities) ?? 'low';
  if (!rule.has('severity')) rule.missing('severity', severities.join(', '));
  const riskScore = rule.number('risk_score', 0, 100) ?? 0;
  if (!rule.has('risk_score')) rule.missing('risk_score', 'a number from 0 to 100');
  const tags = rule.strings('tags');
  const references = rule.strings('references');
  const maxSignals = rule.number('max_signals', 1, Number.MAX_SAFE_INTEGER);
  const overrides = readOverrides(rule);
  const category = filled(rule, 'event_category_override');
  const timestamp = filled(rule, 'timestamp_field');
  const tiebreaker = filled(rule, 'tiebreaker_field');
  return {
    id,
    name,
    severity,
    riskScore,
    threat: readThreats(rule),
    ...(description === undefined ? {} : { description }),
    ...(tags === undefined ? {} : { tags }),
    ...(references === undefined ? {} : { references }),
    ...(maxSignals === undefined ? {} : { maxSignals }),
    ...(overrides.length === 0 ? {} : { overrides }),
    ...(filled(rule, 'building_block_type') === undefined ? {} : { buildingBlock: true }),
    ...(category === undefined ? {} : { eventCategoryField: category }),
    ...(timestamp === undefined ? {} : { timestampField: timestamp }),
    ...(tiebreaker === undefined ? {} : { tiebreakerField: tiebreaker }),
    source,
  };
}

/** A string that says something: exports write some absent keys as empty strings. */
function filled(rule: ObjectReader, key: string): string | undefined {
  const value = rule.string(key);
  return value === '' ? undefined : value;
}

function readThreats(rule: ObjectReader): Threat[] {
  return rule.objects('threat').map((threat) => {
    const framework = threat.requiredString('framework') ?? '';
    const tacticTable = threat.object('tactic');
    const tactic = tacticTable === undefined ? undefined : readReference(tacticTable);
    tacticTable?.finish();
    const techniques = threat.objects('technique').flatMap((technique) => {
      const own = readReference(technique);
      const below = technique.objects('subtechnique').map((sub) => {
        const reference = readReference(sub);
        sub.finish();
        return reference;
      });
      technique.finish();
      return [own, ...below];
    });
    threat.finish();
    return { framework, techniques, ...(tactic === undefined ? {} : { tactic }) };
  });
}

function readReference(table: ObjectReader): { id: string; name: string } {
  table.accept('reference', 'string');
  return { id: table.requiredString('id') ?? '', name: table.requiredString('name') ?? '' };
}

function readOverrides(rule: ObjectReader): AlertOverride[] {
  const severity = rule.objects('severity_mapping').map((mapping): AlertOverride => {
    const override = { target: 'severity' as const, field: mapping.requiredString('field') ?? '' };
    mapping.oneOf('operator', ['equals']);
    const equals = mapping.string('value');
    const raised = mapping.oneOf('severity', severities);
    mapping.finish();
    return {
      ...override,
      ...(equals === undefined || equals === '' ? {} : { equals }),
      ...(raised === undefined ? {} : { severity: raised }),
    };
  });
  const risk = rule.objects('risk_score_mapping').map((mapping): AlertOverride => {
    const override = { target: 'riskScore' as const, field: mapping.requiredString('field') ?? '' };
    mapping.oneOf('operator', ['equals']);
    const equals = mapping.string('value');
    const riskScore = mapping.number('risk_score', 0, 100);
    mapping.finish();
    return {
      ...override,
      ...(equals === undefined || equals === '' ? {} : { equals }),
      ...(riskScore === undefined ? {} : { riskScore }),
    };
  });
  const name = filled(rule, 'rule_name_override');
  return [...severity, ...risk, ...(name === undefined ? [] : [{ target: 'name' as const, field: name }])];
}

const unitUs = { s: 1_000_000, m: 60_000_000, h: 3_600_000_000 } as const;

/**
 * Reads `alert_suppression`. Without a duration Kibana folds the alerts of one run, so the window is the rule's
 * interval. A threshold rule folds by its own fields.
 */
export function readSuppression(
  rule: ObjectReader,
  intervalUs: number,
  thresholdFields: readonly string[] | undefined,
  report: Report,
): Suppression | undefined {
  const node = rule.get('alert_suppression');
  const table = node === undefined ? undefined : rule.object('alert_suppression');
  if (table === undefined) return undefined;
  const by = thresholdFields ?? table.strings('group_by') ?? [];
  if (thresholdFields === undefined && by.length === 0) table.missing('group_by', 'a list of one to three fields');
  const duration = table.get('duration');
  const windowUs = duration?.kind === 'string' ? readDuration(duration, report) : readWindow(table.object('duration'));
  const missing = table.oneOf('missing_fields_strategy', ['suppress', 'doNotSuppress']) ?? 'suppress';
  table.finish();
  return { by, windowUs: windowUs ?? intervalUs, missingFields: missing };
}

function readWindow(table: ObjectReader | undefined): number | undefined {
  if (table === undefined) return undefined;
  const value = table.number('value', 1, 1_000_000);
  const unit = table.oneOf('unit', ['s', 'm', 'h']);
  if (!table.has('value')) table.missing('value', 'a number');
  if (!table.has('unit')) table.missing('unit', 's, m or h');
  table.finish();
  return value === undefined || unit === undefined ? undefined : value * unitUs[unit];
}
