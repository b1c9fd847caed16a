/** The behaviour rules of a correlator: hands witnesses to their judges and collects what they publish. */
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
  readonly #hosts = new Map<number, KnownHost>();

  constructor(names: AlertNames, options: BehaviorsOptions) {
    this.#names = names;
    this.#options = options;
  }

  /** Adds the rule at kernel index `index`; `bits` are its marks' bits, in its order. */
  add(index: number, view: RuleView, rule: BehaviorRule, bits: readonly number[]): void {
    const marks = new Map(bits.map((bit, place) => [bit, rule.marks[place]?.name ?? '']));
    const witnesses = new WitnessMaker(rule, marks, this.#names);
    this.#judged.set(index, { judge: this.#judgeOf(rule), rule, view, witnesses });
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

  get size(): number {
    return this.#judged.size;
  }

  witness(raw: RawWitness): void {
    const judged = this.#judged.get(raw.rule);
    if (judged === undefined) return;
    const witness = judged.witnesses.make(raw);
    this.#touch(raw.host, witness.host.id);
    this.#options.onWitness?.(judged.rule, witness);
    judged.judge.observe(witness);
  }

  #touch(index: number, id: string): void {
    const known = this.#hosts.get(index);
    if (known?.id === id) known.dueUs = Number.NEGATIVE_INFINITY;
    else {
      this.#hosts.set(index, { id, watermarkUs: Number.NEGATIVE_INFINITY, dueUs: Number.NEGATIVE_INFINITY });
    }
  }

  /** Tells the judges how far each host's time has come, and takes what they publish. */
  advance(watermarkUs: (host: number) => number): MadeAlert[] {
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
    for (const { judge } of this.#judged.values()) {
      judge.advance(host.id, host.watermarkUs);
      host.dueUs = Math.min(host.dueUs, judge.dueUs(host.id));
    }
  }

  flush(): MadeAlert[] {
    for (const { judge } of this.#judged.values()) judge.flush();
    return this.#drain();
  }

  #drain(): MadeAlert[] {
    return [...this.#judged.values()].flatMap(({ judge, view }) =>
      judge.drain().map((judged) => makeBehaviorAlert(judged, view)),
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
    return Object.fromEntries([...this.#judged.values()].map(({ rule, judge }) => [rule.id, judge.snapshot()]));
  }

  restore(state: Readonly<Record<string, unknown>>): void {
    for (const { rule, judge } of this.#judged.values())
      if (state[rule.id] !== undefined) judge.restore(state[rule.id]);
  }
}
