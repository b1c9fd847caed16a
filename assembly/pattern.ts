/**
 * All text patterns of a column, tried on one value in one pass.
 *
 * Three ways lead from the value to the patterns that may hold. `equals` patterns: a hash of the whole text. Patterns
 * with a literal of at least five bytes: an anchor gram of four bytes, looked up at every second offset (both parities
 * of the gram are in the table, which halves the lookups; stride 1 measured 1.6 times slower). The rest: a list, each
 * entry screened by two bits of a digest of the value's bytes and byte pairs. Each candidate is then verified.
 */
import {
  AtomTable,
  AtomTableFlag,
  Digest,
  GramEntry,
  PatternRecord,
  PatternType,
  ScanEntry,
  TextSpace,
} from "../src/core/abi/predicates";
import { noteAtom } from "./atoms";
import { reserve, reserveText, textEquals } from "./memory";
import { fold_text } from "./predicate_host";
import { matchesWildcard, patternHolds } from "./wildcard";

const DIGEST: usize = memory.data(Digest.Bits / 8, 16);
const HASH: u32 = 0x9e3779b1;
const HASH_TAIL: u32 = 0x85ebca6b;

/** Buffers for folded text, each with room for over-reads. */
let asciiBuffer: usize = 0;
let unicodeBuffer: usize = 0;
let bufferBytes: u32 = 0;
/** Per pattern of a column, the number of the value it was last decided for. */
let decided: usize = 0;
let decidedCount: u32 = 0;
let serial: u32 = 0;

/** The table in hand, and the value: as written, and folded. */
let atoms: usize = 0;
let strings: usize = 0;
let table: usize = 0;
let raw: usize = 0;
let rawLength: u32 = 0;
let folded: usize = 0;
let foldedLength: u32 = 0;
/** Spaces that the folded text stands for, a bit each. */
let spaces: u32 = 0;

/** Reserves room for values of `bytes` bytes and tables of `patternsMost` patterns. */
export function patternsInit(bytes: u32, patternsMost: u32): void {
  asciiBuffer = reserveText(bytes);
  unicodeBuffer = reserveText(<usize>bytes << 1);
  bufferBytes = bytes;
  decided = reserve(<usize>patternsMost << 2);
  decidedCount = patternsMost;
}

@inline
function lower(bytes: v128): v128 {
  const isUpper = i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(0x41)), i8x16.splat(26));
  return v128.or(bytes, v128.and(isUpper, i8x16.splat(0x20)));
}

/** Copies `length` bytes with ASCII letters lowered. Writes and reads up to 15 bytes more. True where all are ASCII. */
export function foldAscii(source: usize, length: u32, target: usize): bool {
  let all = i8x16.splat(0);
  let at: u32 = 0;
  for (; at + 16 <= length; at += 16) {
    const bytes = v128.load(source + at);
    all = v128.or(all, bytes);
    v128.store(target + at, lower(bytes));
  }
  const tail = v128.load(source + at);
  v128.store(target + at, lower(tail));
  const tailMask = (<u32>1 << (length - at)) - 1;
  return i8x16.bitmask(all) == 0 && (<u32>i8x16.bitmask(tail) & tailMask) == 0;
}

/** Notes the atoms of all patterns of the column's table that hold for a value's text. */
export function patternsMatch(atomSection: usize, stringSection: usize, tableAt: usize, text: usize, length: u32): void {
  atoms = atomSection;
  strings = stringSection;
  table = tableAt;
  raw = text;
  rawLength = min(length, bufferBytes);
  serial++;
  if (serial == 0) {
    memory.fill(decided, 0, <usize>decidedCount << 2);
    serial = 1;
  }
  const flags = load<u32>(table, AtomTable.Flags);
  const isAscii = foldAscii(raw, rawLength, asciiBuffer);
  folded = asciiBuffer;
  foldedLength = rawLength;
  const hasUnicode = (flags & AtomTableFlag.HasUnicode) != 0;
  spaces = (1 << TextSpace.Exact) | (1 << TextSpace.Ascii) | (isAscii ? 1 << TextSpace.Unicode : 0);
  if ((flags & AtomTableFlag.HasExact) != 0) equals(raw, rawLength, 1 << TextSpace.Exact);
  if ((flags & AtomTableFlag.HasFolded) != 0) equals(folded, foldedLength, spaces & ~(1 << TextSpace.Exact));
  search();
  if (isAscii || !hasUnicode) return;
  foldedLength = min(fold_text(raw, rawLength, unicodeBuffer, bufferBytes << 1), bufferBytes << 1);
  folded = unicodeBuffer;
  spaces = 1 << TextSpace.Unicode;
  equals(folded, foldedLength, spaces);
  search();
}

// ----------------------------------------------------------------------------------------------- equal texts

/** Hash of a text in the equals table; computed by the compiler too. */
function textHash(text: usize, length: u32): u32 {
  let hash = length * HASH_TAIL;
  let at: u32 = 0;
  for (; at + 4 <= length; at += 4) {
    hash = (hash ^ load<u32>(text + at)) * HASH;
    hash ^= hash >> 15;
  }
  if (at < length) {
    hash = (hash ^ (load<u32>(text + at) & ((1 << ((length - at) << 3)) - 1))) * HASH;
    hash ^= hash >> 15;
  }
  return hash;
}

function equals(text: usize, length: u32, wanted: u32): void {
  if (length > load<u32>(table, AtomTable.EqualsLongest) || load<u32>(table, AtomTable.EqualsBits) == 0) return;
  const slots = atoms + load<u32>(table, AtomTable.Equals);
  const mask = (<u32>1 << load<u32>(table, AtomTable.EqualsBits)) - 1;
  let slot = textHash(text, length) & mask;
  for (;;) {
    const entry = load<u32>(slots + (<usize>slot << 2));
    if (entry == 0) return;
    const at = patternAt(entry - 1);
    const isWanted = ((wanted >> load<u32>(at, PatternRecord.Space)) & 1) != 0;
    if (isWanted && load<u32>(at, PatternRecord.TextLength) == length) {
      if (textEquals(strings + load<u32>(at, PatternRecord.TextOffset), text, length)) noteAtoms(at);
    }
    slot = (slot + 1) & mask;
  }
}

@inline
function patternAt(index: u32): usize {
  return atoms + load<u32>(table, AtomTable.Patterns) + <usize>index * PatternRecord.Bytes;
}

function noteAtoms(pattern: usize): void {
  let at = atoms + load<u32>(table, AtomTable.Postings) + (<usize>load<u32>(pattern, PatternRecord.PostingStart) << 2);
  const end = at + (<usize>load<u32>(pattern, PatternRecord.PostingCount) << 2);
  for (; at < end; at += 4) noteAtom(load<u32>(at));
}

// ------------------------------------------------------------------------------------------- patterns within

function search(): void {
  if (load<u32>(table, AtomTable.BitmapBits) != 0) searchGrams();
  if (load<u32>(table, AtomTable.ScanCount) != 0) searchScans();
}

function searchGrams(): void {
  if (foldedLength < 4) return;
  const bitmap = atoms + load<u32>(table, AtomTable.Bitmap);
  const shift = 32 - load<u32>(table, AtomTable.BitmapBits);
  const end = foldedLength - 3;
  let at: u32 = 0;
  for (; at + 6 < end; at += 8) {
    const text = folded + at;
    const h0 = (load<u32>(text) * HASH) >> shift;
    const h1 = (load<u32>(text, 2) * HASH) >> shift;
    const h2 = (load<u32>(text, 4) * HASH) >> shift;
    const h3 = (load<u32>(text, 6) * HASH) >> shift;
    const b0 = <u32>load<u8>(bitmap + (h0 >> 3)) >> (h0 & 7);
    const b1 = <u32>load<u8>(bitmap + (h1 >> 3)) >> (h1 & 7);
    const b2 = <u32>load<u8>(bitmap + (h2 >> 3)) >> (h2 & 7);
    const b3 = <u32>load<u8>(bitmap + (h3 >> 3)) >> (h3 & 7);
    if (((b0 | b1 | b2 | b3) & 1) == 0) continue;
    if ((b0 & 1) != 0) tryGram(at);
    if ((b1 & 1) != 0) tryGram(at + 2);
    if ((b2 & 1) != 0) tryGram(at + 4);
    if ((b3 & 1) != 0) tryGram(at + 6);
  }
  for (; at < end; at += 2) {
    const hash = (load<u32>(folded + at) * HASH) >> shift;
    if (((<u32>load<u8>(bitmap + (hash >> 3)) >> (hash & 7)) & 1) != 0) tryGram(at);
  }
}

/** Verifies the patterns anchored on the gram at `at`. */
function tryGram(at: u32): void {
  const gram = load<u32>(folded + at);
  const heads = atoms + load<u32>(table, AtomTable.Heads);
  const head = (gram * HASH) >> (32 - load<u32>(table, AtomTable.HeadBits));
  const entries = atoms + load<u32>(table, AtomTable.Grams);
  let next = load<u32>(heads + (<usize>head << 2));
  while (next != 0) {
    const entry = entries + <usize>(next - 1) * GramEntry.Bytes;
    if (load<u32>(entry, GramEntry.Gram) == gram) {
      const offset = load<u32>(entry, GramEntry.Offset);
      if (at >= offset) verifyAt(load<u32>(entry, GramEntry.Pattern), at - offset);
    }
    next = load<u32>(entry, GramEntry.Next);
  }
}

/** The pattern's literal may start at `start`: decides the pattern if it does. */
function verifyAt(index: u32, start: u32): void {
  const stamp = decided + (<usize>index << 2);
  if (load<u32>(stamp) == serial) return;
  const pattern = patternAt(index);
  const space = load<u32>(pattern, PatternRecord.Space);
  if (((spaces >> space) & 1) == 0) return;
  const text = space == TextSpace.Exact ? raw : folded;
  const literalLength = load<u32>(pattern, PatternRecord.LiteralLength);
  if (start + literalLength > foldedLength) return;
  const wanted = strings + load<u32>(pattern, PatternRecord.TextOffset);
  if (!textEquals(wanted + load<u32>(pattern, PatternRecord.LiteralStart), text + start, literalLength)) return;
  const type = load<u32>(pattern, PatternRecord.Type);
  if (type == PatternType.Prefix) {
    if (start != 0) return;
  } else if (type == PatternType.Suffix) {
    if (start + literalLength != foldedLength) return;
  } else if (type == PatternType.Wildcard) {
    // Where the literal stands does not matter: the answer is the same at every place.
    store<u32>(stamp, serial);
    if (!matchesWildcard(text, foldedLength, wanted, load<u32>(pattern, PatternRecord.TextLength))) return;
  }
  store<u32>(stamp, serial);
  noteAtoms(pattern);
}

/** Sets the digest's bits for every byte and byte pair of the folded text. */
function digest(): void {
  memory.fill(DIGEST, 0, Digest.Bits / 8);
  let previous: u32 = 0;
  for (let i: u32 = 0; i < foldedLength; i++) {
    const byte: u32 = load<u8>(folded + i);
    digestSet((byte * Digest.Multiplier) >> 22);
    if (i != 0) digestSet(((((previous << 8) | byte) + 0x100) * Digest.Multiplier) >> 22);
    previous = byte;
  }
}

@inline
function digestSet(bit: u32): void {
  const at = DIGEST + (bit >> 3);
  store<u8>(at, load<u8>(at) | (<u8>1 << <u8>(bit & 7)));
}

@inline
function digestHas(bit: u32): bool {
  return ((<u32>load<u8>(DIGEST + (bit >> 3)) >> (bit & 7)) & 1) != 0;
}

function searchScans(): void {
  digest();
  let at = atoms + load<u32>(table, AtomTable.Scans);
  const end = at + <usize>load<u32>(table, AtomTable.ScanCount) * ScanEntry.Bytes;
  for (; at < end; at += ScanEntry.Bytes) {
    const first: u32 = load<u16>(at, ScanEntry.FirstBit);
    const second: u32 = load<u16>(at, ScanEntry.SecondBit);
    if ((first == 0xffff || digestHas(first)) && (second == 0xffff || digestHas(second))) {
      verify(load<u32>(at, ScanEntry.Pattern));
    }
  }
}

/** Decides a pattern that no gram leads to. */
function verify(index: u32): void {
  const pattern = patternAt(index);
  const space = load<u32>(pattern, PatternRecord.Space);
  if (((spaces >> space) & 1) == 0) return;
  const text = space == TextSpace.Exact ? raw : folded;
  const wanted = strings + load<u32>(pattern, PatternRecord.TextOffset);
  const wantedLength = load<u32>(pattern, PatternRecord.TextLength);
  if (patternHolds(load<u32>(pattern, PatternRecord.Type), text, foldedLength, wanted, wantedLength)) noteAtoms(pattern);
}
