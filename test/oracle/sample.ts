/**
 * Samples: for each key, one event per step, all different, in any order of time. Judged when the stream ends.
 */
import type { SampleRule } from '../../src/rule/ir.js';
import { type KeyValue, keyText } from './evaluate.js';
import type { Finding, Judge, Subject } from './judge.js';

interface Group {
  readonly key: readonly KeyValue[];
  readonly candidates: readonly Subject[][];
}

export class SampleJudge implements Judge {
  private readonly rule: SampleRule;
  private readonly groups = new Map<string, Group>();

  constructor(rule: SampleRule) {
    this.rule = rule;
  }

  observe(subject: Subject): Finding[] {
    for (const [index, step] of this.rule.steps.entries()) {
      if (!subject.matches(step.query)) continue;
      for (const key of subject.keys(step.by)) this.group(key).candidates[index]?.push(subject);
    }
    return [];
  }

  advance(): Finding[] {
    return [];
  }

  flush(): Finding[] {
    const groups = [...this.groups.values()].sort((a, b) => compareKeys(a.key, b.key));
    return groups.flatMap(({ key, candidates }) =>
      combinations(candidates, this.rule.maxSamplesPerKey).map((evidence) => ({
        timeUs: Math.max(...evidence.map((subject) => subject.event.timeUs)),
        key: key.length === 0 ? null : key,
        evidence,
      })),
    );
  }

  private group(key: readonly KeyValue[]): Group {
    const existing = this.groups.get(keyText(key));
    if (existing !== undefined) return existing;
    const group = { key, candidates: this.rule.steps.map(() => []) };
    this.groups.set(keyText(key), group);
    return group;
  }
}

/** Choices of one event per step, no event twice, in order of candidates; at most `max`. */
function combinations(candidates: readonly Subject[][], max: number): Subject[][] {
  const results: Subject[][] = [];
  const choose = (chosen: readonly Subject[]): void => {
    if (results.length === max) return;
    const options = candidates[chosen.length];
    if (options === undefined) results.push([...chosen]);
    else for (const option of options) if (!chosen.includes(option)) choose([...chosen, option]);
  };
  choose([]);
  return results;
}

/** Null first, then numbers by value and text by code points. */
export function compareKeys(a: readonly KeyValue[], b: readonly KeyValue[]): number {
  for (const [index, left] of a.entries()) {
    const order = compareKeyValues(left, b[index] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareKeyValues(a: KeyValue, b: KeyValue): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a) < String(b) ? -1 : Number(String(a) > String(b));
}
