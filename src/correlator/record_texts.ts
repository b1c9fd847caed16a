/** Reads texts out of records. Names, paths and users come again and again: one string for all their copies. */

const slotCount = 8192;
/** Longer texts are rarely seen twice, and would be held here. */
const keptMax = 160;

const decoder = new TextDecoder();

/** Remembers the last text at each of a fixed number of places. */
export class RecordTexts {
  readonly #kept: string[] = new Array(slotCount).fill('');

  readonly #digits = new Uint8Array(16);

  /** The 64 bits at `at`, little-endian, as 16 hexadecimal digits. */
  hex(bytes: Uint8Array, at: number): string {
    const text = this.#digits;
    for (let i = 0; i < 8; i++) {
      const byte = bytes[at + 7 - i] as number;
      text[2 * i] = digits[byte >> 4] as number;
      text[2 * i + 1] = digits[byte & 15] as number;
    }
    return this.read(text, 0, 16);
  }

  /** The UTF-8 text of `length` bytes at `at`. */
  read(bytes: Uint8Array, at: number, length: number): string {
    if (length === 0) return '';
    if (length > keptMax) return decoder.decode(bytes.subarray(at, at + length));
    let hash = length;
    for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (slotCount - 1);
    const kept = this.#kept[slot] as string;
    if (isText(kept, bytes, at, length)) return kept;
    const text = decoder.decode(bytes.subarray(at, at + length));
    this.#kept[slot] = text;
    return text;
  }
}

const digits = new TextEncoder().encode('0123456789abcdef');

/** The bytes are the text's. False for what is not ASCII: a unit of it never equals the byte in its place. */
function isText(text: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const byte = bytes[at + i] as number;
    if (byte >= 0x80 || text.charCodeAt(i) !== byte) return false;
  }
  return true;
}
