/** Which rules ask about process lineage. */
import type { Expr, Rule } from './ir.js';
import { visitNodes, visitRule } from './rewrite.js';

/** Whether an expression has a lineage condition in it. */
export function asksLineage(expr: Expr): boolean {
  let isAsking = false;
  visitNodes(expr, ({ kind }) => {
    isAsking ||= kind === 'lineage';
  });
  return isAsking;
}

function ruleAsksLineage(rule: Rule): boolean {
  const piped = (rule.pipes ?? []).flatMap((pipe) => (pipe.kind === 'filter' ? [pipe.condition] : []));
  if (piped.some(asksLineage)) return true;
  if (rule.kind === 'behavior') {
    const queries = [...rule.marks, ...rule.items].map(({ query }) => query);
    return [rule.scope, ...queries.map(({ condition }) => condition)].some(asksLineage);
  }
  let isAsking = false;
  visitRule(rule, ({ kind }) => {
    isAsking ||= kind === 'lineage';
  });
  return isAsking;
}

/** Ids of the rules whose conditions, or those of rules they refer to, ask about lineage. */
export function lineageRules(rules: readonly Rule[]): ReadonlySet<string> {
  const asking = new Set(rules.filter(ruleAsksLineage).map(({ id }) => id));
  for (let size = -1; size !== asking.size; ) {
    size = asking.size;
    for (const rule of rules) {
      if (rule.kind === 'temporal' && rule.rules.some(({ id }) => asking.has(id))) asking.add(rule.id);
    }
  }
  return asking;
}
