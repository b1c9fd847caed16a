/** Growing little-endian buffers that the sections of a program are written to. */

/** Appends numbers and bytes; grows as needed. Offsets count from the start of the section. */
export class SectionWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Bytes written so far: the offset of what comes next. */
  get length(): number {
    return this.#length;
  }

  #reserve(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  u8(value: number): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }

  f64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setFloat64(at, value, true);
  }

  bytes(value: Uint8Array): void {
    const at = this.#reserve(value.length);
    this.#bytes.set(value, at);
  }

  words(values: Uint32Array): void {
    const at = this.#reserve(4 * values.length);
    const view = this.#view;
    for (let i = 0; i < values.length; i++) view.setUint32(at + 4 * i, values[i] as number, true);
  }

  /** Zero bytes. */
  zeros(count: number): void {
    this.#reserve(count);
  }

  /** Pads with zeros to a multiple of `alignment`. */
  align(alignment: number): void {
    this.#reserve((alignment - (this.#length % alignment)) % alignment);
  }

  /** Overwrites a u32 written before. */
  patch(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/** Where a text lies in `Section.Strings`. */
export interface TextRef {
  readonly offset: number;
  readonly length: number;
}

/** Readable bytes after the last text: the kernel compares 16 bytes at a time. */
const overReadBytes = 64;
const encoder = new TextEncoder();

/** Collects the texts of a program, each once. */
export class StringTable {
  readonly #writer = new SectionWriter();
  readonly #refs = new Map<string, TextRef>();

  /** Adds a text as UTF-8. */
  intern(text: string): TextRef {
    const known = this.#refs.get(text);
    if (known !== undefined) return known;
    const ref = this.add(encoder.encode(text));
    this.#refs.set(text, ref);
    return ref;
  }

  /** Adds bytes, whether or not they are there already. */
  add(bytes: Uint8Array): TextRef {
    const ref = { offset: this.#writer.length, length: bytes.length };
    this.#writer.bytes(bytes);
    return ref;
  }

  finish(): Uint8Array {
    this.#writer.zeros(overReadBytes);
    return this.#writer.finish();
  }
}
