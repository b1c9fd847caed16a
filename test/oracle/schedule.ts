/**
 * New terms as Kibana schedules them: every interval a run looks back over its events, and a term is new when its first
 * event within the history is later than the start of the look-back. The reference for `elasticCompat`.
 */
import type { NewTermsRule } from '../../src/rule/ir.js';
import { type KeyValue, keyText } from './evaluate.js';
import type { Finding, Judge, Subject } from './judge.js';
import { compareKeys } from './sample.js';

interface Seen {
  readonly subject: Subject;
  readonly keys: readonly (readonly KeyValue[])[];
}

const intervalDefaultUs = 5 * 60_000_000;
const lookbackDefaultUs = 9 * 60_000_000;

export class ScheduledTermsJudge implements Judge {
  private readonly rule: NewTermsRule;
  private readonly intervalUs: number;
  private readonly lookbackUs: number;
  private readonly seen: Seen[] = [];
  /** Alerts made so far, by event and term: an overlapping run does not repeat them. */
  private readonly made = new Set<string>();
  private nextRunUs: number | undefined;

  constructor(rule: NewTermsRule) {
    this.rule = rule;
    this.intervalUs = rule.intervalUs ?? intervalDefaultUs;
    this.lookbackUs = rule.lookbackUs ?? lookbackDefaultUs;
  }

  observe(subject: Subject): Finding[] {
    const findings = this.advance(subject.event.timeUs);
    if (!subject.matches(this.rule.query)) return findings;
    const timeUs = subject.event.timeUs;
    this.nextRunUs ??= Math.ceil(timeUs / this.intervalUs) * this.intervalUs;
    this.seen.push({ subject, keys: subject.keys(this.rule.fields) });
    return findings;
  }

  advance(timeUs: number): Finding[] {
    const findings: Finding[] = [];
    while (this.nextRunUs !== undefined && this.nextRunUs < timeUs) {
      findings.push(...this.run(this.nextRunUs));
      const lastUs = (this.seen.at(-1) as Seen).subject.event.timeUs;
      const isIdle = this.nextRunUs - this.lookbackUs > lastUs;
      this.nextRunUs = isIdle ? undefined : this.nextRunUs + this.intervalUs;
    }
    return findings;
  }

  flush(): Finding[] {
    return this.advance(Number.POSITIVE_INFINITY);
  }

  private run(toUs: number): Finding[] {
    const fromUs = toUs - this.lookbackUs;
    const historyUs = toUs - this.rule.windowUs;
    const between = (earliestUs: number): Seen[] =>
      this.seen.filter(({ subject: { event } }) => event.timeUs >= earliestUs && event.timeUs <= toUs);
    const recent = new Map<string, { readonly key: readonly KeyValue[]; readonly subject: Subject }>();
    for (const { subject, keys } of between(fromUs)) {
      for (const key of keys) if (!recent.has(keyText(key))) recent.set(keyText(key), { key, subject });
    }
    const isNew = (key: readonly KeyValue[]): boolean => {
      const first = between(historyUs).find(({ keys }) => keys.some((other) => keyText(other) === keyText(key)));
      return first !== undefined && first.subject.event.timeUs > fromUs;
    };
    const fresh = [...recent.values()].filter(
      ({ key, subject }) => isNew(key) && !this.made.has(alertName(key, subject)),
    );
    const published = fresh.sort((a, b) => compareKeys(a.key, b.key)).slice(0, this.rule.maxSignals ?? 100);
    for (const { key, subject } of published) this.made.add(alertName(key, subject));
    return published.map(({ key, subject }) => ({ timeUs: subject.event.timeUs, key, evidence: [subject] }));
  }
}

const alertName = (key: readonly KeyValue[], subject: Subject): string => `${subject.event.ordinal} ${keyText(key)}`;
