/**
 * Counts of everything lost, by (reason, rule, host). Bounded: when the table is full a loss is booked on its reason
 * alone, so no loss is ever dropped from the totals.
 */
import { Config, Loss, LossRule } from "../src/core/abi/state";
import { configU32 } from "./config";
import { hostSerial } from "./hosts";
import { reserve } from "./memory";

// One slot: u32 reason, u32 rule, u32 host, u32 host serial, u64 count. A free slot has reason 0.
const SLOT: usize = 24;

let table: usize = 0;
let mask: u32 = 0;
let used: u32 = 0;
let limit: u32 = 0;

export function lossesInit(): void {
  let slots: u32 = 64;
  while (slots < configU32(Config.LossCapacity)) slots <<= 1;
  table = reserve(usize(slots) * SLOT);
  mask = slots - 1;
  used = 0;
  // The rest is kept for one slot a reason, which is what overflow is booked on.
  limit = slots - (slots >> 2) - Loss.Count;
}

/** Books `n` losses for `reason` on a rule (or `LossRule.None`) and a host (or `Host.None`). */
export function countLoss(reason: u32, rule: u32, host: u32, n: u32): void {
  let at = find(reason, rule, host, hostSerial(host));
  if (load<u32>(at) == 0 && used >= limit) at = find(reason, LossRule.None, 0, 0);
  if (load<u32>(at) == 0) {
    store<u32>(at, reason);
    used++;
  }
  store<u64>(at, load<u64>(at, 16) + n, 16);
}

/** The slot of the key, or the free slot where it belongs, its key fields already written. */
function find(reason: u32, rule: u32, host: u32, serial: u32): usize {
  let index = (reason * 0x9e3779b1) ^ (rule * 0x85ebca6b) ^ (serial * 0xc2b2ae35);
  index = (index ^ (index >> 15)) & mask;
  let at = table + usize(index) * SLOT;
  while (load<u32>(at) != 0) {
    if (load<u32>(at) == reason && load<u32>(at, 4) == rule && load<u32>(at, 12) == serial) return at;
    index = (index + 1) & mask;
    at = table + usize(index) * SLOT;
  }
  store<u32>(at, rule, 4);
  store<u32>(at, host, 8);
  store<u32>(at, serial, 12);
  return at;
}

/** Number of slots to read with the functions below. A slot whose reason is 0 is free. */
export function lossSlots(): u32 {
  return mask + 1;
}

/** Address of loss slot `i`: u32 reason, u32 rule, u32 host, u32 host serial, u64 count. */
export function lossAt(i: u32): usize {
  return table + usize(i & mask) * SLOT;
}
