/**
 * Values of the expression machine: 16 bytes each, u32 `ValueType`, u32 bytes of text, then the address of the text or the
 * f64. Texts made here live in a scratch arena until the next leaf starts; when it is full the result is null.
 */
import { TextSpace, ValueType } from "../src/core/abi/predicates";
import { reserveText } from "./memory";
import { number_format } from "./number_host";
import { foldAscii } from "./pattern";
import { fold_text } from "./predicate_host";

export const VALUE: usize = 16;

let scratch: usize = 0;
let scratchBytes: u32 = 0;
let scratchTop: u32 = 0;
/** Length of the text that {@link foldedText} made last. */
export let foldedLength: u32 = 0;
/** Results that were null because scratch was full. */
export let scratchFull: u32 = 0;

export function machineValuesInit(bytes: u32): void {
  scratch = reserveText(bytes);
  scratchBytes = bytes;
}

export function scratchReset(): void {
  scratchTop = 0;
}

/** Room for `length` bytes and over-writes, or 0. */
export function scratchTake(length: u32): usize {
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
