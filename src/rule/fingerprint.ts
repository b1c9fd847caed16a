/**
 * Fingerprints of rules: equal for rules that keep the same state for the same events. A snapshot restores the state of
 * a rule whose fingerprint is unchanged; names, texts, severities and references do not matter to it.
 */
import { hash128Hex } from '../core/hash.js';
import type { Rule, RuleBase } from './ir.js';
import { canonical } from './print.js';

/** Members that no state depends on. */
const incidental: Readonly<Record<Exclude<keyof RuleBase, 'id' | StateMember>, true>> = {
  name: true,
  description: true,
  severity: true,
  riskScore: true,
  threat: true,
  tags: true,
  references: true,
  maxSignals: true,
  overrides: true,
  buildingBlock: true,
  source: true,
};
type StateMember = 'suppression' | 'eventCategoryField' | 'timestampField' | 'tiebreakerField' | 'pipes';

/** The fingerprint of a rule: 32 hexadecimal digits, the same in every release that keeps the same state for it. */
export function ruleFingerprint(rule: Rule): string {
  const members = Object.entries(rule).filter(([name]) => !(name in incidental));
  return hash128Hex(JSON.stringify(canonical(Object.fromEntries(members))));
}

/** The fingerprint of a rule set; the order of its rules does not matter. */
export function ruleSetFingerprint(rules: readonly Rule[]): string {
  return hash128Hex(rules.map(ruleFingerprint).sort().join());
}
