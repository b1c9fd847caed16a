/**
 * Stop, snapshot, restore: a stream cut at every place, going on in a new correlator, gives the alerts of the whole.
 */
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../src/correlator/alert.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
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
const step = (text: string, missing = false) => ({ query: kind(text), by: [host], missing, runs: 1 });

const plain: MatchRule = { ...named('match'), kind: 'match', query: kind('a') };
const lineage: MatchRule = {
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
const stateful: readonly Rule[] = [
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

/** A seeded stream over three hosts with processes, users, kinds and sizes; some rows out of order. */
function stream(seed: number, length: number): object[] {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
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

async function whole(options: CorrelatorOptions, events: readonly object[]): Promise<Alert[]> {
  const correlator = await createCorrelator(options);
  return [...correlator.push(events), ...correlator.flush()];
}

async function cutAt(options: CorrelatorOptions, events: readonly object[], cuts: readonly number[]): Promise<Alert[]> {
  let correlator = await createCorrelator(options);
  const alerts: Alert[] = [];
  let from = 0;
  for (const cut of cuts) {
    alerts.push(...correlator.push(events.slice(from, cut)));
    const bytes = correlator.snapshot();
    correlator.close();
    correlator = await createCorrelator(options);
    const report = correlator.restore(bytes);
    expect(report.dropped).toEqual([]);
    from = cut;
  }
  return [...alerts, ...correlator.push(events.slice(from)), ...correlator.flush()];
}

const sorted = (alerts: readonly Alert[]) => alerts.map((alert) => JSON.stringify(alert)).sort();

const scheduled: Rule = {
  ...named('scheduled'),
  kind: 'newTerms',
  query: kind('a'),
  fields: [user],
  windowUs: 40_000_000,
  mode: 'elasticCompat',
  intervalUs: 10_000_000,
  lookbackUs: 12_000_000,
};

const laws: readonly (readonly [name: string, rules: readonly Rule[], lateness: string])[] = [
  ['match and lineage', [plain, lineage], '0s'],
  ['match and lineage, held', [plain, lineage], '4s'],
  ...stateful.map((rule) => [rule.id, [plain, lineage, rule], '4s'] as const),
  ['scheduled', [scheduled], '4s'],
  ['all rules', [plain, lineage, ...stateful], '0s'],
];

describe('stopping and going on', () => {
  it.each(laws)('changes nothing: %s', async (_, rules, lateness) => {
    const options = { rules, lateness, memory: '16MiB' };
    const events = stream(7, 120);
    const expected = sorted(await whole(options, events));
    expect(expected.length).toBeGreaterThan(0);
    expect(sorted(await cutAt(options, events, [30, 31, 75]))).toEqual(expected);
  });

  it('keeps alerts that wait for their order, and what pipes and suppression remember', async () => {
    const rule: Rule = {
      ...plain,
      pipes: [{ kind: 'unique', by: [{ kind: 'field', name: 'process.name' }] }],
      suppression: { by: ['user.name'], windowUs: 60_000_000, missingFields: 'suppress' },
    };
    const options = { rules: [rule], lateness: '4s', memory: '16MiB' };
    const events = stream(3, 60);
    expect(sorted(await cutAt(options, events, [10, 30]))).toEqual(sorted(await whole(options, events)));
  });

  it('goes on with the ordinals', async () => {
    const options = { rules: [plain], memory: '16MiB' };
    const first = await createCorrelator(options);
    first.push('not JSON\n{}\n');
    const next = await createCorrelator(options);
    next.restore(first.snapshot());
    const [alert] = next.push([{ '@timestamp': 1, kind: 'a' }]);
    expect(alert?.evidence[0]).toMatchObject({ ordinal: 2 });
  });
});

describe('restoring under other rules', () => {
  const events = stream(5, 40);

  it('keeps the state of unchanged rules and reports the others', async () => {
    const changed: Rule = { ...(stateful[1] as Rule), riskScore: 51 };
    const sequence = stateful[0] as Rule;
    const first = await createCorrelator({ rules: [plain, sequence, stateful[1] as Rule], memory: '16MiB' });
    first.push(events);
    const next = await createCorrelator({
      rules: [lineage, sequence, { ...changed, steps: [step('a'), step('c')] } as Rule],
      memory: '16MiB',
    });
    expect(next.restore(first.snapshot())).toEqual({
      kept: ['sequence'],
      dropped: [
        { rule: 'match', reason: 'the rule is not loaded' },
        { rule: 'forked', reason: 'the rule has changed' },
      ],
      added: ['lineage'],
    });
    const rest = stream(6, 40).map((event, index) => ({ ...event, '@timestamp': 1_767_225_630_000 + index * 700 }));
    const together = await createCorrelator({ rules: [plain, sequence], memory: '16MiB' });
    together.push(events);
    const ofSequence = (alerts: readonly Alert[]) => sorted(alerts.filter(({ rule }) => rule.id === 'sequence'));
    expect(ofSequence(next.push(rest))).toEqual(ofSequence(together.push(rest)));
  });
});

describe('a snapshot that cannot be used', () => {
  it.each([
    ['no snapshot at all', (_: Uint8Array) => new TextEncoder().encode('something else'), 'SNAPSHOT_FORMAT'],
    ['nothing', () => new Uint8Array(0), 'SNAPSHOT_FORMAT'],
    ['cut short', (bytes: Uint8Array) => bytes.slice(0, bytes.length / 2), 'SNAPSHOT_DAMAGED'],
    [
      'with a bit changed',
      (bytes: Uint8Array) => bytes.with(bytes.length - 9, (bytes.at(-9) as number) ^ 1),
      'SNAPSHOT_DAMAGED',
    ],
  ])('%s is refused, and the correlator goes on', async (_, damage, code) => {
    const options = { rules: [plain], memory: '16MiB' };
    const first = await createCorrelator(options);
    first.push(stream(1, 20));
    const next = await createCorrelator(options);
    expect(() => next.restore(damage(first.snapshot()))).toThrow(expect.objectContaining({ code }));
    expect(next.push([{ '@timestamp': 1, kind: 'a' }])).toHaveLength(1);
    expect(() => next.restore(first.snapshot())).toThrow(/restore into a new correlator/);
  });
});
