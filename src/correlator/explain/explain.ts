/**
 * Why a rule fired on a stream of events, or why it did not: which conditions failed on the events that came nearest,
 * which telemetry was missing, what kept matching events from joining.
 */
import type { Rule } from '../../rule/ir.js';
import type { Alert } from '../alert.js';
import { startCorrelator } from '../correlator.js';
import type { PushInput } from '../input.js';
import type { CorrelatorOptions } from '../options.js';
import type { CorrelatorStats } from '../stats.js';
import { ExplainCollector, type NearEvent, type PartTally } from './collector.js';
import { joinReasons } from './joins.js';
import { partsOf } from './parts.js';
import { probePrefix, probesOf } from './probes.js';

export interface PartExplanation {
  readonly name: string;
  readonly category: string | null;
  readonly isAbsence: boolean;
  /** Events of the category. */
  readonly seen: number;
  readonly matched: number;
  /** Items of behaviour rules: those under a root process. */
  readonly attributed?: number;
  /** Fields that the part asks for and no event of the category carries. */
  readonly missingFields: readonly string[];
  readonly nearest: readonly NearEvent[];
}

export interface Explanation {
  readonly rule: { readonly id: string; readonly name: string; readonly kind: Rule['kind'] };
  readonly events: number;
  readonly alertCount: number;
  /** The last revisions, the first hundred by id. */
  readonly alerts: readonly Alert[];
  readonly parts: readonly PartExplanation[];
  /** Categories that no event has. */
  readonly missingCategories: readonly string[];
  /** Why events that satisfied every part did not join. */
  readonly joins: readonly string[];
  /** For temporal rules: alerts of the rules that it hears. */
  readonly heard: Readonly<Record<string, number>>;
  readonly losses: CorrelatorStats['losses'];
}

export interface Explainer {
  push(input: PushInput): void;
  /** Ends the stream and tells. */
  finish(): Explanation;
}

const alertsMax = 100;

/** Fields that tell what an event was, whatever the rule reads. */
const identityFields = ['host.id', 'host.name', 'process.executable', 'process.name'];

/**
 * Starts to explain a rule. `others`: rules it may hear of. Events are taken as by `createCorrelator` with `options`.
 * @throws UsageError when the rule cannot be compiled.
 */
export async function createExplainer(
  rule: Rule,
  others: readonly Rule[],
  options: Omit<CorrelatorOptions, 'rules'> = {},
): Promise<Explainer> {
  const parts = partsOf(rule);
  const probes = probesOf(rule, parts);
  const collector = new ExplainCollector(parts, probes);
  const heard = heardRules(rule, others);
  const read = parts.flatMap(({ alternatives }) => alternatives.flat().flatMap(({ fields }) => fields));
  const correlator = await startCorrelator(
    {
      minSeverity: 'informational',
      buildingBlocks: true,
      ...options,
      rules: [rule, ...heard, ...probes.rules],
    },
    {
      keptFields: [...new Set([...identityFields, ...read, ...parts.flatMap(({ by }) => by.flatMap(fieldNames))])],
      intercept: (made) => {
        if (!made.view.rule.id.startsWith(probePrefix)) return false;
        collector.take(made);
        return true;
      },
    },
  );
  const alerts = new Map<string, Alert>();
  const counted = new Set<string>();
  const take = (published: readonly Alert[]): void => {
    for (const alert of published) {
      if (alert.rule.id !== rule.id) continue;
      counted.add(alert.id);
      if (alerts.has(alert.id) || alerts.size < alertsMax) alerts.set(alert.id, alert);
    }
  };
  return {
    push: (input) => take(correlator.push(input)),
    finish() {
      take(correlator.flush());
      collector.end();
      const stats = correlator.stats();
      correlator.close();
      const heardCounts = heard.map(({ id }) => [id, stats.rules.find((one) => one.id === id)?.alerts ?? 0] as const);
      return {
        rule: { id: rule.id, name: rule.name, kind: rule.kind },
        events: stats.events,
        alertCount: counted.size,
        alerts: [...alerts.values()],
        parts: collector.tallies.map(explainPart),
        missingCategories: missingCategories(collector.tallies),
        joins: counted.size > 0 ? [] : joinReasons(rule, collector.tallies),
        heard: Object.fromEntries(heardCounts),
        losses: stats.losses.filter((loss) => loss.rule === null || loss.rule === rule.id),
      };
    },
  };
}

function fieldNames(expr: { readonly kind: string; readonly name?: unknown }): string[] {
  return expr.kind === 'field' && typeof expr.name === 'string' ? [expr.name] : [];
}

function heardRules(rule: Rule, others: readonly Rule[]): Rule[] {
  const wanted = rule.kind === 'temporal' ? new Set(rule.rules.map(({ id }) => id)) : new Set<string>();
  const found = others.filter(({ id }) => wanted.has(id) && id !== rule.id);
  return [...found, ...found.flatMap((one) => heardRules(one, others))].filter(
    (one, index, all) => all.findIndex(({ id }) => id === one.id) === index,
  );
}

function explainPart(tally: PartTally): PartExplanation {
  const { part, seen, matched, attributed, present, nearest } = tally;
  const asked = part.alternatives.flat().filter(({ isWeak }) => !isWeak);
  const names = [...new Set([...asked.flatMap(({ fields }) => fields), ...part.by.flatMap(fieldNames)])];
  return {
    name: part.name,
    category: part.category,
    isAbsence: part.isAbsence,
    seen,
    matched,
    ...(part.role === 'item' ? { attributed } : {}),
    missingFields: matched > 0 || seen === 0 ? [] : names.filter((name) => !present.has(name)),
    nearest: matched > 0 ? [] : nearest.map(({ event }) => event),
  };
}

function missingCategories(tallies: readonly PartTally[]): string[] {
  const asked = tallies.filter(({ part, seen }) => seen === 0 && !part.isAbsence);
  return [...new Set(asked.map(({ part }) => part.category ?? 'any'))];
}
