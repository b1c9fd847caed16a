/**
 * Takes batches for one kernel: checks them, keeps track of the session of delta batches, and writes the flat view that
 * the kernel reads. Nothing changes until {@link BatchReceiver.accept}.
 */
import { BatchFault, BatchKind, IngestLimit, ViewColumn, ViewWord } from '../core/abi/events.js';
import { BatchError } from '../core/errors.js';
import type { VectorView } from './batch_reader.js';
import { type BatchView, type ColumnView, viewBatch } from './batch_view.js';
import { checksum, checksumStart } from './checksum.js';
import type { ColumnSpec } from './column_table.js';

/** What the kernel is told about the columns of its program. */
export type ProgramColumn = Pick<ColumnSpec, 'name' | 'nested' | 'kind'>;

interface Session {
  readonly id: bigint;
  readonly position: number;
  readonly chain: number;
  /** Codes known, by column name. */
  readonly codes: ReadonlyMap<string, number>;
  /** Bytes that identities of those codes take at most, by column name. */
  readonly idBytes: ReadonlyMap<string, number>;
}

/** Where a batch stands in a session of delta batches. */
export type SessionPlace = 'none' | 'starts' | 'continues';

/** What a kernel has to hold once a batch is applied: its own dictionaries, or those of the session. */
export interface DictionarySizes {
  readonly codes: number;
  readonly ids: number;
  readonly idBytes: number;
}

/** A batch that was found sound in structure, ready to be written into the kernel's input region. */
export interface PreparedBatch {
  readonly rows: number;
  readonly place: SessionPlace;
  /** The flat view, its addresses counted from the batch's first byte: see {@link placeView}. */
  readonly view: Uint32Array;
}

/** Bytes from a batch's start at which its view stands in the input region. */
export const viewOffsetOf = (batchBytes: number): number => align16(batchBytes + IngestLimit.Padding);

/** The view of a batch that lies at address `input`. */
export function placeView(view: Uint32Array, input: number): Uint32Array {
  const placed = view.slice();
  const place = (at: number): void => {
    if (placed[at] !== 0) placed[at] = (placed[at] as number) + input;
  };
  place(ViewWord.TimePointer);
  place(ViewWord.HostPointer);
  for (let column = ViewWord.Count; column < placed.length; column += ViewColumn.Count) {
    if (placed[column + ViewColumn.Kind] !== 0) for (const word of addressWords) place(column + word);
  }
  return placed;
}

const addressWords = [
  ViewColumn.Codes,
  ViewColumn.ListOffsets,
  ViewColumn.Offsets,
  ViewColumn.Text,
  ViewColumn.Tags,
  ViewColumn.Numbers,
  ViewColumn.Validity,
];

export class BatchReceiver {
  readonly #columns: readonly ProgramColumn[];
  #session: Session | undefined;
  #next: Session | undefined;
  #prepared: BatchView | undefined;

  /** `columns` are those of the program, in its order. The session of the receiver `before` goes on. */
  constructor(columns: readonly ProgramColumn[], before?: BatchReceiver) {
    this.#columns = columns;
    if (before !== undefined) this.#session = before.#session;
  }

  /**
   * Checks a batch and lays out its view for an input region of `capacity` bytes.
   * @throws BatchError; the session is as it was.
   */
  prepare(bytes: Uint8Array, capacity: number): PreparedBatch {
    const batch = viewBatch(bytes);
    this.#next = batch.session === 0n ? this.#session : this.#continueSession(batch);
    const view = new Uint32Array(ViewWord.Count + this.#columns.length * ViewColumn.Count);
    if (viewOffsetOf(bytes.length) + view.byteLength > capacity) {
      throw new BatchError(
        'BATCH_SIZE',
        `${bytes.length} bytes; the memory of this correlator takes ${capacity - view.byteLength - IngestLimit.Padding} at a time: split the batch`,
      );
    }
    writeHeader(view, batch);
    const byName = new Map(batch.columns.map((column) => [column.name, column]));
    for (const [index, spec] of this.#columns.entries()) {
      const column = spec.kind === 'time' ? undefined : byName.get(spec.name);
      if (column === undefined) continue;
      const at = ViewWord.Count + index * ViewColumn.Count;
      const known = batch.session === 0n ? 0 : (this.#next?.codes.get(spec.name) ?? 0);
      writeColumn(view, at, column, spec);
      if (column.kind === BatchKind.Number) writeNumbers(view, at, column);
      else writeCodes(view, at, column, known);
    }
    this.#prepared = batch;
    const place = batch.session === 0n ? 'none' : batch.position === 0 ? 'starts' : 'continues';
    return { rows: batch.rows, place, view };
  }

  /** What the prepared batch asks of the kernel: the larger of its own dictionaries and those of the session. */
  sizes(): DictionarySizes {
    const own = { codes: 0, ids: 0 };
    const session = { codes: 0, ids: 0, idBytes: 0 };
    const byName = new Map(this.#prepared?.columns.map((column) => [column.name, column]));
    const isDelta = this.#prepared !== undefined && this.#prepared.session !== 0n;
    for (const { name, kind } of this.#columns) {
      if (kind === 'time') continue;
      const dictionary = byName.get(name)?.dictionary;
      const words = kind === 'text' ? 'codes' : 'ids';
      if (dictionary !== undefined && (!isDelta || dictionary.isLocal)) own[words] += dictionary.entries;
      session[words] += this.#next?.codes.get(name) ?? 0;
      if (kind !== 'text') session.idBytes += this.#next?.idBytes.get(name) ?? 0;
    }
    return {
      codes: Math.max(own.codes, session.codes),
      ids: Math.max(own.ids, session.ids),
      idBytes: session.idBytes,
    };
  }

  /** The prepared batch was applied. */
  accept(): void {
    this.#session = this.#next;
    this.#prepared = undefined;
  }

  /** The error of a prepared batch whose contents the kernel refused with `fault`, its answer. */
  refuse(fault: number): BatchError {
    const reason: BatchFault = fault & 0xff;
    const batch = this.#prepared;
    this.#prepared = undefined;
    // The kernel ends the old session before it can say that the new one does not fit.
    if (reason === BatchFault.Text && batch !== undefined && batch.session !== 0n && batch.position === 0) {
      this.#session = undefined;
    }
    const hasColumn = reason < BatchFault.Codes;
    const name = hasColumn ? this.#columns[fault >>> 8]?.name : undefined;
    const code = hasColumn ? (reason <= BatchFault.ListOffsets ? 'BATCH_BOUNDS' : 'BATCH_DICTIONARY') : 'BATCH_SIZE';
    return new BatchError(code, FAULTS[reason] ?? `refused (${reason})`, name);
  }

  /** Forgets the session, as after a restore: the next delta batch must start one. */
  reset(): void {
    this.#session = undefined;
  }

  #continueSession(batch: BatchView): Session {
    const known = batch.position === 0 ? undefined : this.#session;
    if (batch.position !== 0) checkContinues(batch, known);
    const codes = new Map(known?.codes);
    const idBytes = new Map(known?.idBytes);
    let chain = known?.chain ?? checksumStart;
    for (const { name, dictionary } of batch.columns) {
      if (dictionary === undefined || dictionary.isLocal) continue;
      const base = codes.get(name) ?? 0;
      if (dictionary.base !== base) {
        throw new BatchError(
          'BATCH_EPOCH',
          `dictionary starts after ${dictionary.base} codes; ${base} are known`,
          name,
        );
      }
      if (dictionary.entries === 0) continue;
      codes.set(name, base + dictionary.entries);
      const { offset, length } = dictionary.bytes;
      idBytes.set(name, (idBytes.get(name) ?? 0) + align8(length) + 8 * dictionary.entries);
      chain = checksum(chain, batch.bytes.subarray(offset, offset + length));
    }
    return { id: batch.session, position: batch.position, chain, codes, idBytes };
  }
}

const FAULTS: Partial<Record<BatchFault, string>> = {
  [BatchFault.Code]: 'a code is larger than the dictionary',
  [BatchFault.ListOffsets]: 'list offsets decrease or leave the codes',
  [BatchFault.Offsets]: 'dictionary offsets decrease or leave the text',
  [BatchFault.Tag]: 'a value tag is unknown or does not fit its text',
  [BatchFault.Utf8]: 'dictionary text is not UTF-8',
  [BatchFault.Codes]:
    'more distinct values than this correlator keeps for a session: reset the encoder, or split the batch',
  [BatchFault.Ids]:
    'more distinct identities than this correlator keeps for a session: reset the encoder, or split the batch',
  [BatchFault.Text]:
    'more text than the memory of this correlator holds: reset the encoder, split the batch, or give more memory',
  [BatchFault.IdText]:
    'more identity text than this correlator keeps for a session: reset the encoder, or split the batch',
};

function checkContinues(batch: BatchView, known: Session | undefined): void {
  const place = `batch ${batch.position} of session ${batch.session}`;
  if (known === undefined || known.id !== batch.session) {
    throw new BatchError('BATCH_EPOCH', `${place} came without the batches before it: reset the encoder`);
  }
  if (batch.position !== known.position + 1 || batch.chain !== known.chain) {
    throw new BatchError('BATCH_EPOCH', `${place} does not follow batch ${known.position}: reset the encoder`);
  }
}

const align8 = (bytes: number): number => (bytes + 7) & ~7;
const align16 = (bytes: number): number => (bytes + 15) & ~15;

function writeHeader(view: Uint32Array, batch: BatchView): void {
  view[ViewWord.Rows] = batch.rows;
  view[ViewWord.IsDelta] = batch.session === 0n ? 0 : 1;
  view[ViewWord.StartsSession] = batch.session !== 0n && batch.position === 0 ? 1 : 0;
  view[ViewWord.TimePointer] = batch.time?.offset ?? 0;
  view[ViewWord.HostPointer] = batch.host?.offset ?? 0;
  view[ViewWord.HostBytes] = batch.host?.length ?? 0;
}

function writeColumn(view: Uint32Array, at: number, column: ColumnView, spec: ProgramColumn): void {
  // What is told element by element can be read as a whole, but not the other way round.
  if (column.listOffsets !== undefined && spec.nested !== undefined && column.nested !== spec.nested) {
    throw new BatchError(
      'BATCH_COLUMN',
      `is encoded ${column.nested ?? 'flat'}; the rules need it below the nested path ${spec.nested}`,
      column.name,
    );
  }
  view[at + ViewColumn.Kind] = column.kind;
}

const addressOf = (vector: VectorView | undefined): number => vector?.offset ?? 0;

/** `known`: codes of the column once this batch is applied, which a batch without a dictionary only refers to. */
function writeCodes(view: Uint32Array, at: number, column: ColumnView, known: number): void {
  const { dictionary } = column;
  view[at + ViewColumn.Codes] = addressOf(column.codes);
  view[at + ViewColumn.CodeCount] = column.codes?.length ?? 0;
  view[at + ViewColumn.ListOffsets] = addressOf(column.listOffsets);
  view[at + ViewColumn.Base] = dictionary?.base ?? known;
  view[at + ViewColumn.Entries] = dictionary?.entries ?? 0;
  view[at + ViewColumn.Offsets] = addressOf(dictionary?.offsets);
  view[at + ViewColumn.Text] = addressOf(dictionary?.bytes);
  view[at + ViewColumn.TextBytes] = dictionary?.bytes.length ?? 0;
  view[at + ViewColumn.Tags] = addressOf(dictionary?.tags);
  view[at + ViewColumn.IsLocal] = dictionary?.isLocal ? 1 : 0;
}

function writeNumbers(view: Uint32Array, at: number, column: ColumnView): void {
  view[at + ViewColumn.Numbers] = addressOf(column.numbers);
  view[at + ViewColumn.Validity] = addressOf(column.validity);
}
