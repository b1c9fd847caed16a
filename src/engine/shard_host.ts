/** Where a shard runs: a worker thread of its own, or the caller's thread. Both take tasks one at a time, in order. */
import type { ResourceLimits } from 'node:worker_threads';
import { Piscina } from 'piscina';
import type { ShardAnswer, ShardTask } from './messages.js';
import { Shard } from './shard.js';

export interface ShardHost {
  /** Does a task. Rejects when the thread died or its kernel failed; the next task then finds a new thread. */
  run(task: ShardTask): Promise<ShardAnswer>;
  /** Thread id of the worker that is up; 0 in process. */
  readonly threadId: number;
  close(): Promise<void>;
}

/** A shard in the caller's thread. */
export class LocalHost implements ShardHost {
  readonly threadId = 0;
  #shard = new Shard();

  async run(task: ShardTask): Promise<ShardAnswer> {
    try {
      return await this.#shard.run(task);
    } catch (error) {
      this.#shard = new Shard();
      throw error;
    }
  }

  async close(): Promise<void> {}
}

/** A shard in a worker: a pool of one thread that never goes idle and keeps the order of its tasks. */
export class WorkerHost implements ShardHost {
  readonly #workerUrl: string | URL;
  readonly #resourceLimits: ResourceLimits | undefined;
  #pool: Piscina;

  /** `resourceLimits` bounds the thread's heap; the kernel's memory is not part of it. */
  constructor(workerUrl: string | URL, resourceLimits?: ResourceLimits) {
    this.#workerUrl = workerUrl;
    this.#resourceLimits = resourceLimits;
    this.#pool = this.#createPool();
  }

  #createPool(): Piscina {
    const pool = new Piscina({
      filename: String(this.#workerUrl),
      name: 'runTask',
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      concurrentTasksPerWorker: 1,
      stricterFIFO: true,
      ...(this.#resourceLimits === undefined ? {} : { resourceLimits: this.#resourceLimits }),
    });
    // A worker that died is told by the task it was doing; without a listener the event would end the process.
    pool.on('error', () => undefined);
    return pool;
  }

  get threadId(): number {
    return this.#pool.threads[0]?.threadId ?? 0;
  }

  /** Ends the thread, as a crash would; a new one takes its place, without a shard. */
  async kill(): Promise<void> {
    await this.#pool.threads[0]?.terminate();
  }

  async run(task: ShardTask): Promise<ShardAnswer> {
    try {
      return await this.#submit(task);
    } catch (error) {
      // A pool whose worker could not load its file never answers again; one whose kernel failed holds its memory.
      await this.#pool.destroy();
      this.#pool = this.#createPool();
      throw error;
    }
  }

  /** Inputs lie in memory that both threads see. */
  #submit(task: ShardTask): Promise<ShardAnswer> {
    if (task.kind === 'freeze') return this.#pool.run(task, { transferList: [task.spare] }) as Promise<ShardAnswer>;
    return this.#pool.run(task) as Promise<ShardAnswer>;
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }
}
