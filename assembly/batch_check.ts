/**
 * The checks of a batch's contents that are too many for the host: every code, offset, tag and byte of text. The host
 * has seen that each vector lies inside the batch and has the length that the rows ask for.
 */
import { BatchFault, BatchKind, ColumnKind, ValueTag, ViewColumn, ViewWord } from "../src/core/abi/events";
import { columnCount, columnKind } from "./columns";
import { codesFree, dictionaryReset, idBytesFree, idsFree, spaceOf } from "./dictionary";
import { pagesCodes } from "./code_pages";
import { align8 } from "./memory";
import { numberFromText } from "./json_number";
import { isUtf8 } from "./utf8";
import { valuesMakeRoom } from "./value_collection";
import { ENTRY_HEADER, valueBytesFree, valuesFree } from "./values";

const TRUE_TEXT: u32 = 0x65757274;
const FALSE_TEXT: u32 = 0x736c6166;
/** What a column's entries take at most beyond their own bytes where they wait to be used (`dictionary_waiting.ts`). */
const WAITING_BYTES: u32 = 48;

/** Entries that the batch adds to the session, and to its own dictionaries. */
let sessionCodes: u32 = 0;
let sessionIds: u32 = 0;
let sessionIdBytes: usize = 0;
let ownCodes: u32 = 0;
let ownIds: u32 = 0;
/** Bytes that the values of both take. */
let newBytes: usize = 0;

/** Record of column `c` in the view. */
@inline
export function viewColumn(view: usize, c: u32): usize {
  return view + ((<usize>ViewWord.Count + <usize>c * ViewColumn.Count) << 2);
}

/**
 * Checks the batch whose view is at `view`, nested dictionary and all, and that the kernel can hold its dictionary.
 * Returns `BatchFault | column << 8`, 0 where it can be applied. Changes nothing that can be seen, except that a batch
 * which starts a session ends the one before once its contents are sound.
 */
export function ingest_batch_check(view: usize): u32 {
  const rows = load<u32>(view, ViewWord.Rows * 4);
  const startsSession = load<u32>(view, ViewWord.StartsSession * 4) != 0;
  for (let c: u32 = 0; c < columnCount(); c++) {
    const column = viewColumn(view, c);
    const isSession = isOfSession(view, column);
    const base = load<u32>(column, ViewColumn.Base * 4);
    const isCoded = load<u32>(column, ViewColumn.Codes * 4) != 0;
    const known = isSession && !startsSession ? pagesCodes(spaceOf(true, c), c) : 0;
    const fault: u32 = isCoded && base != known ? BatchFault.Code : checkContents(column, rows);
    if (fault != 0) return fault | (c << 8);
  }
  return makeRoom(view, startsSession);
}

/**
 * Checks the contents of `columns` column records, of whatever program they are: each code, offset, tag and byte of text.
 * The codes known before are those that the records tell. Returns `BatchFault | column << 8`.
 */
export function batch_contents_check(view: usize, columns: u32): u32 {
  const rows = load<u32>(view, ViewWord.Rows * 4);
  for (let c: u32 = 0; c < columns; c++) {
    const fault = checkContents(viewColumn(view, c), rows);
    if (fault != 0) return fault | (c << 8);
  }
  return 0;
}

/**
 * Makes room for a batch whose contents were checked elsewhere. Where the text finds no room values are lost, and counted;
 * a fault says that the tables of codes and identities are too small.
 */
export function ingest_batch_room(view: usize): u32 {
  const fault = makeRoom(view, load<u32>(view, ViewWord.StartsSession * 4) != 0);
  return fault == BatchFault.Text ? 0 : fault;
}

function makeRoom(view: usize, startsSession: bool): u32 {
  sessionCodes = 0;
  sessionIds = 0;
  sessionIdBytes = 0;
  ownCodes = 0;
  ownIds = 0;
  newBytes = 0;
  for (let c: u32 = 0; c < columnCount(); c++) {
    const column = viewColumn(view, c);
    countEntries(column, c, isOfSession(view, column));
  }
  if (ownCodes > codesFree(true) || sessionCodes > codesFree(startsSession)) return BatchFault.Codes;
  if (ownIds > idsFree(true) || sessionIds > idsFree(startsSession)) return BatchFault.Ids;
  if (sessionIdBytes > idBytesFree(startsSession)) return BatchFault.IdText;
  valuesMakeRoom(ownCodes + sessionCodes, newBytes);
  if (startsSession && !hasRoom()) {
    // The session before ends here in any case.
    dictionaryReset(true);
    valuesMakeRoom(ownCodes + sessionCodes, newBytes);
  }
  return hasRoom() ? 0 : BatchFault.Text;
}

/** True where the codes of the column are those of the session. */
@inline
export function isOfSession(view: usize, column: usize): bool {
  return load<u32>(view, ViewWord.IsDelta * 4) != 0 && load<u32>(column, ViewColumn.IsLocal * 4) == 0;
}

function hasRoom(): bool {
  return valuesFree() >= ownCodes + sessionCodes && valueBytesFree() >= newBytes;
}

function checkContents(column: usize, rows: u32): u32 {
  const kind = load<u32>(column, ViewColumn.Kind * 4);
  if (kind == 0 || kind == BatchKind.Number) return 0;
  const listOffsets = <usize>load<u32>(column, ViewColumn.ListOffsets * 4);
  const codeCount = load<u32>(column, ViewColumn.CodeCount * 4);
  if (listOffsets != 0 && !isRising(listOffsets, rows + 1, codeCount)) return BatchFault.ListOffsets;
  const known = load<u32>(column, ViewColumn.Base * 4) + load<u32>(column, ViewColumn.Entries * 4);
  if (largest(load<u32>(column, ViewColumn.Codes * 4), codeCount) > known) return BatchFault.Code;
  return checkEntries(column);
}

function checkEntries(column: usize): u32 {
  const entries = load<u32>(column, ViewColumn.Entries * 4);
  if (entries == 0) return 0;
  const offsets = <usize>load<u32>(column, ViewColumn.Offsets * 4);
  const text = <usize>load<u32>(column, ViewColumn.Text * 4);
  const tags = <usize>load<u32>(column, ViewColumn.Tags * 4);
  const textBytes = load<u32>(column, ViewColumn.TextBytes * 4);
  if (load<u32>(offsets) != 0 || !isRising(offsets, entries + 1, textBytes)) return BatchFault.Offsets;
  if (tags == 0) return checkStrings(offsets, entries, text, text + textBytes);
  const base = load<u32>(column, ViewColumn.Base * 4);
  for (let i: u32 = 0; i < entries; i++) {
    const start = text + load<u32>(offsets + (<usize>i << 2));
    const end = text + load<u32>(offsets + (<usize>i << 2), 4);
    const fault = checkTagged(load<u8>(tags + i), start, end, base + i);
    if (fault != 0) return fault;
  }
  return 0;
}

/** Adds what the column's entries take to the totals. */
function countEntries(column: usize, c: u32, isSession: bool): void {
  const entries = load<u32>(column, ViewColumn.Entries * 4);
  if (load<u32>(column, ViewColumn.Kind * 4) == 0 || entries == 0) return;
  const textBytes = load<u32>(column, ViewColumn.TextBytes * 4);
  const hasTags = load<u32>(column, ViewColumn.Tags * 4) != 0;
  // Alignment costs at most seven bytes an entry; a number's canonical text is at most 32.
  if (columnKind(c) == ColumnKind.Text) {
    if (isSession) sessionCodes += entries;
    else ownCodes += entries;
    newBytes += textBytes + entries * <u32>(ENTRY_HEADER + 8) + (hasTags ? entries * 32 : 0) + WAITING_BYTES;
  } else if (isSession) {
    sessionIds += entries;
    sessionIdBytes += align8(textBytes) + (<usize>entries << 3);
  } else {
    ownIds += entries;
  }
}

/** Text is checked as one run; entries may then only start where a code point does. */
function checkStrings(offsets: usize, entries: u32, text: usize, end: usize): u32 {
  if (!isUtf8(text, end)) return BatchFault.Utf8;
  for (let i: u32 = 1; i <= entries; i++) {
    const start = text + load<u32>(offsets + (<usize>i << 2));
    if (start < end && (load<u8>(start) & 0xc0) == 0x80) return BatchFault.Utf8;
  }
  return 0;
}

function checkTagged(tag: u32, start: usize, end: usize, before: u32): u32 {
  const length = <u32>(end - start);
  if (tag == ValueTag.String) return isUtf8(start, end) ? 0 : BatchFault.Utf8;
  if (tag == ValueTag.Number) return isNaN(numberFromText(start, length)) ? BatchFault.Tag : 0;
  if (tag == ValueTag.Boolean) {
    const isTrue = length == 4 && load<u32>(start) == TRUE_TEXT;
    const isFalse = length == 5 && load<u32>(start) == FALSE_TEXT && load<u8>(start, 4) == 0x65;
    return isTrue || isFalse ? 0 : BatchFault.Tag;
  }
  if (tag != ValueTag.List || (length & 3) != 0) return BatchFault.Tag;
  for (let at = start; at < end; at += 4) {
    if (load<u32>(at) > before) return BatchFault.Code;
  }
  return 0;
}

/** True when `count` offsets never decrease and end at most at `limit`. */
function isRising(offsets: usize, count: u32, limit: u32): bool {
  let before: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const next = load<u32>(offsets + (<usize>i << 2));
    if (next < before) return false;
    before = next;
  }
  return before <= limit;
}

/** The largest of `count` codes, in vectors. */
function largest(codes: usize, count: u32): u32 {
  let most = i32x4.splat(0);
  const whole = count & ~3;
  for (let i: u32 = 0; i < whole; i += 4) most = i32x4.max_u(most, v128.load(codes + (<usize>i << 2)));
  let result = max<u32>(
    max<u32>(i32x4.extract_lane(most, 0), i32x4.extract_lane(most, 1)),
    max<u32>(i32x4.extract_lane(most, 2), i32x4.extract_lane(most, 3)),
  );
  for (let i = whole; i < count; i++) result = max<u32>(result, load<u32>(codes + (<usize>i << 2)));
  return result;
}
