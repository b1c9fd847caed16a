/** Event objects to EventBatches: self-contained ones, or those of a session. */
import { BatchKind } from '../core/abi/events.js';
import { BatchError } from '../core/errors.js';
import { type EncodedColumn, writeBatch } from './batch_writer.js';
import { checksum, checksumStart } from './checksum.js';
import { ColumnDictionary } from './dictionary.js';
import { type FieldSpec, resolveFields } from './fields.js';
import { type Cell, Flattener, type Scalar } from './flatten.js';
import { type SessionLimits, sessionLimitsDefault } from './session_limits.js';
import { parseTimeUs } from './time_text.js';

/** What to encode of each event. */
export interface EncodeOptions {
  /** Fields in order, as `correlator.fields` lists them. What is not listed is not encoded. */
  readonly fields: readonly (string | FieldSpec)[];
  /** Field of the event time; `@timestamp` by default. Rows without a readable time are skipped where they are pushed. */
  readonly timestampField?: string;
  /** Host of the events that have no `host.id`. */
  readonly host?: string;
}

export interface EncoderOptions extends EncodeOptions {
  /** When the session's dictionaries reach these, the encoder starts a new session by itself. */
  readonly limits?: Partial<SessionLimits>;
}

/** Encodes batches of one session: each ships only the values that none before it has. */
export interface EventEncoder {
  /**
   * Encodes a batch. Batches must be pushed in the order they were encoded, none left out.
   * @throws BatchError `BATCH_SIZE` where the batch alone is larger than a session may be.
   */
  encode(events: readonly unknown[]): Uint8Array;
  /** Starts a new session with the next batch, as is needed after one was refused or lost. */
  reset(): void;
}

/**
 * Encodes events as one self-contained batch. Every event takes a row, also one that is no object or has no time: it is
 * skipped, and counted, where the batch is pushed.
 */
export function encodeEvents(events: readonly unknown[], options: EncodeOptions): Uint8Array {
  return new BatchEncoder(options).encode(events, { session: 0n, position: 0, chain: 0 });
}

/** Numbers sessions apart within a process; across processes the chain of checksums does. */
let lastSession = 0n;

/** Creates the encoder of a session. The first batch starts it. */
export function createEncoder(options: EncoderOptions): EventEncoder {
  const limits: SessionLimits = { ...sessionLimitsDefault, ...options.limits };
  let encoder: BatchEncoder | undefined;
  let session = 0n;
  let position = 0;
  const start = (): BatchEncoder => {
    lastSession += 1n;
    session = lastSession;
    position = 0;
    encoder = new BatchEncoder(options);
    return encoder;
  };
  const encodeNext = (current: BatchEncoder, events: readonly unknown[]): Uint8Array | undefined => {
    const bytes = current.encode(events, { session, position, chain: current.chain });
    position++;
    return current.exceeds(limits) ? undefined : bytes;
  };
  return {
    encode(events) {
      const continued = encoder === undefined ? undefined : encodeNext(encoder, events);
      if (continued !== undefined) return continued;
      const fresh = encodeNext(start(), events);
      if (fresh !== undefined) return fresh;
      encoder = undefined;
      throw new BatchError(
        'BATCH_SIZE',
        `${events.length} events hold more distinct values than a session may (${JSON.stringify(limits)}); encode fewer at a time`,
      );
    },
    reset() {
      encoder = undefined;
    },
  };
}

interface BatchPlace {
  readonly session: bigint;
  readonly position: number;
  readonly chain: number;
}

/** The columns of a session, or of one batch. */
class BatchEncoder {
  readonly #fields: readonly FieldSpec[];
  readonly #flattener: Flattener;
  readonly #dictionaries: ColumnDictionary[];
  readonly #host: string | undefined;
  readonly #used: SessionLimits = { codes: 0, ids: 0, textBytes: 0, idBytes: 0 };
  /** Checksum over all dictionaries sent. */
  chain = checksumStart;

  constructor(options: EncodeOptions) {
    this.#fields = resolveFields(options.fields);
    const time: FieldSpec = { name: options.timestampField ?? '@timestamp', kind: 'text' };
    this.#flattener = new Flattener([...this.#fields, time]);
    this.#dictionaries = this.#fields.map(() => new ColumnDictionary());
    this.#host = options.host;
  }

  encode(events: readonly unknown[], place: BatchPlace): Uint8Array {
    const time = new BigInt64Array(events.length);
    const cells = this.#fields.map((): Cell[] => new Array(events.length).fill(undefined));
    const row: Cell[] = [];
    for (let i = 0; i < events.length; i++) {
      this.#flattener.flatten(events[i], row);
      for (let c = 0; c < cells.length; c++) (cells[c] as Cell[])[i] = row[c];
      const timeCell = row[cells.length];
      time[i] = parseTimeUs(Array.isArray(timeCell) ? timeCell[0] : timeCell);
    }
    const columns = this.#fields
      .map((field, c) => {
        const isLocal = place.session !== 0n && (field.unique ?? field.name === 'event.id');
        if (isLocal) this.#dictionaries[c] = new ColumnDictionary();
        return this.#encodeColumn(field, this.#dictionaries[c] as ColumnDictionary, cells[c] as Cell[], isLocal);
      })
      .filter((column) => column !== undefined);
    return writeBatch({ ...place, rows: events.length, host: this.#host, time, columns });
  }

  exceeds(limits: SessionLimits): boolean {
    const used = this.#used;
    return (
      used.codes > limits.codes ||
      used.ids > limits.ids ||
      used.textBytes > limits.textBytes ||
      used.idBytes > limits.idBytes
    );
  }

  #encodeColumn(
    field: FieldSpec,
    dictionary: ColumnDictionary,
    cells: Cell[],
    isLocal: boolean,
  ): EncodedColumn | undefined {
    if (cells.every((cell) => cell === undefined)) return undefined;
    if (field.kind === 'number') return { ...encodeNumbers(cells), ...identify(field, BatchKind.Number) };
    const single = field.kind === 'id' ? cells.map(firstOf) : cells;
    const isList = single.some(Array.isArray);
    const encode = !isList ? encodeSingles : field.nested === undefined ? encodeFlatLists : encodeLists;
    const codes = encode(single, dictionary);
    const base = dictionary.base;
    const entries = dictionary.pendingCount === 0 ? undefined : dictionary.takeEntries();
    if (entries !== undefined && !isLocal) this.#count(field, entries.offsets.length - 1, entries.bytes);
    const kind = field.kind === 'id' ? BatchKind.Id : BatchKind.Text;
    return { ...codes, ...identify(field, kind), dictionary: { ...(entries ?? noEntries), base, isLocal } };
  }

  #count(field: FieldSpec, entries: number, bytes: Uint8Array): void {
    this.chain = checksum(this.chain, bytes);
    if (field.kind === 'id') {
      this.#used.ids += entries;
      this.#used.idBytes += bytes.length + entries * 8;
    } else {
      this.#used.codes += entries;
      this.#used.textBytes += bytes.length + entries * 16;
    }
  }
}

const noEntries = { offsets: new Uint32Array(1), bytes: new Uint8Array(0), tags: undefined };

function identify(field: FieldSpec, kind: BatchKind): Pick<EncodedColumn, 'name' | 'kind' | 'nested'> {
  return { name: field.name, kind, nested: field.nested };
}

/** The first value of a list, for columns that keep one. */
function firstOf(cell: Cell): Scalar | undefined {
  if (!Array.isArray(cell)) return cell as Scalar | undefined;
  const first = cell.find((item) => item !== undefined);
  return Array.isArray(first) ? first[0] : first;
}

function encodeSingles(cells: readonly Cell[], dictionary: ColumnDictionary): { codes: Uint32Array } {
  const codes = new Uint32Array(cells.length);
  for (let i = 0; i < cells.length; i++) codes[i] = codeOf(cells[i] as Scalar | undefined, dictionary);
  return { codes };
}

function encodeLists(cells: readonly Cell[], dictionary: ColumnDictionary) {
  const listOffsets = new Uint32Array(cells.length + 1);
  const codes: number[] = [];
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i];
    if (Array.isArray(cell)) for (const item of cell) codes.push(codeOf(item, dictionary));
    else if (cell !== undefined) codes.push(codeOf(cell as Scalar, dictionary));
    listOffsets[i + 1] = codes.length;
  }
  return { codes: Uint32Array.from(codes), listOffsets };
}

/** Several values are one entry of the dictionary: lists repeat from event to event as single values do. */
function encodeFlatLists(cells: readonly Cell[], dictionary: ColumnDictionary) {
  const whole = cells.map((cell) => {
    if (!Array.isArray(cell)) return cell;
    const present = cell.filter((item) => codeOf(item, dictionary) !== 0);
    return present.length > 1 ? [present] : present;
  });
  return encodeLists(whole as Cell[], dictionary);
}

/** A code; 0 where missing. Numbers that JSON cannot carry are missing. */
function codeOf(value: Scalar | undefined | readonly Scalar[], dictionary: ColumnDictionary): number {
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value))) return 0;
  return typeof value === 'object' ? dictionary.listCode(value) : dictionary.code(value);
}

const NUMBER_TEXT = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** NaN stands for a value that is there but is no number: the kernel counts it as mistyped. */
function encodeNumbers(cells: readonly Cell[]): { numbers: Float64Array; validity: Uint8Array | undefined } {
  const numbers = new Float64Array(cells.length);
  const validity = new Uint8Array((cells.length + 7) >> 3);
  let isComplete = true;
  for (let i = 0; i < cells.length; i++) {
    const value = firstOf(cells[i]);
    if (value === undefined) {
      isComplete = false;
      continue;
    }
    numbers[i] = numberOf(value);
    validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  }
  return { numbers, validity: isComplete ? undefined : validity };
}

function numberOf(value: Scalar): number {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : Number.NaN;
  const parsed = typeof value === 'string' && NUMBER_TEXT.test(value) ? Number(value) : Number.NaN;
  return Number.isFinite(parsed) ? parsed + 0 : Number.NaN;
}
