/**
 * Process records: what is kept of one incarnation, in two tables. What every event of the process asks for lies in half
 * a cache line, which never straddles two; what only its start and end ask for lies apart.
 *
 *   32 bytes: 0 key u64 | 8 start us << 8, flags u8 (i64) | 16 parent u32 | 20 queue next u32 | 24 host u16
 *   26 last activity u16, in ticks of two seconds | 28 own marks u16, top bit: has images
 *   30 inherited marks u16, top bit: has a pid. Marks are numbers of sets (`mark_sets.ts`).
 *
 *   20 bytes: 0 pid u32 | 4 first child u32 | 8 next sibling u32 | 12 previous sibling u32 | 16 images u32
 */
import { ProcessFlag } from "../src/core/abi/state";
import { markSet, markSetChange, markSetRelease } from "./mark_sets";
import { hole, reserve } from "./memory";

const RECORD_LOG2: usize = 5;
const PARENT: usize = 16;
const NEXT: usize = 20;
const HOST: usize = 24;
const TICK: usize = 26;
const OWN: usize = 28;
const INHERITED: usize = 30;

const LINKS: usize = 20;
const CHILD: usize = 4;
const SIBLING: usize = 8;
const PREVIOUS: usize = 12;
const IMAGES: usize = 16;

/** In the own marks: the process has images. In the inherited ones: it has a pid. */
const HAS: u32 = 0x8000;
const SET: u32 = 0x7fff;

const TICK_US: i64 = 2000000;

let records: usize = 0;
let links: usize = 0;

/** Reserves so many records, the first of which is none. */
export function processRecordsInit(capacity: u32): void {
  // In whole half lines.
  records = (reserve((usize(capacity) << RECORD_LOG2) + 16) + 31) & ~31;
  links = reserve(usize(capacity) * LINKS);
}

/** Leaves the records from `made` on out of copies. */
export function processRecordsHoles(made: u32, capacity: u32): void {
  hole(at(made), at(capacity));
  hole(linksOf(made), linksOf(capacity));
}

// @ts-ignore: decorator
@inline
function at(p: u32): usize {
  return records + (usize(p) << RECORD_LOG2);
}

// @ts-ignore: decorator
@inline
function linksOf(p: u32): usize {
  return links + usize(p) * LINKS;
}

/** Begins an incarnation: nothing but what is given is known of it. */
export function processRecordFill(p: u32, key: u64, host: u32, timeUs: i64, flags: u32): void {
  memory.fill(at(p), 0, 1 << RECORD_LOG2);
  memory.fill(linksOf(p), 0, LINKS);
  store<u64>(at(p), key);
  store<i64>(at(p), (timeUs << 8) | i64(flags), 8);
  store<u16>(at(p), u16(host), HOST);
  store<u16>(at(p), tickOf(timeUs), TICK);
}

/** Ends it: its marks are given back. */
export function processRecordClear(p: u32): void {
  markSetRelease(load<u16>(at(p), OWN) & SET);
  markSetRelease(load<u16>(at(p), INHERITED) & SET);
  store<u32>(at(p), 0, OWN);
}

/** Loads the record. */
export function processRecordTouch(p: u32): u64 {
  return load<u64>(at(p), 8);
}

// ------------------------------------------------------------------------------------------------ identity

export function processKey(p: u32): u64 {
  return load<u64>(at(p));
}

export function processSetKey(p: u32, key: u64): void {
  store<u64>(at(p), key);
}

export function processHost(p: u32): u32 {
  return load<u16>(at(p), HOST);
}

/** Pid plus one, 0 where unknown. */
export function processPid(p: u32): u32 {
  return load<u32>(linksOf(p));
}

/** Whether the pid is known, without a look at it. */
export function processHasPid(p: u32): bool {
  return (load<u16>(at(p), INHERITED) & HAS) != 0;
}

/** Sets the pid (plus one); the index is left to the caller. */
export function processStorePid(p: u32, pid: u32): void {
  store<u32>(linksOf(p), pid);
  const inherited = load<u16>(at(p), INHERITED) & SET;
  store<u16>(at(p), u16(pid == 0 ? inherited : inherited | HAS), INHERITED);
}

// ------------------------------------------------------------------------------------------------ marks

export function processOwn(p: u32): u64 {
  return markSet(load<u16>(at(p), OWN) & SET);
}

/** Sets the own marks; they stay as they were where sets of marks have no room, counted. */
export function processSetOwn(p: u32, marks: u64): void {
  setMarks(p, OWN, marks);
}

export function processInherited(p: u32): u64 {
  return markSet(load<u16>(at(p), INHERITED) & SET);
}

/** As {@link processSetOwn}. */
export function processSetInherited(p: u32, marks: u64): void {
  setMarks(p, INHERITED, marks);
}

function setMarks(p: u32, which: usize, marks: u64): void {
  const held = load<u16>(at(p) + which);
  store<u16>(at(p) + which, u16((held & HAS) | markSetChange(held & SET, marks, processHost(p))));
}

// ------------------------------------------------------------------------------------------------ times, flags

/** When the process was first seen, in microseconds. */
export function processStartUs(p: u32): i64 {
  return load<i64>(at(p), 8) >> 8;
}

export function processSetStartUs(p: u32, timeUs: i64): void {
  store<i64>(at(p), (timeUs << 8) | (load<i64>(at(p), 8) & 0xff), 8);
}

/** Bits of `ProcessFlag`. */
export function processFlags(p: u32): u32 {
  return load<u8>(at(p), 8);
}

export function processSetFlags(p: u32, flags: u32): void {
  store<u8>(at(p), u8(flags), 8);
}

/** `Link` by which the parent is known. */
export function processLink(p: u32): u32 {
  return processFlags(p) >> ProcessFlag.LinkShift;
}

function tickOf(timeUs: i64): u16 {
  return u16(timeUs / TICK_US);
}

/** Notes activity at `timeUs`; an earlier time than the last changes nothing. */
export function processTouch(p: u32, timeUs: i64): void {
  const tick = tickOf(timeUs);
  if (u16(tick - load<u16>(at(p), TICK)) < 0x8000) store<u16>(at(p), tick, TICK);
}

/** When the process was last active, as kept. */
export function processLastTick(p: u32): u32 {
  return load<u16>(at(p), TICK);
}

export function processSetLastTick(p: u32, tick: u32): void {
  store<u16>(at(p), u16(tick), TICK);
}

/** Ticks of two seconds from the last activity to `timeUs`, 0 when that lies before it. */
export function processIdleTicks(p: u32, timeUs: i64): u32 {
  const ticks = u16(tickOf(timeUs) - load<u16>(at(p), TICK));
  return ticks < 0x8000 ? ticks : 0;
}

// ------------------------------------------------------------------------------------------------ images

/** Newest image segment, 0 for none. */
export function processImages(p: u32): u32 {
  return (load<u16>(at(p), OWN) & HAS) == 0 ? 0 : load<u32>(linksOf(p) + IMAGES);
}

export function processSetImages(p: u32, images: u32): void {
  store<u32>(linksOf(p) + IMAGES, images);
  const own = load<u16>(at(p), OWN) & SET;
  store<u16>(at(p), u16(images == 0 ? own : own | HAS), OWN);
}

// ------------------------------------------------------------------------------------------------ links

export function processParent(p: u32): u32 {
  return load<u32>(at(p), PARENT);
}

export function processFirstChild(p: u32): u32 {
  return load<u32>(linksOf(p) + CHILD);
}

export function processNextSibling(p: u32): u32 {
  return load<u32>(linksOf(p) + SIBLING);
}

/** The next of the queue, or of the free records, that the record is in. */
export function processNext(p: u32): u32 {
  return load<u32>(at(p), NEXT);
}

export function processSetNext(p: u32, next: u32): void {
  store<u32>(at(p), next, NEXT);
}

/** Takes `p` out of its parent's children. */
export function processUnlink(p: u32): void {
  const parent = processParent(p);
  if (parent == 0) return;
  const next = load<u32>(linksOf(p) + SIBLING);
  const previous = load<u32>(linksOf(p) + PREVIOUS);
  if (previous != 0) store<u32>(linksOf(previous) + SIBLING, next);
  else store<u32>(linksOf(parent) + CHILD, next);
  if (next != 0) store<u32>(linksOf(next) + PREVIOUS, previous);
  forgetParent(p);
}

/** The children of `p`, which is no more, lose their link to it, which is marked. */
export function processOrphan(p: u32): void {
  let child = processFirstChild(p);
  while (child != 0) {
    const next = processNextSibling(child);
    forgetParent(child);
    processSetFlags(child, (processFlags(child) | ProcessFlag.Truncated) & ~ProcessFlag.Settled);
    child = next;
  }
}

function forgetParent(p: u32): void {
  store<u32>(at(p), 0, PARENT);
  store<u64>(linksOf(p) + SIBLING, 0);
}

/** Makes `parent` the parent of `p`, which has none. */
export function processSetParent(p: u32, parent: u32, link: u32): void {
  const first = processFirstChild(parent);
  store<u32>(at(p), parent, PARENT);
  store<u32>(linksOf(p) + SIBLING, first);
  store<u32>(linksOf(p) + PREVIOUS, 0);
  if (first != 0) store<u32>(linksOf(first) + PREVIOUS, p);
  store<u32>(linksOf(parent) + CHILD, p);
  const kept = processFlags(p) & ((1 << ProcessFlag.LinkShift) - 1) & ~ProcessFlag.Truncated;
  processSetFlags(p, kept | (link << ProcessFlag.LinkShift));
}
