/**
 * The parts of an engine that hold state: the router, the shards, the global shard and the rules in one order. Steps are
 * submitted in the order of the stream and finished in it, so a later one may be on its way while an earlier is judged.
 */
import type { Diagnostic } from '../core/diagnostic.js';
import { UsageError } from '../core/errors.js';
import type { Alert } from '../correlator/alert.js';
import type { ExceptionUse } from '../correlator/exceptions.js';
import { bytesOf, formOf, objectRuns, type PushInput, type PushOptions } from '../correlator/input.js';
import type { CorrelatorOptions } from '../correlator/options.js';
import type { RestoreReport } from '../correlator/restore_plan.js';
import type { CorrelatorStats } from '../correlator/stats.js';
import type { FieldSpec } from '../event/fields.js';
import { type Clock, clockOf } from './clock.js';
import { GlobalShard } from './global_shard.js';
import { Mailbox } from './mailbox.js';
import { compareAlerts } from './merge.js';
import type { ShardAnswer, ShardMessage, ShardOutput, ShardStart, Started } from './messages.js';
import type { EngineSettings } from './options.js';
import { OrderedRules } from './ordered.js';
import { planShards, type ShardPlan } from './plan.js';
import { ownedSlots, type Routed, Router, sessionPlaceOf } from './router.js';
import type { ShardHost } from './shard_host.js';
import type { EngineSnapshot } from './snapshot_file.js';

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
  readonly exceptions: readonly ExceptionUse[];
}

/** Everything that depends on the rules. */
interface RuleParts {
  readonly plan: ShardPlan;
  readonly options: CorrelatorOptions;
  readonly global: GlobalShard | undefined;
  readonly ordered: OrderedRules;
  readonly started: readonly Started[];
}

const encoder = new TextEncoder();
const nothing: RestoreReport = { kept: [], dropped: [], added: [] };

export class Fleet {
  readonly mailboxes: readonly Mailbox[];
  readonly #settings: EngineSettings;
  readonly #router: Router;
  #rules: RuleParts;
  /** The global watermark after the step finished last; the router's may be ahead. */
  #clockUs: number;

  private constructor(settings: EngineSettings, mailboxes: readonly Mailbox[], router: Router, rules: RuleParts) {
    this.#settings = settings;
    this.mailboxes = mailboxes;
    this.#router = router;
    this.#rules = rules;
    this.#clockUs = router.clockUs;
  }

  /** Starts every part, from a snapshot where there is one. */
  static async start(
    settings: EngineSettings,
    snapshot: EngineSnapshot | undefined,
    hostOf: (shard: number) => ShardHost,
    onRestart: (shard: number, reason: string) => void,
  ): Promise<{ fleet: Fleet; report: RestoreReport }> {
    const { correlator, memoryBytes, latenessUs } = settings;
    const shards = Math.max(1, settings.shards);
    const mailboxes = Array.from(
      { length: shards },
      (_, shard) => new Mailbox(hostOf(shard), (reason) => onRestart(shard, reason)),
    );
    try {
      const router = await Router.start(correlator, memoryBytes, shards);
      if (snapshot !== undefined) router.restore(snapshot.router);
      const { rules, report } = await startRules(correlator, latenessUs, mailboxes, snapshot, router.clockUs);
      return { fleet: new Fleet(settings, mailboxes, router, rules), report };
    } catch (error) {
      await Promise.all(mailboxes.map((mailbox) => mailbox.close()));
      throw error;
    }
  }

  get nextOrdinal(): number {
    return this.#router.nextOrdinal;
  }

  get ruleIds(): readonly string[] {
    return this.#rules.options.rules.map(({ id }) => id);
  }

  get fields(): readonly FieldSpec[] {
    return this.#rules.started[0]?.fields ?? [];
  }

  get problems(): readonly Diagnostic[] {
    const { plan, started, global } = this.#rules;
    const all = [...(started[0]?.problems ?? []), ...(global?.problems ?? [])];
    return all.filter(({ ruleId }) => ruleId === undefined || !plan.feeds.has(ruleId));
  }

  get journalBytes(): number {
    return this.mailboxes.reduce((sum, mailbox) => sum + mailbox.journalBytes, 0);
  }

  // ------------------------------------------------------------------------------------------------------ steps

  /** Routes an input and hands it to the shards. @throws BatchError or UsageError, nothing changed. */
  submit(input: PushInput, { as }: PushOptions = {}): Step {
    const form = formOf(input, as);
    if (form === 'batch') return this.#submitBatch(bytesOf(input as Uint8Array));
    const bytes = form === 'objects' ? linesOf(input as readonly object[]) : encoded(input as Uint8Array | string);
    const routed = this.#router.routeLines(bytes);
    return this.#step(routed, (shard) => {
      const pieces = routed.pieces[shard] ?? [];
      return pieces.length === 0 ? undefined : { kind: 'lines', pieces };
    });
  }

  #submitBatch(bytes: Uint8Array): Step {
    const routed = this.#router.routeBatch(bytes);
    const message: ShardMessage = {
      kind: 'batch',
      base: routed.base,
      bytes: bytes.slice(),
      session: sessionPlaceOf(bytes),
    };
    return this.#step(routed, () => message);
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

  #judge(done: readonly ShardOutput[], clock: Clock): Alert[] {
    const { global, ordered } = this.#rules;
    const alerts = done.flatMap((output) => output.alerts);
    if (global !== undefined)
      alerts.push(
        ...global.take(
          done.flatMap(({ feeds }) => feeds),
          clock,
        ),
      );
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
    this.#router.advance(time);
    const done = await settled(this.mailboxes.map((mailbox) => mailbox.send({ kind: 'advance', timeUs })));
    const startUs = this.#clockUs;
    this.#clockUs = this.#router.clockUs;
    return this.#judge(done, { at: () => startUs, firstUs: this.#clockUs, endUs: this.#clockUs });
  }

  async flush(): Promise<Alert[]> {
    const done = await settled(this.mailboxes.map((mailbox) => mailbox.send({ kind: 'flush' })));
    const { global, ordered } = this.#rules;
    const alerts = done.flatMap((output) => output.alerts);
    if (global !== undefined) alerts.push(...global.flush(done.flatMap(({ feeds }) => feeds)));
    alerts.push(
      ...ordered.take(
        done.flatMap((output) => output.ordered),
        () => this.#clockUs,
        this.#clockUs,
      ),
      ...ordered.end(),
    );
    return alerts.sort(compareAlerts);
  }

  // -------------------------------------------------------------------------------------------------- snapshots

  /**
   * The state of every part. No step may be on its way. A shard that dies from here on goes back to it. The snapshot
   * before the last is written over.
   */
  async snapshot(): Promise<EngineSnapshot> {
    const shards = await Promise.all(this.mailboxes.map((mailbox) => mailbox.snapshot()));
    this.#boundSession();
    const { global, ordered } = this.#rules;
    const globalState = global?.snapshot();
    const snapshot: EngineSnapshot = {
      header: {
        shards: shards.length,
        nextOrdinal: this.nextOrdinal,
        ordered: ordered.snapshot(),
        global: globalState?.state ?? null,
      },
      router: this.#router.snapshot(),
      global: globalState?.bytes ?? new Uint8Array(0),
      shards,
    };
    this.mailboxes.forEach((mailbox, shard) => {
      mailbox.rebase(shards[shard] as Uint8Array<ArrayBuffer>);
    });
    return snapshot;
  }

  /** Ends a session whose batches have outgrown the journal: they are kept to rebuild a shard in the middle of it. */
  #boundSession(): void {
    if ((this.mailboxes[0]?.sessionBytes ?? 0) <= this.#settings.journalBytes) return;
    this.#router.endSession();
    for (const mailbox of this.mailboxes) mailbox.endSession();
  }

  /** Goes on with other rules, which keep the state of those that did not change; when it fails nothing has changed. */
  async reload(rules: CorrelatorOptions['rules']): Promise<RestoreReport> {
    const snapshot = await this.snapshot();
    const before = this.#rules;
    const options = { ...this.#settings.correlator, rules };
    try {
      const next = await startRules(options, this.#settings.latenessUs, this.mailboxes, snapshot, this.#clockUs);
      this.#rules = next.rules;
      before.global?.close();
      return next.report;
    } catch (error) {
      await startShards(before.options, before.plan, this.mailboxes, snapshot);
      throw error;
    }
  }

  // ------------------------------------------------------------------------------------------------------ stats

  async stats(): Promise<FleetStats> {
    const shards = await Promise.all(this.mailboxes.map((mailbox) => mailbox.correlatorStats()));
    const { global, ordered } = this.#rules;
    const exceptions = [
      ...shards.flatMap((shard) => shard.exceptions),
      ...(global?.exceptions() ?? []),
      ...ordered.exceptions(),
    ];
    return { shards, global: global?.stats() ?? null, pendingRows: global?.pendingRows ?? 0, exceptions };
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
    this.#rules.global?.close();
    this.#router.close();
  }
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

async function startShards(
  options: CorrelatorOptions,
  plan: ShardPlan,
  mailboxes: readonly Mailbox[],
  snapshot: EngineSnapshot | undefined,
): Promise<Started[]> {
  const isDivided = snapshot !== undefined && snapshot.shards.length !== mailboxes.length;
  return Promise.all(
    mailboxes.map((mailbox, shard) => {
      const start: ShardStart = {
        options: { ...options, rules: plan.shardRules },
        feeds: [...plan.feeds],
        earlyFeeds: [...plan.earlyFeeds],
        keptFields: plan.keptFields,
        owned: ownedSlots(shard, mailboxes.length),
        parts: snapshot === undefined ? [] : isDivided ? snapshot.shards : [snapshot.shards[shard] as Uint8Array],
        isDivided,
      };
      return mailbox.start(start);
    }),
  );
}

async function startRules(
  options: CorrelatorOptions,
  latenessUs: number,
  mailboxes: readonly Mailbox[],
  snapshot: EngineSnapshot | undefined,
  clockUs: number,
): Promise<{ rules: RuleParts; report: RestoreReport }> {
  const plan = planShards(options);
  if (new Set(options.rules.map(({ id }) => id)).size !== options.rules.length && options.unsupported !== 'skip') {
    throw new UsageError('USAGE_RULES', 'two rules have the same id; give each rule its own');
  }
  // The global shard first: it compiles in this thread, and rules that fail there leave the shards as they are.
  const global = plan.globalRules.length === 0 ? undefined : await GlobalShard.start(options, plan, latenessUs);
  const started = await startShards(options, plan, mailboxes, snapshot);
  let report = started[0]?.report ?? nothing;
  let globalReport = nothing;
  if (global !== undefined && snapshot !== undefined && snapshot.header.global !== null) {
    globalReport = global.restore(snapshot.global, snapshot.header.global, clockUs);
  }
  const isOwn = (id: string): boolean => options.rules.some((rule) => rule.id === id) && !plan.feeds.has(id);
  const heard = plan.heardOnly;
  const parts = [
    report,
    {
      ...globalReport,
      kept: globalReport.kept.filter((id) => !heard.has(id)),
      added: globalReport.added.filter((id) => !heard.has(id)),
    },
  ];
  const kept = [...new Set(parts.flatMap((part) => part.kept))].filter(isOwn);
  const wasKept = new Set(kept);
  report = {
    kept,
    dropped: [...new Map(parts.flatMap((part) => part.dropped).map((one) => [one.rule, one])).values()].filter(
      ({ rule }) => !rule.startsWith('x.vedette.feed.') && !wasKept.has(rule),
    ),
    added:
      snapshot === undefined
        ? []
        : [...new Set(parts.flatMap((part) => part.added))].filter((id) => isOwn(id) && !wasKept.has(id)),
  };
  const ordered = new OrderedRules(options, plan.shardRules);
  if (snapshot !== undefined) ordered.restore(snapshot.header.ordered, wasKept);
  return { rules: { plan, options, global, ordered, started }, report };
}
