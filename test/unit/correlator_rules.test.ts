/** Rules that a correlator cannot take are refused by name, or left out and told, as asked. */
import { describe, expect, it } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { Expr, MatchRule, Rule } from '../../src/rule/ir.js';
import { lineage, plain } from '../support/correlator_rules.js';

const always: Expr = { kind: 'literal', value: true };
const looksInside: MatchRule = {
  ...plain,
  id: 'inside',
  pipes: [{ kind: 'filter', condition: { kind: 'nested', path: 'items', condition: always } }],
};

describe('a rule that cannot be taken', () => {
  it('is refused by name', async () => {
    await expect(createCorrelator({ rules: [plain, looksInside] })).rejects.toThrow(
      /rule inside: pipe filter reads a nested condition/,
    );
  });

  it('is left out and told where that is asked for', async () => {
    const rules = [plain, looksInside, lineage];
    const correlator = await createCorrelator({ rules, unsupported: 'skip', memory: '16MiB' });
    expect(correlator.problems.map(({ ruleId, code }) => [ruleId, code])).toEqual([['inside', 'COMPILE_PIPE']]);
    expect(correlator.push([{ '@timestamp': 1, kind: 'a' }]).map(({ rule }) => rule.id)).toEqual(['match']);
  });
});

describe('alerts', () => {
  it('come in order of time, rule and key, whatever order completed them', async () => {
    const rules = [
      { ...plain, id: 'z' },
      { ...plain, id: 'a' },
    ];
    const correlator = await createCorrelator({ rules, memory: '16MiB' });
    const at = (second: number, host: string) => ({ '@timestamp': second, host: { id: host }, kind: 'a' });
    const alerts = correlator.push([at(5, 'h1'), at(3, 'h2')]);
    expect(alerts.map(({ rule, host }) => `${host?.id} ${rule.id}`)).toEqual(['h2 a', 'h2 z', 'h1 a', 'h1 z']);
  });

  it('below the minimum severity, and those of building blocks, are kept back', async () => {
    const rules: MatchRule[] = [
      { ...plain, id: 'low', severity: 'informational' },
      { ...plain, id: 'block', buildingBlock: true },
    ];
    const event = { '@timestamp': 1, kind: 'a' };
    const quiet = await createCorrelator({ rules, memory: '16MiB' });
    expect(quiet.push([event])).toEqual([]);
    expect(quiet.stats().rules.map(({ id, belowMinimum }) => [id, belowMinimum])).toEqual([
      ['low', 1],
      ['block', 0],
    ]);
    const all = await createCorrelator({ rules, memory: '16MiB', minSeverity: 'informational', buildingBlocks: true });
    expect(all.push([event]).map(({ rule }) => rule.id)).toEqual(['block', 'low']);
  });

  it('take severity, risk and name from the event where the rule says so', async () => {
    const rule: MatchRule = {
      ...plain,
      overrides: [
        { target: 'severity', field: 'level', equals: '9', severity: 'critical' },
        { target: 'riskScore', field: 'risk' },
        { target: 'name', field: 'title' },
      ],
    };
    const correlator = await createCorrelator({ rules: [rule], memory: '16MiB' });
    const [alert] = correlator.push([{ '@timestamp': 1, kind: 'a', level: '9', risk: 77, title: 'Named' }]);
    expect(alert?.rule).toMatchObject({ severity: 'critical', riskScore: 77, name: 'Named' });
  });

  it("beyond a rule's cap are summarised in one record", async () => {
    const rule: MatchRule = { ...plain, maxSignals: 2 };
    const correlator = await createCorrelator({ rules: [rule], memory: '16MiB', caps: 'rule' });
    const events = Array.from({ length: 5 }, (_, index) => ({
      '@timestamp': 1000 + index,
      event: { id: index },
      kind: 'a',
    }));
    const alerts = [...correlator.push(events), ...correlator.flush()];
    expect(alerts.map(({ suppressed }) => suppressed)).toEqual([undefined, undefined, 3]);
  });

  const minuteMs = 60_000;
  /** The start of a span of five minutes. */
  const startMs = 1_700_000_100_000;
  const first: Rule = {
    ...plain,
    kind: 'newTerms',
    query: plain.query,
    fields: [{ kind: 'field', name: 'path' }],
    windowUs: 7 * 86_400_000_000,
    mode: 'eventTime',
    maxSignals: 100,
  };
  const paths = (count: number) =>
    Array.from({ length: count }, (_, index) => ({
      '@timestamp': startMs + index * 200,
      host: { id: 'h' },
      event: { id: `e${index}` },
      kind: 'a',
      path: `/p/${index}`,
    }));
  const later = (minutes: number) => ({ '@timestamp': startMs + minuteMs * minutes, host: { id: 'h' }, kind: 'b' });
  const inBatchesOf = (size: number, events: readonly object[]) =>
    Array.from({ length: Math.ceil(events.length / size) }, (_, i) => events.slice(i * size, (i + 1) * size));

  it.each([1, 7, 1000])(
    'of first-seen terms follow in the next spans, a hundred in each (batches of %i)',
    async (size) => {
      const correlator = await createCorrelator({ rules: [first], memory: '16MiB', caps: 'rule' });
      const pushed = inBatchesOf(size, paths(250)).flatMap((batch) => correlator.push(batch));
      const next = [6, 11, 16].map((minutes) => correlator.push([later(minutes)]));
      const told = [pushed, ...next].map(
        (alerts) => alerts.filter(({ suppressed }) => suppressed === undefined).length,
      );
      expect(told).toEqual([100, 100, 50, 0]);
      expect(next.flat().flatMap(({ suppressed }) => suppressed ?? [])).toEqual([150]);
      expect(correlator.flush()).toEqual([]);
    },
  );

  it('wait over a snapshot', async () => {
    const options = { rules: [first], memory: '16MiB', caps: 'rule' } as const;
    const before = await createCorrelator(options);
    const told = before.push(paths(250));
    const after = await createCorrelator(options);
    after.restore(before.snapshot());
    const rest = [...after.push([later(6)]), ...after.flush()].filter(({ suppressed }) => suppressed === undefined);
    expect(new Set([...told, ...rest].map(({ id }) => id)).size).toBe(250);
  });
});
