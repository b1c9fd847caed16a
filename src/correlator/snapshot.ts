/**
 * The container of a snapshot (`schemas/snapshot.fbs`): magic, format version, fingerprint and checksum, checked in that
 * order; then what the records need to be read by another program, what TypeScript keeps, and the kernel's records.
 */
import { Builder } from 'flatbuffers';
import { SnapshotError } from '../core/errors.js';
import { FlatFormatError, FlatReader } from '../core/flat_reader.js';
import { hash128 } from '../core/hash.js';
import type { BaselineData } from './behavior/baseline_data.js';
import type { CoverageState } from './coverage/tracker.js';
import type { ExceptionState } from './exceptions.js';

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
  const header = encoder.encode(JSON.stringify(snapshot.header));
  const [low, high] = checksum(header, snapshot.records);
  const builder = new Builder(header.length + snapshot.records.length + 1024);
  builder.prep(8, snapshot.records.length);
  const recordsAt = builder.createByteVector(snapshot.records);
  const headerAt = builder.createByteVector(header);
  builder.startObject(Field.Count);
  builder.addFieldInt32(Field.Version, snapshotVersion, 0);
  builder.addFieldInt64(Field.Fingerprint, BigInt.asIntN(64, snapshot.fingerprint), 0n);
  builder.addFieldInt32(Field.ChecksumLow, low | 0, 0);
  builder.addFieldInt32(Field.ChecksumHigh, high | 0, 0);
  builder.addFieldOffset(Field.Header, headerAt, 0);
  builder.addFieldOffset(Field.Records, recordsAt, 0);
  builder.finish(builder.endObject(), identifier);
  return builder.asUint8Array().slice();
}

/** Reads a snapshot. @throws SnapshotError that says what is wrong, before anything of it is used. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const reader = new FlatReader(bytes);
  if (reader.identifier() !== identifier) {
    throw new SnapshotError('SNAPSHOT_FORMAT', `not a snapshot: it does not start with the identifier ${identifier}`);
  }
  try {
    return read(reader);
  } catch (error) {
    if (error instanceof FlatFormatError) throw damaged(error.message);
    throw error;
  }
}

const damaged = (reason: string): SnapshotError =>
  new SnapshotError('SNAPSHOT_DAMAGED', `the snapshot is damaged: ${reason}; use the one before it`);

function read(reader: FlatReader): Snapshot {
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
  const header = reader.slice(headerAt);
  // A vector of no records is left out of the bytes.
  const recordsAt = reader.vector(root, Field.Records, 1, 'the records');
  const records = recordsAt === undefined ? new Uint8Array(0) : reader.slice(recordsAt);
  const [low, high] = checksum(header, records);
  const isWhole =
    reader.u32(root, Field.ChecksumLow, 'the checksum') === low &&
    reader.u32(root, Field.ChecksumHigh, 'the checksum') === high;
  if (!isWhole) throw damaged('its checksum is that of other contents');
  const fingerprint = reader.u64(root, Field.Fingerprint, 'the fingerprint') ?? 0n;
  return { fingerprint, header: readHeader(header), records };
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
