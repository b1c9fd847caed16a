/**
 * Dictionary entries that wait until a row uses them. A kernel that shares its stream with others is sent the entries of
 * all rows, and most are only used by rows of others: looking each up would be the same work in every kernel. An entry of
 * a session is kept as it came, within the memory of values; one of the batch in hand stays in the input region.
 *
 *   code page   id, or WAITING | record of the entries it came with, 0 for those of the batch in hand
 *   entries     u32 codes before | u32 entries | u32 bytes of tags | u32 | u32 offsets (entries + 1) | tags | text
 */
import { IngestLimit, ValueTag, ViewColumn } from "../src/core/abi/events";
import { entriesOf, pagesAdd, pagesEntry, placeOfCode, tableOf } from "./code_pages";
import { columnCount } from "./columns";
import { hashBytes } from "./hash";
import { cutLength, internEntry, tagOf } from "./dictionary_entry";
import { scratchBase, scratchEnd } from "./input";
import { reserve } from "./memory";
import { valuesMakeRoom } from "./value_collection";
import { keepBytes, placeOf, touchSlot, valuePtr } from "./values";

/** Flag of a code page's word. Ids are below it. */
export const WAITING: u32 = 0x80000000;
const HEADER: usize = 16;
/** Codes looked up together: hashed, and their index slots fetched, before they are interned. */
const GROUP: u32 = 64;
/** Bytes that a value takes beside its text. */
const VALUE_BYTES: u32 = 48;

/** Column records of the batch in hand, for the entries that stayed in it. */
let records: usize = 0;
let group: usize = 0;
let grouped: u32 = 0;
let hashes: usize = 0;

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
    const kept = cutLength(text, length);
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
    if (tag == ValueTag.List) settleList(space, table, c, code);
    else store<u32>(entry, internEntry(space, c, tag, text, length, load<u64>(hashes + (<usize>i << 3))));
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
  tag = tagOf(tags, i);
  text = texts + start;
  length = load<u32>(offsets + (<usize>i << 2), 4) - start;
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
  const isList = tag == ValueTag.List;
  const total: u32 = isList ? min<u32>(length >> 2, IngestLimit.RowItems) : 0;
  for (let i = load<u32>(frame, 4); i < total; i++) {
    const item = load<u32>(text + (<usize>i << 2));
    if (item == 0 || <i32>load<u32>(pagesEntry(space, table, item)) >= 0) continue;
    store<u32>(frame, i + 1, 4);
    return item;
  }
  valuesMakeRoom(1, <usize>(isList ? total << 2 : length) + VALUE_BYTES);
  openEntry(load<u32>(entry), c, code);
  const hash = isList ? 0 : hashBytes(text, cutLength(text, length));
  store<u32>(entry, internEntry(space, c, tag, text, length, hash));
  return 0;
}
