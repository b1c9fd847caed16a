/**
 * The functions of the rule languages over values of the expression machine. Reference: `src/rule/semantics.ts`.
 */
import { ValueType } from "../src/core/abi/predicates";
import {
  VALUE,
  foldedLength,
  foldedText,
  isNumber,
  isTrue,
  numberOf,
  scratchTake,
  setBoolean,
  setNull,
  setNumber,
  setText,
  textBytes,
  textOf,
  toText,
  typeOf,
} from "./machine_values";
import { number_parse } from "./number_host";
import { skipDigits, skipExponent } from "./number_text";
import { path_key } from "./predicate_host";
import { codePointBytes, findLastText, findText } from "./wildcard";

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

// ----------------------------------------------------------------------------------------------------- numbers

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
