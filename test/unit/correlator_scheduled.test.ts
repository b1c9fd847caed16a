/** New-terms rules by Kibana's schedule, from events to alerts. */
import { describe, expect, it } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { NewTermsRule } from '../../src/rule/ir.js';

const rule: NewTermsRule = {
  kind: 'newTerms',
  id: 'terms',
  name: 'terms',
  severity: 'medium',
  riskScore: 50,
  threat: [],
  query: { category: null, condition: { kind: 'literal', value: true } },
  fields: [{ kind: 'field', name: 'user.name' }],
  windowUs: 7 * 86_400_000_000,
  mode: 'elasticCompat',
  intervalUs: 300_000_000,
  lookbackUs: 360_000_000,
  maxSignals: 2,
};

const at = (minute: number, user: string) => ({
  '@timestamp': 1_767_225_600_000 + minute * 60_000,
  event: { id: `${user}${minute}` },
  host: { id: 'h' },
  user: { name: user },
});

describe('new terms by schedule', () => {
  it('alerts once a run has passed, on the first event of a term, with the terms as key', async () => {
    const correlator = await createCorrelator({ rules: [rule], memory: '16MiB' });
    expect(correlator.push([at(1, 'a'), at(2, 'a')])).toEqual([]);
    const alerts = [...correlator.push([at(20, 'a')]), ...correlator.flush()];
    expect(
      alerts.map(({ key, evidence }) => [key, evidence.map((entry) => 'eventId' in entry && entry.eventId)]),
    ).toEqual([[{ 'user.name': 'a' }, ['a1']]]);
  });

  it('tells what the cap of a run left over', async () => {
    const correlator = await createCorrelator({ rules: [rule], memory: '16MiB' });
    const alerts = [...correlator.push(['a', 'b', 'c', 'd'].map((user) => at(1, user))), ...correlator.flush()];
    expect(alerts.map(({ key, suppressed }) => suppressed ?? key?.['user.name'])).toEqual(['a', 'b', 2]);
  });
});
