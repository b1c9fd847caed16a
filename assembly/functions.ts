/**
 * The functions of the rule languages over values of the expression machine. Reference: `src/rule/semantics.ts`.
 *
 * A value is 16 bytes: u32 `ValueType`, u32 bytes of text, then the address of the text or the f64. Texts made here live
 * in a scratch arena until the next leaf starts; when it is full the result is null.
 */
import { Comparison, TextSpace, ValueType } from "../src/core/abi/predicates";
import { reserveText } from "./memory";
import { number_format, number_parse } from "./number_host";
import { foldAscii } from "./pattern";
import { fold_text, path_key } from "./predicate_host";
import { codePointBytes, findLastText, findText } from "./wildcard";

export const VALUE: usize = 16;

let scratch: usize = 0;
let scratchBytes: u32 = 0;
let scratchTop: u32 = 0;
/** Length of the text that {@link foldedText} made last. */
export let foldedLength: u32 = 0;
/** Results that were null because scratch was full. */
export let scratchFull: u32 = 0;

export function functionsInit(bytes: u32): void {
  scratch = reserveText(bytes);
  scratchBytes = bytes;
}

export function scratchReset(): void {
  scratchTop = 0;
}

/** Room for `length` bytes and over-writes, or 0. */
function scratchTake(length: u32): usize {
  const bytes = (length + 31) & ~15;
  if (bytes < length || scratchTop + bytes > scratchBytes) {
    scratchFull++;
    return 0;
  }
  const at = scratch + scratchTop;
  scratchTop += bytes;
  return at;
}

// ------------------------------------------------------------------------------------------------------ values

@inline
export function typeOf(value: usize): u32 {
  return load<u32>(value);
}

@inline
export function textOf(value: usize): usize {
  return <usize>load<u32>(value, 8);
}

@inline
export function textBytes(value: usize): u32 {
  return load<u32>(value, 4);
}

@inline
export function numberOf(value: usize): f64 {
  return load<f64>(value, 8);
}

@inline
export function isNumber(value: usize): bool {
  return typeOf(value) == ValueType.Integer || typeOf(value) == ValueType.Float;
}

@inline
export function setNull(value: usize): void {
  store<u32>(value, ValueType.Null);
}

@inline
export function setBoolean(value: usize, truth: bool): void {
  store<u32>(value, ValueType.Boolean);
  store<f64>(value, truth ? 1 : 0, 8);
}

@inline
export function setText(value: usize, text: usize, length: u32): void {
  store<u32>(value, ValueType.Text);
  store<u32>(value, length, 4);
  store<u32>(value, <u32>text, 8);
}

/** A number; not finite: null. */
export function setNumber(value: usize, number: f64, isFloat: bool): void {
  if (!isFinite(number)) {
    setNull(value);
    return;
  }
  store<u32>(value, isFloat || trunc(number) != number ? ValueType.Float : ValueType.Integer);
  store<f64>(value, number + 0.0, 8);
}

@inline
export function isTrue(value: usize): bool {
  return typeOf(value) == ValueType.Boolean && numberOf(value) != 0;
}

/** Known and not true: what a condition makes of a value that is no boolean, too. */
@inline
export function isFalse(value: usize): bool {
  return typeOf(value) != ValueType.Null && !isTrue(value);
}

/** Turns a value into its text, in place. False where it is null or scratch is full: then it is null. */
export function toText(value: usize): bool {
  const type = typeOf(value);
  if (type == ValueType.Text) return true;
  if (type == ValueType.Null) return false;
  const target = scratchTake(40);
  if (target == 0) {
    setNull(value);
    return false;
  }
  if (type == ValueType.Boolean) {
    const truth = numberOf(value) != 0;
    store<u64>(target, truth ? 0x65757274 : 0x65736c6166);
    setText(value, target, truth ? 4 : 5);
    return true;
  }
  const number = numberOf(value);
  let length = number_format(number, target);
  if (type == ValueType.Float && trunc(number) == number && abs(number) < 1e21) {
    store<u16>(target + length, 0x302e);
    length += 2;
  }
  setText(value, target, length);
  return true;
}

/** Address of a text folded for a {@link TextSpace}, its length in `foldedLength`; 0 where scratch is full. */
export function foldedText(text: usize, length: u32, space: u32): usize {
  foldedLength = length;
  if (space == TextSpace.Exact) return text;
  const target = scratchTake(length << 1);
  if (target == 0) return 0;
  if (!foldAscii(text, length, target) && space == TextSpace.Unicode) {
    foldedLength = fold_text(text, length, target, length << 1);
  }
  return target;
}

// -------------------------------------------------------------------------------------------------- comparison

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

// ----------------------------------------------------------------------------------------------------- numbers

/** The number that a text writes in JSON's grammar, or NaN. */
export function parseNumber(text: usize, length: u32): f64 {
  let at: u32 = 0;
  if (at < length && load<u8>(text + at) == 0x2d) at++;
  const whole = at;
  at = skipDigits(text, length, at);
  if (at == whole || (at > whole + 1 && load<u8>(text + whole) == 0x30)) return NaN;
  if (at < length && load<u8>(text + at) == 0x2e) {
    const fraction = at + 1;
    at = skipDigits(text, length, fraction);
    if (at == fraction) return NaN;
  }
  at = skipExponent(text, length, at);
  if (at != length) return NaN;
  const value = decimal(text, length);
  return isFinite(value) ? value : NaN;
}

function skipDigits(text: usize, length: u32, from: u32): u32 {
  let at = from;
  while (at < length && <u32>load<u8>(text + at) - 0x30 < 10) at++;
  return at;
}

/** Behind the exponent at `from`; `from` where none starts; beyond the text where it is broken off. */
function skipExponent(text: usize, length: u32, from: u32): u32 {
  if (from >= length || (load<u8>(text + from) | 0x20) != 0x65) return from;
  let at = from + 1;
  if (at < length && (load<u8>(text + at) == 0x2b || load<u8>(text + at) == 0x2d)) at++;
  const end = skipDigits(text, length, at);
  return end == at ? length + 1 : end;
}

/** The double nearest to a decimal number text; up to 15 digits without the host. */
function decimal(text: usize, length: u32): f64 {
  const isNegative = load<u8>(text) == 0x2d;
  let value: u64 = 0;
  if (length - <u32>isNegative > 15) return number_parse(text, length);
  for (let at: u32 = isNegative ? 1 : 0; at < length; at++) {
    const digit = <u32>load<u8>(text + at) - 0x30;
    if (digit > 9) return number_parse(text, length);
    value = value * 10 + digit;
  }
  return isNegative ? -(<f64>value) : <f64>value;
}

/** `number(source, base)` into `source`. */
export function toNumber(source: usize, base: usize): void {
  if (isNumber(source)) return;
  if (typeOf(source) != ValueType.Text) {
    setNull(source);
    return;
  }
  const text = textOf(source);
  const length = textBytes(source);
  const radix = isNumber(base) ? trunc(numberOf(base)) : 10;
  if (radix == 10 && isDecimal(text, length)) {
    const hasFraction = findAny(text, length);
    const skip: u32 = load<u8>(text) == 0x2b ? 1 : 0;
    setNumber(source, number_parse(text + skip, length - skip), hasFraction);
    return;
  }
  if (radix < 2 || radix > 36) setNull(source);
  else parseInBase(source, text, length, <u32>radix);
}

/** `[+-]?(digits[.digits?]|.digits)([eE][+-]?digits)?` */
function isDecimal(text: usize, length: u32): bool {
  let at: u32 = 0;
  if (at < length && (load<u8>(text) == 0x2b || load<u8>(text) == 0x2d)) at++;
  const whole = at;
  at = skipDigits(text, length, at);
  let digits = at - whole;
  if (at < length && load<u8>(text + at) == 0x2e) {
    const fraction = at + 1;
    at = skipDigits(text, length, fraction);
    digits += at - fraction;
  }
  return digits != 0 && skipExponent(text, length, at) == length;
}

/** Whether the text has a point or an exponent. */
function findAny(text: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) {
    const c: u32 = load<u8>(text + i);
    if (c == 0x2e || (c | 0x20) == 0x65) return true;
  }
  return false;
}

function parseInBase(target: usize, text: usize, length: u32, base: u32): void {
  let at: u32 = 0;
  const isNegative = length > 0 && load<u8>(text) == 0x2d;
  if (isNegative || (length > 0 && load<u8>(text) == 0x2b)) at++;
  if (base == 16 && at + 1 < length && load<u8>(text + at) == 0x30 && (load<u8>(text + at + 1) | 0x20) == 0x78) at += 2;
  if (at >= length) {
    setNull(target);
    return;
  }
  let value: f64 = 0;
  for (; at < length; at++) {
    const c: u32 = load<u8>(text + at);
    const digit = c - 0x30 < 10 ? c - 0x30 : (c | 0x20) - 0x61 < 26 ? (c | 0x20) - 0x61 + 10 : 36;
    if (digit >= base) {
      setNull(target);
      return;
    }
    value = value * base + digit;
  }
  setNumber(target, isNegative ? -value : value, false);
}

// ------------------------------------------------------------------------------------------------------- texts

/** Code points of a text. */
export function countCodePoints(text: usize, length: u32): u32 {
  let count: u32 = 0;
  for (let i: u32 = 0; i < length; i++) count += <u32>((load<u8>(text + i) & 0xc0) != 0x80);
  return count;
}

/** Byte offset of code point `index`; the length where there are fewer. */
function byteOffset(text: usize, length: u32, index: u32): u32 {
  let at: u32 = 0;
  for (let i: u32 = 0; i < index && at < length; i++) at += codePointBytes(load<u8>(text + at));
  return min(at, length);
}

export function lengthOf(source: usize): void {
  if (toText(source)) setNumber(source, countCodePoints(textOf(source), textBytes(source)), false);
}

/** A path in the form in which those of the platform compare: it grows by a prefix and by folding, at most. */
export function pathKeyOf(path: usize, platform: u32): void {
  if (!toText(path)) return;
  const capacity = (textBytes(path) << 1) + 16;
  const target = scratchTake(capacity);
  if (target == 0) setNull(path);
  else setText(path, target, path_key(textOf(path), textBytes(path), target, capacity, platform));
}

/** Joins `count` values from `first` on into `first`. Any null: null. */
export function concat(first: usize, count: u32): void {
  let length: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const value = first + <usize>i * VALUE;
    if (!toText(value)) {
      setNull(first);
      return;
    }
    length += textBytes(value);
  }
  const target = scratchTake(length);
  if (target == 0) {
    setNull(first);
    return;
  }
  let at = target;
  for (let i: u32 = 0; i < count; i++) {
    const value = first + <usize>i * VALUE;
    memory.copy(at, textOf(value), textBytes(value));
    at += textBytes(value);
  }
  setText(first, target, length);
}

/** `startsWith`, `endsWith` or `stringContains` of `source` and `part`, into `source`. */
export function textTest(source: usize, part: usize, space: u32, fromStart: bool, fromEnd: bool): void {
  if (!toText(source) || !toText(part)) {
    setNull(source);
    return;
  }
  const text = foldedText(textOf(source), textBytes(source), space);
  const length = foldedLength;
  const wanted = foldedText(textOf(part), textBytes(part), space);
  if (text == 0 || wanted == 0) setNull(source);
  else if (foldedLength > length) setBoolean(source, false);
  else if (fromStart) setBoolean(source, memory.compare(text, wanted, foldedLength) == 0);
  else if (fromEnd) setBoolean(source, memory.compare(text + (length - foldedLength), wanted, foldedLength) == 0);
  else setBoolean(source, findText(text, length, wanted, foldedLength, 0) >= 0);
}

/** `indexOf(source, part, start)` into `source`, in code points; not found: null. */
export function indexOf(source: usize, part: usize, start: usize, space: u32): void {
  if (!toText(source) || !toText(part)) {
    setNull(source);
    return;
  }
  const text = foldedText(textOf(source), textBytes(source), space);
  const length = foldedLength;
  const wanted = foldedText(textOf(part), textBytes(part), space);
  const index = isNumber(start) ? max<f64>(trunc(numberOf(start)), 0) : 0;
  if (text == 0 || wanted == 0 || index > <f64>countCodePoints(text, length)) {
    setNull(source);
    return;
  }
  const from = byteOffset(text, length, <u32>index);
  const at = findText(text, length, wanted, foldedLength, from);
  if (at < 0) setNull(source);
  else setNumber(source, countCodePoints(text, at), false);
}

/** `substring(source, start, end)` into `source`; negative positions count from the end. */
export function substring(source: usize, start: usize, end: usize): void {
  if (!toText(source)) return;
  const text = textOf(source);
  const length = textBytes(source);
  const count = <f64>countCodePoints(text, length);
  const from = position(start, 0, count);
  const to = position(end, count, count);
  if (to <= from) {
    setText(source, text, 0);
    return;
  }
  const first = byteOffset(text, length, <u32>from);
  const last = byteOffset(text, length, <u32>to);
  setText(source, text + first, last - first);
}

/** A position within `count` code points. */
function position(value: usize, otherwise: f64, count: f64): f64 {
  if (!isNumber(value)) return otherwise;
  const index = trunc(numberOf(value));
  return index < 0 ? max<f64>(count + index, 0) : min<f64>(index, count);
}

/** `between(source, left, right, greedy)` into `source`; not found: null. */
export function between(source: usize, left: usize, right: usize, greedy: usize, space: u32): void {
  if (!toText(source) || !toText(left) || !toText(right)) {
    setNull(source);
    return;
  }
  const text = foldedText(textOf(source), textBytes(source), space);
  const length = foldedLength;
  const first = foldedText(textOf(left), textBytes(left), space);
  const firstLength = foldedLength;
  const second = foldedText(textOf(right), textBytes(right), space);
  if (text == 0 || first == 0 || second == 0) {
    setNull(source);
    return;
  }
  const start = findText(text, length, first, firstLength, 0);
  const from = <u32>start + firstLength;
  const end = start < 0 ? -1 : isTrue(greedy) ? findLastText(text, length, second, foldedLength, from) : findText(text, length, second, foldedLength, from);
  if (start < 0 || end < 0) {
    setNull(source);
    return;
  }
  // Folding keeps code points, not bytes: positions carry over as code points.
  const original = textOf(source);
  const originalLength = textBytes(source);
  const before = byteOffset(original, originalLength, countCodePoints(text, from));
  const after = byteOffset(original, originalLength, countCodePoints(text, end));
  setText(source, original + before, after - before);
}
