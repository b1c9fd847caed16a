/**
 * Sets of marks, each kept once: processes hold numbers of them, two bytes instead of eight. Few differ, since a process
 * has the marks of its parent and rarely others. Bounded: when half of them are in use, a host that made a quarter of all
 * makes no more, so that none uses up what all share. Where a set finds no place the process keeps the one it has, counted.
 *
 *   16 bytes a set: marks u64 | holders u32, or the next free set | host that made it u32
 */
import { Loss, LossRule } from "../src/core/abi/state";
import {
  bucketAfter, bucketOf, bucketsFor, indexAdd, indexRemove, indexReserve, numberMaskFor, placesOf, recordIn,
} from "./bucket_index";
import { hashPair } from "./hash";
import { countLoss } from "./losses";
import { reserve } from "./memory";

const SET_LOG2: usize = 4;
const HOLDERS: usize = 8;
const HOST: usize = 12;
const SETS_MIN: u32 = 1024;
/** Numbers have fifteen bits. */
const SETS_MAX: u32 = 0x7fff;
/** One set to so many processes. */
const PROCESSES_PER_SET: u32 = 24;
const SEED: u64 = 0x9e3779b97f4a7c15;

let sets: usize = 0;
let capacity: u32 = 0;
let made: u32 = 1;
let free: u32 = 0;
let used: u32 = 0;
let index: usize = 0;
let buckets: u32 = 0;
let numberMask: u32 = 0;
/** Sets that each host made, u16. */
let byHost: usize = 0;
let perHost: u32 = 0;

export function markSetsInit(processes: u32, hosts: u32): void {
  capacity = min<u32>(max<u32>(processes / PROCESSES_PER_SET, SETS_MIN), SETS_MAX);
  sets = reserve(usize(capacity + 1) << SET_LOG2);
  buckets = bucketsFor(capacity);
  index = indexReserve(buckets);
  numberMask = numberMaskFor(capacity);
  byHost = reserve(usize(hosts) << 1);
  perHost = capacity >> 2;
  made = 1;
  free = 0;
  used = 0;
}

function at(set: u32): usize {
  return sets + (usize(set) << SET_LOG2);
}

/** The marks of a set; none of set 0. */
// @ts-ignore: decorator
@inline
export function markSet(set: u32): u64 {
  return load<u64>(sets + (usize(set) << SET_LOG2));
}

/** The set of `marks` for a process of `host` that holds set `held`, which it gives back for it. */
export function markSetChange(held: u32, marks: u64, host: u32): u32 {
  if (markSet(held) == marks) return held;
  let set: u32 = 0;
  if (marks != 0) {
    set = find(marks);
    if (set == 0) set = make(marks, host);
    if (set == 0) {
      countLoss(Loss.MarkPropagation, LossRule.None, host, 1);
      return held;
    }
    store<u32>(at(set) + HOLDERS, load<u32>(at(set) + HOLDERS) + 1);
  }
  markSetRelease(held);
  return set;
}

/** Gives a set back. */
export function markSetRelease(set: u32): void {
  if (set == 0) return;
  const holders = load<u32>(at(set) + HOLDERS) - 1;
  store<u32>(at(set) + HOLDERS, holders);
  if (holders != 0) return;
  indexRemove(index, buckets, numberMask, hashPair(markSet(set), SEED), set);
  addToHost(load<u32>(at(set) + HOST), -1);
  store<u64>(at(set), 0);
  store<u32>(at(set) + HOLDERS, free);
  free = set;
  used--;
}

function find(marks: u64): u32 {
  const hash = hashPair(marks, SEED);
  let bucket = bucketOf(index, buckets, hash);
  while (bucket != 0) {
    for (let places = placesOf(bucket, hash, numberMask); places != 0; places &= places - 1) {
      const set = recordIn(bucket, places, numberMask);
      if (markSet(set) == marks) return set;
    }
    bucket = bucketAfter(index, buckets, bucket);
  }
  return 0;
}

/** A new set without holders; 0 where there is no room for it. */
function make(marks: u64, host: u32): u32 {
  if (used >= capacity >> 1 && load<u16>(byHost + (usize(host) << 1)) >= perHost) return 0;
  let set = free;
  if (set != 0) free = load<u32>(at(set) + HOLDERS);
  else if (made <= capacity) set = made++;
  else return 0;
  used++;
  store<u64>(at(set), marks);
  store<u32>(at(set) + HOLDERS, 0);
  store<u32>(at(set) + HOST, host);
  addToHost(host, 1);
  indexAdd(index, buckets, numberMask, hashPair(marks, SEED), set);
  return set;
}

function addToHost(host: u32, change: i32): void {
  const count = byHost + (usize(host) << 1);
  store<u16>(count, u16(load<u16>(count) + change));
}
