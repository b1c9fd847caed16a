/**
 * Fixed pools of records found by hash. Every stateful table is one: records lie at stable places, and an index of record
 * numbers (`bucket_index.ts`) points at them.
 *
 * A table is named by the address of its descriptor. Record 0 is never used: 0 means "none". The hash of a record is its
 * identity: 64 seeded bits over rule, role and group key, never 0.
 */
import {
  bucketAfter,
  bucketOf,
  bucketsFor,
  indexAdd,
  indexRemove,
  indexReplace,
  indexReserve,
  numberMaskFor,
  placesOf,
  recordIn,
} from "./bucket_index";
import { hole, reserve } from "./memory";

// The head every record starts with. What lies between 8 and 32 belongs to the table's order (`state_heap.ts`,
// `terms.ts`); `NEXT_FREE` reuses one word while the record is free.
export const HASH: usize = 0; // u64, 0 while free
export const DEADLINE: usize = 8; // i64
export const GROUP: usize = 16; // u32
export const CHILD: usize = 20; // u32
export const SIBLING: usize = 24; // u32
export const PREVIOUS: usize = 28; // u32
export const HEAD: usize = 32;
const NEXT_FREE: usize = DEADLINE;

// One descriptor.
const RECORDS: usize = 0; // u32 address
const STRIDE: usize = 4; // u32 bytes
const CAPACITY: usize = 8; // u32 records, record 0 included
const CREATED: usize = 12; // u32
const FREE: usize = 16; // u32
const USED: usize = 20; // u32
const INDEX: usize = 24; // u32 address
const BUCKETS: usize = 28; // u32 of the index
const NUMBER_MASK: usize = 32; // u32 bits of a place of the index that are the record's number
export const TABLE_BYTES: usize = 40;

/** Records of `stride` bytes that so many bytes have room for, their places in the index included. */
export function tableRecordsIn(bytes: u32, stride: u32): u32 {
  return u32(u64(bytes) * 3 / u64(3 * stride + 16));
}

/** Reserves a table of at most `capacity` records of `stride` bytes: a multiple of 8, at least 16. */
export function tableInit(table: usize, stride: u32, capacity: u32): void {
  const buckets = bucketsFor(capacity);
  poolInit(table, stride, capacity);
  store<u32>(table + INDEX, u32(indexReserve(buckets)));
  store<u32>(table + BUCKETS, buckets);
  store<u32>(table + NUMBER_MASK, numberMaskFor(capacity));
}

/** Reserves records without an index. */
export function poolInit(table: usize, stride: u32, capacity: u32): void {
  store<u32>(table + RECORDS, u32(reserve(usize(capacity + 1) * usize(stride))));
  store<u32>(table + STRIDE, stride);
  store<u32>(table + CAPACITY, capacity + 1);
  store<u32>(table + CREATED, 1);
  store<u32>(table + FREE, 0);
  store<u32>(table + USED, 0);
}

/** What copies of the kernel can do without: records never used, and the index. */
export function tableHoles(table: usize): void {
  if (load<u32>(table + CAPACITY) == 0) return;
  hole(tableAt(table, load<u32>(table + CREATED)), tableAt(table, load<u32>(table + CAPACITY)));
  const index = usize(load<u32>(table + INDEX));
  if (index != 0) hole(index, index + (usize(load<u32>(table + BUCKETS)) << 6));
}

// @ts-ignore: decorator
@inline
export function tableAt(table: usize, record: u32): usize {
  return usize(load<u32>(table + RECORDS) + record * load<u32>(table + STRIDE));
}

/** Live records. */
export function tableUsed(table: usize): u32 {
  return load<u32>(table + USED);
}

/** Most records the table can hold. */
export function tableCapacity(table: usize): u32 {
  return load<u32>(table + CAPACITY) == 0 ? 0 : load<u32>(table + CAPACITY) - 1;
}

export function tableIsFull(table: usize): bool {
  return load<u32>(table + FREE) == 0 && load<u32>(table + CREATED) >= load<u32>(table + CAPACITY);
}

/** One past the highest record ever used; records below it with hash 0 are free. */
export function tableEnd(table: usize): u32 {
  return load<u32>(table + CREATED);
}

/** The record with this hash, 0 when there is none. */
export function tableFind(table: usize, hash: u64): u32 {
  const index = usize(load<u32>(table + INDEX));
  if (index == 0) return 0;
  const buckets = load<u32>(table + BUCKETS);
  const numberMask = load<u32>(table + NUMBER_MASK);
  let bucket = bucketOf(index, buckets, hash);
  while (bucket != 0) {
    for (let places = placesOf(bucket, hash, numberMask); places != 0; places &= places - 1) {
      const record = recordIn(bucket, places, numberMask);
      if (load<u64>(tableAt(table, record)) == hash) return record;
    }
    bucket = bucketAfter(index, buckets, bucket);
  }
  return 0;
}

/** Takes a zeroed record outside the index, 0 when the table is full. */
export function tableTake(table: usize): u32 {
  let record = load<u32>(table + FREE);
  if (record != 0) {
    store<u32>(table + FREE, load<u32>(tableAt(table, record) + NEXT_FREE));
  } else {
    record = load<u32>(table + CREATED);
    if (record >= load<u32>(table + CAPACITY)) return 0;
    store<u32>(table + CREATED, record + 1);
  }
  store<u32>(table + USED, load<u32>(table + USED) + 1);
  memory.fill(tableAt(table, record), 0, usize(load<u32>(table + STRIDE)));
  return record;
}

/** Gives back a record that is not in the index. */
export function tableGive(table: usize, record: u32): void {
  const at = tableAt(table, record);
  store<u64>(at + HASH, 0);
  store<u32>(at + NEXT_FREE, load<u32>(table + FREE));
  store<u32>(table + FREE, record);
  store<u32>(table + USED, load<u32>(table + USED) - 1);
}

/** Enters a record under a hash that no record of the index has. */
export function tableEnter(table: usize, record: u32, hash: u64): void {
  store<u64>(tableAt(table, record) + HASH, hash);
  indexAdd(usize(load<u32>(table + INDEX)), load<u32>(table + BUCKETS), load<u32>(table + NUMBER_MASK), hash, record);
}

/** Lets `record` take the place of `old` in the index, under the same hash. */
export function tableReplace(table: usize, old: u32, record: u32): void {
  const hash = load<u64>(tableAt(table, old) + HASH);
  store<u64>(tableAt(table, record) + HASH, hash);
  const numberMask = load<u32>(table + NUMBER_MASK);
  indexReplace(usize(load<u32>(table + INDEX)), load<u32>(table + BUCKETS), numberMask, hash, old, record);
}

/** Takes a record out of the index; it keeps its hash. */
export function tableLeave(table: usize, record: u32): void {
  const hash = load<u64>(tableAt(table, record) + HASH);
  const numberMask = load<u32>(table + NUMBER_MASK);
  indexRemove(usize(load<u32>(table + INDEX)), load<u32>(table + BUCKETS), numberMask, hash, record);
}
