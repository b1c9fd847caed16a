const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;

export const checksumStart = 0x811c9dc5;

/**
 * Continues a checksum (32 bits) over `bytes` of any length; start with {@link checksumStart}. Runs of bytes are told
 * apart: ("ab", "c") is not ("a", "bc"). Four lanes over little-endian words, in the manner of xxHash32.
 */
export function checksum(start: number, bytes: Uint8Array): number {
  const words = wordsOf(bytes);
  let [a, b, c, d] = [start ^ PRIME_1, start ^ PRIME_2, start ^ PRIME_3, start];
  const whole = words.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a = mix(a, words[i] as number);
    b = mix(b, words[i + 1] as number);
    c = mix(c, words[i + 2] as number);
    d = mix(d, words[i + 3] as number);
  }
  let hash =
    Math.imul(a, PRIME_3) + Math.imul(rotate(b, 7), PRIME_3) + Math.imul(rotate(c, 12), PRIME_3) + rotate(d, 18);
  for (let i = whole; i < words.length; i++) hash = mix(hash, words[i] as number);
  for (let i = words.length * 4; i < bytes.length; i++) hash = mix(hash, bytes[i] as number);
  hash = Math.imul(hash ^ bytes.length ^ (hash >>> 15), PRIME_2);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function mix(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** The whole words of `bytes`, which need not be aligned. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const aligned = (bytes.byteOffset & 3) === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
}
