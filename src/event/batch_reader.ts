/**
 * Reads of a FlatBuffer that nobody has checked. The npm runtime follows any offset it finds; here each read is
 * bounds-checked and throws a `BatchError` that says what was being read.
 */
import { BatchError } from '../core/errors.js';

/** A vector inside the batch. `offset` is where its elements start. */
export interface VectorView {
  readonly offset: number;
  readonly length: number;
}

/** A table: its place, and its vtable, both checked. */
interface TableView {
  readonly position: number;
  readonly vtable: number;
  readonly vtableBytes: number;
  readonly tableBytes: number;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reader of one batch. */
export class BatchReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  /** The column that reads are for, named in errors. */
  column: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(what: string): never {
    throw new BatchError('BATCH_BOUNDS', `${what} leaves the ${this.bytes.length} bytes of the batch`, this.column);
  }

  #require(position: number, bytes: number, what: string): void {
    if (position < 0 || position + bytes > this.bytes.length) this.fail(what);
  }

  u8(position: number, what: string): number {
    this.#require(position, 1, what);
    return this.bytes[position] as number;
  }

  u16(position: number, what: string): number {
    this.#require(position, 2, what);
    return this.#view.getUint16(position, true);
  }

  u32(position: number, what: string): number {
    this.#require(position, 4, what);
    return this.#view.getUint32(position, true);
  }

  u64(position: number, what: string): bigint {
    this.#require(position, 8, what);
    return this.#view.getBigUint64(position, true);
  }

  /** The table that the offset at `position` leads to. */
  table(position: number, what: string): TableView {
    const table = position + this.u32(position, what);
    this.#require(table, 4, what);
    const vtable = table - this.#view.getInt32(table, true);
    const vtableBytes = this.u16(vtable, `${what}: vtable`);
    const tableBytes = this.u16(vtable + 2, `${what}: vtable`);
    if (vtableBytes < 4 || vtableBytes % 2 !== 0) this.fail(`${what}: vtable`);
    this.#require(vtable, vtableBytes, `${what}: vtable`);
    this.#require(table, tableBytes, what);
    return { position: table, vtable, vtableBytes, tableBytes };
  }

  /** Place of field `index` of a table, `bytes` wide; undefined where the table lacks it. */
  field(table: TableView, index: number, bytes: number, what: string): number | undefined {
    const entry = 4 + index * 2;
    if (entry >= table.vtableBytes) return undefined;
    const offset = this.#view.getUint16(table.vtable + entry, true);
    if (offset === 0) return undefined;
    if (offset + bytes > table.tableBytes) this.fail(what);
    return table.position + offset;
  }

  /** The vector of field `index`, of elements `elementBytes` wide. */
  vector(table: TableView, index: number, elementBytes: number, what: string): VectorView | undefined {
    const field = this.field(table, index, 4, what);
    if (field === undefined) return undefined;
    const position = field + this.u32(field, what);
    const length = this.u32(position, what);
    this.#require(position + 4, length * elementBytes, what);
    return { offset: position + 4, length };
  }

  /** The text of field `index`, which must be UTF-8. */
  string(table: TableView, index: number, what: string): string | undefined {
    const vector = this.vector(table, index, 1, what);
    if (vector === undefined) return undefined;
    try {
      return decoder.decode(this.bytes.subarray(vector.offset, vector.offset + vector.length));
    } catch (error) {
      throw new BatchError('BATCH_DICTIONARY', `${what} is not UTF-8 (${String(error)})`, this.column);
    }
  }
}
