/** Small rules of every kind and seeded streams that make them fire, for laws of the correlator as a whole. */
import type { Expr, MatchRule, Rule } from '../../src/rule/ir.js';

const is = (name: string, text: string): Expr => ({
  kind: 'match',
  value: { kind: 'field', name },
  patterns: [{ type: 'equals', text }],
  case: 'exact',
});
const base = { severity: 'medium', riskScore: 50, threat: [] } as const;
const named = (id: string) => ({ ...base, id, name: id });
const kind = (text: string) => ({ category: null, condition: is('kind', text) });
const host = { kind: 'field', name: 'host.id' } as const;
const user = { kind: 'field', name: 'user.name' } as const;
export const step = (text: string, missing = false) => ({ query: kind(text), by: [host], missing, runs: 1 });

export const plain: MatchRule = { ...named('match'), kind: 'match', query: kind('a') };
export const lineage: MatchRule = {
  ...named('lineage'),
  kind: 'match',
  query: {
    category: null,
    condition: {
      kind: 'and',
      operands: [
        is('kind', 'b'),
        {
          kind: 'lineage',
          relation: 'descendant',
          query: { category: 'process', condition: is('process.name', 'p1') },
        },
      ],
    },
  },
};
export const stateful: readonly Rule[] = [
  { ...named('sequence'), kind: 'sequence', maxspanUs: 20_000_000, steps: [step('a'), step('b')] },
  { ...named('forked'), kind: 'sequence', steps: [step('a'), { ...step('b'), fork: true }, step('c')] },
  { ...named('absence'), kind: 'sequence', maxspanUs: 5_000_000, steps: [step('a'), step('c', true)] },
  { ...named('until'), kind: 'sequence', maxspanUs: 30_000_000, steps: [step('a'), step('b')], until: step('c') },
  { ...named('join'), kind: 'sequence', unordered: true, steps: [step('a'), step('b'), step('c')] },
  { ...named('sample'), kind: 'sample', maxSamplesPerKey: 2, steps: [step('a'), step('b')] },
  { ...named('terms'), kind: 'newTerms', query: kind('a'), fields: [user], windowUs: 15_000_000, mode: 'eventTime' },
  {
    ...named('count'),
    kind: 'aggregate',
    query: kind('a'),
    by: [host],
    windowUs: 10_000_000,
    window: 'sliding',
    conditions: [{ function: { kind: 'count' }, op: '>=', value: 3 }],
    emit: 'perEvent',
  },
  {
    ...named('numbers'),
    kind: 'aggregate',
    query: kind('b'),
    by: [host],
    windowUs: 20_000_000,
    window: 'sliding',
    conditions: [
      { function: { kind: 'distinct', field: user }, op: '>=', value: 2 },
      { function: { kind: 'median', field: { kind: 'field', name: 'size' } }, op: '>', value: 4 },
      { function: { kind: 'sum', field: { kind: 'field', name: 'size' } }, op: '>', value: 5 },
    ],
    emit: 'crossing',
  },
  {
    ...named('temporal'),
    kind: 'temporal',
    rules: [
      { id: 'match', by: [user] },
      { id: 'lineage', by: [user] },
    ],
    windowUs: 10_000_000,
    ordered: false,
  },
];

/** Numbers from 0 up to a bound, from a seed. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A seeded stream over three hosts with processes, users, kinds and sizes; some rows out of order. */
export function stream(seed: number, length: number): object[] {
  const random = randomFrom(seed);
  return Array.from({ length }, (_, index) => {
    const entity = random(8);
    return {
      '@timestamp': 1_767_225_600_000 + index * 700 - random(3) * 1000,
      host: { id: `h${random(3)}` },
      user: { name: `u${random(3)}` },
      event: { id: `e${index}`, category: 'process', type: random(3) === 0 ? 'start' : 'info', sequence: index },
      process: {
        entity_id: `n${entity}`,
        name: `p${random(4)}`,
        ...(entity > 0 ? { parent: { entity_id: `n${random(entity)}` } } : {}),
      },
      kind: 'abc'[random(3)],
      size: random(10),
    };
  });
}

export const scheduled: Rule = {
  ...named('scheduled'),
  kind: 'newTerms',
  query: kind('a'),
  fields: [user],
  windowUs: 40_000_000,
  mode: 'elasticCompat',
  intervalUs: 10_000_000,
  lookbackUs: 12_000_000,
};
