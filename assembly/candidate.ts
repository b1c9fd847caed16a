/**
 * Which predicates are worth evaluating on a row, and their evaluation.
 *
 * Each predicate has witnesses: atoms one of which must hold for it to be true. The truth sets of a row's cells carry the
 * predicates they make candidates; those, and the few predicates without a witness, are evaluated, once each, in
 * ascending order: marks first. A predicate is jump code over two-valued tests whose targets only lead forward.
 */
import { ColumnKind } from "../src/core/abi/events";
import {
  CandidateHeader,
  Comparison,
  Instruction,
  InstructionFlag,
  Jump,
  NestedRecord,
  Test,
} from "../src/core/abi/predicates";
import { Config } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { attributedBits, isNeeded } from "./attribution";
import { atomBitsWords, unkeptBits, valueHasAtom } from "./atoms";
import { columnCount, columnKind, columnOffset } from "./columns";
import { configU32, sectionPtr } from "./config";
import { currentLineageHolds, currentMarks, dispatchPredicate, forgetLineageAsked } from "./dispatch";
import { compareHolds } from "./comparison";
import { guardsInit, guardsPass, guardsSee } from "./guards";
import { listItem, listLength, valueIsList } from "./lists";
import { reserve } from "./memory";
import { constantHash, constantNumber, instructions, isInNumbers, leafColumns, nestedBlocks } from "./program";
import { regexHolds } from "./regex_memo";
import { cellIdHash, cellNumber, cellText, rowAddress } from "./rows";
import { SET_UNKEPT, WORD, candidatePostings, setCandidateWords, setCandidates } from "./truth_sets";
import { valueColumn, valueHash, valueLength, valuePtr, valueSet } from "./values";
import { cellValue, vmRowOutcome, vmSetElement } from "./vm";

let entries: usize = 0;
let predicateCount: u32 = 0;
/** Offsets in a row of the cells of columns with witnesses. */
let witnessCells: usize = 0;
let witnessCount: u32 = 0;
/** Candidates of the row in hand: a bit each, and a bit for each word of those. */
let bits: usize = 0;
let words: usize = 0;
let wordCount: u32 = 0;
/** Bits of the predicates that every row is a candidate for, words as in `bits`. */
let always: usize = 0;
let usesCandidates = true;

/** Predicate programs evaluated since the start. */
export let predicatesEvaluated: u64 = 0;

export function candidatesInit(): void {
  const section = sectionPtr(Section.Predicates);
  predicateCount = section == 0 ? 0 : load<u32>(section);
  entries = section + 4;
  wordCount = (predicateCount >> 6) + 1;
  bits = reserve(<usize>wordCount << 3);
  words = reserve(((<usize>wordCount >> 6) + 1) << 3);
  always = reserve(<usize>wordCount << 3);
  usesCandidates = configU32(Config.Prefilter) != 0;
  if (usesCandidates) {
    readCandidates();
    guardsInit(wordCount);
  } else {
    for (let p: u32 = 0; p < predicateCount; p++) if (entryOf(p) != Jump.Unused) setAlways(p);
  }
}

function readCandidates(): void {
  const section = sectionPtr(Section.Candidates);
  if (section == 0) return;
  const start = section + load<u32>(section, CandidateHeader.AlwaysOffset);
  for (let i: u32 = 0; i < load<u32>(section, CandidateHeader.AlwaysCount); i++) setAlways(load<u32>(start + (<usize>i << 2)));
  witnessCells = reserve(<usize>columnCount() << 2);
  for (let c: u32 = 0; c < columnCount(); c++) {
    if (columnKind(c) != ColumnKind.Text || candidatePostings(c) == 0) continue;
    store<u32>(witnessCells + (<usize>witnessCount << 2), <u32>columnOffset(c));
    witnessCount++;
  }
}

function setAlways(predicate: u32): void {
  if (predicate >= predicateCount) return;
  const at = always + (<usize>(predicate >> 6) << 3);
  store<u64>(at, load<u64>(at) | (<u64>1 << (predicate & 63)));
}

@inline
function entryOf(predicate: u32): u32 {
  return load<u32>(entries + (<usize>predicate << 2));
}

/** Number of predicate ids in the program. */
export function predicateTotal(): u32 {
  return predicateCount;
}

/** Evaluates the row's candidates and dispatches those that are true, in ascending order of their ids. */
export function evaluateRow(slot: u32, entity: u32): void {
  const row = rowAddress(slot);
  guardsSee(row);
  const end = witnessCells + (<usize>witnessCount << 2);
  for (let at = witnessCells; at < end; at += 4) {
    const v = load<u32>(row + load<u32>(at));
    if (v != 0) addValue(v);
  }
  for (let word: u32 = 0; word < wordCount; word++) {
    const bit = load<u64>(always + (<usize>word << 3));
    if (bit != 0) addWord(word, bit);
  }
  for (let group: u32 = 0; group << 6 < wordCount; group++) {
    let left = load<u64>(words + (<usize>group << 3));
    store<u64>(words + (<usize>group << 3), 0);
    while (left != 0) {
      const word = (group << 6) + <u32>ctz<u64>(left);
      evaluateWord(word, slot, entity);
      left &= left - 1;
    }
  }
}

function evaluateWord(word: u32, slot: u32, entity: u32): void {
  let left = guardsPass(word, load<u64>(bits + (<usize>word << 3)));
  store<u64>(bits + (<usize>word << 3), 0);
  const attributed = attributedBits(word);
  while (left != 0) {
    const bit = left & -left;
    const predicate = (word << 6) + <u32>ctz<u64>(left);
    left ^= bit;
    if ((attributed & bit) != 0) {
      // What the row's process is was settled by predicates of lower ids.
      const marks = currentMarks();
      if (marks == 0) left &= ~attributed;
      if (!isNeeded(predicate, marks)) continue;
    }
    if (predicateHolds(predicate, slot)) dispatchPredicate(predicate, slot, entity);
    forgetLineageAsked();
  }
}

@inline
function addWord(word: u32, bit: u64): void {
  const at = bits + (<usize>word << 3);
  store<u64>(at, load<u64>(at) | bit);
  const group = words + (<usize>(word >> 6) << 3);
  store<u64>(group, load<u64>(group) | (<u64>1 << (word & 63)));
}

/** Adds the candidates that a value makes. */
function addValue(v: u32): void {
  const set = valueSet(v);
  if (set == SET_UNKEPT) {
    addUnkept(v);
    return;
  }
  const count = setCandidateWords(set);
  if (count == 0) return;
  let at = setCandidates(set);
  const end = at + <usize>count * WORD;
  for (; at < end; at += WORD) addWord(<u32>load<u64>(at), load<u64>(at, 8));
}

/** As {@link addValue}, for a value whose truth set was not kept: from its atoms. */
function addUnkept(v: u32): void {
  if (valueIsList(v)) {
    for (let i: u32 = 0; i < listLength(v); i++) {
      const item = listItem(v, i);
      if (item != 0) addValue(item);
    }
    return;
  }
  addPostings(v);
}

function addPostings(v: u32): void {
  const column = valueColumn(v);
  const section = sectionPtr(Section.Candidates);
  const postings = candidatePostings(column);
  const atoms = unkeptBits(v);
  for (let word: u32 = 0; word < atomBitsWords(column); word++) {
    let left = load<u64>(atoms + (<usize>word << 3));
    while (left != 0) {
      const start = postings + (<usize>((word << 6) + <u32>ctz<u64>(left)) << 2);
      const end = section + load<u32>(start, 4);
      for (let at = section + load<u32>(start); at < end; at += 4) {
        const predicate = load<u32>(at);
        addWord(predicate >> 6, <u64>1 << (predicate & 63));
      }
      left &= left - 1;
    }
  }
}

// -------------------------------------------------------------------------------------------------- evaluation

/** Whether a predicate is true for a row. */
export function predicateHolds(predicate: u32, slot: u32): bool {
  if (predicate >= predicateCount) return false;
  predicatesEvaluated++;
  return runBlock(entryOf(predicate), slot);
}

function runBlock(entry: u32, slot: u32): bool {
  let next = entry;
  while (next < <u32>Jump.Unused) {
    const at = instructions + <usize>next * Instruction.Bytes;
    next = testHolds(at, slot) ? load<u32>(at, Instruction.OnTrue) : load<u32>(at, Instruction.OnFalse);
  }
  return next == Jump.True;
}

function testHolds(at: usize, slot: u32): bool {
  const test = load<u8>(at, Instruction.Test);
  const column: u32 = load<u16>(at, Instruction.Column);
  const operand = load<u32>(at, Instruction.Operand);
  const flags: u32 = load<u8>(at, Instruction.Flags);
  if (test == Test.Atom) {
    const v = cellValue(column, slot, (flags & InstructionFlag.Element) != 0);
    return v != 0 && valueHasAtom(v, operand);
  }
  if (test == Test.Exists) return exists(column, slot, (flags & InstructionFlag.Element) != 0);
  if (test == Test.Number) {
    const value = cellNumber(column, slot);
    const wanted = constantNumber(operand);
    return !isNaN(value) && compareHolds(flags, value < wanted ? -1 : value > wanted ? 1 : 0);
  }
  if (test == Test.NumberSet) {
    const value = cellNumber(column, slot);
    return !isNaN(value) && isInNumbers(value, operand + 1, <u32>constantNumber(operand));
  }
  if (test == Test.Id) return cellIdHash(column, slot) == constantHash(operand);
  if (test == Test.Leaf) return vmRowOutcome(operand, slot, flags);
  if (test == Test.Host) return hostHolds(operand, cellValue(column, slot, (flags & InstructionFlag.Element) != 0));
  if (test == Test.Lineage) return currentLineageHolds(operand, flags);
  return nestedHolds(nestedBlocks + <usize>operand * NestedRecord.Bytes, slot);
}

function exists(column: u32, slot: u32, ofElement: bool): bool {
  const kind = columnKind(column);
  if (kind == ColumnKind.Text) return cellValue(column, slot, ofElement) != 0;
  if (kind == ColumnKind.Id) return cellIdHash(column, slot) != 0;
  return kind == ColumnKind.Number && !isNaN(cellNumber(column, slot));
}

/** Whether a regular expression holds for a value, or for any item of a list. */
function hostHolds(index: u32, v: u32): bool {
  if (v == 0) return false;
  if (!valueIsList(v)) return regexHolds(index, valueHash(v), valuePtr(v), valueLength(v));
  for (let i: u32 = 0; i < listLength(v); i++) {
    if (hostHolds(index, listItem(v, i))) return true;
  }
  return false;
}

/** Whether enough elements of the arrays below one path satisfy a condition. Blocks do not nest. */
function nestedHolds(block: usize, slot: u32): bool {
  const entry = load<u32>(block, NestedRecord.Entry);
  const comparison = load<u32>(block, NestedRecord.Comparison);
  const wanted = load<u32>(block, NestedRecord.Wanted);
  const isAny = comparison == Comparison.GreaterOrEqual && wanted == 1;
  const elements = elementCount(block, slot);
  let found: u32 = 0;
  for (let i: u32 = 0; i < elements; i++) {
    vmSetElement(i);
    if (!runBlock(entry, slot)) continue;
    found++;
    if (isAny) break;
  }
  vmSetElement(0);
  return elements != 0 && compareHolds(comparison, found < wanted ? -1 : found > wanted ? 1 : 0);
}

function elementCount(block: usize, slot: u32): u32 {
  const columns = leafColumns + (<usize>load<u32>(block, NestedRecord.ColumnStart) << 2);
  let most: u32 = 0;
  for (let i: u32 = 0; i < load<u32>(block, NestedRecord.ColumnCount); i++) {
    const v = cellText(load<u32>(columns + (<usize>i << 2)), slot);
    if (v != 0) most = max<u32>(most, valueIsList(v) ? listLength(v) : 1);
  }
  return most;
}
