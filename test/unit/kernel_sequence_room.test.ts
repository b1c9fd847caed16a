/** Sequences, samples and temporal rules when there is no room, and the order in which rows and time take effect. */
import { describe, expect, it } from 'vitest';
import { Loss } from '../../src/core/abi/state.js';
import { StateTable } from '../../src/core/abi/stateful.js';
import type { Rule, SampleRule, TemporalRule } from '../../src/rule/ir.js';
import { ecsFieldNames, readEvent } from '../oracle/event.js';
import { always, equals, field, matchRule, ruleBase, sequenceRule, step } from '../support/rules.js';
import { StatefulRun } from '../support/stateful_engine.js';
import type { KernelOptions } from '../support/stateful_kernel.js';

const second = 1_000_000;
const start = Date.UTC(2026, 0, 1) * 1000;

interface Point {
  readonly at: number;
  readonly a?: string;
  readonly k?: string;
  readonly host?: string;
}

function judge(rules: readonly Rule[], points: readonly Point[], limits: Partial<KernelOptions> = {}): StatefulRun {
  const run = new StatefulRun(rules, 'event.category', limits);
  points.forEach(({ at, host = 'h', ...rest }, ordinal) => {
    const event = readEvent({ '@timestamp': start + at, host: { id: host }, ...rest }, ordinal, ecsFieldNames);
    if (event !== undefined) run.judge(event);
  });
  return run;
}

const told = (run: StatefulRun): string[] =>
  run.takeAlerts().map(({ rule, alert }) => `${rule.id} ${(alert.timeUs - start) / second} ${alert.evidence.join()}`);

const is = (value: string) => equals('a', value);
const keyed = ['host.id', 'k'];
const twoSteps = sequenceRule('q', [step(is('x'), keyed), step(is('y'), keyed)], { maxspanUs: 100 * second });
const many = (count: number, point: (i: number) => Omit<Point, 'at'>): Point[] =>
  Array.from({ length: count }, (_, i) => ({ at: i, ...point(i) }));

describe('partial matches without room', () => {
  it('give way oldest deadline first, within the noisiest host', () => {
    const quiet: Point = { at: 0, a: 'x', k: 'q', host: 'quiet' };
    const noise = many(300, (i) => ({ a: 'x', k: `k${i}`, host: 'noisy' }));
    const ends: Point[] = [
      { at: 400, a: 'y', k: 'q', host: 'quiet' },
      { at: 401, a: 'y', k: 'k299', host: 'noisy' },
      { at: 402, a: 'y', k: 'k0', host: 'noisy' },
    ];
    const run = judge([twoSteps], [quiet, ...noise, ...ends], { stateBytes: 0 });
    expect(told(run)).toEqual(['q 0.0004 0,301', 'q 0.000401 300,302']);
    expect(new Set(run.kernel.losses.map(({ reason }) => reason))).toEqual(new Set([Loss.SequenceState]));
    expect(new Set(run.kernel.losses.map(({ host }) => host))).toEqual(new Set([run.hostOf('noisy')]));
  });

  it('of one rule are not taken by another', () => {
    const other = sequenceRule('r', [step(is('u'), keyed), step(is('v'), keyed)], { maxspanUs: 100 * second });
    const opened: Point = { at: 0, a: 'u', k: '1' };
    const noise = many(300, (i) => ({ a: 'x', k: `k${i}` }));
    const run = judge([twoSteps, other], [opened, ...noise, { at: 400, a: 'v', k: '1' }], { stateBytes: 0 });
    expect(told(run)).toEqual(['r 0.0004 0,301']);
    expect(run.kernel.losses.every(({ rule }) => rule === 0)).toBe(true);
  });

  it('give way where evidence is short, too', () => {
    const noise = many(300, (i) => ({ a: 'x', k: `k${i}` }));
    const run = judge([twoSteps], [...noise, { at: 400, a: 'y', k: 'k299' }], { evidence: 80 });
    expect(told(run)).toEqual(['q 0.0004 299,300']);
    expect(run.kernel.used(StateTable.Sequence)).toBeLessThan(80);
  });

  it('expire when event time has passed their deadline, and leave nothing behind', () => {
    const run = judge([twoSteps], [...many(50, (i) => ({ a: 'x', k: `k${i}` })), { at: 101 * second, a: 'z', k: '' }]);
    expect(run.kernel.used(StateTable.Sequence)).toBe(0);
    expect(run.kernel.exports.evidenceLinksUsed()).toBe(0);
    expect(run.kernel.exports.hostsRetained()).toBe(0);
    expect(run.kernel.losses).toEqual([]);
  });
});

describe('absence at the end', () => {
  const ends = sequenceRule('q', [step(is('x'), ['k']), step(is('y'), ['k'], { missing: true })], {
    maxspanUs: 10 * second,
  });

  it('fires when time has passed the deadline, at the deadline', () => {
    const run = judge([ends], [{ at: 0, a: 'x', k: '1' }]);
    run.kernel.advance(0, start + 10 * second);
    expect(told(run)).toEqual([]);
    run.kernel.advance(0, start + 10 * second + 1);
    expect(told(run)).toEqual(['q 10 0,']);
  });

  it('is broken by an event at the deadline, and only for its key', () => {
    const points: Point[] = [
      { at: 0, a: 'x', k: '1' },
      { at: 1, a: 'x', k: '1' },
      { at: 2, a: 'x', k: '2' },
      { at: 10 * second, a: 'y', k: '1' },
    ];
    const run = judge([ends], points);
    run.kernel.exports.stateFlush();
    expect(told(run)).toEqual(['q 10.000002 2,']);
    expect(run.kernel.exports.evidenceLinksUsed()).toBe(0);
  });

  it('waits once for each match of a key', () => {
    const run = judge([ends], [...many(5, () => ({ a: 'x', k: '1' })), { at: 60 * second, a: 'z', k: '1' }]);
    expect(told(run)).toHaveLength(5);
    expect(run.kernel.used(StateTable.Sequence)).toBe(0);
  });
});

describe('samples', () => {
  const sample: SampleRule = {
    ...ruleBase('s'),
    kind: 'sample',
    steps: [step(is('x'), ['k']), step(is('y'), ['k'])],
    maxSamplesPerKey: 3,
  };

  it('keep as many events of a key as the results can need', () => {
    const run = judge([sample], [...many(100, () => ({ a: 'x', k: '1' })), { at: 200, a: 'y', k: '1' }]);
    expect(run.kernel.used(StateTable.Sample)).toBe(3 + 4 + 1);
    run.kernel.exports.stateFlush();
    expect(told(run)).toHaveLength(3);
  });

  it('without room drop whole keys, counted', () => {
    const run = judge(
      [sample],
      many(300, (i) => ({ a: i % 2 === 0 ? 'x' : 'y', k: `k${i >> 1}` })),
      { stateBytes: 0 },
    );
    run.kernel.exports.stateFlush();
    expect(told(run).length).toBeGreaterThan(10);
    expect(new Set(run.kernel.losses.map(({ reason }) => reason))).toEqual(new Set([Loss.SampleState]));
  });
});

describe('temporal rules', () => {
  const parts = (ordered: boolean, ...ids: string[]): TemporalRule => ({
    ...ruleBase('t'),
    kind: 'temporal',
    rules: ids.map((id) => ({ id, by: [field('host.id'), field('k')] })),
    windowUs: 10 * second,
    ordered,
  });
  const a = matchRule('a', is('x'));
  const b = matchRule('b', is('y'));
  const pair: Point[] = [
    { at: 0, a: 'y', k: '1' },
    { at: second, a: 'x', k: '1' },
    { at: 2 * second, a: 'y', k: '1' },
    { at: 11 * second, a: 'y', k: '1' },
    { at: 11 * second + 1, a: 'y', k: '1' },
  ];

  it('in any order fire for each event while all parts lie in the window', () => {
    expect(told(judge([a, b, parts(false, 'a', 'b')], pair))).toEqual(['t 1 1,0', 't 2 1,2', 't 11 1,3']);
  });

  it('in order need the parts in order', () => {
    expect(told(judge([a, b, parts(true, 'a', 'b')], pair))).toEqual(['t 2 1,2', 't 11 1,3']);
  });

  it('hear the alerts of stateful rules, and of each other', () => {
    const inner = { ...parts(false, 'a', 'b'), id: 'u' };
    const outer = parts(true, 'q', 'u');
    const points: Point[] = [
      { at: 0, a: 'x', k: '1' },
      { at: second, a: 'y', k: '1' },
      { at: 2 * second, a: 'y', k: '1' },
    ];
    const run = judge([a, b, twoSteps, inner, outer], points);
    expect(told(run)).toEqual(['q 1 0,1', 'u 1 0,1', 't 1 1,1', 'u 2 0,2', 't 2 1,2']);
    run.kernel.exports.stateFlush();
    expect(run.kernel.exports.evidenceLinksUsed()).toBe(0);
  });

  it('without a category or key join all events', () => {
    const free: TemporalRule = { ...parts(false), rules: ['a', 'b'].map((id) => ({ id, by: [] })) };
    const run = judge([a, b, free, sequenceRule('z', [step(always), step(always)])], pair.slice(0, 2));
    expect(told(run).filter((one) => one.startsWith('t'))).toEqual(['t 1 1,0']);
  });
});
