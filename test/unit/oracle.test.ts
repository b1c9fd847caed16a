/** The judge itself: cases small enough to be checked by hand. */
import { describe, expect, it } from 'vitest';
import type { Rule, Step } from '../../src/rule/ir.js';
import { createOracle } from '../oracle/oracle.js';
import { always, equals, field, matchRule, ruleBase, sequenceRule, step } from '../support/rules.js';

type Source = Record<string, unknown>;

/** One event a second; each letter is the event's `tag`. */
const letters = (text: string): Source[] => [...text].map((tag, index) => ({ '@timestamp': 1e12 + index * 1000, tag }));

const run = (rule: Rule, events: readonly Source[], options = {}): (readonly (number | null)[])[] => {
  const oracle = createOracle({ rules: [rule], ...options });
  return [...oracle.push(events), ...oracle.flush()].map((alert) => alert.evidence);
};

const tagged = (tag: string, options: Partial<Step> = {}): Step => step(equals('tag', tag), [], options);

describe('conditions', () => {
  const event = { '@timestamp': 1e12, name: 'a', list: ['a', 'b'], nested: [{ x: 1, y: 2 }, { x: 3 }], 'dotted.n': 5 };
  const holds = (rule: Rule): boolean => run(rule, [event]).length === 1;

  it('finds nested, dotted and listed fields', () => {
    expect(holds(matchRule('r', equals('dotted.n', 5)))).toBe(true);
    expect(holds(matchRule('r', equals('nested.x', 3)))).toBe(true);
    expect(holds(matchRule('r', equals('list', 'b')))).toBe(true);
  });

  it('keeps a comparison with a missing value null under negation', () => {
    const absent = equals('absent', 1);
    expect(holds(matchRule('r', { kind: 'not', operand: absent, missing: 'null' }))).toBe(false);
    expect(holds(matchRule('r', { kind: 'not', operand: absent, missing: 'true' }))).toBe(true);
  });

  it('joins nested conditions on one element', () => {
    const both = { kind: 'and', operands: [equals('nested.x', 3), equals('nested.y', 2)] } as const;
    expect(holds(matchRule('r', both))).toBe(true);
    expect(holds(matchRule('r', { kind: 'nested', path: 'nested', condition: both }))).toBe(false);
  });
});

describe('sequences', () => {
  it('takes the newest candidate and an event only once', () => {
    expect(run(sequenceRule('r', [tagged('a'), tagged('b')]), letters('aabb'))).toEqual([[1, 2]]);
    expect(run(sequenceRule('r', [step(always), step(always)]), letters('abc'))).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it('counts maxspan inclusively', () => {
    const rule = (seconds: number) => sequenceRule('r', [tagged('a'), tagged('b')], { maxspanUs: seconds * 1e6 });
    expect(run(rule(2), letters('axb'))).toEqual([[0, 2]]);
    expect(run(rule(1), letters('axb'))).toEqual([]);
  });

  it('drops what waits at an until event, after the event did its own work', () => {
    const rule = sequenceRule('r', [tagged('a'), tagged('b')], { until: tagged('b') });
    expect(run(rule, letters('ab'))).toEqual([[0, 1]]);
    expect(run(sequenceRule('r', [tagged('a'), tagged('b')], { until: tagged('u') }), letters('aub'))).toEqual([]);
  });

  it('decides a trailing absence when the window has passed', () => {
    const rule = sequenceRule('r', [tagged('a'), tagged('m', { missing: true })], { maxspanUs: 2e6 });
    expect(run(rule, letters('axm'))).toEqual([]);
    expect(run(rule, letters('axxm'))).toEqual([[0, null]]);
    expect(createOracle({ rules: [rule] }).push(letters('axx'))).toEqual([]);
  });

  it('looks back a window from the last event for a leading absence', () => {
    const rule = sequenceRule('r', [tagged('m', { missing: true }), tagged('a'), tagged('b')], { maxspanUs: 2e6 });
    expect(run(rule, letters('mab'))).toEqual([]);
    expect(run(rule, letters('mxab'))).toEqual([[null, 2, 3]]);
  });

  it('joins in any order, each step by its first event', () => {
    const rule = sequenceRule('r', [tagged('a'), tagged('b')], { unordered: true });
    expect(run(rule, letters('bba'))).toEqual([[2, 0]]);
  });
});

describe('terms and aggregates', () => {
  const newTerms = {
    ...ruleBase('r'),
    kind: 'newTerms',
    query: { category: null, condition: always },
    fields: [field('tag')],
    windowUs: 3e6,
    mode: 'eventTime',
  } as const;

  it('does not call a term new after a gap of exactly the window', () => {
    expect(run(newTerms, letters('axxa'))).toEqual([[0], [1]]);
    expect(run(newTerms, letters('axxxa'))).toEqual([[0], [1], [4]]);
  });

  it('alerts once at a crossing, then again after the window', () => {
    const rule = {
      ...ruleBase('r'),
      kind: 'aggregate',
      query: { category: null, condition: always },
      by: [],
      windowUs: 2e6,
      window: 'sliding',
      conditions: [{ function: { kind: 'count' }, op: '>=', value: 2 }],
      emit: 'crossing',
    } as const;
    expect(run(rule, letters('aaaaaaa'))).toEqual([[1], [4]]);
  });
});

describe('new terms as scheduled', () => {
  const minute = 60_000_000;
  const day = 24 * 60 * minute;
  const rule: Rule = {
    ...ruleBase('r'),
    kind: 'newTerms',
    query: { category: null, condition: always },
    fields: [field('tag')],
    windowUs: 7 * day,
    mode: 'elasticCompat',
    intervalUs: 5 * minute,
    lookbackUs: 9 * minute,
  };

  /** Of 20 phases of the schedule, 15 seconds apart: in how many the second of two events, a gap apart, is new. */
  const alerting = (beyondUs: number): number => {
    const phases = Array.from({ length: 20 }, (_, index) => index * 15_000_000);
    return phases.filter((phaseUs) => {
      const times = [phaseUs, phaseUs + 7 * day + beyondUs];
      const events = times.map((timeUs) => ({ '@timestamp': Date.UTC(2026, 0, 1) + timeUs / 1000, tag: 'a' }));
      return run(rule, events).some(([ordinal]) => ordinal === 1);
    }).length;
  };

  it.each([
    [-9, 0],
    [-8.9, 0],
    [-8, 3],
    [-5, 15],
    [-4, 19],
    [-1, 20],
    [0, 20],
    [1, 20],
  ])('a gap of seven days and %d minutes is new in %d of 20 phases', (minutes, expected) => {
    expect(alerting(minutes * minute)).toBe(expected);
  });
});

describe('time', () => {
  const rule = sequenceRule('r', [tagged('a'), tagged('b')]);

  it('orders within the lateness', () => {
    const [a, b] = letters('ab') as [Source, Source];
    expect(run(rule, [b, a])).toEqual([]);
    expect(run(rule, [b, a], { lateness: '5s' })).toEqual([[1, 0]]);
  });

  it('holds a time far ahead until another event of its host agrees', () => {
    const day = 86_400_000;
    const at = (ms: number, tag: string): Source => ({ '@timestamp': 1e12 + ms, tag });
    const oracle = createOracle({ rules: [matchRule('r', always)] });
    expect(oracle.push([at(0, 'a')])).toHaveLength(1);
    expect(oracle.push([at(3 * day, 'b')])).toHaveLength(0);
    expect(oracle.push([at(1000, 'c')])).toHaveLength(1);
    expect(oracle.push([at(3 * day + 1, 'd')])).toHaveLength(2);
  });
});
