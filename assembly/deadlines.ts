/**
 * Deadlines in time order, one pairing heap a host (`Host.None`: rules across hosts). A table adds a deadline for an
 * entry and takes it back, or pops it when event time has passed it. Nodes come from one bounded pool.
 */
import { Config, Loss } from "../src/core/abi/state";
import { configU32 } from "./config";
import { hostDeadlineRoot } from "./hosts";
import { countLoss } from "./losses";
import { reserve } from "./memory";

// One node. `PREVIOUS` is the left sibling, or the parent for a first child; 0 for a root.
const TIME: usize = 0; // i64
const TABLE: usize = 8; // u32
const ENTRY: usize = 12; // u32
const CHILD: usize = 16; // u32
const SIBLING: usize = 20; // u32; next free node while free
const PREVIOUS: usize = 24; // u32
const HOST: usize = 28; // u32
const NODE: usize = 32;

let nodes: usize = 0;
let capacity: u32 = 0;
let created: u32 = 1;
let free: u32 = 0;
let used: u32 = 0;

function at(node: u32): usize {
  return nodes + usize(node) * NODE;
}

export function deadlinesInit(): void {
  capacity = configU32(Config.DeadlineCapacity) + 1;
  nodes = reserve(usize(capacity) * NODE);
  created = 1;
  free = 0;
  used = 0;
}

/** Deadlines held. */
export function deadlineCount(): u32 {
  return used;
}

/**
 * Adds a deadline: when the host's event time is past `atUs`, `deadlinePop` returns it. Returns the node, to cancel it
 * by, or 0 when the pool is full, which is counted on `rule`.
 */
export function deadlineAdd(table: u32, entry: u32, atUs: i64, host: u32, rule: u32): u32 {
  let node = free;
  if (node != 0) free = load<u32>(at(node) + SIBLING);
  else if (created < capacity) node = created++;
  else {
    countLoss(Loss.Deadline, rule, host, 1);
    return 0;
  }
  used++;
  const p = at(node);
  store<i64>(p + TIME, atUs);
  store<u32>(p + TABLE, table);
  store<u32>(p + ENTRY, entry);
  store<u64>(p + CHILD, 0);
  store<u32>(p + PREVIOUS, 0);
  store<u32>(p + HOST, host);
  const root = hostDeadlineRoot(host);
  store<u32>(root, meld(load<u32>(root), node));
  return node;
}

/** Takes a deadline back. 0 is ignored. */
export function deadlineCancel(node: u32): void {
  if (node == 0 || node >= created) return;
  const p = at(node);
  const root = hostDeadlineRoot(load<u32>(p + HOST));
  const rest = mergePairs(load<u32>(p + CHILD));
  if (load<u32>(root) == node) {
    store<u32>(root, rest);
  } else {
    const previous = at(load<u32>(p + PREVIOUS));
    const sibling = load<u32>(p + SIBLING);
    if (load<u32>(previous + CHILD) == node) store<u32>(previous + CHILD, sibling);
    else store<u32>(previous + SIBLING, sibling);
    if (sibling != 0) store<u32>(at(sibling) + PREVIOUS, load<u32>(p + PREVIOUS));
    store<u32>(root, meld(load<u32>(root), rest));
  }
  release(node);
}

/**
 * Takes the host's earliest deadline if it lies before `beforeUs`, and returns true; its parts are then read with
 * `poppedTable`, `poppedEntry` and `poppedTimeUs`. A deadline equal to `beforeUs` stays: an event at that very time
 * may yet come.
 */
export function deadlinePop(host: u32, beforeUs: i64): bool {
  const root = hostDeadlineRoot(host);
  const node = load<u32>(root);
  if (node == 0) return false;
  const p = at(node);
  if (load<i64>(p + TIME) >= beforeUs) return false;
  lastTable = load<u32>(p + TABLE);
  lastEntry = load<u32>(p + ENTRY);
  lastTimeUs = load<i64>(p + TIME);
  store<u32>(root, mergePairs(load<u32>(p + CHILD)));
  release(node);
  return true;
}

let lastTable: u32 = 0;
let lastEntry: u32 = 0;
let lastTimeUs: i64 = 0;

export function poppedTable(): u32 {
  return lastTable;
}

export function poppedEntry(): u32 {
  return lastEntry;
}

export function poppedTimeUs(): i64 {
  return lastTimeUs;
}

/** The host's earliest deadline, 0 for none. */
export function deadlineEarliest(host: u32): u32 {
  return load<u32>(hostDeadlineRoot(host));
}

export function deadlineTable(node: u32): u32 {
  return load<u32>(at(node) + TABLE);
}

export function deadlineEntry(node: u32): u32 {
  return load<u32>(at(node) + ENTRY);
}

export function deadlineTimeUs(node: u32): i64 {
  return load<i64>(at(node) + TIME);
}

function release(node: u32): void {
  store<u32>(at(node) + SIBLING, free);
  free = node;
  used--;
}

/** Equal times are ordered by table and entry, so that the order does not depend on how the heap grew. */
function isBefore(a: usize, b: usize): bool {
  const ta = load<i64>(a + TIME);
  const tb = load<i64>(b + TIME);
  if (ta != tb) return ta < tb;
  const ka = load<u32>(a + TABLE);
  const kb = load<u32>(b + TABLE);
  return ka != kb ? ka < kb : load<u32>(a + ENTRY) < load<u32>(b + ENTRY);
}

/** Joins two heaps; the result is a root (no previous, no sibling). */
function meld(a: u32, b: u32): u32 {
  if (a == 0 || b == 0) {
    const only = a | b;
    if (only != 0) {
      store<u32>(at(only) + PREVIOUS, 0);
      store<u32>(at(only) + SIBLING, 0);
    }
    return only;
  }
  if (isBefore(at(b), at(a))) {
    const swap = a;
    a = b;
    b = swap;
  }
  const pa = at(a);
  const pb = at(b);
  const child = load<u32>(pa + CHILD);
  store<u32>(pb + SIBLING, child);
  store<u32>(pb + PREVIOUS, a);
  if (child != 0) store<u32>(at(child) + PREVIOUS, b);
  store<u32>(pa + CHILD, b);
  store<u32>(pa + PREVIOUS, 0);
  store<u32>(pa + SIBLING, 0);
  return a;
}

/** The two-pass merge of a pairing heap, without recursion: pairs left to right, then folds right to left. */
function mergePairs(first: u32): u32 {
  let stack: u32 = 0;
  while (first != 0) {
    const second = load<u32>(at(first) + SIBLING);
    const next = second != 0 ? load<u32>(at(second) + SIBLING) : 0;
    const pair = meld(first, second);
    store<u32>(at(pair) + PREVIOUS, stack);
    stack = pair;
    first = next;
  }
  let root: u32 = 0;
  while (stack != 0) {
    const below = load<u32>(at(stack) + PREVIOUS);
    root = meld(root, stack);
    stack = below;
  }
  return root;
}
