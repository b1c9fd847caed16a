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
function tailWord(bytes: Uint8Array, index: number): number {
  let word = 0;
  for (let i = 3; i >= 0; i--) word = (word << 8) | (bytes[index * 4 + i] ?? 0);
  return word;
}

/** The hash of bytes that come in pieces, however they are cut. */
export class Hash128 {
  #state: readonly [number, number, number, number];
  #length = 0;
  /** Bytes of a block that is not complete yet. */
  readonly #rest = new Uint8Array(16);
  #restBytes = 0;

  constructor(seed = 0) {
    this.#state = [seed, seed, seed, seed];
  }

  update(bytes: Uint8Array): this {
    this.#length += bytes.length;
    const joined = this.#restBytes === 0 ? 0 : Math.min(bytes.length, 16 - this.#restBytes);
    if (joined > 0) {
      this.#keep(bytes.subarray(0, joined));
      if (this.#restBytes < 16) return this;
      this.#mix(this.#rest, 16);
      this.#restBytes = 0;
    }
    const own = bytes.subarray(joined);
    const blocks = own.length & ~15;
    this.#mix(own, blocks);
    this.#keep(own.subarray(blocks));
    return this;
  }

  #keep(bytes: Uint8Array): void {
    this.#rest.set(bytes, this.#restBytes);
    this.#restBytes += bytes.length;
  }

  /** Takes whole blocks. */
  #mix(bytes: Uint8Array, length: number): void {
    let [h1, h2, h3, h4] = this.#state;
    const view = new DataView(bytes.buffer, bytes.byteOffset, length);
    for (let at = 0; at < length; at += 16) {
      h1 ^= scramble(view.getInt32(at, true), C1, 15, C2);
      h1 = (Math.imul(rotl(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
      h2 ^= scramble(view.getInt32(at + 4, true), C2, 16, C3);
      h2 = (Math.imul(rotl(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
      h3 ^= scramble(view.getInt32(at + 8, true), C3, 17, C4);
      h3 = (Math.imul(rotl(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
      h4 ^= scramble(view.getInt32(at + 12, true), C4, 18, C1);
      h4 = (Math.imul(rotl(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
    }
    this.#state = [h1, h2, h3, h4];
  }

  /** Four unsigned 32-bit words. */
  digest(): [number, number, number, number] {
    let [h1, h2, h3, h4] = this.#state;
    const tail = this.#rest.subarray(0, this.#restBytes);
    h4 ^= scramble(tailWord(tail, 3), C4, 18, C1);
    h3 ^= scramble(tailWord(tail, 2), C3, 17, C4);
    h2 ^= scramble(tailWord(tail, 1), C2, 16, C3);
    h1 ^= scramble(tailWord(tail, 0), C1, 15, C2);
    const length = this.#length;
    [h1, h2, h3, h4] = [h1 ^ length, h2 ^ length, h3 ^ length, h4 ^ length];
    h1 = (h1 + h2 + h3 + h4) | 0;
    [h2, h3, h4] = [(h2 + h1) | 0, (h3 + h1) | 0, (h4 + h1) | 0];
    [h1, h2, h3, h4] = [finish(h1), finish(h2), finish(h3), finish(h4)];
    h1 = (h1 + h2 + h3 + h4) | 0;
    return [h1 >>> 0, (h2 + h1) >>> 0, (h3 + h1) >>> 0, (h4 + h1) >>> 0];
  }
}

/** The hash of bytes as four unsigned 32-bit words. */
export function hash128(bytes: Uint8Array, seed = 0): [number, number, number, number] {
  return new Hash128(seed).update(bytes).digest();
}

const encoder = new TextEncoder();

/** The hash of a text's UTF-8 bytes as 32 hexadecimal digits. */
export function hash128Hex(text: string): string {
  return hash128(encoder.encode(text))
    .map((word) => word.toString(16).padStart(8, '0'))
    .join('');
}
