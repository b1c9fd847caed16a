/**
 * Dictionaries of batches: code to value id for Text columns, code to (hash or number, text) for Id and Number columns.
 * One pair of spaces belongs to the session of delta batches, the other to the self-contained batch in hand.
 */
import { ColumnKind, IngestCounter, IngestLimit, ValueTag, ViewColumn } from "../src/core/abi/events";
import { pagesAdd, pagesCodes, pagesCreate, pagesEntry, pagesReset, tableOf } from "./code_pages";
import { columnCount, columnKind } from "./columns";
import { hashBoolean, hashBytes, hashNumber } from "./hash";
import { count } from "./input";
import { numberFromText } from "./json_number";
import { align8, copyText, reserve, reserveText } from "./memory";
import { utf8Cut } from "./utf8";
import { cutLength, entriesInit, internEntry, TRUE_TEXT, tagOf } from "./dictionary_entry";
import { addWaiting, WAITING, waitingInit, waitingReset } from "./dictionary_waiting";
import { placeOf, touchSlot, valueMark } from "./values";

/** Dictionary entries hashed, and their index slots fetched, before they are interned. */
const GROUP: u32 = 64;
const ID_ENTRY: u32 = 16;

let sessionValues: usize = 0;
let sessionIds: usize = 0;
let batchValues: usize = 0;
let batchIds: usize = 0;
let codesMax: u32 = 0;
let idsMax: u32 = 0;
let sessionCodes: u32 = 0;
let sessionIdCodes: u32 = 0;
let idTexts: usize = 0;
let idTextsTop: usize = 0;
let idTextsEnd: usize = 0;
let hashes: usize = 0;
/** Keeps the touching loads alive. */
export let touched: u64 = 0;

export function dictionaryInit(codes: u32, ids: u32, idBytes: usize): void {
  codesMax = codes;
  idsMax = ids;
  sessionValues = pagesCreate(codes, 4);
  batchValues = pagesCreate(codes, 4);
  sessionIds = pagesCreate(ids, ID_ENTRY);
  batchIds = pagesCreate(ids, ID_ENTRY);
  idTexts = reserveText(idBytes);
  idTextsTop = idTexts;
  idTextsEnd = idTexts + idBytes;
  waitingInit();
  hashes = reserve(GROUP << 3);
  entriesInit();
}

/** Starts a session, or a self-contained batch: every code of that space is new. */
export function dictionaryReset(isDelta: bool): void {
  pagesReset(isDelta ? sessionValues : batchValues);
  pagesReset(isDelta ? sessionIds : batchIds);
  if (!isDelta) return;
  waitingReset();
  idTextsTop = idTexts;
  sessionCodes = 0;
  sessionIdCodes = 0;
}

/** Where the codes of column `c` lead. */
@inline
export function spaceOf(isDelta: bool, c: u32): usize {
  if (columnKind(c) == ColumnKind.Text) return isDelta ? sessionValues : batchValues;
  return isDelta ? sessionIds : batchIds;
}

/** Room left for codes and id texts, for a batch that `starts` a session, continues one, or stands alone. */
export function codesFree(isFresh: bool): u32 {
  return isFresh ? codesMax : codesMax - sessionCodes;
}

export function idsFree(isFresh: bool): u32 {
  return isFresh ? idsMax : idsMax - sessionIdCodes;
}

export function idBytesFree(isFresh: bool): usize {
  return isFresh ? idTextsEnd - idTexts : idTextsEnd - idTextsTop;
}

/** Marks the values that codes stand for. */
export function markSessionValues(): void {
  markSpace(sessionValues);
  markSpace(batchValues);
}

function markSpace(space: usize): void {
  for (let c: u32 = 0; c < columnCount(); c++) {
    if (columnKind(c) != ColumnKind.Text) continue;
    const table = tableOf(space, c);
    for (let code = pagesCodes(space, c); code > 0; code--) valueMark(load<u32>(pagesEntry(space, table, code)) & ~WAITING);
  }
}

/**
 * Takes the entries that the column record `column` of a checked batch adds. Those of Text columns may wait until a row
 * uses them: see `useCodes`.
 */
export function addEntries(column: usize, c: u32, isDelta: bool, mayWait: bool): void {
  const entries = load<u32>(column, ViewColumn.Entries * 4);
  const offsets = <usize>load<u32>(column, ViewColumn.Offsets * 4);
  const text = <usize>load<u32>(column, ViewColumn.Text * 4);
  const tags = <usize>load<u32>(column, ViewColumn.Tags * 4);
  const space = spaceOf(isDelta, c);
  const isText = columnKind(c) == ColumnKind.Text;
  if (isDelta && isText) sessionCodes += entries;
  else if (isDelta) sessionIdCodes += entries;
  if (isText && mayWait) {
    addWaiting(column, space, c, isDelta);
    return;
  }
  if (isText) {
    addValues(space, c, entries, offsets, text, tags);
    return;
  }
  for (let i: u32 = 0; i < entries; i++) {
    const start = load<u32>(offsets + (<usize>i << 2));
    const length = load<u32>(offsets + (<usize>i << 2), 4) - start;
    const tag: u32 = tags == 0 ? ValueTag.String : load<u8>(tags + i);
    const entry = pagesAdd(space, c);
    if (tag == ValueTag.List) copyFirst(entry, space, c, text + start, length >> 2);
    else writeSingle(entry, columnKind(c), tag, text + start, length, isDelta);
  }
}

/** Entries in groups: strings are hashed and fetched first, then all are interned. */
function addValues(space: usize, c: u32, entries: u32, offsets: usize, text: usize, tags: usize): void {
  for (let first: u32 = 0; first < entries; first += GROUP) {
    const end = min<u32>(first + GROUP, entries);
    let touching: u64 = 0;
    for (let i = first; i < end; i++) {
      if (tagOf(tags, i) != ValueTag.String) continue;
      const start = load<u32>(offsets + (<usize>i << 2));
      const length = cutLength(text + start, load<u32>(offsets + (<usize>i << 2), 4) - start);
      const hash = hashBytes(text + start, length);
      store<u64>(hashes + (<usize>(i - first) << 3), hash);
      touching += touchSlot(placeOf(c, hash));
    }
    touched += touching;
    for (let i = first; i < end; i++) {
      const start = load<u32>(offsets + (<usize>i << 2));
      const length = load<u32>(offsets + (<usize>i << 2), 4) - start;
      const v = internEntry(space, c, tagOf(tags, i), text + start, length, load<u64>(hashes + (<usize>(i - first) << 3)));
      store<u32>(pagesAdd(space, c), v);
    }
  }
}

/** A column that keeps one value takes the first of a list. */
function copyFirst(entry: usize, space: usize, c: u32, codes: usize, total: u32): void {
  const table = tableOf(space, c);
  if (columnKind(c) == ColumnKind.Number) store<f64>(entry, NaN);
  else v128.store(entry, i64x2.splat(0));
  for (let i: u32 = 0; i < total; i++) {
    const code = load<u32>(codes + (<usize>i << 2));
    if (code == 0) continue;
    v128.store(entry, v128.load(pagesEntry(space, table, code)));
    return;
  }
}

/** Entry of a column that keeps one value: hash, text and its length; for a Number column the number, NaN if none. */
function writeSingle(entry: usize, kind: u32, tag: u32, text: usize, length: u32, isDelta: bool): void {
  if (kind == ColumnKind.Number) {
    store<f64>(entry, tag == ValueTag.String || tag == ValueTag.Number ? numberFromText(text, length) : NaN);
    return;
  }
  let kept = length;
  if (tag == ValueTag.Number) store<u64>(entry, hashNumber(numberFromText(text, length)));
  else if (tag == ValueTag.Boolean) store<u64>(entry, hashBoolean(load<u32>(text) == TRUE_TEXT));
  else {
    kept = cutLength(text, length);
    store<u64>(entry, hashBytes(text, kept));
    if (kept > <u32>IngestLimit.IdTextBytes) kept = utf8Cut(text, IngestLimit.IdTextBytes);
    if (kept < length) count(IngestCounter.Truncated);
  }
  store<u32>(entry, isDelta ? <u32>keepIdText(text, kept) : <u32>text, 8);
  store<u32>(entry, kept, 12);
}

/** A session's identities outlive the batch that brought them. */
function keepIdText(text: usize, length: u32): usize {
  const target = idTextsTop;
  copyText(target, text, length);
  idTextsTop += align8(length);
  return target;
}
