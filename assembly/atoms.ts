/**
 * Atoms: conditions on one value, evaluated once for each distinct value of a column. The outcome is a truth set.
 *
 * Each column has bits, one an atom, that the tests of one value set. They are cleared when the set is interned; where
 * it could not be, they stay, so that the value's atoms can be asked for until another value of the column needs them.
 */
import { AtomTable, ValueTest, ValueTestRecord, ConstantRecord, Outcome } from "../src/core/abi/predicates";
import { Section } from "../src/core/abi/program";
import { ValueTag } from "../src/core/abi/events";
import { addressInBlock, parseAddress } from "./cidr";
import { sectionPtr } from "./config";
import { compareHolds, compareTexts } from "./comparison";
import { parseNumber } from "./number_text";
import { listItem, listLength, valueIsList } from "./lists";
import { reserve } from "./memory";
import { patternsInit, patternsMatch } from "./pattern";
import { constantAt, constantLength, constantNumber, constantText, strings } from "./program";
import { SET_UNKEPT, setHas, truthSetFromBits } from "./truth_sets";
import { valueColumn, valueHash, valueLength, valueNumber, valuePtr, valueSet, valueTag } from "./values";
import { vmBindValue, vmOutcome } from "./vm";

let section: usize = 0;
let columns: u32 = 0;
/** Per column: u32 offset of its bits from `bitsBase`, u32 words, u64 hash of the unkept value the bits are of. */
let columnBits: usize = 0;
let bitsBase: usize = 0;
let bits: usize = 0;
let firstWord: u32 = 0xffffffff;
let lastWord: u32 = 0;
/** What is known of the value in hand as an address: several tests ask of it. */
let address: u32 = 0;
const ADDRESS_UNREAD: u32 = 0;
const ADDRESS_READ: u32 = 1;
const ADDRESS_NONE: u32 = 2;

const COLUMN_RECORD: usize = 16;

/** Lays out the bits and buffers for values of at most `valueBytes` bytes. */
export function atomsInit(valueBytes: u32): void {
  section = sectionPtr(Section.Atoms);
  columns = section == 0 ? 0 : load<u32>(section);
  columnBits = reserve(<usize>columns * COLUMN_RECORD);
  let words: u32 = 0;
  let patternsMost: u32 = 0;
  for (let c: u32 = 0; c < columns; c++) {
    const table = tableOf(c);
    const own = table == 0 ? 1 : (load<u32>(table, AtomTable.AtomCount) >> 6) + 1;
    store<u32>(columnBits + <usize>c * COLUMN_RECORD, words);
    store<u32>(columnBits + <usize>c * COLUMN_RECORD, own, 4);
    words += own;
    if (table != 0) patternsMost = max(patternsMost, load<u32>(table, AtomTable.PatternCount));
  }
  bitsBase = reserve(<usize>words << 3);
  patternsInit(valueBytes, patternsMost);
}

@inline
function tableOf(column: u32): usize {
  if (column >= columns) return 0;
  const offset = load<u32>(section + 4 + (<usize>column << 2));
  return offset == 0 ? 0 : section + offset;
}

/** Address of the column's bits. */
@inline
export function atomBits(column: u32): usize {
  return bitsBase + (<usize>load<u32>(columnBits + <usize>column * COLUMN_RECORD) << 3);
}

/** Words of the column's bits. */
@inline
export function atomBitsWords(column: u32): u32 {
  return load<u32>(columnBits + <usize>column * COLUMN_RECORD, 4);
}

/** Clears words `first` to `last` of the column's bits. */
export function atomBitsClear(column: u32, first: u32, last: u32): void {
  memory.fill(atomBits(column) + (<usize>first << 3), 0, <usize>(last - first + 1) << 3);
  store<u64>(columnBits + <usize>column * COLUMN_RECORD, 0, 8);
}

/** Notes that an atom of the column in hand holds. */
@inline
export function noteAtom(atom: u32): void {
  const word = atom >> 6;
  const at = bits + (<usize>word << 3);
  store<u64>(at, load<u64>(at) | (<u64>1 << (atom & 63)));
  firstWord = min(firstWord, word);
  lastWord = max(lastWord, word);
}

/** Truth set of the atoms of `column` that are true of a value of `tag` (a `ValueTag`, not List). */
export function atomsClassify(column: u32, tag: u32, pointer: usize, length: u32, number: f64): u32 {
  const table = tableOf(column);
  if (table == 0) return 0;
  testAll(table, column, tag, pointer, length, number);
  const set = truthSetFromBits(column, firstWord, lastWord);
  if (set == SET_UNKEPT) atomBitsClear(column, firstWord, lastWord);
  return set;
}

/** Sets the column's bits to the atoms of the value. */
function testAll(table: usize, column: u32, tag: u32, pointer: usize, length: u32, number: f64): void {
  if (load<u64>(columnBits + <usize>column * COLUMN_RECORD, 8) != 0) atomBitsClear(column, 0, atomBitsWords(column) - 1);
  bits = atomBits(column);
  firstWord = 0xffffffff;
  lastWord = 0;
  if (load<u32>(table, AtomTable.PatternCount) != 0) patternsMatch(section, strings, table, pointer, length);
  address = ADDRESS_UNREAD;
  let test = section + load<u32>(table, AtomTable.Tests);
  const end = test + <usize>load<u32>(table, AtomTable.TestCount) * ValueTestRecord.Bytes;
  for (; test < end; test += ValueTestRecord.Bytes) {
    if (testHolds(test, tag, pointer, length, number)) noteAtom(load<u32>(test, ValueTestRecord.Atom));
  }
}

function testHolds(test: usize, tag: u32, pointer: usize, length: u32, number: f64): bool {
  const kind = load<u32>(test, ValueTestRecord.Kind);
  const operand = load<u32>(test, ValueTestRecord.Operand);
  const comparison = load<u32>(test, ValueTestRecord.Comparison);
  if (kind <= <u32>ValueTest.NumberOnly) {
    if (tag == ValueTag.Boolean || (kind == ValueTest.NumberOnly && tag != ValueTag.Number)) return false;
    const value = tag == ValueTag.Number ? number : parseNumber(pointer, length);
    if (isNaN(value)) return false;
    const wanted = constantNumber(operand);
    return compareHolds(comparison, value < wanted ? -1 : value > wanted ? 1 : 0);
  }
  if (kind == ValueTest.Text) {
    if (tag != ValueTag.String) return false;
    const space = load<u32>(test, ValueTestRecord.Space);
    return compareHolds(comparison, compareTexts(pointer, length, constantText(operand), constantLength(operand), space));
  }
  if (kind == ValueTest.Cidr) {
    if (address == ADDRESS_UNREAD) address = parseAddress(pointer, length) ? ADDRESS_READ : ADDRESS_NONE;
    return address == ADDRESS_READ && addressInBlocks(operand, load<u32>(test, ValueTestRecord.Count));
  }
  // An expression may read another address.
  address = ADDRESS_UNREAD;
  vmBindValue(tag, pointer, length, number);
  return vmOutcome(operand, kind == ValueTest.ExpressionTrue ? Outcome.True : kind == ValueTest.ExpressionFalse ? Outcome.False : Outcome.Known);
}

/** Whether a text is an address in one of `count` block constants from `first` on. */
export function isInBlocks(pointer: usize, length: u32, first: u32, count: u32): bool {
  return parseAddress(pointer, length) && addressInBlocks(first, count);
}

/** Whether the address read last is in one of `count` block constants from `first` on. */
function addressInBlocks(first: u32, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (addressInBlock(constantText(first + i), load<u32>(constantAt(first + i), ConstantRecord.Aux))) return true;
  }
  return false;
}

/** Whether an atom of its column holds for a value, or for any value of a list. */
export function valueHasAtom(v: u32, atom: u32): bool {
  const set = valueSet(v);
  return set == SET_UNKEPT ? unkeptHasAtom(v, atom) : setHas(set, atom);
}

function unkeptHasAtom(v: u32, atom: u32): bool {
  if (valueIsList(v)) {
    for (let i: u32 = 0; i < listLength(v); i++) {
      const item = listItem(v, i);
      if (item != 0 && valueHasAtom(item, atom)) return true;
    }
    return false;
  }
  const at = unkeptBits(v) + (<usize>(atom >> 6) << 3);
  return ((load<u64>(at) >> (atom & 63)) & 1) != 0;
}

/** Address of bits that say which atoms hold for a single value whose set was not kept. */
export function unkeptBits(v: u32): usize {
  const column = valueColumn(v);
  const record = columnBits + <usize>column * COLUMN_RECORD;
  if (load<u64>(record, 8) != valueHash(v)) {
    testAll(tableOf(column), column, valueTag(v), valuePtr(v), valueLength(v), valueNumber(v));
    store<u64>(record, valueHash(v), 8);
  }
  return atomBits(column);
}
