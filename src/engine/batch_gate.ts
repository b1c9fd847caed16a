/**
 * Where batches enter: each is checked once, for all shards, before anything of the engine has seen it. The shards read
 * it without looking at its soundness again. It keeps the session of delta batches, by column name, over reloads.
 */
import { BatchFault } from '../core/abi/events.js';
import { BatchReceiver, type ProgramColumn, type SessionPlace } from '../event/batch_receiver.js';
import type { SessionLimits } from '../event/session_limits.js';
import type { Kernel } from '../kernel/kernel.js';

/** What the shards' kernels read of batches, and how much of a session they hold: the same in all of them. */
export interface BatchNeeds {
  readonly columns: readonly ProgramColumn[];
  readonly session: Readonly<SessionLimits>;
  readonly inputCapacity: number;
}

/** A sound batch. */
export interface CheckedBatch {
  readonly rows: number;
  readonly place: SessionPlace;
  /** The flat view of it, its addresses counted from the batch's first byte. */
  readonly view: Uint32Array;
}

export class BatchGate {
  readonly #receiver: BatchReceiver;
  readonly #needs: BatchNeeds;

  /** `before`: the gate of the rules before, whose session goes on. */
  constructor(needs: BatchNeeds, before?: BatchGate) {
    this.#needs = needs;
    this.#receiver = new BatchReceiver(needs.columns, before === undefined ? undefined : before.#receiver);
  }

  /** Checks a batch in the memory of `kernel`, whatever its program. @throws BatchError, nothing changed. */
  check(bytes: Uint8Array, kernel: Kernel): CheckedBatch {
    const receiver = this.#receiver;
    const { rows, place, view } = receiver.prepare(bytes, Math.min(this.#needs.inputCapacity, kernel.inputCapacity));
    const fault = kernel.checkBatchContents(bytes, view, this.#needs.columns.length);
    if (fault !== 0) throw receiver.refuse(fault);
    const { codes, ids, idBytes } = receiver.sizes();
    const { session } = this.#needs;
    if (codes > session.codes) throw receiver.refuse(BatchFault.Codes);
    if (ids > session.ids) throw receiver.refuse(BatchFault.Ids);
    if (idBytes > session.idBytes) throw receiver.refuse(BatchFault.IdText);
    return { rows, place, view };
  }

  /** The batch checked last is applied. */
  accept(): void {
    this.#receiver.accept();
  }

  /** Refuses the next delta batch of the session in hand: the producer starts another. */
  endSession(): void {
    this.#receiver.reset();
  }
}
