/** IP addresses and blocks. An IPv4 address is its IPv4-mapped IPv6 form, so that one comparison serves both. */

/** The 16 bytes of the address read last, in network order. */
const ADDRESS: usize = memory.data(16, 16);
const GROUPS: usize = memory.data(32, 16);

/** Reads an IPv4 or IPv6 address into static memory. False where the text is not one. */
export function parseAddress(text: usize, length: u32): bool {
  if (length < 2 || length > 45) return false;
  let hasColon = false;
  for (let i: u32 = 0; i < length && !hasColon; i++) hasColon = load<u8>(text + i) == 0x3a;
  if (hasColon) return parseV6(text, length);
  store<u64>(ADDRESS, 0);
  store<u64>(ADDRESS, 0xffff0000, 8);
  return parseV4(text, length, ADDRESS + 12);
}

function parseV4(text: usize, length: u32, target: usize): bool {
  let part: u32 = 0;
  let value: u32 = 0;
  let digits: u32 = 0;
  for (let i: u32 = 0; i <= length; i++) {
    const c: u32 = i < length ? load<u8>(text + i) : 0x2e;
    if (c == 0x2e) {
      if (digits == 0 || part > 3) return false;
      store<u8>(target + part, <u8>value);
      part++;
      value = 0;
      digits = 0;
      continue;
    }
    if (c - 0x30 > 9 || (digits == 1 && value == 0)) return false;
    value = value * 10 + (c - 0x30);
    digits++;
    if (value > 255 || digits > 3) return false;
  }
  return part == 4;
}

@inline
function hexDigit(c: u32): u32 {
  if (c - 0x30 < 10) return c - 0x30;
  const letter = (c | 0x20) - 0x61;
  return letter < 6 ? letter + 10 : 16;
}

function parseV6(text: usize, length: u32): bool {
  let count: u32 = 0;
  let gap: i32 = -1;
  let at: u32 = 0;
  if (load<u16>(text) == 0x3a3a) {
    gap = 0;
    at = 2;
  } else if (load<u8>(text) == 0x3a) return false;
  while (at < length) {
    if (count == 8) return false;
    let value: u32 = 0;
    let digits: u32 = 0;
    const start = at;
    while (at < length && hexDigit(load<u8>(text + at)) < 16) {
      value = (value << 4) | hexDigit(load<u8>(text + at));
      if (++digits > 4) break;
      at++;
    }
    if (at < length && load<u8>(text + at) == 0x2e) {
      if (count > 6 || !parseV4(text + start, length - start, GROUPS + (count << 1))) return false;
      count += 2;
      at = length;
      break;
    }
    if (digits == 0 || digits > 4) return false;
    store<u16>(GROUPS + (count << 1), <u16>((value >> 8) | (value << 8)));
    count++;
    if (at == length) break;
    if (load<u8>(text + at) != 0x3a) return false;
    at++;
    if (at < length && load<u8>(text + at) == 0x3a) {
      if (gap >= 0) return false;
      gap = count;
      at++;
    } else if (at == length) return false;
  }
  if (gap < 0 ? count != 8 : count > 7) return false;
  spread(count, gap < 0 ? count : <u32>gap);
  return true;
}

/** Copies `count` groups to the address, with zeros in place of the gap. */
function spread(count: u32, gap: u32): void {
  store<u64>(ADDRESS, 0);
  store<u64>(ADDRESS, 0, 8);
  memory.copy(ADDRESS, GROUPS, <usize>gap << 1);
  const after = count - gap;
  memory.copy(ADDRESS + ((<usize>8 - after) << 1), GROUPS + (<usize>gap << 1), <usize>after << 1);
}

/** Whether the address read last lies in the block of `prefix` leading bits at `block`. */
export function addressInBlock(block: usize, prefix: u32): bool {
  const high = bswap<u64>(load<u64>(ADDRESS) ^ load<u64>(block));
  const low = bswap<u64>(load<u64>(ADDRESS, 8) ^ load<u64>(block, 8));
  if (prefix == 0) return true;
  if (prefix <= 64) return high >> (64 - prefix) == 0;
  return high == 0 && (prefix >= 128 ? low == 0 : low >> (128 - prefix) == 0);
}
