/**
 * Lines for their host alone. Where nobody asks for the time of rules across hosts, a routing kernel needs a line's end
 * and its host's name, and finds both without reading the line: the key that leads to the host stands in it once, at the
 * top, and spelled without escapes. What is not as plain as that is left to the scanner that reads whole lines. Equal to
 * it for every sound line; a line that is not is skipped by whichever shard it comes to. See
 * `docs/adr/0010-routing-kernel.md`.
 */
import { columnNameLength, columnNamePointer, hostIdColumn } from "./columns";
import { hashBytes } from "./hash";
import { countRow } from "./input";
import { reserve, textEquals } from "./memory";
import { noteLine, noteLineEnd, noteSlot, slotOfHost } from "./routing";
import { takeOrdinal } from "./rows";

const NEWLINE: u8 = 0x0a;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const DOT: u8 = 0x2e;
const COLON: u8 = 0x3a;
const BACKSLASH: u8 = 0x5c;
const OPEN: u8 = 0x7b;
const CLOSE: u8 = 0x7d;
const NO_SLOT: u32 = 0xffffffff;
const MIX: u64 = 0x9e3779b185ebca87;
/** Longer names are cut in ways that the scanner knows. */
const NAME_MAX: u32 = 256;
/** Objects that named a host before: u32 bytes, u32 slot, and the bytes from the key to its closing bracket. */
const KNOWN: u32 = 2048;
const KNOWN_BYTES: u32 = 504;
const KNOWN_ENTRY: usize = 8 + KNOWN_BYTES;
/** The bytes after the key that a known object is looked up by: its name is mostly among them. */
const PROBE_FROM: usize = 8;
const PROBE_TO: usize = 88;

/** The two parts of the host's field, `host` and `id`; no bytes where it has not just two. */
let outer: usize = 0;
let outerBytes: u32 = 0;
let inner: usize = 0;
let innerBytes: u32 = 0;

let isOn: bool = false;
let known: usize = 0;
let lineEnd: usize = 0;
let name: usize = 0;
let nameBytes: u32 = 0;
let objectEnd: usize = 0;

/** Reserves what a routing kernel needs. */
export function routeInit(): void {
  known = reserve(<usize>KNOWN * KNOWN_ENTRY + 16);
}

/** Says whether lines are routed by their host alone. It stays off where the host's field has not just two parts. */
export function routeByHost(on: bool): void {
  if (outerBytes == 0 && hostIdColumn != 0xffffffff) splitField();
  isOn = on && outerBytes != 0;
}

function splitField(): void {
  const field = columnNamePointer(hostIdColumn);
  const bytes = columnNameLength(hostIdColumn);
  let dots: u32 = 0;
  let dot: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const c = load<u8>(field + i);
    if (c == DOT) {
      dots++;
      dot = i;
    } else if (c == QUOTE || c == BACKSLASH || c < 0x20 || c >= 0x80) return;
  }
  if (dots != 1 || dot == 0 || dot + 1 == bytes) return;
  outer = field;
  inner = field + dot + 1;
  innerBytes = bytes - dot - 1;
  outerBytes = dot;
}

@inline
export function isRoutedByHost(): bool {
  return isOn;
}

/** Routes the line at `line`, in the input at `base`. Returns the address after its end, or 0 where it must be read whole. */
export function routeLine(line: usize, base: usize): usize {
  if (load<u8>(line) != OPEN) return 0;
  const key = findKey(line);
  if (key == 0 || !isAtTop(line, key)) return 0;
  const slot = slotAt(key);
  if (slot == NO_SLOT) return 0;
  noteLine(<u32>(line - base));
  countRow();
  noteSlot(takeOrdinal(), slot);
  noteLineEnd(<u32>(lineEnd + 1 - base));
  return lineEnd + 1;
}

/**
 * Address of the quote before the outer part, where the line has just one such key or text, and no `\u`: only that could
 * spell another. 0 otherwise. Leaves `lineEnd` at the line's end where it is not 0.
 */
@inline
function findKey(line: usize): usize {
  const newline = i8x16.splat(NEWLINE);
  const quote = i8x16.splat(QUOTE);
  const backslash = i8x16.splat(BACKSLASH);
  const letterU = i8x16.splat(0x75);
  const first = i8x16.splat(load<i8>(outer));
  const last = i8x16.splat(load<i8>(outer + outerBytes - 1));
  let found: usize = 0;
  for (let at = line; ; at += 16) {
    const text = v128.load(at);
    const next = v128.load(at, 1);
    const ends = i8x16.eq(text, newline);
    const escapes = v128.and(i8x16.eq(text, backslash), i8x16.eq(next, letterU));
    const starts = v128.and(v128.and(i8x16.eq(text, quote), i8x16.eq(next, first)), i8x16.eq(v128.load(at + outerBytes), last));
    if (!v128.any_true(v128.or(v128.or(ends, escapes), starts))) continue;
    const end = <u32>i8x16.bitmask(ends);
    // Bits before the line's end; all where it is further on.
    const own = end == 0 ? 0xffff : (end & (0 - end)) - 1;
    if ((<u32>i8x16.bitmask(escapes) & own) != 0) return 0;
    for (let bits = <u32>i8x16.bitmask(starts) & own; bits != 0; bits &= bits - 1) {
      const start = at + <usize>ctz<u32>(bits);
      const after = load<u8>(start + 1 + outerBytes);
      if ((after != QUOTE && after != DOT) || !textEquals(start + 1, outer, outerBytes)) continue;
      if (after == DOT || found != 0) return 0;
      found = start;
    }
    if (end != 0) {
      lineEnd = at + <usize>ctz<u32>(end);
      return found;
    }
  }
  return 0;
}

/** Whether `key` stands in the outermost object and in no text: one bracket is open before it, and no quote. */
@inline
function isAtTop(line: usize, key: usize): bool {
  const quote = i8x16.splat(QUOTE);
  const backslash = i8x16.splat(BACKSLASH);
  const lowered = i8x16.splat(0x20);
  const open = i8x16.splat(OPEN);
  const close = i8x16.splat(CLOSE);
  let depth: i32 = 0;
  /** All ones while in a text; the block's first byte is escaped. */
  let inText: u32 = 0;
  let escaped: u32 = 0;
  for (let at = line; at < key; at += 16) {
    const text = v128.load(at);
    const own: u32 = key - at < 16 ? (<u32>1 << <u32>(key - at)) - 1 : 0xffff;
    let quotes = <u32>i8x16.bitmask(i8x16.eq(text, quote));
    const backslashes = <u32>i8x16.bitmask(i8x16.eq(text, backslash));
    if ((backslashes | escaped) != 0) {
      for (let bits = backslashes; bits != 0; bits &= bits - 1) {
        const bit = bits & (0 - bits);
        if ((escaped & bit) == 0) escaped |= bit << 1;
      }
      quotes &= ~escaped;
      escaped >>= 16;
    }
    quotes &= own;
    let texts = quotes ^ (quotes << 1);
    texts ^= texts << 2;
    texts ^= texts << 4;
    texts ^= (texts << 8) ^ inText;
    inText = 0 - ((texts >> 15) & 1);
    // Square brackets differ from curly ones in the bit that lowers letters.
    const folded = v128.or(text, lowered);
    const outside = ~texts & own;
    depth += popcnt<i32>(<u32>i8x16.bitmask(i8x16.eq(folded, open)) & outside);
    depth -= popcnt<i32>(<u32>i8x16.bitmask(i8x16.eq(folded, close)) & outside);
  }
  return depth == 1 && inText == 0;
}

/** The slot of the host that the object at `key` names; `NO_SLOT` where that is not plain. Events of a host mostly repeat it. */
@inline
function slotAt(key: usize): u32 {
  let mixed: u64 = 0;
  for (let at = key + PROBE_FROM; at < key + PROBE_TO; at += 8) mixed = (rotl<u64>(mixed, 23) ^ load<u64>(at)) * MIX;
  const entry = known + <usize>(<u32>(mixed >> 40) & (KNOWN - 1)) * KNOWN_ENTRY;
  const bytes = load<u32>(entry);
  if (bytes != 0 && key + bytes <= lineEnd && textEquals(entry + 8, key, bytes)) return load<u32>(entry, 4);
  if (!findName(key)) return NO_SLOT;
  const slot = slotOfHost(hashBytes(name, nameBytes));
  const length = <u32>(objectEnd - key);
  if (length >= 16 && length <= KNOWN_BYTES) {
    store<u32>(entry, length);
    store<u32>(entry, slot, 4);
    memory.copy(entry + 8, key, length);
  }
  return slot;
}

/** Finds the inner part in the object that `key` leads to: a plain text, given once. */
function findName(key: usize): bool {
  name = 0;
  let at = afterBlanks(key + 2 + outerBytes);
  if (load<u8>(at) != COLON) return false;
  at = afterBlanks(at + 1);
  if (load<u8>(at) != OPEN) return false;
  at = afterBlanks(at + 1);
  while (load<u8>(at) == QUOTE) {
    const member = at + 1;
    const close = textEnd(member);
    if (close == 0) return false;
    const isInner = close - member == <usize>innerBytes && textEquals(member, inner, innerBytes);
    at = afterBlanks(close + 1);
    if (load<u8>(at) != COLON) return false;
    at = afterBlanks(at + 1);
    if (isInner && !takeName(at)) return false;
    at = valueEnd(at);
    if (at == 0) return false;
    at = afterBlanks(at);
    if (load<u8>(at) != COMMA) break;
    at = afterBlanks(at + 1);
  }
  objectEnd = at + 1;
  return load<u8>(at) == CLOSE && name != 0;
}

function takeName(at: usize): bool {
  if (name != 0 || load<u8>(at) != QUOTE) return false;
  const close = textEnd(at + 1);
  if (close == 0 || close == at + 1 || close - at > <usize>NAME_MAX) return false;
  name = at + 1;
  nameBytes = <u32>(close - name);
  return isPlain(name, close);
}

/** Whether the text is of printable ASCII and has no escapes. */
function isPlain(from: usize, to: usize): bool {
  const backslash = i8x16.splat(BACKSLASH);
  const blank = i8x16.splat(0x20);
  for (let at = from; at < to; at += 16) {
    const text = v128.load(at);
    // Bytes above ASCII are small as signed numbers.
    const odd = <u32>i8x16.bitmask(v128.or(i8x16.lt_s(text, blank), i8x16.eq(text, backslash)));
    const own: u32 = to - at < 16 ? (<u32>1 << <u32>(to - at)) - 1 : 0xffff;
    if ((odd & own) != 0) return false;
  }
  return true;
}

/** Address after the value that starts at `at`; 0 where the line ends in it. */
function valueEnd(at: usize): usize {
  const first = load<u8>(at);
  if (first == QUOTE) {
    const close = textEnd(at + 1);
    return close == 0 ? 0 : close + 1;
  }
  let depth: i32 = 0;
  for (; at < lineEnd; at++) {
    const c = load<u8>(at);
    const folded = c | 0x20;
    if (c == QUOTE) {
      at = textEnd(at + 1);
      if (at == 0) return 0;
    } else if (folded == OPEN) depth++;
    else if (folded == CLOSE) {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (c == COMMA && depth == 0) return at;
  }
  return 0;
}

/** Address of the quote that ends the text; 0 where the line ends in it. */
@inline
function textEnd(start: usize): usize {
  const quote = i8x16.splat(QUOTE);
  const backslash = i8x16.splat(BACKSLASH);
  for (let at = start; at < lineEnd; ) {
    const text = v128.load(at);
    const bits = <u32>i8x16.bitmask(v128.or(i8x16.eq(text, quote), i8x16.eq(text, backslash)));
    if (bits == 0) {
      at += 16;
      continue;
    }
    at += <usize>ctz<u32>(bits);
    if (load<u8>(at) == QUOTE) return at < lineEnd ? at : 0;
    at += 2;
  }
  return 0;
}

@inline
function afterBlanks(at: usize): usize {
  while (load<u8>(at) == 0x20 || load<u8>(at) == 0x09 || load<u8>(at) == 0x0d) at++;
  return at;
}
