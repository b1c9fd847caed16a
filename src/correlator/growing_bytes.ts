/** Bytes that are written one after the other into memory that grows, given memory first. */

const encoder = new TextEncoder();
const leastBytes = 64 * 1024;

export class GrowingBytes {
  #bytes: Uint8Array<ArrayBuffer>;
  #length: number;

  /** `spare` is used where it is large enough for a start; the first `skipped` bytes are the caller's to fill in. */
  constructor(spare: ArrayBuffer, skipped: number) {
    this.#bytes = new Uint8Array(spare.byteLength >= skipped ? spare : new ArrayBuffer(leastBytes + skipped));
    this.#length = skipped;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends text as UTF-8. */
  text(text: string): void {
    this.#makeRoom(text.length * 3);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
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
