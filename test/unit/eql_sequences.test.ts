import { describe, expect, it } from 'vitest';
import { eqlRule } from '../../src/language/eql/index.js';
import { codesOf, queryOf } from '../support/eql.js';

const two = '[a where true] [b where true]';

/** Queries over several events that break a rule between their parts. */
const faults: readonly (readonly [query: string, codes: readonly string[]])[] = [
  ['sequence [a where true]', ['EQL_STEPS']],
  ['sequence', ['EQL_STEPS']],
  ['sample by x [a where true]', ['EQL_STEPS']],
  [`sequence with maxspan=5 ${two}`, ['EQL_MAXSPAN']],
  [`sequence with maxspan=5sec ${two}`, ['EQL_MAXSPAN']],
  [`sequence with maxspan=1w ${two}`, ['EQL_MAXSPAN']],
  [`sequence with maxspan=1.5m ${two}`, ['EQL_MAXSPAN']],
  [`sequence with maxspan=0s ${two}`, ['EQL_MAXSPAN']],
  [`sequence with maxspan=-1s ${two}`, ['EQL_SYNTAX']],
  [`sequence with maxspan ${two}`, ['EQL_SYNTAX']],
  [`sequence with runs=2 ${two}`, ['EQL_SYNTAX']],
  [`sequence with maxspan=1m by x ${two}`, ['EQL_KEYS']],
  [`sequence by ${two}`, ['EQL_SYNTAX']],
  [`sequence by "x" ${two}`, ['EQL_KEYS']],
  [`sequence by length(x) ${two}`, ['EQL_KEYS']],
  ['sequence [a where true] by x [b where true]', ['EQL_KEYS']],
  ['sequence [a where true] by x [b where true] by y, z', ['EQL_KEYS']],
  ['sequence [a where true] by x [b where true] by y until [c where true]', ['EQL_KEYS']],
  ['sequence [a where true] with runs=0 [b where true]', ['EQL_RUNS']],
  ['sequence [a where true] with runs=101 [b where true]', ['EQL_RUNS']],
  ['sequence [a where true] with runs=1.5 [b where true]', ['EQL_RUNS']],
  ['sequence [a where true] with runs=-1 [b where true]', ['EQL_SYNTAX']],
  ['sequence [a where true] with maxspan=1m [b where true]', ['EQL_SYNTAX']],
  [
    'sequence [a where true] with runs=100 [b where true] with runs=100 [c where true] with runs=100',
    ['EQL_LIMIT_STEPS'],
  ],
  [`sequence ${two} ![c where true]`, ['EQL_MISSING_EVENTS']],
  ['sequence with maxspan=1m ![a where true] ![b where true]', ['EQL_MISSING_EVENTS']],
  ['sequence with maxspan=1m [a where true] ![b where true] with runs=2', ['EQL_RUNS']],
  [`sequence ${two} until ![c where true]`, ['EQL_MISSING_EVENTS']],
  [`sequence ${two} until [c where true] with runs=2`, ['EQL_RUNS']],
  [`sequence ${two} until [c where true] until [d where true]`, ['EQL_UNTIL']],
  [`sequence ${two} until`, ['EQL_SYNTAX']],
  [`sequence until [c where true] ${two}`, ['EQL_SYNTAX', 'EQL_SYNTAX']],
  [`sample ${two}`, ['EQL_SAMPLE']],
  [`sample by x ${'[a where true]'.repeat(9)}`, ['EQL_LIMIT_STEPS']],
  [`sample by x ${two} | head 5`, ['EQL_SAMPLE']],
  [`sample by x ${two} until [c where true]`, ['EQL_SAMPLE']],
  [`sample by x with maxspan=1m ${two}`, ['EQL_MAXSPAN']],
  ['sample by x ![a where true] [b where true]', ['EQL_MISSING_EVENTS']],
  ['sample by x [a where true] with runs=2 [b where true]', ['EQL_RUNS']],
  [`join by x ${two}`, ['EQL_DIALECT']],
  ['sequence [a where true] as one [b where true]', ['EQL_DIALECT']],
  ['sequence [a where true] [b where true] fork', ['EQL_DIALECT']],
  [`by x ${two}`, ['EQL_SYNTAX']],
  [`sequence ${two} | head`, ['EQL_PIPE']],
  [`sequence ${two} | head 1, 2`, ['EQL_PIPE']],
  [`sequence ${two} | head 1.5`, ['EQL_PIPE']],
  [`sequence ${two} | head x`, ['EQL_PIPE']],
  [`sequence ${two} | head -1`, ['EQL_PIPE']],
  [`sequence ${two} | tail "5"`, ['EQL_PIPE']],
  [`sequence ${two} |`, ['EQL_SYNTAX']],
];

const endpointFaults: readonly (readonly [query: string, codes: readonly string[]])[] = [
  ['sequence [a where event0.x == 1] as event0 [b where true]', ['EQL_ALIAS']],
  ['sequence [a where true] as event0 [b where event1.x == 1]', ['EQL_ALIAS']],
  ['sequence [a where true] as e [b where true] as e', ['EQL_ALIAS']],
  ['sequence with maxspan=1s [a where true] ![b where true] as e', ['EQL_ALIAS']],
  ['sequence [a where true] as [b where true]', ['EQL_SYNTAX']],
  ['any where $x == 1', ['EQL_VARIABLE']],
  ['any where arraysearch(a, $x, $y == 1)', ['EQL_VARIABLE']],
  ['any where arraysearch(a, x, x == 1)', ['EQL_VARIABLE']],
  ['any where arraysearch(a, $x, a.b == 1)', ['EQL_VARIABLE']],
  ['any where arraysearch("a", $x, $x == 1)', ['EQL_ARGUMENTS']],
  ['any where arraycount(a, $x, $x == 1) == b', ['EQL_ARRAY_COUNT']],
  ['any where sibling of [any where true]', ['EQL_SYNTAX']],
  ['any where descendant of []', ['EQL_SYNTAX']],
  ['any where true | unique', ['EQL_PIPE']],
  ['any where true | unique 5', ['EQL_PIPE']],
  ['any where true | filter', ['EQL_PIPE']],
  ['any where true | filter events[1].a == 1', ['EQL_PIPE']],
];

describe('EQL queries over several events', () => {
  it('puts the keys of the sequence before those of the event, in every step', () => {
    const query = queryOf(
      'sequence by h, ?u with maxspan=2h [a where true] by x [b where true] by y until [c where true] by z',
    );
    const keys = (name: string) => [{ name: 'h' }, { name: 'u', optional: true }, { name }];
    expect(query).toMatchObject({
      kind: 'sequence',
      maxspanUs: 7_200_000_000,
      steps: [{ by: keys('x') }, { by: keys('y') }],
      until: { by: keys('z'), missing: false, runs: 1 },
    });
  });

  it.each([
    ['ms', 1_000],
    ['s', 1_000_000],
    ['m', 60_000_000],
    ['h', 3_600_000_000],
    ['d', 86_400_000_000],
  ])('knows the time unit %s', (unit, us) => {
    expect(queryOf(`sequence with maxspan=3${unit} ${two}`)).toMatchObject({ maxspanUs: 3 * us });
    expect(queryOf(`sequence with maxspan = 3 ${unit} ${two}`)).toMatchObject({ maxspanUs: 3 * us });
  });

  it('takes runs and missing events at any position', () => {
    const query = queryOf('sequence with maxspan=1s ![a where true] [b where true] with runs=3 ![c where true]');
    expect(query).toMatchObject({ steps: [{ missing: true }, { missing: false, runs: 3 }, { missing: true }] });
    expect(queryOf('sequence [a where true] with runs=2')).toMatchObject({ steps: [{ runs: 2 }] });
    expect(queryOf('sequence [a where true] by x with runs=2 [b where true] by y')).toMatchObject({
      steps: [
        { runs: 2, by: [{ name: 'x' }] },
        { runs: 1, by: [{ name: 'y' }] },
      ],
    });
  });

  it('makes rules of queries', () => {
    expect(eqlRule('r', queryOf('any where a == 1 | head 2'))).toMatchObject({
      kind: 'match',
      id: 'r',
      name: 'r',
      severity: 'low',
      query: { category: null },
      pipes: [{ kind: 'head', count: 2 }],
    });
    expect(eqlRule('r', queryOf(`sample by x ${two}`), { maxSamplesPerKey: 3 })).toMatchObject({
      kind: 'sample',
      maxSamplesPerKey: 3,
      steps: [{ by: [{ name: 'x' }] }, { by: [{ name: 'x' }] }],
    });
    const join = queryOf(`join by x ${two} until [c where true]`, { dialect: 'python-eql' });
    expect(eqlRule('r', join, { severity: 'high', name: 'n' })).toMatchObject({
      kind: 'sequence',
      unordered: true,
      name: 'n',
      severity: 'high',
      until: { query: { category: 'c' } },
    });
  });

  it('refers to earlier events by alias, in steps and in until', () => {
    const text =
      'sequence [a where true] by p as first [b where q == first.r.s] by p until [c where first.r == 1] by p';
    const earlier = (name: string) => ({
      kind: 'call',
      name: 'stepField',
      args: [{ value: 0 }, { kind: 'field', name }],
    });
    expect(queryOf(text, { dialect: 'endpoint' })).toMatchObject({
      steps: [{ alias: 'first' }, { query: { condition: { right: earlier('r.s') } } }],
      until: { query: { condition: { left: earlier('r') } } },
    });
  });

  it('lowers every pipe', () => {
    const pipes =
      'unique a b, c | filter d == 1 | sort a, -b | unique_count length(a) | count | count a | head 3 | tail 4';
    const query = queryOf(`any where true | ${pipes}`, { dialect: 'endpoint' });
    expect(query.pipes.map(({ kind }) => kind)).toEqual([
      'unique',
      'filter',
      'sort',
      'uniqueCount',
      'count',
      'count',
      'head',
      'tail',
    ]);
    expect(query.pipes[0]).toMatchObject({ by: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] });
    expect(query.pipes[4]).toEqual({ kind: 'count', by: [] });
    const sequence = queryOf(`sequence ${two} | filter events[1].a == 1`, { dialect: 'endpoint' });
    expect(sequence.pipes[0]).toMatchObject({
      condition: { left: { name: 'stepField', args: [{ value: 1 }, { name: 'a' }] } },
    });
    const legacy = queryOf('any where true | head', { dialect: 'python-eql' });
    expect(legacy.pipes).toEqual([{ kind: 'head', count: 50 }]);
  });

  it('forks from the second event on, in the python-eql dialect', () => {
    const options = { dialect: 'python-eql' } as const;
    const query = queryOf('sequence [a where true] by x [b where true] fork=true by x [c where true] by x', options);
    expect(query).toMatchObject({ steps: [{}, { fork: true, by: [{ name: 'x' }] }, {}] });
    expect(queryOf('sequence [a where true] [b where true] fork', options)).toMatchObject({
      steps: [{}, { fork: true }],
    });
    expect(codesOf('sequence [a where true] fork [b where true]', options)).toEqual(['EQL_FORK']);
    expect(codesOf('join [a where true] [b where true] fork', options)).toEqual(['EQL_FORK']);
    expect(codesOf('sequence [a where true] [b where true] fork=1', options)).toEqual(['EQL_SYNTAX']);
  });

  it.each(faults)('refuses %s', (query, codes) => {
    expect(codesOf(query)).toEqual(codes);
  });

  it.each(endpointFaults)('refuses %s in the endpoint dialect', (query, codes) => {
    expect(codesOf(query, { dialect: 'endpoint' })).toEqual(codes);
  });
});
