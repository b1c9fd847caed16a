/**
 * EventBatches: flat columns to rows. Rows are written in blocks that stay in the first-level cache, one column after
 * the other, so that codes are read in sequence and cells are written close together.
 */
import { BatchKind, ColumnKind, IngestCounter, IngestLimit, SkipReason, ViewColumn, ViewWord } from "../src/core/abi/events";
import { isOfSession, viewColumn } from "./batch_check";
import { ownRows } from "./batch_own";
import { entriesOf, pagesCodes, pagesEntry, placeOfCode, tableOf } from "./code_pages";
import { columnCount, columnKind, columnNestedLength, columnOffset, hostIdColumn, rowStride } from "./columns";
import { addEntries, dictionaryInit, dictionaryReset, spaceOf } from "./dictionary";
import { sessionWaits, useCodes } from "./dictionary_waiting";
import { hashBytes, hashNumber } from "./hash";
import { hostTouchHash, hostTouchRecord } from "./hosts";
import { chunkFlush, ensureSlot } from "./ingest";
import { count, countRow, scratchEnd, scratchReset, scratchTake, scratchTop, skipRow } from "./input";
import { align8, reserve } from "./memory";
import { chunkRows, clearNumbers, ordinalNext, rowAddress, rowHostHash, rowOpen, rowStage, rowsFree, rowsPass, touch } from "./rows";
import { listItem, listLength, valueIsList } from "./lists";
import { ordinalTable, sharesSlots } from "./routing";
import { NO_TIME, timeInRange } from "./time";
import { valuesMakeRoom } from "./value_collection";
import { formatNumber, internList, internNested, internNumber, internText, valueBytesFree, valuesFree } from "./values";

export { batch_contents_check, ingest_batch_check, ingest_batch_room } from "./batch_check";

const BLOCK: u32 = 32;
/** In place of a slot: the row is skipped. */
const NO_SLOT: u32 = 0xffffffff;

let slots: usize = 0;
/** Address of each row of the block; of a spare row for those that are skipped, so that filling need not ask. */
let addresses: usize = 0;
let spareRow: usize = 0;
/** Record of each row's host, as far as a glance at the index tells. */
let hostsTouched: usize = 0;
/** Keeps the touching loads alive. */
export let touched: u64 = 0;
let listBuffer: usize = 0;
let hostPointer: usize = 0;
let hostBytes: u32 = 0;
/** The rows in hand are some of those sent, moved to the front. */
let isMoved: bool = false;
/** The column in hand: where its codes lead. */
let isSession: bool = false;

export function batchInit(codes: u32, ids: u32, idBytes: usize): void {
  dictionaryInit(codes, ids, idBytes);
  slots = reserve(BLOCK << 2);
  addresses = reserve(BLOCK << 2);
  spareRow = reserve(rowStride);
  hostsTouched = reserve(BLOCK << 2);
  listBuffer = reserve(<usize>IngestLimit.RowItems << 2);
}

/** Applies a batch that `ingest_batch_check` has just found sound. Returns its rows. */
export function ingest_batch(view: usize): u32 {
  const rows = load<u32>(view, ViewWord.Rows * 4);
  hostPointer = <usize>load<u32>(view, ViewWord.HostPointer * 4);
  hostBytes = load<u32>(view, ViewWord.HostBytes * 4);
  if (load<u32>(view, ViewWord.StartsSession * 4) != 0) dictionaryReset(true);
  const isShared = sharesSlots();
  const mayWait = isShared || sessionWaits;
  for (let c: u32 = 0; c < columnCount(); c++) {
    const column = viewColumn(view, c);
    if (load<u32>(column, ViewColumn.Entries * 4) == 0) continue;
    addEntries(column, c, isOfSession(view, column), mayWait && c != hostIdColumn);
  }
  const taken = isShared ? ownRows(view, rows) : rows;
  isMoved = taken != rows;
  if (mayWait) useValues(view, taken);
  const first = ordinalNext();
  fillRows(view, taken);
  rowsPass(rows - taken, first + rows);
  chunkFlush();
  scratchReset();
  dictionaryReset(false);
  return rows;
}

function fillRows(view: usize, rows: u32): void {
  const times = <usize>load<u32>(view, ViewWord.TimePointer * 4);
  let row: u32 = 0;
  while (row < rows) {
    const size = openBlock(view, times, row, rows);
    for (let c: u32 = 0; c < columnCount(); c++) {
      isSession = isOfSession(view, viewColumn(view, c));
      fillColumn(viewColumn(view, c), c, row, size);
    }
    stageBlock(row, size);
    row += size;
  }
}

/** Sees to it that none of the rows' codes waits for its first use. */
function useValues(view: usize, rows: u32): void {
  for (let c: u32 = 0; c < columnCount(); c++) {
    const column = viewColumn(view, c);
    const kind = load<u32>(column, ViewColumn.Kind * 4);
    if (kind == 0 || kind == BatchKind.Number || columnKind(c) != ColumnKind.Text) continue;
    const space = spaceOf(isOfSession(view, column), c);
    if (pagesCodes(space, c) == 0) continue;
    const isList = load<u32>(column, ViewColumn.ListOffsets * 4) != 0;
    const total = isList ? load<u32>(column, ViewColumn.CodeCount * 4) : rows;
    useCodes(space, c, <usize>load<u32>(column, ViewColumn.Codes * 4), total);
  }
}

/** Takes slots for the next rows, as many as a block, the chunk and the row store hold; at least one row. */
function openBlock(view: usize, times: usize, row: u32, rows: u32): u32 {
  makeRoom(view, row, min<u32>(BLOCK, rows - row));
  const hasSlot = ensureSlot();
  const room = hasSlot ? min<u32>(<u32>IngestLimit.ChunkRows - chunkRows(), rowsFree()) : 1;
  const size = min<u32>(min<u32>(BLOCK, rows - row), room);
  for (let i: u32 = 0; i < size; i++) {
    const timeUs = timeInRange(load<i64>(times + (<usize>(row + i) << 3)));
    let slot = NO_SLOT;
    if (hasSlot && timeUs != NO_TIME) {
      slot = rowOpen(timeUs);
      clearNumbers(rowAddress(slot));
    }
    store<u32>(slots + (<usize>i << 2), slot);
    store<u32>(addresses + (<usize>i << 2), <u32>(slot == NO_SLOT ? spareRow : rowAddress(slot)));
  }
  return size;
}

/** Sees to it that the values which rows make by themselves (lists, numbers as text) will fit. */
function makeRoom(view: usize, row: u32, size: u32): void {
  let values: u32 = 0;
  let bytes: usize = 0;
  for (let c: u32 = 0; c < columnCount(); c++) {
    if (columnKind(c) != ColumnKind.Text) continue;
    const column = viewColumn(view, c);
    const listOffsets = <usize>load<u32>(column, ViewColumn.ListOffsets * 4);
    if (listOffsets != 0) {
      const first = load<u32>(listOffsets + (<usize>row << 2));
      const last = load<u32>(listOffsets + (<usize>(row + size) << 2));
      values += size;
      bytes += (<usize>(last - first) << 2) + (<usize>size << 4);
    } else if (load<u32>(column, ViewColumn.Kind * 4) == BatchKind.Number) {
      values += size;
      bytes += <usize>size * 48;
    }
  }
  const isScratchLow = scratchTop + <usize>size * 64 > scratchEnd;
  if (!isScratchLow && valuesFree() >= values && valueBytesFree() >= bytes) return;
  chunkFlush();
  scratchReset();
  valuesMakeRoom(values, bytes);
}

/** Place of a row in the batch as it was sent. */
function placeOf(row: u32): u32 {
  return isMoved ? load<u32>(ordinalTable() + (<usize>row << 2)) : row;
}

function stageBlock(row: u32, size: u32): void {
  touchHosts(size);
  for (let i: u32 = 0; i < size; i++) {
    const slot = load<u32>(slots + (<usize>i << 2));
    countRow();
    if (slot == NO_SLOT) {
      skipRow(rowsFree() == 0 ? SkipReason.RowStore : SkipReason.Time, placeOf(row + i));
      continue;
    }
    if (hostBytes != 0) fillHost(rowAddress(slot));
    rowStage(slot);
  }
}

/** Loads what the rows' hosts are found by, all at once: one after the other, each row would wait for its own. */
function touchHosts(size: u32): void {
  let sum: u64 = 0;
  for (let i: u32 = 0; i < size; i++) {
    const slot = load<u32>(slots + (<usize>i << 2));
    const host: u32 = slot == NO_SLOT ? 0 : hostTouchHash(rowHostHash(slot));
    store<u32>(hostsTouched + (<usize>i << 2), host);
  }
  for (let i: u32 = 0; i < size; i++) sum += hostTouchRecord(load<u32>(hostsTouched + (<usize>i << 2)));
  touched += sum;
}

/** The batch's host stands for the host id of rows that have none. */
function fillHost(at: usize): void {
  if (hostIdColumn == 0xffffffff) return;
  const cell = at + columnOffset(hostIdColumn);
  if (columnKind(hostIdColumn) == ColumnKind.Text) {
    if (load<u32>(cell) != 0) return;
    store<u32>(cell, internText(hostIdColumn, hostPointer, hostBytes, hashBytes(hostPointer, hostBytes)));
  } else {
    if (load<u64>(cell) != 0) return;
    store<u64>(cell, hashBytes(hostPointer, hostBytes));
    store<u32>(cell, <u32>hostPointer, 8);
    store<u32>(cell, min<u32>(hostBytes, IngestLimit.IdTextBytes), 12);
  }
  touch(hostIdColumn);
}

// ------------------------------------------------------------------------------------------- one column, one block

function fillColumn(column: usize, c: u32, row: u32, size: u32): void {
  const batchKind = load<u32>(column, ViewColumn.Kind * 4);
  const kind = columnKind(c);
  if (batchKind == 0 || kind == ColumnKind.Time) return;
  if (batchKind != BatchKind.Number && pagesCodes(spaceOf(isSession, c), c) == 0) return;
  touch(c);
  if (batchKind == BatchKind.Number) fillFromNumbers(column, c, kind, row, size);
  else if (load<u32>(column, ViewColumn.ListOffsets * 4) != 0) fillFromLists(column, c, kind, row, size);
  else if (kind == ColumnKind.Text) fillText(column, c, row, size);
  else fillSingles(column, c, kind, row, size);
}

@inline
function slotAt(i: u32): u32 {
  return load<u32>(slots + (<usize>i << 2));
}

@inline
function addressAt(i: u32): usize {
  return <usize>load<u32>(addresses + (<usize>i << 2));
}

/** The cells are empty, and code 0 stands for what an empty cell holds: nothing need be asked of a row. */
function fillText(column: usize, c: u32, row: u32, size: u32): void {
  const codes = <usize>load<u32>(column, ViewColumn.Codes * 4) + (<usize>row << 2);
  const offset = columnOffset(c);
  const space = spaceOf(isSession, c);
  const table = tableOf(space, c);
  const entries = entriesOf(space);
  for (let i: u32 = 0; i < size; i++) {
    const code = load<u32>(codes + (<usize>i << 2));
    store<u32>(addressAt(i) + offset, load<u32>(entries + (<usize>placeOfCode(table, code) << 2)));
  }
}

function fillSingles(column: usize, c: u32, kind: u32, row: u32, size: u32): void {
  const codes = <usize>load<u32>(column, ViewColumn.Codes * 4) + (<usize>row << 2);
  const offset = columnOffset(c);
  const space = spaceOf(isSession, c);
  const table = tableOf(space, c);
  for (let i: u32 = 0; i < size; i++) {
    const code = load<u32>(codes + (<usize>i << 2));
    // A skipped row's values are not told as mistyped.
    if (code == 0 || slotAt(i) == NO_SLOT) continue;
    copySingle(addressAt(i) + offset, pagesEntry(space, table, code), kind);
  }
}

@inline
function copySingle(cell: usize, entry: usize, kind: u32): void {
  if (kind == ColumnKind.Id) {
    v128.store(cell, v128.load(entry));
    return;
  }
  const number = load<f64>(entry);
  if (isNaN(number)) count(IngestCounter.Mistyped);
  store<f64>(cell, number);
}

function fillFromLists(column: usize, c: u32, kind: u32, row: u32, size: u32): void {
  const listOffsets = <usize>load<u32>(column, ViewColumn.ListOffsets * 4) + (<usize>row << 2);
  const codes = <usize>load<u32>(column, ViewColumn.Codes * 4);
  const offset = columnOffset(c);
  const space = spaceOf(isSession, c);
  const table = tableOf(space, c);
  for (let i: u32 = 0; i < size; i++) {
    const slot = slotAt(i);
    if (slot == NO_SLOT) continue;
    const first = load<u32>(listOffsets + (<usize>i << 2));
    const length = load<u32>(listOffsets + (<usize>i << 2), 4) - first;
    const items = codes + (<usize>first << 2);
    const cell = rowAddress(slot) + offset;
    if (kind == ColumnKind.Text) {
      const v = listValue(c, space, table, items, length);
      if (v != 0) store<u32>(cell, v);
    } else {
      const code = firstPresent(items, length);
      if (code != 0) copySingle(cell, pagesEntry(space, table, code), kind);
    }
  }
}

/** The values of a list. Those of elements that have several are all of them where the column keeps no elements apart. */
function listValue(c: u32, space: usize, table: usize, items: usize, length: u32): u32 {
  const isNested = columnNestedLength(c) != 0;
  let kept: u32 = 0;
  for (let i: u32 = 0; i < length; i++) {
    const code = load<u32>(items + (<usize>i << 2));
    const v: u32 = code == 0 ? 0 : load<u32>(pagesEntry(space, table, code));
    if (v == 0 && !isNested) continue;
    const added = !isNested && length > 1 && valueIsList(v) ? listLength(v) : 1;
    if (kept + added > <u32>IngestLimit.RowItems) {
      count(IngestCounter.Truncated);
      break;
    }
    const target = listBuffer + (<usize>kept << 2);
    if (added == 1) store<u32>(target, v);
    else for (let k: u32 = 0; k < added; k++) store<u32>(target + (<usize>k << 2), listItem(v, k));
    kept += added;
  }
  if (kept == 0) return 0;
  return isNested ? internNested(c, listBuffer, kept) : internList(c, listBuffer, kept);
}

function firstPresent(items: usize, length: u32): u32 {
  for (let i: u32 = 0; i < length; i++) {
    const code = load<u32>(items + (<usize>i << 2));
    if (code != 0) return code;
  }
  return 0;
}

function fillFromNumbers(column: usize, c: u32, kind: u32, row: u32, size: u32): void {
  const numbers = <usize>load<u32>(column, ViewColumn.Numbers * 4) + (<usize>row << 3);
  const validity = <usize>load<u32>(column, ViewColumn.Validity * 4);
  const offset = columnOffset(c);
  for (let i: u32 = 0; i < size; i++) {
    const slot = slotAt(i);
    if (slot == NO_SLOT || (validity != 0 && !isValid(validity, row + i))) continue;
    const number = load<f64>(numbers + (<usize>i << 3));
    if (!isFinite(number)) {
      if (kind == ColumnKind.Number) count(IngestCounter.Mistyped);
      continue;
    }
    const cell = rowAddress(slot) + offset;
    if (kind == ColumnKind.Number) store<f64>(cell, number);
    else if (kind == ColumnKind.Text) store<u32>(cell, internNumber(c, number));
    else writeNumberId(cell, number);
  }
}

@inline
function isValid(validity: usize, row: u32): bool {
  return ((load<u8>(validity + (row >> 3)) >> <u8>(row & 7)) & 1) != 0;
}

function writeNumberId(cell: usize, number: f64): void {
  const text = scratchTop;
  const length: u32 = text + 48 <= scratchEnd ? formatNumber(number, text) : 0;
  scratchTake(text + align8(length));
  store<u64>(cell, hashNumber(number));
  store<u32>(cell, <u32>text, 8);
  store<u32>(cell, length, 12);
}
