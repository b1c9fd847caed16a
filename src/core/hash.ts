/** A fixed 128-bit hash: MurmurHash3 x86-128, the same in every runtime and release. Not for secrets. */

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

const rotl = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

function finish(value: number): number {
  let h = value ^ (value >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const scramble = (k: number, first: number, bits: number, second: number): number =>
  Math.imul(rotl(Math.imul(k, first), bits), second);

/** Little-endian word `index` of the last, incomplete block; bytes past the end are zero. */
function tailWord(bytes: Uint8Array, start: number, index: number): number {
  let word = 0;
  for (let i = 3; i >= 0; i--) word = (word << 8) | (bytes[start + index * 4 + i] ?? 0);
  return word;
}

/** The hash of bytes as four unsigned 32-bit words. */
export function hash128(bytes: Uint8Array, seed = 0): [number, number, number, number] {
  let [h1, h2, h3, h4] = [seed, seed, seed, seed];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks = bytes.length & ~15;
  for (let at = 0; at < blocks; at += 16) {
    h1 ^= scramble(view.getInt32(at, true), C1, 15, C2);
    h1 = (Math.imul(rotl(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(view.getInt32(at + 4, true), C2, 16, C3);
    h2 = (Math.imul(rotl(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(view.getInt32(at + 8, true), C3, 17, C4);
    h3 = (Math.imul(rotl(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(view.getInt32(at + 12, true), C4, 18, C1);
    h4 = (Math.imul(rotl(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  h4 ^= scramble(tailWord(bytes, blocks, 3), C4, 18, C1);
  h3 ^= scramble(tailWord(bytes, blocks, 2), C3, 17, C4);
  h2 ^= scramble(tailWord(bytes, blocks, 1), C2, 16, C3);
  h1 ^= scramble(tailWord(bytes, blocks, 0), C1, 15, C2);
  [h1, h2, h3, h4] = [h1 ^ bytes.length, h2 ^ bytes.length, h3 ^ bytes.length, h4 ^ bytes.length];
  h1 = (h1 + h2 + h3 + h4) | 0;
  [h2, h3, h4] = [(h2 + h1) | 0, (h3 + h1) | 0, (h4 + h1) | 0];
  [h1, h2, h3, h4] = [finish(h1), finish(h2), finish(h3), finish(h4)];
  h1 = (h1 + h2 + h3 + h4) | 0;
  return [h1 >>> 0, (h2 + h1) >>> 0, (h3 + h1) >>> 0, (h4 + h1) >>> 0];
}

const encoder = new TextEncoder();

/** The hash of a text's UTF-8 bytes as 32 hexadecimal digits. */
export function hash128Hex(text: string): string {
  return hash128(encoder.encode(text))
    .map((word) => word.toString(16).padStart(8, '0'))
    .join('');
}
