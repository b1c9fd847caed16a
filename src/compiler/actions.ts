/** Writes the sections that say what each predicate and each rule does. Layouts: `src/core/abi/state.ts`. */
import { type Action, ActionRecord, type RuleFlag, type RuleKind, RuleRecord } from '../core/abi/state.js';

/** What predicate `predicate` does when it is true for a row. */
export interface PredicateAction {
  readonly predicate: number;
  readonly action: Action;
  /** Rule index; 0 where the action serves no single rule. */
  readonly rule: number;
  readonly argument: number;
}

/** One rule of `Section.Rules`, at its rule index. */
export interface RuleEntry {
  readonly kind: RuleKind;
  /** Bits of {@link RuleFlag}. */
  readonly flags: RuleFlag | 0;
  readonly data: number;
}

/** Encodes `Section.Actions`. Actions of one predicate keep the order given. */
export function encodeActions(actions: readonly PredicateAction[], predicateCount: number): Uint8Array {
  const sorted = [...actions].sort((a, b) => a.predicate - b.predicate);
  const startsAt = 4;
  const recordsAt = startsAt + 4 * (predicateCount + 1);
  const view = new DataView(new ArrayBuffer(recordsAt + ActionRecord.Bytes * sorted.length));
  view.setUint32(0, predicateCount, true);
  let next = 0;
  for (let predicate = 0; predicate <= predicateCount; predicate++) {
    while (next < sorted.length && (sorted[next] as PredicateAction).predicate < predicate) next++;
    view.setUint32(startsAt + 4 * predicate, next, true);
  }
  sorted.forEach((entry, index) => {
    const at = recordsAt + ActionRecord.Bytes * index;
    view.setUint32(at + ActionRecord.Kind, entry.action, true);
    view.setUint32(at + ActionRecord.Rule, entry.rule, true);
    view.setUint32(at + ActionRecord.Argument, entry.argument, true);
  });
  return new Uint8Array(view.buffer);
}

/** Encodes `Section.Rules`. */
export function encodeRules(rules: readonly RuleEntry[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + RuleRecord.Bytes * rules.length));
  view.setUint32(0, rules.length, true);
  rules.forEach((rule, index) => {
    const at = 4 + RuleRecord.Bytes * index;
    view.setUint32(at + RuleRecord.Kind, rule.kind, true);
    view.setUint32(at + RuleRecord.Flags, rule.flags, true);
    view.setUint32(at + RuleRecord.Data, rule.data, true);
  });
  return new Uint8Array(view.buffer);
}
