/**
 * The row in hand: what the line has said of each column so far. Nothing is interned before the line is known to be
 * sound (`json_commit.ts`).
 *
 *   state (40 bytes)  0 row number | 4 tag | 8 number | 16 text | 20 bytes | 24 array, 0 for none
 *                     28 first item | 32 last item | 36 items
 *   item (32 bytes)   0 next | 4 tag | 8 number | 16 text | 20 bytes | 24 element
 */
import { IngestCounter, IngestLimit, ValueTag } from "../src/core/abi/events";
import { columnCount } from "./columns";
import { patternColumn } from "./field_patterns";
import { count } from "./input";
import { elementCount, nestedNode, nextColumn, nodeColumn, nodePatterns } from "./json_keys";
import { reserve } from "./memory";

const STATE: usize = 40;
const ITEM: usize = 32;
/** Columns that one name can have: its kinds. */
const COLUMNS_OF_NODE: u32 = 8;
/** In place of an array: values of several fields, which are in arrays or not. */
const FIELDS: u32 = 0xffffffff;

let states: usize = 0;
let columnsSet: usize = 0;
/** Columns that the row says something of; {@link columnSet} names them. */
export let columnsSetCount: u32 = 0;
let items: usize = 0;
/** Items of all lists of the row. */
export let itemCount: u32 = 0;
/** Bytes of all texts that the row was given. */
export let textBytes: usize = 0;
let rowNumber: u32 = 0;

export function rowStateInit(): void {
  states = reserve(<usize>columnCount() * STATE);
  columnsSet = reserve(<usize>columnCount() << 2);
  items = reserve(<usize>(IngestLimit.RowItems + 1) * ITEM);
}

/** Forgets the row before. */
export function rowReset(): void {
  if (++rowNumber == 0) {
    memory.fill(states, 0, <usize>columnCount() * STATE);
    rowNumber = 1;
  }
  columnsSetCount = 0;
  itemCount = 0;
  textBytes = 0;
}

/** Column `i` of those that the row says something of. */
@inline
export function columnSet(i: u32): u32 {
  return load<u32>(columnsSet + (<usize>i << 2));
}

/** What the row in hand says of column `c`; 0 for nothing. */
@inline
export function stateIn(c: u32): usize {
  const state = states + <usize>c * STATE;
  return load<u32>(state) == rowNumber ? state : 0;
}

/** The state itself, or the first item of its list; 0 where the list is empty. */
@inline
export function singleOf(state: usize): usize {
  if (load<u32>(state, 24) == 0) return state;
  const first = load<u32>(state, 28);
  return first == 0 ? 0 : itemAt(first);
}

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

/** As {@link setValue} for the columns of patterns that the name of `node` satisfies: one more of their values. */
export function addPatterned(node: u32, array: u32, tag: u32, text: usize, length: u32, number: f64): void {
  if (tag == ValueTag.Missing) return;
  let left = nodePatterns(node);
  while (left != 0) {
    const c = patternColumn(<u32>ctz<u64>(left));
    left &= left - 1;
    addItem(c, array != 0 && nestedNode(c) != 0 ? array : FIELDS, tag, text, length, number);
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
  textBytes += length;
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
  textBytes += length;
  store<u32>(item, nested == 0 ? 0 : max<u32>(elementCount(nested, array), 1) - 1, 24);
  const last = load<u32>(state, 32);
  if (last == 0) store<u32>(state, i, 28);
  else store<u32>(itemAt(last), i);
  store<u32>(state, i, 32);
  store<u32>(state, load<u32>(state, 36) + 1, 36);
}

/** Items are numbered from 1. */
@inline
export function itemAt(i: u32): usize {
  return items + <usize>i * ITEM;
}
