/**
 * The laws that hold for every rule and every stream, on generated ones. A failure prints the seed and the smallest
 * rules and events that break the law.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { engines } from '../support/correlator_engine.js';
import { comparable, oracle } from '../support/engines.js';
import { arrivals, eventStream, type RuleKindName, ruleKinds, ruleSet, splits } from '../support/generators.js';

const seed = Number(process.env.VEDETTE_SEED ?? 20_260_101);
const numRuns = Number(process.env.VEDETTE_RUNS ?? 25);
const kinds = Object.keys(ruleKinds) as RuleKindName[];

const latenessUs = 5_000_000;

/** Checks a property with the fixed seed. */
async function holds<T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(arbitrary, property), { seed, numRuns, verbose: 0, endOnFailure: false });
}

describe.each(engines)('laws of the $name', (engine) => {
  it.each(kinds)('any split into batches gives equal alerts: %s', async (kind) => {
    const input = fc
      .tuple(ruleSet([kind]), eventStream())
      .chain(([rules, events]) => fc.tuple(fc.constant(rules), fc.constant(events), splits(events)));
    await holds(input, async ([rules, events, batches]) => {
      const whole = comparable(await engine.run({ rules }, [events]), events);
      expect(comparable(await engine.run({ rules }, batches), events)).toEqual(whole);
    });
  });

  it.each(kinds)('any arrival order within the lateness gives equal alerts: %s', async (kind) => {
    const input = fc
      .tuple(ruleSet([kind]), eventStream())
      .chain(([rules, events]) => fc.tuple(fc.constant(rules), fc.constant(events), arrivals(events, latenessUs)));
    await holds(input, async ([rules, events, arrived]) => {
      const lateness = latenessUs / 1000;
      const inOrder = comparable(await engine.run({ rules, lateness }, [events]), events);
      expect(comparable(await engine.run({ rules, lateness }, [arrived]), arrived)).toEqual(inOrder);
    });
  });
});

describe('generated rules and events', () => {
  it.each(kinds)('make rules fire and not fire: %s', async (kind) => {
    const counts = { fired: 0, silent: 0 };
    await holds(fc.tuple(ruleSet([kind], 1), eventStream()), async ([rules, events]) => {
      const alerts = await oracle.run({ rules }, [events]);
      counts[alerts.length > 0 ? 'fired' : 'silent']++;
    });
    expect(Math.min(counts.fired, counts.silent), JSON.stringify(counts)).toBeGreaterThan(numRuns / 20);
  });
});
