/** Numbers that texts write, in JSON's grammar. */
import { number_parse } from "./number_host";

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

/** Behind the decimal digits that start at `from`. */
export function skipDigits(text: usize, length: u32, from: u32): u32 {
  let at = from;
  while (at < length && <u32>load<u8>(text + at) - 0x30 < 10) at++;
  return at;
}

/** Behind the exponent at `from`; `from` where none starts; beyond the text where it is broken off. */
export function skipExponent(text: usize, length: u32, from: u32): u32 {
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
