/**
 * The row store: fixed slots, one record a row (layout in `columns.ts`). A chunk of rows is staged into free slots and
 * handed to `applyChunk`, which judges rows and frees them, or holds them until their time has come.
 */
import { ColumnKind, IngestLimit } from "../src/core/abi/events";
import {
  agentIdColumn,
  columnCount,
  columnKind,
  columnOffset,
  ROW_HEADER,
  hostIdColumn,
  hostNameColumn,
  idCellsOffset,
  rowStride,
  tiebreakColumn,
} from "./columns";
import { hashBooleanStable, hashNumber, hashNumberStable, hashPair, hashStable } from "./hash";
import { hostIntern } from "./hosts";
import { releaseHeldText } from "./held_text";
import { listItem, listLength, valueIsList } from "./lists";
import { reserve } from "./memory";
import { countRows } from "./input";
import { isRouting, noteSlot, ownsSlot, slotOfHost, tabledOrdinal } from "./routing";
import { valueHash, valueLength, valueNumber, valuePtr, valueTag } from "./values";
import { ValueTag } from "../src/core/abi/events";

/** Flags of a row. */
export const ROW_LIVE: u32 = 1;
/** Id texts of the row lie in held-text segment `flags >> 16`. */
export const ROW_HELD_TEXT: u32 = 2;

let base: usize = 0;
let capacity: u32 = 0;
let freeSlots: usize = 0;
let freeCount: u32 = 0;
let chunkSlots: usize = 0;
let chunkCount: u32 = 0;
let touchedFlags: usize = 0;
let touchedList: usize = 0;
let touchedTotal: u32 = 0;
let nextOrdinal: u64 = 0;
let defaultHostPointer: usize = 0;
let defaultHostBytes: u32 = 0;
let defaultHostHash: u64 = 0;

/** Rows that were given the default host. */
export let rowsWithoutHost: u64 = 0;
/** Rows of hosts that are not this kernel's. */
export let rowsForeign: u64 = 0;

/** What names the host of the row in hand. */
let foundHash: u64 = 0;
let foundPointer: usize = 0;
let foundBytes: u32 = 0;

/** Reserves `rowCapacity` slots, at least one chunk. Columns must be known. */
export function rowsInit(rowCapacity: u32): void {
  capacity = max<u32>(rowCapacity, IngestLimit.ChunkRows);
  base = reserve(<usize>capacity * rowStride);
  freeSlots = reserve(<usize>capacity << 2);
  chunkSlots = reserve(<usize>IngestLimit.ChunkRows << 2);
  touchedFlags = reserve(columnCount());
  touchedList = reserve(<usize>columnCount() << 2);
  for (let i: u32 = 0; i < capacity; i++) store<u32>(freeSlots + (<usize>i << 2), capacity - 1 - i);
  freeCount = capacity;
}

/** The host of rows that name none. The text must stay in place. */
export function rowsDefaultHost(pointer: usize, length: u32, hash: u64): void {
  defaultHostPointer = pointer;
  defaultHostBytes = length;
  defaultHostHash = hash;
}

@inline
export function rowAddress(slot: u32): usize {
  return base + <usize>slot * rowStride;
}

/** Event time in microseconds since the epoch. */
@inline
export function rowTimeUs(slot: u32): i64 {
  return load<i64>(rowAddress(slot));
}

/** Place of the row in the stream as pushed, from 0. */
@inline
export function rowOrdinal(slot: u32): u64 {
  return load<u64>(rowAddress(slot), 8);
}

/** Index of the row's host in the host table. */
@inline
export function rowHost(slot: u32): u32 {
  return load<u32>(rowAddress(slot), 16);
}

/** Orders rows of equal time; NaN where the row has none. */
@inline
export function rowTiebreak(slot: u32): f64 {
  return load<f64>(rowAddress(slot), 24);
}

/** Value id of a Text column; 0 is missing. */
@inline
export function cellText(c: u32, slot: u32): u32 {
  return load<u32>(rowAddress(slot) + columnOffset(c));
}

/** Number of a Number column; NaN is missing. */
@inline
export function cellNumber(c: u32, slot: u32): f64 {
  return load<f64>(rowAddress(slot) + columnOffset(c));
}

/** Hash of an Id column's value; 0 is missing. */
@inline
export function cellIdHash(c: u32, slot: u32): u64 {
  return load<u64>(rowAddress(slot) + columnOffset(c));
}

/** Text of an Id column, readable while the row lives. Its length is at most 1 KiB. */
@inline
export function cellIdPtr(c: u32, slot: u32): usize {
  return <usize>load<u32>(rowAddress(slot) + columnOffset(c), 8);
}

@inline
export function cellIdLength(c: u32, slot: u32): u32 {
  return load<u32>(rowAddress(slot) + columnOffset(c), 12);
}

/** Hash of a cell of any kind: equal values hash equally whatever their column and its kind; 0 is missing. */
export function cellHash(c: u32, slot: u32): u64 {
  return hashOfCell(columnKind(c), rowAddress(slot) + columnOffset(c));
}

/** As {@link cellHash}, of a cell of that kind at an address. */
export function hashOfCell(kind: u32, cell: usize): u64 {
  if (kind == ColumnKind.Text) return valueHash(load<u32>(cell));
  if (kind == ColumnKind.Id) return load<u64>(cell);
  if (kind != ColumnKind.Number) return 0;
  const number = load<f64>(cell);
  return isNaN(number) ? 0 : hashNumber(number);
}

/** Hash of a cell's content that is the same in every process; 0 is missing. */
export function cellStableHash(c: u32, slot: u32): u64 {
  const kind = columnKind(c);
  const cell = rowAddress(slot) + columnOffset(c);
  if (kind == ColumnKind.Text) return valueStableHash(load<u32>(cell));
  if (kind == ColumnKind.Id) {
    return load<u64>(cell) == 0 ? 0 : hashStable(<usize>load<u32>(cell, 8), load<u32>(cell, 12));
  }
  if (kind != ColumnKind.Number) return 0;
  const number = load<f64>(cell);
  return isNaN(number) ? 0 : hashNumberStable(number);
}

function valueStableHash(v: u32): u64 {
  if (v == 0) return 0;
  const tag = valueTag(v);
  if (tag == ValueTag.Number) return hashNumberStable(valueNumber(v));
  if (tag == ValueTag.Boolean) return hashBooleanStable(valueLength(v) == 4);
  if (tag == ValueTag.String) return hashStable(valuePtr(v), valueLength(v));
  let hash: u64 = 1;
  for (let i: u32 = 0; i < listLength(v); i++) hash = hashPair(hash, valueStableHash(listItem(v, i)));
  return hash;
}

/** Hash of everything encoded of a row but its ordinal, the same in every process: identity of an event without an id. */
export function rowStableHash(slot: u32): u64 {
  let hash = hashPair(1, <u64>rowTimeUs(slot));
  for (let c: u32 = 0; c < columnCount(); c++) {
    const cell = cellStableHash(c, slot);
    if (cell != 0) hash = hashPair(hash, cell + c);
  }
  return hash;
}

/** Gives the slot back. The row, and the text of its Id cells, must not be read after this. */
export function rowFree(slot: u32): void {
  const at = rowAddress(slot);
  const flags = load<u32>(at, 20);
  if ((flags & ROW_LIVE) == 0) return;
  if ((flags & ROW_HELD_TEXT) != 0) releaseHeldText(flags >> 16);
  store<u32>(at, 0, 20);
  store<u32>(freeSlots + (<usize>freeCount << 2), slot);
  freeCount++;
}

@inline
export function rowIsLive(slot: u32): bool {
  return (load<u32>(rowAddress(slot), 20) & ROW_LIVE) != 0;
}

export function rowCapacity(): u32 {
  return capacity;
}

export function rowsFree(): u32 {
  return freeCount;
}

// ------------------------------------------------------------------------------------------------- staging

/** Starts a chunk: nothing staged, no column touched. */
export function chunkBegin(): void {
  chunkCount = 0;
  touchedTotal = 0;
  memory.fill(touchedFlags, 0, columnCount());
}

/** Takes a free slot and clears its cells; the caller has seen that one is free. */
export function rowOpen(timeUs: i64): u32 {
  freeCount--;
  const slot = load<u32>(freeSlots + (<usize>freeCount << 2));
  const at = rowAddress(slot);
  const zero = i64x2.splat(0);
  for (let i: usize = 0; i < rowStride; i += 16) v128.store(at + i, zero);
  store<i64>(at, timeUs);
  store<f64>(at, NaN, 24);
  store<u32>(at, ROW_LIVE, 20);
  return slot;
}

/** Makes the number cells of an open row missing. They are the first cells of a row. */
export function clearNumbers(at: usize): void {
  for (let cell = at + ROW_HEADER; cell < at + idCellsOffset; cell += 8) store<f64>(cell, NaN);
}

/**
 * Puts the open row into the chunk: its cells are complete, its host and tiebreak are read from them. A row of a host
 * that is not this kernel's takes its ordinal and is gone: false.
 */
export function rowStage(slot: u32): bool {
  const at = rowAddress(slot);
  const ordinal = takeOrdinal();
  findHost(at);
  const hostSlot = slotOfHost(foundHash);
  if (!ownsSlot(hostSlot)) {
    rowsForeign++;
    rowFree(slot);
    return false;
  }
  if (isRouting()) noteSlot(ordinal, hostSlot);
  if (foundHash == defaultHostHash && foundPointer == defaultHostPointer) rowsWithoutHost++;
  store<u64>(at, ordinal, 8);
  if (tiebreakColumn != 0xffffffff) store<f64>(at, load<f64>(at + columnOffset(tiebreakColumn)), 24);
  store<u32>(at, hostIntern(foundHash, foundPointer, foundBytes), 16);
  store<u32>(chunkSlots + (<usize>chunkCount << 2), slot);
  chunkCount++;
  return true;
}

/** Passes over `rows` rows of hosts that are not this kernel's, of which nothing was opened; the next ordinal is `next`. */
export function rowsPass(rows: u32, next: u64): void {
  rowsForeign += rows;
  countRows(rows);
  ordinalSet(next);
}

/** Hash of the host that an open row names. */
export function rowHostHash(slot: u32): u64 {
  findHost(rowAddress(slot));
  return foundHash;
}

/** Puts an open row of a snapshot into the chunk, as it was numbered and ordered there. */
export function rowRestage(slot: u32, host: u32, ordinal: u64, tiebreak: f64): void {
  const at = rowAddress(slot);
  store<u64>(at, ordinal, 8);
  store<u32>(at, host, 16);
  store<f64>(at, tiebreak, 24);
  if (chunkCount >= <u32>IngestLimit.ChunkRows) return;
  store<u32>(chunkSlots + (<usize>chunkCount << 2), slot);
  chunkCount++;
}

/** The ordinal of the next row; each row takes one, skipped ones too. */
export function takeOrdinal(): u64 {
  const ordinal = tabledOrdinal(nextOrdinal);
  nextOrdinal = ordinal + 1;
  return ordinal;
}

export function ordinalNext(): u64 {
  return nextOrdinal;
}

/** Continues the numbering after a restore. */
export function ordinalSet(next: u64): void {
  nextOrdinal = next;
}

/** As {@link ordinalNext}, for the host. */
export function ordinalNextOf(): f64 {
  return <f64>nextOrdinal;
}

export function ordinalSetTo(next: f64): void {
  nextOrdinal = <u64>next;
}

/** Rows so far of hosts that are not this kernel's. */
export function rowsForeignCount(): f64 {
  return <f64>rowsForeign;
}

/** Finds the text that names the row's host: `foundHash`, `foundPointer`, `foundBytes`. */
function findHost(at: usize): void {
  if (hostFrom(at, hostIdColumn) || hostFrom(at, hostNameColumn) || hostFrom(at, agentIdColumn)) return;
  foundHash = defaultHostHash;
  foundPointer = defaultHostPointer;
  foundBytes = defaultHostBytes;
}

/** Takes the host that a cell names (the first value of a list); false where the cell is missing. */
function hostFrom(at: usize, c: u32): bool {
  if (c == 0xffffffff) return false;
  const cell = at + columnOffset(c);
  if (columnKind(c) == ColumnKind.Id) {
    foundHash = load<u64>(cell);
    foundPointer = <usize>load<u32>(cell, 8);
    foundBytes = load<u32>(cell, 12);
    return foundHash != 0;
  }
  let v = load<u32>(cell);
  if (v != 0 && valueIsList(v)) v = listItem(v, 0);
  if (v == 0) return false;
  foundHash = valueHash(v);
  foundPointer = valuePtr(v);
  foundBytes = valueLength(v);
  return true;
}

/** Slot of row `i` of the chunk in hand. */
@inline
export function chunkSlot(i: u32): u32 {
  return load<u32>(chunkSlots + (<usize>i << 2));
}

@inline
export function chunkRows(): u32 {
  return chunkCount;
}

/** Notes that some row of the chunk has a value in column `c`. */
@inline
export function touch(c: u32): void {
  store<u8>(touchedFlags + c, 1);
}

/** Completes the list of touched columns. Called once the chunk is full. */
export function chunkSeal(): void {
  for (let c: u32 = 0; c < columnCount(); c++) {
    if (load<u8>(touchedFlags + c) == 0) continue;
    store<u32>(touchedList + (<usize>touchedTotal << 2), c);
    touchedTotal++;
  }
}

/** Columns in which some row of the chunk has a value. */
@inline
export function touchedCount(): u32 {
  return touchedTotal;
}

@inline
export function touchedColumn(i: u32): u32 {
  return load<u32>(touchedList + (<usize>i << 2));
}
