/** Scenarios about how many alerts come when: bounds that a stream's end would hide. */
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../src/correlator/alert.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { createOracle } from '../oracle/oracle.js';
import { inProcess } from '../support/engine_runs.js';
import { type ExpectedSpan, loadScenarios, type Scenario, startMs } from '../support/scenario.js';
import { ruleOf } from '../support/scenario_rules.js';

/** Something that takes events, and tells what it publishes by a time. */
interface Stream {
  push(events: readonly Record<string, unknown>[]): Promise<Told[]>;
  advance(timeMs: number): Promise<Told[]>;
  flush(): Promise<Told[]>;
}

/** An alert's key, or what a record of bounded alerts says. */
type Told = { readonly key: readonly unknown[] } | { readonly capped: number };

const optionsOf = (scenario: Scenario) => ({
  rules: scenario.rules.map((name) => ruleOf(name, scenario)),
  lateness: scenario.lateness ?? '0s',
  ...(scenario.caps === undefined ? {} : { caps: scenario.caps }),
});

const toldBy = (alerts: readonly Alert[]): Told[] =>
  alerts.map(({ key, notes, suppressed = 0 }) =>
    notes?.some((note) => note.startsWith('capped:')) === true
      ? { capped: suppressed }
      : { key: Object.values(key ?? {}) },
  );

async function correlatorOf(scenario: Scenario): Promise<Stream> {
  const running = await createCorrelator(optionsOf(scenario));
  return {
    push: async (events) => toldBy(running.push(events)),
    advance: async (timeMs) => toldBy(running.advance(new Date(timeMs))),
    flush: async () => toldBy(running.flush()),
  };
}

async function engineOf(scenario: Scenario, shards: number): Promise<Stream> {
  const engine = await inProcess({ ...optionsOf(scenario), shards });
  return {
    push: async (events) => toldBy(await engine.push(events)),
    advance: async (timeMs) => toldBy(await engine.advance(new Date(timeMs))),
    flush: async () => toldBy(await engine.flush()),
  };
}

function oracleOf(scenario: Scenario): Stream {
  const oracle = createOracle(optionsOf(scenario));
  const told = (alerts: readonly { readonly key: readonly unknown[] | null }[]): Told[] =>
    alerts.map(({ key }) => ({ key: key ?? [] }));
  return {
    push: async (events) => told(oracle.push(events)),
    advance: async (timeMs) => told(oracle.advance(new Date(timeMs).toISOString())),
    flush: async () => told(oracle.flush()),
  };
}

/** Runs the scenario; `tellsCapped`: the stream has records of what was held back. */
async function check(stream: Stream, scenario: Scenario, order: Order, tellsCapped = true): Promise<void> {
  const expected = scenario.spans ?? [];
  let told = await stream.push(order(scenario.events));
  for (const span of expected) {
    told = [...told, ...(await stream.advance(startMs + span.by * 1000))];
    expect(summary(told, span)).toEqual(
      tellsCapped ? span : { ...span, ...(span.capped === undefined ? {} : { capped: 0 }) },
    );
    told = [];
  }
  expect(await stream.flush()).toEqual([]);
}

type Order = (events: Scenario['events']) => Scenario['events'];

function summary(told: readonly Told[], like: ExpectedSpan): ExpectedSpan {
  const keys = told.flatMap((one) => ('key' in one ? [String(one.key.at(-1)).split('/').at(-1) ?? ''] : [])).sort();
  const capped = told.reduce((sum, one) => sum + ('capped' in one ? one.capped : 0), 0);
  return {
    by: like.by,
    alerts: keys.length,
    ...(like.capped === undefined && capped === 0 ? {} : { capped }),
    ...(like.keys === undefined ? {} : { keys: [keys[0] ?? '', keys.at(-1) ?? ''] as const }),
  };
}

const scenarios = loadScenarios(new URL('./scenarios', import.meta.url).pathname).filter(
  ({ spans }) => spans !== undefined,
);
const inOrder: Order = (events) => events;
const reversed: Order = (events) => [...events].reverse();

describe.each(scenarios.map((scenario) => [scenario.id, scenario.title, scenario] as const))(
  '%s: %s',
  (_id, _title, scenario) => {
    test('on the correlator', async () => check(await correlatorOf(scenario), scenario, inOrder));

    test.each([1, 2, 4])('on the engine with %i shards', async (shards) =>
      check(await engineOf(scenario, shards), scenario, inOrder),
    );

    // Bounds by schedule are part of what the oracle judges; bounds of published alerts come after it.
    test.runIf(scenario.caps === undefined)('on the oracle', () => check(oracleOf(scenario), scenario, inOrder, false));

    test.runIf(scenario.permute)('the order of arrival changes nothing', async () => {
      await check(await correlatorOf(scenario), scenario, reversed);
      await check(await engineOf(scenario, 2), scenario, reversed);
    });
  },
);
