/**
 * The structure of an EventBatch, checked: every table and vector lies inside the bytes and has the length that the
 * rows ask for. What vectors hold is checked by whoever reads them: the kernel (`batch_check.ts`) or the decoder.
 */
import { BatchKind } from '../core/abi/events.js';
import { BatchError } from '../core/errors.js';
import { BatchReader, type VectorView } from './batch_reader.js';
import { batchVersion } from './batch_writer.js';

/** The first bytes of a batch, after its root offset. */
const IDENTIFIER = 'VDTB';
/** Rows one batch may have. */
export const batchRowsMax = 1 << 20;
/** Columns one batch may have. */
export const batchColumnsMax = 4096;

export interface DictionaryView {
  /** Codes that the session knew before. */
  readonly base: number;
  readonly entries: number;
  readonly offsets: VectorView;
  readonly bytes: VectorView;
  readonly tags: VectorView | undefined;
  /** The codes are this batch's own. */
  readonly isLocal: boolean;
}

export interface ColumnView {
  readonly name: string;
  readonly kind: BatchKind;
  readonly nested: string | undefined;
  readonly codes: VectorView | undefined;
  readonly listOffsets: VectorView | undefined;
  readonly dictionary: DictionaryView | undefined;
  readonly numbers: VectorView | undefined;
  readonly validity: VectorView | undefined;
}

export interface BatchView {
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** 0 for a self-contained batch. */
  readonly session: bigint;
  readonly position: number;
  readonly chain: number;
  readonly host: VectorView | undefined;
  readonly time: VectorView | undefined;
  readonly columns: readonly ColumnView[];
}

/** True when the bytes carry the file identifier of an EventBatch; nothing else of them is looked at. */
export function isEventBatch(bytes: Uint8Array): boolean {
  if (bytes.length < 8) return false;
  return [...IDENTIFIER].every((letter, i) => bytes[4 + i] === letter.charCodeAt(0));
}

/**
 * Walks the batch.
 * @throws BatchError that names the column and what is wrong with it.
 */
export function viewBatch(bytes: Uint8Array): BatchView {
  if (!isEventBatch(bytes)) throw new BatchError('BATCH_FORMAT', 'not an EventBatch: it lacks the identifier "VDTB"');
  const reader = new BatchReader(bytes);
  const root = reader.table(0, 'root table');
  const versionField = reader.field(root, 0, 2, 'version');
  const version = versionField === undefined ? 1 : reader.u16(versionField, 'version');
  if (version !== batchVersion) {
    throw new BatchError('BATCH_VERSION', `version ${version} is not supported; this release reads ${batchVersion}`);
  }
  const u32 = (index: number, what: string): number => {
    const field = reader.field(root, index, 4, what);
    return field === undefined ? 0 : reader.u32(field, what);
  };
  const rows = u32(1, 'rows');
  if (rows > batchRowsMax) throw new BatchError('BATCH_SIZE', `${rows} rows; a batch may have ${batchRowsMax}`);
  const sessionField = reader.field(root, 2, 8, 'session');
  reader.string(root, 5, 'host');
  const time = reader.vector(root, 6, 8, 'time');
  if ((time?.length ?? 0) !== rows)
    throw new BatchError('BATCH_BOUNDS', `time has ${time?.length ?? 0} of ${rows} rows`);
  const columnTables = reader.vector(root, 7, 4, 'columns') ?? { offset: 0, length: 0 };
  if (columnTables.length > batchColumnsMax) {
    throw new BatchError('BATCH_SIZE', `${columnTables.length} columns; a batch may have ${batchColumnsMax}`);
  }
  return {
    bytes,
    rows,
    session: sessionField === undefined ? 0n : reader.u64(sessionField, 'session'),
    position: u32(3, 'position'),
    chain: u32(4, 'chain'),
    host: reader.vector(root, 5, 1, 'host'),
    time,
    columns: viewColumns(reader, columnTables, rows),
  };
}

function viewColumns(reader: BatchReader, tables: VectorView, rows: number): ColumnView[] {
  const seen = new Set<string>();
  return Array.from({ length: tables.length }, (_, index) => {
    const column = viewColumn(reader, tables.offset + index * 4, rows);
    if (seen.has(column.name)) throw new BatchError('BATCH_COLUMN', 'comes twice', column.name);
    seen.add(column.name);
    return column;
  });
}

function viewColumn(reader: BatchReader, position: number, rows: number): ColumnView {
  reader.column = undefined;
  const table = reader.table(position, 'column');
  const name = reader.string(table, 0, 'column name');
  if (name === undefined || name === '') throw new BatchError('BATCH_COLUMN', 'a column has no name');
  reader.column = name;
  const kindField = reader.field(table, 1, 1, 'kind');
  const kind = kindField === undefined ? BatchKind.Text : reader.u8(kindField, 'kind');
  const view: ColumnView = {
    name,
    kind,
    nested: reader.string(table, 7, 'nested path'),
    codes: reader.vector(table, 2, 4, 'codes'),
    listOffsets: reader.vector(table, 3, 4, 'list offsets'),
    dictionary: viewDictionary(reader, reader.field(table, 4, 4, 'dictionary')),
    numbers: reader.vector(table, 5, 8, 'numbers'),
    validity: reader.vector(table, 6, 1, 'validity'),
  };
  checkLengths(view, rows);
  reader.column = undefined;
  return view;
}

function viewDictionary(reader: BatchReader, position: number | undefined): DictionaryView | undefined {
  if (position === undefined) return undefined;
  const table = reader.table(position, 'dictionary');
  const baseField = reader.field(table, 0, 4, 'dictionary base');
  const offsets = reader.vector(table, 1, 4, 'dictionary offsets') ?? { offset: 0, length: 0 };
  const entries = Math.max(offsets.length - 1, 0);
  const tags = reader.vector(table, 3, 1, 'dictionary tags');
  if (tags !== undefined && tags.length !== entries) {
    throw new BatchError('BATCH_DICTIONARY', `${tags.length} tags for ${entries} entries`, reader.column);
  }
  const bytes = reader.vector(table, 2, 1, 'dictionary text') ?? { offset: 0, length: 0 };
  const base = baseField === undefined ? 0 : reader.u32(baseField, 'dictionary base');
  const localField = reader.field(table, 4, 1, 'dictionary locality');
  const isLocal = localField !== undefined && reader.u8(localField, 'dictionary locality') !== 0;
  return { base, entries, offsets, bytes, tags, isLocal };
}

/** Checks that the vectors a column needs are there, one element per row. */
function checkLengths(column: ColumnView, rows: number): void {
  const refuse = (reason: string): never => {
    throw new BatchError('BATCH_COLUMN', reason, column.name);
  };
  if (column.nested !== undefined && !column.name.startsWith(`${column.nested}.`)) {
    refuse(`nested path ${column.nested} is not above it`);
  }
  if (column.kind === BatchKind.Number) {
    if (column.numbers?.length !== rows) refuse(`numbers has ${column.numbers?.length ?? 0} of ${rows} rows`);
    const validityBytes = (rows + 7) >> 3;
    if (column.validity !== undefined && column.validity.length < validityBytes) {
      refuse(`validity has ${column.validity.length} of ${validityBytes} bytes`);
    }
    return;
  }
  if (column.kind !== BatchKind.Text && column.kind !== BatchKind.Id) refuse(`kind ${column.kind} is unknown`);
  if (column.codes === undefined) refuse('has no codes');
  if (column.listOffsets === undefined) {
    if (column.codes?.length !== rows) refuse(`codes has ${column.codes?.length ?? 0} of ${rows} rows`);
  } else if (column.listOffsets.length !== rows + 1) {
    refuse(`list offsets has ${column.listOffsets.length} of ${rows + 1}`);
  }
}
