/** Aggregates: all matching events of a key inside the window, counted afresh for every event. */
import type { AggregateFunction, AggregateRule } from '../../src/rule/ir.js';
import { compareValues, numeric } from '../../src/rule/semantics.js';
import { type KeyValue, keyText } from './evaluate.js';
import type { Finding, Judge, Subject } from './judge.js';

interface Group {
  subjects: Subject[];
  /** Until this time, itself included, a crossing alerts no more. */
  quietUntilUs: number;
}

export class AggregateJudge implements Judge {
  private readonly rule: AggregateRule;
  private readonly groups = new Map<string, Group>();

  constructor(rule: AggregateRule) {
    this.rule = rule;
  }

  observe(subject: Subject): Finding[] {
    if (!subject.matches(this.rule.query)) return [];
    return subject.keys(this.rule.by).flatMap((key) => this.add(key, subject));
  }

  private add(key: readonly KeyValue[], subject: Subject): Finding[] {
    const timeUs = subject.event.timeUs;
    const group = this.groups.get(keyText(key)) ?? { subjects: [], quietUntilUs: Number.NEGATIVE_INFINITY };
    this.groups.set(keyText(key), group);
    group.subjects = [...group.subjects.filter((other) => this.shareWindow(other.event.timeUs, timeUs)), subject];
    const holds = this.rule.conditions.every((condition) => {
      const value = aggregateValue(condition.function, group.subjects);
      return value !== undefined && compareValues(condition.op, value, condition.value, 'exact') === true;
    });
    if (!holds || (this.rule.emit === 'crossing' && timeUs <= group.quietUntilUs)) return [];
    group.quietUntilUs = this.quietUntil(timeUs);
    return [{ timeUs, key: key.length === 0 ? null : key, evidence: [subject] }];
  }

  private shareWindow(earlierUs: number, timeUs: number): boolean {
    const { window, windowUs } = this.rule;
    if (window === 'sliding') return timeUs - earlierUs <= windowUs;
    return Math.floor(earlierUs / windowUs) === Math.floor(timeUs / windowUs);
  }

  private quietUntil(timeUs: number): number {
    const { window, windowUs } = this.rule;
    return window === 'sliding' ? timeUs + windowUs : (Math.floor(timeUs / windowUs) + 1) * windowUs - 1;
  }

  advance(): Finding[] {
    return [];
  }

  flush(): Finding[] {
    return [];
  }
}

/** The value of an aggregate function; undefined where it has none (no numbers to average). */
function aggregateValue(fn: AggregateFunction, subjects: readonly Subject[]): number | undefined {
  if (fn.kind === 'count') return subjects.length;
  if (fn.kind === 'distinct') {
    return new Set(subjects.flatMap((subject) => subject.keys([fn.field])).map(keyText)).size;
  }
  const numbers = subjects
    .flatMap((subject) => subject.values(fn.field).slice(0, 1).map(numeric))
    .filter((value) => value !== undefined)
    .sort((a, b) => a - b);
  const total = numbers.reduce((sum, value) => sum + value, 0);
  switch (fn.kind) {
    case 'sum':
      return total;
    case 'avg':
      return numbers.length === 0 ? undefined : total / numbers.length;
    case 'median':
      return percentile(numbers, 50);
    case 'percentile':
      return percentile(numbers, fn.percentile);
  }
}

/** Linear interpolation between the closest ranks of sorted numbers. */
function percentile(sorted: readonly number[], percent: number): number | undefined {
  if (sorted.length === 0) return undefined;
  const rank = (percent / 100) * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] as number;
  const high = sorted[Math.ceil(rank)] as number;
  return low + (high - low) * (rank - Math.floor(rank));
}
