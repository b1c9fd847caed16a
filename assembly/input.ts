/** The input region, the scratch for rewritten text, and what is counted while rows come in. */
import { IngestCounter, SkipExample, SkipReason } from "../src/core/abi/events";
import { hole, reserve, reserveText } from "./memory";
import { idTextsLost } from "./held_text";
import { rowsWithoutHost, takeOrdinal } from "./rows";
import { valuesLost } from "./values";

let inputBase: usize = 0;
let inputBytes: usize = 0;
let counters: usize = 0;
let examples: usize = 0;
let exampleCount: u32 = 0;

/** Text rewritten for the row in hand (escapes undone, damaged UTF-8 replaced); emptied for each row. */
export let scratchBase: usize = 0;
export let scratchTop: usize = 0;
export let scratchEnd: usize = 0;

/** Longest value, in bytes, that is kept whole. */
export let maxValueBytes: u32 = 32768;

export function inputInit(bytes: usize, valueBytes: u32): void {
  maxValueBytes = valueBytes;
  inputBytes = max<usize>(bytes, 4096);
  inputBase = reserveText(inputBytes);
  scratchBase = reserveText(inputBytes + valueBytes);
  scratchTop = scratchBase;
  scratchEnd = scratchBase + inputBytes + valueBytes;
  counters = reserve(IngestCounter.Count << 3);
  examples = reserve(SkipExample.Max * SkipExample.Count * 4);
}

/** What copies of the kernel can do without. */
export function inputHoles(): void {
  hole(inputBase, inputBase + inputBytes);
  hole(scratchBase, scratchEnd);
}

/** Where the host writes what it ingests, 16-aligned. */
export function input_ptr(): usize {
  return inputBase;
}

/** Bytes of the input region: the longest line and the largest batch, its view included, that can be taken. */
export function input_capacity(): usize {
  return inputBytes;
}

/** Address of the u64 counters that `IngestCounter` names, brought up to date. */
export function ingest_counters(): usize {
  store<u64>(counterAt(IngestCounter.NoHost), rowsWithoutHost);
  store<u64>(counterAt(IngestCounter.ValuesLost), valuesLost);
  store<u64>(counterAt(IngestCounter.IdTextsLost), idTextsLost);
  return counters;
}

/** Address of the first skipped rows (`SkipExample` words each); {@link ingest_example_count} of them are set. */
export function ingest_examples(): usize {
  return examples;
}

export function ingest_example_count(): u32 {
  return exampleCount;
}

/** Skips one row that the host could not hand over, such as a line longer than the input region. */
export function ingest_skip(reason: u32, offset: u32): void {
  countRow();
  skipRow(reason, offset);
}

@inline
function counterAt(counter: u32): usize {
  return counters + (<usize>counter << 3);
}

@inline
export function count(counter: u32): void {
  store<u64>(counterAt(counter), load<u64>(counterAt(counter)) + 1);
}

@inline
export function countRow(): void {
  count(IngestCounter.Rows);
}

export function countRows(rows: u32): void {
  const at = counterAt(IngestCounter.Rows);
  store<u64>(at, load<u64>(at) + rows);
}

/** Counts a skipped row, gives it its ordinal and keeps it as an example while there are few. */
export function skipRow(reason: SkipReason, offset: u32): void {
  count(reason);
  const ordinal = takeOrdinal();
  if (exampleCount == SkipExample.Max) return;
  const at = examples + <usize>exampleCount * SkipExample.Count * 4;
  store<u64>(at, ordinal);
  store<u32>(at, offset, SkipExample.Offset * 4);
  store<u32>(at, reason, SkipExample.Reason * 4);
  exampleCount++;
}

export function scratchReset(): void {
  scratchTop = scratchBase;
}

export function scratchTake(end: usize): void {
  scratchTop = end;
}
