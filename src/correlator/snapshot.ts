/**
 * The container of a snapshot (`schemas/snapshot.fbs`): magic, format version, fingerprint and checksum, checked in that
 * order; then what the records need to be read by another program, what TypeScript keeps, and the kernel's records.
 */
import { SnapshotError } from '../core/errors.js';
import { FlatFormatError, FlatReader } from '../core/flat_reader.js';
import { hash128 } from '../core/hash.js';
import { type JsonText, writeJson } from '../core/json_text.js';
import type { BaselineData } from './behavior/baseline_data.js';
import type { CoverageState } from './coverage/tracker.js';
import type { ExceptionState } from './exceptions.js';
import { GrowingBytes } from './growing_bytes.js';
import type { JoinedState } from './joined_terms.js';

const identifier = 'VDTS';
/** Format of the container and its records. Snapshots of another version are refused. */
export const snapshotVersion = 1;

const enum Field {
  Version = 0,
  Fingerprint = 1,
  ChecksumLow = 2,
  ChecksumHigh = 3,
  Header = 4,
  Records = 5,
  Count = 6,
}

/** Where the writer puts things: a fixed layout, so that records are written once, to where they stay. */
const enum Layout {
  VTable = 8,
  Table = 24,
  Version = 28,
  ChecksumLow = 32,
  ChecksumHigh = 36,
  Fingerprint = 40,
  Header = 48,
  Records = 52,
  TableBytes = 32,
  HeaderVector = 56,
}

/** Offsets in the table by field, as the vtable lists them. */
const fieldOffsets = [
  Layout.Version,
  Layout.Fingerprint,
  Layout.ChecksumLow,
  Layout.ChecksumHigh,
  Layout.Header,
  Layout.Records,
].map((at) => at - Layout.Table);

/** What the kernel's records refer to by index, and the state outside the kernel: plain data. */
export interface SnapshotHeader {
  readonly columns: readonly { readonly name: string; readonly kind: number; readonly nested?: string }[];
  /** Evidence fields, by index. */
  readonly fields: readonly string[];
  /** Text of each mark's condition, by bit. */
  readonly marks: readonly string[];
  /** Rules by kernel index. */
  readonly rules: readonly { readonly id: string; readonly fingerprint: string }[];
  readonly publisher: unknown;
  readonly behaviors: Readonly<Record<string, unknown>>;
  /** New-terms rules by schedule, by rule id. */
  readonly scheduled: unknown;
  /** First-seen rules that join events; absent in snapshots of releases that knew none. */
  readonly joined?: JoinedState;
  /** Counts of exceptions, where there were any. */
  readonly exceptions?: readonly ExceptionState[];
  /** What was learned, where a baseline was asked for. */
  readonly baseline?: BaselineData;
  /** Counts of the coverage report, where they were kept. */
  readonly coverage?: readonly CoverageState[];
}

export interface Snapshot {
  /** Fingerprint of the program that wrote it. */
  readonly fingerprint: bigint;
  readonly header: SnapshotHeader;
  readonly records: Uint8Array;
}

const encoder = new TextEncoder();

/** Writes a snapshot. Deterministic: equal state gives equal bytes. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const writer = new SnapshotWriter(snapshot);
  writer.writeHeader();
  writer.append(snapshot.records);
  return sealSnapshot(writer.end());
}

/**
 * Writes a snapshot without its checksum, which `sealSnapshot` adds: the header as it is now, piece by piece, then the
 * records, then `end`.
 */
export class SnapshotWriter {
  readonly #fingerprint: bigint;
  readonly #out: GrowingBytes;
  /** Text of the header that is not written yet, next first. */
  readonly #text: (string | JsonText)[] = [];
  #headerEnd = 0;
  #recordsAt = 0;

  /**
   * `spare` is memory to use where it is large enough: touching new pages takes longer than writing the records.
   * `header` is read before this returns, but for what of it is `JsonText`.
   */
  constructor({ fingerprint, header }: Omit<Snapshot, 'records'>, spare: ArrayBuffer = new ArrayBuffer(0)) {
    this.#fingerprint = fingerprint;
    this.#out = new GrowingBytes(spare, Layout.HeaderVector + 4);
    let gathered = '';
    const pass = (): void => {
      if (gathered !== '') this.#text.push(gathered);
      gathered = '';
    };
    writeJson(header, headerDepth, (piece) => {
      if (typeof piece === 'string') gathered += piece;
      if (typeof piece !== 'string' || gathered.length >= textUnits) pass();
      if (typeof piece !== 'string') this.#text.push(piece);
    });
    pass();
    this.#text.reverse();
  }

  /** Writes about `most` bytes of the header; false when all of it is written. */
  writeHeader(most = Number.POSITIVE_INFINITY): boolean {
    const end = this.#out.length + most;
    while (this.#out.length < end) {
      const text = this.#text.pop();
      if (text === undefined) break;
      this.#out.text(typeof text === 'string' ? text : text.text);
    }
    if (this.#text.length > 0) return true;
    if (this.#recordsAt === 0) {
      this.#headerEnd = this.#out.length;
      this.#recordsAt = ((this.#headerEnd + 4 + 7) & ~7) >>> 0;
      this.#out.skip(this.#recordsAt - this.#headerEnd);
    }
    return false;
  }

  /** Appends whole records, which follow the header. */
  append(records: Uint8Array): void {
    this.#out.append(records);
  }

  /** The snapshot. */
  end(): Uint8Array<ArrayBuffer> {
    const bytes = this.#out.taken();
    const view = new DataView(bytes.buffer);
    bytes.fill(0, 0, Layout.HeaderVector);
    bytes.fill(0, this.#headerEnd, this.#recordsAt);
    view.setUint32(0, Layout.Table, true);
    bytes.set(encoder.encode(identifier), 4);
    view.setUint16(Layout.VTable, 4 + 2 * Field.Count, true);
    view.setUint16(Layout.VTable + 2, Layout.TableBytes, true);
    fieldOffsets.forEach((offset, field) => {
      view.setUint16(Layout.VTable + 4 + 2 * field, offset, true);
    });
    view.setInt32(Layout.Table, Layout.Table - Layout.VTable, true);
    view.setUint32(Layout.Version, snapshotVersion, true);
    view.setBigUint64(Layout.Fingerprint, BigInt.asUintN(64, this.#fingerprint), true);
    view.setUint32(Layout.Header, Layout.HeaderVector - Layout.Header, true);
    view.setUint32(Layout.HeaderVector, this.#headerEnd - Layout.HeaderVector - 4, true);
    view.setUint32(Layout.Records, this.#recordsAt - 4 - Layout.Records, true);
    view.setUint32(this.#recordsAt - 4, bytes.length - this.#recordsAt, true);
    return bytes;
  }
}

/** UTF-16 code units of the header that are written at once: long enough that few calls are made. */
const textUnits = 64 * 1024;
/** As deep as sessions of behaviour rules lie in the header: behaviors, rule, sessions, host, its sessions, one. */
const headerDepth = 7;

/** Adds the checksum, in place. */
export function sealSnapshot(bytes: Uint8Array): Uint8Array {
  const { header, records } = read(new FlatReader(bytes));
  const [low, high] = checksum(header, records);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(Layout.ChecksumLow, low, true);
  view.setUint32(Layout.ChecksumHigh, high, true);
  return bytes;
}

/**
 * Reads a snapshot. `isTrusted`: its checksum is not looked at, as another covers it, or it never left memory.
 * @throws SnapshotError that says what is wrong, before anything of it is used.
 */
export function decodeSnapshot(bytes: Uint8Array, isTrusted = false): Snapshot {
  const reader = new FlatReader(bytes);
  if (reader.identifier() !== identifier) {
    throw new SnapshotError('SNAPSHOT_FORMAT', `not a snapshot: it does not start with the identifier ${identifier}`);
  }
  try {
    const { fingerprint, header, records, low, high } = read(reader);
    if (!isTrusted) {
      const [lowFound, highFound] = checksum(header, records);
      if (low !== lowFound || high !== highFound) throw damaged('its checksum is that of other contents');
    }
    return { fingerprint, header: readHeader(header), records };
  } catch (error) {
    if (error instanceof FlatFormatError) throw damaged(error.message);
    throw error;
  }
}

const damaged = (reason: string): SnapshotError =>
  new SnapshotError('SNAPSHOT_DAMAGED', `the snapshot is damaged: ${reason}; use the one before it`);

function read(reader: FlatReader) {
  const root = reader.root();
  const version = reader.u32(root, Field.Version, 'the version');
  if (version !== snapshotVersion) {
    throw new SnapshotError(
      'SNAPSHOT_VERSION',
      `the snapshot has format version ${version}, this release reads ${snapshotVersion}; use the release that wrote it`,
    );
  }
  const headerAt = reader.vector(root, Field.Header, 1, 'the header');
  if (headerAt === undefined) throw damaged('it has no header');
  // A vector of no records may be left out of the bytes.
  const recordsAt = reader.vector(root, Field.Records, 1, 'the records');
  return {
    fingerprint: reader.u64(root, Field.Fingerprint, 'the fingerprint') ?? 0n,
    header: reader.slice(headerAt),
    records: recordsAt === undefined ? new Uint8Array(0) : reader.slice(recordsAt),
    low: reader.u32(root, Field.ChecksumLow, 'the checksum'),
    high: reader.u32(root, Field.ChecksumHigh, 'the checksum'),
  };
}

/** The header, as far as its outline tells that it is one: a checksum proves no more than that nothing was changed. */
function readHeader(bytes: Uint8Array): SnapshotHeader {
  let header: Partial<SnapshotHeader> | null;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes)) as Partial<SnapshotHeader> | null;
  } catch {
    throw damaged('its header is no JSON');
  }
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  const hasLists = [header?.columns, header?.marks, header?.rules].every(Array.isArray);
  const hasStates = [header?.publisher, header?.behaviors, header?.scheduled].every(isObject);
  if (!hasLists || !hasStates) throw damaged('its header lacks a part');
  return header as SnapshotHeader;
}

function checksum(header: Uint8Array, records: Uint8Array): [number, number] {
  const [a, b] = hash128(header);
  const [low, high] = hash128(records, a);
  return [low, (high ^ b) >>> 0];
}
