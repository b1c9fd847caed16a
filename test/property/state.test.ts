/** The state of a correlator: a stop and a restore anywhere change nothing, and damage never reaches it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchError, SnapshotError } from '../../src/core/errors.js';
import type { Alert } from '../../src/correlator/alert.js';
import { type Correlator, createCorrelator } from '../../src/correlator/correlator.js';
import { encodeEvents } from '../../src/event/encoder.js';
import type { Rule } from '../../src/rule/ir.js';
import { mutateBytes } from '../fuzz/mutate.js';
import { Random } from '../fuzz/random.js';
import { plainAlert } from '../support/correlator_engine.js';
import { comparable } from '../support/engines.js';
import { eventStream, type RuleKindName, ruleKinds, ruleSet, type Source } from '../support/generators.js';

const seed = Number(process.env.VEDETTE_SEED ?? 20_260_101);
const numRuns = Number(process.env.VEDETTE_RUNS ?? 25);
const kinds = Object.keys(ruleKinds) as RuleKindName[];

async function holds<T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => Promise<void>): Promise<void> {
  await fc.assert(fc.asyncProperty(arbitrary, property), { seed, numRuns });
}

const create = (rules: readonly Rule[], lateness: string): Promise<Correlator> =>
  createCorrelator({ rules, lateness, memory: '16MiB' });

const plain = (alerts: readonly Alert[], rules: readonly Rule[], events: readonly Source[]): string[] => {
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  return comparable(
    alerts.map((alert) => plainAlert(alert, byId)),
    events,
  );
};

async function undisturbed(rules: readonly Rule[], events: readonly Source[], lateness = '0s'): Promise<Alert[]> {
  const correlator = await create(rules, lateness);
  return [...correlator.push(events), ...correlator.flush()];
}

describe('a stop and a restore anywhere change nothing', () => {
  it.each(kinds)('%s', async (kind) => {
    const input = fc.tuple(ruleSet([kind]), eventStream(), fc.nat(40), fc.constantFrom('0s', '5s'));
    await holds(input, async ([rules, events, at, lateness]) => {
      const first = await create(rules, lateness);
      const before = first.push(events.slice(0, at));
      const second = await create(rules, lateness);
      second.restore(first.snapshot());
      const after = [...second.push(events.slice(at)), ...second.flush()];
      const expected = await undisturbed(rules, events, lateness);
      expect(plain([...before, ...after], rules, events)).toEqual(plain(expected, rules, events));
      expect([...before, ...after].map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort());
    });
  });
});

describe('damage', () => {
  const input = fc.tuple(ruleSet(kinds, 6), eventStream(20), fc.nat(20), fc.nat());

  it('in a batch is refused without a trace, or read', async () => {
    await holds(input, async ([rules, events, at, damage]) => {
      const correlator = await create(rules, '0s');
      const alerts = correlator.push(events.slice(0, at));
      const bytes = mutateBytes(new Random(damage), encodeEvents(events, { fields: correlator.fields }));
      try {
        correlator.push(bytes, { as: 'batch' });
      } catch (error) {
        expect(error).toBeInstanceOf(BatchError);
        alerts.push(...correlator.push(events.slice(at)), ...correlator.flush());
        expect(plain(alerts, rules, events)).toEqual(plain(await undisturbed(rules, events), rules, events));
      }
    });
  });

  it('in a snapshot is refused without a trace', async () => {
    await holds(input, async ([rules, events, at, damage]) => {
      const first = await create(rules, '0s');
      first.push(events.slice(0, at));
      const bytes = first.snapshot();
      const damaged = mutateBytes(new Random(damage), bytes);
      if (Buffer.from(bytes).equals(damaged)) return;
      const second = await create(rules, '0s');
      expect(() => second.restore(damaged)).toThrow(SnapshotError);
      const alerts = [...second.push(events), ...second.flush()];
      expect(plain(alerts, rules, events)).toEqual(plain(await undisturbed(rules, events), rules, events));
    });
  });

  it('in lines costs those lines only', async () => {
    const lines = fc.array(
      fc.oneof(fc.string(), fc.constantFrom('{', '{"a":', '[1]', 'null', '{"@timestamp":"x"}', '"')),
    );
    await holds(fc.tuple(ruleSet(kinds, 6), eventStream(20), lines), async ([rules, events, bad]) => {
      const isEvent = (line: string): boolean =>
        line.trim() === '' || /^\s*\{.*@timestamp/.test(line.replaceAll('\n', ' '));
      const noise = bad.map((line) => line.replaceAll(/[\r\n]/g, ' ')).filter((line) => !isEvent(line));
      const correlator = await create(rules, '0s');
      const text = [...noise, ...events.map((event) => JSON.stringify(event))].join('\n');
      const alerts = [...correlator.push(text), ...correlator.flush()];
      const shifted = [...noise.map(() => ({})), ...events];
      expect(plain(alerts, rules, shifted)).toEqual(plain(await undisturbed(rules, events), rules, events));
      expect(correlator.stats().rows.skipped).toBe(noise.length);
    });
  });
});
