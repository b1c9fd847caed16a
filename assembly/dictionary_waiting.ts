/**
 * Dictionary entries that wait until a row uses them. A kernel that shares its stream with others is sent the entries of
 * all rows, and most are only used by rows of others: looking each up would be the same work in every kernel. An entry of
 * a session is kept as it came, within the memory of values; one of the batch in hand stays in the input region.
 *
 *   code page   id, or WAITING | record of the entries it came with, 0 for those of the batch in hand
 *   entries     u32 codes before | u32 entries | u32 bytes of tags | u32 | u32 offsets (entries + 1) | tags | text
 */
import { IngestCounter, IngestLimit, ValueTag, ViewColumn } from "../src/core/abi/events";
import { entriesOf, pagesAdd, pagesEntry, placeOfCode, tableOf } from "./code_pages";
import { columnCount } from "./columns";
import { hashBytes } from "./hash";
import { count, maxValueBytes, scratchBase, scratchEnd } from "./input";
import { numberFromText } from "./json_number";
import { reserve } from "./memory";
import { utf8Cut } from "./utf8";
import { valuesMakeRoom } from "./value_collection";
import { internBoolean, internList, internNumber, internText, keepBytes, placeOf, touchSlot, valuePtr } from "./values";

/** Flag of a code page's word. Ids are below it. */
export const WAITING: u32 = 0x80000000;
const HEADER: usize = 16;
/** Codes looked up together: hashed, and their index slots fetched, before they are interned. */
const GROUP: u32 = 64;
const TRUE_TEXT: u32 = 0x65757274;
/** Bytes that a value takes beside its text. */
const VALUE_BYTES: u32 = 48;

/** Column records of the batch in hand, for the entries that stayed in it. */
let records: usize = 0;
let group: usize = 0;
let grouped: u32 = 0;
let hashes: usize = 0;
let items: usize = 0;

/** Some entries of the session wait. */
export let sessionWaits: bool = false;
/** Keeps the touching loads alive. */
export let touched: u64 = 0;

/** The entry in hand. */
let tag: u32 = 0;
let text: usize = 0;
let length: u32 = 0;

export function waitingInit(): void {
  records = reserve(<usize>columnCount() << 2);
  group = reserve(GROUP << 2);
  hashes = reserve(GROUP << 3);
  items = reserve(<usize>IngestLimit.RowItems << 2);
}

/** A session starts: nothing of the one before waits any more. */
export function waitingReset(): void {
  sessionWaits = false;
}

/** Adds the entries of a Text column's record without looking at them. Where no room is left they are missing. */
export function addWaiting(column: usize, space: usize, c: u32, isDelta: bool): void {
  const entries = load<u32>(column, ViewColumn.Entries * 4);
  store<u32>(records + (<usize>c << 2), <u32>column);
  let word = WAITING;
  if (isDelta) {
    sessionWaits = true;
    const kept = keepEntries(column, entries);
    word = kept == 0 ? 0 : WAITING | kept;
  }
  for (let i: u32 = 0; i < entries; i++) store<u32>(pagesAdd(space, c), word);
}

function keepEntries(column: usize, entries: u32): u32 {
  const tags = <usize>load<u32>(column, ViewColumn.Tags * 4);
  const tagBytes: u32 = tags == 0 ? 0 : entries;
  const offsetBytes = (entries + 1) << 2;
  const textBytes = load<u32>(column, ViewColumn.TextBytes * 4);
  const kept = keepBytes(<u32>HEADER + offsetBytes + tagBytes + textBytes);
  if (kept == 0) return 0;
  const at = valuePtr(kept);
  store<u32>(at, load<u32>(column, ViewColumn.Base * 4));
  store<u32>(at, entries, 4);
  store<u32>(at, tagBytes, 8);
  memory.copy(at + HEADER, <usize>load<u32>(column, ViewColumn.Offsets * 4), offsetBytes);
  memory.copy(at + HEADER + offsetBytes, tags, tagBytes);
  memory.copy(at + HEADER + offsetBytes + tagBytes, <usize>load<u32>(column, ViewColumn.Text * 4), textBytes);
  return kept;
}

/** Sees to it that none of `total` codes at `codes` waits. Between chunks: values may be collected. */
export function useCodes(space: usize, c: u32, codes: usize, total: u32): void {
  const table = tableOf(space, c);
  const entries = entriesOf(space);
  for (let i: u32 = 0; i < total; i++) {
    const code = load<u32>(codes + (<usize>i << 2));
    if (<i32>load<u32>(entries + (<usize>placeOfCode(table, code) << 2)) >= 0) continue;
    store<u32>(group + (<usize>grouped << 2), code);
    if (++grouped == GROUP) settleGroup(space, table, c);
  }
  settleGroup(space, table, c);
}

/** Looks up the codes of the group, which may come several times. */
function settleGroup(space: usize, table: usize, c: u32): void {
  let touching: u64 = 0;
  let bytes: usize = 0;
  for (let i: u32 = 0; i < grouped; i++) {
    const code = load<u32>(group + (<usize>i << 2));
    openEntry(load<u32>(pagesEntry(space, table, code)), c, code);
    if (tag != ValueTag.String) continue;
    const kept = keptLength();
    const hash = hashBytes(text, kept);
    bytes += kept + VALUE_BYTES;
    store<u64>(hashes + (<usize>i << 3), hash);
    touching += touchSlot(placeOf(c, hash));
  }
  touched += touching;
  valuesMakeRoom(grouped, bytes);
  for (let i: u32 = 0; i < grouped; i++) {
    const code = load<u32>(group + (<usize>i << 2));
    const entry = pagesEntry(space, table, code);
    const word = load<u32>(entry);
    if (<i32>word >= 0) continue;
    openEntry(word, c, code);
    if (tag == ValueTag.String) store<u32>(entry, internString(c, load<u64>(hashes + (<usize>i << 3))));
    else if (tag == ValueTag.List) settleList(space, table, c, code);
    else store<u32>(entry, internSingle(c));
  }
  grouped = 0;
}

/** Finds the entry that a waiting word of a code page stands for. */
function openEntry(word: u32, c: u32, code: u32): void {
  const kept = word & ~WAITING;
  if (kept == 0) {
    const column = <usize>load<u32>(records + (<usize>c << 2));
    const i = code - 1 - load<u32>(column, ViewColumn.Base * 4);
    const offsets = <usize>load<u32>(column, ViewColumn.Offsets * 4);
    findEntry(i, offsets, <usize>load<u32>(column, ViewColumn.Tags * 4), <usize>load<u32>(column, ViewColumn.Text * 4));
    return;
  }
  const at = valuePtr(kept);
  const tagBytes = load<u32>(at, 8);
  const tags = at + HEADER + ((<usize>load<u32>(at, 4) + 1) << 2);
  findEntry(code - 1 - load<u32>(at), at + HEADER, tagBytes == 0 ? 0 : tags, tags + tagBytes);
}

function findEntry(i: u32, offsets: usize, tags: usize, texts: usize): void {
  const start = load<u32>(offsets + (<usize>i << 2));
  tag = tags == 0 ? <u32>ValueTag.String : <u32>load<u8>(tags + i);
  text = texts + start;
  length = load<u32>(offsets + (<usize>i << 2), 4) - start;
}

@inline
function keptLength(): u32 {
  return length <= maxValueBytes ? length : utf8Cut(text, maxValueBytes);
}

function internString(c: u32, hash: u64): u32 {
  const kept = keptLength();
  if (kept < length) count(IngestCounter.Truncated);
  return internText(c, text, kept, hash);
}

/** The entry in hand, which is no list. */
function internSingle(c: u32): u32 {
  if (tag == ValueTag.Number) return internNumber(c, numberFromText(text, length));
  if (tag == ValueTag.Boolean) return internBoolean(c, load<u32>(text) == TRUE_TEXT);
  return internString(c, hashBytes(text, keptLength()));
}

/**
 * Looks up a list and what it holds. Lists hold codes of entries before them, of lists too; those that wait are looked up
 * first. The way down lies in the scratch: u32 code | u32 items seen.
 */
function settleList(space: usize, table: usize, c: u32, code: u32): void {
  let top = scratchBase;
  store<u64>(top, <u64>code);
  for (;;) {
    const at = load<u32>(top);
    const entry = pagesEntry(space, table, at);
    const next: u32 = <i32>load<u32>(entry) >= 0 ? 0 : settleOrDescend(space, table, c, entry, at, top);
    if (next == 0) {
      if (top == scratchBase) return;
      top -= 8;
    } else if (top + 16 > scratchEnd) {
      store<u32>(pagesEntry(space, table, next), 0);
    } else {
      top += 8;
      store<u64>(top, <u64>next);
    }
  }
}

/** Looks the entry up, where nothing that it holds waits: 0. Else the first code that does. */
function settleOrDescend(space: usize, table: usize, c: u32, entry: usize, code: u32, frame: usize): u32 {
  openEntry(load<u32>(entry), c, code);
  if (tag != ValueTag.List) {
    valuesMakeRoom(1, <usize>length + VALUE_BYTES);
    openEntry(load<u32>(entry), c, code);
    store<u32>(entry, internSingle(c));
    return 0;
  }
  const total = min<u32>(length >> 2, IngestLimit.RowItems);
  for (let i = load<u32>(frame, 4); i < total; i++) {
    const item = load<u32>(text + (<usize>i << 2));
    if (item == 0 || <i32>load<u32>(pagesEntry(space, table, item)) >= 0) continue;
    store<u32>(frame, i + 1, 4);
    return item;
  }
  if (total < length >> 2) count(IngestCounter.Truncated);
  for (let i: u32 = 0; i < total; i++) {
    const item = load<u32>(text + (<usize>i << 2));
    store<u32>(items + (<usize>i << 2), item == 0 ? 0 : load<u32>(pagesEntry(space, table, item)));
  }
  valuesMakeRoom(1, (<usize>total << 2) + VALUE_BYTES);
  store<u32>(entry, internList(c, items, total));
  return 0;
}
