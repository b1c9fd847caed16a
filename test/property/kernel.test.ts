/**
 * The kernel against the oracle, and against itself by other ways in: every kind of rule, generated rules and events.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  correlator,
  throughBatches,
  throughNdjson,
  throughSession,
  withoutPrefilters,
} from '../support/correlator_engine.js';
import { comparable, oracle } from '../support/engines.js';
import { eventStream, type RuleKindName, ruleKinds, ruleSet, splits } from '../support/generators.js';

const seed = Number(process.env.VEDETTE_SEED ?? 20_260_101);
const numRuns = Number(process.env.VEDETTE_RUNS ?? 25);
const kinds = Object.keys(ruleKinds) as RuleKindName[];

async function holds<T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(arbitrary, property), { seed, numRuns });
}

describe('the kernel alerts as the oracle does', () => {
  it.each(kinds)('%s', async (kind) => {
    await holds(fc.tuple(ruleSet([kind]), eventStream()), async ([rules, events]) => {
      const expected = comparable(await oracle.run({ rules }, [events]), events);
      expect(comparable(await correlator.run({ rules }, [events]), events)).toEqual(expected);
    });
  });

  it('all kinds together', async () => {
    await holds(fc.tuple(ruleSet(kinds, 20), eventStream(80)), async ([rules, events]) => {
      const expected = comparable(await oracle.run({ rules }, [events]), events);
      expect(comparable(await correlator.run({ rules }, [events]), events)).toEqual(expected);
    });
  });
});

describe('the kernel alerts the same', () => {
  const input = fc
    .tuple(ruleSet(kinds, 10), eventStream())
    .chain(([rules, events]) => fc.tuple(fc.constant(rules), fc.constant(events), splits(events)));

  it.each([withoutPrefilters, throughNdjson, throughBatches, throughSession])('$name', async (engine) => {
    await holds(input, async ([rules, events, batches]) => {
      const expected = comparable(await correlator.run({ rules }, [events]), events);
      expect(comparable(await engine.run({ rules }, batches), events)).toEqual(expected);
    });
  });
});
