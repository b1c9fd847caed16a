/** What `engine.stats()` answers: sums over the shards, and each shard on its own. */
import type { ExceptionUse } from '../correlator/exceptions.js';
import type { CorrelatorStats, LossCount, RuleStats } from '../correlator/stats.js';
import type { Fleet } from './fleet.js';
import type { MailboxStats } from './mailbox.js';
import type { Recovery } from './state.js';

export interface ShardStats extends MailboxStats {
  /** Rows of the shard's own hosts. */
  readonly events: number;
  readonly hosts: number;
  readonly held: number;
  /** How far the shard's watermark lies behind the newest event of any shard, in microseconds; null before its first. */
  readonly lagUs: number | null;
  readonly memory: CorrelatorStats['memory'];
}

export interface EngineStats {
  /** Rows that took an ordinal since the stream began, runs before a restart included. */
  readonly events: number;
  readonly rows: CorrelatorStats['rows'];
  readonly skippedExamples: CorrelatorStats['skippedExamples'];
  readonly batches: { readonly refused: number };
  readonly hosts: number;
  /** Time of the newest event of any shard, in microseconds since the epoch; null before the first. */
  readonly newestUs: number | null;
  /** Where a baseline was asked for. */
  readonly baseline?: CorrelatorStats['baseline'];
  readonly losses: readonly LossCount[];
  readonly rules: readonly RuleStats[];
  /** What each exception hid, over all shards. */
  readonly exceptions: readonly ExceptionUse[];
  readonly memory: { readonly budgetBytes: number; readonly usedBytes: number };
  readonly pushes: number;
  /** Inputs that are being applied. */
  readonly onTheirWay: number;
  readonly shards: readonly ShardStats[];
  /** The router; `restarts`: times it was built anew after its kernel failed. */
  readonly router: { readonly restarts: number };
  /** The global shard; null where no rule needs one. `pending`: events that wait for the watermark. `restarts` since the last reload. */
  readonly global: {
    readonly restarts: number;
    readonly events: number;
    readonly pending: number;
    readonly memory: CorrelatorStats['memory'];
  } | null;
  /** Snapshots found damaged when the engine was created. */
  readonly damagedSnapshots: number;
}

interface Own {
  readonly budgetBytes: number;
  readonly onTheirWay: number;
  readonly refusedBatches: number;
  readonly pushes: number;
  readonly recovery: Recovery | undefined;
}

/** Skipped rows kept as examples. */
const examplesMax = 10;

export async function engineStats(fleet: Fleet, own: Own): Promise<EngineStats> {
  const { shards, global, pendingRows, restarts, exceptions, behavior } = await fleet.stats();
  const all = [...shards.map(({ stats }) => stats), ...(global === null ? [] : [global])];
  const sum = (of: (stats: CorrelatorStats) => number): number => all.reduce((total, one) => total + of(one), 0);
  const inShards = (of: (stats: CorrelatorStats) => number): number =>
    shards.reduce((total, { stats }) => total + of(stats), 0);
  const newestUs = newestOf(shards.map(({ stats }) => stats.newestUs));
  return {
    events: fleet.nextOrdinal,
    rows: {
      late: inShards(({ rows }) => rows.late),
      skipped: inShards(({ rows }) => rows.skipped),
      truncated: inShards(({ rows }) => rows.truncated),
      future: inShards(({ rows }) => rows.future),
      held: inShards(({ rows }) => rows.held),
      noHost: inShards(({ rows }) => rows.noHost),
    },
    skippedExamples: shards
      .flatMap(({ stats }) => stats.skippedExamples)
      .sort((a, b) => a.ordinal - b.ordinal)
      .slice(0, examplesMax),
    batches: { refused: own.refusedBatches },
    hosts: inShards(({ hosts }) => hosts),
    newestUs,
    ...(behavior?.baseline === undefined ? {} : { baseline: behavior.baseline }),
    losses: mergeLosses([...all.flatMap(({ losses }) => losses), ...(behavior?.losses ?? [])]),
    rules: rulesOf(fleet, all).map((rule) => withOwn(rule, behavior?.rules.get(rule.id))),
    exceptions: mergeExceptions(exceptions),
    memory: { budgetBytes: own.budgetBytes * all.length, usedBytes: sum(({ memory }) => memory.usedBytes) },
    pushes: own.pushes,
    onTheirWay: own.onTheirWay,
    shards: fleet.mailboxes.map((mailbox, index) => shardStats(mailbox.stats(), shards[index], newestUs)),
    router: { restarts: restarts.router },
    global:
      global === null
        ? null
        : { restarts: restarts.global, events: global.events, pending: pendingRows, memory: global.memory },
    damagedSnapshots: own.recovery?.damaged.length ?? 0,
  };
}

/** A rule's counts with those of the engine's own judgement. */
function withOwn(rule: RuleStats, own: Pick<RuleStats, 'alerts' | 'belowMinimum' | 'timeUs'> | undefined): RuleStats {
  if (own === undefined) return rule;
  const { timeUs } = own;
  return { ...rule, alerts: rule.alerts + own.alerts, belowMinimum: rule.belowMinimum + own.belowMinimum, timeUs };
}

function shardStats(
  mailbox: MailboxStats,
  shard: { stats: CorrelatorStats; foreignRows: number } | undefined,
  newestUs: number | null,
): ShardStats {
  const { stats, foreignRows } = shard as { stats: CorrelatorStats; foreignRows: number };
  return {
    ...mailbox,
    events: stats.events - foreignRows,
    hosts: stats.hosts,
    held: stats.rows.held,
    lagUs: newestUs === null || stats.watermarkUs === null ? null : newestUs - stats.watermarkUs,
    memory: stats.memory,
  };
}

function newestOf(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function mergeLosses(losses: readonly LossCount[]): LossCount[] {
  const merged = new Map<string, LossCount>();
  for (const loss of losses) {
    const key = JSON.stringify([loss.reason, loss.rule, loss.host]);
    merged.set(key, { ...loss, count: (merged.get(key)?.count ?? 0) + loss.count });
  }
  return [...merged.values()];
}

const noRule = { matched: 0, belowMinimum: 0, entries: 0, timeUs: null };

function rulesOf(fleet: Fleet, all: readonly CorrelatorStats[]): RuleStats[] {
  const rules = new Map<string, RuleStats>();
  for (const { id, matched, alerts, belowMinimum, entries, timeUs } of all.flatMap((stats) => stats.rules)) {
    if (fleet.isFeed(id)) continue;
    const known = rules.get(id) ?? { ...noRule, id, alerts: fleet.orderedAlerts(id) };
    rules.set(id, {
      id,
      matched: known.matched + matched,
      alerts: known.alerts + alerts,
      belowMinimum: known.belowMinimum + belowMinimum,
      entries: known.entries + entries,
      timeUs: known.timeUs === null ? timeUs : known.timeUs + (timeUs ?? 0),
    });
  }
  return fleet.ruleIds.flatMap((id) => rules.get(id) ?? []);
}

/** Uses of one exception in several parts as one. */
function mergeExceptions(uses: readonly ExceptionUse[]): ExceptionUse[] {
  const merged = new Map<string, ExceptionUse>();
  for (const use of uses) {
    const known = merged.get(use.exception.id);
    merged.set(use.exception.id, known === undefined ? use : joined(known, use));
  }
  return [...merged.values()];
}

function joined(a: ExceptionUse, b: ExceptionUse): ExceptionUse {
  const byHost: Record<string, number> = { ...a.matchedByHost };
  for (const [host, count] of Object.entries(b.matchedByHost)) byHost[host] = (byHost[host] ?? 0) + count;
  const times = (of: (use: ExceptionUse) => number | null): number[] => [of(a), of(b)].filter((time) => time !== null);
  const first = times(({ firstMatchedUs }) => firstMatchedUs);
  const last = times(({ lastMatchedUs }) => lastMatchedUs);
  return {
    exception: a.exception,
    matched: a.matched + b.matched,
    witnesses: a.witnesses + b.witnesses,
    matchedByHost: byHost,
    firstMatchedUs: first.length === 0 ? null : Math.min(...first),
    lastMatchedUs: last.length === 0 ? null : Math.max(...last),
    matchedAfterExpiry: a.matchedAfterExpiry + b.matchedAfterExpiry,
    launches: a.launches + b.launches,
    launchesCovered: a.launchesCovered + b.launchesCovered,
  };
}
