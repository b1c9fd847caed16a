/** Hands inputs of every form to the kernel. */
import { SkipReason } from '../core/abi/events.js';
import type { BatchReceiver } from '../event/batch_receiver.js';
import type { Kernel } from '../kernel/kernel.js';
import { bytesOf, formOf, lineRuns, objectRuns, type PushInput, type PushOptions } from './input.js';

const encoder = new TextEncoder();

export class Intake {
  #refusedBatches = 0;

  /** `receiver` knows the program's columns. */
  constructor(private readonly receiver: BatchReceiver) {}

  /** Batches that could not be used, since creation. */
  get refusedBatches(): number {
    return this.#refusedBatches;
  }

  /** Forgets the session of delta batches in hand: its next batch is refused. */
  endSession(): void {
    this.receiver.reset();
  }

  /** @throws BatchError for a batch that cannot be used; UsageError for an input of no known form. */
  take(kernel: Kernel, input: PushInput, { as }: PushOptions): void {
    const form = formOf(input, as);
    if (form === 'batch') this.#batch(kernel, bytesOf(input as Uint8Array));
    else if (form === 'objects') this.#objects(kernel, input as readonly object[]);
    else lines(kernel, typeof input === 'string' ? encoder.encode(input) : bytesOf(input as Uint8Array));
  }

  /** Takes a batch that was found sound elsewhere, with its view. */
  takeChecked(kernel: Kernel, bytes: Uint8Array, view: Uint32Array): void {
    const viewPointer = kernel.placeBatch(bytes, view);
    const fault = kernel.roomForBatch(viewPointer);
    if (fault !== 0) throw this.receiver.refuse(fault);
    kernel.ingestBatch(viewPointer);
  }

  #objects(kernel: Kernel, objects: readonly object[]): void {
    for (const text of objectRuns(objects, kernel.inputCapacity >> 2)) lines(kernel, encoder.encode(text));
  }

  #batch(kernel: Kernel, bytes: Uint8Array): void {
    try {
      const { view } = this.receiver.prepare(bytes, kernel.inputCapacity);
      const viewPointer = kernel.placeBatch(bytes, view);
      const fault = kernel.checkBatch(viewPointer);
      if (fault !== 0) throw this.receiver.refuse(fault);
      kernel.ingestBatch(viewPointer);
      this.receiver.accept();
    } catch (error) {
      this.#refusedBatches++;
      throw error;
    }
  }
}

function lines(kernel: Kernel, bytes: Uint8Array): void {
  // The kernel puts a line end after the last line.
  for (const { start, end, isTooLong } of lineRuns(bytes, kernel.inputCapacity - 1)) {
    if (isTooLong) {
      kernel.skipRow(SkipReason.LineLength, start);
      continue;
    }
    kernel.input().set(bytes.subarray(start, end));
    kernel.ingestNdjson(end - start);
  }
}
