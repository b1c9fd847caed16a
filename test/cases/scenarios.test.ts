/** Runs every scenario over every engine, in order and in permuted order of arrival. */
import { describe, expect, test } from 'vitest';
import { parseTimeUs } from '../../src/core/time.js';
import type { Alert } from '../../src/correlator/alert.js';
import { type BehaviorAlert, type BehaviorDetail, createBehaviorJudge } from '../../src/correlator/behavior/judge.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CoverageReport } from '../../src/correlator/coverage/report.js';
import { ExceptionSet, type ExceptionUse } from '../../src/correlator/exceptions.js';
import { loadCoverageModel } from '../../src/engine/load_coverage.js';
import { parseExceptions } from '../../src/language/exceptions.js';
import type { Exception } from '../../src/rule/exception.js';
import type { BehaviorRule, Rule } from '../../src/rule/ir.js';
import { createSourceReader } from '../../src/source/reader.js';
import { compareEvents, ecsFieldNames, readEvent } from '../oracle/event.js';
import { createOracle } from '../oracle/oracle.js';
import { inProcess, MemoryStore, runEngine } from '../support/engine_runs.js';
import { type ExpectedDetection, loadScenarios, type Scenario, startMs } from '../support/scenario.js';
import { elasticRules, ruleOf } from '../support/scenario_rules.js';
import { WitnessSource } from '../support/witness_source.js';

/** What an engine published: every revision, in order of publication. */
interface Engine {
  readonly name: string;
  run(scenario: Scenario, events: readonly Record<string, unknown>[]): Promise<readonly Published[]>;
}

interface Published extends Pick<BehaviorAlert, 'id' | 'ruleId' | 'revision' | 'severity' | 'suppressed'> {
  readonly detail?: BehaviorDetail;
  readonly timeUs?: number;
  readonly notes?: readonly string[];
  readonly host?: { readonly id: string };
  readonly coverage?: Readonly<Record<string, string>>;
  /** Of an engine that tells neither notes nor hosts. */
  readonly isPlain?: true;
}

const model = await loadCoverageModel();

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
  const exceptions = exceptionsOf(scenario);
  const judge = createBehaviorJudge(rule, {
    minSeverity: scenario.minSeverity ?? 'low',
    ...(exceptions.length === 0 ? {} : { exceptions: new ExceptionSet(exceptions) }),
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
    timeUs: alert.timeUs,
    isPlain: true,
  }));
}

/** The scenario's exceptions, all of which must be proper. */
function exceptionsOf({ exceptions: items }: Scenario): readonly Exception[] {
  if (items === undefined) return [];
  const { exceptions, problems } = parseExceptions(JSON.stringify({ exceptions: items }));
  expect(problems).toEqual([]);
  return exceptions;
}

/** The whole engine: events in, alerts out, with enough lateness for any order of arrival. */
const correlator: Engine = {
  name: 'the correlator',
  async run(scenario, events) {
    const rules = scenario.rules.map((name) => ruleOf(name, scenario));
    const names = new Map(rules.map((rule, i) => [rule.id, scenario.rules[i] as string]));
    const start = () =>
      createCorrelator({
        rules,
        lateness: scenario.lateness ?? '30d',
        maxSkip: '30d',
        minSeverity: scenario.minSeverity ?? 'low',
        exceptions: exceptionsOf(scenario),
        ...(scenario.coverage === undefined ? {} : { coverage: model }),
      });
    let running = await start();
    const alerts: Alert[] = [];
    for (const [count, batch] of batchesOf(scenario, events).entries()) {
      if (count === scenario.restartAfter) {
        const next = await start();
        next.restore(running.snapshot());
        running = next;
      }
      alerts.push(...running.push(batch));
    }
    alerts.push(...running.flush());
    checkAside(scenario, running.exceptions(), scenario.coverage && running.coverage());
    running.close();
    return publishedBy(alerts, scenario, names);
  },
};

/** One push for all, or one for each event. */
const batchesOf = (
  { lateness, restartAfter }: Scenario,
  events: readonly Record<string, unknown>[],
): readonly (readonly Record<string, unknown>[])[] =>
  lateness === undefined && restartAfter === undefined ? [events] : events.map((event) => [event]);

/** What a scenario says of exceptions and coverage. */
function checkAside(
  { audit, coverage }: Scenario,
  uses: readonly ExceptionUse[],
  report: CoverageReport | undefined,
): void {
  if (audit !== undefined) {
    const counts = uses.map(({ exception, matched, matchedAfterExpiry: afterExpiry }) => [
      exception.id,
      { matched, afterExpiry },
    ]);
    expect(Object.fromEntries(counts)).toEqual(audit);
  }
  for (const [id, expected] of Object.entries(coverage ?? {})) {
    const host = report?.hosts.find((one) => one.host.id === id);
    const statuses = (host?.rules ?? []).flatMap(({ rule, status, base, legs }) => [
      [rule, status] as const,
      [`${rule}.base`, base.status] as const,
      ...Object.entries(legs).map(([leg, verdict]) => [`${rule}.${leg}`, verdict.status] as const),
    ]);
    const { gaps = [], ...wanted } = expected;
    expect({ ...Object.fromEntries(statuses), duplicates: host?.health.duplicates }).toMatchObject(wanted);
    expect(host?.gaps.map(({ code }) => code)).toEqual(expect.arrayContaining(gaps as string[]));
  }
}

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
    timeUs: parseTimeUs(alert.time),
    ...(alert.notes === undefined ? {} : { notes: alert.notes }),
    ...(alert.host === null ? {} : { host: alert.host }),
    ...(alert.coverage === undefined ? {} : { coverage: alert.coverage }),
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

/** The oracle's lineage knows one kind of identity at a time, and documents of other sources may have several. */
const isOfReader = ({ events }: Scenario): boolean => events.some((event) => 'winlog' in event);

/** The scenario's events as an engine reads them: documents of other sources go through the reader. */
function readable({ events }: Scenario): readonly Record<string, unknown>[] {
  const reader = createSourceReader('auto');
  const lines = new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const read = [reader.read(lines), reader.end()].map((bytes) => new TextDecoder().decode(bytes)).join('');
  expect(reader.tally.unrecognised).toBe(0);
  return read.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Record<string, unknown>]));
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
  const plain = {
    rule: alert.ruleId,
    severity: alert.severity,
    ...(like?.revisions === undefined ? {} : { revisions: alert.revisions }),
    ...(like?.at === undefined ? {} : { at: ((alert.timeUs ?? 0) - startMs * 1000) / 1e6 }),
    ...(like?.host === undefined ? {} : { host: alert.isPlain === true ? like.host : (alert.host?.id ?? 'none') }),
    ...(like?.coverage === undefined ? {} : { coverage: alert.coverage ?? {} }),
    ...(like?.notes === undefined ? {} : { notes: alert.isPlain === true ? like.notes : (alert.notes ?? []) }),
  };
  if (detail === undefined) return plain;
  const classes = Object.entries(detail.classes).filter(([, value]) => value.level !== '');
  const counted = Object.keys(like?.instances ?? {});
  return {
    ...plain,
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

/** Scenarios about arrival, restarts, exceptions or coverage: they say how they are run. */
const isSpecial = ({ lateness, restartAfter, exceptions, coverage }: Scenario): boolean =>
  [lateness, restartAfter, exceptions, coverage].some((key) => key !== undefined);
const all = loadScenarios(new URL('./scenarios', import.meta.url).pathname).filter(({ spans }) => spans === undefined);
const scenarios = all.filter((one) => !isSpecial(one));

describe.each(all.filter(isSpecial).map((scenario) => [scenario.id, scenario.title, scenario] as const))(
  '%s: %s',
  (_id, _title, scenario) => {
    test('on the correlator', () => check(correlator, scenario, readable(scenario)));

    test.each([1, 2, 4])('on the engine with %i shards', async (shards) => {
      const rules = scenario.rules.map((name) => ruleOf(name, scenario));
      const names = new Map(rules.map((rule, i) => [rule.id, scenario.rules[i] as string]));
      const { lateness = '30d', minSeverity = 'low' } = scenario;
      const asked = { exceptions: exceptionsOf(scenario), ...(scenario.coverage && { coverage: model }) };
      const options = { rules, shards, lateness, maxSkip: '30d', minSeverity, ...asked };
      const store = new MemoryStore();
      const start = () => inProcess({ ...options, state: { store } });
      let engine = await start();
      const alerts: Alert[] = [];
      for (const [count, batch] of batchesOf(scenario, readable(scenario)).entries()) {
        if (count === scenario.restartAfter) {
          await engine.close();
          engine = await start();
        }
        alerts.push(...(await engine.push(batch)));
      }
      alerts.push(...(await engine.flush()));
      const { exceptions } = await engine.stats();
      checkAside(scenario, exceptions, scenario.coverage && (await engine.coverage()));
      await engine.close();
      const found = lastRevisions(publishedBy(alerts, scenario, names));
      expect(found.map((alert, i) => summary(alert, scenario.expect[i]))).toEqual(scenario.expect);
    });

    const isOfOracle = scenario.lateness === undefined && scenario.coverage === undefined && !isOfReader(scenario);
    test.runIf(isOfOracle)('on the oracle', () => check(standIn, scenario, readable(scenario)));
  },
);

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

  test.each(scenarios.map((scenario) => [scenario.id, scenario] as const))(
    '%s: the order of arrival changes nothing',
    async (_id, scenario) => {
      const all = scenario.permute === true ? orders(scenario.events) : [[...scenario.events].reverse()];
      for (const order of all) await check(engine, scenario, order);
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
  test.each(namedGroups([...movable, ...variants]))('%s', async (_, group) => {
    await checkTogether(group, async (rules, options, events) =>
      runEngine(await inProcess({ rules, shards, ...options }), [events]),
    );
  });

  test.each(namedGroups([...movable, ...variants]))('%s, the last event first', async (_, group) => {
    await checkTogether(group, async (rules, options, events) =>
      runEngine(await inProcess({ rules, shards, ...options }), [[...events].reverse()]),
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
