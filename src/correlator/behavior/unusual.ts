/**
 * A rule that asks of other rules' sessions how usual they are: where an interpreter comes from, who starts it and for
 * whom. Tells nothing of a host that learns, and one alert of a key in a time. Knows no clock but event time. Bounded.
 */
import { keepNewest } from '../../core/bounded.js';
import type { BehaviorRule } from '../../rule/ir.js';
import { type BehaviorAlert, type BehaviorJudgeOptions, type BehaviorLoss, lossesMax, otherHosts } from './alert.js';
import { alertOf } from './alert_text.js';
import type { Baseline, HostExpectation } from './baseline.js';
import { addInstance, blankInstance, type Case, createCase, type Instance } from './case.js';
import { type CompiledJudgement, compileJudgement } from './compiled/judgement.js';
import { Exemptions } from './exemption.js';
import type { BehaviorJudge } from './judge.js';
import type { Learning } from './learning.js';
import { type Evidence, evidenceOf, type Session } from './session.js';
import { type Tuple, tupleText } from './tuples.js';
import { bands, judgeWindow, type Verdict } from './verdict.js';
import type { Witness } from './witness.js';

/** A rule whose sessions are asked. */
export interface Followed {
  readonly rule: BehaviorRule;
  readonly learning: Learning;
  session(hostId: string, rootIdentity: string): Session | undefined;
}

/** A session that was heard of: it is told once it is what it will be, and learned once it is known to be harmless. */
interface Pending {
  readonly rule: string;
  readonly root: string;
  readonly timeUs: number;
  readonly evidence: Evidence;
  readonly isTold: boolean;
}

/** An alert of a key, while later ones of the key are counted with it. */
interface Told {
  readonly firstUs: number;
  alert: BehaviorAlert;
  counted: number;
}

/** Of the form that states of several parts are merged in: see `mergeJudgeStates`. */
interface UnusualState {
  readonly publisher: {
    readonly belowMinimum: number;
    readonly published: readonly (Told & { readonly key: string })[];
    readonly suppressors: readonly never[];
  };
  /** What waits, by host. */
  readonly sessions: readonly { readonly id: string; readonly pending: readonly Pending[] }[];
  /** When sessions were heard of. */
  readonly joins: readonly (Heard & { readonly key: string })[];
  readonly losses: readonly BehaviorLoss[];
}

interface Heard {
  readonly host: string;
  readonly day: number;
}

const dayUs = 86_400_000_000;
const heardMax = 65_536;
const toldMax = 8192;
const pendingMax = 16_384;

export class UnusualJudge implements BehaviorJudge {
  belowMinimum = 0;
  private readonly compiled: CompiledJudgement;
  private readonly minimum: number;
  private readonly followed = new Map<string, Followed>();
  private readonly pending = new Map<string, Pending[]>();
  private pendingCount = 0;
  /** Day on which a session was heard of last, by rule, host and root: bounded, oldest first. */
  private readonly heard = new Map<string, Heard>();
  private readonly told = new Map<string, Told>();
  private readonly lossCounts = new Map<string, BehaviorLoss>();
  private queue: BehaviorAlert[] = [];
  private hidden: BehaviorAlert[] = [];

  constructor(
    readonly rule: BehaviorRule,
    private readonly options: BehaviorJudgeOptions,
  ) {
    this.compiled = compileJudgement(rule.judgement);
    this.minimum = bands.findIndex((band) => band.severity === (options.minSeverity ?? 'low'));
  }

  private get spec(): NonNullable<BehaviorRule['judgement']['unusual']> {
    return this.rule.judgement.unusual as NonNullable<BehaviorRule['judgement']['unusual']>;
  }

  /** Nothing is heard, and so nothing asked, without one. */
  private get baseline(): Baseline {
    return this.options.baseline as Baseline;
  }

  follow(followed: Followed): void {
    if (this.spec.follows.includes(followed.rule.id)) this.followed.set(followed.rule.id, followed);
  }

  /** Hears of a session's witness: of its first, of its first on a later day, and of every launch that was typed. */
  hear(rule: BehaviorRule, session: Session, witness: Witness, isLaunch: boolean): void {
    const followed = this.followed.get(rule.id);
    if (followed === undefined) return;
    const { timeUs, host } = witness;
    this.baseline.stateOf(host, timeUs, this.rule.id);
    const entry = { rule: rule.id, root: session.rootIdentity, timeUs, evidence: evidenceOf(witness) };
    if (rule.judgement.session.kind === 'fields') {
      if (!isLaunch) return;
      this.tell(followed, session, { ...entry, isTold: false });
      this.learn(followed, session, timeUs);
      return;
    }
    const key = `${rule.id} ${host.id} ${session.rootIdentity}`;
    const day = Math.floor(timeUs / dayUs);
    const before = this.heard.get(key)?.day;
    if (before !== undefined && before >= day) return;
    this.heard.delete(key);
    this.heard.set(key, { host: host.id, day });
    keepNewest(this.heard, heardMax);
    this.wait(host.id, { ...entry, isTold: before !== undefined });
  }

  private wait(hostId: string, entry: Pending): void {
    if (this.pendingCount >= pendingMax) {
      this.lose(hostId);
      return;
    }
    const queue = this.pending.get(hostId) ?? [];
    queue.push(entry);
    this.pendingCount++;
    this.pending.set(hostId, queue);
  }

  observe(): void {}

  /** The host's time has come to `timeUs`, though the push goes on. */
  heardUntil(hostId: string, timeUs: number): void {
    this.settle(hostId, timeUs);
  }

  advance(hostId: string, watermarkUs: number): void {
    this.settle(hostId, watermarkUs);
    this.close(watermarkUs, hostId);
  }

  /** `told` is not kept by host: while there is any, each host is asked for. */
  dueUs(hostId: string): number {
    const isIdle = this.told.size === 0 && !this.pending.has(hostId);
    return isIdle ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  private settle(hostId: string, watermarkUs: number): void {
    const queue = this.pending.get(hostId);
    if (queue === undefined) return;
    const rest: Pending[] = [];
    for (const entry of [...queue].sort((a, b) => a.timeUs - b.timeUs || (a.root < b.root ? -1 : 1))) {
      const followed = this.followed.get(entry.rule) as Followed;
      const session = followed.session(hostId, entry.root);
      if (session === undefined) {
        if (!entry.isTold) this.lose(hostId);
        continue;
      }
      const isTold = entry.isTold || entry.timeUs + this.spec.settleUs < watermarkUs;
      if (isTold && !entry.isTold) this.tell(followed, session, entry);
      if (entry.timeUs + followed.rule.judgement.windowUs < watermarkUs) this.learn(followed, session, entry.timeUs);
      else rest.push({ ...entry, isTold });
    }
    this.pendingCount += rest.length - queue.length;
    if (rest.length > 0) this.pending.set(hostId, rest);
    else this.pending.delete(hostId);
  }

  private learn({ learning }: Followed, session: Session, timeUs: number): void {
    if (learning.isHarmless(session)) this.baseline.saw(session.host, learning.runtime(session), timeUs, this.rule.id);
  }

  private tell(followed: Followed, session: Session, { timeUs, evidence }: Pending): void {
    const { baseline } = this;
    if (baseline.isLearning(session.host, timeUs, this.rule.id)) return;
    const runtime = followed.learning.runtime(session);
    const classes = this.findings(session, runtime, timeUs);
    if (classes.length === 0) return;
    const { exceptions } = this.options;
    const { platform } = followed.rule.judgement;
    const exemptions = exceptions === undefined ? undefined : new Exemptions(exceptions, this.rule.id, platform);
    const target = createCase(timeUs);
    for (const name of classes) {
      const instance = instanceOf(name, runtime, evidence);
      addInstance(target, exemptions?.judge(session, target, instance) ?? instance, this.spec.everyUs);
    }
    const full = judgeWindow(this.compiled, session, target, timeUs, timeUs);
    if (full === undefined) return;
    const verdict = this.hiddenBy(exemptions, session, target, full);
    if (verdict === undefined) return;
    if (verdict.band < this.minimum) this.belowMinimum++;
    else this.publish(session, target, verdict, runtime, baseline.hasAgedOut(session.host, runtime, timeUs));
  }

  private findings(session: Session, runtime: Tuple, timeUs: number): string[] {
    const { baseline } = this;
    const { findings, renamedTiers } = this.spec;
    const expected = baseline.expectation(session.host);
    const isUnexpected = isAgainst(expected, runtime.parts[1] ?? '');
    const found = [
      baseline.knows(session.host, runtime, timeUs) ? undefined : findings.firstSeen,
      isUnexpected ? findings.unexpected : undefined,
      isUnexpected && expected.criticality === 'high' ? findings.critical : undefined,
      renamedTiers.includes(session.profile.tier) ? findings.renamed : undefined,
    ];
    return found.filter((name) => name !== undefined).sort();
  }

  /** The verdict less what exceptions cover; undefined when they hide it. */
  private hiddenBy(
    exemptions: Exemptions | undefined,
    session: Session,
    target: Case,
    full: Verdict,
  ): Verdict | undefined {
    const applied = exemptions?.applying(session, target, full.band) ?? [];
    if (exemptions === undefined || applied.length === 0) return full;
    const { startUs } = target;
    const reduced = judgeWindow(this.compiled, session, target, startUs, startUs, applied);
    if (reduced !== undefined && reduced.band >= this.minimum) return reduced;
    const hidden = { ...full, applied };
    if (full.band < this.minimum) return hidden;
    exemptions.count(session, target, applied, false);
    if (exemptions.areObserved(applied)) return { ...hidden, band: 0 };
    this.hidden.push({ ...alertOf(this.rule, session, target, undefined, hidden), hiddenBy: applied });
    return undefined;
  }

  private publish(session: Session, target: Case, verdict: Verdict, runtime: Tuple, hasAgedOut: boolean): void {
    const key = `${session.host.id} ${tupleText(runtime)} ${verdict.classes.join('+')}`;
    const known = this.told.get(key);
    if (known !== undefined && target.startUs < known.firstUs + this.spec.everyUs) {
      known.counted++;
      return;
    }
    if (known !== undefined) this.closeOne(key, known);
    const [hostRole = '', interpreter = '', context = '', userRole = ''] = runtime.parts;
    const made = alertOf(this.rule, session, target, undefined, verdict);
    const detail = { ...made.detail, runtime: { hostRole, interpreter, context, userRole, hasAgedOut } };
    const alert: BehaviorAlert = { ...made, detail };
    this.told.set(key, { firstUs: target.startUs, alert, counted: 0 });
    this.queue.push(alert);
    if (this.told.size > toldMax) {
      const [oldest, told] = this.told.entries().next().value as [string, Told];
      this.closeOne(oldest, told);
    }
  }

  /** Tells what was counted with alerts of the host whose time has passed. */
  private close(watermarkUs: number, hostId?: string): void {
    for (const [key, told] of this.told) {
      const isOfHost = hostId === undefined || told.alert.host.id === hostId;
      if (isOfHost && watermarkUs >= told.firstUs + this.spec.everyUs) this.closeOne(key, told);
    }
  }

  private closeOne(key: string, { alert, counted }: Told): void {
    this.told.delete(key);
    if (counted > 0) this.queue.push({ ...alert, revision: alert.revision + 1, suppressed: counted });
  }

  private lose(host: string): void {
    const told = this.lossCounts.has(host) || this.lossCounts.size < lossesMax ? host : otherHosts;
    const count = (this.lossCounts.get(told)?.count ?? 0) + 1;
    this.lossCounts.set(told, { reason: 'session', host: told, count });
  }

  flush(): void {
    for (const hostId of [...this.pending.keys()]) this.settle(hostId, Number.POSITIVE_INFINITY);
    this.close(Number.POSITIVE_INFINITY);
  }

  drain(): BehaviorAlert[] {
    const drained = this.queue;
    this.queue = [];
    return drained;
  }

  drainHidden(): BehaviorAlert[] {
    const drained = this.hidden;
    this.hidden = [];
    return drained;
  }

  losses(): readonly BehaviorLoss[] {
    return [...this.lossCounts.values()];
  }

  snapshot(): unknown {
    const state: UnusualState = {
      publisher: {
        belowMinimum: this.belowMinimum,
        published: [...this.told].map(([key, told]) => ({ ...told, key })),
        suppressors: [],
      },
      sessions: [...this.pending].map(([id, pending]) => ({ id, pending })),
      joins: [...this.heard].map(([key, heard]) => ({ ...heard, key })),
      losses: this.losses(),
    };
    return state;
  }

  restore(state: unknown): void {
    const { publisher, sessions, joins, losses } = state as UnusualState;
    for (const table of [this.pending, this.heard, this.told, this.lossCounts]) table.clear();
    this.pendingCount = 0;
    for (const { id, pending } of sessions) {
      this.pending.set(id, [...pending]);
      this.pendingCount += pending.length;
    }
    for (const { key, ...heard } of joins) this.heard.set(key, heard);
    for (const { key, ...told } of publisher.published) this.told.set(key, told);
    for (const loss of losses) this.lossCounts.set(loss.host, loss);
    this.belowMinimum = publisher.belowMinimum;
  }
}

/** The role is declared not to run it at all, or none from this place. */
function isAgainst({ python, distributions }: HostExpectation, distribution: string): boolean {
  return python === false || (distributions !== undefined && !distributions.includes(distribution));
}

function instanceOf(name: string, runtime: Tuple, evidence: Evidence): Instance {
  return { ...blankInstance(name, `${name} ${tupleText(runtime)}`, 0, evidence), labels: ['runtime'] };
}
