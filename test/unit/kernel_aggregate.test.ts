/** Windows of aggregates in the kernel, against values computed afresh, and what happens when there is no room. */
import { describe, expect, it } from 'vitest';
import { Loss } from '../../src/core/abi/state.js';
import { StateTable } from '../../src/core/abi/stateful.js';
import type { AggregateFunction, AggregateRule } from '../../src/rule/ir.js';
import { ecsFieldNames, readEvent } from '../oracle/event.js';
import { always, field, ruleBase } from '../support/rules.js';
import { StatefulRun } from '../support/stateful_engine.js';
import type { KernelOptions } from '../support/stateful_kernel.js';

const second = 1_000_000;
const start = Date.UTC(2026, 0, 1) * 1000;
const n = field('n');

const ruleOf = (one: AggregateFunction, options: Partial<AggregateRule> = {}): AggregateRule => ({
  ...ruleBase('a'),
  kind: 'aggregate',
  query: { category: null, condition: always },
  by: [field('host.id')],
  windowUs: 10 * second,
  window: 'sliding',
  conditions: [{ function: one, op: '>=', value: Number.MIN_SAFE_INTEGER }],
  emit: 'perEvent',
  ...options,
});

interface Point {
  readonly at: number;
  readonly n?: number | undefined;
  readonly host?: string;
}

function judge(rule: AggregateRule, points: readonly Point[], limits: Partial<KernelOptions> = {}): StatefulRun {
  const run = new StatefulRun([rule], 'event.category', limits);
  points.forEach(({ at, host = 'h', ...rest }, ordinal) => {
    const source = { '@timestamp': start + at, host: { id: host }, ...rest };
    const event = readEvent(source, ordinal, ecsFieldNames);
    if (event !== undefined) run.judge(event);
  });
  return run;
}

const values = (run: StatefulRun): number[] => run.takeAlerts().map(({ alert }) => alert.value);

/** A repeatable stream of points with ties, gaps and missing numbers. */
function points(count: number): Point[] {
  let state = 12_345;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  let at = 0;
  return Array.from({ length: count }, () => {
    at += next(4) === 0 ? next(3 * second) : next(second / 10);
    return { at, n: next(10) === 0 ? undefined : next(50) - 10 };
  });
}

function expected(all: readonly Point[], value: (numbers: readonly number[], events: number) => number): number[] {
  return all.flatMap((point, i) => {
    const inWindow = all.slice(0, i + 1).filter(({ at }) => point.at - at <= 10 * second);
    const numbers = inWindow.flatMap((one) => one.n ?? []).sort((a, b) => a - b);
    const result = value(numbers, inWindow.length);
    return Number.isNaN(result) ? [] : [result];
  });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
function percentile(numbers: readonly number[], percent: number): number {
  const rank = (percent / 100) * (numbers.length - 1);
  const low = numbers[Math.floor(rank)] ?? Number.NaN;
  return low + ((numbers[Math.ceil(rank)] ?? Number.NaN) - low) * (rank - Math.floor(rank));
}

describe('a sliding window', () => {
  const all = points(600);
  it.each<readonly [string, AggregateFunction, (numbers: readonly number[], events: number) => number]>([
    ['count', { kind: 'count' }, (_, events) => events],
    ['distinct', { kind: 'distinct', field: n }, (numbers) => new Set(numbers).size],
    ['sum', { kind: 'sum', field: n }, sum],
    ['avg', { kind: 'avg', field: n }, (numbers) => sum(numbers) / numbers.length],
    ['median', { kind: 'median', field: n }, (numbers) => percentile(numbers, 50)],
    ['percentile', { kind: 'percentile', field: n, percentile: 90 }, (numbers) => percentile(numbers, 90)],
  ])('has the %s of its events after each of them', (_, one, value) => {
    expect(values(judge(ruleOf(one), all))).toEqual(expected(all, value).map((wanted) => expect.closeTo(wanted, 9)));
  });

  it('holds both its ends', () => {
    const run = judge(ruleOf({ kind: 'count' }), [{ at: 0 }, { at: 10 * second }, { at: 10 * second + 1 }]);
    expect(values(run)).toEqual([1, 2, 2]);
  });

  it('keeps no trace of a large number that has left it', () => {
    const run = judge(ruleOf({ kind: 'sum', field: n }), [
      { at: 0, n: 1e20 },
      { at: 5 * second, n: 0.1 },
      { at: 11 * second, n: 0.2 },
    ]);
    expect(values(run).at(-1)).toBeCloseTo(0.3, 12);
  });

  it('carries its newest ten events as evidence', () => {
    const run = judge(
      ruleOf({ kind: 'count' }),
      Array.from({ length: 12 }, (_, i) => ({ at: i })),
    );
    expect(run.takeAlerts().at(-1)?.alert.evidence).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('takes an event out of order where it belongs, and one before it not at all', () => {
    const run = judge(ruleOf({ kind: 'count' }), [{ at: 20 * second }, { at: 15 * second }, { at: 9 * second }]);
    expect(values(run)).toEqual([1, 2]);
  });

  it('that crosses alerts once, then again when a window has passed', () => {
    const rule = ruleOf({ kind: 'count' }, { emit: 'crossing', conditions: [countOf(3)] });
    const run = judge(
      rule,
      Array.from({ length: 30 }, (_, i) => ({ at: i * second })),
    );
    expect(run.takeAlerts().map(({ alert }) => alert.timeUs - start)).toEqual([2 * second, 13 * second, 24 * second]);
  });
});

const countOf = (value: number) => ({ function: { kind: 'count' }, op: '>=', value }) as const;

describe('a tumbling window', () => {
  it('starts afresh at whole multiples of its length', () => {
    const rule = ruleOf({ kind: 'count' }, { window: 'tumbling' });
    const run = judge(rule, [{ at: 0 }, { at: 10 * second - 1 }, { at: 10 * second }, { at: 35 * second }]);
    expect(values(run)).toEqual([1, 2, 1, 1]);
  });

  it('that crosses alerts once in each', () => {
    const rule = ruleOf({ kind: 'count' }, { window: 'tumbling', emit: 'crossing', conditions: [countOf(2)] });
    const run = judge(
      rule,
      Array.from({ length: 10 }, (_, i) => ({ at: i * 3 * second })),
    );
    expect(run.takeAlerts().map(({ alert }) => (alert.timeUs - start) / second)).toEqual([3, 15, 24]);
  });
});

describe('windows without room', () => {
  const flood = Array.from({ length: 2000 }, (_, i) => ({ at: i, n: i }));

  it('lose their oldest samples, counted, and go on', () => {
    const run = judge(ruleOf({ kind: 'distinct', field: n }), flood, { stateBytes: 0 });
    const counts = values(run);
    expect(counts).toHaveLength(2000);
    expect(Math.max(...counts)).toBeLessThanOrEqual(64);
    expect(counts.at(-1)).toBeGreaterThan(8);
    expect(new Set(run.kernel.losses.map(({ reason }) => reason))).toEqual(new Set([Loss.AggregateState]));
  });

  it('take nothing from the windows of a quiet host', () => {
    const quiet = [0, 1, 2].map((i) => ({ at: i, host: 'quiet' }));
    const noisy = flood.map((point) => ({ ...point, at: point.at + 10, host: 'noisy' }));
    const run = judge(ruleOf({ kind: 'count' }), [...quiet, ...noisy, { at: 3000, host: 'quiet' }], { stateBytes: 0 });
    expect(values(run).at(-1)).toBe(4);
    expect(new Set(run.kernel.losses.map(({ host }) => host))).toEqual(new Set([run.hostOf('noisy')]));
  });

  it('of many keys drop whole windows, the earliest first', () => {
    const rule = ruleOf({ kind: 'count' }, { by: [n] });
    const run = judge(rule, flood, { stateBytes: 0 });
    expect(run.kernel.used(StateTable.Aggregate)).toBeLessThanOrEqual(64);
    expect(values(run)).toHaveLength(2000);
  });

  it('give everything back in the end', () => {
    const run = judge(ruleOf({ kind: 'median', field: n }), flood, { stateBytes: 0, evidence: 40 });
    run.kernel.exports.stateFlush();
    expect(run.kernel.used(StateTable.Aggregate)).toBe(0);
    expect(run.kernel.exports.evidenceLinksUsed()).toBe(0);
    expect(run.kernel.exports.hostsRetained()).toBe(0);
  });
});
