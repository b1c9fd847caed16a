/**
 * From what a line has said to a staged row. Texts that no column held lately are left pending (`json_pending.ts`), so
 * that the ids of several rows' values are found together; everything else of a row is complete when it is staged.
 */
import { ColumnKind, IngestCounter, IngestLimit, SkipReason, ValueTag } from "../src/core/abi/events";
import { columnKind, columnOffset, hostIdColumn, hostNameColumn, agentIdColumn, timeColumn } from "./columns";
import { hashBoolean, hashBytes, hashNumber } from "./hash";
import { chunkFlush, ensureSlot } from "./ingest";
import { count, scratchEnd, scratchTake, scratchTop } from "./input";
import { elementCount, nestedNode } from "./json_keys";
import { numberFromText } from "./json_number";
import {
  deferList,
  deferText,
  hasPendingRoom,
  isDeferrable,
  pendingBytes,
  pendingInit,
  pendingRow,
  pendingRowDrop,
  pendingRowEnd,
  pendingValues,
  settleValues,
} from "./json_pending";
import { columnSet, columnsSetCount, itemAt, itemCount, singleOf, stateIn, textBytes } from "./json_row";
import { align8, reserve } from "./memory";
import { clearNumbers, rowAddress, rowOpen, rowStage, touch } from "./rows";
import { NO_TIME, timeFromNumber, timeFromText } from "./time";
import { utf8Cut } from "./utf8";
import { valuesMakeRoom } from "./value_collection";
import { memoInit, memoRefresh } from "./value_memo";
import {
  formatNumber,
  internBoolean,
  internList,
  internNested,
  internNumber,
  internText,
  valueBytesFree,
  valuesFree,
} from "./values";

const NONE: u32 = 0xffffffff;
/** Most bytes of a value beside its text: its header, padding, and a place in a list. */
const VALUE_BYTES: usize = 64;

let listBuffer: usize = 0;
/** Whether texts and lists of the row in hand are left pending. */
let defers: bool = false;
/** Whether some column that names the host has interned values: they are needed at once. */
let isHostText: bool = false;

export function commitInit(): void {
  memoInit();
  pendingInit();
  listBuffer = reserve(<usize>IngestLimit.RowItems << 3);
  isHostText = isText(hostIdColumn) || isText(hostNameColumn) || isText(agentIdColumn);
}

function isText(c: u32): bool {
  return c != NONE && columnKind(c) == ColumnKind.Text;
}

/** Turns what was collected into a staged row. Returns the reason where the row is skipped, else 0. */
export function commitRow(): u32 {
  const timeUs = rowTime();
  if (timeUs == NO_TIME) return SkipReason.Time;
  const most = columnsSetCount + itemCount * 2;
  const bytes = textBytes + <usize>most * VALUE_BYTES;
  makeRoom(most, bytes);
  if (!ensureSlot()) return SkipReason.RowStore;
  pendingRow(most, bytes);
  const slot = rowOpen(timeUs);
  const at = rowAddress(slot);
  clearNumbers(at);
  for (let i: u32 = 0; i < columnsSetCount; i++) {
    const c = columnSet(i);
    const kind = columnKind(c);
    const state = stateIn(c);
    if (kind == ColumnKind.Text) writeText(c, state, at + columnOffset(c));
    else if (kind != ColumnKind.Time) writeSingle(c, kind, state, at + columnOffset(c));
  }
  if (isHostText) settleValues();
  if (rowStage(slot)) pendingRowEnd();
  else pendingRowDrop();
  return 0;
}

function rowTime(): i64 {
  if (timeColumn == NONE) return NO_TIME;
  const state = stateIn(timeColumn);
  if (state == 0) return NO_TIME;
  const cell = singleOf(state);
  if (cell == 0) return NO_TIME;
  const tag = load<u32>(cell, 4);
  if (tag == ValueTag.String) return timeFromText(<usize>load<u32>(cell, 16), load<u32>(cell, 20));
  return tag == ValueTag.Number ? timeFromNumber(load<f64>(cell, 8)) : NO_TIME;
}

/** Sees to it that the row's values will fit, and what is pending before them. */
function makeRoom(most: u32, bytes: usize): void {
  const values = columnsSetCount + itemCount;
  defers = isDeferrable(values);
  if (defers && !hasPendingRoom(values, columnsSetCount)) settleValues();
  if (valuesFree() < pendingValues + most || valueBytesFree() < pendingBytes + bytes) {
    chunkFlush();
    valuesMakeRoom(most, bytes);
  }
  memoRefresh();
}

@inline
function writeText(c: u32, state: usize, cell: usize): void {
  const v = load<u32>(state, 24) == 0 ? valueOf(c, state, cell, true) : listOf(c, state, cell);
  if (v == 0) return;
  store<u32>(cell, v);
  touch(c);
}

/** Id of a scalar; 0 for a missing one, and for one that is pending and goes to `target` later. */
@inline
function valueOf(c: u32, from: usize, target: usize, isCell: bool): u32 {
  if (load<u32>(from, 4) != ValueTag.String || !defers) return valueNow(c, from);
  return deferText(c, <usize>load<u32>(from, 16), load<u32>(from, 20), target, isCell);
}

/** Id of a scalar, found at once; 0 for a missing one. */
function valueNow(c: u32, from: usize): u32 {
  const tag = load<u32>(from, 4);
  const text = <usize>load<u32>(from, 16);
  const length = load<u32>(from, 20);
  if (tag == ValueTag.String) return internText(c, text, length, hashBytes(text, length));
  if (tag == ValueTag.Number) return isFinite(load<f64>(from, 8)) ? internNumber(c, load<f64>(from, 8)) : 0;
  return tag == ValueTag.Boolean ? internBoolean(c, load<f64>(from, 8) != 0) : 0;
}

/** Id of a list, or 0 where it is empty or pending. */
function listOf(c: u32, state: usize, cell: usize): u32 {
  const nested = nestedNode(c);
  if (nested != 0) return internElements(c, state, elementCount(nested, load<u32>(state, 24)));
  const length = load<u32>(state, 36);
  if (length == 0) return 0;
  const ids = defers ? deferList(c, cell, length) : listBuffer;
  let id = ids;
  for (let n = load<u32>(state, 28); n != 0; n = load<u32>(itemAt(n))) {
    const v = valueOf(c, itemAt(n), id, false);
    if (defers) {
      store<u32>(id, v);
      id += 4;
    } else if (v != 0) {
      store<u32>(id, v);
      id += 4;
    }
  }
  return defers ? 0 : internList(c, ids, <u32>(id - ids) >> 2);
}

/** One item for each element of the nested path, 0 where it has no value; an element of several values is a list. */
function internElements(c: u32, state: usize, elements: u32): u32 {
  const total = min<u32>(max<u32>(elements, 1), IngestLimit.RowItems);
  memory.fill(listBuffer, 0, <usize>total << 2);
  const inner = listBuffer + (<usize>IngestLimit.RowItems << 2);
  let n = load<u32>(state, 28);
  while (n != 0) {
    const element = load<u32>(itemAt(n), 24);
    let length: u32 = 0;
    while (n != 0 && load<u32>(itemAt(n), 24) == element) {
      store<u32>(inner + (<usize>length << 2), valueNow(c, itemAt(n)));
      length++;
      n = load<u32>(itemAt(n));
    }
    if (element < total) store<u32>(listBuffer + (<usize>element << 2), internList(c, inner, length));
  }
  return internNested(c, listBuffer, total);
}

/** Number and Id cells hold one value: of several, the first. */
function writeSingle(c: u32, kind: u32, state: usize, target: usize): void {
  const cell = singleOf(state);
  if (cell == 0) return;
  const tag = load<u32>(cell, 4);
  if (tag == ValueTag.Missing) return;
  if (kind == ColumnKind.Number) writeNumber(tag, cell, target);
  else writeId(tag, cell, target);
  touch(c);
}

function writeNumber(tag: u32, cell: usize, target: usize): void {
  let number = load<f64>(cell, 8);
  if (tag == ValueTag.String) number = numberFromText(<usize>load<u32>(cell, 16), load<u32>(cell, 20));
  else if (tag == ValueTag.Boolean) number = NaN;
  const isNumber = isFinite(number);
  if (!isNumber) count(IngestCounter.Mistyped);
  store<f64>(target, isNumber ? number : NaN);
}

function writeId(tag: u32, cell: usize, target: usize): void {
  let text = <usize>load<u32>(cell, 16);
  let length = load<u32>(cell, 20);
  if (tag == ValueTag.String) {
    store<u64>(target, hashBytes(text, length));
    if (length > <u32>IngestLimit.IdTextBytes) {
      length = utf8Cut(text, IngestLimit.IdTextBytes);
      count(IngestCounter.Truncated);
    }
  } else if (tag == ValueTag.Number) {
    const number = load<f64>(cell, 8);
    if (!isFinite(number)) return;
    store<u64>(target, hashNumber(number));
    text = scratchTop;
    length = text + 48 <= scratchEnd ? formatNumber(number, text) : 0;
    scratchTake(text + align8(length));
  } else {
    store<u64>(target, hashBoolean(load<f64>(cell, 8) != 0));
  }
  store<u32>(target, <u32>text, 8);
  store<u32>(target, length, 12);
}
