/**
 * What the windows of aggregates hold: samples in order of time, and how often each distinct value is in its window, so
 * that nothing is ever counted afresh.
 */
import { hashPair } from "./hash";
import {
  HASH,
  HEAD,
  poolInit,
  TABLE_BYTES,
  tableAt,
  tableEnter,
  tableFind,
  tableGive,
  tableHoles,
  tableInit,
  tableIsFull,
  tableLeave,
  tableTake,
} from "./state_table";
import { makeSampleRoom } from "./aggregate";

// One sample: the value (f64 bits, or hash) in the first word, the time in the second, then what `ranks.ts` keeps, and
export const SAMPLE_VALUE: usize = HASH; // u64
export const SAMPLE_TIME: usize = 8; // i64
export const SAMPLE_KIND: usize = 28; // u32: index of the function, or SAMPLE_EVENT
export const SAMPLE_NEXT: usize = HEAD; // u32, newer
export const SAMPLE_BACK: usize = HEAD + 4; // u32, older
export const SAMPLE_EVIDENCE: usize = HEAD + 8; // u32
export const SAMPLE_BYTES: u32 = 48;
/** The event itself: what is counted, and carries the evidence. */
export const SAMPLE_EVENT: u32 = 0xff;

const COUNT: usize = 8; // u32, in a record of distinct values
export const DISTINCT_BYTES: u32 = 16;

const SAMPLES: usize = memory.data(i32(TABLE_BYTES), 8);
const DISTINCT: usize = memory.data(i32(TABLE_BYTES), 8);

export function samplesInit(samples: u32, distinct: u32): void {
  poolInit(SAMPLES, SAMPLE_BYTES, samples);
  tableInit(DISTINCT, DISTINCT_BYTES, distinct);
}

/** What copies of the kernel can do without. */
export function samplesHoles(): void {
  tableHoles(SAMPLES);
  tableHoles(DISTINCT);
}

// @ts-ignore: decorator
@inline
export function sampleAt(sample: u32): usize {
  return tableAt(SAMPLES, sample);
}

/** A zeroed sample; makes room if need be. */
export function sampleTake(): u32 {
  while (tableIsFull(SAMPLES)) makeSampleRoom();
  return tableTake(SAMPLES);
}

export function sampleGive(sample: u32): void {
  tableGive(SAMPLES, sample);
}

/** Counts a value into a window's function; true when it is the first of its kind there. */
export function distinctAdd(window: u64, kind: u32, value: u64): bool {
  const hash = hashPair(window ^ u64(kind + 1), value);
  let record = tableFind(DISTINCT, hash);
  if (record != 0) {
    const at = tableAt(DISTINCT, record);
    store<u32>(at + COUNT, load<u32>(at + COUNT) + 1);
    return false;
  }
  while (tableIsFull(DISTINCT)) makeSampleRoom();
  record = tableTake(DISTINCT);
  store<u32>(tableAt(DISTINCT, record) + COUNT, 1);
  tableEnter(DISTINCT, record, hash);
  return true;
}

/** Counts a value out again; true when it was the last of its kind there. */
export function distinctRemove(window: u64, kind: u32, value: u64): bool {
  const record = tableFind(DISTINCT, hashPair(window ^ u64(kind + 1), value));
  if (record == 0) return false;
  const at = tableAt(DISTINCT, record);
  const count = load<u32>(at + COUNT) - 1;
  store<u32>(at + COUNT, count);
  if (count != 0) return false;
  tableLeave(DISTINCT, record);
  tableGive(DISTINCT, record);
  return true;
}
