/** Values in snapshot records (`StateValue`): written from interned values and cells, read back into them. */
import { ColumnKind, ValueTag } from "../src/core/abi/events";
import { StateValue } from "../src/core/abi/snapshot";
import { columnKind } from "./columns";
import { hashBytes } from "./hash";
import { listItem, listLength } from "./lists";
import { align8, reserve } from "./memory";
import { cellIdHash, cellIdLength, cellIdPtr, cellNumber, cellText } from "./rows";
import {
  internBoolean, internNested, internNumber, internText, valueLength, valueNumber, valuePtr, valueTag,
} from "./values";

const HEADER: usize = 8;
/** Items of the lists of one value at most; a row holds fewer. */
const ITEMS_MAX: u32 = 8192;
const LIST_DEPTH_MAX: u32 = 4;

let items: usize = 0;
let itemTop: u32 = 0;
/** End of the value read last. */
let cursor: usize = 0;

export function snapshotValueInit(): void {
  items = reserve(usize(ITEMS_MAX) << 2);
}

/** Bytes of a value's record. */
export function valueBytes(value: u32): u32 {
  if (value == 0) return u32(HEADER);
  const tag = valueTag(value);
  if (tag == ValueTag.Number) return u32(HEADER + 8);
  if (tag != ValueTag.List) return u32(HEADER + align8(valueLength(value)));
  let bytes = u32(HEADER);
  for (let i: u32 = 0; i < listLength(value); i++) bytes += valueBytes(listItem(value, i));
  return bytes;
}

/** Writes a value at `to` and returns its end. */
export function writeValue(value: u32, to: usize): usize {
  if (value == 0) return header(to, StateValue.Missing, 0);
  const tag = valueTag(value);
  if (tag == ValueTag.Number) {
    store<f64>(to + HEADER, valueNumber(value));
    return header(to, StateValue.Number, 8) + 8;
  }
  if (tag == ValueTag.List) {
    let end = header(to, StateValue.List, listLength(value));
    for (let i: u32 = 0; i < listLength(value); i++) end = writeValue(listItem(value, i), end);
    return end;
  }
  const length = valueLength(value);
  return text(to, tag == ValueTag.Boolean ? StateValue.Boolean : StateValue.Text, valuePtr(value), length);
}

function header(to: usize, tag: u32, length: u32): usize {
  store<u32>(to, tag);
  store<u32>(to, length, 4);
  return to + HEADER;
}

function text(to: usize, tag: u32, pointer: usize, length: u32): usize {
  const at = header(to, tag, length);
  memory.fill(at + length, 0, align8(length) - length);
  memory.copy(at, pointer, length);
  return at + align8(length);
}

/** Bytes of a cell's record, 0 where the cell is missing. */
export function cellBytes(column: u32, slot: u32): u32 {
  const kind = columnKind(column);
  if (kind == ColumnKind.Text) return cellText(column, slot) == 0 ? 0 : valueBytes(cellText(column, slot));
  if (kind == ColumnKind.Number) return cellNumber(column, slot) == cellNumber(column, slot) ? u32(HEADER) + 8 : 0;
  if (kind != ColumnKind.Id || cellIdHash(column, slot) == 0) return 0;
  return u32(HEADER + align8(cellIdLength(column, slot))) + 8;
}

/** Writes a cell that is not missing and returns the end. */
export function writeCell(column: u32, slot: u32, to: usize): usize {
  const kind = columnKind(column);
  if (kind == ColumnKind.Text) return writeValue(cellText(column, slot), to);
  if (kind == ColumnKind.Number) {
    store<f64>(to + HEADER, cellNumber(column, slot));
    return header(to, StateValue.Number, 8) + 8;
  }
  const end = text(to, StateValue.Identity, cellIdPtr(column, slot), cellIdLength(column, slot));
  store<u64>(end, cellIdHash(column, slot));
  return end + 8;
}

/** End of the value that was read last. */
export function valueEnd(): usize {
  return cursor;
}

/** Interns the value at `from`, which ends before `end`, in a column; 0 where it is missing or damaged. */
export function readValue(column: u32, from: usize, end: usize): u32 {
  itemTop = 0;
  return readNested(column, from, end, 0);
}

function readNested(column: u32, from: usize, end: usize, depth: u32): u32 {
  cursor = end;
  if (from + HEADER > end || depth > LIST_DEPTH_MAX) return 0;
  const tag = load<u32>(from);
  const length = load<u32>(from, 4);
  const at = from + HEADER;
  if (tag == StateValue.List) return readList(column, at, end, length, depth);
  const bytes = align8(length) + (tag == StateValue.Identity ? 8 : 0);
  if (bytes > end - at) return 0;
  cursor = at + bytes;
  if (tag == StateValue.Number) return internNumber(column, load<f64>(at));
  if (tag == StateValue.Boolean) return internBoolean(column, length == 4);
  return tag == StateValue.Text ? internText(column, at, length, hashBytes(at, length)) : 0;
}

function readList(column: u32, from: usize, end: usize, count: u32, depth: u32): u32 {
  cursor = from;
  if (count > ITEMS_MAX - itemTop) {
    cursor = end;
    return 0;
  }
  const base = itemTop;
  itemTop += count;
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(items + (usize(base + i) << 2), readNested(column, cursor, end, depth + 1));
  }
  itemTop = base;
  return internNested(column, items + (usize(base) << 2), count);
}

/** Reads the value at `from` into the cell of an open row at address `cell`. An identity's text stays where it is. */
export function readCell(column: u32, cell: usize, from: usize, end: usize): void {
  const kind = columnKind(column);
  if (kind == ColumnKind.Text) {
    store<u32>(cell, readValue(column, from, end));
    return;
  }
  cursor = end;
  if (from + HEADER > end) return;
  const tag = load<u32>(from);
  const length = load<u32>(from, 4);
  const bytes = align8(length) + (tag == StateValue.Identity ? 8 : 0);
  if (bytes > end - from - HEADER) return;
  cursor = from + HEADER + bytes;
  if (kind == ColumnKind.Number && tag == StateValue.Number) store<f64>(cell, load<f64>(from + HEADER));
  if (kind == ColumnKind.Id && tag == StateValue.Identity) {
    store<u64>(cell, load<u64>(cursor - 8));
    store<u32>(cell, u32(from + HEADER), 8);
    store<u32>(cell, length, 12);
  }
}
