/** Temporal rules against the rules they refer to. */
import type { Diagnostic } from '../core/diagnostic.js';
import { nearestName } from '../core/nearest_name.js';
import { RuleCheck } from './check.js';
import type { Rule, TemporalRule } from './ir.js';

/** Checks that what temporal rules refer to exists, can be heard of, and leads to no circle. */
export function checkTemporalRules(rules: readonly Rule[]): Diagnostic[] {
  const byId = new Map(rules.map((rule) => [rule.id, rule] as const));
  return rules.flatMap((rule) => (rule.kind === 'temporal' ? checkTemporalRule(rule, byId) : []));
}

function checkTemporalRule(rule: TemporalRule, byId: ReadonlyMap<string, Rule>): Diagnostic[] {
  const check = new RuleCheck(rule);
  for (const [i, { id }] of rule.rules.entries()) {
    const path = `rules[${i}].id`;
    const heard = byId.get(id);
    if (heard === undefined) {
      const nearest = nearestName(id, byId.keys());
      const remedy = nearest === undefined ? 'Load that rule too.' : `Did you mean ${nearest}?`;
      check.report(path, { code: 'RULE_REFERENCE', message: `there is no rule ${JSON.stringify(id)}`, remedy });
    } else if (reaches(heard, rule.id, byId, new Set())) {
      check.report(path, { code: 'RULE_CYCLE', message: `rule ${JSON.stringify(id)} refers back to this one` });
    } else {
      const reason = unheard(heard);
      if (reason !== undefined) {
        check.report(path, { code: 'RULE_REFERENCE', message: `rule ${JSON.stringify(id)} ${reason}` });
      }
    }
  }
  return check.diagnostics;
}

function reaches(from: Rule, id: string, byId: ReadonlyMap<string, Rule>, seen: Set<string>): boolean {
  if (from.id === id) return true;
  if (from.kind !== 'temporal' || seen.has(from.id)) return false;
  seen.add(from.id);
  return from.rules.some((part) => {
    const next = byId.get(part.id);
    return next !== undefined && reaches(next, id, byId, seen);
  });
}

/** Why a rule's alerts cannot be a part of a temporal rule: they must come with an event. */
function unheard(rule: Rule): string | undefined {
  if (rule.kind === 'behavior') return 'is judged apart from the events: temporal rules cannot hear of it';
  if (rule.kind === 'sample') return 'alerts when the stream ends: temporal rules cannot hear of it';
  if (rule.kind === 'newTerms' && rule.mode === 'elasticCompat') return 'alerts by schedule, not by event';
  if (rule.kind === 'newTerms' && rule.joins !== undefined) return 'joins events: temporal rules cannot hear of it';
  if (rule.kind === 'sequence' && rule.steps.at(-1)?.missing === true)
    return 'ends in absence: its alerts have no event';
  return undefined;
}
