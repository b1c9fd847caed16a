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

/** State of a suppressor as plain data. */
export type SuppressorState = readonly { readonly key: string; readonly first: MadeAlert; readonly folded: number }[];

/** State of a cap as plain data. `bucket` is null before the first alert. */
export interface CapState {
  readonly bucket: number | null;
  readonly count: number;
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

export class Cap {
  readonly #most: number;
  #bucket = Number.NEGATIVE_INFINITY;
  #count = 0;
  #last: MadeAlert | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  /** The alert while its span has room; before it the summary of a span that ended. */
  take(made: MadeAlert): MadeAlert[] {
    const bucket = Math.floor(made.timeUs / capSpanUs);
    const summary = bucket > this.#bucket ? this.#turnTo(bucket) : [];
    this.#count++;
    if (this.#count <= this.#most) return [...summary, made];
    this.#last = made;
    return summary;
  }

  end(): MadeAlert[] {
    return this.#turnTo(Number.POSITIVE_INFINITY);
  }

  snapshot(): CapState {
    const bucket = Number.isFinite(this.#bucket) ? this.#bucket : null;
    return { bucket, count: this.#count, ...(this.#last === undefined ? {} : { last: this.#last }) };
  }

  restore(state: CapState): void {
    this.#bucket = state.bucket ?? Number.NEGATIVE_INFINITY;
    this.#count = state.count;
    this.#last = state.last;
  }

  #turnTo(bucket: number): MadeAlert[] {
    const capped = this.#count - this.#most;
    const { view } = this.#last ?? {};
    const startUs = this.#bucket * capSpanUs;
    this.#bucket = bucket;
    this.#count = 0;
    this.#last = undefined;
    if (capped <= 0 || view === undefined) return [];
    const { id, name, severity, riskScore, threat } = view.rule;
    const span = `${formatTimeUs(startUs)} to ${formatTimeUs(startUs + capSpanUs)}`;
    const alert = {
      id: hash128Hex(JSON.stringify([id, 'capped', startUs])),
      rule: { id, name, severity, riskScore, threat },
      time: formatTimeUs(startUs + capSpanUs),
      host: null,
      key: null,
      evidence: [],
      revision: 1,
      suppressed: capped,
      notes: [`capped: ${capped} more alerts of this rule from ${span}`],
    };
    return [{ view, timeUs: startUs + capSpanUs, alert, steps: [] }];
  }
}
