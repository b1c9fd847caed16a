/**
 * The parts of an engine that hold state: the router, the shards, the global shard and the rules in one order. Steps are
 * submitted in the order of the stream and finished in it, so a later one may be on its way while an earlier is judged.
 */
import type { Diagnostic } from '../core/diagnostic.js';
import type { Alert } from '../correlator/alert.js';
import type { BaselineData } from '../correlator/behavior/baseline_data.js';
import type { CoverageCounts } from '../correlator/coverage/tracker.js';
import type { ExceptionUse } from '../correlator/exceptions.js';
import { bytesOf, formOf, objectRuns, type PushInput, type PushOptions } from '../correlator/input.js';
import type { CorrelatorOptions } from '../correlator/options.js';
import type { RestoreReport } from '../correlator/restore_plan.js';
import type { CorrelatorStats } from '../correlator/stats.js';
import type { FieldSpec } from '../event/fields.js';
import { BatchGate, type BatchNeeds, type CheckedBatch } from './batch_gate.js';
import type { BehaviorPartStats } from './behavior_part.js';
import { type Clock, clockOf } from './clock.js';
import { JournalMemory } from './journal_memory.js';
import { Mailbox } from './mailbox.js';
import { compareAlerts } from './merge.js';
import type { ShardAnswer, ShardMessage, ShardOutput } from './messages.js';
import type { EngineSettings } from './options.js';
import { Rebuilt } from './rebuilt.js';
import { type Routed, type RoutedBatch, Router } from './router.js';
import {
  buildGlobal,
  type FleetPlaces,
  type PartName,
  partOptions,
  type RuleParts,
  startRules,
  startShards,
} from './rule_parts.js';
import type { EngineSnapshot } from './snapshot_file.js';
import { type TakenSnapshot, writtenHere } from './taken_snapshot.js';

/** A step on its way through the shards. `finish` is to be called in the order of the stream. */
export interface Step {
  readonly outputs: Promise<readonly ShardOutput[]>;
  readonly rows: number;
  readonly routed: Routed;
}

/** What the parts count, each on its own. */
export interface FleetStats {
  readonly shards: readonly Extract<ShardAnswer, { kind: 'stats' }>[];
  readonly global: CorrelatorStats | null;
  readonly pendingRows: number;
  /** Times that the parts in the engine's thread were built anew. */
  readonly restarts: Readonly<Record<PartName, number>>;
  readonly exceptions: readonly ExceptionUse[];
  /** Where the engine judges behaviour rules itself. */
  readonly behavior: BehaviorPartStats | undefined;
}

const encoder = new TextEncoder();
/** What a message takes beside its input, by rule of thumb. */
const messageBytes = 64;

/** The clock where time moves without a row: what it completes comes shard by shard, and is ordered by its times alone. */
const beforeAll = (): number => Number.NEGATIVE_INFINITY;

export class Fleet {
  readonly mailboxes: readonly Mailbox[];
  readonly #settings: EngineSettings;
  readonly #places: FleetPlaces;
  readonly #router: Rebuilt<Router>;
  readonly #memory = new JournalMemory();
  #rules: RuleParts;
  #gate: BatchGate;
  /** The global watermark after the step finished last; the router's may be ahead. */
  #clockUs: number;

  private constructor(
    settings: EngineSettings,
    places: FleetPlaces,
    mailboxes: readonly Mailbox[],
    router: Rebuilt<Router>,
    rules: RuleParts,
  ) {
    this.#settings = settings;
    this.#places = places;
    this.mailboxes = mailboxes;
    this.#router = router;
    this.#rules = rules;
    this.#gate = new BatchGate(batchNeedsOf(rules));
    if (settings.correlator.pretouch === true) this.#memory.touch(settings.journalBytes);
    this.#clockUs = router.part.clockUs;
  }

  /** Starts every part, from a snapshot where there is one. */
  static async start(
    settings: EngineSettings,
    snapshot: EngineSnapshot | undefined,
    places: FleetPlaces,
  ): Promise<{ fleet: Fleet; report: RestoreReport }> {
    const mailboxes = Array.from(
      { length: Math.max(1, settings.shards) },
      (_, shard) => new Mailbox(places.hostOf(shard), (reason) => places.onRestart(shard, reason)),
    );
    try {
      const build = () => buildRouter(settings, snapshot?.router, [], 0);
      const router = new Rebuilt(await build(), partOptions(places, 'router', build));
      const { correlator } = settings;
      const { parts, report } = await startRules(
        correlator,
        settings,
        places,
        mailboxes,
        snapshot,
        router.part.clockUs,
      );
      return { fleet: new Fleet(settings, places, mailboxes, router, parts), report };
    } catch (error) {
      await Promise.all(mailboxes.map((mailbox) => mailbox.close()));
      throw error;
    }
  }

  get nextOrdinal(): number {
    return this.#router.part.nextOrdinal;
  }

  /** Bytes from which on a line is too long. */
  get lineBytesMax(): number {
    return this.#router.part.lineBytesMax;
  }

  get ruleIds(): readonly string[] {
    return this.#rules.options.rules.map(({ id }) => id);
  }

  get fields(): readonly FieldSpec[] {
    return this.#rules.started[0]?.fields ?? [];
  }

  get problems(): readonly Diagnostic[] {
    const { plan, started, global } = this.#rules;
    const all = [...(started[0]?.problems ?? []), ...(global?.part.problems ?? [])];
    return all.filter(({ ruleId }) => ruleId === undefined || !plan.feeds.has(ruleId));
  }

  get journalBytes(): number {
    // What lies in shared memory lies there once, however many shards read it.
    return this.mailboxes.reduce((sum, mailbox) => sum + mailbox.journalMessages * messageBytes, this.#memory.bytes);
  }

  // ------------------------------------------------------------------------------------------------------ steps

  /** Routes an input and hands it to the shards. @throws BatchError or UsageError, nothing changed. */
  async submit(input: PushInput, { as }: PushOptions = {}): Promise<Step> {
    const form = formOf(input, as);
    if (form === 'batch') return this.#submitBatch(bytesOf(input as Uint8Array));
    const bytes = form === 'objects' ? linesOf(input as readonly object[]) : encoded(input as Uint8Array | string);
    const { needsClock } = this.#rules.plan;
    const routed = await this.#router.run((router) => router.routeLines(bytes, this.#memory, needsClock), replayLines);
    return this.#step(routed, (shard) => {
      const pieces = routed.pieces[shard] ?? [];
      return pieces.length === 0 ? undefined : { kind: 'lines', pieces };
    });
  }

  async #submitBatch(given: Uint8Array): Promise<Step> {
    const gate = this.#gate;
    const { needsClock } = this.#rules.plan;
    const journal: { bytes?: Uint8Array } = {};
    const routed = await this.#router.run(
      (router) => router.routeBatch(given, gate, needsClock),
      replayBatchOf(journal),
    );
    gate.accept();
    const { bytes, view } = this.#kept(given, routed.checked);
    journal.bytes = bytes;
    const message: ShardMessage = { kind: 'batch', base: routed.base, bytes, view, session: routed.checked.place };
    return this.#step(routed, () => message);
  }

  /** A batch and its view where the journal and the shards can read them. Those of a session outlive the journal. */
  #kept(given: Uint8Array, { view, place }: CheckedBatch): { bytes: Uint8Array; view: Uint32Array } {
    if (place === 'starts') this.#memory.endSession();
    const viewOffset = (given.length + 3) & ~3;
    const size = viewOffset + view.byteLength;
    const room = place === 'none' ? this.#memory.take(size) : this.#memory.takeForSession(size);
    const bytes = room.subarray(0, given.length);
    bytes.set(given);
    const words = new Uint32Array(room.buffer, room.byteOffset + viewOffset, view.length);
    words.set(view);
    return { bytes, view: words };
  }

  #step(routed: Routed, messageOf: (shard: number) => ShardMessage | undefined): Step {
    const sent = this.mailboxes.flatMap((mailbox, shard) => {
      const message = messageOf(shard);
      return message === undefined ? [] : [mailbox.send(message)];
    });
    return { outputs: settled(sent), rows: routed.rows, routed };
  }

  /** The alerts of a step whose turn has come. */
  async finish({ outputs, routed }: Step): Promise<Alert[]> {
    const done = await outputs;
    const clock = clockOf(routed.clocks, this.#clockUs);
    this.#clockUs = clock.endUs;
    return this.#judge(done, clock);
  }

  async #judge(done: readonly ShardOutput[], clock: Clock): Promise<Alert[]> {
    const { global, ordered, behavior } = this.#rules;
    const alerts = done.flatMap((output) => output.alerts);
    if (behavior !== undefined) alerts.push(...behavior.take(done.map(({ witnessed }) => witnessed)));
    if (global !== undefined) {
      const matches = done.flatMap(({ feeds }) => feeds);
      alerts.push(...(await global.run((part) => part.take(matches, clock))));
    }
    alerts.push(
      ...ordered.take(
        done.flatMap((output) => output.ordered),
        clock.at,
        clock.endUs,
      ),
    );
    return alerts.sort(compareAlerts);
  }

  async advance(time: string | number | Date, timeUs: number): Promise<Alert[]> {
    await this.#router.run((router) => router.advance(time));
    const done = await settled(this.mailboxes.map((mailbox) => mailbox.send({ kind: 'advance', timeUs })));
    this.#clockUs = this.#router.part.clockUs;
    return this.#judge(done, { at: beforeAll, firstUs: this.#clockUs, endUs: this.#clockUs });
  }

  async flush(): Promise<Alert[]> {
    const done = await settled(this.mailboxes.map((mailbox) => mailbox.send({ kind: 'flush' })));
    const { global, ordered, behavior } = this.#rules;
    const alerts = done.flatMap((output) => output.alerts);
    if (behavior !== undefined) alerts.push(...behavior.flush(done.map(({ witnessed }) => witnessed)));
    if (global !== undefined) {
      const matches = done.flatMap(({ feeds }) => feeds);
      alerts.push(...(await global.run((part) => part.flush(matches))));
    }
    alerts.push(
      ...ordered.take(
        done.flatMap((output) => output.ordered),
        beforeAll,
        this.#clockUs,
      ),
      ...ordered.end(),
    );
    return alerts.sort(compareAlerts);
  }

  // -------------------------------------------------------------------------------------------------- snapshots

  /**
   * Takes the state of every part as it is now. No step may be on its way, and no other snapshot. It is written while
   * steps go on; a part that fails once it is written goes back to it. The snapshot before the last is written over.
   */
  async snapshot(): Promise<TakenSnapshot> {
    const frozen = await Promise.all(this.mailboxes.map((mailbox) => mailbox.snapshot()));
    this.#memory.cut();
    this.#boundSession();
    const { global, ordered, behavior } = this.#rules;
    const globalState = global?.part.snapshot();
    const globalBytes = writtenHere(globalState?.job);
    const taken = {
      header: {
        shards: frozen.length,
        nextOrdinal: this.nextOrdinal,
        ordered: ordered.snapshot(),
        orderedExceptions: ordered.exceptionsSnapshot(),
        global: globalState?.state ?? null,
        // As text: the judgement goes on while the snapshot is kept.
        behavior: behavior === undefined ? null : JSON.stringify(behavior.snapshot()),
      },
      router: this.#router.part.snapshot(),
    };
    this.#rebase(taken, globalBytes);
    const whole = Promise.all(frozen.map((shard) => shard.written)).then(async (shards): Promise<EngineSnapshot> => {
      this.#memory.release();
      return { ...taken, shards, global: await globalBytes };
    });
    whole.catch(() => undefined);
    return { pauseMs: Math.max(...frozen.map(({ pauseMs }) => pauseMs)), written: whole };
  }

  /** What fails in this thread from here on goes back to the snapshot just taken. The shards see to themselves. */
  #rebase(taken: Pick<EngineSnapshot, 'header' | 'router'>, globalBytes: Promise<Uint8Array>): void {
    const session = [...(this.mailboxes[0]?.session ?? [])];
    const { nextOrdinal } = taken.header;
    this.#router.rebase(() => buildRouter(this.#settings, taken.router, session, nextOrdinal));
    const { options, plan, global } = this.#rules;
    const clockUs = this.#clockUs;
    global?.rebase(async () => {
      const snapshot = { ...taken, global: await globalBytes };
      return (await buildGlobal(options, this.#settings, plan, snapshot, clockUs)).part;
    });
  }

  /** Ends a session whose batches have outgrown the journal: they are kept to rebuild a shard in the middle of it. */
  #boundSession(): void {
    if ((this.mailboxes[0]?.sessionBytes ?? 0) <= this.#settings.journalBytes) return;
    this.#router.part.endSession();
    this.#gate.endSession();
    this.#memory.endSession();
    for (const mailbox of this.mailboxes) mailbox.endSession();
  }

  /** Goes on with other rules, which keep the state of those that did not change; when it fails nothing has changed. */
  async reload(rules: CorrelatorOptions['rules']): Promise<RestoreReport> {
    const { written } = await this.snapshot();
    const snapshot = await written;
    const before = this.#rules;
    const options = { ...this.#settings.correlator, rules };
    try {
      const next = await startRules(options, this.#settings, this.#places, this.mailboxes, snapshot, this.#clockUs);
      this.#rules = next.parts;
      this.#gate = new BatchGate(batchNeedsOf(next.parts), this.#gate);
      this.#readSession(before.plan.needsClock);
      before.global?.part.close();
      return next.report;
    } catch (error) {
      await startShards(before.options, before.plan, this.mailboxes, snapshot);
      throw error;
    }
  }

  /** A router that did not read the session's batches so far is to read the next ones. */
  #readSession(didRead: boolean): void {
    const session = this.mailboxes[0]?.session ?? [];
    if (didRead || !this.#rules.plan.needsClock || session.length === 0) return;
    this.#router.part.readDictionaries(session, this.nextOrdinal);
  }

  // ------------------------------------------------------------------------------------------------------ stats

  async stats(): Promise<FleetStats> {
    const shards = await Promise.all(this.mailboxes.map((mailbox) => mailbox.correlatorStats()));
    const { global, ordered, behavior } = this.#rules;
    const exceptions = [
      ...shards.flatMap((shard) => shard.exceptions),
      ...(global?.part.exceptions() ?? []),
      ...ordered.exceptions(),
      ...(behavior?.exceptions() ?? []),
    ];
    return {
      shards,
      global: global?.part.stats() ?? null,
      pendingRows: global?.part.pendingRows ?? 0,
      restarts: { router: this.#router.restarts, global: global?.restarts ?? 0 },
      exceptions,
      behavior: behavior?.stats(
        shards.reduce((newest, { stats }) => Math.max(newest, stats.watermarkUs ?? newest), Number.NEGATIVE_INFINITY),
      ),
    };
  }

  /** The alerts that exceptions hid since the last call, in the order in which alerts come out. */
  async suppressed(): Promise<Alert[]> {
    const { global, ordered, behavior } = this.#rules;
    const ofShards = await Promise.all(this.mailboxes.map((mailbox) => mailbox.suppressed()));
    return [
      ...ofShards.flat(),
      ...(global?.part.suppressed() ?? []),
      ...ordered.suppressed(),
      ...(behavior?.suppressed() ?? []),
    ].sort(compareAlerts);
  }

  /** What was learned; undefined where there is no baseline. */
  baseline(): BaselineData | undefined {
    return this.#rules.behavior?.baseline();
  }

  /** What every shard counted of its hosts. */
  async coverageCounts(): Promise<CoverageCounts> {
    const counts = await Promise.all(this.mailboxes.map((mailbox) => mailbox.coverageCounts()));
    const { behavior } = this.#rules;
    const hosts = counts.flatMap((one) => one?.hosts ?? []);
    return {
      hosts: hosts.map((one) =>
        behavior === undefined ? one : { ...one, unready: behavior.unready(one.host.id, one.lastSeenUs) },
      ),
      forgotten: counts.reduce((sum, one) => sum + (one?.forgotten ?? 0), 0),
    };
  }

  get rules(): CorrelatorOptions['rules'] {
    return this.#rules.options.rules;
  }

  /** Alerts published so far of a rule whose alerts pass through the one order; 0 of others. */
  orderedAlerts(rule: string): number {
    return this.#rules.ordered.alertsOf(rule);
  }

  isFeed(rule: string): boolean {
    return this.#rules.plan.feeds.has(rule);
  }

  async close(): Promise<void> {
    await Promise.all(this.mailboxes.map((mailbox) => mailbox.close()));
    this.#rules.global?.part.close();
    this.#router.part.close();
  }
}

function batchNeedsOf({ started }: RuleParts): BatchNeeds {
  const [first] = started;
  if (first === undefined) throw new Error('an engine without shards');
  return first.batches;
}

/** Not a closure of the call it repeats: the journal has its lines, and would have them twice. */
const replayLines = (router: Router, done: Routed): void => router.replayLines(done);

/** As {@link replayLines}; `journal` is given the batch once it lies there. */
function replayBatchOf(journal: { readonly bytes?: Uint8Array }): (router: Router, done: RoutedBatch) => void {
  return (router, done) => {
    if (journal.bytes !== undefined) router.replayBatch(journal.bytes, done);
  };
}

function linesOf(objects: readonly object[]): Uint8Array {
  return encoder.encode([...objectRuns(objects, Number.POSITIVE_INFINITY)].join('\n'));
}

const encoded = (input: Uint8Array | string): Uint8Array =>
  typeof input === 'string' ? encoder.encode(input) : bytesOf(input);

/** Waits for all, so that none is left on its way, then throws the first failure. */
async function settled(sent: readonly Promise<ShardOutput>[]): Promise<readonly ShardOutput[]> {
  const results = await Promise.allSettled(sent);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** A router in the state of a snapshot, in the middle of a session whose batches so far are given. */
async function buildRouter(
  { correlator, memoryBytes, shards }: EngineSettings,
  state: Uint8Array | undefined,
  session: readonly Uint8Array[],
  nextOrdinal: number,
): Promise<Router> {
  const router = await Router.start(correlator, memoryBytes, Math.max(1, shards));
  if (state !== undefined) router.restore(state);
  if (session.length > 0) router.readDictionaries(session, nextOrdinal);
  return router;
}
