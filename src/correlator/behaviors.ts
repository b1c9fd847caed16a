/** The behaviour rules of a correlator: hands witnesses to their judges and collects what they publish. */
import { type BehaviorRule, type Severity, severities } from '../rule/ir.js';
import { type AlertNames, type MadeAlert, makeBehaviorAlert, makeWitness } from './alert_maker.js';
import { type BehaviorJudge, createBehaviorJudge } from './behavior/judge.js';
import type { RawWitness } from './records.js';
import type { RuleView } from './rule_view.js';

interface Judged {
  readonly judge: BehaviorJudge;
  readonly rule: BehaviorRule;
  readonly view: RuleView;
  /** Name of each mark by its bit. */
  readonly marks: ReadonlyMap<number, string>;
}

/** One loss of a judge. */
export interface BehaviorLossCount {
  readonly rule: string;
  readonly reason: string;
  readonly host: string;
  readonly count: number;
}

export class Behaviors {
  readonly #judged = new Map<number, Judged>();
  readonly #names: AlertNames;
  /** Hosts that witnesses named, with the watermark their judges were told last. */
  readonly #hosts = new Map<number, { readonly id: string; watermarkUs: number }>();

  constructor(names: AlertNames) {
    this.#names = names;
  }

  /** Adds the rule at kernel index `index`; `bits` are its marks' bits, in its order. */
  add(index: number, view: RuleView, rule: BehaviorRule, bits: readonly number[]): void {
    const marks = new Map(bits.map((bit, place) => [bit, rule.marks[place]?.name ?? '']));
    // The publisher counts what lies below the minimum, so judges return everything.
    const judge = createBehaviorJudge(rule, { minSeverity: severities[0] as Severity });
    this.#judged.set(index, { judge, rule, view, marks });
  }

  get size(): number {
    return this.#judged.size;
  }

  witness(raw: RawWitness): void {
    const judged = this.#judged.get(raw.rule);
    if (judged === undefined) return;
    const witness = makeWitness(raw, judged.rule, judged.marks, this.#names);
    const known = this.#hosts.get(raw.host);
    if (known?.id !== witness.host.id) {
      this.#hosts.set(raw.host, { id: witness.host.id, watermarkUs: Number.NEGATIVE_INFINITY });
    }
    judged.judge.observe(witness);
  }

  /** Tells the judges how far each host's time has come, and takes what they publish. */
  advance(watermarkUs: (host: number) => number): MadeAlert[] {
    for (const [index, host] of this.#hosts) {
      const now = watermarkUs(index);
      if (now <= host.watermarkUs) continue;
      host.watermarkUs = now;
      for (const { judge } of this.#judged.values()) judge.advance(host.id, now);
    }
    return this.#drain();
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
