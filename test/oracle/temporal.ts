/** Temporal rules: all of several rules fired for one key within a window, in any order or in the one given. */
import type { TemporalRule } from '../../src/rule/ir.js';
import { type KeyValue, keyText } from './evaluate.js';
import { type Finding, type Judge, lastEvent, type Subject } from './judge.js';

interface Firing {
  readonly part: number;
  readonly subject: Subject;
}

export class TemporalJudge implements Judge {
  private readonly rule: TemporalRule;
  private readonly firings = new Map<string, Firing[]>();

  constructor(rule: TemporalRule) {
    this.rule = rule;
  }

  /** A rule fired. It may be several parts at once. */
  hear(ruleId: string, finding: Finding): Finding[] {
    const subject = lastEvent(finding);
    return this.rule.rules.flatMap((reference, part) =>
      reference.id === ruleId ? subject.keys(reference.by).flatMap((key) => this.add(key, { part, subject })) : [],
    );
  }

  private add(key: readonly KeyValue[], firing: Firing): Finding[] {
    const timeUs = firing.subject.event.timeUs;
    const recent = (this.firings.get(keyText(key)) ?? []).filter(
      ({ subject }) => timeUs - subject.event.timeUs <= this.rule.windowUs,
    );
    this.firings.set(keyText(key), [...recent, firing]);
    const evidence = this.rule.ordered ? this.chain([...recent, firing]) : this.latest([...recent, firing]);
    return evidence === undefined ? [] : [{ timeUs, key: key.length === 0 ? null : key, evidence }];
  }

  /** The latest firing of each part. */
  private latest(firings: readonly Firing[]): Subject[] | undefined {
    const found = this.rule.rules.map((_, part) => firings.findLast((firing) => firing.part === part)?.subject);
    return found.includes(undefined) ? undefined : (found as Subject[]);
  }

  /** The latest firings that come in the order of the parts. */
  private chain(firings: readonly Firing[]): Subject[] | undefined {
    const found: Subject[] = [];
    let end = firings.length;
    for (let part = this.rule.rules.length - 1; part >= 0; part--) {
      end = firings.slice(0, end).findLastIndex((firing) => firing.part === part);
      if (end < 0) return undefined;
      found.unshift((firings[end] as Firing).subject);
    }
    return found;
  }

  observe(): Finding[] {
    return [];
  }

  advance(): Finding[] {
    return [];
  }

  flush(): Finding[] {
    return [];
  }
}
