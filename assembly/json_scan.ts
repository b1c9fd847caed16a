/**
 * Stage 1 of reading JSON lines: one pass in vectors that finds every structural character, quote and line end, 64
 * bytes at a time, after Langdale and Lemire, "Parsing Gigabytes of JSON per Second" (2019).
 *
 * The index lists, in order: `{ } [ ] : ,` outside of strings; both quotes of each string; line ends; and the first bad
 * place in a string (a control character, an escape that is none), which the walker sees where it expects the closing
 * quote. A line end also ends a string that was left open, so that damage stays on its line.
 */
import { isHex4 } from "./json_string";
import { reserve } from "./memory";

const EVEN: u64 = 0x5555555555555555;
const BLOCK: usize = 64;
/** Entries that an unrolled block may write past its own. */
const SLACK: usize = 128;
/** Bytes scanned before the walker takes over, of many lines: the window and its index stay in the cache. */
export const WINDOW: usize = 32768;
/** The same of a single line. */
export const LINE_WINDOW: usize = 1536;

let index: usize = 0;
/** Entries that one line may have. */
export let indexCapacity: u32 = 0;

/** Address of the index: u32 offsets from {@link origin}. */
export let indexBase: usize = 0;
/** Address after the last entry. */
export let indexEnd: usize = 0;
/** Address after the entry of the last line end; what follows belongs to a line that is not complete. */
export let completeEnd: usize = 0;
/** What entries count from. */
export let origin: usize = 0;

let cursor: usize = 0;
let limit: usize = 0;
let window: usize = WINDOW;
/** All ones while inside a string, and 1 after an odd run of backslashes, at the end of the last block. */
let carryInside: u64 = 0;
let carryEscape: u64 = 0;

/** Reserves an index of `entries`, the most that one line may have. */
export function scanInit(entries: u32): void {
  indexCapacity = entries;
  index = reserve((<usize>entries + SLACK) << 2);
  indexBase = index;
}

/** Entries are offsets from `address`, which is at or before any text that is scanned. */
export function scanOrigin(address: usize): void {
  origin = address;
}

/**
 * Starts on `[start, end)`, `windowBytes` at a time. The last byte must be a line end, and 64 bytes after it must be
 * readable.
 */
export function scanBegin(start: usize, end: usize, windowBytes: usize): void {
  cursor = start;
  limit = end;
  window = windowBytes;
  carryInside = 0;
  carryEscape = 0;
  indexEnd = index;
  completeEnd = index;
}

/** True while text is left to scan. */
export function scanHasMore(): bool {
  return cursor < limit;
}

/** Drops the entries before `consumed` and scans on. False where the index has no room for more of the same line. */
export function scanMore(consumed: usize): bool {
  const rest = indexEnd - consumed;
  if (rest > 0 && consumed > index) memory.copy(index, consumed, rest);
  indexEnd = index + rest;
  completeEnd = index;
  const room = (<usize>indexCapacity - (rest >> 2)) & ~(BLOCK - 1);
  if (room == 0) return false;
  const stop = min<usize>(limit, cursor + min<usize>(room, window));
  while (cursor < stop) {
    scanBlock(cursor);
    cursor += BLOCK;
  }
  if (cursor >= limit) trimEnd();
  return true;
}

/** Drops the index and moves to the start of the next line. Returns its address. */
export function scanSkipLine(): usize {
  indexEnd = index;
  completeEnd = index;
  carryInside = 0;
  carryEscape = 0;
  const lineEnd = i8x16.splat(10);
  // What was scanned holds no line end, so the search starts at the cursor.
  while (cursor < limit) {
    const found = i8x16.bitmask(i8x16.eq(v128.load(cursor), lineEnd));
    if (found != 0) {
      cursor += <usize>ctz<u32>(found) + 1;
      return cursor;
    }
    cursor += 16;
  }
  return limit;
}

/** The last block may reach past the text: entries there are not part of it. */
function trimEnd(): void {
  const end = <u32>(limit - origin);
  while (indexEnd > index && load<u32>(indexEnd - 4) >= end) indexEnd -= 4;
  completeEnd = indexEnd;
}

@inline
function scanBlock(at: usize): void {
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const c = v128.load(at, 32);
  const d = v128.load(at, 48);
  let quotes = maskOf(a, b, c, d, 0x22);
  let bad: u64 = 0;
  let escaped: u64 = 0;
  if (hasByte(a, b, c, d, 0x5c) || carryEscape != 0) {
    const backslashes = maskOf(a, b, c, d, 0x5c);
    escaped = escapedBy(backslashes);
    const odd = escaped & ~backslashes & ~quotes;
    if (odd != 0) bad = badEscapes(at, odd);
    quotes &= ~escaped;
  }
  let inside = prefixXor(quotes) ^ carryInside;
  let lineEnds: u64 = 0;
  if (hasControl(a, b, c, d)) {
    const controls = controlMask(a, b, c, d);
    lineEnds = maskOf(a, b, c, d, 10);
    inside = closeLines(inside, lineEnds);
    bad |= controls & ~lineEnds;
  }
  carryInside = <u64>(<i64>inside >> 63);
  const bits = (structureMask(a, b, c, d) & ~inside) | (bad & inside) | quotes | lineEnds;
  const first = indexEnd;
  writeEntries(first, <u32>(at - origin), bits);
  indexEnd = first + (<usize>popcnt<u64>(bits) << 2);
  if (lineEnds != 0) {
    const last = <u64>63 - clz<u64>(lineEnds);
    completeEnd = first + (<usize>popcnt<u64>(bits & (((<u64>2) << last) - 1)) << 2);
  }
}

/** Characters that a backslash escapes. An odd run of backslashes escapes what follows it; runs cross blocks. */
@inline
function escapedBy(backslashes: u64): u64 {
  const unescaped = backslashes & ~carryEscape;
  const follows = (unescaped << 1) | carryEscape;
  const oddStarts = unescaped & ~EVEN & ~follows;
  const sum = oddStarts + unescaped;
  carryEscape = <u64>(sum < unescaped);
  return (EVEN ^ (sum << 1)) & follows;
}

/** Those of the escaped characters `candidates` that no escape allows. */
function badEscapes(at: usize, candidates: u64): u64 {
  let bad: u64 = 0;
  let rest = candidates;
  while (rest != 0) {
    const bit = ctz<u64>(rest);
    rest &= rest - 1;
    const place = at + <usize>bit;
    const c = load<u8>(place);
    const isGood = c == 0x75 ? isHex4(place + 1) : c == 0x6e || c == 0x74 || c == 0x72 || c == 0x62 || c == 0x66 || c == 0x2f;
    if (!isGood) bad |= (<u64>1) << bit;
  }
  return bad;
}

/** Ends, at each line end, a string that is still open there. */
function closeLines(inside: u64, lineEnds: u64): u64 {
  let rest = lineEnds;
  while (rest != 0) {
    const bit = ctz<u64>(rest);
    rest &= rest - 1;
    if (((inside >> bit) & 1) != 0) inside ^= (<u64>-1) << bit;
  }
  return inside;
}

@inline
function maskOf(a: v128, b: v128, c: v128, d: v128, byte: u8): u64 {
  const x = i8x16.splat(byte);
  return join(i8x16.eq(a, x), i8x16.eq(b, x), i8x16.eq(c, x), i8x16.eq(d, x));
}

@inline
function join(a: v128, b: v128, c: v128, d: v128): u64 {
  const low = <u32>i8x16.bitmask(a) | (<u32>i8x16.bitmask(b) << 16);
  const high = <u32>i8x16.bitmask(c) | (<u32>i8x16.bitmask(d) << 16);
  return <u64>low | (<u64>high << 32);
}

@inline
function hasByte(a: v128, b: v128, c: v128, d: v128, byte: u8): bool {
  const x = i8x16.splat(byte);
  return v128.any_true(
    v128.or(v128.or(i8x16.eq(a, x), i8x16.eq(b, x)), v128.or(i8x16.eq(c, x), i8x16.eq(d, x))),
  );
}

@inline
function hasControl(a: v128, b: v128, c: v128, d: v128): bool {
  const lowest = i8x16.min_u(i8x16.min_u(a, b), i8x16.min_u(c, d));
  return v128.any_true(i8x16.lt_u(lowest, i8x16.splat(0x20)));
}

function controlMask(a: v128, b: v128, c: v128, d: v128): u64 {
  const x = i8x16.splat(0x20);
  return join(i8x16.lt_u(a, x), i8x16.lt_u(b, x), i8x16.lt_u(c, x), i8x16.lt_u(d, x));
}

@inline
function structureMask(a: v128, b: v128, c: v128, d: v128): u64 {
  return join(structure(a), structure(b), structure(c), structure(d));
}

/** Bit 5 is all that tells `[` from `{` and `]` from `}`. */
@inline
function structure(a: v128): v128 {
  const folded = v128.or(a, i8x16.splat(0x20));
  return v128.or(
    v128.or(i8x16.eq(folded, i8x16.splat(0x7b)), i8x16.eq(folded, i8x16.splat(0x7d))),
    v128.or(i8x16.eq(a, i8x16.splat(0x3a)), i8x16.eq(a, i8x16.splat(0x2c))),
  );
}

/** Bit i of the result is the parity of bits 0 to i: set from an opening quote to before the closing one. */
@inline
function prefixXor(bits: u64): u64 {
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  return bits ^ (bits << 32);
}

/** Writes the places of the set bits, eight at a time: entries past the last are overwritten by the next block. */
@inline
function writeEntries(target: usize, place: u32, bits: u64): void {
  const total = <u32>popcnt<u64>(bits);
  let out = target;
  let rest = bits;
  for (let written: u32 = 0; written < total; written += 8) {
    store<u32>(out, place + <u32>ctz<u64>(rest));
    rest &= rest - 1;
    store<u32>(out, place + <u32>ctz<u64>(rest), 4);
    rest &= rest - 1;
    store<u32>(out, place + <u32>ctz<u64>(rest), 8);
    rest &= rest - 1;
    store<u32>(out, place + <u32>ctz<u64>(rest), 12);
    rest &= rest - 1;
    store<u32>(out, place + <u32>ctz<u64>(rest), 16);
    rest &= rest - 1;
    store<u32>(out, place + <u32>ctz<u64>(rest), 20);
    rest &= rest - 1;
    store<u32>(out, place + <u32>ctz<u64>(rest), 24);
    rest &= rest - 1;
    store<u32>(out, place + <u32>ctz<u64>(rest), 28);
    rest &= rest - 1;
    out += 32;
  }
}
