/**
 * The different combinations of a row's group key, in a place of their own: judging a rule evaluates further keys.
 */
import { Absent } from "../src/core/abi/stateful";
import { KeyValue } from "../src/core/abi/predicates";
import { Loss } from "../src/core/abi/state";
import { keyAt, keyDropped, keyEvaluate } from "./keys";
import { countLoss } from "./losses";
import { reserve } from "./memory";
import { rowHost } from "./rows";

/** The key of a rule without one. */
export const NO_KEY: u64 = 1;

let keys: usize = 0;
let count: u32 = 0;

export function groupKeysInit(): void {
  keys = reserve(usize(KeyValue.CombinationsMax) << 3);
}

/** Evaluates a key; returns how many different combinations it has, 0 when the row does not join. */
export function groupKeys(key: u32, slot: u32, rule: u32): u32 {
  if (key == Absent.Id) {
    store<u64>(keys, NO_KEY);
    return 1;
  }
  const combinations = keyEvaluate(key, slot);
  if (keyDropped != 0) countLoss(Loss.KeyCombinations, rule, rowHost(slot), keyDropped);
  count = 0;
  for (let i: u32 = 0; i < combinations; i++) append(keyAt(i));
  return count;
}

/** Combination `i` of the key evaluated last; never 0. */
// @ts-ignore: decorator
@inline
export function groupKey(i: u32): u64 {
  return load<u64>(keys + (usize(i) << 3));
}

function append(key: u64): void {
  for (let i: u32 = 0; i < count; i++) if (groupKey(i) == key) return;
  store<u64>(keys + (usize(count++) << 3), key);
}
