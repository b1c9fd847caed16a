/**
 * Texts and lists whose ids are still to be found, of several rows. Finding one waits three times for memory: for its
 * index slot, its record and its text. Done for all of them step by step the waits overlap; WebAssembly has no prefetch.
 *
 *   text (48 bytes)  0 hash | 8 place in the index | 16 text | 20 bytes | 24 column | 28 where the id goes
 *                    32 1 for a cell, 0 for an item | 40 signature
 *   list (32 bytes)  0 place in the index | 8 cell | 12 column | 16 item ids | 20 items | 24 id if known
 */
import { ValueTag } from "../src/core/abi/events";
import { reserve } from "./memory";
import { touch } from "./rows";
import { memoFind, memoStore, signatureOf } from "./value_memo";
import { hashBytes } from "./hash";
import { internList, internText, listPlace, placeOf, record, touchSlot, valuePtr } from "./values";

const TEXT: usize = 48;
const LIST: usize = 32;
const TEXTS: u32 = 1024;
const LISTS: u32 = 256;
const ITEMS: u32 = 2048;
/** Rows whose values are found together. */
const ROWS: u32 = 16;

let texts: usize = 0;
let textCount: u32 = 0;
let lists: usize = 0;
let listCount: u32 = 0;
let items: usize = 0;
let itemCount: u32 = 0;
let rowCount: u32 = 0;
let textMark: u32 = 0;
let listMark: u32 = 0;
/** Ids and bytes that what is pending may take at most. */
export let pendingValues: u32 = 0;
export let pendingBytes: usize = 0;
/** Keeps the touching loads alive. */
export let touched: u64 = 0;

export function pendingInit(): void {
  texts = reserve(<usize>TEXTS * TEXT);
  lists = reserve(<usize>LISTS * LIST);
  items = reserve(<usize>ITEMS << 2);
}

/** Whether a row with this many texts, lists and items can still be deferred. It can be once nothing is pending. */
export function hasPendingRoom(values: u32, listsOfRow: u32): bool {
  return textCount + values <= TEXTS && itemCount + values <= ITEMS && listCount + listsOfRow <= LISTS;
}

/** Whether the lists of a row of `values` values can be deferred at all. */
export function isDeferrable(values: u32): bool {
  return values <= TEXTS >> 1;
}

/** Starts on a row that may take so many ids and bytes. */
export function pendingRow(values: u32, bytes: usize): void {
  textMark = textCount;
  listMark = listCount;
  pendingValues += values;
  pendingBytes += bytes;
}

/** Ends the row; finds the values if there are enough of them. */
export function pendingRowEnd(): void {
  if (++rowCount == ROWS) settleValues();
}

/** Forgets what the row in hand left pending: its cells are gone. */
export function pendingRowDrop(): void {
  textCount = textMark;
  listCount = listMark;
}

/** Finds the id of a text, or leaves it pending: then `target` gets it later. Returns 0 for pending. */
@inline
export function deferText(c: u32, text: usize, length: u32, target: usize, isCell: bool): u32 {
  const signature = signatureOf(text, length);
  const known = memoFind(c, ValueTag.String, signature, text, length);
  if (known != 0) return known;
  const hash = hashBytes(text, length);
  const entry = texts + <usize>textCount * TEXT;
  textCount++;
  store<u64>(entry, hash);
  store<u64>(entry, placeOf(c, hash), 8);
  store<u32>(entry, <u32>text, 16);
  store<u32>(entry, length, 20);
  store<u32>(entry, c, 24);
  store<u32>(entry, <u32>target, 28);
  store<u32>(entry, <u32>isCell, 32);
  store<u64>(entry, signature, 40);
  return 0;
}

/** Room for the ids of `count` items of a list whose id goes to `cell`. */
export function deferList(c: u32, cell: usize, count: u32): usize {
  const entry = lists + <usize>listCount * LIST;
  const first = items + (<usize>itemCount << 2);
  listCount++;
  itemCount += count;
  store<u32>(entry, <u32>cell, 8);
  store<u32>(entry, c, 12);
  store<u32>(entry, <u32>first, 16);
  store<u32>(entry, count, 20);
  return first;
}

/** Finds everything that is pending and writes it where it belongs. */
export function settleValues(): void {
  if (textCount != 0) settleTexts();
  if (listCount != 0) settleLists();
  textCount = 0;
  listCount = 0;
  itemCount = 0;
  rowCount = 0;
  textMark = 0;
  listMark = 0;
  pendingValues = 0;
  pendingBytes = 0;
}

function settleTexts(): void {
  touchPlaces(texts + 8, TEXT, textCount);
  for (let i: u32 = 0; i < textCount; i++) {
    const entry = texts + <usize>i * TEXT;
    const c = load<u32>(entry, 24);
    const v = internText(c, <usize>load<u32>(entry, 16), load<u32>(entry, 20), load<u64>(entry));
    store<u32>(<usize>load<u32>(entry, 28), v);
    if (v == 0) continue;
    memoStore(c, load<u64>(entry, 40), v);
    if (load<u32>(entry, 32) != 0) touch(c);
  }
}

/** Lists, once their items have ids. Items without one are left out. */
function settleLists(): void {
  let left: u32 = 0;
  for (let i: u32 = 0; i < listCount; i++) {
    const entry = lists + <usize>i * LIST;
    const c = load<u32>(entry, 12);
    const first = <usize>load<u32>(entry, 16);
    const count = withoutMissing(first, load<u32>(entry, 20));
    if (count == 0) continue;
    const known = count == 1 ? load<u32>(first) : memoFind(c, ValueTag.List, signatureOf(first, count << 2), first, count << 2);
    if (known != 0) {
      writeCell(entry, known);
      continue;
    }
    const kept = lists + <usize>left * LIST;
    left++;
    memory.copy(kept, entry, LIST);
    store<u32>(kept, count, 20);
    store<u64>(kept, listPlace(c, first, count));
  }
  touchPlaces(lists, LIST, left);
  for (let i: u32 = 0; i < left; i++) {
    const entry = lists + <usize>i * LIST;
    const c = load<u32>(entry, 12);
    const first = <usize>load<u32>(entry, 16);
    const count = load<u32>(entry, 20);
    const v = internList(c, first, count);
    if (v == 0) continue;
    memoStore(c, signatureOf(first, count << 2), v);
    writeCell(entry, v);
  }
}

@inline
function writeCell(entry: usize, v: u32): void {
  store<u32>(<usize>load<u32>(entry, 8), v);
  touch(load<u32>(entry, 12));
}

function withoutMissing(first: usize, count: u32): u32 {
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const v = load<u32>(first + (<usize>i << 2));
    store<u32>(first + (<usize>kept << 2), v);
    kept += <u32>(v != 0);
  }
  return kept;
}

/** Fetches the slots of the index at these places, then their records, then the texts: each for all before the next. */
function touchPlaces(places: usize, stride: usize, count: u32): void {
  let touching: u64 = 0;
  const end = places + <usize>count * stride;
  for (let at = places; at < end; at += stride) touching += touchSlot(load<u64>(at));
  for (let at = places; at < end; at += stride) touching += load<u64>(record(<u32>touchSlot(load<u64>(at))));
  for (let at = places; at < end; at += stride) touching += load<u64>(valuePtr(<u32>touchSlot(load<u64>(at))));
  touched += touching;
}
