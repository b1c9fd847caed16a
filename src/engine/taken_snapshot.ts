/** A snapshot of an engine between the moment it is taken and the moment it is whole. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SnapshotJob } from '../correlator/snapshot_job.js';
import type { EngineSnapshot } from './snapshot_file.js';

export interface TakenSnapshot {
  /** The longest that a shard stood still for it. */
  readonly pauseMs: number;
  /** The snapshot, once every part has written its own. */
  readonly written: Promise<EngineSnapshot>;
}

/** Bytes written before others of this thread have their turn: a few milliseconds. */
const pieceBytes = 1024 * 1024;

/** What a job of this thread writes; nothing where there is none. A failure is told to whoever asks. */
export function writtenHere(job: SnapshotJob | undefined): Promise<Uint8Array> {
  const bytes = job === undefined ? Promise.resolve(new Uint8Array(0)) : write(job);
  bytes.catch(() => undefined);
  return bytes;
}

async function write(job: SnapshotJob): Promise<Uint8Array> {
  for (;;) {
    const bytes = job.step(pieceBytes);
    if (bytes !== undefined) return bytes;
    await nextTurn();
  }
}
