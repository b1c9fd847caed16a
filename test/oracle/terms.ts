/** New terms in event time: a combination of values is new unless it was seen within the window before, ends included. */
import type { NewTermsRule } from '../../src/rule/ir.js';
import { termKey } from '../../src/rule/terms.js';
import { keyText } from './evaluate.js';
import type { Finding, Judge, Subject } from './judge.js';

export class TermsJudge implements Judge {
  private readonly rule: NewTermsRule;
  private readonly lastSeenUs = new Map<string, number>();

  constructor(rule: NewTermsRule) {
    this.rule = rule;
  }

  observe(subject: Subject): Finding[] {
    if (!subject.matches(this.rule.query)) return [];
    const timeUs = subject.event.timeUs;
    return subject.keys(termKey(this.rule)).flatMap((key) => {
      const last = this.lastSeenUs.get(keyText(key)) ?? Number.NEGATIVE_INFINITY;
      this.lastSeenUs.set(keyText(key), timeUs);
      return timeUs - last > this.rule.windowUs ? [{ timeUs, key, evidence: [subject] }] : [];
    });
  }

  advance(): Finding[] {
    return [];
  }

  flush(): Finding[] {
    return [];
  }
}
