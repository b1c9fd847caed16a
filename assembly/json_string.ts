/**
 * Text of a JSON string: escapes undone, damaged UTF-8 replaced, cut to `maxValueBytes` at a code point. Text that
 * needs none of it stays where it is.
 */
import { IngestCounter } from "../src/core/abi/events";
import { count, maxValueBytes, scratchEnd, scratchTake, scratchTop } from "./input";
import { align16 } from "./memory";
import { isUtf8, utf8Cut, utf8Sequence, utf8Write } from "./utf8";

const BACKSLASH: u8 = 0x5c;
const REPLACEMENT: u32 = 0xfffd;

/** The text that {@link readString} made. */
export let textPointer: usize = 0;
export let textLength: u32 = 0;

/** Reads the string of `length` raw bytes at `start`. Its escapes are known to be well formed. */
export function readString(start: usize, length: u32): void {
  const flags = inspect(start, length);
  textPointer = start;
  textLength = length;
  if (flags == 0 || (flags == NOT_ASCII && isUtf8(start, start + length))) {
    if (length > maxValueBytes) {
      textLength = utf8Cut(start, maxValueBytes);
      count(IngestCounter.Truncated);
    }
    return;
  }
  rewrite(start, start + length);
}

const HAS_ESCAPE: u32 = 1;
const NOT_ASCII: u32 = 2;

/** Which of the two kinds of bytes that need work the text holds. */
@inline
function inspect(start: usize, length: u32): u32 {
  const backslash = i8x16.splat(BACKSLASH);
  if (length < 16) {
    const text = v128.load(start);
    const mask = ((<u32>1 << length) - 1) as u32;
    const escapes = <u32>i8x16.bitmask(i8x16.eq(text, backslash)) & mask;
    const high = <u32>i8x16.bitmask(text) & mask;
    return (escapes != 0 ? HAS_ESCAPE : 0) | (high != 0 ? NOT_ASCII : 0);
  }
  const last = start + length - 16;
  let text = v128.load(last);
  let high = text;
  let escapes = i8x16.eq(text, backslash);
  for (let at = start; at < last; at += 16) {
    text = v128.load(at);
    high = v128.or(high, text);
    escapes = v128.or(escapes, i8x16.eq(text, backslash));
  }
  return (v128.any_true(escapes) ? HAS_ESCAPE : 0) | (i8x16.bitmask(high) != 0 ? NOT_ASCII : 0);
}

/** Writes the text into the scratch. A value that no longer fits there is cut like one that is too long. */
function rewrite(start: usize, end: usize): void {
  const target = scratchTop;
  const limit = target + min<usize>(maxValueBytes, scratchEnd - target);
  let at = start;
  let out = target;
  while (at < end) {
    if (out + 16 <= limit) {
      const run = min<usize>(copyPlain(at, out), end - at);
      at += run;
      out += run;
      if (run == 16 || at == end) continue;
      if (load<u8>(at) == BACKSLASH && load<u8>(at, 1) != 0x75) {
        store<u8>(out, simpleEscape(load<u8>(at, 1)));
        at += 2;
        out++;
        continue;
      }
    }
    const next = readCodePoint(at, end);
    const bytes = <usize>utf8Length(codePoint);
    if (out + bytes > limit) {
      count(IngestCounter.Truncated);
      break;
    }
    out += utf8Write(out, codePoint);
    at = next;
  }
  textPointer = target;
  textLength = <u32>(out - target);
  scratchTake(min<usize>(align16(out + 1), scratchEnd));
}

/** Copies 16 bytes, past the end of the text where it has fewer, and returns how many of them, from the first on, are ASCII without a backslash. */
@inline
function copyPlain(at: usize, out: usize): usize {
  const text = v128.load(at);
  v128.store(out, text);
  const special = i8x16.bitmask(v128.or(i8x16.eq(text, i8x16.splat(BACKSLASH)), text));
  return special == 0 ? 16 : <usize>ctz<u32>(special);
}

let codePoint: u32 = 0;

/** Reads one code point, plain or escaped, into `codePoint`; returns the address after it. */
function readCodePoint(at: usize, end: usize): usize {
  const first = <u32>load<u8>(at);
  if (first != BACKSLASH) return readPlain(at, end, first);
  const escape = load<u8>(at, 1);
  if (escape != 0x75) {
    codePoint = simpleEscape(escape);
    return at + 2;
  }
  const unit = hexUnit(at + 2);
  codePoint = unit;
  if ((unit & 0xf800) != 0xd800) return at + 6;
  codePoint = REPLACEMENT;
  if (unit >= 0xdc00 || at + 12 > end || load<u16>(at, 6) != 0x755c) return at + 6;
  const low = hexUnit(at + 8);
  if ((low & 0xfc00) != 0xdc00) return at + 6;
  codePoint = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
  return at + 12;
}

function readPlain(at: usize, end: usize, first: u32): usize {
  const length = utf8Sequence(at, end);
  if (length < 0) {
    codePoint = REPLACEMENT;
    return at + <usize>-length;
  }
  if (length == 1) codePoint = first;
  else if (length == 2) codePoint = ((first & 0x1f) << 6) | tail(at, 1);
  else if (length == 3) codePoint = ((first & 0x0f) << 12) | (tail(at, 1) << 6) | tail(at, 2);
  else codePoint = ((first & 0x07) << 18) | (tail(at, 1) << 12) | (tail(at, 2) << 6) | tail(at, 3);
  return at + length;
}

@inline
function tail(at: usize, i: usize): u32 {
  return <u32>load<u8>(at + i) & 0x3f;
}

@inline
function simpleEscape(escape: u8): u8 {
  if (escape == BACKSLASH || escape == 0x22) return escape;
  if (escape == 0x6e) return 10;
  if (escape == 0x74) return 9;
  if (escape == 0x72) return 13;
  if (escape == 0x62) return 8;
  if (escape == 0x66) return 12;
  return escape;
}

/** Whether four hexadecimal digits stand at `at`. */
export function isHex4(at: usize): bool {
  for (let i: usize = 0; i < 4; i++) {
    const c = <u32>load<u8>(at + i);
    if (c - 48 > 9 && (c | 32) - 97 > 5) return false;
  }
  return true;
}

function hexUnit(at: usize): u32 {
  let unit: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const c = <u32>load<u8>(at + i);
    unit = (unit << 4) | (c <= 57 ? c - 48 : (c | 32) - 87);
  }
  return unit;
}

@inline
function utf8Length(point: u32): u32 {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}
