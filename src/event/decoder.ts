/** EventBatches back to flat event objects, for tools, tests and consumers that hold batches. */
import { BatchKind, ValueTag } from '../core/abi/events.js';
import { BatchError } from '../core/errors.js';
import type { VectorView } from './batch_reader.js';
import { type BatchView, type ColumnView, type DictionaryView, viewBatch } from './batch_view.js';
import type { CellList, Scalar } from './flatten.js';
import { formatTimeUs, NO_TIME_US, timeInRange } from './time_text.js';

/**
 * An event as {@link decodeEvents} gives it: dotted names, missing fields left out. Fields below a nested path are in an
 * array of objects under that path.
 */
export type DecodedEvent = Record<string, DecodedValue>;
export type DecodedValue = Scalar | readonly Scalar[] | readonly Record<string, Scalar | readonly Scalar[]>[];

export interface DecodeOptions {
  /** Name for the event time; `@timestamp` by default. */
  readonly timestampField?: string;
}

/** Decodes the batches of one session, in order. */
export interface EventDecoder {
  /** @throws BatchError as pushing the batch would. */
  decode(bytes: Uint8Array): DecodedEvent[];
}

/**
 * Decodes a self-contained batch, or the first of a session. Encoding the result with the same fields gives the same
 * bytes, for what the encoder of this library wrote.
 *
 * @throws BatchError that names the column and what is wrong with it.
 */
export function decodeEvents(bytes: Uint8Array, options: DecodeOptions = {}): DecodedEvent[] {
  return createDecoder(options).decode(bytes);
}

/** Creates the decoder of a session. */
export function createDecoder(options: DecodeOptions = {}): EventDecoder {
  const session = new Map<string, Entry[]>();
  const timestampField = options.timestampField ?? '@timestamp';
  return {
    decode(bytes) {
      const batch = viewBatch(bytes);
      const isDelta = batch.session !== 0n;
      if (batch.position === 0) session.clear();
      const events = decodeTimes(batch, timestampField);
      for (const column of batch.columns) {
        const isShared = isDelta && !column.dictionary?.isLocal;
        decodeColumn(batch, column, isShared ? session : new Map(), events);
      }
      if (batch.host !== undefined) applyHost(batch, batch.host, events);
      return events;
    },
  };
}

type Entry = Scalar | readonly Scalar[];

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function dataOf(batch: BatchView): DataView {
  return new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
}

function decodeTimes(batch: BatchView, timestampField: string): DecodedEvent[] {
  const data = dataOf(batch);
  return Array.from({ length: batch.rows }, (_, row) => {
    const timeUs = timeInRange(data.getBigInt64((batch.time?.offset ?? 0) + row * 8, true));
    return timeUs === NO_TIME_US ? {} : { [timestampField]: formatTimeUs(timeUs) };
  });
}

function applyHost(batch: BatchView, host: VectorView, events: DecodedEvent[]): void {
  const id = decoder.decode(batch.bytes.subarray(host.offset, host.offset + host.length));
  for (const event of events) event['host.id'] ??= id;
}

function decodeColumn(
  batch: BatchView,
  column: ColumnView,
  session: Map<string, Entry[]>,
  events: DecodedEvent[],
): void {
  if (column.kind === BatchKind.Number) {
    decodeNumbers(batch, column, events);
    return;
  }
  const known = session.get(column.name) ?? [undefined as unknown as Entry];
  session.set(column.name, known);
  if (column.dictionary !== undefined) readEntries(batch, column, column.dictionary, known);
  const codes = readCodes(batch, column.codes);
  for (const code of codes) {
    if (code >= known.length) refuse('BATCH_BOUNDS', 'a code is larger than the dictionary', column);
  }
  const listOffsets = column.listOffsets === undefined ? undefined : readCodes(batch, column.listOffsets);
  if (listOffsets !== undefined) checkRising(listOffsets, codes.length, 'BATCH_BOUNDS', 'list offsets', column);
  for (const [row, event] of events.entries()) {
    const cell =
      listOffsets === undefined
        ? known[codes[row] as number]
        : listCell(known, codes.subarray(listOffsets[row], listOffsets[row + 1]), column);
    if (cell !== undefined) putCell(event, column, cell);
  }
}

/** Values of a list column are flat; below a nested path element i goes into object i. */
function putCell(event: DecodedEvent, column: ColumnView, cell: Scalar | CellList): void {
  if (column.nested === undefined) {
    event[column.name] = cell as Scalar | readonly Scalar[];
    return;
  }
  event[column.nested] ??= [];
  const elements = event[column.nested] as Record<string, Scalar | readonly Scalar[]>[];
  for (const [i, item] of (Array.isArray(cell) ? cell : [cell]).entries()) {
    elements[i] ??= {};
    if (item !== undefined)
      (elements[i] as Record<string, unknown>)[column.name.slice(column.nested.length + 1)] = item;
  }
}

/** One code stands for itself; below a nested path a sole element of several values stays a list in a list. */
function listCell(known: readonly Entry[], codes: Uint32Array, column: ColumnView): Scalar | CellList | undefined {
  const items = Array.from(codes, (code) => known[code]);
  const kept = column.nested === undefined ? items.flat().filter((item) => item !== undefined) : items;
  if (kept.every((item) => item === undefined)) return undefined;
  const [only] = kept;
  return kept.length === 1 && !Array.isArray(only) ? (only as Scalar) : (kept as CellList);
}

function readEntries(batch: BatchView, column: ColumnView, dictionary: DictionaryView, known: Entry[]): void {
  if (dictionary.base !== known.length - 1) {
    refuse('BATCH_EPOCH', `dictionary starts after ${dictionary.base} codes; ${known.length - 1} are known`, column);
  }
  if (dictionary.entries === 0) return;
  const offsets = readCodes(batch, dictionary.offsets);
  if (offsets[0] !== 0) refuse('BATCH_DICTIONARY', 'dictionary offsets do not start with 0', column);
  checkRising(offsets, dictionary.bytes.length, 'BATCH_DICTIONARY', 'dictionary offsets', column);
  for (let i = 0; i < dictionary.entries; i++) {
    const start = dictionary.bytes.offset + (offsets[i] as number);
    const bytes = batch.bytes.subarray(start, dictionary.bytes.offset + (offsets[i + 1] as number));
    const tag = dictionary.tags === undefined ? ValueTag.String : batch.bytes[dictionary.tags.offset + i];
    known.push(entryOf(bytes, tag as number, known, column));
  }
}

function entryOf(bytes: Uint8Array, tag: number, known: readonly Entry[], column: ColumnView): Entry {
  if (tag === ValueTag.List) return listEntry(bytes, known, column);
  const text = textOf(bytes, column);
  if (tag === ValueTag.String) return text;
  if (tag === ValueTag.Number && NUMBER.test(text) && Number.isFinite(Number(text))) return Number(text);
  if (tag === ValueTag.Boolean && (text === 'true' || text === 'false')) return text === 'true';
  return refuse('BATCH_DICTIONARY', 'a value tag is unknown or does not fit its text', column);
}

function listEntry(bytes: Uint8Array, known: readonly Entry[], column: ColumnView): readonly Scalar[] {
  if (bytes.length % 4 !== 0) refuse('BATCH_DICTIONARY', 'a value tag is unknown or does not fit its text', column);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => data.getUint32(i * 4, true)).flatMap((code) => {
    if (code >= known.length) refuse('BATCH_BOUNDS', 'a code is larger than the dictionary', column);
    const item = known[code];
    return item === undefined ? [] : item;
  }) as Scalar[];
}

function textOf(bytes: Uint8Array, column: ColumnView): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return refuse('BATCH_DICTIONARY', 'dictionary text is not UTF-8', column);
  }
}

function readCodes(batch: BatchView, vector: VectorView | undefined): Uint32Array {
  if (vector === undefined) return new Uint32Array(0);
  const data = dataOf(batch);
  return Uint32Array.from({ length: vector.length }, (_, i) => data.getUint32(vector.offset + i * 4, true));
}

function checkRising(
  offsets: Uint32Array,
  limit: number,
  code: 'BATCH_BOUNDS' | 'BATCH_DICTIONARY',
  what: string,
  column: ColumnView,
): void {
  for (let i = 1; i < offsets.length; i++) {
    if ((offsets[i] as number) < (offsets[i - 1] as number)) refuse(code, `${what} decrease`, column);
  }
  if ((offsets.at(-1) ?? 0) > limit) refuse(code, `${what} leave their vector`, column);
}

function decodeNumbers(batch: BatchView, column: ColumnView, events: DecodedEvent[]): void {
  const data = dataOf(batch);
  for (const [row, event] of events.entries()) {
    const validity = column.validity === undefined ? 0xff : batch.bytes[column.validity.offset + (row >> 3)];
    if ((((validity as number) >> (row & 7)) & 1) === 0) continue;
    event[column.name] = data.getFloat64((column.numbers?.offset ?? 0) + row * 8, true);
  }
}

function refuse(code: 'BATCH_BOUNDS' | 'BATCH_DICTIONARY' | 'BATCH_EPOCH', reason: string, column: ColumnView): never {
  throw new BatchError(code, reason, column.name);
}
