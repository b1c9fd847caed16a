/** Runs of the engine for its laws: shards in process, shards that die, and stops on the way. */
import type { Alert } from '../../src/correlator/alert.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { type Engine, startEngine } from '../../src/engine/engine.js';
import type { ShardAnswer, ShardTask } from '../../src/engine/messages.js';
import type { EngineOptions } from '../../src/engine/options.js';
import { LocalHost, type ShardHost } from '../../src/engine/shard_host.js';
import type { SnapshotStore } from '../../src/engine/snapshot_store.js';
import type { Source } from './generators.js';

/** Alerts as sorted text. Equal alerts that a resend repeats count once. */
export const alertSet = (alerts: readonly Alert[]): string[] =>
  [...new Set(alerts.map((one) => JSON.stringify(one)))].sort();

export class MemoryStore implements SnapshotStore {
  readonly kept = new Map<string, Uint8Array>();

  async get(name: string): Promise<Uint8Array | undefined> {
    return this.kept.get(name);
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    this.kept.set(name, bytes);
  }

  async list(): Promise<readonly string[]> {
    return [...this.kept.keys()];
  }

  async delete(name: string): Promise<void> {
    this.kept.delete(name);
  }
}

/** A shard that dies, its state with it, before some of its tasks and after others. */
export class DyingHost implements ShardHost {
  readonly threadId = 0;
  #inner = new LocalHost();
  #tasks = 0;
  deaths = 0;

  constructor(private readonly diesAt: ReadonlySet<number>) {}

  async run(task: ShardTask): Promise<ShardAnswer> {
    const number = this.#tasks++;
    if (this.diesAt.has(number) && task.kind !== 'start') {
      this.deaths++;
      // Half of the time the work was done, and only the answer is lost.
      if (number % 2 === 0) await this.#inner.run(task);
      this.#inner = new LocalHost();
      throw new Error('the worker died');
    }
    return this.#inner.run(task);
  }

  async close(): Promise<void> {}
}

export const inProcess = (options: EngineOptions): Promise<Engine> => startEngine(options, () => new LocalHost());

/** All alerts of a stream that comes in batches and then ends. */
export async function runEngine(engine: Engine, batches: readonly (readonly Source[])[]): Promise<Alert[]> {
  const alerts: Alert[] = [];
  for (const batch of batches) alerts.push(...(await engine.push(batch)));
  alerts.push(...(await engine.flush()));
  await engine.close();
  return alerts;
}

export async function runCorrelator(options: EngineOptions, batches: readonly (readonly Source[])[]): Promise<Alert[]> {
  const correlator = await createCorrelator(options);
  const alerts = batches.flatMap((batch) => correlator.push(batch));
  return [...alerts, ...correlator.flush()];
}
