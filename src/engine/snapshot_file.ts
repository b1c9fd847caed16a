/**
 * The snapshot of a whole engine: one consistent cut over the router, every shard and the global shard. Layout: the
 * magic `VDES`, u32 format version, u32 length of all that follows the head, 16 bytes of checksum over it; then u32
 * length and bytes of a JSON header, then u32 length and bytes of each part. The parts carry no checksum of their own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { SnapshotError } from '../core/errors.js';
import { Hash128, hash128 } from '../core/hash.js';
import type { ExceptionState } from '../correlator/exceptions.js';
import type { PublisherState } from '../correlator/publisher.js';
import type { GlobalState } from './global_shard.js';

export const engineSnapshotVersion = 1;
const magic = 0x53454456;
const headBytes = 28;

export interface EngineSnapshotHeader {
  /** How the slots were divided. */
  readonly shards: number;
  /** First ordinal that the snapshot does not cover. */
  readonly nextOrdinal: number;
  readonly ordered: PublisherState;
  /** What exceptions hid of those rules. */
  readonly orderedExceptions?: readonly ExceptionState[];
  /** State of the global shard; null where there was none. */
  readonly global: GlobalState | null;
  /** State of the judgement of behaviour rules as JSON text, where the engine has a baseline; else null or absent. */
  readonly behavior?: string | null;
}

export interface EngineSnapshot {
  readonly header: EngineSnapshotHeader;
  readonly router: Uint8Array;
  readonly global: Uint8Array;
  readonly shards: readonly Uint8Array[];
}

const encoder = new TextEncoder();
/** Bytes hashed before others of the thread have their turn: a few milliseconds. */
const sliceBytes = 1024 * 1024;

/** Writes a snapshot, as pieces to be put one after the other: the parts themselves are not copied. */
export async function encodeEngineSnapshot({ header, router, global, shards }: EngineSnapshot): Promise<Uint8Array[]> {
  const parts = [encoder.encode(JSON.stringify(header)), router, global, ...shards];
  const pieces = parts.flatMap((part) => [new Uint8Array(Uint32Array.of(part.length).buffer), part]);
  const head = new Uint8Array(headBytes);
  const view = new DataView(head.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, engineSnapshotVersion, true);
  view.setUint32(
    8,
    pieces.reduce((sum, piece) => sum + piece.length, 0),
    true,
  );
  (await hashOf(pieces)).forEach((word, index) => {
    view.setUint32(12 + index * 4, word, true);
  });
  return [head, ...pieces];
}

async function hashOf(pieces: readonly Uint8Array[]): Promise<readonly number[]> {
  const hash = new Hash128();
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += sliceBytes) {
      hash.update(piece.subarray(at, at + sliceBytes));
      if (at + sliceBytes < piece.length) await nextTurn();
    }
  }
  return hash.digest();
}

/** Reads a snapshot. @throws SnapshotError that says what is wrong, before anything of it is used. */
export function decodeEngineSnapshot(bytes: Uint8Array): EngineSnapshot {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headBytes || view.getUint32(0, true) !== magic) {
    throw new SnapshotError('SNAPSHOT_FORMAT', 'not the snapshot of an engine: it does not start with VDES');
  }
  const version = view.getUint32(4, true);
  if (version !== engineSnapshotVersion) {
    throw new SnapshotError(
      'SNAPSHOT_VERSION',
      `the snapshot has format version ${version}, this release reads ${engineSnapshotVersion}; use the release that wrote it`,
    );
  }
  const content = bytes.subarray(headBytes);
  if (view.getUint32(8, true) !== content.length) throw damaged('it was cut short');
  const isWhole = hash128(content).every((word, index) => view.getUint32(12 + index * 4, true) === word);
  if (!isWhole) throw damaged('its checksum is that of other contents');
  const [head, router, global, ...shards] = partsOf(bytes, view);
  if (head === undefined || router === undefined || global === undefined) throw damaged('a part is missing');
  const header = JSON.parse(new TextDecoder().decode(head)) as EngineSnapshotHeader;
  if (shards.length !== Math.max(1, header.shards)) throw damaged('a shard is missing');
  return { header, router, global, shards };
}

function partsOf(bytes: Uint8Array, view: DataView): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = headBytes; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > bytes.length) throw damaged('a part reaches beyond its end');
    parts.push(bytes.slice(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts;
}

const damaged = (reason: string): SnapshotError =>
  new SnapshotError(
    'SNAPSHOT_DAMAGED',
    `the snapshot is damaged: ${reason}; the one before it is used where there is one`,
  );
