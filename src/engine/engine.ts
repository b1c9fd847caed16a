/**
 * Many kernels behind one interface: events are divided among shards by host, each shard a kernel in a worker of its own;
 * rules across hosts run in a global shard. The alerts are those of one kernel that saw the whole stream, in one order.
 */
import type { Diagnostic } from '../core/diagnostic.js';
import { UsageError } from '../core/errors.js';
import { parseTimeUs } from '../core/time.js';
import type { Alert } from '../correlator/alert.js';
import type { BaselineData } from '../correlator/behavior/baseline_data.js';
import { fitModel } from '../correlator/coverage/fitted.js';
import { buildCoverage, type CoverageReport } from '../correlator/coverage/report.js';
import type { InputForm, PushInput, PushOptions } from '../correlator/input.js';
import { streamCounts } from '../correlator/read_stats.js';
import type { RestoreReport } from '../correlator/restore_plan.js';
import type { FieldSpec } from '../event/fields.js';
import type { Rule } from '../rule/ir.js';
import { channels } from './diagnostics.js';
import { type EngineStats, engineStats } from './engine_stats.js';
import { Fleet, type Step } from './fleet.js';
import { type EngineOptions, type EngineSettings, readEngineOptions } from './options.js';
import type { FleetPlaces } from './rule_parts.js';
import { LocalHost, type ShardHost, WorkerHost } from './shard_host.js';
import { type IngestSource, inputsOf } from './sources.js';
import { DurableState, type Recovery } from './state.js';
import type { TakenSnapshot } from './taken_snapshot.js';

export interface IngestOptions {
  /** Stops taking events. What was taken is judged and its alerts are given out; then the iteration throws the reason. */
  readonly signal?: AbortSignal;
  /** Takes every chunk as this, whatever it looks like. */
  readonly as?: InputForm;
}

export interface Engine {
  /**
   * Takes EventBatch bytes, whole NDJSON lines or objects. Resolves when every shard has applied them, to the alerts they
   * completed. Waits while two earlier inputs are on their way. Rejects with BatchError for a batch that cannot be used.
   */
  push(input: PushInput, options?: PushOptions): Promise<Alert[]>;
  /** Takes everything of a source and gives out the alerts; a slow reader slows the source. The end does not flush. */
  ingest(source: IngestSource, options?: IngestOptions): AsyncGenerator<Alert, void, void>;
  /** Promises that nothing earlier than `time` will come, on any host. */
  advance(time: string | number | Date): Promise<Alert[]>;
  /** Ends the stream: what is held is judged, and every deadline ahead fires. A later `push` is misuse. */
  flush(): Promise<Alert[]>;
  /** Goes on with other rules. Unchanged rules keep their state. Rejects, and changes nothing, where the rules do not compile. */
  reload(rules: readonly Rule[]): Promise<RestoreReport>;
  /** Takes a snapshot now, and keeps it where the engine has durable state. */
  snapshot(): Promise<void>;
  stats(): Promise<EngineStats>;
  /**
   * The alerts that exceptions hid since the last call, with `hiddenBy`; the newest ten thousand of each shard. Not in
   * snapshots; after a shard was rebuilt some may come again.
   */
  suppressed(): Promise<Alert[]>;
  /**
   * Whether each rule could have fired on each host, from what the hosts sent so far: the same for any number of shards.
   * @throws UsageError where no coverage model was given.
   */
  coverage(): Promise<CoverageReport>;
  /** First ordinal to send: 0, or where the state that was found ends. */
  readonly resumeFrom: number;
  /** What was found when the engine was created; undefined without durable state. */
  readonly recovery: Recovery | undefined;
  /** Names of the fields that the rules, the lineage and the evidence read; others need not be sent. */
  readonly fields: readonly FieldSpec[];
  /** Why rules were left out, where `unsupported: 'skip'` allowed it. */
  readonly problems: readonly Diagnostic[];
  /**
   * What was learned so far, as JSON that is sorted and hashed.
   * @throws UsageError unless the option `baseline` asked for it.
   */
  baseline(): Promise<BaselineData>;
  /** Waits for what is on its way, keeps a last snapshot, and ends the workers. Later calls do nothing. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Creates an engine. When it resolves its workers are up, and the rules are compiled in each.
 * @throws UsageError for an option or rules that are wrong; SnapshotError for state of another format.
 */
export function createEngine(options: EngineOptions): Promise<Engine> {
  return startEngine(options, undefined);
}

/** As {@link createEngine}, with a place for each shard to run in, and a probe of the parts in this thread. */
export async function startEngine(
  options: EngineOptions,
  hostOf: ((shard: number) => ShardHost) | undefined,
  probe?: FleetPlaces['probe'],
): Promise<Engine> {
  const settings = readEngineOptions(options);
  const state = DurableState.of(settings);
  const found = await state?.load();
  const { fleet, report } = await Fleet.start(settings, found?.snapshot, {
    hostOf: hostOf ?? hostsOf(settings),
    onRestart: (part, reason) => {
      channels.restart.publish(typeof part === 'number' ? { shard: part, reason } : { part, reason });
    },
    ...(probe === undefined ? {} : { probe }),
  });
  const recovery: Recovery | undefined =
    found === undefined
      ? undefined
      : { snapshot: found.name, resumeFrom: fleet.nextOrdinal, damaged: found.damaged, rules: report };
  if (recovery !== undefined && (recovery.snapshot !== null || recovery.damaged.length > 0)) {
    channels.recovery.publish(recovery);
  }
  return new RunningEngine(settings, fleet, state, recovery);
}

/** Workers, or the caller's thread where there are to be none. */
function hostsOf({ shards, workerUrl }: EngineSettings): (shard: number) => ShardHost {
  const url = workerUrl ?? new URL('./worker.js', import.meta.url);
  return () => (shards === 0 ? new LocalHost() : new WorkerHost(url));
}

/** Inputs on their way at a time: one being applied, one ready behind it. */
const inFlightMax = 2;

class RunningEngine implements Engine {
  readonly resumeFrom: number;
  readonly recovery: Recovery | undefined;
  readonly #settings: EngineSettings;
  readonly #fleet: Fleet;
  readonly #state: DurableState | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  /** Admission of inputs, one after the other. */
  #entry: Promise<unknown> = Promise.resolve();
  /** The end of the input admitted last; earlier ones have ended before it. */
  #last: Promise<unknown> = Promise.resolve();
  #onTheirWay: Promise<unknown>[] = [];
  /** Inputs whose alerts an iteration has not given out. */
  #owed = 0;
  #isFlushed = false;
  #closing: Promise<void> | undefined;
  #failure: unknown;
  /** The snapshot that is being kept, and why the one before it could not be. */
  #keeping: Promise<void> = Promise.resolve();
  #keepFailure: { readonly error: unknown } | undefined;
  #refusedBatches = 0;
  #pushes = 0;

  constructor(settings: EngineSettings, fleet: Fleet, state: DurableState | undefined, recovery: Recovery | undefined) {
    this.#settings = settings;
    this.#fleet = fleet;
    this.#state = state;
    this.recovery = recovery;
    this.resumeFrom = fleet.nextOrdinal;
    if (state?.everyMs !== undefined) {
      this.#timer = setInterval(() => void this.#admit(() => undefined).catch(() => undefined), state.everyMs);
      this.#timer.unref();
    }
  }

  get fields(): readonly FieldSpec[] {
    return this.#fleet.fields;
  }

  get problems(): readonly Diagnostic[] {
    return this.#fleet.problems;
  }

  async push(input: PushInput, options: PushOptions = {}): Promise<Alert[]> {
    const { alerts } = await this.#submit(input, options);
    return alerts;
  }

  async *ingest(source: IngestSource, { signal, as }: IngestOptions = {}): AsyncGenerator<Alert, void, void> {
    const waiting: Promise<Alert[]>[] = [];
    const deliver = async function* (this: RunningEngine): AsyncGenerator<Alert, void, void> {
      yield* await (waiting.shift() as Promise<Alert[]>);
      this.#owed--;
    }.bind(this);
    try {
      for await (const input of untilAborted(inputsOf(source, as, this.#fleet.lineBytesMax), signal)) {
        if (this.#isSnapshotDue()) while (waiting.length > 0) yield* deliver();
        const { alerts } = await this.#submit(input, as === undefined ? {} : { as });
        this.#owed++;
        // A failure is told when its turn comes to be given out.
        alerts.catch(() => undefined);
        waiting.push(alerts);
        if (waiting.length >= inFlightMax) yield* deliver();
      }
      while (waiting.length > 0) yield* deliver();
    } finally {
      this.#owed -= waiting.length;
    }
    signal?.throwIfAborted();
  }

  advance(time: string | number | Date): Promise<Alert[]> {
    const timeUs = parseTimeUs(time);
    return this.#alone(() => (this.#isFlushed ? Promise.resolve([]) : this.#fleet.advance(time, timeUs)));
  }

  flush(): Promise<Alert[]> {
    return this.#alone(() => {
      if (this.#isFlushed) return Promise.resolve([]);
      this.#isFlushed = true;
      return this.#fleet.flush();
    });
  }

  reload(rules: readonly Rule[]): Promise<RestoreReport> {
    return this.#alone(() => {
      this.#refuseFlushed('reload');
      return this.#reload(rules);
    });
  }

  async #reload(rules: readonly Rule[]): Promise<RestoreReport> {
    // It takes a snapshot of its own, over the memory of an earlier one.
    await this.#keeping;
    return this.#fleet.reload(rules);
  }

  async snapshot(): Promise<void> {
    await this.#alone(() => {
      this.#refuseFlushed('snapshot');
      return this.#takeSnapshot();
    });
    await this.#keeping;
    this.#tellKeepFailure();
  }

  async stats(): Promise<EngineStats> {
    this.#refuseClosed();
    return engineStats(this.#fleet, {
      budgetBytes: this.#settings.memoryBytes,
      onTheirWay: this.#onTheirWay.length,
      refusedBatches: this.#refusedBatches,
      pushes: this.#pushes,
      recovery: this.recovery,
    });
  }

  async baseline(): Promise<BaselineData> {
    this.#refuseClosed();
    await this.#last.catch(() => undefined);
    const data = this.#fleet.baseline();
    if (data !== undefined) return data;
    throw new UsageError(
      'USAGE_OPTION',
      "baseline: none was asked for; create the engine with { baseline: { mode: 'learn' } }",
    );
  }

  async suppressed(): Promise<Alert[]> {
    this.#refuseClosed();
    await this.#last.catch(() => undefined);
    return this.#fleet.suppressed();
  }

  async coverage(): Promise<CoverageReport> {
    this.#refuseClosed();
    const { coverage } = this.#settings.correlator;
    if (coverage === undefined)
      throw new UsageError('USAGE_OPTION', 'no coverage model; pass one: createEngine({ coverage: … })');
    const [{ hosts, forgotten }, stats] = await Promise.all([this.#fleet.coverageCounts(), this.stats()]);
    return buildCoverage(fitModel(coverage, this.#fleet.rules), hosts, streamCounts(stats), forgotten);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#entry.catch(() => undefined);
    await this.#last.catch(() => undefined);
    try {
      const isWhole = this.#failure === undefined && !this.#isFlushed && this.#owed === 0;
      if (this.#state !== undefined && isWhole) await this.#takeSnapshot();
      await this.#keeping;
      this.#tellKeepFailure();
    } finally {
      await this.#fleet.close();
    }
  }

  // -------------------------------------------------------------------------------------------------- admission

  /** Admits an input; resolves once it is on its way. */
  #submit(input: PushInput, options: PushOptions): Promise<{ alerts: Promise<Alert[]> }> {
    return this.#admit(async () => {
      this.#refuseFlushed('push');
      const startMs = performance.now();
      const step = await this.#route(input, options);
      const alerts = this.#afterLast(() => this.#fleet.finish(step));
      this.#pushes++;
      return { alerts: this.#told(alerts, step.rows, startMs) };
    });
  }

  async #route(input: PushInput, options: PushOptions): Promise<Step> {
    try {
      return await this.#fleet.submit(input, options);
    } catch (error) {
      if (error instanceof Error && error.name === 'BatchError') this.#refusedBatches++;
      throw error;
    }
  }

  async #told(alerts: Promise<Alert[]>, rows: number, startMs: number): Promise<Alert[]> {
    const found = await alerts;
    if (channels.batch.hasSubscribers) {
      channels.batch.publish({ rows, alerts: found.length, ms: performance.now() - startMs });
    }
    return found;
  }

  /** Does `work` when it is its turn and there is room; takes a snapshot before it that is due. */
  #admit<T>(work: () => T | Promise<T>): Promise<T> {
    this.#refuseClosed();
    const admitted = this.#entry.then(async () => {
      while (this.#onTheirWay.length >= inFlightMax) await Promise.race(this.#onTheirWay);
      if (this.#failure !== undefined) throw this.#failure;
      this.#tellKeepFailure();
      if (this.#isSnapshotDue() && this.#owed === 0) {
        await this.#last.catch(() => undefined);
        if (this.#failure !== undefined) throw this.#failure;
        await this.#takeSnapshot();
      }
      return work();
    });
    this.#entry = admitted.catch(() => undefined);
    return admitted;
  }

  /** Does `work` when nothing is on its way. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const { done } = await this.#admit(() => ({ done: this.#afterLast(work) }));
    return done;
  }

  /** Runs `work` behind everything admitted before. After a failure of the engine's own nothing more is taken. */
  #afterLast<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return work();
    });
    const ended = done.then(
      () => undefined,
      (error: unknown) => {
        if (!(error instanceof UsageError)) this.#failure ??= error;
      },
    );
    this.#last = ended;
    this.#onTheirWay.push(ended);
    void ended.then(() => {
      this.#onTheirWay = this.#onTheirWay.filter((one) => one !== ended);
    });
    return done;
  }

  #refuseClosed(): void {
    if (this.#closing !== undefined) throw new UsageError('USAGE_CLOSED', 'this engine is closed; create a new one');
  }

  #refuseFlushed(what: string): void {
    if (this.#isFlushed) {
      throw new UsageError('USAGE_FLUSHED', `${what} after flush: the stream has ended; create a new engine`);
    }
  }

  // -------------------------------------------------------------------------------------------------- snapshots

  #isSnapshotDue(): boolean {
    if (this.#isFlushed) return false;
    if (this.#fleet.journalBytes > this.#settings.journalBytes) return true;
    return this.#state?.isDue(this.#fleet.nextOrdinal) === true;
  }

  /** Takes a snapshot, which is kept while the stream goes on. */
  async #takeSnapshot(): Promise<void> {
    // The one before it lies in memory that is now written over.
    await this.#keeping;
    const taken = await this.#fleet.snapshot();
    this.#keepFailure = undefined;
    this.#keeping = this.#keep(taken).catch((error: unknown) => {
      if (channels.snapshot.hasSubscribers) channels.snapshot.publish({ error });
      this.#keepFailure = { error };
    });
  }

  async #keep({ pauseMs, written }: TakenSnapshot): Promise<void> {
    this.#state?.noteTaken(this.#fleet.nextOrdinal);
    const snapshot = await written;
    await this.#state?.save(snapshot, pauseMs);
  }

  /** @throws once what kept the last snapshot from being kept. */
  #tellKeepFailure(): void {
    const failure = this.#keepFailure;
    this.#keepFailure = undefined;
    if (failure !== undefined) throw failure.error;
  }
}

/** The inputs until the signal aborts; the source is let go. */
async function* untilAborted(
  inputs: AsyncGenerator<PushInput>,
  signal: AbortSignal | undefined,
): AsyncGenerator<PushInput> {
  if (signal === undefined) {
    yield* inputs;
    return;
  }
  let stop: () => void = () => undefined;
  const aborted = new Promise<'aborted'>((resolve) => {
    stop = () => resolve('aborted');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    for (;;) {
      const next = await Promise.race([inputs.next(), aborted]);
      if (next === 'aborted' || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    void inputs.return(undefined).catch(() => undefined);
  }
}
