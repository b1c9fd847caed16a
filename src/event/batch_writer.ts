/** Writes an EventBatch. Vectors go in whole: the generated writers take one element at a time, 14 times slower. */
import { Builder } from 'flatbuffers';
import type { BatchKind } from '../core/abi/events.js';
import type { EncodedEntries } from './dictionary.js';
import { Column } from './gen/vedette/column.js';
import { Dictionary } from './gen/vedette/dictionary.js';
import { EventBatch } from './gen/vedette/event-batch.js';

/** Version that {@link writeBatch} writes and readers accept. */
export const batchVersion = 1;

const ALIGNMENT = 16;

export interface EncodedDictionary extends EncodedEntries {
  readonly base: number;
  readonly isLocal: boolean;
}

/** One column of a batch, ready to write. */
export interface EncodedColumn {
  readonly name: string;
  readonly kind: BatchKind;
  readonly nested: string | undefined;
  readonly codes?: Uint32Array | undefined;
  readonly listOffsets?: Uint32Array | undefined;
  readonly dictionary?: EncodedDictionary | undefined;
  readonly numbers?: Float64Array | undefined;
  readonly validity?: Uint8Array | undefined;
}

export interface EncodedBatch {
  readonly rows: number;
  readonly session: bigint;
  readonly position: number;
  readonly chain: number;
  readonly host: string | undefined;
  readonly time: BigInt64Array;
  readonly columns: readonly EncodedColumn[];
}

/** The bytes of a batch, a multiple of 16 long. */
export function writeBatch(batch: EncodedBatch): Uint8Array {
  const builder = new Builder(1024 + batch.rows * 128);
  const columns = batch.columns.map((column) => writeColumn(builder, column));
  const columnsVector = EventBatch.createColumnsVector(builder, columns);
  const time = writeVector(builder, batch.time);
  const host = batch.host === undefined ? 0 : builder.createString(batch.host);
  EventBatch.startEventBatch(builder);
  EventBatch.addVersion(builder, batchVersion);
  EventBatch.addRows(builder, batch.rows);
  EventBatch.addSession(builder, batch.session);
  EventBatch.addPosition(builder, batch.position);
  EventBatch.addChain(builder, batch.chain);
  if (host !== 0) EventBatch.addHost(builder, host);
  EventBatch.addTime(builder, time);
  EventBatch.addColumns(builder, columnsVector);
  EventBatch.finishEventBatchBuffer(builder, EventBatch.endEventBatch(builder));
  return builder.asUint8Array().slice();
}

function writeColumn(builder: Builder, column: EncodedColumn): number {
  const dictionary = column.dictionary === undefined ? 0 : writeDictionary(builder, column.dictionary);
  const codes = optionalVector(builder, column.codes);
  const listOffsets = optionalVector(builder, column.listOffsets);
  const numbers = optionalVector(builder, column.numbers);
  const validity = optionalVector(builder, column.validity);
  const name = builder.createString(column.name);
  const nested = column.nested === undefined ? 0 : builder.createString(column.nested);
  Column.startColumn(builder);
  Column.addName(builder, name);
  Column.addKind(builder, column.kind as number);
  if (codes !== 0) Column.addCodes(builder, codes);
  if (listOffsets !== 0) Column.addListOffsets(builder, listOffsets);
  if (dictionary !== 0) Column.addDictionary(builder, dictionary);
  if (numbers !== 0) Column.addNumbers(builder, numbers);
  if (validity !== 0) Column.addValidity(builder, validity);
  if (nested !== 0) Column.addNested(builder, nested);
  return Column.endColumn(builder);
}

function writeDictionary(builder: Builder, dictionary: EncodedDictionary): number {
  const offsets = writeVector(builder, dictionary.offsets);
  const bytes = writeVector(builder, dictionary.bytes);
  const tags = optionalVector(builder, dictionary.tags);
  Dictionary.startDictionary(builder);
  Dictionary.addBase(builder, dictionary.base);
  Dictionary.addOffsets(builder, offsets);
  Dictionary.addBytes(builder, bytes);
  if (tags !== 0) Dictionary.addTags(builder, tags);
  Dictionary.addLocal(builder, dictionary.isLocal);
  return Dictionary.endDictionary(builder);
}

type Vector = Uint8Array | Uint32Array | Float64Array | BigInt64Array;

function optionalVector(builder: Builder, values: Vector | undefined): number {
  return values === undefined ? 0 : writeVector(builder, values);
}

/** Two members of the builder that its types keep to itself and that writing in bulk needs. */
interface OpenBuilder {
  space: number;
  readonly bb: { bytes(): Uint8Array; setPosition(position: number): void };
}

function writeVector(builder: Builder, values: Vector): number {
  builder.startVector(values.BYTES_PER_ELEMENT, values.length, ALIGNMENT);
  const open = builder as unknown as OpenBuilder;
  open.space -= values.byteLength;
  open.bb.setPosition(open.space);
  open.bb.bytes().set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), open.space);
  return builder.endVector();
}
