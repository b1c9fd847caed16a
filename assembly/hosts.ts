/**
 * The host table: one record a host, found by the hash of its name. Holds what is kept per host: newest time,
 * watermark, roots of its heaps, and counters. Bounded: a host without a place takes that of the host idle longest
 * among those without held rows or rule state; failing that, it is booked on `Host.Overflow`.
 */
import { Config, Host, Loss, LossRule } from "../src/core/abi/state";
import { configU32 } from "./config";
import { coverageForget, coverageInit } from "./coverage";
import { lineageForgetHost } from "./lineage";
import { countLoss } from "./losses";
import { reserve } from "./memory";

/** Longest host name kept for display, in bytes; identity is the hash of the whole name. */
export const HOST_NAME_BYTES: u32 = 116;

export const NEVER: i64 = i64.MIN_VALUE;
/** How many idle hosts are looked at before a new host is booked on the overflow host. */
const EVICTION_STEPS: u32 = 64;

// One record.
const HASH: usize = 0; // u64
const MAX_TIME: usize = 8; // i64, NEVER before the first row
const WATERMARK: usize = 16; // i64: nothing earlier is to come
const FUTURE_LAST: usize = 24; // i64: last far-future time seen
const HELD_ROOT: usize = 32; // u32 slot + 1
const HELD_COUNT: usize = 36; // u32
const FUTURE_ROOT: usize = 40; // u32 slot + 1
const STATE_COUNT: usize = 48; // u32: entries of rule tables that name the host
const PROCESS_COUNT: usize = 52; // u32
const PROCESS_HEAD: usize = 56; // u32 head, u32 tail
const NEWER: usize = 64; // u32: recency list
const OLDER: usize = 68; // u32
const SERIAL: usize = 72; // u32: unique over the life of the kernel
const NAME_LENGTH: usize = 76; // u32, the whole name's length
const STAGED: usize = 80; // u32: rows of the chunk in hand that name the host
const NAME: usize = 84; // HOST_NAME_BYTES
const RECORD: usize = 208; // NAME + HOST_NAME_BYTES + padding readable past the name

let records: usize = 0;
let capacity: u32 = 0;
/** Hosts ever given a record, the two reserved ones included. */
let count: u32 = 0;
let index: usize = 0;
let indexMask: u32 = 0;
let newest: u32 = 0;
let oldest: u32 = 0;
/** No host that was active longer ago holds processes. */
let idlest: u32 = 0;
let serials: u32 = 0;

function at(host: u32): usize {
  return records + usize(host) * RECORD;
}

export function hostsInit(): void {
  capacity = max<u32>(configU32(Config.HostCapacity), 2) + 2;
  records = reserve(usize(capacity) * RECORD);
  let slots: u32 = 8;
  while (slots < capacity * 2) slots <<= 1;
  index = reserve(usize(slots) * 4);
  indexMask = slots - 1;
  coverageInit(capacity);
  reset(Host.None, 0);
  reset(Host.Overflow, 1);
  count = 2;
}

/** Number of host records in use or once used; hosts are `1 .. hostCount() - 1`. */
export function hostCount(): u32 {
  return count;
}

/**
 * The record of the host with this name, created if need be, for a row that is being staged; `hostSettle` ends that.
 * `hash` is the text's hash, never 0.
 */
export function hostIntern(hash: u64, ptr: usize, length: u32): u32 {
  let i = u32(hash) & indexMask;
  let host = load<u32>(index + (usize(i) << 2));
  while (host != 0) {
    if (load<u64>(at(host) + HASH) == hash) return stage(host);
    i = (i + 1) & indexMask;
    host = load<u32>(index + (usize(i) << 2));
  }
  host = count < capacity ? count++ : evictIdle();
  if (host == 0) {
    countLoss(Loss.HostTable, LossRule.None, Host.Overflow, 1);
    return Host.Overflow;
  }
  reset(host, hash);
  const kept = min<u32>(length, HOST_NAME_BYTES);
  memory.copy(at(host) + NAME, ptr, kept);
  store<u32>(at(host) + NAME_LENGTH, length);
  insertIndex(host);
  linkNewest(host);
  return stage(host);
}

/** Loads the index slot of a host's hash, so that {@link hostIntern} finds it in the cache. Returns a record that may be its. */
export function hostTouchHash(hash: u64): u32 {
  return load<u32>(index + (usize(u32(hash) & indexMask) << 2));
}

/** Loads the parts of the record that every row uses. */
export function hostTouchRecord(host: u32): u64 {
  const record = at(host);
  return load<u64>(record) + load<u64>(record + HELD_ROOT) + load<u64>(record + OLDER);
}

function stage(host: u32): u32 {
  store<u32>(at(host) + STAGED, load<u32>(at(host) + STAGED) + 1);
  return host;
}

/** The staged row of the host has been applied. Marks the host as the most recently active. */
export function hostSettle(host: u32): void {
  const staged = load<u32>(at(host) + STAGED);
  if (staged != 0) store<u32>(at(host) + STAGED, staged - 1);
  if (host == newest || host <= u32(Host.Overflow)) return;
  unlink(host);
  linkNewest(host);
}

function reset(host: u32, hash: u64): void {
  const record = at(host);
  coverageForget(host);
  memory.fill(record, 0, RECORD);
  store<u64>(record + HASH, hash);
  store<i64>(record + MAX_TIME, NEVER);
  store<i64>(record + WATERMARK, NEVER);
  store<i64>(record + FUTURE_LAST, NEVER);
  store<u32>(record + SERIAL, serials++);
}

/** Frees the record of the host idle longest that holds no rows and no rule state; 0 when there is none near. */
function evictIdle(): u32 {
  let host = oldest;
  for (let steps: u32 = 0; host != 0 && steps < EVICTION_STEPS; steps++) {
    const record = at(host);
    const isBusy =
      load<u32>(record + HELD_ROOT) |
      load<u32>(record + FUTURE_ROOT) |
      load<u32>(record + STATE_COUNT) |
      load<u32>(record + STAGED);
    if (isBusy == 0) {
      if (load<u32>(record + PROCESS_COUNT) != 0) {
        countLoss(Loss.HostEvicted, LossRule.None, host, load<u32>(record + PROCESS_COUNT));
        lineageForgetHost(host);
      }
      removeIndex(host);
      unlink(host);
      return host;
    }
    host = load<u32>(record + NEWER);
  }
  return 0;
}

function insertIndex(host: u32): void {
  let i = u32(load<u64>(at(host) + HASH)) & indexMask;
  while (load<u32>(index + (usize(i) << 2)) != 0) i = (i + 1) & indexMask;
  store<u32>(index + (usize(i) << 2), host);
}

/** Removes by shifting back what probed past the hole, so that no tombstones gather. */
function removeIndex(host: u32): void {
  let hole = u32(load<u64>(at(host) + HASH)) & indexMask;
  while (load<u32>(index + (usize(hole) << 2)) != host) hole = (hole + 1) & indexMask;
  let i = hole;
  while (true) {
    i = (i + 1) & indexMask;
    const other = load<u32>(index + (usize(i) << 2));
    if (other == 0) break;
    const home = u32(load<u64>(at(other) + HASH)) & indexMask;
    if (((i - home) & indexMask) >= ((i - hole) & indexMask)) {
      store<u32>(index + (usize(hole) << 2), other);
      hole = i;
    }
  }
  store<u32>(index + (usize(hole) << 2), 0);
}

function linkNewest(host: u32): void {
  store<u32>(at(host) + NEWER, 0);
  store<u32>(at(host) + OLDER, newest);
  if (newest != 0) store<u32>(at(newest) + NEWER, host);
  newest = host;
  if (oldest == 0) oldest = host;
  if (idlest == 0) idlest = host;
}

function unlink(host: u32): void {
  const newer = load<u32>(at(host) + NEWER);
  const older = load<u32>(at(host) + OLDER);
  if (host == idlest) idlest = newer;
  if (newer != 0) store<u32>(at(newer) + OLDER, older);
  else newest = older;
  if (older != 0) store<u32>(at(older) + NEWER, newer);
  else oldest = newer;
}

/** The host before `host` in order of activity, 0 at the end. `Host.None` starts at the most recent. */
export function hostOlder(host: u32): u32 {
  return host == 0 ? newest : load<u32>(at(host) + OLDER);
}

export function hostHash(host: u32): u64 {
  return load<u64>(at(host) + HASH);
}

/** Unique over the life of the kernel: tells a record's host from the one that held the record before. */
export function hostSerial(host: u32): u32 {
  return load<u32>(at(host) + SERIAL);
}

export function hostNamePtr(host: u32): usize {
  return at(host) + NAME;
}

export function hostNameLength(host: u32): u32 {
  return min<u32>(load<u32>(at(host) + NAME_LENGTH), HOST_NAME_BYTES);
}

/** Newest time of the host in microseconds, `NEVER` before its first row. */
export function hostMaxTimeUs(host: u32): i64 {
  return load<i64>(at(host) + MAX_TIME);
}

export function hostSetMaxTimeUs(host: u32, timeUs: i64): void {
  store<i64>(at(host) + MAX_TIME, timeUs);
}

/** Nothing earlier than this is to come from the host. */
export function hostWatermarkUs(host: u32): i64 {
  return load<i64>(at(host) + WATERMARK);
}

/** Sets the times of a restored host. */
export function hostRestore(host: u32, maxTimeUs: i64, watermarkUs: i64, futureLastUs: i64): void {
  store<i64>(at(host) + MAX_TIME, maxTimeUs);
  store<i64>(at(host) + WATERMARK, watermarkUs);
  store<i64>(at(host) + FUTURE_LAST, futureLastUs);
}

/** Raises the watermark; it never falls. */
export function hostRaiseWatermark(host: u32, timeUs: i64): void {
  if (timeUs > load<i64>(at(host) + WATERMARK)) store<i64>(at(host) + WATERMARK, timeUs);
}

export function hostFutureLastUs(host: u32): i64 {
  return load<i64>(at(host) + FUTURE_LAST);
}

export function hostSetFutureLastUs(host: u32, timeUs: i64): void {
  store<i64>(at(host) + FUTURE_LAST, timeUs);
}

/** Address of the root of the host's heap of held rows (slot + 1). */
export function hostHeldRoot(host: u32): usize {
  return at(host) + HELD_ROOT;
}

/** Address of the root of the host's heap of far-future rows (slot + 1). */
export function hostFutureRoot(host: u32): usize {
  return at(host) + FUTURE_ROOT;
}

export function hostHeldCount(host: u32): u32 {
  return load<u32>(at(host) + HELD_COUNT);
}

export function hostAddHeld(host: u32, n: i32): void {
  store<u32>(at(host) + HELD_COUNT, load<u32>(at(host) + HELD_COUNT) + n);
}

/** A rule table made an entry that names the host: its record stays. */
export function hostRetain(host: u32): void {
  store<u32>(at(host) + STATE_COUNT, load<u32>(at(host) + STATE_COUNT) + 1);
}

/** The entry is gone. */
export function hostRelease(host: u32): void {
  const n = load<u32>(at(host) + STATE_COUNT);
  if (n != 0) store<u32>(at(host) + STATE_COUNT, n - 1);
}

/** Entries of rule tables that name the host: how noisy it is. */
export function hostStateCount(host: u32): u32 {
  return load<u32>(at(host) + STATE_COUNT);
}

export function hostProcessCount(host: u32): u32 {
  return load<u32>(at(host) + PROCESS_COUNT);
}

export function hostAddProcess(host: u32, n: i32): void {
  store<u32>(at(host) + PROCESS_COUNT, load<u32>(at(host) + PROCESS_COUNT) + n);
}

/** The host with processes that was active the longest ago; 0 where none is found, and the next call looks at all again. */
export function hostIdlest(): u32 {
  while (idlest != 0 && load<u32>(at(idlest) + PROCESS_COUNT) == 0) idlest = load<u32>(at(idlest) + NEWER);
  const found = idlest;
  // Rows that were held may have given processes to hosts that were passed by.
  if (found == 0) idlest = oldest;
  return found;
}

/** Address of the head of the host's queue of processes, oldest first; the tail is 4 bytes on. */
export function hostProcessQueue(host: u32): usize {
  return at(host) + PROCESS_HEAD;
}
