/** Bytes that are written one after the other into memory that grows, given memory first. */

const encoder = new TextEncoder();
/** Text gathered before it is encoded, in UTF-16 code units. */
const textUnits = 64 * 1024;
const leastBytes = 64 * 1024;

export class GrowingBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length: number;
  #text = '';

  /** `spare` is used where it is large enough for a start; the first `skipped` bytes are the caller's to fill in. */
  constructor(spare: ArrayBuffer, skipped: number) {
    this.#bytes = new Uint8Array(spare.byteLength >= skipped ? spare : new ArrayBuffer(leastBytes + skipped));
    this.#length = skipped;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends text; it is there after `endText`. */
  text(piece: string): void {
    this.#text += piece;
    if (this.#text.length >= textUnits) this.endText();
  }

  endText(): void {
    this.#makeRoom(this.#text.length * 3);
    this.#length += encoder.encodeInto(this.#text, this.#bytes.subarray(this.#length)).written;
    this.#text = '';
  }

  append(bytes: Uint8Array): void {
    this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Leaves out bytes, to be filled in later. */
  skip(bytes: number): void {
    this.#makeRoom(bytes);
    this.#length += bytes;
  }

  /** What was written, over memory that may reach beyond it. */
  taken(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A quarter more than is needed: state grows from one snapshot to the next. */
  #makeRoom(bytes: number): void {
    const least = this.#length + bytes;
    if (least <= this.#bytes.length) return;
    const larger = new Uint8Array(least + (least >>> 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
