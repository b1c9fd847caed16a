/** State of the kernel's rules as records and back: nothing that is told afterwards changes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StateRecord } from '../../src/core/abi/stateful.js';
import type { Rule, TemporalRule } from '../../src/rule/ir.js';
import { ecsFieldNames, type OracleEvent, readEvent } from '../oracle/event.js';
import { eventStream, type RuleKindName, ruleKinds, ruleSet, type Source } from '../support/generators.js';
import { equals, field, matchRule, ruleBase } from '../support/rules.js';
import { StatefulRun } from '../support/stateful_engine.js';

const seed = Number(process.env.VEDETTE_SEED ?? 20_260_101);
const numRuns = Number(process.env.VEDETTE_RUNS ?? 60);

const temporal = (ordered: boolean): Rule[] => {
  const part = (id: string, value: string): Rule => matchRule(id, equals('event.type', value));
  const by = [field('host.id')];
  const rule: TemporalRule = {
    ...ruleBase('t'),
    kind: 'temporal',
    rules: [
      { id: 'a', by },
      { id: 'b', by },
    ],
    windowUs: 5_000_000,
    ordered,
  };
  return [part('a', 'start'), part('b', 'info'), rule];
};

const placed = (events: readonly Source[]): OracleEvent[] =>
  events
    .flatMap((source, ordinal) => readEvent(source, ordinal, ecsFieldNames) ?? [])
    .sort((a, b) => a.timeUs - b.timeUs || a.ordinal - b.ordinal);

const told = (run: StatefulRun): string[] =>
  run
    .takeAlerts()
    .map(({ rule, alert }) => `${rule.id} ${alert.host} ${alert.timeUs} ${alert.value} ${alert.evidence.join()}`)
    .sort();

function finish(run: StatefulRun, events: readonly OracleEvent[]): string[] {
  for (const event of events) run.judge(event);
  run.kernel.exports.stateFlush();
  return told(run);
}

/** A run that has judged `events`; hosts are numbered alike in every run. */
function begin(rules: readonly Rule[], events: readonly OracleEvent[]): StatefulRun {
  const run = new StatefulRun(rules, 'event.category');
  for (const host of ['h1', 'h2', 'unknown']) run.hostOf(host);
  for (const event of events) run.judge(event);
  return run;
}

describe('a snapshot', () => {
  const kinds = (Object.keys(ruleKinds) as RuleKindName[]).filter((kind) => kind !== 'match' && kind !== 'lineage');
  const generated = kinds.map((kind) => [kind, ruleSet([kind])] as const);
  const ordered = fc.boolean().map(temporal);

  it.each([...generated, ['temporal', ordered] as const])(
    'restored anywhere changes nothing: %s',
    async (_, ruleSets) => {
      await fc.assert(
        fc.property(ruleSets, eventStream(), fc.nat(), fc.boolean(), (rules, sources, at, small) => {
          const events = placed(sources);
          const cut = events.length === 0 ? 0 : at % events.length;
          const first = begin(rules, events.slice(0, cut));
          told(first);
          const bytes = first.kernel.snapshot(small ? 512 : undefined);
          const second = begin(rules, []);
          second.kernel.restore(bytes);
          expect(second.kernel.snapshot().length).toBe(bytes.length);
          const rest = events.slice(cut);
          expect(finish(second, rest)).toEqual(finish(first, rest));
        }),
        { seed, numRuns, endOnFailure: false },
      );
    },
  );

  it('that is damaged is taken as far as it makes sense, and corrupts nothing', () => {
    const everything = kinds.map((kind) => ruleSet([kind]));
    fc.assert(
      fc.property(
        fc.tuple(...everything),
        eventStream(),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 30 }),
        (sets, sources, damage) => {
          const rules = sets.flat().map((rule, index) => ({ ...rule, id: `${index}` }));
          const events = placed(sources);
          const half = events.length >> 1;
          const bytes = begin(rules, events.slice(0, half)).kernel.snapshot();
          for (const [at, value] of damage) if (bytes.length > 0) bytes[at % bytes.length] = value;
          const run = begin(rules, []);
          run.kernel.restore(bytes);
          finish(run, events.slice(half));
        },
      ),
      { seed, numRuns, endOnFailure: false },
    );
  });

  it('of a rule that is gone is left out', () => {
    const [rules] = fc.sample(ruleSet(['sequence'], 1), { seed, numRuns: 1 });
    const [sources] = fc.sample(eventStream(), { seed, numRuns: 1 });
    const bytes = begin(rules as Rule[], placed(sources ?? [])).kernel.snapshot();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += view.getUint32(at + StateRecord.Bytes, true)) {
      view.setUint32(at + StateRecord.Rule, 7, true);
    }
    expect(begin(rules as Rule[], []).kernel.restore(bytes)).toBe(0);
  });
});
