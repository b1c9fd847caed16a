/** The parts of an engine that depend on its rules: started, started anew, and restored from a snapshot. */
import { UsageError } from '../core/errors.js';
import type { CorrelatorOptions } from '../correlator/options.js';
import type { RestoreReport } from '../correlator/restore_plan.js';
import { BehaviorPart, type BehaviorPartState } from './behavior_part.js';
import { GlobalShard } from './global_shard.js';
import type { Mailbox } from './mailbox.js';
import type { ShardStart, Started } from './messages.js';
import type { EngineSettings } from './options.js';
import { OrderedRules } from './ordered.js';
import { planShards, type ShardPlan } from './plan.js';
import { Rebuilt, type RebuiltOptions } from './rebuilt.js';
import { ownedSlots } from './router.js';
import type { ShardHost } from './shard_host.js';
import type { EngineSnapshot } from './snapshot_file.js';

/** Where the parts run, and who hears of them. */
export interface FleetPlaces {
  readonly hostOf: (shard: number) => ShardHost;
  /** A part was built anew: a shard by its number, or one in the engine's thread by its name. */
  readonly onRestart: (part: number | PartName, reason: string) => void;
  /** Called around every call of a part in the engine's thread; a `KernelTrap` thrown here is a failure of its kernel. */
  readonly probe?: (part: PartName) => void;
}

export type PartName = 'router' | 'global';

/** Everything that depends on the rules. */
export interface RuleParts {
  readonly plan: ShardPlan;
  readonly options: CorrelatorOptions;
  readonly global: Rebuilt<GlobalShard> | undefined;
  readonly ordered: OrderedRules;
  /** Judges behaviour rules in place of the shards, where there is a baseline. */
  readonly behavior: BehaviorPart | undefined;
  readonly started: readonly Started[];
}

const nothing: RestoreReport = { kept: [], dropped: [], added: [] };

/** Starts every shard with its rules, from a snapshot where there is one. */
export async function startShards(
  options: CorrelatorOptions,
  plan: ShardPlan,
  mailboxes: readonly Mailbox[],
  snapshot: EngineSnapshot | undefined,
): Promise<Started[]> {
  // What is known of a role is known of hosts in several shards, and roles may be functions, which cross no thread.
  const { baseline, ...own } = options;
  const isDivided = snapshot !== undefined && snapshot.shards.length !== mailboxes.length;
  return Promise.all(
    mailboxes.map((mailbox, shard) => {
      const start: ShardStart = {
        options: { ...own, rules: plan.shardRules },
        forwardsWitnesses: baseline !== undefined,
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

/** How a part in this thread is built anew, and who hears of it. */
export function partOptions<Part>(
  { onRestart, probe }: FleetPlaces,
  name: PartName,
  build: () => Promise<Part>,
): RebuiltOptions<Part> {
  return {
    build,
    onRestart: (reason) => onRestart(name, reason),
    ...(probe === undefined ? {} : { probe: () => probe(name) }),
  };
}

/** A global shard in the state of a snapshot. */
export async function buildGlobal(
  options: CorrelatorOptions,
  { latenessUs }: EngineSettings,
  plan: ShardPlan,
  snapshot: Pick<EngineSnapshot, 'header' | 'global'> | undefined,
  clockUs: number,
): Promise<{ part: GlobalShard; report: RestoreReport }> {
  const { baseline: _baseline, ...own } = options;
  const part = await GlobalShard.start(own, plan, latenessUs);
  const state = snapshot?.header.global ?? null;
  const report = snapshot === undefined || state === null ? nothing : part.restore(snapshot.global, state, clockUs);
  return { part, report };
}

/** Starts the parts for a rule set. Those that run stay as they are where a rule does not compile. */
export async function startRules(
  options: CorrelatorOptions,
  settings: EngineSettings,
  places: FleetPlaces,
  mailboxes: readonly Mailbox[],
  snapshot: EngineSnapshot | undefined,
  clockUs: number,
): Promise<{ parts: RuleParts; report: RestoreReport }> {
  const plan = planShards(options);
  if (new Set(options.rules.map(({ id }) => id)).size !== options.rules.length && options.unsupported !== 'skip') {
    throw new UsageError('USAGE_RULES', 'two rules have the same id; give each rule its own');
  }
  // The global shard first: it compiles in this thread, and rules that fail there leave the shards as they are.
  const built =
    plan.globalRules.length === 0 ? undefined : await buildGlobal(options, settings, plan, snapshot, clockUs);
  const started = await startShards(options, plan, mailboxes, snapshot);
  const report = reportOf(options, plan, snapshot, started[0]?.report ?? nothing, built?.report ?? nothing);
  const ordered = new OrderedRules(options, plan.shardRules);
  if (snapshot !== undefined) {
    const { header } = snapshot;
    ordered.restore(header.ordered, header.orderedExceptions ?? [], new Set(report.kept));
  }
  const build = async () => (await buildGlobal(options, settings, plan, snapshot, clockUs)).part;
  const global = built === undefined ? undefined : new Rebuilt(built.part, partOptions(places, 'global', build));
  const behavior = options.baseline === undefined ? undefined : new BehaviorPart(options);
  const state = snapshot?.header.behavior ?? null;
  if (behavior !== undefined && state !== null) behavior.restore(JSON.parse(state) as BehaviorPartState);
  const moved = snapshot !== undefined && (state === null) !== (behavior === undefined);
  return {
    parts: { plan, options, global, ordered, behavior, started },
    report: moved ? withoutBehaviors(report, options) : report,
  };
}

/** Sessions of behaviour rules are kept where they are judged: with a baseline in the engine, without one in its shards. */
function withoutBehaviors(report: RestoreReport, { rules }: CorrelatorOptions): RestoreReport {
  const moved = new Set(rules.filter(({ kind }) => kind === 'behavior').map(({ id }) => id));
  const dropped = report.kept
    .filter((rule) => moved.has(rule))
    .map((rule) => ({ rule, reason: 'the engine has a baseline now and had none, or the other way round' }));
  return {
    ...report,
    kept: report.kept.filter((rule) => !moved.has(rule)),
    dropped: [...report.dropped, ...dropped],
  };
}

/** What became of the rules' state, as the caller knows the rules: feeds and copies of the global shard are left out. */
function reportOf(
  { rules }: CorrelatorOptions,
  plan: ShardPlan,
  snapshot: EngineSnapshot | undefined,
  ofShards: RestoreReport,
  ofGlobal: RestoreReport,
): RestoreReport {
  const isOwn = (id: string): boolean => rules.some((rule) => rule.id === id) && !plan.feeds.has(id);
  const isToldBy = (id: string): boolean => !plan.heardOnly.has(id);
  const kept = [...new Set([...ofShards.kept, ...ofGlobal.kept.filter(isToldBy)])].filter(isOwn);
  const wasKept = new Set(kept);
  const dropped = new Map([...ofShards.dropped, ...ofGlobal.dropped].map((one) => [one.rule, one]));
  const added = [...new Set([...ofShards.added, ...ofGlobal.added.filter(isToldBy)])];
  return {
    kept,
    dropped: [...dropped.values()].filter(({ rule }) => !rule.startsWith('x.vedette.feed.') && !wasKept.has(rule)),
    added: snapshot === undefined ? [] : added.filter((id) => isOwn(id) && !wasKept.has(id)),
  };
}
