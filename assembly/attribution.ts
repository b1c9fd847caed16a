/**
 * Predicates whose only use is to witness for behaviour rules, of a process that carries a rule's root mark or descends
 * from one that does. Hardly any process does, so that is asked before anything of the predicate is evaluated.
 */
import { Action, ActionRecord, RuleRecord, WitnessArgument } from "../src/core/abi/state";
import { reserve } from "./memory";

/** For each predicate the marks one of which is needed; 0 where it is evaluated whatever the process. */
let needs: usize = 0;
/** A bit for each predicate that needs a mark. */
let attributed: usize = 0;
let words: u32 = 0;

/** Reads the actions of `count` predicates: those of predicate p are from `starts[p]` to `starts[p + 1]`. */
export function attributionInit(count: u32, starts: usize, actions: usize, rules: usize, ruleCount: u32): void {
  words = (count >> 6) + 1;
  needs = reserve(usize(count) << 3);
  attributed = reserve(usize(words) << 3);
  for (let p: u32 = 0; p < count; p++) {
    const marks = marksNeeded(load<u32>(starts + (usize(p) << 2)), load<u32>(starts + (usize(p) << 2), 4), actions, rules, ruleCount);
    if (marks == 0) continue;
    store<u64>(needs + (usize(p) << 3), marks);
    const word = attributed + (usize(p >> 6) << 3);
    store<u64>(word, load<u64>(word) | (u64(1) << (p & 63)));
  }
}

function marksNeeded(from: u32, end: u32, actions: usize, rules: usize, ruleCount: u32): u64 {
  let marks: u64 = 0;
  for (let i = from; i < end; i++) {
    const action = actions + usize(i) * ActionRecord.Bytes;
    const rule = load<u32>(action + ActionRecord.Rule);
    const isAttributed = load<u32>(action) == Action.Witness && rule < ruleCount &&
      (load<u32>(action + ActionRecord.Argument) & WitnessArgument.Unattributed) == 0;
    if (!isAttributed) return 0;
    marks |= u64(1) << (load<u32>(rules + usize(rule) * RuleRecord.Bytes + RuleRecord.Data) & 63);
  }
  return marks;
}

/** Bits of the predicates of word `word` that need a mark. */
// @ts-ignore: decorator
@inline
export function attributedBits(word: u32): u64 {
  return word < words ? load<u64>(attributed + (usize(word) << 3)) : 0;
}

/** Whether one of the marks that the predicate needs is among `marks`. */
// @ts-ignore: decorator
@inline
export function isNeeded(predicate: u32, marks: u64): bool {
  return (load<u64>(needs + (usize(predicate) << 3)) & marks) != 0;
}
