/** The kernel's stateful rules against cases from outside and against the oracle. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runCase } from '../support/conformance/eql.js';
import { type CaseRow, eventsOf, readSuites } from '../support/conformance/rows.js';
import { comparable, oracle } from '../support/engines.js';
import { eventStream, type RuleKindName, ruleKinds, ruleSet, type Source } from '../support/generators.js';
import { hasShared, sharedPath } from '../support/shared.js';
import { statefulKernel } from '../support/stateful_engine.js';

const folder = 'conformance/eql';
const kinds = /"kind":"(sequence|sample|join)"/;

describe.skipIf(!hasShared(folder))('EQL cases from outside, judged by the stateful rules of the kernel', () => {
  const suites = hasShared(folder) ? readSuites(sharedPath(folder)) : [];
  for (const suite of suites) {
    const rows = suite.rows.filter((row) => 'expected' in row && 'query' in row && kinds.test(JSON.stringify(row)));
    if (rows.length === 0) continue;
    it.each(rows.map((row) => [row.id, row] as const))('%s', async (_, row) => {
      const one = row as unknown as CaseRow;
      const events = eventsOf(one, suite, sharedPath('conformance'));
      const outcome = await runCase(one, events, statefulKernel);
      expect(outcome).toEqual(await runCase(one, events, oracle));
    });
  }
});

/** Process identities are unique to a host, as they are outside. */
function withOwnProcesses(events: readonly Source[]): Source[] {
  return events.map((event) => {
    const { host, process } = event as { host?: { id?: string }; process?: Source & { entity_id?: string } };
    if (process?.entity_id === undefined) return event;
    return { ...event, process: { ...process, entity_id: `${host?.id ?? ''}-${process.entity_id}` } };
  });
}

describe('generated rules and events', () => {
  const seed = Number(process.env.VEDETTE_SEED ?? 20_260_101);
  const numRuns = Number(process.env.VEDETTE_RUNS ?? 100);
  const stateful = (Object.keys(ruleKinds) as RuleKindName[]).filter((kind) => kind !== 'match' && kind !== 'lineage');

  it.each(stateful)('have the same alerts in the kernel as in the oracle: %s', async (kind) => {
    await fc.assert(
      fc.asyncProperty(ruleSet([kind]), eventStream().map(withOwnProcesses), async (rules, events) => {
        fc.pre(rules.every((rule) => statefulKernel.refusal?.(rule) === undefined));
        const wanted = comparable(await oracle.run({ rules }, [events]), events);
        expect(comparable(await statefulKernel.run({ rules }, [events]), events)).toEqual(wanted);
      }),
      { seed, numRuns, verbose: 0, endOnFailure: false },
    );
  });
});
