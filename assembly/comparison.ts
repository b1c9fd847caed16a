/** How values of the expression machine compare. Reference: `src/rule/semantics.ts`. */
import { Comparison, ValueType } from "../src/core/abi/predicates";
import {
  foldedLength,
  foldedText,
  isNumber,
  numberOf,
  scratchReset,
  setBoolean,
  setNull,
  textBytes,
  textOf,
  toText,
  typeOf,
} from "./machine_values";
import { parseNumber } from "./number_text";

@inline
export function compareHolds(comparison: u32, order: i32): bool {
  if (comparison == Comparison.Equal) return order == 0;
  if (comparison == Comparison.NotEqual) return order != 0;
  if (comparison == Comparison.Less) return order < 0;
  if (comparison == Comparison.LessOrEqual) return order <= 0;
  if (comparison == Comparison.Greater) return order > 0;
  return order >= 0;
}

/** Orders two texts by bytes, the left one folded as the right one already is. */
export function compareTexts(left: usize, leftLength: u32, right: usize, rightLength: u32, space: u32): i32 {
  scratchReset();
  const folded = foldedText(left, leftLength, space);
  return folded == 0 ? 1 : compareBytes(folded, foldedLength, right, rightLength);
}

function compareBytes(left: usize, leftLength: u32, right: usize, rightLength: u32): i32 {
  const order = memory.compare(left, right, min(leftLength, rightLength));
  return order != 0 ? order : leftLength < rightLength ? -1 : leftLength > rightLength ? 1 : 0;
}

/** Compares `a` with `b` and puts the outcome in `a`. Either null: null. */
export function compareValues(a: usize, b: usize, comparison: u32, space: u32): void {
  if (typeOf(a) == ValueType.Null || typeOf(b) == ValueType.Null) {
    setNull(a);
    return;
  }
  if (typeOf(a) == ValueType.Text && typeOf(b) == ValueType.Text) {
    setBoolean(a, compareHolds(comparison, orderTexts(a, b, space)));
    return;
  }
  if (typeOf(a) == ValueType.Boolean || typeOf(b) == ValueType.Boolean) {
    compareBooleans(a, b, comparison, space);
    return;
  }
  const left = isNumber(a) ? numberOf(a) : parseNumber(textOf(a), textBytes(a));
  const right = isNumber(b) ? numberOf(b) : parseNumber(textOf(b), textBytes(b));
  if (isNaN(left) || isNaN(right)) setBoolean(a, comparison == Comparison.NotEqual);
  else setBoolean(a, compareHolds(comparison, left < right ? -1 : left > right ? 1 : 0));
}

function orderTexts(a: usize, b: usize, space: u32): i32 {
  const left = foldedText(textOf(a), textBytes(a), space);
  const leftLength = foldedLength;
  const right = foldedText(textOf(b), textBytes(b), space);
  return left == 0 || right == 0 ? 1 : compareBytes(left, leftLength, right, foldedLength);
}

function compareBooleans(a: usize, b: usize, comparison: u32, space: u32): void {
  let isEqual = false;
  if (!isNumber(a) && !isNumber(b)) isEqual = toText(a) && toText(b) && orderTexts(a, b, space) == 0;
  if (comparison == Comparison.Equal) setBoolean(a, isEqual);
  else setBoolean(a, comparison == Comparison.NotEqual && !isEqual);
}
