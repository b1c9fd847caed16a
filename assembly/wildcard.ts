/**
 * Text tests over UTF-8 bytes. Wildcards are matched segment by segment, each at its first place: linear in the value
 * for each segment, without backtracking over choices.
 */
import { PatternType, WildcardByte } from "../src/core/abi/predicates";
import { textEquals } from "./memory";

/** Bytes of the code point that starts with `lead`. A stray continuation byte counts as one. */
@inline
export function codePointBytes(lead: u32): u32 {
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** First offset at or after `from` where `part` occurs in `text`, or -1. Reads up to 15 bytes past both. */
export function findText(text: usize, length: u32, part: usize, partLength: u32, from: u32): i32 {
  if (from > length || partLength > length - from) return -1;
  if (partLength == 0) return from;
  const first = i8x16.splat(load<i8>(part));
  const last = i8x16.splat(load<i8>(part + partLength - 1));
  const end = length - partLength;
  for (let at = from; at <= end; at += 16) {
    let hits = <u32>(
      i8x16.bitmask(
        v128.and(
          i8x16.eq(v128.load(text + at), first),
          i8x16.eq(v128.load(text + at + partLength - 1), last)
        )
      )
    );
    while (hits != 0) {
      const place = at + ctz<u32>(hits);
      if (place > end) break;
      if (textEquals(text + place, part, partLength)) return place;
      hits &= hits - 1;
    }
  }
  return -1;
}

/** Last offset at or after `from` where `part` occurs in `text`, or -1. */
export function findLastText(text: usize, length: u32, part: usize, partLength: u32, from: u32): i32 {
  if (from > length || partLength > length - from) return -1;
  for (let at = <i32>(length - partLength); at >= <i32>from; at--) {
    if (textEquals(text + at, part, partLength)) return at;
  }
  return -1;
}

/** Bytes that the segment takes from `text` at `at`, or -1. In a segment `AnyOne` takes one code point. */
function segmentAt(text: usize, length: u32, at: u32, segment: usize, segmentEnd: usize): i32 {
  let place = at;
  for (let s = segment; s < segmentEnd; s++) {
    if (place >= length) return -1;
    const wanted = load<u8>(s);
    if (wanted == WildcardByte.AnyOne) place = min(length, place + codePointBytes(load<u8>(text + place)));
    else if (load<u8>(text + place) == wanted) place++;
    else return -1;
  }
  return place - at;
}

/** First place at or after `from` where the segment matches; its end, or -1. */
function findSegment(text: usize, length: u32, from: u32, segment: usize, segmentEnd: usize, hasAny: bool): i32 {
  if (!hasAny) {
    const at = findText(text, length, segment, <u32>(segmentEnd - segment), from);
    return at < 0 ? -1 : at + <i32>(segmentEnd - segment);
  }
  let at = from;
  while (at < length) {
    const taken = segmentAt(text, length, at, segment, segmentEnd);
    if (taken >= 0) return at + taken;
    at += codePointBytes(load<u8>(text + at));
  }
  return -1;
}

/** Code points that a segment takes: its `AnyOne` bytes and the starts of literal code points. */
function codePoints(start: usize, end: usize): u32 {
  let count: u32 = 0;
  for (let at = start; at < end; at++) count += <u32>((load<u8>(at) & 0xc0) != 0x80);
  return count;
}

/** Offset of the code point that is `count` before the end of `text`, or -1 where there are fewer. */
function offsetFromEnd(text: usize, length: u32, count: u32): i32 {
  let at = length;
  for (let i: u32 = 0; i < count; i++) {
    if (at == 0) return -1;
    at--;
    while (at > 0 && (load<u8>(text + at) & 0xc0) == 0x80) at--;
  }
  return at;
}

/** True when the whole of `text` satisfies the wildcard `pattern` (bytes of `WildcardByte` stand for `*` and `?`). */
export function matchesWildcard(text: usize, length: u32, pattern: usize, patternLength: u32): bool {
  const end = pattern + patternLength;
  let segment = pattern;
  let at: u32 = 0;
  let isFirst = true;
  while (true) {
    let segmentEnd = segment;
    let hasAny = false;
    while (segmentEnd < end && load<u8>(segmentEnd) != WildcardByte.AnyRun) {
      hasAny = hasAny || load<u8>(segmentEnd) == WildcardByte.AnyOne;
      segmentEnd++;
    }
    const isLast = segmentEnd == end;
    if (isFirst) {
      const taken = segmentAt(text, length, 0, segment, segmentEnd);
      if (taken < 0 || (isLast && <u32>taken != length)) return false;
      at = taken;
    } else if (isLast) {
      const start = offsetFromEnd(text, length, codePoints(segment, segmentEnd));
      if (start < <i32>at) return false;
      return <u32>(start + segmentAt(text, length, start, segment, segmentEnd)) == length;
    } else if (segment < segmentEnd) {
      const next = findSegment(text, length, at, segment, segmentEnd, hasAny);
      if (next < 0) return false;
      at = next;
    }
    if (isLast) return true;
    isFirst = false;
    segment = segmentEnd + 1;
  }
}

/** Whether a text satisfies a pattern of `type` ({@link PatternType}); both folded alike. */
export function patternHolds(type: u32, text: usize, length: u32, wanted: usize, wantedLength: u32): bool {
  if (type == PatternType.Wildcard) return matchesWildcard(text, length, wanted, wantedLength);
  if (type == PatternType.Contains) return findText(text, length, wanted, wantedLength, 0) >= 0;
  if (wantedLength > length) return false;
  if (type == PatternType.Equals && wantedLength != length) return false;
  return textEquals(type == PatternType.Suffix ? text + (length - wantedLength) : text, wanted, wantedLength);
}
