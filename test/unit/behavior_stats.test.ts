/** The time of rules in `stats`: of those that are judged on their own, and of no others. */
import { describe, expect, it } from 'vitest';
import { takeWorkload } from '../../bench/workload.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { loadRules, shippedContent } from '../../src/node.js';
import { plain } from '../support/correlator_rules.js';
import { inProcess } from '../support/engine_runs.js';

const shipped = (await loadRules([shippedContent()])).rules;
const rules = [plain, ...shipped];
const events = takeWorkload({ seed: 5, hosts: 3, pythonShare: 0.5 }, 400);
const isBehavior = new Map(rules.map(({ id, kind }) => [id, kind === 'behavior']));

function expectTimes(told: readonly { readonly id: string; readonly timeUs: number | null }[]): void {
  for (const { id, timeUs } of told) expect(timeUs === null).toBe(isBehavior.get(id) === false);
  expect(told.reduce((sum, { timeUs }) => sum + (timeUs ?? 0), 0)).toBeGreaterThan(0);
}

describe('the time of rules', () => {
  it('is told of behaviour rules by a correlator', async () => {
    const correlator = await createCorrelator({ rules, memory: '32MiB' });
    correlator.push(events);
    expectTimes(correlator.stats().rules);
    correlator.close();
  });

  it.each([
    ['where its shards judge them', {}],
    ['where it judges them itself', { baseline: { mode: 'learn' } as const }],
  ])('is told of behaviour rules by an engine %s', async (_, more) => {
    const engine = await inProcess({ rules, memory: '32MiB', shards: 2, ...more });
    await engine.push(events);
    expectTimes((await engine.stats()).rules);
    await engine.close();
  });
});
