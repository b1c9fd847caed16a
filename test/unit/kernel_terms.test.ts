/** New terms in event time: `analytics.md` §6.2, case by case. */
import { describe, expect, it } from 'vitest';
import { Loss } from '../../src/core/abi/state.js';
import { AlertFlag, StateTable } from '../../src/core/abi/stateful.js';
import type { NewTermsRule } from '../../src/rule/ir.js';
import { ecsFieldNames, readEvent } from '../oracle/event.js';
import { always, field, ruleBase } from '../support/rules.js';
import { StatefulRun } from '../support/stateful_engine.js';
import type { KernelOptions } from '../support/stateful_kernel.js';

const hour = 3_600_000_000;
const day = 24 * hour;
const start = Date.UTC(2026, 0, 1) * 1000;

const rule: NewTermsRule = {
  ...ruleBase('t'),
  kind: 'newTerms',
  query: { category: null, condition: always },
  fields: [field('host.id'), field('file.path')],
  windowUs: 7 * day,
  mode: 'eventTime',
};

interface Seen {
  readonly at: number;
  readonly path?: string | readonly string[];
  readonly host?: string;
}

/** Judges events at times since the start and returns the run. Late ones are judged where they come. */
function judge(events: readonly Seen[], limits: Partial<KernelOptions> = {}): StatefulRun {
  const run = new StatefulRun([rule], 'event.category', limits);
  events.forEach(({ at, path = '/a', host = 'h' }, ordinal) => {
    const time = new Date((start + at) / 1000).toISOString();
    const micro = `${time.slice(0, -1)}${String(at % 1000).padStart(3, '0')}Z`;
    const source = { '@timestamp': micro, host: { id: host }, file: { path } };
    const event = readEvent(source, ordinal, ecsFieldNames);
    if (event !== undefined) run.judge(event);
  });
  return run;
}

/** Alerts as `evidence@flags`. */
const told = (run: StatefulRun, mask = AlertFlag.Late | AlertFlag.Revised): string[] =>
  run.takeAlerts().map(({ alert }) => `${alert.evidence.join('+')}@${alert.flags & mask} r${alert.value}`);

describe('a term', () => {
  it('is new at first and not again', () => {
    expect(told(judge([{ at: 0 }, { at: hour }, { at: 2 * day }]))).toEqual(['0@0 r1']);
  });

  it('seen exactly a window ago is not new; a microsecond later it is', () => {
    expect(told(judge([{ at: 0 }, { at: 7 * day }]))).toEqual(['0@0 r1']);
    expect(told(judge([{ at: 0 }, { at: 7 * day + 1 }]))).toEqual(['0@0 r1', '1@0 r1']);
  });

  it('stays known as long as it is seen within a window', () => {
    const weekly = [0, 1, 2, 3, 4].map((week) => ({ at: week * 7 * day }));
    expect(told(judge(weekly))).toEqual(['0@0 r1']);
  });

  it('is one per combination of the values of its fields', () => {
    const run = judge([
      { at: 0, path: ['/a', '/b', '/a'] },
      { at: 1, path: '/b' },
      { at: 2, path: ['/b', '/c'] },
    ]);
    expect(told(run)).toEqual(['0@0 r1', '0@0 r1', '2@0 r1']);
  });

  it('of one host is not known on another', () => {
    expect(told(judge([{ at: 0 }, { at: 1, host: 'g' }]))).toEqual(['0@0 r1', '1@0 r1']);
  });
});

describe('an event out of order', () => {
  it('older than the first by up to a day moves the alert back, in a new revision', () => {
    expect(told(judge([{ at: 2 * day }, { at: day }]))).toEqual(['0@0 r1', '1+0@4 r2']);
    expect(told(judge([{ at: 2 * day }, { at: day + hour }, { at: day }]))).toEqual(['0@0 r1', '1+0@4 r2', '2+0@4 r3']);
  });

  it('older than the first by more is history, and says so', () => {
    expect(told(judge([{ at: 3 * day }, { at: day }]))).toEqual(['0@0 r1', '1@2 r1']);
  });

  it('between the first and the last is not new', () => {
    expect(told(judge([{ at: 2 * day }, { at: 4 * day }, { at: 3 * day }]))).toEqual(['0@0 r1']);
  });

  it('that the quiet period before reaches is not new', () => {
    const run = judge([{ at: 0 }, { at: 7 * day + 2 * hour }, { at: 7 * day }]);
    expect(told(run)).toEqual(['0@0 r1', '1@0 r1']);
  });
});

describe('history', () => {
  const isIncomplete = (run: StatefulRun): boolean[] =>
    run.takeAlerts().map(({ alert }) => (alert.flags & AlertFlag.HistoryIncomplete) !== 0);

  it('is incomplete until a window has passed since the host was first seen', () => {
    const run = judge([{ at: 0 }, { at: 7 * day - 1, path: '/b' }, { at: 7 * day, path: '/c' }]);
    expect(isIncomplete(run)).toEqual([true, true, false]);
  });

  it('is incomplete again when terms were lost', () => {
    const paths = Array.from({ length: 400 }, (_, i) => ({ at: 8 * day + i, path: `/p${i}` }));
    const run = judge([{ at: 0 }, ...paths, { at: 9 * day, path: '/z' }], { stateBytes: 4096 });
    expect(run.kernel.losses.length).toBeGreaterThan(0);
    expect(isIncomplete(run).at(-1)).toBe(true);
  });
});

describe('the table of terms', () => {
  it('forgets what can make nothing old any more', () => {
    const many = Array.from({ length: 200 }, (_, i) => ({ at: i, path: `/p${i}` }));
    const run = judge([...many, { at: 9 * day }]);
    expect(run.kernel.used(StateTable.Terms)).toBe(1);
    expect(run.kernel.losses).toEqual([]);
  });

  it('when full drops the term of the noisiest host that was seen longest ago', () => {
    const noise = Array.from({ length: 300 }, (_, i) => ({ at: 10 + i * hour, path: `/n${i}`, host: 'noisy' }));
    const quiet = [{ at: 0, host: 'quiet' }];
    const again = { at: 300 * hour, host: 'quiet', path: '/a' };
    const run = judge([...quiet, { at: 5 * day, host: 'quiet' }, ...noise.slice(0, 150), again], { stateBytes: 4096 });
    const lost = run.kernel.losses;
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.every(({ reason, rule: index }) => reason === Loss.TermsState && index === 0)).toBe(true);
    expect(new Set(lost.map(({ host }) => host))).toEqual(new Set([run.hostOf('noisy')]));
  });

  it('keeps a term that is seen again in place of one that is not', () => {
    const filling = Array.from({ length: 60 }, (_, i) => ({ at: i, path: `/p${i}` }));
    const touch = { at: 100, path: '/p0' };
    const more = Array.from({ length: 20 }, (_, i) => ({ at: 200 + i, path: `/q${i}` }));
    const run = judge([...filling, touch, ...more, { at: 300, path: '/p0' }, { at: 301, path: '/p1' }], {
      stateBytes: 0,
    });
    const fired = run.takeAlerts().map(({ alert }) => alert.evidence[0]);
    expect(fired).not.toContain(81);
    expect(fired).toContain(82);
  });

  it('gives all evidence and hosts back in the end', () => {
    const run = judge(Array.from({ length: 100 }, (_, i) => ({ at: i * day, path: `/p${i % 5}` })));
    run.kernel.exports.stateFlush();
    expect(run.kernel.used(StateTable.Terms)).toBe(0);
    expect(run.kernel.exports.hostsRetained()).toBe(0);
    expect(run.kernel.exports.evidenceLinksUsed()).toBe(0);
  });
});
