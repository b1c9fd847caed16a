/**
 * The rules that answer for a rule's conditions: one match rule for each condition, run by the ordinary engine on the
 * same events. No second evaluator: what a condition means is decided in one place.
 */
import { withinScope } from '../../compiler/rule_parts.js';
import type { BehaviorRule, EventQuery, Expr, MatchRule, Rule } from '../../rule/ir.js';
import { canonical } from '../../rule/print.js';
import type { RulePart } from './parts.js';

/** What a true probe says. */
export type ProbeTarget =
  | { readonly kind: 'seen'; readonly part: number }
  | { readonly kind: 'conjunct'; readonly part: number; readonly alternative: number; readonly conjunct: number }
  | { readonly kind: 'attributed'; readonly part: number };

export interface Probes {
  readonly rules: readonly MatchRule[];
  /** By probe rule id. */
  readonly targets: ReadonlyMap<string, readonly ProbeTarget[]>;
}

/** Marks the ids of probe rules; no rule file can hold it. */
export const probePrefix = '\u0000probe:';

/** Makes the probes of a rule. Conditions that several parts share have one probe. */
export function probesOf(rule: Rule, parts: readonly RulePart[]): Probes {
  const rules: MatchRule[] = [];
  const targets = new Map<string, ProbeTarget[]>();
  const ids = new Map<string, string>();
  const probe = (query: EventQuery, target: ProbeTarget): void => {
    const text = JSON.stringify(canonical(query));
    const id = ids.get(text) ?? `${probePrefix}${ids.size}`;
    if (!ids.has(text)) {
      ids.set(text, id);
      rules.push(matchRule(id, query, rule));
    }
    targets.set(id, [...(targets.get(id) ?? []), target]);
  };
  const root = rule.kind === 'behavior' ? rootOf(rule) : undefined;
  parts.forEach(({ category, query, alternatives, role }, part) => {
    probe({ category, condition: always }, { kind: 'seen', part });
    alternatives.forEach((conjuncts, alternative) => {
      conjuncts.forEach(({ expr, isProbed }, conjunct) => {
        if (isProbed) probe({ category, condition: expr }, { kind: 'conjunct', part, alternative, conjunct });
      });
    });
    if (role === 'item' && root !== undefined)
      probe({ category, condition: and(query.condition, underRoot(root)) }, { kind: 'attributed', part });
  });
  return { rules, targets };
}

const always: Expr = { kind: 'literal', value: true };

const and = (...operands: readonly Expr[]): Expr => ({ kind: 'and', operands });

/** By the root itself or by a descendant of it. */
const underRoot = (query: EventQuery): Expr => ({
  kind: 'or',
  operands: [
    { kind: 'lineage', relation: 'event', query },
    { kind: 'lineage', relation: 'descendant', query },
  ],
});

/** Of rules that tell sessions by fields, no process carries the root mark. */
function rootOf(rule: BehaviorRule): EventQuery | undefined {
  if (rule.judgement.session.kind !== 'lineage') return undefined;
  const root = rule.marks.find(({ name }) => name === rule.root);
  return root === undefined ? undefined : withinScope(root.query, rule.scope);
}

function matchRule(id: string, query: EventQuery, { eventCategoryField }: Rule): MatchRule {
  return {
    kind: 'match',
    id,
    name: id,
    severity: 'low',
    riskScore: 0,
    threat: [],
    query,
    ...(eventCategoryField === undefined ? {} : { eventCategoryField }),
  };
}
