/** Laws of the correlator as a whole: neither how a stream is cut nor, within the lateness, its order changes an alert. */
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../src/correlator/alert.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import type { Rule, TemporalRule } from '../../src/rule/ir.js';
import { lineage, plain, randomFrom, scheduled, stateful, step, stream } from '../support/correlator_rules.js';

/** Pipes are left out of the second law: `head` and its like take results as they come. */
const folded: Rule = {
  ...plain,
  id: 'folded',
  suppression: { by: ['user.name'], windowUs: 30_000_000, missingFields: 'suppress' },
};
/** Across hosts, over conditions that ask nothing about lineage. */
const across: Rule = {
  ...(stateful.find(({ kind }) => kind === 'temporal') as TemporalRule),
  id: 'across',
  rules: ['match', 'other'].map((id) => ({ id, by: [{ kind: 'field', name: 'user.name' }] })),
};
const other: Rule = { ...plain, id: 'other', query: step('b').query };
const rules = [plain, other, lineage, folded, scheduled, across, ...stateful];
const seeds = Array.from({ length: 12 }, (_, index) => index + 1);

async function run(options: Partial<CorrelatorOptions>, batches: readonly (readonly object[])[]): Promise<Alert[]> {
  const correlator = await createCorrelator({ rules, memory: '16MiB', ...options });
  const alerts = [...batches.flatMap((batch) => correlator.push(batch)), ...correlator.flush()];
  const lateOnes = ['late', 'late_global'];
  expect(correlator.stats().losses.filter(({ reason }) => !lateOnes.includes(reason))).toEqual([]);
  correlator.close();
  return alerts;
}

/** Alerts as a set of texts; an event's place in the stream is its own in every order. */
const asSet = (alerts: readonly Alert[], without?: string): string[] =>
  alerts
    .filter(({ rule }) => rule.id !== without)
    .map((alert) => JSON.stringify(alert, (key, value: unknown) => (key === 'ordinal' ? undefined : value)))
    .sort();

function split(events: readonly object[], seed: number): object[][] {
  const random = randomFrom(seed);
  const batches: object[][] = [];
  for (let from = 0; from < events.length; ) {
    const to = from + random(9);
    batches.push(events.slice(from, to));
    from = to;
  }
  return batches;
}

/** The events in another order, none more than `ms` behind one of a later time. */
function shuffle(events: readonly object[], seed: number, ms: number): object[] {
  const random = randomFrom(seed);
  const at = (event: object): number => (event as { '@timestamp': number })['@timestamp'];
  const keyed = events.map((event) => ({ event, key: at(event) + random(ms) }));
  return keyed.sort((a, b) => a.key - b.key).map(({ event }) => event);
}

describe.each(['0s', '5s'])('with lateness %s', (lateness) => {
  it.each(seeds)('any split into batches gives equal alerts (stream %d)', async (seed) => {
    // Without lateness only a stream in order of time has one meaning.
    const events = lateness === '0s' ? shuffle(stream(seed, 150), 1, 1) : stream(seed, 150);
    const expected = asSet(await run({ lateness }, [events]));
    expect(asSet(await run({ lateness }, split(events, seed)))).toEqual(expected);
  });
});

describe('within the lateness', () => {
  it.each(seeds)('any order of arrival gives equal alerts (stream %d)', async (seed) => {
    const events = stream(seed, 150);
    // Across hosts, matches that ask about lineage come as late as their hosts lag: that order is no promise.
    const expected = asSet(await run({ lateness: '8s' }, [shuffle(events, 1, 1)]), 'temporal');
    expect(expected.length).toBeGreaterThan(20);
    const shuffled = split(shuffle(events, seed, 7_900), seed);
    expect(asSet(await run({ lateness: '8s' }, shuffled), 'temporal')).toEqual(expected);
  });
});
