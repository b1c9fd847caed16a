/**
 * Processes as a bounded table: at most 64 bytes an incarnation, its places in both indexes and its share of the sets of
 * marks included. A host at its cap drops its idlest record; a full table one of a host that is gone, else one of a host
 * that holds much. Counted, unless retention was over.
 */
import { Config, Loss, LossRule, ProcessFlag } from "../src/core/abi/state";
import { configU32 } from "./config";
import { hostAddProcess, hostIdlest, hostMaxTimeUs, hostOlder, hostProcessCount, hostProcessQueue } from "./hosts";
import { imagesRelease } from "./images";
import { countLoss } from "./losses";
import { markSetsInit } from "./mark_sets";
import { reservedBytes } from "./memory";
import { processIndexHoles, processIndexInit, processIndexKey, processUnindex } from "./process_index";
import {
  processFlags, processHost, processIdleTicks, processImages, processNext, processOrphan, processRecordClear,
  processRecordFill, processRecordsHoles, processRecordsInit, processSetNext, processStorePid, processUnlink,
} from "./process_records";

/** Idle records looked at when one must go. */
const SAMPLES: u32 = 8;
/** Hosts looked at for one that holds more than its share. */
const HOSTS_LOOKED_AT: u32 = 64;
/** A host without events for so long makes room for others before they must for each other. */
const GONE_US: i64 = 3600000000;

let capacity: u32 = 0;
let made: u32 = 1;
let free: u32 = 0;
let used: u32 = 0;
let perHost: u32 = 0;
let bytes: u32 = 0;
let exitedTicks: u32 = 0;
let liveTicks: u32 = 0;

/** Records that must not be dropped while a row is observed. */
let pinned: u32 = 0;
let pinnedToo: u32 = 0;

export function processTableInit(): void {
  capacity = configU32(Config.ProcessCapacity);
  if (capacity == 0) return;
  const before = reservedBytes();
  markSetsInit(capacity, configU32(Config.HostCapacity) + 4);
  capacity++;
  processRecordsInit(capacity);
  processIndexInit(capacity);
  perHost = max<u32>(configU32(Config.ProcessesPerHost), 16);
  exitedTicks = configU32(Config.ExitedRetentionSeconds) >> 1;
  liveTicks = min<u32>(configU32(Config.LiveRetentionSeconds) >> 1, 0x7000);
  made = 1;
  free = 0;
  used = 0;
  bytes = u32(reservedBytes() - before);
}

/** What copies of the kernel can do without. */
export function processHoles(): void {
  if (capacity == 0) return;
  processRecordsHoles(made, capacity);
  processIndexHoles();
}

/** Process records that can be held; 0 when lineage is off. */
export function processCapacity(): u32 {
  return capacity;
}

export function processCount(): u32 {
  return used;
}

/** Bytes that the table takes, its indexes and the sets of marks included. */
export function processTableBytes(): u32 {
  return bytes;
}

// ----------------------------------------------------------------------------------------------- lifetime

/** Keeps `p` and `q` from being dropped until the next call. */
export function processPin(p: u32, q: u32): void {
  pinned = p;
  pinnedToo = q;
}

/** A new record, already indexed by key; 0 when none could be freed. The pid index is left to the caller. */
export function processCreate(key: u64, host: u32, pid: u32, timeUs: i64, flags: u32): u32 {
  expire(host, timeUs);
  if (hostProcessCount(host) >= perHost) evictFrom(host, timeUs);
  let p = take();
  if (p == 0) {
    evictFrom(whoGives(host, timeUs), timeUs);
    p = take();
  }
  if (p == 0) {
    countLoss(Loss.Process, LossRule.None, host, 1);
    return 0;
  }
  fill(p, key, host, pid, timeUs, flags);
  return p;
}

/** A record of a snapshot, at the end of its host's queue; 0 when there is no room, counted. Nothing gives way. */
export function processRestore(key: u64, host: u32, pid: u32, timeUs: i64): u32 {
  const p = take();
  if (p == 0) countLoss(Loss.Process, LossRule.None, host, 1);
  else fill(p, key, host, pid, timeUs, 0);
  return p;
}

function fill(p: u32, key: u64, host: u32, pid: u32, timeUs: i64, flags: u32): void {
  processRecordFill(p, key, host, timeUs, flags);
  processStorePid(p, pid);
  processIndexKey(p);
  enqueue(host, p);
  hostAddProcess(host, 1);
}

function take(): u32 {
  let p = free;
  if (p != 0) free = processNext(p);
  else if (made < capacity) p = made++;
  if (p != 0) used++;
  return p;
}

function enqueue(host: u32, p: u32): void {
  const queue = hostProcessQueue(host);
  processSetNext(p, 0);
  const tail = load<u32>(queue, 4);
  if (tail != 0) processSetNext(tail, p);
  else store<u32>(queue, p);
  store<u32>(queue, p, 4);
}

function dequeue(host: u32): u32 {
  const queue = hostProcessQueue(host);
  const p = load<u32>(queue);
  if (p == 0) return 0;
  const next = processNext(p);
  store<u32>(queue, next);
  if (next == 0) store<u32>(queue, 0, 4);
  return p;
}

/** Drops what retention has let go among the next two of the host's queue. */
function expire(host: u32, timeUs: i64): void {
  for (let i = 0; i < 2; i++) {
    const p = dequeue(host);
    if (p == 0) return;
    const ticks = (processFlags(p) & ProcessFlag.Exited) != 0 ? exitedTicks : liveTicks;
    if (processIdleTicks(p, timeUs) > ticks && p != pinned && p != pinnedToo) drop(p);
    else enqueue(host, p);
  }
}

/** Drops the idlest of a few of the host's records, exited ones first. */
function evictFrom(host: u32, timeUs: i64): void {
  let best: u32 = 0;
  let bestScore: u32 = 0;
  const n = min<u32>(SAMPLES, hostProcessCount(host));
  for (let i: u32 = 0; i < n; i++) {
    const p = dequeue(host);
    if (p == 0) break;
    const score = processIdleTicks(p, timeUs) + ((processFlags(p) & ProcessFlag.Exited) != 0 ? 0x10000 : 1);
    if (p == pinned || p == pinnedToo || score <= bestScore) {
      enqueue(host, p);
      continue;
    }
    if (best != 0) enqueue(host, best);
    best = p;
    bestScore = score;
  }
  if (best == 0) return;
  // What retention would have let go, had its host been active, is no loss.
  if (processIdleTicks(best, timeUs) <= liveTicks) countLoss(Loss.Process, LossRule.None, host, 1);
  drop(best);
}

/** The host that makes room for `host`: one that is gone, unless this one floods; then one that holds much. */
function whoGives(host: u32, timeUs: i64): u32 {
  const idlest = hostIdlest();
  const isGone = idlest != 0 && idlest != host && timeUs - hostMaxTimeUs(idlest) >= GONE_US;
  return isGone && hostProcessCount(host) < capacity >> 2 ? idlest : noisiest(host);
}

/** A host that holds at least its share of the records: this one if it does, else one of the recently active. */
function noisiest(host: u32): u32 {
  let best = host;
  let other: u32 = hostOlder(0);
  for (let i: u32 = 0; other != 0 && i < HOSTS_LOOKED_AT; i++) {
    if (hostProcessCount(other) > hostProcessCount(best)) best = other;
    other = hostOlder(other);
  }
  return best;
}

/** Frees a record that is in no queue. Its children lose their link to it, which is marked. */
function drop(p: u32): void {
  processUnindex(p);
  processUnlink(p);
  processOrphan(p);
  imagesRelease(processImages(p));
  hostAddProcess(processHost(p), -1);
  processRecordClear(p);
  processSetNext(p, free);
  free = p;
  used--;
}

/** Drops every record of a host. */
export function processForgetHost(host: u32): void {
  let p = dequeue(host);
  while (p != 0) {
    drop(p);
    p = dequeue(host);
  }
}

/** First of the host's records in queue order; the next by `processNext`. */
export function processQueueFirst(host: u32): u32 {
  return load<u32>(hostProcessQueue(host));
}
