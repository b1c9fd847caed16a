/** UTF-8: validity, and where damaged text is replaced. Damage is replaced as the WHATWG decoder does. */

/**
 * Length of the code point at `at`, or, where the bytes are damaged, minus the length of the part that one U+FFFD
 * stands for. `at` must be below `end`.
 */
export function utf8Sequence(at: usize, end: usize): i32 {
  const lead = <u32>load<u8>(at);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  const available = end - at;
  if (available < 2) return -1;
  const second = <u32>load<u8>(at, 1);
  if (lead < 0xe0) return (second & 0xc0) == 0x80 ? 2 : -1;
  const low: u32 = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const high: u32 = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return -1;
  if (available < 3 || (load<u8>(at, 2) & 0xc0) != 0x80) return -2;
  if (lead < 0xf0) return 3;
  return available >= 4 && (load<u8>(at, 3) & 0xc0) == 0x80 ? 4 : -3;
}

/** True when `[at, end)` is UTF-8. Reads up to 15 bytes past `end`. */
export function isUtf8(start: usize, end: usize): bool {
  let at = start;
  while (at < end) {
    while (at + 16 <= end && i8x16.bitmask(v128.load(at)) == 0) at += 16;
    if (at >= end) break;
    const length = utf8Sequence(at, end);
    if (length < 0) return false;
    at += length;
  }
  return true;
}

/** Largest length up to `limit` at which the valid text at `at` can be cut without splitting a code point. */
export function utf8Cut(at: usize, limit: u32): u32 {
  let length = limit;
  while (length > 0 && (load<u8>(at + length) & 0xc0) == 0x80) length--;
  return length;
}

/** Writes one code point and returns its length. */
export function utf8Write(target: usize, codePoint: u32): u32 {
  if (codePoint < 0x80) {
    store<u8>(target, <u8>codePoint);
    return 1;
  }
  if (codePoint < 0x800) {
    store<u8>(target, <u8>(0xc0 | (codePoint >> 6)));
    store<u8>(target, <u8>(0x80 | (codePoint & 63)), 1);
    return 2;
  }
  if (codePoint < 0x10000) {
    store<u8>(target, <u8>(0xe0 | (codePoint >> 12)));
    store<u8>(target, <u8>(0x80 | ((codePoint >> 6) & 63)), 1);
    store<u8>(target, <u8>(0x80 | (codePoint & 63)), 2);
    return 3;
  }
  store<u8>(target, <u8>(0xf0 | (codePoint >> 18)));
  store<u8>(target, <u8>(0x80 | ((codePoint >> 12) & 63)), 1);
  store<u8>(target, <u8>(0x80 | ((codePoint >> 6) & 63)), 2);
  store<u8>(target, <u8>(0x80 | (codePoint & 63)), 3);
  return 4;
}
