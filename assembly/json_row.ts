/**
 * The row in hand: what the line has said of each column so far. Nothing is interned before the line is known to be
 * sound, and then all of its values together, so that their index slots are fetched at the same time.
 *
 *   state (48 bytes)  0 row number | 4 tag | 8 number or hash | 16 text | 20 bytes | 24 array, 0 for none
 *                     28 first item | 32 last item | 36 items | 40 value id if known
 *   item (48 bytes)   0 next | 4 tag | 8 number or hash | 16 text | 20 bytes | 24 element | 40 value id if known
 */
import { ColumnKind, IngestCounter, IngestLimit, SkipReason, ValueTag } from "../src/core/abi/events";
import { columnCount, columnKind, columnOffset, timeColumn } from "./columns";
import { hashBoolean, hashBytes, hashNumber } from "./hash";
import { chunkFlush, ensureSlot } from "./ingest";
import { count, scratchEnd, scratchTake, scratchTop } from "./input";
import { elementCount, nestedNode, nextColumn, nodeColumn } from "./json_keys";
import { numberFromText } from "./json_number";
import { align8, reserve } from "./memory";
import { clearNumbers, rowAddress, rowOpen, rowStage, touch } from "./rows";
import { NO_TIME, timeFromNumber, timeFromText } from "./time";
import { utf8Cut } from "./utf8";
import { valuesMakeRoom } from "./value_collection";
import { memoFind, memoInit, memoRefresh, memoStore, signatureOf } from "./value_memo";
import {
  formatNumber,
  internBoolean,
  internList,
  internNested,
  internNumber,
  internText,
  placeOf,
  record,
  touchSlot,
  valueBytesFree,
  valuePtr,
  valuesFree,
} from "./values";

const STATE: usize = 48;
const ITEM: usize = 48;
/** Columns that one name can have: its kinds. */
const COLUMNS_OF_NODE: u32 = 8;

let states: usize = 0;
let columnsSet: usize = 0;
let columnsSetCount: u32 = 0;
let items: usize = 0;
let itemCount: u32 = 0;
let listBuffer: usize = 0;
let rowNumber: u32 = 0;
/** Where in the index the row's texts belong. */
let places: usize = 0;
let placeCount: usize = 0;
/** Keeps the touching loads alive. */
export let touched: u64 = 0;

export function rowStateInit(): void {
  memoInit();
  states = reserve(<usize>columnCount() * STATE);
  columnsSet = reserve(<usize>columnCount() << 2);
  items = reserve(<usize>(IngestLimit.RowItems + 1) * ITEM);
  listBuffer = reserve(<usize>IngestLimit.RowItems << 3);
  places = reserve(<usize>(columnCount() + IngestLimit.RowItems) << 3);
}

/** Forgets the row before. */
export function rowReset(): void {
  if (++rowNumber == 0) {
    memory.fill(states, 0, <usize>columnCount() * STATE);
    rowNumber = 1;
  }
  columnsSetCount = 0;
  itemCount = 0;
}

// ---------------------------------------------------------------------------------------------- collecting

/** A value at `node`, for each column of that name. `array` is the outermost array it is in, 0 for none. */
@inline
export function setValue(node: u32, array: u32, tag: u32, text: usize, length: u32, number: f64): void {
  let next = nodeColumn(node);
  while (next != 0) {
    const c = next - 1;
    if (array == 0) setScalar(stateOf(c), tag, text, length, number);
    else if (tag != ValueTag.Missing) addItem(c, array, tag, text, length, number);
    next = nextColumn(c);
  }
}

/** As {@link setValue} for a scalar outside of arrays. False, and nothing set, where the row holds something there. */
@inline
export function setFirst(node: u32, tag: u32, text: usize, length: u32, number: f64): bool {
  if (isSet(node)) return false;
  let next = nodeColumn(node);
  do {
    setScalar(stateOf(next - 1), tag, text, length, number);
    next = nextColumn(next - 1);
  } while (next != 0);
  return true;
}

/** As {@link setValue} for an item of array `array`. False where the row has no room for more items. */
@inline
export function addItems(node: u32, array: u32, tag: u32, text: usize, length: u32, number: f64): bool {
  if (itemCount + COLUMNS_OF_NODE > <u32>IngestLimit.RowItems) return false;
  setValue(node, array, tag, text, length, number);
  return true;
}

/** Whether the row holds something at `node`, which has columns. */
@inline
export function isSet(node: u32): bool {
  return load<u32>(states + <usize>(nodeColumn(node) - 1) * STATE) == rowNumber;
}

/** An array begins at `node`: what its columns held before is replaced, even if the array turns out empty. */
export function startList(node: u32, array: u32): void {
  let next = nodeColumn(node);
  while (next != 0) {
    claim(stateOf(next - 1), array);
    next = nextColumn(next - 1);
  }
}

/** The state of column `c`, entered in the list of this row's columns when it is first asked for. */
@inline
function stateOf(c: u32): usize {
  const state = states + <usize>c * STATE;
  if (load<u32>(state) != rowNumber) {
    store<u32>(state, rowNumber);
    store<u32>(state, 0, 24);
    store<u32>(columnsSet + (<usize>columnsSetCount << 2), c);
    columnsSetCount++;
  }
  return state;
}

@inline
function setScalar(state: usize, tag: u32, text: usize, length: u32, number: f64): void {
  store<u32>(state, tag, 4);
  store<f64>(state, number, 8);
  store<u32>(state, <u32>text, 16);
  store<u32>(state, length, 20);
  store<u32>(state, 0, 24);
}

function claim(state: usize, array: u32): void {
  if (load<u32>(state, 24) == array) return;
  store<u32>(state, array, 24);
  store<u32>(state, ValueTag.List, 4);
  store<u64>(state, 0, 28);
  store<u32>(state, 0, 36);
}

function addItem(c: u32, array: u32, tag: u32, text: usize, length: u32, number: f64): void {
  const state = stateOf(c);
  claim(state, array);
  if (itemCount == <u32>IngestLimit.RowItems) {
    count(IngestCounter.Truncated);
    return;
  }
  const i = ++itemCount;
  const item = itemAt(i);
  const nested = nestedNode(c);
  store<u32>(item, 0);
  store<u32>(item, tag, 4);
  store<f64>(item, number, 8);
  store<u32>(item, <u32>text, 16);
  store<u32>(item, length, 20);
  store<u32>(item, nested == 0 ? 0 : max<u32>(elementCount(nested, array), 1) - 1, 24);
  const last = load<u32>(state, 32);
  if (last == 0) store<u32>(state, i, 28);
  else store<u32>(itemAt(last), i);
  store<u32>(state, i, 32);
  store<u32>(state, load<u32>(state, 36) + 1, 36);
}

/** Items are numbered from 1. */
@inline
function itemAt(i: u32): usize {
  return items + <usize>i * ITEM;
}

// ---------------------------------------------------------------------------------------------- committing

/** Turns what was collected into a staged row. Returns the reason where the row is skipped, else 0. */
export function commitRow(): u32 {
  const timeUs = rowTime();
  if (timeUs == NO_TIME) return SkipReason.Time;
  prepareValues();
  if (!ensureSlot()) return SkipReason.RowStore;
  const slot = rowOpen(timeUs);
  const at = rowAddress(slot);
  clearNumbers(at);
  for (let i: u32 = 0; i < columnsSetCount; i++) {
    const c = load<u32>(columnsSet + (<usize>i << 2));
    const kind = columnKind(c);
    const state = states + <usize>c * STATE;
    if (kind == ColumnKind.Text) writeText(c, state, at);
    else if (kind != ColumnKind.Time) writeSingle(c, kind, state, at);
  }
  rowStage(slot);
  return 0;
}

function rowTime(): i64 {
  if (timeColumn == 0xffffffff) return NO_TIME;
  const state = states + <usize>timeColumn * STATE;
  if (load<u32>(state) != rowNumber) return NO_TIME;
  const cell = singleOf(state);
  if (cell == 0) return NO_TIME;
  const tag = load<u32>(cell, 4);
  if (tag == ValueTag.String) return timeFromText(<usize>load<u32>(cell, 16), load<u32>(cell, 20));
  return tag == ValueTag.Number ? timeFromNumber(load<f64>(cell, 8)) : NO_TIME;
}

/** The state itself, or the first item of its list; 0 where the list is empty. */
@inline
function singleOf(state: usize): usize {
  if (load<u32>(state, 24) == 0) return state;
  const first = load<u32>(state, 28);
  return first == 0 ? 0 : itemAt(first);
}

/** Finds or hashes the texts to intern, and sees to it that they will fit. */
function prepareValues(): void {
  memoRefresh();
  const bytes = prepareTexts();
  const most = columnsSetCount + itemCount * 2;
  if (valuesFree() >= most && valueBytesFree() >= bytes) return;
  chunkFlush();
  valuesMakeRoom(most, bytes);
  memoRefresh();
  // Ids that were found may be gone.
  prepareTexts();
}

/** Returns the most bytes that the row's values may take. */
function prepareTexts(): usize {
  let bytes: usize = 0;
  let touching: u64 = 0;
  placeCount = 0;
  for (let i: u32 = 0; i < columnsSetCount; i++) {
    const c = load<u32>(columnsSet + (<usize>i << 2));
    if (columnKind(c) != ColumnKind.Text) continue;
    const state = states + <usize>c * STATE;
    bytes += 48;
    if (load<u32>(state, 24) == 0) {
      if (load<u32>(state, 4) != ValueTag.String) continue;
      touching += prepareText(c, state);
      bytes += load<u32>(state, 20);
      continue;
    }
    for (let n = load<u32>(state, 28); n != 0; n = load<u32>(itemAt(n))) {
      bytes += 64;
      if (load<u32>(itemAt(n), 4) != ValueTag.String) continue;
      touching += prepareText(c, itemAt(n));
      bytes += load<u32>(itemAt(n), 20);
    }
  }
  touched += touching + touchValues();
  return bytes;
}

@inline
function prepareText(c: u32, cell: usize): u64 {
  const text = <usize>load<u32>(cell, 16);
  const length = load<u32>(cell, 20);
  const known = memoFind(c, ValueTag.String, signatureOf(text, length), text, length);
  store<u32>(cell, known, 40);
  if (known != 0) return 0;
  const hash = hashBytes(text, length);
  store<u64>(cell, hash, 8);
  const place = placeOf(c, hash);
  store<u64>(places + (<usize>placeCount << 3), place);
  placeCount++;
  return touchSlot(place);
}

/**
 * Fetches what the interning is about to read: from index slot to record to text, each step for all values before the
 * next, so that the waits for memory overlap. WebAssembly has no prefetch.
 */
function touchValues(): u64 {
  let touching: u64 = 0;
  for (let i: usize = 0; i < placeCount; i++) touching += load<u64>(record(<u32>touchSlot(load<u64>(places + (i << 3)))));
  for (let i: usize = 0; i < placeCount; i++) {
    touching += load<u64>(valuePtr(<u32>touchSlot(load<u64>(places + (i << 3)))));
  }
  return touching;
}

@inline
function writeText(c: u32, state: usize, at: usize): void {
  const v = load<u32>(state, 24) == 0 ? internCell(c, load<u32>(state, 4), state) : internItems(c, state);
  if (v == 0) return;
  store<u32>(at + columnOffset(c), v);
  touch(c);
}

@inline
function internCell(c: u32, tag: u32, cell: usize): u32 {
  if (tag == ValueTag.String) {
    const known = load<u32>(cell, 40);
    return known != 0 ? known : internNew(c, <usize>load<u32>(cell, 16), load<u32>(cell, 20), load<u64>(cell, 8));
  }
  if (tag == ValueTag.Number) return isFinite(load<f64>(cell, 8)) ? internNumber(c, load<f64>(cell, 8)) : 0;
  return tag == ValueTag.Boolean ? internBoolean(c, load<f64>(cell, 8) != 0) : 0;
}

/** Interns a text that the memo did not know, and has the memo know it from now on. */
function internNew(c: u32, text: usize, length: u32, hash: u64): u32 {
  const v = internText(c, text, length, hash);
  if (v != 0) memoStore(c, signatureOf(text, length), v);
  return v;
}

function internItems(c: u32, state: usize): u32 {
  const nested = nestedNode(c);
  if (nested != 0) return internElements(c, state, elementCount(nested, load<u32>(state, 24)));
  let length: u32 = 0;
  for (let n = load<u32>(state, 28); n != 0; n = load<u32>(itemAt(n))) {
    const v = internCell(c, load<u32>(itemAt(n), 4), itemAt(n));
    if (v == 0) continue;
    store<u32>(listBuffer + (<usize>length << 2), v);
    length++;
  }
  return length < 2 ? internList(c, listBuffer, length) : internKnown(c, length << 2);
}

/** The list whose item ids lie in the buffer: recognised without hashing its items where it came lately. */
function internKnown(c: u32, bytes: u32): u32 {
  const signature = signatureOf(listBuffer, bytes);
  const known = memoFind(c, ValueTag.List, signature, listBuffer, bytes);
  if (known != 0) return known;
  const v = internList(c, listBuffer, bytes >> 2);
  if (v != 0) memoStore(c, signature, v);
  return v;
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
      store<u32>(inner + (<usize>length << 2), internCell(c, load<u32>(itemAt(n), 4), itemAt(n)));
      length++;
      n = load<u32>(itemAt(n));
    }
    if (element < total) store<u32>(listBuffer + (<usize>element << 2), internList(c, inner, length));
  }
  return internNested(c, listBuffer, total);
}

/** Number and Id cells hold one value: of several, the first. */
function writeSingle(c: u32, kind: u32, state: usize, at: usize): void {
  const cell = singleOf(state);
  if (cell == 0) return;
  const tag = load<u32>(cell, 4);
  if (tag == ValueTag.Missing) return;
  const target = at + columnOffset(c);
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
