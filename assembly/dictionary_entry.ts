/** One entry of a dictionary of Text values: what it stands for, whether it is looked up at once or when a row uses it. */
import { IngestCounter, IngestLimit, ValueTag } from "../src/core/abi/events";
import { pagesEntry, tableOf } from "./code_pages";
import { count, maxValueBytes } from "./input";
import { numberFromText } from "./json_number";
import { reserve } from "./memory";
import { utf8Cut } from "./utf8";
import { internBoolean, internList, internNumber, internText } from "./values";

export const TRUE_TEXT: u32 = 0x65757274;

let listBuffer: usize = 0;

export function entriesInit(): void {
  listBuffer = reserve(<usize>IngestLimit.RowItems << 2);
}

/** `ValueTag` of entry `i`. */
@inline
export function tagOf(tags: usize, i: u32): u32 {
  return tags == 0 ? <u32>ValueTag.String : <u32>load<u8>(tags + i);
}

/** Bytes that are kept of a text. */
@inline
export function cutLength(text: usize, length: u32): u32 {
  return length <= maxValueBytes ? length : utf8Cut(text, maxValueBytes);
}

/** Id of the value that an entry stands for. `hash`: of the text as it is kept, for a string. */
export function internEntry(space: usize, c: u32, tag: u32, text: usize, length: u32, hash: u64): u32 {
  if (tag == ValueTag.Number) return internNumber(c, numberFromText(text, length));
  if (tag == ValueTag.Boolean) return internBoolean(c, load<u32>(text) == TRUE_TEXT);
  if (tag == ValueTag.List) return internCodes(space, c, text, length >> 2);
  const kept = cutLength(text, length);
  if (kept < length) count(IngestCounter.Truncated);
  return internText(c, text, kept, hash);
}

/** A list entry holds codes of entries before it. */
function internCodes(space: usize, c: u32, codes: usize, total: u32): u32 {
  const table = tableOf(space, c);
  const length = min<u32>(total, IngestLimit.RowItems);
  if (length < total) count(IngestCounter.Truncated);
  for (let i: u32 = 0; i < length; i++) {
    const code = load<u32>(codes + (<usize>i << 2));
    store<u32>(listBuffer + (<usize>i << 2), code == 0 ? 0 : load<u32>(pagesEntry(space, table, code)));
  }
  return internList(c, listBuffer, length);
}
