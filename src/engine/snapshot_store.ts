/** Where snapshots are kept, and the directory that is the default. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Keeps snapshots by name. Names sort by age. `put` must be atomic: after a crash a name has all its bytes, or is not there. */
export interface SnapshotStore {
  get(name: string): Promise<Uint8Array | undefined>;
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** As `put`, of bytes in pieces. Where it is there it is used: large snapshots need not be copied into one. */
  putPieces?(name: string, pieces: readonly Uint8Array[]): Promise<void>;
  list(): Promise<readonly string[]>;
  delete(name: string): Promise<void>;
}

const suffix = '.vds';

/** Snapshots as files. A file is written beside its place, flushed, renamed, and the directory flushed. */
export class DirectoryStore implements SnapshotStore {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    return readFile(join(this.#dir, name + suffix)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.putPieces(name, [bytes]);
  }

  async putPieces(name: string, pieces: readonly Uint8Array[]): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    const temporary = join(this.#dir, `${name}.tmp`);
    const file = await open(temporary, 'w');
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(this.#dir, name + suffix));
    await this.#syncDirectory();
  }

  async list(): Promise<readonly string[]> {
    const names = await readdir(this.#dir).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  }

  async delete(name: string): Promise<void> {
    await rm(join(this.#dir, name + suffix), { force: true });
  }

  /** Makes the rename itself durable. Where a directory cannot be opened (Windows) the file system sees to it. */
  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#dir, 'r').catch(() => undefined);
    if (directory === undefined) return;
    try {
      await directory.sync();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    } finally {
      await directory.close();
    }
  }
}
