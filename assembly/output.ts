/**
 * The output buffer: alert and witness records, written here and drained by the host. Layouts: `abi/state.ts`. When a
 * record does not fit what is left, the host drains first.
 */
import { AlertRecord, Config, Loss, Output } from "../src/core/abi/state";
import { arrivalClockUs, arrivalOrdinal } from "./apply";
import { configU32 } from "./config";
import { evidenceEntryBytes, evidenceNext, evidenceWriteEntry } from "./evidence";
import { evidenceRowBytes, evidenceWriteRow } from "./evidence_row";
import { countLoss } from "./losses";
import { reserve } from "./memory";
import { rowHost, rowTimeUs } from "./rows";

/** The host reads the buffer from `outputPtr()`, `outputBytes()` bytes, and returns; it calls nothing meanwhile. */
@external("env", "drain")
declare function drain(): void;

let buffer: usize = 0;
let capacity: u32 = 0;
let used: u32 = 0;
/** Evidence links of the alert being written, newest first. */
let links: usize = 0;
const LINKS_MAX: u32 = 1024;

export function outputInit(): void {
  capacity = max<u32>(configU32(Config.OutputBytes), 128 * 1024) & ~7;
  buffer = reserve(capacity);
  links = reserve(usize(LINKS_MAX) * 4);
  used = 0;
}

export function outputPtr(): usize {
  return buffer;
}

export function outputBytes(): u32 {
  return used;
}

/** Empties the buffer; called by the host when it has read it. */
export function outputClear(): void {
  used = 0;
}

/** Room for a record of `bytes`, 8-aligned, zeroed header to be written by the caller; 0 when it can never fit. */
export function outputRoom(bytes: u32): usize {
  if (bytes > capacity) return 0;
  if (used + bytes > capacity) {
    drain();
    used = 0;
  }
  return buffer + used;
}

/** Ends records of `bytes` bytes that were written whole where `outputRoom` made room. */
export function outputAppend(bytes: u32): void {
  used += bytes;
}

/** The buffer itself, for what must not outlast the call: nothing is published meanwhile. 0 where it is too small. */
export function outputBorrow(bytes: u32): usize {
  if (used != 0 || bytes > capacity) return 0;
  memory.fill(buffer, 0, bytes);
  return buffer;
}

/** Ends the record that `outputRoom` made room for. */
export function outputCommit(at: usize, kind: u32, bytes: u32): void {
  store<u32>(at, kind);
  store<u32>(at, bytes, 4);
  used += bytes;
}

/**
 * Publishes an alert of `rule`. `chain` is newest first, written oldest first, and stays the caller's. `value` is what
 * the rule's kind defines, such as the aggregate; 0 otherwise. `host` is `Host.None` for a rule across hosts. `flags` are
 * bits of `AlertFlag`.
 */
export function emitAlert(
  rule: u32, host: u32, timeUs: i64, chain: u32, keyHash: u64, value: f64, flags: u32 = 0,
): void {
  let count: u32 = 0;
  let total: u32 = AlertRecord.Header;
  for (let link = chain; link != 0 && count < LINKS_MAX; link = evidenceNext(link)) {
    store<u32>(links + (usize(count++) << 2), link);
    total += evidenceEntryBytes(link, true);
  }
  const isWhole = total <= capacity;
  if (!isWhole) {
    countLoss(Loss.Output, rule, host, 1);
    total = AlertRecord.Header;
    for (let i: u32 = 0; i < count; i++) total += evidenceEntryBytes(load<u32>(links + (usize(i) << 2)), false);
  }
  const at = outputRoom(total);
  if (at == 0) return;
  store<u32>(at + AlertRecord.Rule, rule);
  store<u32>(at + AlertRecord.Host, host);
  store<i64>(at + AlertRecord.TimeUs, timeUs);
  store<u64>(at + AlertRecord.KeyHash, keyHash);
  store<f64>(at + AlertRecord.Value, value);
  writeArrival(at);
  store<u32>(at + AlertRecord.EvidenceCount, count);
  store<u32>(at + AlertRecord.Flags, flags);
  let to = at + AlertRecord.Header;
  for (let i = count; i > 0; i--) to += evidenceWriteEntry(load<u32>(links + (usize(i - 1) << 2)), to, isWhole);
  outputCommit(at, Output.Alert, total);
}

/** Publishes an alert of `rule` on one row, without passing through the evidence pool. */
export function emitRowAlert(rule: u32, slot: u32): void {
  const total = AlertRecord.Header + evidenceRowBytes(slot);
  const at = outputRoom(total);
  if (at == 0) return;
  store<u32>(at + AlertRecord.Rule, rule);
  store<u32>(at + AlertRecord.Host, rowHost(slot));
  store<i64>(at + AlertRecord.TimeUs, rowTimeUs(slot));
  store<u64>(at + AlertRecord.KeyHash, 0);
  store<f64>(at + AlertRecord.Value, 0);
  writeArrival(at);
  store<u32>(at + AlertRecord.EvidenceCount, 1);
  store<u32>(at + AlertRecord.Flags, 0);
  evidenceWriteRow(slot, 0, at + AlertRecord.Header);
  outputCommit(at, Output.Alert, total);
}

function writeArrival(at: usize): void {
  store<u64>(at + AlertRecord.Arrival, arrivalOrdinal());
  store<i64>(at + AlertRecord.ClockUs, arrivalClockUs());
}
