/**
 * Folding alerts of one rule: suppression (alerts of equal fields into the first) and caps (a number of alerts in a span
 * of event time). Both see alerts in one order over all hosts and look at no clock but the alerts' own times.
 */
import { hash128Hex } from '../core/hash.js';
import { formatTimeUs } from '../core/time.js';
import type { Suppression } from '../rule/ir.js';
import type { MadeAlert } from './alert_maker.js';

/** Groups that one rule's suppression remembers at most; beyond, the oldest is closed early. */
const groupsMax = 65_536;
/** The span in which `maxSignals` counts: one run of a rule as Kibana schedules it by default. */
const capSpanUs = 5 * 60 * 1_000_000;
/** Alerts of one rule that wait for a later span at most; those beyond are only told of. */
const deferredMax = 10_000;

/** State of a suppressor as plain data. */
export type SuppressorState = readonly { readonly key: string; readonly first: MadeAlert; readonly folded: number }[];

/** State of a cap as plain data. `bucket` is null before the first alert. */
export interface CapState {
  readonly bucket: number | null;
  /** Alerts passed in the span, and those beyond. */
  readonly count: number;
  readonly capped: number;
  readonly deferred: readonly MadeAlert[];
  readonly last?: MadeAlert;
}

interface Group {
  readonly first: MadeAlert;
  folded: number;
}

export class Suppressor {
  readonly #suppression: Suppression;
  /** In order of their first alerts. */
  readonly #groups = new Map<string, Group>();

  constructor(suppression: Suppression) {
    this.#suppression = suppression;
  }

  /** The alert if it opens a group, and revisions of groups that it closes. */
  take(made: MadeAlert): MadeAlert[] {
    const closed = this.#closeBefore(made.timeUs - this.#suppression.windowUs);
    const key = this.#keyOf(made);
    const group = key === undefined ? undefined : this.#groups.get(key);
    if (key === undefined) return [...closed, made];
    if (group !== undefined) {
      group.folded++;
      return closed;
    }
    if (this.#groups.size >= groupsMax) closed.push(...this.#close(this.#groups.keys().next().value as string));
    this.#groups.set(key, { first: made, folded: 0 });
    return [...closed, made];
  }

  end(): MadeAlert[] {
    return [...this.#groups.keys()].flatMap((key) => this.#close(key));
  }

  /** Open groups, oldest first. */
  snapshot(): SuppressorState {
    return [...this.#groups].map(([key, { first, folded }]) => ({ key, first, folded }));
  }

  restore(state: SuppressorState): void {
    for (const { key, first, folded } of state) this.#groups.set(key, { first, folded });
  }

  /** Groups are in time order but for late alerts, which close at the latest with the group before them. */
  #closeBefore(timeUs: number): MadeAlert[] {
    const closed: MadeAlert[] = [];
    for (const [key, group] of this.#groups) {
      if (group.first.timeUs > timeUs) break;
      closed.push(...this.#close(key));
    }
    return closed;
  }

  #close(key: string): MadeAlert[] {
    const group = this.#groups.get(key) as Group;
    this.#groups.delete(key);
    if (group.folded === 0) return [];
    const { first, folded } = group;
    return [{ ...first, alert: { ...first.alert, revision: first.alert.revision + 1, suppressed: folded } }];
  }

  /** Values of the fields as text; undefined where one is missing and such alerts are not folded. */
  #keyOf(made: MadeAlert): string | undefined {
    const values = this.#suppression.by.map(
      (field) => made.steps.findLast((step) => step?.[field] !== undefined)?.[field] ?? null,
    );
    if (values.includes(null) && this.#suppression.missingFields === 'doNotSuppress') return undefined;
    return JSON.stringify(values);
  }
}

/**
 * At most so many alerts of a rule in a span of event time; a summary tells of the others once the span is over. Where
 * they are deferred they follow in the next spans, as many in each.
 */
export class Cap {
  readonly #most: number;
  readonly #defers: boolean;
  #bucket = Number.NEGATIVE_INFINITY;
  #count = 0;
  #capped = 0;
  #last: MadeAlert | undefined;
  #deferred: MadeAlert[] = [];

  constructor(most: number, defers: boolean) {
    this.#most = most;
    this.#defers = defers;
  }

  /** The alert while its span has room; before it what the end of earlier spans brings. */
  take(made: MadeAlert): MadeAlert[] {
    const passed = this.#turnTo(Math.floor(made.timeUs / capSpanUs));
    if (this.#count < this.#most) {
      this.#count++;
      return [...passed, made];
    }
    this.#capped++;
    this.#last = made;
    if (this.#defers && this.#deferred.length < deferredMax) this.#deferred.push(made);
    return passed;
  }

  /** What the end of the spans before `watermarkUs` brings. */
  advance(watermarkUs: number): MadeAlert[] {
    return this.#bucket === Number.NEGATIVE_INFINITY ? [] : this.#turnTo(Math.floor(watermarkUs / capSpanUs));
  }

  end(): MadeAlert[] {
    return this.#turnTo(Number.POSITIVE_INFINITY);
  }

  snapshot(): CapState {
    const bucket = Number.isFinite(this.#bucket) ? this.#bucket : null;
    const last = this.#last === undefined ? {} : { last: this.#last };
    return { bucket, count: this.#count, capped: this.#capped, deferred: this.#deferred, ...last };
  }

  restore(state: CapState): void {
    this.#bucket = state.bucket ?? Number.NEGATIVE_INFINITY;
    this.#count = state.count;
    this.#capped = state.capped;
    this.#deferred = [...state.deferred];
    this.#last = state.last;
  }

  /** Ends spans up to `bucket`, one after the other as long as alerts wait for one. */
  #turnTo(bucket: number): MadeAlert[] {
    const passed: MadeAlert[] = [];
    while (this.#bucket < bucket) {
      passed.push(...this.#summary());
      const isOver = this.#deferred.length === 0;
      this.#bucket = isOver ? bucket : this.#bucket + 1;
      const following = this.#deferred.splice(0, this.#most);
      this.#count = following.length;
      passed.push(...following);
    }
    return passed;
  }

  #summary(): MadeAlert[] {
    const capped = this.#capped;
    const { view } = this.#last ?? {};
    this.#capped = 0;
    this.#last = undefined;
    if (view === undefined) return [];
    const startUs = this.#bucket * capSpanUs;
    const { id, name, severity, riskScore, threat } = view.rule;
    const span = `${formatTimeUs(startUs)} to ${formatTimeUs(startUs + capSpanUs)}`;
    const fate = this.#defers ? '; they follow in the next spans' : '';
    const alert = {
      id: hash128Hex(JSON.stringify([id, 'capped', startUs])),
      rule: { id, name, severity, riskScore, threat },
      time: formatTimeUs(startUs + capSpanUs),
      host: null,
      key: null,
      evidence: [],
      revision: 1,
      suppressed: capped,
      notes: [`capped: ${capped} more alerts of this rule from ${span}${fate}`],
    };
    return [{ view, timeUs: startUs + capSpanUs, alert, steps: [] }];
  }
}
