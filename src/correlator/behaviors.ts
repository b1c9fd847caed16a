/** The behaviour rules of a correlator: hands witnesses to their judges and collects what they publish. */
import { compareCodeUnits } from '../core/order.js';
import type { BehaviorRule, Severity } from '../rule/ir.js';
import { type AlertNames, type MadeAlert, makeBehaviorAlert, WitnessMaker } from './alert_maker.js';
import type { Baseline } from './behavior/baseline.js';
import { type BehaviorJudge, createBehaviorJudge, type SessionJudge } from './behavior/judge.js';
import { UnusualJudge } from './behavior/unusual.js';
import type { Witness } from './behavior/witness.js';
import type { ExceptionSet } from './exceptions.js';
import type { RawWitness } from './records.js';
import type { RuleView } from './rule_view.js';

interface Judged {
  readonly judge: BehaviorJudge;
  readonly rule: BehaviorRule;
  readonly view: RuleView;
  readonly witnesses: WitnessMaker;
  /** Time that the judge has taken so far. */
  timeMs: number;
}

/** A host as its judges were told of it last. */
interface KnownHost {
  readonly id: string;
  watermarkUs: number;
  /** The judges have nothing to do for the host before; not known yet after a witness. */
  dueUs: number;
}

/** One loss of a judge. */
export interface BehaviorLossCount {
  readonly rule: string;
  readonly reason: string;
  readonly host: string;
  readonly count: number;
}

/** How a host is told apart: its index in the kernel, or its id where witnesses of several kernels are judged. */
export type HostKey = number | string;

/** A witness that waits for the end of the push. */
interface Waiting {
  readonly judged: Judged;
  readonly key: HostKey;
  readonly witness: Witness;
  /** The newest time of its host so far. */
  readonly orderUs: number;
}

/** Takes a witness instead of its judgement. */
export type WitnessForwarder = (rule: BehaviorRule, host: number, witness: Witness) => void;

/** Hears every witness before it is judged. */
export type WitnessListener = (rule: BehaviorRule, witness: Witness) => void;

export interface BehaviorsOptions {
  /** Judges leave out what lies below themselves, so that revisions are counted from the first published. */
  readonly minSeverity: Severity;
  /** Sessions that each judge keeps at once. */
  readonly sessionsMax: number;
  readonly exceptions: ExceptionSet | undefined;
  readonly onWitness: WitnessListener | undefined;
  readonly baseline: Baseline | undefined;
  /** Where it is given nothing is judged here. */
  readonly forward?: WitnessForwarder | undefined;
}

/**
 * Judges together keep a session for so many bytes of the budget: about twice the 8 KiB that it takes with its state as
 * a snapshot has it.
 */
const bytesPerSession = 16 * 1024;
const sessionsLeast = 1024;
const sessionsMost = 16_384;

/** Sessions that each of `judges` judges keeps at once in a correlator that was given `memoryBytes`. */
export function sessionsFor(memoryBytes: number, judges: number): number {
  const share = Math.floor(memoryBytes / bytesPerSession / Math.max(1, judges));
  return Math.min(sessionsMost, Math.max(sessionsLeast, share));
}

export class Behaviors {
  readonly #judged = new Map<number, Judged>();
  readonly #sessionJudges: SessionJudge[] = [];
  readonly #unusual: UnusualJudge[] = [];
  readonly #names: AlertNames;
  readonly #options: BehaviorsOptions;
  /** Hosts that witnesses named. */
  readonly #hosts = new Map<HostKey, KnownHost>();
  #waiting: Waiting[] = [];
  readonly #newestUs = new Map<string, number>();
  readonly #byRule = new Map<string, number>();

  constructor(names: AlertNames, options: BehaviorsOptions) {
    this.#names = names;
    this.#options = options;
  }

  /** Adds the rule at kernel index `index`; `bits` are its marks' bits, in its order. */
  add(index: number, view: RuleView, rule: BehaviorRule, bits: readonly number[]): void {
    const marks = new Map(bits.map((bit, place) => [bit, rule.marks[place]?.name ?? '']));
    const witnesses = new WitnessMaker(this.#judged.size, rule, marks, this.#names);
    this.#judged.set(index, { judge: this.#judgeOf(rule), rule, view, witnesses, timeMs: 0 });
    this.#byRule.set(rule.id, index);
  }

  #judgeOf(rule: BehaviorRule): BehaviorJudge {
    const { minSeverity, sessionsMax, exceptions, baseline } = this.#options;
    const options = {
      minSeverity,
      sessionsMax,
      ...(exceptions === undefined ? {} : { exceptions }),
      ...(baseline === undefined ? {} : { baseline }),
    };
    if (rule.judgement.unusual !== undefined) {
      const judge = new UnusualJudge(rule, options);
      for (const followed of this.#sessionJudges) followed.followedBy(judge);
      this.#unusual.push(judge);
      return judge;
    }
    const judge = createBehaviorJudge(rule, options);
    for (const follower of this.#unusual) judge.followedBy(follower);
    this.#sessionJudges.push(judge);
    return judge;
  }

  /** Detections of the rule at `index` that lie below the minimum severity. */
  belowMinimum(index: number): number {
    return this.#judged.get(index)?.judge.belowMinimum ?? 0;
  }

  /** Microseconds that judging the rule at `index` has taken; null where nothing of it is judged here. */
  timeUs(index: number): number | null {
    const judged = this.#options.forward === undefined ? this.#judged.get(index) : undefined;
    return judged === undefined ? null : Math.round(judged.timeMs * 1000);
  }

  get size(): number {
    return this.#judged.size;
  }

  witness(raw: RawWitness): void {
    const judged = this.#judged.get(raw.rule);
    if (judged === undefined) return;
    const witness = judged.witnesses.make(raw);
    this.#options.onWitness?.(judged.rule, witness);
    if (this.#options.forward === undefined) this.#take(judged, raw.host, witness);
    else this.#options.forward(judged.rule, raw.host, witness);
  }

  /** Takes a witness that another kernel made, of the rule with that id. */
  take(ruleId: string, witness: Witness): void {
    const judged = this.#judged.get(this.#byRule.get(ruleId) ?? -1);
    if (judged !== undefined) this.#take(judged, witness.host.id, witness);
  }

  /**
   * Hosts share nothing but a baseline: where there is one, witnesses of a push are judged by time over all hosts, so
   * that neither their order of arrival nor the number of kernels shows in what one host takes over from others.
   */
  #take(judged: Judged, key: HostKey, witness: Witness): void {
    this.#touch(key, witness.host.id);
    if (this.#options.baseline === undefined) {
      timed(judged, (judge) => judge.observe(witness));
      return;
    }
    const { id } = witness.host;
    const orderUs = Math.max(witness.timeUs, this.#newestUs.get(id) ?? Number.NEGATIVE_INFINITY);
    this.#newestUs.set(id, orderUs);
    this.#waiting.push({ judged, key, witness, orderUs });
  }

  #judgeWaiting(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting.sort(
      (a, b) => a.orderUs - b.orderUs || compareCodeUnits(a.witness.host.id, b.witness.host.id),
    );
    this.#waiting = [];
    this.#newestUs.clear();
    for (const { judged, witness } of waiting) timed(judged, (judge) => judge.observe(witness));
  }

  #touch(index: HostKey, id: string): void {
    const known = this.#hosts.get(index);
    if (known?.id === id) known.dueUs = Number.NEGATIVE_INFINITY;
    else {
      this.#hosts.set(index, { id, watermarkUs: Number.NEGATIVE_INFINITY, dueUs: Number.NEGATIVE_INFINITY });
    }
  }

  /** Tells the judges how far each host's time has come, and takes what they publish. */
  advance(watermarkUs: (host: HostKey) => number): MadeAlert[] {
    this.#judgeWaiting();
    // The first host that got on is told in any case: each judge settles what its witnesses changed before it goes on.
    let isFirst = true;
    for (const [index, host] of this.#hosts) {
      const now = watermarkUs(index);
      if (now <= host.watermarkUs) continue;
      host.watermarkUs = now;
      if (isFirst || now >= host.dueUs) this.#advanceOne(host);
      isFirst = false;
    }
    return this.#drain();
  }

  #advanceOne(host: KnownHost): void {
    host.dueUs = Number.POSITIVE_INFINITY;
    for (const judged of this.#judged.values()) {
      const { judge } = judged;
      timed(judged, () => judge.advance(host.id, host.watermarkUs));
      host.dueUs = Math.min(host.dueUs, judge.dueUs(host.id));
    }
  }

  flush(): MadeAlert[] {
    this.#judgeWaiting();
    for (const judged of this.#judged.values()) timed(judged, (judge) => judge.flush());
    return this.#drain();
  }

  #drain(): MadeAlert[] {
    return [...this.#judged.values()].flatMap((judged) =>
      timed(judged, (judge) => judge.drain()).map((alert) => makeBehaviorAlert(alert, judged.view)),
    );
  }

  /** The detections that exceptions hid since the last call. */
  drainHidden(): MadeAlert[] {
    return [...this.#judged.values()].flatMap(({ judge, view }) =>
      judge.drainHidden().map((judged) => makeBehaviorAlert(judged, view)),
    );
  }

  losses(): BehaviorLossCount[] {
    return [...this.#judged.values()].flatMap(({ judge, rule }) =>
      judge.losses().map(({ reason, host, count }) => ({ rule: rule.id, reason: `behavior_${reason}`, host, count })),
    );
  }

  /** State of every judge by rule id: plain data. */
  snapshot(): Record<string, unknown> {
    if (this.#options.forward !== undefined) return {};
    return Object.fromEntries([...this.#judged.values()].map(({ rule, judge }) => [rule.id, judge.snapshot()]));
  }

  restore(state: Readonly<Record<string, unknown>>): void {
    if (this.#options.forward !== undefined) return;
    for (const { rule, judge } of this.#judged.values())
      if (state[rule.id] !== undefined) judge.restore(state[rule.id]);
  }
}

/** Has a judge do something, and counts how long it takes: for `stats` alone, no answer depends on it. */
function timed<T>(judged: Judged, work: (judge: BehaviorJudge) => T): T {
  const startMs = performance.now();
  const result = work(judged.judge);
  judged.timeMs += performance.now() - startMs;
  return result;
}
