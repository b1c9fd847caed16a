/**
 * Event time. Rows are held until nothing earlier is to come from their host, then judged in (time, tiebreaker, ordinal)
 * order; without lateness they are judged as they come. Rules across hosts see the rows in one order over all hosts,
 * behind the global watermark, through a second heap. See
 * `docs/adr/0004-global-watermark.md`.
 */
import { RowPlace } from "../src/core/abi/snapshot";
import { Config, Host, Loss, LossRule } from "../src/core/abi/state";
import { IngestLimit } from "../src/core/abi/events";
import { configI64, configU32 } from "./config";
import { GLOBAL_HEAP, HOST_HEAP, heapPop, heapPush, holdInit } from "./hold";
import {
  NEVER, hostAddHeld, hostCount, hostFutureLastUs, hostFutureRoot, hostHash, hostHeldCount, hostHeldRoot, hostMaxTimeUs,
  hostOlder, hostRaiseWatermark, hostSetFutureLastUs, hostSetMaxTimeUs, hostSettle, hostWatermarkUs,
} from "./hosts";
import { judge, JUDGE_ALL, JUDGE_EARLY, JUDGE_GLOBAL, JUDGE_HOST } from "./dispatch";
import { TOUCHED_ROWS, lineageTouch } from "./lineage_touch";
import { countLoss } from "./losses";
import { reserve } from "./memory";
import { isRouting, noteClock } from "./routing";
import { chunkSlot, ordinalNext, rowCapacity, rowFree, rowHost, rowOrdinal, rowTimeUs } from "./rows";
import { stateAdvance, stateFlush } from "./stateful";

/** Bits of `RowPlace` for each slot: which heaps a row is in, and whether it was late. */
const IN_HOST: u32 = RowPlace.Host;
const IN_GLOBAL: u32 = RowPlace.Global;
const IS_LATE: u32 = RowPlace.Late;
const IS_FUTURE: u32 = RowPlace.Future;

const FOREVER: i64 = i64.MAX_VALUE >> 9;
/** Hosts looked at for one that holds more than its share of the rows. */
const HOSTS_LOOKED_AT: u32 = 256;

let latenessUs: i64 = 0;
let maxSkipUs: i64 = 0;
let hasGlobal: bool = false;
let hasEarly: bool = false;
/** Time of the rules across hosts before that row. */
export function arrivalClockUs(): i64 {
  return arrivalClock;
}

/** Ordinal of the row whose arrival is being handled. */
let arrival: u64 = 0;
/** The global watermark before it. */
let arrivalClock: i64 = NEVER;
/** Rows that may be held: the store less one chunk for staging. */
let heldLimit: u32 = 0;
let heldRows: u32 = 0;
let states: usize = 0;

let globalRoot: usize = 0;
let globalMaxUs: i64 = NEVER;
let globalWatermark: i64 = NEVER;
/** A time far ahead of all others, and the host that had it. */
let globalFutureUs: i64 = NEVER;
let globalFutureHost: u64 = 0;

let lateRows: u64 = 0;
let futureRows: u64 = 0;
let judgedRows: u64 = 0;

export function applyInit(): void {
  latenessUs = configI64(Config.LatenessUs);
  maxSkipUs = configI64(Config.MaxSkipUs);
  hasGlobal = configU32(Config.HasGlobalRules) != 0;
  hasEarly = configU32(Config.HasEarlyRules) != 0;
  heldLimit = max<u32>(rowCapacity(), IngestLimit.ChunkRows + 64) - IngestLimit.ChunkRows;
  holdInit(hasGlobal ? 2 : 1);
  states = reserve(rowCapacity());
  globalRoot = reserve(16);
}

/** Takes the `n` rows of the chunk. `n` = 0 asks for a held row to be judged early: the row store is full. */
export function applyChunk(n: u32): void {
  if (n == 0) relieve(Host.None);
  for (let i: u32 = 0; i < n; i++) {
    if ((i & (TOUCHED_ROWS - 1)) == 0 && latenessUs == 0) lineageTouch(i, min<u32>(n - i, TOUCHED_ROWS));
    const slot = chunkSlot(i);
    arrival = rowOrdinal(slot);
    arrivalClock = globalWatermark;
    applyRow(slot);
    if (isRouting()) noteClock(arrival, globalWatermark);
  }
}

/** Ordinal of the row whose arrival is being handled: later than that of a row that was held. */
export function arrivalOrdinal(): u64 {
  return arrival;
}

/** Rows below their host's watermark, rows held for a time far ahead, rows judged. */
export function lateRowCount(): f64 {
  return f64(lateRows);
}

export function futureRowCount(): f64 {
  return f64(futureRows);
}

export function judgedRowCount(): f64 {
  return f64(judgedRows);
}

export function heldRowCount(): u32 {
  return heldRows;
}

/** Nothing earlier is to come for rules across hosts. */
export function globalWatermarkUs(): i64 {
  return globalWatermark;
}

/** Whether the row came after its host's watermark. */
export function rowIsLate(slot: u32): bool {
  return (load<u8>(states + slot) & IS_LATE) != 0;
}

// ----------------------------------------------------------------------------------------------- snapshots

export function globalMaxTimeUs(): i64 {
  return globalMaxUs;
}

export function globalFutureTimeUs(): i64 {
  return globalFutureUs;
}

/** Hash of the host that had the far-future time, 0 for none. */
export function globalFutureHostOf(): u64 {
  return globalFutureHost;
}

/** Bits of `RowPlace`. */
export function rowPlace(slot: u32): u32 {
  return load<u8>(states + slot);
}

/** Takes over the times and counts of a snapshot. */
export function restoreTimes(
  late: u64, future: u64, maxUs: i64, watermarkUs: i64, futureUs: i64, futureHost: u64,
): void {
  lateRows = late;
  futureRows = future;
  globalMaxUs = maxUs;
  globalWatermark = watermarkUs;
  globalFutureUs = futureUs;
  globalFutureHost = futureHost;
}

/** Puts a row of a snapshot back where it waited; frees it where it waits nowhere. */
export function placeRow(slot: u32, host: u32, place: u32): bool {
  let state = place & (IN_HOST | IN_GLOBAL | IS_LATE | IS_FUTURE);
  if (!hasGlobal) state &= ~IN_GLOBAL;
  if ((state & IS_FUTURE) != 0) state = IS_FUTURE;
  if ((state & (IN_HOST | IN_GLOBAL | IS_FUTURE)) == 0) {
    rowFree(slot);
    return false;
  }
  store<u8>(states + slot, u8(state));
  addHeld(host);
  if ((state & IS_FUTURE) != 0) heapPush(HOST_HEAP, hostFutureRoot(host), slot);
  if ((state & IN_HOST) != 0) heapPush(HOST_HEAP, hostHeldRoot(host), slot);
  if ((state & IN_GLOBAL) != 0) heapPush(GLOBAL_HEAP, globalRoot, slot);
  return true;
}

// ------------------------------------------------------------------------------------------------ arrival

function applyRow(slot: u32): void {
  const host = rowHost(slot);
  const timeUs = rowTimeUs(slot);
  store<u8>(states + slot, 0);
  hostSettle(host);
  const newest = hostMaxTimeUs(host);
  if (newest != NEVER && timeUs > newest + maxSkipUs) {
    if (!isAgreed(host, timeUs)) {
      holdFuture(slot, host, timeUs);
      return;
    }
    releaseFuture(host, timeUs);
  }
  accept(slot, host, timeUs);
  releaseFuture(host, hostMaxTimeUs(host) + maxSkipUs);
}

/** A second event of the host says the same of time as one that is held. */
function isAgreed(host: u32, timeUs: i64): bool {
  const root = load<u32>(hostFutureRoot(host));
  if (root == 0) return false;
  return distance(rowTimeUs(root - 1), timeUs) <= maxSkipUs || distance(hostFutureLastUs(host), timeUs) <= maxSkipUs;
}

function distance(a: i64, b: i64): i64 {
  return a < b ? b - a : a - b;
}

function holdFuture(slot: u32, host: u32, timeUs: i64): void {
  futureRows++;
  hostSetFutureLastUs(host, timeUs);
  makeRoom(host);
  store<u8>(states + slot, IS_FUTURE);
  heapPush(HOST_HEAP, hostFutureRoot(host), slot);
  addHeld(host);
}

/** Accepts the host's far-future rows up to `untilUs`. */
function releaseFuture(host: u32, untilUs: i64): void {
  const root = hostFutureRoot(host);
  while (load<u32>(root) != 0 && rowTimeUs(load<u32>(root) - 1) <= untilUs) {
    const slot = heapPop(HOST_HEAP, root);
    heldRows--;
    hostAddHeld(host, -1);
    store<u8>(states + slot, 0);
    accept(slot, host, rowTimeUs(slot));
  }
}

/** Takes a row whose time is believed: moves the watermark, then holds or judges it. */
function accept(slot: u32, host: u32, timeUs: i64): void {
  const isLate = timeUs < hostWatermarkUs(host);
  if (isLate) {
    lateRows++;
    countLoss(Loss.Late, LossRule.None, host, 1);
    store<u8>(states + slot, IS_LATE);
  }
  if (timeUs > hostMaxTimeUs(host)) hostSetMaxTimeUs(host, timeUs);
  hostRaiseWatermark(host, timeUs - latenessUs);
  observeGlobal(host, timeUs);
  if (isRouting()) {
    rowFree(slot);
    return;
  }
  if (latenessUs == 0) {
    judgeNow(slot, host, timeUs, JUDGE_ALL);
    rowFree(slot);
    advanceState(host, hostWatermarkUs(host));
    if (hasGlobal) advanceState(Host.None, globalWatermark);
    return;
  }
  if (hasEarly) judge(slot, JUDGE_EARLY);
  hold(slot, host, timeUs, isLate);
  release(host, hostWatermarkUs(host));
  if (hasGlobal) releaseGlobal(globalWatermark);
}

function hold(slot: u32, host: u32, timeUs: i64, isLate: bool): void {
  const isLateGlobal = hasGlobal && timeUs < globalWatermark;
  if (isLateGlobal) countLoss(Loss.LateGlobal, LossRule.None, host, 1);
  makeRoom(host);
  let state: u32 = load<u8>(states + slot);
  if (hasGlobal && !isLateGlobal) state |= IN_GLOBAL;
  if (!isLate) state |= IN_HOST;
  store<u8>(states + slot, u8(state));
  addHeld(host);
  if ((state & IN_GLOBAL) != 0) heapPush(GLOBAL_HEAP, globalRoot, slot);
  if ((state & IN_HOST) != 0) heapPush(HOST_HEAP, hostHeldRoot(host), slot);
  if (isLate) judgeNow(slot, host, timeUs, JUDGE_HOST);
  if (isLateGlobal) judgeNow(slot, host, timeUs, JUDGE_GLOBAL);
  if ((state & (IN_HOST | IN_GLOBAL)) == 0) letGo(slot, host);
}

function addHeld(host: u32): void {
  heldRows++;
  hostAddHeld(host, 1);
}

function letGo(slot: u32, host: u32): void {
  heldRows--;
  hostAddHeld(host, -1);
  rowFree(slot);
}

/** Moves the time of the rules across hosts. One host's clock alone, far ahead of the others, does not. */
function observeGlobal(host: u32, timeUs: i64): void {
  if (timeUs <= globalMaxUs) return;
  if (globalMaxUs != NEVER && timeUs > globalMaxUs + maxSkipUs && hostCount() > u32(Host.Overflow) + 2) {
    const isAgreed = globalFutureHost != hostHash(host) && distance(globalFutureUs, timeUs) <= maxSkipUs;
    if (!isAgreed) {
      globalFutureUs = timeUs;
      globalFutureHost = hostHash(host);
      return;
    }
  }
  globalMaxUs = timeUs;
  globalWatermark = max<i64>(globalWatermark, timeUs - latenessUs);
}

// ---------------------------------------------------------------------------------------------- releasing

/** Judges the host's held rows earlier than `watermarkUs`. One at that very time may yet have company. */
function release(host: u32, watermarkUs: i64): void {
  const root = hostHeldRoot(host);
  while (load<u32>(root) != 0 && rowTimeUs(load<u32>(root) - 1) < watermarkUs) releaseFirst(host);
  advanceState(host, watermarkUs);
}

function releaseFirst(host: u32): void {
  const slot = heapPop(HOST_HEAP, hostHeldRoot(host));
  judgeNow(slot, host, rowTimeUs(slot), JUDGE_HOST);
  leave(slot, host, IN_HOST);
}

function releaseGlobal(watermarkUs: i64): void {
  while (load<u32>(globalRoot) != 0 && rowTimeUs(load<u32>(globalRoot) - 1) < watermarkUs) releaseFirstGlobal();
  advanceState(Host.None, watermarkUs);
}

function releaseFirstGlobal(): void {
  const slot = heapPop(GLOBAL_HEAP, globalRoot);
  judgeNow(slot, rowHost(slot), rowTimeUs(slot), JUDGE_GLOBAL);
  leave(slot, rowHost(slot), IN_GLOBAL);
}

function leave(slot: u32, host: u32, heap: u32): void {
  const state = u32(load<u8>(states + slot)) & ~heap;
  store<u8>(states + slot, u8(state));
  if ((state & (IN_HOST | IN_GLOBAL)) == 0) letGo(slot, host);
}

/** Judges a row after everything that had to happen before its time. */
function judgeNow(slot: u32, host: u32, timeUs: i64, who: u32): void {
  if ((who & JUDGE_HOST) != 0) {
    judgedRows++;
    stateAdvance(host, timeUs);
  }
  if ((who & JUDGE_GLOBAL) != 0 && hasGlobal) stateAdvance(Host.None, timeUs);
  judge(slot, who);
}

function advanceState(host: u32, watermarkUs: i64): void {
  if (watermarkUs > NEVER) stateAdvance(host, watermarkUs);
}

// ----------------------------------------------------------------------------------------------- pressure

/** Keeps one chunk of slots free: judges rows early, from a host that holds more than its share. */
function makeRoom(host: u32): void {
  while (heldRows >= heldLimit && relieve(host)) {}
}

/** Judges the first held row of the noisiest host near, or failing that of all hosts, before its time. */
function relieve(host: u32): bool {
  let noisiest = host;
  let other = hostOlder(0);
  for (let i: u32 = 0; other != 0 && i < HOSTS_LOOKED_AT; i++) {
    if (hostHeldCount(other) > hostHeldCount(noisiest)) noisiest = other;
    other = hostOlder(other);
  }
  const before = heldRows;
  if (load<u32>(hostHeldRoot(noisiest)) != 0) {
    const timeUs = rowTimeUs(load<u32>(hostHeldRoot(noisiest)) - 1);
    countLoss(Loss.RowStore, LossRule.None, noisiest, 1);
    releaseFirst(noisiest);
    hostRaiseWatermark(noisiest, timeUs);
  } else if (load<u32>(hostFutureRoot(noisiest)) != 0) {
    countLoss(Loss.RowStore, LossRule.None, noisiest, 1);
    releaseFuture(noisiest, rowTimeUs(load<u32>(hostFutureRoot(noisiest)) - 1));
  }
  if (heldRows == before && load<u32>(globalRoot) != 0) {
    const slot = load<u32>(globalRoot) - 1;
    countLoss(Loss.RowStore, LossRule.None, rowHost(slot), 1);
    globalWatermark = max<i64>(globalWatermark, rowTimeUs(slot));
    releaseFirstGlobal();
  }
  return heldRows < before || load<u32>(globalRoot) != 0;
}

// ------------------------------------------------------------------------------------------------- the end

/** What follows comes of no row. */
function arriveNothing(): void {
  arrival = ordinalNext();
  arrivalClock = globalWatermark;
}

/** Promises that no host will send anything earlier than `timeUs`. */
export function advanceTo(timeUs: i64): void {
  arriveNothing();
  for (let host: u32 = Host.Overflow; host < hostCount(); host++) {
    releaseFuture(host, timeUs);
    if (timeUs > hostMaxTimeUs(host)) hostSetMaxTimeUs(host, timeUs);
    hostRaiseWatermark(host, timeUs);
    release(host, hostWatermarkUs(host));
  }
  globalMaxUs = max<i64>(globalMaxUs, timeUs);
  globalWatermark = max<i64>(globalWatermark, timeUs);
  if (hasGlobal) releaseGlobal(globalWatermark);
}

/** Ends the stream: judges what is held, lets every deadline ahead fire. */
export function flushAll(): void {
  arriveNothing();
  for (let host: u32 = Host.Overflow; host < hostCount(); host++) {
    releaseFuture(host, FOREVER);
    release(host, FOREVER);
  }
  if (hasGlobal) releaseGlobal(FOREVER);
  stateFlush();
}
