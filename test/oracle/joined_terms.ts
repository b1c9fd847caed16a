/** First-seen terms whose events may match through another event: every sighting is kept, and looked through each time. */
import { termsLateHorizonUs } from '../../src/core/limits.js';
import type { NewTermsRule } from '../../src/rule/ir.js';
import { termKey } from '../../src/rule/terms.js';
import { type KeyValue, keyText } from './evaluate.js';
import type { Finding, Judge, Subject } from './judge.js';

interface Sighting {
  readonly key: readonly KeyValue[];
  readonly subject: Subject;
}

export class JoinedTermsJudge implements Judge {
  private readonly writers: Sighting[] = [];
  private readonly items: Sighting[] = [];
  private readonly seen: { readonly key: string; readonly timeUs: number; readonly isTold: boolean }[] = [];

  constructor(private readonly rule: NewTermsRule) {}

  observe(subject: Subject): Finding[] {
    const { query, joins } = this.rule;
    if (joins === undefined) return [];
    const sightings = subject.keys(termKey(this.rule)).map((key) => ({ key, subject }));
    if (subject.matches(query)) return sightings.flatMap((one) => this.see(one));
    if (subject.matches(joins.items)) {
      return sightings.flatMap((item) => {
        if (this.writers.some((writer) => this.meet(item, writer))) return this.see(item);
        this.items.push(item);
        return [];
      });
    }
    if (!subject.matches(joins.writers)) return [];
    this.writers.push(...sightings);
    return sightings.flatMap((writer) =>
      this.items.filter((item) => this.meet(item, writer)).flatMap((item) => this.see(item)),
    );
  }

  private meet(a: Sighting, b: Sighting): boolean {
    const apartUs = Math.abs(a.subject.event.timeUs - b.subject.event.timeUs);
    return keyText(a.key) === keyText(b.key) && apartUs <= (this.rule.joins?.withinUs ?? 0);
  }

  private see({ key, subject }: Sighting): Finding[] {
    const { timeUs } = subject.event;
    const text = keyText(key);
    const own = this.seen.filter((one) => one.key === text);
    const isOld = own.some((one) => one.timeUs <= timeUs && timeUs - one.timeUs <= this.rule.windowUs);
    const isMoved = own.some((one) => one.isTold && one.timeUs > timeUs && one.timeUs - timeUs <= termsLateHorizonUs);
    this.seen.push({ key: text, timeUs, isTold: !isOld });
    return isOld || isMoved ? [] : [{ timeUs, key, evidence: [subject] }];
  }

  advance(): Finding[] {
    return [];
  }

  flush(): Finding[] {
    return [];
  }
}
