/** Which rules ask about process lineage. */
import type { Rule } from './ir.js';

/** Whether an expression, or anything that holds expressions, has a lineage condition in it. */
export function asksLineage(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ('kind' in value && value.kind === 'lineage') || Object.values(value).some(asksLineage);
}

/** Ids of the rules whose conditions, or those of rules they refer to, ask about lineage. */
export function lineageRules(rules: readonly Rule[]): ReadonlySet<string> {
  const asking = new Set(rules.filter(asksLineage).map(({ id }) => id));
  for (let size = -1; size !== asking.size; ) {
    size = asking.size;
    for (const rule of rules) {
      if (rule.kind === 'temporal' && rule.rules.some(({ id }) => asking.has(id))) asking.add(rule.id);
    }
  }
  return asking;
}
