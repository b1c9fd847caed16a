/** Rules that a correlator cannot take are refused by name, or left out and told, as asked. */
import { describe, expect, it } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { Expr, MatchRule } from '../../src/rule/ir.js';
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
});
