/**
 * Bounds-checked reads of FlatBuffers bytes that may be damaged or hostile. The npm runtime has no verifier: everything
 * that is read from outside goes through here once, before anything uses it.
 */

/** The bytes are not the FlatBuffers structure they claim to be. `what` names what was being read. */
export class FlatFormatError extends Error {
  readonly what: string;
  constructor(what: string) {
    super(`${what} lies outside the bytes`);
    this.name = 'FlatFormatError';
    this.what = what;
  }
}

/** A table at `position`, with its vtable checked. */
export interface FlatTable {
  readonly position: number;
  readonly vtable: number;
  readonly vtableBytes: number;
  readonly tableBytes: number;
}

/** A vector: `start` is the position of its first element. */
export interface FlatVector {
  readonly start: number;
  readonly length: number;
}

/** Reads tables, scalars and vectors. Fields are numbered in declaration order; an absent field is undefined. */
export class FlatReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #check(at: number, bytes: number, what: string): void {
    if (at < 0 || bytes < 0 || at + bytes > this.bytes.length) throw new FlatFormatError(what);
  }

  #u32At(at: number, what: string): number {
    this.#check(at, 4, what);
    return this.#view.getUint32(at, true);
  }

  /** The four characters at offset 4, or an empty text where the bytes are too short. */
  identifier(): string {
    return this.bytes.length < 8 ? '' : String.fromCharCode(...this.bytes.subarray(4, 8));
  }

  root(): FlatTable {
    return this.#table(this.#u32At(0, 'the root table'), 'the root table');
  }

  #table(position: number, what: string): FlatTable {
    this.#check(position, 4, what);
    const vtable = position - this.#view.getInt32(position, true);
    this.#check(vtable, 4, what);
    const vtableBytes = this.#view.getUint16(vtable, true);
    const tableBytes = this.#view.getUint16(vtable + 2, true);
    if (vtableBytes < 4) throw new FlatFormatError(what);
    this.#check(vtable, vtableBytes, what);
    this.#check(position, tableBytes, what);
    return { position, vtable, vtableBytes, tableBytes };
  }

  /** Position of a field of `bytes` bytes, or undefined where the table lacks it. */
  #field(table: FlatTable, index: number, bytes: number, what: string): number | undefined {
    const slot = 4 + 2 * index;
    if (slot + 2 > table.vtableBytes) return undefined;
    const offset = this.#view.getUint16(table.vtable + slot, true);
    if (offset === 0) return undefined;
    if (offset + bytes > table.tableBytes) throw new FlatFormatError(what);
    return table.position + offset;
  }

  u32(table: FlatTable, index: number, what: string): number | undefined {
    const at = this.#field(table, index, 4, what);
    return at === undefined ? undefined : this.#view.getUint32(at, true);
  }

  u64(table: FlatTable, index: number, what: string): bigint | undefined {
    const at = this.#field(table, index, 8, what);
    return at === undefined ? undefined : this.#view.getBigUint64(at, true);
  }

  /** A vector of elements of `elementBytes` bytes. */
  vector(table: FlatTable, index: number, elementBytes: number, what: string): FlatVector | undefined {
    const at = this.#field(table, index, 4, what);
    if (at === undefined) return undefined;
    const position = at + this.#view.getUint32(at, true);
    const length = this.#u32At(position, what);
    this.#check(position + 4, length * elementBytes, what);
    return { start: position + 4, length };
  }

  /** Element `i` of a vector of tables. */
  tableAt(vector: FlatVector, i: number, what: string): FlatTable {
    const at = vector.start + 4 * i;
    return this.#table(at + this.#u32At(at, what), what);
  }

  /** The bytes of a vector of bytes, in place. */
  slice(vector: FlatVector): Uint8Array {
    return this.bytes.subarray(vector.start, vector.start + vector.length);
  }
}
