/**
 * Process records: one 64-byte slot an incarnation, found by key or by (host, pid), linked to parent and children.
 * Bounded: a host at its cap drops its idlest record; a full table one of a host that is gone, else one of a host that
 * holds much. Counted, unless retention was over.
 *
 *   0 key u64 | 8 own marks u64 | 16 inherited marks u64 | 24 start us << 8, flags u8 (i64) | 32 pid u32 | 36 parent u32
 *   40 first child u32 | 44 next sibling u32 | 48 previous sibling u32 | 52 queue next u32 | 56 images u32
 *   60 host u16 | 62 last activity u16, in ticks of two seconds
 */
import { Config, Loss, LossRule, ProcessFlag } from "../src/core/abi/state";
import { configU32 } from "./config";
import { hostAddProcess, hostIdlest, hostMaxTimeUs, hostOlder, hostProcessCount, hostProcessQueue } from "./hosts";
import { imagesRelease } from "./images";
import { pidKey } from "./lineage_keys";
import { countLoss } from "./losses";
import { hole, reserve } from "./memory";

const SLOT_LOG2: usize = 6;
const TICK_US: i64 = 2000000;
/** Idle records looked at when one must go. */
const SAMPLES: u32 = 8;
/** Hosts looked at for one that holds more than its share. */
const HOSTS_LOOKED_AT: u32 = 64;
/** A host without events for so long makes room for others before they must for each other. */
const GONE_US: i64 = 3600000000;

let slots: usize = 0;
let capacity: u32 = 0;
let made: u32 = 1;
let free: u32 = 0;
let used: u32 = 0;
let perHost: u32 = 0;
let exitedTicks: u32 = 0;
let liveTicks: u32 = 0;

// Two indexes, by key and by (host, pid) of the latest incarnation: hash in the high half, record in the low. The hash
// tells others apart without a look at their records, which are rarely in the cache.
let byKey: usize = 0;
let byPid: usize = 0;
let mask: u32 = 0;

/** Records that must not be dropped while a row is observed. */
let pinned: u32 = 0;
let pinnedToo: u32 = 0;

function at(p: u32): usize {
  return slots + (usize(p) << SLOT_LOG2);
}

export function processTableInit(): void {
  capacity = configU32(Config.ProcessCapacity);
  if (capacity == 0) return;
  capacity++;
  slots = reserve(usize(capacity) << SLOT_LOG2);
  let places: u32 = 16;
  while (places < capacity + (capacity >> 1)) places <<= 1;
  byKey = reserve(usize(places) << 3);
  byPid = reserve(usize(places) << 3);
  mask = places - 1;
  perHost = max<u32>(configU32(Config.ProcessesPerHost), 16);
  exitedTicks = configU32(Config.ExitedRetentionSeconds) >> 1;
  liveTicks = min<u32>(configU32(Config.LiveRetentionSeconds) >> 1, 0x7000);
  made = 1;
  free = 0;
  used = 0;
}

/** What copies of the kernel can do without. */
export function processHoles(): void {
  if (capacity == 0) return;
  hole(at(made), at(capacity));
  hole(byKey, placeAt(byKey, mask + 1));
  hole(byPid, placeAt(byPid, mask + 1));
}

/** Process records that can be held; 0 when lineage is off. */
export function processCapacity(): u32 {
  return capacity;
}

export function processCount(): u32 {
  return used;
}

// ------------------------------------------------------------------------------------------------- fields

export function processKey(p: u32): u64 {
  return load<u64>(at(p));
}

export function processOwn(p: u32): u64 {
  return load<u64>(at(p), 8);
}

export function processSetOwn(p: u32, marks: u64): void {
  store<u64>(at(p), marks, 8);
}

export function processInherited(p: u32): u64 {
  return load<u64>(at(p), 16);
}

export function processSetInherited(p: u32, marks: u64): void {
  store<u64>(at(p), marks, 16);
}

/** When the process was first seen, in microseconds. */
export function processStartUs(p: u32): i64 {
  return load<i64>(at(p), 24) >> 8;
}

export function processSetStartUs(p: u32, timeUs: i64): void {
  store<i64>(at(p), (timeUs << 8) | (load<i64>(at(p), 24) & 0xff), 24);
}

/** Bits of `ProcessFlag`. */
export function processFlags(p: u32): u32 {
  return load<u8>(at(p), 24);
}

export function processSetFlags(p: u32, flags: u32): void {
  store<u8>(at(p), u8(flags), 24);
}

/** `Link` by which the parent is known. */
export function processLink(p: u32): u32 {
  return processFlags(p) >> ProcessFlag.LinkShift;
}

/** Pid plus one, 0 where unknown. */
export function processPid(p: u32): u32 {
  return load<u32>(at(p), 32);
}

export function processParent(p: u32): u32 {
  return load<u32>(at(p), 36);
}

export function processFirstChild(p: u32): u32 {
  return load<u32>(at(p), 40);
}

export function processNextSibling(p: u32): u32 {
  return load<u32>(at(p), 44);
}

/** Newest image segment, 0 for none. */
export function processImages(p: u32): u32 {
  return load<u32>(at(p), 56);
}

export function processSetImages(p: u32, images: u32): void {
  store<u32>(at(p), images, 56);
}

export function processHost(p: u32): u32 {
  return load<u16>(at(p), 60);
}

function tickOf(timeUs: i64): u16 {
  return u16(timeUs / TICK_US);
}

/** Notes activity at `timeUs`; an earlier time than the last changes nothing. */
export function processTouch(p: u32, timeUs: i64): void {
  const tick = tickOf(timeUs);
  if (u16(tick - load<u16>(at(p), 62)) < 0x8000) store<u16>(at(p), tick, 62);
}

/** When the process was last active, as kept. */
export function processLastTick(p: u32): u32 {
  return load<u16>(at(p), 62);
}

export function processSetLastTick(p: u32, tick: u32): void {
  store<u16>(at(p), u16(tick), 62);
}

/** Ticks of two seconds from the last activity to `timeUs`, 0 when that lies before it. */
export function processIdleTicks(p: u32, timeUs: i64): u32 {
  const ticks = u16(tickOf(timeUs) - load<u16>(at(p), 62));
  return ticks < 0x8000 ? ticks : 0;
}

// ------------------------------------------------------------------------------------------------- indexes

function hashOf(key: u64): u32 {
  return u32((key * 0x9e3779b97f4a7c15) >> 32);
}

function pidHash(host: u32, pid: u32): u32 {
  return hashOf(pidKey(host, pid));
}

// @ts-ignore: decorator
@inline
function placeAt(index: usize, i: u32): usize {
  return index + (usize(i) << 3);
}

/** Loads the index place of a key, so that a later search finds it in the cache. Returns a record that may be its. */
export function processTouchKey(key: u64): u32 {
  return u32(load<u64>(placeAt(byKey, hashOf(key) & mask)));
}

/** Loads the record. */
export function processTouchRecord(p: u32): u64 {
  return p < capacity ? load<u64>(at(p), 24) : 0;
}

/** The incarnation of that key, 0 for none. */
export function processFind(key: u64): u32 {
  const hash = hashOf(key);
  let i = hash & mask;
  let place = load<u64>(placeAt(byKey, i));
  while (place != 0) {
    if (u32(place >> 32) == hash && processKey(u32(place)) == key) return u32(place);
    i = (i + 1) & mask;
    place = load<u64>(placeAt(byKey, i));
  }
  return 0;
}

/** The latest incarnation of a pid (plus one) on a host, 0 for none. */
export function processFindPid(host: u32, pid: u32): u32 {
  return u32(load<u64>(pidPlace(host, pid)));
}

/** Where the index has the latest incarnation of that pid, or would have it. */
function pidPlace(host: u32, pid: u32): usize {
  const hash = pidHash(host, pid);
  let i = hash & mask;
  let place = load<u64>(placeAt(byPid, i));
  while (place != 0 && !(u32(place >> 32) == hash && hasPid(u32(place), host, pid))) {
    i = (i + 1) & mask;
    place = load<u64>(placeAt(byPid, i));
  }
  return placeAt(byPid, i);
}

function hasPid(p: u32, host: u32, pid: u32): bool {
  return processPid(p) == pid && processHost(p) == host;
}

function indexKey(p: u32): void {
  const hash = hashOf(processKey(p));
  let i = hash & mask;
  while (load<u64>(placeAt(byKey, i)) != 0) i = (i + 1) & mask;
  store<u64>(placeAt(byKey, i), (u64(hash) << 32) | u64(p));
}

/** Makes `p` the latest incarnation of its pid. */
export function processIndexPid(p: u32): void {
  const host = processHost(p);
  const pid = processPid(p);
  if (pid != 0) store<u64>(pidPlace(host, pid), (u64(pidHash(host, pid)) << 32) | u64(p));
}

/** Takes `p` out of one index and closes the gap that its place leaves in probe order. */
function unindex(index: usize, p: u32, hash: u32): void {
  let hole = hash & mask;
  let found = load<u64>(placeAt(index, hole));
  while (u32(found) != p) {
    if (found == 0) return;
    hole = (hole + 1) & mask;
    found = load<u64>(placeAt(index, hole));
  }
  let i = hole;
  while (true) {
    i = (i + 1) & mask;
    const other = load<u64>(placeAt(index, i));
    if (other == 0) break;
    const wants = u32(other >> 32) & mask;
    if (((i - wants) & mask) >= ((i - hole) & mask)) {
      store<u64>(placeAt(index, hole), other);
      hole = i;
    }
  }
  store<u64>(placeAt(index, hole), 0);
}

/** Gives the incarnation a better key. */
export function processRekey(p: u32, key: u64): void {
  unindex(byKey, p, hashOf(processKey(p)));
  store<u64>(at(p), key);
  indexKey(p);
}

/** Learns the pid (plus one) of an incarnation known without one. */
export function processSetPid(p: u32, pid: u32): void {
  if (processPid(p) != 0 || pid == 0) return;
  store<u32>(at(p), pid, 32);
  processIndexPid(p);
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
  const slot = at(p);
  memory.fill(slot, 0, 1 << SLOT_LOG2);
  store<u64>(slot, key);
  store<i64>(slot, (timeUs << 8) | i64(flags), 24);
  store<u32>(slot, pid, 32);
  store<u16>(slot, u16(host), 60);
  store<u16>(slot, tickOf(timeUs), 62);
  indexKey(p);
  enqueue(host, p);
  hostAddProcess(host, 1);
}

function take(): u32 {
  let p = free;
  if (p != 0) free = load<u32>(at(p), 52);
  else if (made < capacity) p = made++;
  if (p != 0) used++;
  return p;
}

function enqueue(host: u32, p: u32): void {
  const queue = hostProcessQueue(host);
  store<u32>(at(p), 0, 52);
  const tail = load<u32>(queue, 4);
  if (tail != 0) store<u32>(at(tail), p, 52);
  else store<u32>(queue, p);
  store<u32>(queue, p, 4);
}

function dequeue(host: u32): u32 {
  const queue = hostProcessQueue(host);
  const p = load<u32>(queue);
  if (p == 0) return 0;
  const next = load<u32>(at(p), 52);
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
  unindex(byKey, p, hashOf(processKey(p)));
  if (processPid(p) != 0) unindex(byPid, p, pidHash(processHost(p), processPid(p)));
  processUnlink(p);
  let child = processFirstChild(p);
  while (child != 0) {
    const next = processNextSibling(child);
    store<u32>(at(child), 0, 36);
    store<u64>(at(child), 0, 44);
    processSetFlags(child, (processFlags(child) | ProcessFlag.Truncated) & ~ProcessFlag.Settled);
    child = next;
  }
  imagesRelease(processImages(p));
  hostAddProcess(processHost(p), -1);
  store<u32>(at(p), free, 52);
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

/** First of the host's records in queue order; the next by `processQueueNext`. */
export function processQueueFirst(host: u32): u32 {
  return load<u32>(hostProcessQueue(host));
}

export function processQueueNext(p: u32): u32 {
  return load<u32>(at(p), 52);
}

// --------------------------------------------------------------------------------------------------- links

/** Takes `p` out of its parent's children. */
export function processUnlink(p: u32): void {
  const parent = processParent(p);
  if (parent == 0) return;
  const next = load<u32>(at(p), 44);
  const previous = load<u32>(at(p), 48);
  if (previous != 0) store<u32>(at(previous), next, 44);
  else store<u32>(at(parent), next, 40);
  if (next != 0) store<u32>(at(next), previous, 48);
  store<u32>(at(p), 0, 36);
  store<u64>(at(p), 0, 44);
}

/** Makes `parent` the parent of `p`, which has none. */
export function processSetParent(p: u32, parent: u32, link: u32): void {
  const first = processFirstChild(parent);
  store<u32>(at(p), parent, 36);
  store<u32>(at(p), first, 44);
  store<u32>(at(p), 0, 48);
  if (first != 0) store<u32>(at(first), p, 48);
  store<u32>(at(parent), p, 40);
  const kept = processFlags(p) & ((1 << ProcessFlag.LinkShift) - 1) & ~ProcessFlag.Truncated;
  processSetFlags(p, kept | (link << ProcessFlag.LinkShift));
}
