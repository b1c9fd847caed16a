/**
 * Interned sets of the atoms of one column that are true of a value, with the predicates they make candidates.
 *
 *   record (8-aligned)   hash u32 | column u32 | atoms u32 | candidate words u32 | signature u64 |
 *                        atom ids u32 ascending, padded to 8 | candidate words: word number u64, bits u64, ascending
 *
 * The signature has bit `id & 63` of each atom: most questions are answered by it alone.
 *
 * An id is the record's offset divided by 8; 0 is the empty set. When the arena is full a set has the id `SET_UNKEPT`:
 * its atoms are then worked out again from the value whenever they are asked for. Slower, never wrong.
 */
import { CandidateHeader } from "../src/core/abi/predicates";
import { Section } from "../src/core/abi/program";
import { atomBits, atomBitsClear, atomBitsWords } from "./atoms";
import { sectionPtr } from "./config";
import { align8, hole, powerOfTwo, reserve } from "./memory";

export const SET_UNKEPT: u32 = 0xffffffff;
const HEADER: u32 = 24;
/** Bytes of a candidate word. */
export const WORD: usize = 16;

let arena: usize = 0;
let arenaTop: u32 = 8;
let arenaEnd: u32 = 8;
let slots: usize = 0;
let slotMask: u32 = 0;
let used: u32 = 0;
/** Scratch bits, one a predicate, and the words of them in use. */
let predicateBits: usize = 0;
let firstWord: u32 = 0xffffffff;
let lastWord: u32 = 0;
/** Sets that were not kept since the start. */
export let setsUnkept: u32 = 0;

/** Divides `bytes` into the arena and its index. */
export function truthSetsInit(bytes: usize, predicateCount: u32): void {
  const slotCount = powerOfTwo(<u32>max<usize>(bytes >> 6, 64));
  slots = reserve(<usize>slotCount << 2);
  slotMask = slotCount - 1;
  const slotBytes = <usize>slotCount << 2;
  const arenaBytes = bytes > slotBytes + 4096 ? bytes - slotBytes : 4096;
  arena = reserve(arenaBytes + 8);
  arenaEnd = <u32>arenaBytes;
  arenaTop = 8;
  used = 0;
  predicateBits = reserve(((<usize>predicateCount >> 6) + 1) << 3);
}

/** What copies of the kernel can do without. */
export function truthHoles(): void {
  hole(slots, slots + ((<usize>slotMask + 1) << 2));
  hole(arena, arena + <usize>arenaEnd);
}

@inline
function setAt(id: u32): usize {
  return arena + (<usize>id << 3);
}

@inline
function setColumn(id: u32): u32 {
  return load<u32>(setAt(id), 4);
}

/** Number of atoms of a kept set. */
@inline
export function setCount(id: u32): u32 {
  return id == 0 ? 0 : load<u32>(setAt(id), 8);
}

/** Address of the atoms (ascending u32) of a kept set. */
@inline
export function setAtoms(id: u32): usize {
  return setAt(id) + HEADER;
}

/** Whether a kept set holds an atom. */
export function setHas(id: u32, atom: u32): bool {
  if (id == 0) return false;
  const set = setAt(id);
  if (((load<u64>(set, 16) >> (atom & 63)) & 1) == 0) return false;
  const atoms = set + HEADER;
  let low: u32 = 0;
  let high = load<u32>(set, 8);
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = load<u32>(atoms + (<usize>middle << 2));
    if (at == atom) return true;
    if (at < atom) low = middle + 1;
    else high = middle;
  }
  return false;
}

/** Number of candidate words of a kept set. */
@inline
export function setCandidateWords(id: u32): u32 {
  return id == 0 ? 0 : load<u32>(setAt(id), 12);
}

/** Address of the candidate words of a kept set: the bits of predicates, 64 ids a word. */
@inline
export function setCandidates(id: u32): usize {
  return setAt(id) + HEADER + align8(<usize>load<u32>(setAt(id), 8) << 2);
}

/** The set of the atoms noted in the column's bits; clears them unless the set could not be kept. */
export function truthSetFromBits(column: u32, first: u32, last: u32): u32 {
  if (first > last) return 0;
  const bits = atomBits(column);
  let count: u32 = 0;
  let hash = (column + 1) * 0x9e3779b1;
  for (let word = first; word <= last; word++) {
    let left = load<u64>(bits + (<usize>word << 3));
    count += <u32>popcnt<u64>(left);
    while (left != 0) {
      hash = (hash ^ ((word << 6) + <u32>ctz<u64>(left))) * 0x85ebca6b;
      hash ^= hash >> 13;
      left &= left - 1;
    }
  }
  if (count == 0) return 0;
  let slot = hash & slotMask;
  for (;;) {
    const id = load<u32>(slots + (<usize>slot << 2));
    if (id == 0) break;
    if (isSame(id, hash, column, count, bits, first, last)) {
      atomBitsClear(column, first, last);
      return id;
    }
    slot = (slot + 1) & slotMask;
  }
  const id = append(column, hash, count, bits, first, last);
  if (id == SET_UNKEPT) {
    setsUnkept++;
    return id;
  }
  store<u32>(slots + (<usize>slot << 2), id);
  used++;
  atomBitsClear(column, first, last);
  return id;
}

function isSame(id: u32, hash: u32, column: u32, count: u32, bits: usize, first: u32, last: u32): bool {
  const at = setAt(id);
  if (load<u32>(at) != hash || load<u32>(at, 4) != column || load<u32>(at, 8) != count) return false;
  let next = at + HEADER;
  for (let word = first; word <= last; word++) {
    let left = load<u64>(bits + (<usize>word << 3));
    while (left != 0) {
      if (load<u32>(next) != (word << 6) + <u32>ctz<u64>(left)) return false;
      next += 4;
      left &= left - 1;
    }
  }
  return true;
}

function append(column: u32, hash: u32, count: u32, bits: usize, first: u32, last: u32): u32 {
  const postings = candidatePostings(column);
  const candidates = postings == 0 ? 0 : gatherCandidates(postings, bits, first, last);
  const bytes = HEADER + <u32>align8(<usize>count << 2) + candidates * <u32>WORD;
  // The index keeps a quarter free so that a search ends soon.
  if (arenaTop + bytes > arenaEnd || used >= slotMask - (slotMask >> 2)) {
    clearPredicateBits();
    return SET_UNKEPT;
  }
  const id = arenaTop >> 3;
  const at = setAt(id);
  arenaTop += bytes;
  store<u32>(at, hash);
  store<u32>(at, column, 4);
  store<u32>(at, count, 8);
  store<u32>(at, candidates, 12);
  store<u64>(at, writeIds(bits, first, last, at + HEADER), 16);
  if (candidates != 0) writeWords(setCandidates(id));
  clearPredicateBits();
  return id;
}

/** Writes the numbers of the set bits, ascending, and returns their signature. */
function writeIds(bits: usize, first: u32, last: u32, target: usize): u64 {
  let next = target;
  let signature: u64 = 0;
  for (let word = first; word <= last; word++) {
    let left = load<u64>(bits + (<usize>word << 3));
    signature |= left;
    while (left != 0) {
      store<u32>(next, (word << 6) + <u32>ctz<u64>(left));
      next += 4;
      left &= left - 1;
    }
  }
  return signature;
}

/** Writes the words of the predicates' bits that are not zero. */
function writeWords(target: usize): void {
  let next = target;
  for (let word = firstWord; word <= lastWord; word++) {
    const bits = load<u64>(predicateBits + (<usize>word << 3));
    if (bits == 0) continue;
    store<u64>(next, word);
    store<u64>(next, bits, 8);
    next += WORD;
  }
}

/** Address of the column's posting starts, 0 where no predicate has a witness there. */
@inline
export function candidatePostings(column: u32): usize {
  const section = sectionPtr(Section.Candidates);
  if (section == 0) return 0;
  const offset = load<u32>(section + CandidateHeader.Columns + (<usize>column << 2));
  return offset == 0 ? 0 : section + offset;
}

/** Sets the bits of the predicates whose witnesses are among the atoms; returns how many words have some. */
function gatherCandidates(postings: usize, bits: usize, first: u32, last: u32): u32 {
  const section = sectionPtr(Section.Candidates);
  let total: u32 = 0;
  for (let word = first; word <= last; word++) {
    let left = load<u64>(bits + (<usize>word << 3));
    while (left != 0) {
      const start = postings + (<usize>((word << 6) + <u32>ctz<u64>(left)) << 2);
      const end = section + load<u32>(start, 4);
      for (let at = section + load<u32>(start); at < end; at += 4) total += addPredicate(load<u32>(at));
      left &= left - 1;
    }
  }
  return total;
}

@inline
function addPredicate(predicate: u32): u32 {
  const word = predicate >> 6;
  const at = predicateBits + (<usize>word << 3);
  const before = load<u64>(at);
  store<u64>(at, before | (<u64>1 << (predicate & 63)));
  firstWord = min(firstWord, word);
  lastWord = max(lastWord, word);
  return <u32>(before == 0);
}

function clearPredicateBits(): void {
  if (firstWord <= lastWord) memory.fill(predicateBits + (<usize>firstWord << 3), 0, <usize>(lastWord - firstWord + 1) << 3);
  firstWord = 0xffffffff;
  lastWord = 0;
}

/** The union of two sets of one column. */
export function truthSetUnion(a: u32, b: u32): u32 {
  if (a == b || b == 0) return a;
  if (a == 0) return b;
  if (a == SET_UNKEPT || b == SET_UNKEPT) return SET_UNKEPT;
  const column = setColumn(a);
  const bits = atomBits(column);
  atomBitsClear(column, 0, atomBitsWords(column) - 1);
  addToBits(a, bits);
  addToBits(b, bits);
  const union = truthSetFromBits(column, 0, atomBitsWords(column) - 1);
  if (union == SET_UNKEPT) atomBitsClear(column, 0, atomBitsWords(column) - 1);
  return union;
}

function addToBits(id: u32, bits: usize): void {
  let at = setAt(id) + HEADER;
  const end = at + (<usize>setCount(id) << 2);
  for (; at < end; at += 4) {
    const atom = load<u32>(at);
    const word = bits + (<usize>(atom >> 6) << 3);
    store<u64>(word, load<u64>(word) | (<u64>1 << (atom & 63)));
  }
}

/** Bytes of the arena in use. */
export function truthSetBytes(): u32 {
  return arenaTop;
}
