/** JSON numbers (RFC 8259 section 6), read to the double that JavaScript reads. */
import { number_parse } from "./number_host";

/** Largest integer below which every integer is a double. */
const EXACT_MAX: u64 = 9007199254740992;
/** Largest power of ten that is a double, so that one product or quotient of exact operands rounds once. */
const EXACT_POWER: i32 = 22;
const DIGITS_MAX: u32 = 19;
const ZEROS: u64 = 0x3030303030303030;
/** Added to a byte that is more than 9, it sets the high bit. */
const ABOVE_NINE: u64 = 0x7676767676767676;
const HIGH_BITS: u64 = 0x8080808080808080;

/** Address after the number that {@link scanNumber} read, and its value. */
export let numberEnd: usize = 0;
export let numberValue: f64 = 0;

/** Reads the number that starts at `start`, to its end at most at `limit`. False where there is none. */
@inline
export function scanNumber(start: usize, limit: usize): bool {
  return scanShort(start, limit) || scanAny(start, limit);
}

/** Takes a whole number of one to seven digits, eight bytes at once; leaves every other to {@link scanAny}. */
@inline
function scanShort(start: usize, limit: usize): bool {
  const digits = load<u64>(start) ^ ZEROS;
  // The lowest byte that is no digit is exact; carries reach only bytes above it.
  const others = ((digits + ABOVE_NINE) | digits) & HIGH_BITS;
  const bits = ctz<u64>(others) & ~7;
  if (bits == 0 || bits >= 64) return false;
  const at = start + <usize>(bits >> 3);
  const next = load<u8>(at);
  if (at > limit || next == 46 || (next | 32) == 101 || (bits > 8 && (digits & 0xff) == 0)) return false;
  numberEnd = at;
  numberValue = <f64>(<u32>eightDigits(digits << (64 - bits)));
  return true;
}

/** The number of eight digits, the first in the lowest byte: pairs, then fours, then all. */
@inline
function eightDigits(digits: u64): u64 {
  const pairs = (digits * 2561) >> 8;
  const fours = ((pairs & 0x00ff00ff00ff00ff) * 6553601) >> 16;
  return ((fours & 0x0000ffff0000ffff) * 42949672960001) >> 32;
}

function scanAny(start: usize, limit: usize): bool {
  let at = start;
  const isNegative = at < limit && load<u8>(at) == 45;
  if (isNegative) at++;
  const whole = at;
  let mantissa: u64 = 0;
  while (at < limit && isDigit(at)) mantissa = mantissa * 10 + digit(at++);
  let digits = <u32>(at - whole);
  if (digits == 0 || (digits > 1 && load<u8>(whole) == 48)) return false;
  let exponent: i32 = 0;
  if (at < limit && load<u8>(at) == 46) {
    const fraction = ++at;
    while (at < limit && isDigit(at)) mantissa = mantissa * 10 + digit(at++);
    if (at == fraction) return false;
    exponent = -(<i32>(at - fraction));
    digits += <u32>(at - fraction);
  }
  if (at < limit && (load<u8>(at) | 32) == 101) {
    at = scanExponent(at + 1, limit);
    if (at == 0) return false;
    exponent += exponentValue;
  }
  numberEnd = at;
  const isExact = digits <= DIGITS_MAX && mantissa <= EXACT_MAX && exponent >= -EXACT_POWER && exponent <= EXACT_POWER;
  if (!isExact) {
    numberValue = number_parse(start, <u32>(at - start)) + 0.0;
    return true;
  }
  let value = <f64>mantissa;
  if (exponent < 0) value /= powerOfTen(-exponent);
  else if (exponent > 0) value *= powerOfTen(exponent);
  // Negative zero is zero.
  numberValue = (isNegative ? -value : value) + 0.0;
  return true;
}

/** The number that the whole text is, or NaN where it is none that a double can hold. */
export function numberFromText(pointer: usize, length: u32): f64 {
  const end = pointer + length;
  return scanNumber(pointer, end) && numberEnd == end && isFinite(numberValue) ? numberValue : NaN;
}

let exponentValue: i32 = 0;

function scanExponent(start: usize, limit: usize): usize {
  let at = start;
  const sign = at < limit ? load<u8>(at) : 0;
  if (sign == 43 || sign == 45) at++;
  const first = at;
  let value: i32 = 0;
  while (at < limit && isDigit(at)) value = min<i32>(value * 10 + <i32>digit(at++), 99999);
  exponentValue = sign == 45 ? -value : value;
  return at == first ? 0 : at;
}

function powerOfTen(exponent: i32): f64 {
  let power: f64 = 1;
  for (let i = 0; i < exponent; i++) power *= 10;
  return power;
}

@inline
function isDigit(at: usize): bool {
  return <u32>load<u8>(at) - 48 < 10;
}

@inline
function digit(at: usize): u64 {
  return <u64>load<u8>(at) - 48;
}
