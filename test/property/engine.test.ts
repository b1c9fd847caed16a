/** Laws of the engine on generated rules and streams: shards, batches, stops and deaths do not show in the alerts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/engine.js';
import type { Rule } from '../../src/rule/ir.js';
import { alertSet, DyingHost, inProcess, MemoryStore, runCorrelator, runEngine } from '../support/engine_runs.js';
import { arrivals, eventStream, type RuleKindName, ruleSet, type Source, splits } from '../support/generators.js';

const seed = Number(process.env.VEDETTE_SEED ?? 20_260_101);
const numRuns = Number(process.env.VEDETTE_RUNS ?? 8);
const kinds: readonly RuleKindName[] = ['match', 'sequence', 'absence', 'join', 'sample', 'newTerms', 'aggregate'];
const latenessUs = 5_000_000;
const hosts = 7;

interface Case {
  readonly rules: readonly Rule[];
  readonly events: readonly Source[];
  readonly batches: readonly (readonly Source[])[];
}

/** Spreads the events over more hosts than there are shards, and gives some rules what one order over all needs. */
const cases = (of: readonly RuleKindName[]): fc.Arbitrary<Case> =>
  fc
    .tuple(ruleSet(of, 5), eventStream(60), fc.array(fc.nat(hosts - 1), { minLength: 60, maxLength: 60 }))
    .map(([rules, events, places]) => ({
      rules: rules.map((rule, index) => (index % 3 === 1 ? { ...rule, suppression } : rule)),
      events: events.map((event, index) => ({ ...event, host: { id: `host-${places[index]}` } })),
    }))
    .chain(({ rules, events }) => fc.tuple(fc.constant(rules), fc.constant(events), arrivals(events, latenessUs)))
    .chain(([rules, events, arrived]) =>
      fc.record({ rules: fc.constant(rules), events: fc.constant(events), batches: splits(arrived) }),
    );

const suppression = { by: ['user.name'], windowUs: 3_000_000, missingFields: 'suppress' } as const;

const holds = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => Promise<void>): Promise<void> =>
  fc.assert(fc.asyncProperty(arbitrary, property), { seed, numRuns, endOnFailure: true });

const optionsOf = (rules: readonly Rule[], lateness: number) => ({
  rules,
  lateness,
  memory: '12MiB',
  buildingBlocks: true,
});

describe.each([
  ['without lateness', 0],
  ['with lateness', latenessUs / 1000],
])('laws of the engine %s', (_name, lateness) => {
  it('1, 2, 4 and 8 shards give the alerts of one correlator that is given the stream at once', async () => {
    await holds(cases(kinds), async ({ rules, batches }) => {
      const options = optionsOf(rules, lateness);
      const expected = alertSet(await runCorrelator(options, [batches.flat()]));
      for (const shards of [1, 2, 4, 8]) {
        const alerts = await runEngine(await inProcess({ ...options, shards }), batches);
        expect(alertSet(alerts), `${shards} shards`).toEqual(expected);
        expect(alerts.length, `${shards} shards`).toBe(expected.length);
      }
    });
  });

  it('time that is moved without events, and the end, decide alike for every number of shards', async () => {
    await holds(fc.tuple(cases(kinds), fc.nat()), async ([{ rules, batches }, place]) => {
      const options = optionsOf(rules, lateness);
      const at = place % batches.length;
      const newest = batches
        .slice(0, at + 1)
        .flat()
        .map((event) => String(event['@timestamp']))
        .sort()
        .at(-1);
      const run = async (shards: number): Promise<string[]> => {
        const engine = await inProcess({ ...options, shards });
        const alerts = [];
        for (const [index, batch] of batches.entries()) {
          alerts.push(...(await engine.push(batch)));
          if (index === at && newest !== undefined) alerts.push(...(await engine.advance(newest)));
        }
        alerts.push(...(await engine.flush()));
        await engine.close();
        return alertSet(alerts);
      };
      const expected = await run(1);
      for (const shards of [2, 4]) expect(await run(shards), `${shards} shards`).toEqual(expected);
    });
  });

  it('rules about lineage have the same alerts for every number of shards', async () => {
    await holds(cases(['lineage', 'sequence']), async ({ rules, batches }) => {
      const options = optionsOf(rules, lateness);
      const expected = alertSet(await runEngine(await inProcess({ ...options, shards: 1 }), batches));
      for (const shards of [2, 4]) {
        expect(alertSet(await runEngine(await inProcess({ ...options, shards }), batches))).toEqual(expected);
      }
    });
  });

  it('an engine that is stopped anywhere and goes on with another number of shards changes nothing', async () => {
    const input = fc.tuple(cases(kinds), fc.array(fc.constantFrom(1, 2, 3, 8), { minLength: 2, maxLength: 3 }));
    await holds(input, async ([{ rules, batches }, shardCounts]) => {
      const options = optionsOf(rules, lateness);
      const expected = alertSet(await runEngine(await inProcess({ ...options, shards: 1 }), batches));
      const store = new MemoryStore();
      const alerts = [];
      const perRun = Math.ceil(batches.length / shardCounts.length);
      for (const [index, shards] of shardCounts.entries()) {
        const engine = await inProcess({ ...options, shards, state: { store, every: '1h' } });
        expect(engine.resumeFrom).toBe(batches.slice(0, index * perRun).flat().length);
        const mine = batches.slice(index * perRun, (index + 1) * perRun);
        for (const batch of mine) alerts.push(...(await engine.push(batch)));
        if (index === shardCounts.length - 1) alerts.push(...(await engine.flush()));
        await engine.close();
      }
      expect(alertSet(alerts)).toEqual(expected);
      expect(alerts.length).toBe(expected.length);
    });
  });

  it('shards that die anywhere, and are rebuilt, change nothing', async () => {
    const input = fc.tuple(cases(kinds), fc.subarray([1, 7, 30, 90], { minLength: 1 }));
    let deaths = 0;
    await holds(input, async ([{ rules, batches }, diesAt]) => {
      const options = optionsOf(rules, lateness);
      const expected = alertSet(await runEngine(await inProcess({ ...options, shards: 2 }), batches));
      const dying = [new DyingHost(new Set(diesAt)), new DyingHost(new Set(diesAt.map((at) => at + 1)))];
      const engine = await startEngine({ ...options, shards: 2, journal: 4096 }, (shard) => dying[shard] as DyingHost);
      const alerts = await runEngine(engine, batches);
      expect(alertSet(alerts)).toEqual(expected);
      expect(alerts.length).toBe(expected.length);
      deaths += dying.reduce((sum, host) => sum + host.deaths, 0);
    });
    expect(deaths).toBeGreaterThan(0);
  });
});
