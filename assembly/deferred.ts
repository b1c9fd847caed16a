/**
 * Actions of rules across hosts whose conditions ask about lineage. A row's lineage is known when its host's turn to
 * judge it comes; the rule's turn is behind the global watermark. What the first found true waits here for the second.
 */
import { RuleFlag, RuleRecord } from "../src/core/abi/state";
import { reserve } from "./memory";
import { rowCapacity } from "./rows";

// One action: u32 next, u32 action, u32 rule, u32 argument.
const ENTRY: usize = 16;

/** First action of each row slot; 0 for none. */
let heads: usize = 0;
let entries: usize = 0;
let capacity: u32 = 0;
let made: u32 = 1;
let free: u32 = 0;

/** Reserves room where some rule of `count` at `rules` needs it. */
export function deferredInit(rules: usize, count: u32): void {
  const both: u32 = RuleFlag.Global | RuleFlag.Lineage;
  for (let rule: u32 = 0; rule < count && capacity == 0; rule++) {
    const flags = load<u32>(rules + usize(rule) * RuleRecord.Bytes + RuleRecord.Flags);
    if ((flags & both) == both) capacity = rowCapacity() + 1;
  }
  if (capacity == 0) return;
  heads = reserve(usize(rowCapacity()) << 2);
  entries = reserve(usize(capacity) * ENTRY);
}

function at(entry: u32): usize {
  return entries + usize(entry) * ENTRY;
}

/** Keeps an action for the row's second turn; false when there is no room. */
export function defer(slot: u32, action: u32, rule: u32, argument: u32): bool {
  let entry = free;
  if (entry != 0) free = load<u32>(at(entry));
  else if (made < capacity) entry = made++;
  else return false;
  const head = heads + (usize(slot) << 2);
  store<u32>(at(entry), load<u32>(head));
  store<u32>(at(entry), action, 4);
  store<u32>(at(entry), rule, 8);
  store<u32>(at(entry), argument, 12);
  store<u32>(head, entry);
  return true;
}

/** The row's first action, 0 for none. */
export function deferredFirst(slot: u32): u32 {
  return capacity == 0 ? 0 : load<u32>(heads + (usize(slot) << 2));
}

export function deferredNext(entry: u32): u32 {
  return load<u32>(at(entry));
}

export function deferredAction(entry: u32): u32 {
  return load<u32>(at(entry), 4);
}

export function deferredRule(entry: u32): u32 {
  return load<u32>(at(entry), 8);
}

export function deferredArgument(entry: u32): u32 {
  return load<u32>(at(entry), 12);
}

/** Forgets the row's actions. */
export function deferredClear(slot: u32): void {
  let entry = deferredFirst(slot);
  if (entry == 0) return;
  store<u32>(heads + (usize(slot) << 2), 0);
  while (entry != 0) {
    const next = load<u32>(at(entry));
    store<u32>(at(entry), free);
    free = entry;
    entry = next;
  }
}
