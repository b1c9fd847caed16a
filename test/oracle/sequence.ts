/**
 * Sequences, as Elasticsearch matches them: per key, one partial match waits at each step; an event takes the one at
 * the step before its own, replaces what waited at its own, and an `until` event drops all of them.
 */
import type { SequenceRule, Step } from '../../src/rule/ir.js';
import { type KeyValue, keyText } from './evaluate.js';
import { compareEvents } from './event.js';
import type { Finding, Judge, StepEvents, Subject } from './judge.js';

interface Partial {
  readonly key: readonly KeyValue[];
  /** One entry per event matched so far, in step order; absent steps are not in it. */
  readonly events: readonly Subject[];
}

/** A match that is complete but for the absence at its end. */
interface Pending {
  readonly partial: Partial;
  readonly deadlineUs: number;
}

/** An event that a missing step forbids, wherever it may turn out to matter. */
interface Forbidden {
  readonly step: number;
  readonly key: string;
  readonly timeUs: number;
}

const timeOf = (subject: Subject): number => subject.event.timeUs;
const firstOf = (partial: Partial): Subject => partial.events[0] as Subject;
const lastOf = (partial: Partial): Subject => partial.events.at(-1) as Subject;

export class SequenceJudge implements Judge {
  private readonly rule: SequenceRule;
  /** Steps with runs written out. */
  private readonly steps: readonly Step[];
  /** Indexes in `steps` of those that take an event. */
  private readonly positive: readonly number[];
  /** For each positive step but the last: the partial match that waits there, by key. */
  private readonly waiting: readonly Map<string, Partial>[];
  private readonly forbidden: Forbidden[] = [];
  private pending: Pending[] = [];

  constructor(rule: SequenceRule) {
    this.rule = rule;
    this.steps = rule.steps.flatMap((step) => new Array<Step>(step.missing ? 1 : step.runs).fill(step));
    this.positive = [...this.steps.keys()].filter((index) => this.steps[index]?.missing === false);
    this.waiting = this.positive.map(() => new Map());
  }

  observe(subject: Subject): Finding[] {
    const findings = this.advance(timeOf(subject));
    this.recordForbidden(subject);
    for (let at = this.positive.length - 1; at >= 0; at--) findings.push(...this.offer(at, subject));
    this.dropUntil(subject);
    return findings;
  }

  advance(timeUs: number): Finding[] {
    const due = this.pending.filter(({ deadlineUs }) => deadlineUs < timeUs);
    this.pending = this.pending.filter(({ deadlineUs }) => deadlineUs >= timeUs);
    due.sort((a, b) => a.deadlineUs - b.deadlineUs);
    return due.map(({ partial, deadlineUs }) => this.finding(partial, deadlineUs));
  }

  flush(): Finding[] {
    return this.advance(Number.POSITIVE_INFINITY);
  }

  // -------------------------------------------------------------------------------------------- positive steps

  private offer(at: number, subject: Subject): Finding[] {
    const step = this.steps[this.positive[at] as number] as Step;
    return subject.keys(step.by).flatMap((key) => {
      const before = at === 0 ? undefined : this.waiting[at - 1]?.get(keyText(key));
      return subject.matches(step.query, this.stepsOf(before)) ? this.take(at, step, key, subject) : [];
    });
  }

  private take(at: number, step: Step, key: readonly KeyValue[], subject: Subject): Finding[] {
    const extended = at === 0 ? { key, events: [subject] } : this.extend(at, step, key, subject);
    if (extended === undefined) return [];
    if (at === this.positive.length - 1) return this.complete(extended);
    this.waiting[at]?.set(keyText(key), extended);
    return [];
  }

  private extend(at: number, step: Step, key: readonly KeyValue[], subject: Subject): Partial | undefined {
    const before = this.waiting[at - 1] as Map<string, Partial>;
    const partial = before.get(keyText(key));
    if (partial === undefined || compareEvents(lastOf(partial).event, subject.event) >= 0) return undefined;
    if (step.fork !== true) before.delete(keyText(key));
    const spanUs = timeOf(subject) - timeOf(firstOf(partial));
    if (this.rule.maxspanUs !== undefined && spanUs > this.rule.maxspanUs) return undefined;
    return { key: partial.key, events: [...partial.events, subject] };
  }

  private dropUntil(subject: Subject): void {
    const until = this.rule.until;
    if (until === undefined) return;
    for (const key of subject.keys(until.by).map(keyText)) {
      for (const waiting of this.waiting) {
        if (subject.matches(until.query, this.stepsOf(waiting.get(key)))) waiting.delete(key);
      }
    }
  }

  /** The event a partial match took at each step of the rule, the last of its runs. */
  private stepsOf(partial: Partial | undefined): StepEvents {
    return (index) => {
      const step = this.rule.steps[index];
      const at = this.positive.findLastIndex((position) => this.steps[position] === step);
      return partial?.events[at];
    };
  }

  // --------------------------------------------------------------------------------------------- missing steps

  private recordForbidden(subject: Subject): void {
    for (const [index, step] of this.steps.entries()) {
      if (!step.missing || !subject.matches(step.query)) continue;
      for (const key of subject.keys(step.by)) {
        this.forbidden.push({ step: index, key: keyText(key), timeUs: timeOf(subject) });
      }
    }
    this.pending = this.pending.filter(({ partial, deadlineUs }) => {
      const stop = this.firstTrailing(partial);
      return stop === undefined || stop > deadlineUs;
    });
  }

  /** Absence is judged over open intervals of time between the events around the step. */
  private complete(partial: Partial): Finding[] {
    const found = partial.events;
    for (let at = 1; at < found.length; at++) {
      const from = timeOf(found[at - 1] as Subject);
      const to = timeOf(found[at] as Subject);
      const gap = this.stepsBetween(this.positive[at - 1] as number, this.positive[at] as number);
      if (this.forbiddenTimes(gap, partial).some((timeUs) => timeUs > from && timeUs < to)) return [];
    }
    return this.completeEnds(partial);
  }

  /** Some window of `maxspan` around the match must be free of the events that its missing ends forbid. */
  private completeEnds(partial: Partial): Finding[] {
    const maxspanUs = this.rule.maxspanUs ?? Number.POSITIVE_INFINITY;
    const hasLeading = this.positive[0] !== 0;
    const hasTrailing = this.positive.at(-1) !== this.steps.length - 1;
    const endUs = timeOf(lastOf(partial));
    const lastLeading = this.lastLeading(partial);
    const windowEndUs = (hasLeading ? lastLeading : timeOf(firstOf(partial))) + maxspanUs;
    if (!hasTrailing) return !hasLeading || windowEndUs < endUs ? [this.finding(partial, endUs)] : [];
    if (windowEndUs < endUs) return [this.finding(partial, endUs)];
    this.pending.push({ partial, deadlineUs: windowEndUs });
    return [];
  }

  private lastLeading(partial: Partial): number {
    const times = this.forbiddenTimes(this.stepsBetween(-1, this.positive[0] as number), partial);
    return Math.max(Number.NEGATIVE_INFINITY, ...times.filter((timeUs) => timeUs < timeOf(firstOf(partial))));
  }

  private firstTrailing(partial: Partial): number | undefined {
    const times = this.forbiddenTimes(this.stepsBetween(this.positive.at(-1) as number, this.steps.length), partial);
    const after = times.filter((timeUs) => timeUs > timeOf(lastOf(partial)));
    return after.length === 0 ? undefined : Math.min(...after);
  }

  private stepsBetween(from: number, to: number): number[] {
    return [...this.steps.keys()].filter((index) => index > from && index < to);
  }

  private forbiddenTimes(steps: readonly number[], partial: Partial): number[] {
    const key = keyText(partial.key);
    return this.forbidden.filter((one) => steps.includes(one.step) && one.key === key).map(({ timeUs }) => timeUs);
  }

  private finding(partial: Partial, timeUs: number): Finding {
    const events = [...partial.events];
    const evidence = this.steps.map((step) => (step.missing ? null : (events.shift() as Subject)));
    return { timeUs, key: partial.key.length === 0 ? null : partial.key, evidence };
  }
}

/** `join`: the steps may come in any order, each is filled by the first event since the last match of its key. */
export class JoinJudge implements Judge {
  private readonly rule: SequenceRule;
  private readonly steps: readonly Step[];
  private readonly filled = new Map<
    string,
    { readonly key: readonly KeyValue[]; readonly events: (Subject | null)[] }
  >();

  constructor(rule: SequenceRule) {
    this.rule = rule;
    this.steps = rule.steps.flatMap((step) => new Array<Step>(step.runs).fill(step));
  }

  observe(subject: Subject): Finding[] {
    const findings: Finding[] = [];
    for (const [index, step] of this.steps.entries()) {
      if (!subject.matches(step.query)) continue;
      for (const key of subject.keys(step.by)) findings.push(...this.fill(index, key, subject));
    }
    const until = this.rule.until;
    if (until !== undefined && subject.matches(until.query)) {
      for (const key of subject.keys(until.by)) this.filled.delete(keyText(key));
    }
    return findings;
  }

  private fill(index: number, key: readonly KeyValue[], subject: Subject): Finding[] {
    const entry = this.filled.get(keyText(key)) ?? { key, events: this.steps.map(() => null) };
    this.filled.set(keyText(key), entry);
    entry.events[index] ??= subject;
    if (entry.events.includes(null)) return [];
    this.filled.delete(keyText(key));
    const evidence = entry.events as Subject[];
    return [{ timeUs: subject.event.timeUs, key: key.length === 0 ? null : key, evidence }];
  }

  advance(): Finding[] {
    return [];
  }

  flush(): Finding[] {
    return [];
  }
}
