/** Runs every scenario over every engine, in order and in permuted order of arrival. */
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../src/correlator/alert.js';
import { type BehaviorAlert, type BehaviorDetail, createBehaviorJudge } from '../../src/correlator/behavior/judge.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { BehaviorRule, Rule } from '../../src/rule/ir.js';
import { compareEvents, ecsFieldNames, readEvent } from '../oracle/event.js';
import { createOracle } from '../oracle/oracle.js';
import { contentRule, elasticContentRule, shippedRule } from '../support/content.js';
import { inProcess, runEngine } from '../support/engine_runs.js';
import { type ExpectedDetection, loadScenarios, type Scenario } from '../support/scenario.js';
import { WitnessSource } from '../support/witness_source.js';

/** What an engine published: every revision, in order of publication. */
interface Engine {
  readonly name: string;
  run(scenario: Scenario, events: readonly Record<string, unknown>[]): Promise<readonly Published[]>;
}

interface Published extends Pick<BehaviorAlert, 'id' | 'ruleId' | 'revision' | 'severity' | 'suppressed'> {
  readonly detail?: BehaviorDetail;
}

/** Rules that are not behaviour rules, by the short name that scenarios use. */
const elasticRules: Readonly<Record<string, Rule>> = {
  'NT-LAUNCHD': elasticContentRule('persistence_python_launch_item'),
};

/** A shipped rule, configured as the scenario asks. */
function ruleOf(name: string, scenario: Scenario): Rule {
  const elastic = elasticRules[name];
  if (elastic !== undefined) return elastic;
  return scenario.config === undefined ? shippedRule(name) : contentRule(name, scenario.config);
}

const standIn: Engine = {
  name: 'the oracle, and the judge over its witnesses',
  async run(scenario, events) {
    return scenario.rules.flatMap((id) => {
      const rule = elasticRules[id];
      return rule === undefined
        ? judged(ruleOf(id, scenario) as BehaviorRule, scenario, events)
        : byOracle(id, rule, events);
    });
  },
};

function judged(
  rule: BehaviorRule,
  scenario: Scenario,
  events: readonly Record<string, unknown>[],
): readonly Published[] {
  const read = events.flatMap((source, ordinal) => readEvent(source, ordinal, ecsFieldNames) ?? []);
  const source = new WitnessSource(rule);
  const judge = createBehaviorJudge(rule, {
    minSeverity: scenario.minSeverity ?? 'low',
  });
  for (const event of [...read].sort(compareEvents)) {
    for (const witness of source.observe(event)) judge.observe(witness);
    judge.advance(event.host, event.timeUs);
  }
  judge.flush();
  return judge.drain();
}

function byOracle(name: string, rule: Rule, events: readonly Record<string, unknown>[]): readonly Published[] {
  const oracle = createOracle({ rules: [rule], lateness: '1000d', maxSkip: '1000d' });
  return [...oracle.push(events), ...oracle.flush()].map((alert) => ({
    id: `${alert.timeUs} ${JSON.stringify(alert.key)}`,
    ruleId: name,
    revision: 1,
    severity: rule.severity,
    suppressed: 0,
  }));
}

/** The whole engine: events in, alerts out, with enough lateness for any order of arrival. */
const correlator: Engine = {
  name: 'the correlator',
  async run(scenario, events) {
    const rules = scenario.rules.map((name) => ruleOf(name, scenario));
    const names = new Map(rules.map((rule, i) => [rule.id, scenario.rules[i] as string]));
    const running = await createCorrelator({
      rules,
      lateness: '30d',
      maxSkip: '30d',
      minSeverity: scenario.minSeverity ?? 'low',
    });
    const alerts = [...running.push(events), ...running.flush()];
    running.close();
    return publishedBy(alerts, scenario, names);
  },
};

function publishedBy(
  alerts: readonly Alert[],
  scenario: Scenario,
  names: ReadonlyMap<string, string>,
): readonly Published[] {
  const published = alerts.map((alert) => ({
    id: alert.id,
    ruleId: names.get(alert.rule.id) as string,
    revision: alert.revision,
    severity: alert.rule.severity,
    suppressed: alert.suppressed ?? 0,
    ...(alert.behavior === undefined ? {} : { detail: alert.behavior }),
  }));
  return scenario.rules.flatMap((name) => published.filter((alert) => alert.ruleId === name));
}

const engines: readonly Engine[] = [standIn, correlator];

/** Scenarios that one engine can run at once, each on hosts of its own: equal rules, equal options. */
function together(all: readonly Scenario[]): readonly (readonly Scenario[])[] {
  const groups = new Map<string, Scenario[]>();
  for (const scenario of all) {
    const key = JSON.stringify([scenario.rules, scenario.config, scenario.minSeverity]);
    groups.set(key, [...(groups.get(key) ?? []), scenario]);
  }
  return [...groups.values()];
}

const separator = '~';

/** The scenario's events on hosts that no other scenario has, and under ids of their own. */
function apart(scenario: Scenario): readonly Record<string, unknown>[] {
  const prefix = `${scenario.id}${separator}`;
  const named = (event: Record<string, unknown>, field: string) =>
    event[field] === undefined ? {} : { [field]: `${prefix}${event[field]}` };
  return scenario.events.map((event) => ({
    ...event,
    ...named(event, 'host.id'),
    ...named(event, 'host.name'),
    ...named(event, 'event.id'),
  }));
}

/** Runs scenarios at once; each must give what it gives alone. */
async function checkTogether(
  group: readonly Scenario[],
  run: (rules: readonly Rule[], options: JointOptions, events: readonly Record<string, unknown>[]) => Promise<Alert[]>,
): Promise<void> {
  const [first] = group as [Scenario];
  const rules = first.rules.map((name) => ruleOf(name, first));
  const names = new Map(rules.map((rule, i) => [rule.id, first.rules[i] as string]));
  const options = { lateness: '30d', maxSkip: '30d', minSeverity: first.minSeverity ?? 'low' } as const;
  const alerts = await run(rules, options, group.flatMap(apart));
  for (const scenario of group) {
    const own = alerts.filter(({ host }) => host?.id.startsWith(`${scenario.id}${separator}`));
    const found = lastRevisions(publishedBy(own, scenario, names)).map((alert, i) =>
      summary(alert, scenario.expect[i]),
    );
    expect({ scenario: scenario.id, found }).toEqual({ scenario: scenario.id, found: scenario.expect });
  }
}

interface JointOptions {
  readonly lateness: string;
  readonly maxSkip: string;
  readonly minSeverity: 'informational' | 'low';
}

/** The last revision of each detection, with the severities of all. */
function lastRevisions(published: readonly Published[]): readonly (Published & { revisions: string[] })[] {
  const byId = new Map<string, Published & { revisions: string[] }>();
  for (const alert of published) {
    const before = byId.get(alert.id)?.revisions ?? [];
    expect(alert.revision).toBe(before.length + 1);
    byId.set(alert.id, { ...alert, revisions: [...before, alert.severity] });
  }
  return [...byId.values()];
}

function summary(alert: Published & { revisions: string[] }, like: ExpectedDetection | undefined): ExpectedDetection {
  const { detail } = alert;
  if (detail === undefined) return { rule: alert.ruleId, severity: alert.severity };
  const classes = Object.entries(detail.classes).filter(([, value]) => value.level !== '');
  const counted = Object.keys(like?.instances ?? {});
  return {
    rule: alert.ruleId,
    severity: alert.severity,
    ...(like?.revisions === undefined ? {} : { revisions: alert.revisions }),
    ...(like?.confidence === undefined ? {} : { confidence: detail.confidence }),
    ...(like?.context === undefined ? {} : { context: detail.session.context }),
    ...(like?.tier === undefined ? {} : { tier: detail.session.tier }),
    ...(like?.classes === undefined
      ? {}
      : { classes: Object.fromEntries(classes.map(([name, value]) => [name, value.level])) }),
    ...(like?.instances === undefined
      ? {}
      : { instances: Object.fromEntries(counted.map((name) => [name, detail.classes[name]?.instances ?? 0])) }),
    ...(like?.modifiers === undefined ? {} : { modifiers: detail.modifiers }),
    ...(like?.pid === undefined ? {} : { pid: detail.session.pid as number }),
    ...(like?.weak === undefined ? {} : { weak: detail.weak }),
    ...(like?.suppressed === undefined ? {} : { suppressed: alert.suppressed }),
    ...(like?.techniques === undefined
      ? {}
      : { techniques: like.techniques.filter((id) => detail.techniques.includes(id)) }),
  };
}

async function check(engine: Engine, scenario: Scenario, events: readonly Record<string, unknown>[]): Promise<void> {
  const detections = lastRevisions(await engine.run(scenario, events));
  expect(detections.map((alert, i) => summary(alert, scenario.expect[i]))).toEqual(scenario.expect);
}

/** Every order of few items; of many a fixed set: reversed, interleaved, rotated. */
function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 5) return permutations(items);
  const odd = items.filter((_, i) => i % 2 === 1);
  const even = items.filter((_, i) => i % 2 === 0);
  const middle = items.length >> 1;
  return [[...items].reverse(), [...odd, ...even], [...items.slice(middle), ...items.slice(0, middle)]];
}

function permutations<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}

const scenarios = loadScenarios(new URL('./scenarios', import.meta.url).pathname);

describe.each(engines.map((engine) => [engine.name, engine] as const))('%s', (_, engine) => {
  test.each(scenarios.map((scenario) => [scenario.id, scenario.title, scenario] as const))(
    '%s: %s',
    async (_id, _title, scenario) => {
      await check(engine, scenario, scenario.events);
    },
  );

  test.each(scenarios.map((scenario) => [scenario.id, scenario] as const))(
    '%s: every event delivered twice changes nothing',
    async (_id, scenario) => {
      await check(
        engine,
        scenario,
        scenario.events.flatMap((event) => [event, event]),
      );
    },
  );

  test.each(scenarios.filter((one) => one.permute === true).map((scenario) => [scenario.id, scenario] as const))(
    '%s: the order of arrival changes nothing',
    async (_id, scenario) => {
      for (const order of orders(scenario.events)) await check(engine, scenario, order);
    },
  );
});

const variants = loadScenarios(new URL('./variants', import.meta.url).pathname);
const groupName = (group: readonly Scenario[]): string =>
  group.length === 1
    ? (group[0] as Scenario).id
    : `${group.length} scenarios of ${(group[0] as Scenario).rules.join(', ')}`;
const namedGroups = (all: readonly Scenario[]) => together(all).map((group) => [groupName(group), group] as const);
// Hosts whose names the configuration holds cannot be given other names.
const movable = scenarios.filter(({ config }) => !JSON.stringify(config ?? {}).includes('case_sensitive_hosts'));

describe.each([1, 2, 4])('all scenarios at once on the engine with %i shards', (shards) => {
  test.each(namedGroups(movable))('%s', async (_, group) => {
    await checkTogether(group, async (rules, options, events) =>
      runEngine(await inProcess({ rules, shards, ...options }), [events]),
    );
  });
});

describe('variants', () => {
  test.each(namedGroups(variants))('%s at once on the correlator', async (_, group) => {
    await checkTogether(group, async (rules, options, events) => {
      const running = await createCorrelator({ rules, ...options });
      return [...running.push(events), ...running.flush()];
    });
  });

  test.each(variants.map((scenario) => [scenario.id, scenario.title, scenario] as const))(
    'on the oracle: %s: %s',
    async (_id, _title, scenario) => {
      await check(standIn, scenario, scenario.events);
    },
  );
});

test('scenario 31: everything delivered twice, and again after a restart, gives the same detections under the same ids', async () => {
  const scenario = scenarios.find(({ id }) => id === 'mac-terminal-triad') as Scenario;
  const twice = scenario.events.flatMap((event) => [event, event]);
  const rules = scenario.rules.map((name) => ruleOf(name, scenario));
  const start = () => createCorrelator({ rules, lateness: '1m' });
  const ids = (alerts: readonly Alert[]) => [...new Set(alerts.map(({ id }) => id))].sort();
  const once = await start();
  const expected = ids([...once.push(scenario.events), ...once.flush()]);
  const first = await start();
  const before = first.push(twice);
  const restarted = await start();
  restarted.restore(first.snapshot());
  expect(ids([...before, ...restarted.push(twice), ...restarted.flush()])).toEqual(expected);
});
