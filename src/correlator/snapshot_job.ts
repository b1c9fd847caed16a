/** A snapshot of the state at one moment that is written piece by piece, while the correlator goes on. */
import type { KernelCopy } from '../kernel/kernel_copy.js';
import type { SnapshotWriter } from './snapshot.js';

export class SnapshotJob {
  readonly #writer: SnapshotWriter;
  readonly #records: KernelCopy | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;

  /** `records`: a copy of the kernel that nobody else takes before the end; undefined where the writer has them already. */
  constructor(writer: SnapshotWriter, records: KernelCopy | undefined) {
    this.#writer = writer;
    this.#records = records;
  }

  /** Writes about `most` bytes more; answers the snapshot when it is whole. @throws KernelTrap */
  step(most: number): Uint8Array<ArrayBuffer> | undefined {
    if (this.#bytes !== undefined) return this.#bytes;
    if (this.#writer.writeHeader(most)) return undefined;
    if (this.#records?.write((records) => this.#writer.append(records), most) === true) return undefined;
    this.#bytes = this.#writer.end();
    return this.#bytes;
  }
}
