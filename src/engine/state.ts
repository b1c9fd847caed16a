/** Durable state: which snapshot an engine goes on from, and when the next is taken. */
import { concatBytes } from '../core/bytes.js';
import { SnapshotError } from '../core/errors.js';
import type { RestoreReport } from '../correlator/restore_plan.js';
import { channels } from './diagnostics.js';
import type { EngineSettings, Every } from './options.js';
import { decodeEngineSnapshot, type EngineSnapshot, encodeEngineSnapshot } from './snapshot_file.js';
import { DirectoryStore, type SnapshotStore } from './snapshot_store.js';

/** What an engine found when it was created. */
export interface Recovery {
  /** Name of the snapshot it goes on from; null when there was none that could be used. */
  readonly snapshot: string | null;
  /** First ordinal to resend. */
  readonly resumeFrom: number;
  /** Newer snapshots that could not be used, newest first. */
  readonly damaged: readonly { readonly snapshot: string; readonly code: string; readonly reason: string }[];
  /** Rules whose state goes on, and those whose state does not. */
  readonly rules: RestoreReport;
}

/** Snapshots kept: the newest, and the one before it. */
const keptMax = 2;

export class DurableState {
  readonly #store: SnapshotStore;
  readonly #every: Every;
  #lastMs = Date.now();
  #lastOrdinal = 0;

  private constructor(store: SnapshotStore, every: Every) {
    this.#store = store;
    this.#every = every;
  }

  static of(settings: EngineSettings): DurableState | undefined {
    const { dir, store, every } = settings;
    if (store !== undefined) return new DurableState(store, every);
    return dir === undefined ? undefined : new DurableState(new DirectoryStore(dir), every);
  }

  /** The interval of wall-clock snapshots in milliseconds; undefined where events are counted. */
  get everyMs(): number | undefined {
    return 'ms' in this.#every ? this.#every.ms : undefined;
  }

  isDue(nextOrdinal: number): boolean {
    if (nextOrdinal === this.#lastOrdinal) return false;
    if ('ms' in this.#every) return Date.now() - this.#lastMs >= this.#every.ms;
    return nextOrdinal - this.#lastOrdinal >= this.#every.events;
  }

  /**
   * The newest snapshot that is sound, and what was wrong with newer ones. @throws SnapshotError `SNAPSHOT_VERSION` where
   * a snapshot is of another format: that is no damage, and going back behind it would lose what it holds.
   */
  async load(): Promise<{ name: string | null; snapshot: EngineSnapshot | undefined; damaged: Recovery['damaged'] }> {
    const damaged: { snapshot: string; code: string; reason: string }[] = [];
    for (const name of [...(await this.#store.list())].sort().reverse()) {
      const bytes = await this.#store.get(name);
      if (bytes === undefined) continue;
      try {
        const snapshot = decodeEngineSnapshot(bytes);
        this.#lastOrdinal = snapshot.header.nextOrdinal;
        return { name, snapshot, damaged };
      } catch (error) {
        if (!(error instanceof SnapshotError) || error.code === 'SNAPSHOT_VERSION') throw error;
        damaged.push({ snapshot: name, code: error.code, reason: error.message });
      }
    }
    return { name: null, snapshot: undefined, damaged };
  }

  /** A snapshot is taken: the next is due an interval later, whether this one is kept or not. */
  noteTaken(nextOrdinal: number): void {
    this.#lastMs = Date.now();
    this.#lastOrdinal = nextOrdinal;
  }

  /**
   * Keeps a snapshot; the one before it stays until there is a newer. Its parts must not change meanwhile. `pauseMs`: how
   * long the shards stood still for it.
   */
  async save(snapshot: EngineSnapshot, pauseMs: number): Promise<void> {
    const { nextOrdinal } = snapshot.header;
    const takenMs = this.#lastMs;
    const pieces = await encodeEngineSnapshot(snapshot);
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const name = `engine-${String(nextOrdinal).padStart(16, '0')}`;
    if (this.#store.putPieces === undefined) await this.#store.put(name, concatBytes(pieces));
    else await this.#store.putPieces(name, pieces);
    // Those after it are damaged: this engine would have gone on from a sound one.
    const names = [...(await this.#store.list())].sort().reverse();
    const older = names.filter((one) => one < name);
    for (const one of [...names.filter((other) => other > name), ...older.slice(keptMax - 1)])
      await this.#store.delete(one);
    if (channels.snapshot.hasSubscribers) {
      channels.snapshot.publish({ name, bytes, nextOrdinal, pauseMs, ms: Date.now() - takenMs });
    }
  }
}
