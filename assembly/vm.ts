/**
 * The expression machine: evaluates what is not a test of one value against constants. Straight-line stack code over
 * three-valued logic; programs are checked before they are loaded, and indexes are clamped here all the same.
 *
 * A leaf reads some columns. Where cells are lists it is tried with every combination of their items, and is true when
 * it is true for any; else false when it is false for any; else null.
 */
import {
  ConstantRecord,
  ExpressionLimit,
  LeafColumn,
  LeafRecord,
  Op,
  OpRecord,
  Outcome,
  ValueType,
} from "../src/core/abi/predicates";
import { ColumnKind, ValueTag } from "../src/core/abi/events";
import { isInBlocks } from "./atoms";
import { columnKind } from "./columns";
import { compareValues } from "./comparison";
import { between, concat, indexOf, lengthOf, pathKeyOf, substring, textTest, toNumber } from "./functions";
import {
  VALUE,
  foldedLength,
  foldedText,
  isFalse,
  isNumber,
  isTrue,
  numberOf,
  scratchReset,
  setBoolean,
  setNull,
  setNumber,
  setText,
  textBytes,
  textOf,
  toText,
  typeOf,
} from "./machine_values";
import { hashBoolean, hashBytes, hashNumber } from "./hash";
import { listItem, listLength, valueIsList } from "./lists";
import { reserve } from "./memory";
import { constantAt, constantLength, constantNumber, constantText, constantType, expressions, leafColumns, leaves } from "./program";
import { regexHolds } from "./regex_memo";
import { cellIdHash, cellIdLength, cellIdPtr, cellNumber, cellText } from "./rows";
import { setStepValue, stepListItem, stepListLength, stepValue, stepValuesOpen } from "./step_values";
import { valueLength, valueNumber, valuePtr, valueTag } from "./values";
import { patternHolds } from "./wildcard";

/** Columns that one leaf may read. */
const FIELDS: u32 = 32;
const ITEM: usize = 16;

let stack: usize = 0;
let fields: usize = 0;
/**
 * Per field of the leaf in hand: u32 items (0: not a list), u32 current item, then the list: u32 value, or u32 address of
 * a list that an earlier event had.
 */
let items: usize = 0;
/** The element that element columns read. */
let element: u32 = 0;

export function vmInit(): void {
  stack = reserve(<usize>(ExpressionLimit.StackDepth + 4) * VALUE);
  fields = reserve(<usize>FIELDS * VALUE);
  items = reserve(<usize>FIELDS * ITEM);
}

/** Chooses the element that element columns read from here on. */
export function vmSetElement(index: u32): void {
  element = index;
}

/** Value id of a text cell, or of its current element. */
export function cellValue(column: u32, slot: u32, ofElement: bool): u32 {
  const v = cellText(column, slot);
  return ofElement ? itemOf(v, element) : v;
}

@inline
function leafAt(leaf: u32): usize {
  return leaves + <usize>leaf * LeafRecord.Bytes;
}

/** Makes a value the one field of the leaf evaluated next. */
export function vmBindValue(tag: u32, pointer: usize, length: u32, number: f64): void {
  bindTyped(fields, tag, pointer, length, number);
}

function bindTyped(target: usize, tag: u32, pointer: usize, length: u32, number: f64): void {
  if (tag == ValueTag.String) setText(target, pointer, length);
  else if (tag == ValueTag.Number) setNumber(target, number, false);
  else if (tag == ValueTag.Boolean) setBoolean(target, length == 4);
  else setNull(target);
}

/** Whether the leaf, over the value bound before, has the outcome. */
export function vmOutcome(leaf: u32, outcome: u32): bool {
  const result = run(leaf);
  if (outcome == Outcome.Known) return typeOf(result) != ValueType.Null;
  return outcome == Outcome.True ? isTrue(result) : isFalse(result);
}

/** Whether a leaf has the outcome on a row. */
export function vmRowOutcome(leaf: u32, slot: u32, outcome: u32): bool {
  openRow(leaf, slot);
  let isAnyFalse = false;
  for (let left: u32 = ExpressionLimit.Combinations; left > 0; left--) {
    const result = run(leaf);
    if (outcome == Outcome.Known) {
      if (typeOf(result) != ValueType.Null) return true;
    } else {
      if (isTrue(result)) return outcome == Outcome.True;
      isAnyFalse = isAnyFalse || isFalse(result);
    }
    if (!nextCombination(leaf)) break;
  }
  return outcome == Outcome.False && isAnyFalse;
}

/** Starts the values of a leaf on a row; {@link vmNextHash} gives them. */
export function vmOpenRow(leaf: u32, slot: u32): void {
  openRow(leaf, slot);
  hasCombination = true;
}

let hasCombination = false;

/** Whether the leaf has another combination of list items to give a value for. */
export function vmHasNext(): bool {
  return hasCombination;
}

/** Hash of the leaf's next value as a key component; 0 for null. */
export function vmNextHash(leaf: u32): u64 {
  const result = run(leaf);
  hasCombination = nextCombination(leaf);
  const type = typeOf(result);
  if (type == ValueType.Text) return hashBytes(textOf(result), textBytes(result));
  if (type == ValueType.Boolean) return hashBoolean(numberOf(result) != 0);
  return type == ValueType.Null ? 0 : hashNumber(numberOf(result));
}

function openRow(leaf: u32, slot: u32): void {
  const count = min<u32>(load<u32>(leafAt(leaf), LeafRecord.ColumnCount), FIELDS);
  const columns = leafColumns + (<usize>load<u32>(leafAt(leaf), LeafRecord.ColumnStart) << 2);
  stepValuesOpen();
  for (let i: u32 = 0; i < count; i++) bindCell(i, load<u32>(columns + (<usize>i << 2)), slot);
}

function bindCell(i: u32, word: u32, slot: u32): void {
  const column = word & LeafColumn.Mask;
  const target = fields + <usize>i * VALUE;
  const item = items + <usize>i * ITEM;
  store<u32>(item, 0);
  store<u32>(item, 0, 12);
  const chosen = (word >> LeafColumn.ItemShift) & LeafColumn.ItemMask;
  if (chosen != 0 && (word & LeafColumn.Element) != 0) {
    bindStep(item, target, stepValue(chosen - 1, column));
    return;
  }
  const kind = columnKind(column);
  if (kind == ColumnKind.Number) {
    setNumber(target, cellNumber(column, slot), false);
  } else if (kind == ColumnKind.Id) {
    if (cellIdHash(column, slot) == 0) setNull(target);
    else setText(target, cellIdPtr(column, slot), cellIdLength(column, slot));
  } else if (kind == ColumnKind.Text) {
    let v = cellValue(column, slot, (word & LeafColumn.Element) != 0);
    if (chosen != 0) v = itemOf(v, chosen - 1);
    if (v != 0 && valueIsList(v)) {
      store<u32>(item, listLength(v));
      store<u32>(item, 0, 4);
      store<u32>(item, v, 8);
    }
    bindFirst(target, v);
  } else setNull(target);
}

/** Binds a value of an earlier event, or the first item of a list. */
function bindStep(item: usize, target: usize, value: usize): void {
  const length = stepListLength(value);
  if (length != 0) {
    store<u32>(item, length);
    store<u32>(item, 0, 4);
    store<u32>(item, <u32>value, 12);
  }
  setStepValue(target, length == 0 ? value : stepListItem(value, 0));
}

/** Item `index` of a list, or 0 where it has fewer. A value that is no list is its own item 0. */
function itemOf(v: u32, index: u32): u32 {
  if (v == 0 || !valueIsList(v)) return index == 0 ? v : 0;
  return index < listLength(v) ? listItem(v, index) : 0;
}

/** Binds a value, or the first item of a list (of a list). */
function bindFirst(target: usize, value: u32): void {
  let v = value;
  while (v != 0 && valueIsList(v)) v = listLength(v) == 0 ? 0 : listItem(v, 0);
  if (v == 0) setNull(target);
  else bindTyped(target, valueTag(v), valuePtr(v), valueLength(v), valueNumber(v));
}

/** Moves to the next combination of list items. False after the last. */
function nextCombination(leaf: u32): bool {
  const count = min<u32>(load<u32>(leafAt(leaf), LeafRecord.ColumnCount), FIELDS);
  for (let i: u32 = 0; i < count; i++) {
    const item = items + <usize>i * ITEM;
    const length = load<u32>(item);
    if (length == 0) continue;
    const next = load<u32>(item, 4) + 1;
    const index: u32 = next < length ? next : 0;
    const target = fields + <usize>i * VALUE;
    const ofStep = <usize>load<u32>(item, 12);
    store<u32>(item, index, 4);
    if (ofStep != 0) setStepValue(target, stepListItem(ofStep, index));
    else bindFirst(target, listItem(load<u32>(item, 8), index));
    if (next < length) return true;
  }
  return false;
}

// -------------------------------------------------------------------------------------------------- operations

/** Runs a leaf's code over the bound fields; the address of the result. */
function run(leaf: u32): usize {
  scratchReset();
  let at = expressions + <usize>load<u32>(leafAt(leaf), LeafRecord.Start) * OpRecord.Bytes;
  const end = at + <usize>load<u32>(leafAt(leaf), LeafRecord.Length) * OpRecord.Bytes;
  let top = stack;
  const limit = stack + <usize>ExpressionLimit.StackDepth * VALUE;
  for (; at < end; at += OpRecord.Bytes) {
    const op = load<u8>(at, OpRecord.Op);
    const operand = load<u32>(at, OpRecord.Operand);
    if (op == Op.Constant) {
      if (top < limit) top += VALUE;
      pushConstant(top - VALUE, operand);
    } else if (op == Op.Field) {
      if (top < limit) top += VALUE;
      memory.copy(top - VALUE, fields + <usize>min(operand, FIELDS - 1) * VALUE, VALUE);
    } else {
      const taken = taking(op, load<u16>(at, OpRecord.Count));
      top -= <usize>taken * VALUE;
      if (top < stack) top = stack;
      apply(op, top, operand, load<u16>(at, OpRecord.Count), load<u8>(at, OpRecord.Mode));
      top += VALUE;
    }
  }
  return stack;
}

/** Values that an operation takes from the stack; each leaves one. */
function taking(op: u32, count: u32): u32 {
  if (op == Op.Concat) return min<u32>(count, ExpressionLimit.StackDepth);
  if (op <= <u32>Op.Compare || op == Op.And || op == Op.Or) return 2;
  if (op == Op.Between) return 4;
  if (op == Op.IndexOf || op == Op.Substring) return 3;
  if (op == Op.EndsWith || op == Op.StartsWith || op == Op.StringContains || op == Op.Number) return 2;
  return 1;
}

function pushConstant(target: usize, index: u32): void {
  const type = constantType(index);
  if (type == ValueType.Text) setText(target, constantText(index), constantLength(index));
  else {
    store<u32>(target, type);
    store<f64>(target, constantNumber(index), 8);
  }
}

/** Applies an operation to the values from `a` on, and leaves its result in `a`. */
function apply(op: u32, a: usize, operand: u32, count: u32, mode: u32): void {
  const b = a + VALUE;
  if (op == Op.Coalesce) {
    if (typeOf(a) == ValueType.Null) memory.copy(a, b, VALUE);
  } else if (op >= <u32>Op.Add && op <= <u32>Op.Modulo) arithmetic(op, a, b);
  else if (op == Op.Compare) compareValues(a, b, operand, mode);
  else if (op == Op.IsNull) setBoolean(a, typeOf(a) == ValueType.Null);
  else if (op >= <u32>Op.And && op <= <u32>Op.NotTrue) logic(op, a, b);
  else if (op >= <u32>Op.Match && op <= <u32>Op.Host) test(op, a, operand, count);
  else if (op == Op.Length) lengthOf(a);
  else if (op == Op.Concat) concat(a, count);
  else if (op == Op.Between) between(a, b, a + 2 * VALUE, a + 3 * VALUE, mode);
  else if (op == Op.EndsWith) textTest(a, b, mode, false, true);
  else if (op == Op.StartsWith) textTest(a, b, mode, true, false);
  else if (op == Op.StringContains) textTest(a, b, mode, false, false);
  else if (op == Op.IndexOf) indexOf(a, b, a + 2 * VALUE, mode);
  else if (op == Op.Number) toNumber(a, b);
  else if (op == Op.String) toText(a);
  else if (op == Op.Substring) substring(a, b, a + 2 * VALUE);
  else if (op == Op.PathKey) pathKeyOf(a, operand);
  else setNull(a);
}

function arithmetic(op: u32, a: usize, b: usize): void {
  if (!isNumber(a) || !isNumber(b)) {
    setNull(a);
    return;
  }
  const left = numberOf(a);
  const right = numberOf(b);
  const isFloat = typeOf(a) == ValueType.Float || typeOf(b) == ValueType.Float;
  if (op == Op.Add) setNumber(a, left + right, isFloat);
  else if (op == Op.Subtract) setNumber(a, left - right, isFloat);
  else if (op == Op.Multiply) setNumber(a, left * right, isFloat);
  else if (right == 0) setNull(a);
  else if (op == Op.Divide) setNumber(a, isFloat ? left / right : trunc(left / right), isFloat);
  else setNumber(a, left % right, isFloat);
}

function logic(op: u32, a: usize, b: usize): void {
  if (op == Op.Not) {
    if (typeOf(a) != ValueType.Null) setBoolean(a, !isTrue(a));
  } else if (op == Op.NotTrue) setBoolean(a, !isTrue(a));
  else if (op == Op.And) {
    if (isFalse(a) || isFalse(b)) setBoolean(a, false);
    else if (isTrue(a) && isTrue(b)) setBoolean(a, true);
    else setNull(a);
  } else if (isTrue(a) || isTrue(b)) setBoolean(a, true);
  else if (isFalse(a) && isFalse(b)) setBoolean(a, false);
  else setNull(a);
}

/** Pattern, address and regular expression tests of one value. */
function test(op: u32, a: usize, operand: u32, count: u32): void {
  if (!toText(a)) {
    setNull(a);
    return;
  }
  const text = textOf(a);
  const length = textBytes(a);
  if (op == Op.Cidr) setBoolean(a, isInBlocks(text, length, operand, count));
  else if (op == Op.Host) setBoolean(a, regexHolds(operand, hashBytes(text, length), text, length));
  else setBoolean(a, isAnyPattern(text, length, operand, count));
}

function isAnyPattern(text: usize, length: u32, first: u32, count: u32): bool {
  for (let i = first; i < first + count; i++) {
    const constant = constantAt(i);
    const folded = foldedText(text, length, load<u32>(constant, ConstantRecord.Space));
    if (folded == 0) continue;
    const type = load<u32>(constant, ConstantRecord.Aux);
    if (patternHolds(type, folded, foldedLength, constantText(i), constantLength(i))) return true;
  }
  return false;
}
