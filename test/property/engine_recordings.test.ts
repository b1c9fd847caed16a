/**
 * Laws of the engine on recordings of attacks, with the shipped behaviour rules and one rule of every kind. Runs are
 * drawn from a seed, which every failure names: `VEDETTE_SEED=n` repeats one, `VEDETTE_RUNS=n` draws more.
 */
import { describe, expect, it } from 'vitest';
import type { Alert } from '../../src/correlator/alert.js';
import { type Engine, startEngine } from '../../src/engine/engine.js';
import type { EngineOptions } from '../../src/engine/options.js';
import { parseRules } from '../../src/language/load.js';
import { loadRules, shippedContent } from '../../src/node.js';
import type { NewTermsRule, Rule, TemporalRule } from '../../src/rule/ir.js';
import { alertSet, DyingHost, inProcess, MemoryStore, runCorrelator, runEngine } from '../support/engine_runs.js';
import type { Source } from '../support/generators.js';
import { pythonSession, recordedEvents } from '../support/recordings.js';
import { field, matches, matchRule, ruleBase } from '../support/rules.js';
import { hasShared } from '../support/shared.js';

const firstSeed = Number(process.env['VEDETTE_SEED'] ?? 1);
const seeds = Array.from({ length: Number(process.env['VEDETTE_RUNS'] ?? 2) }, (_, run) => firstSeed + run);
const recordings = [
  'psh_python_webserver',
  'empire_launcher_vbs',
  'schtask_modification',
  'empire_psexec_dcerpc_tcp_svcctl',
];
const isHere = hasShared('data/otrf');
const latenessUs = 3_000_000;

const named = (text: string) => matches('process.name', { type: 'equals', text });
const terms = (id: string, more: Partial<NewTermsRule>): NewTermsRule => ({
  ...ruleBase(id),
  kind: 'newTerms',
  query: { category: 'process', condition: { kind: 'literal', value: true } },
  fields: [field('process.name')],
  windowUs: 20_000_000,
  mode: 'eventTime',
  ...more,
});
const temporal = (id: string, ordered: boolean, by: string): TemporalRule => ({
  ...ruleBase(id),
  kind: 'temporal',
  rules: ['powershell', 'svchost'].map((rule) => ({ id: rule, by: [field(by)] })),
  windowUs: 5_000_000,
  ordered,
});
const eql: Readonly<Record<string, string>> = {
  'sequence-of-host':
    'sequence by host.id with maxspan=10s [process where true] [network where true] [registry where true]',
  'sequence-of-process':
    'sequence by process.entity_id with maxspan=30s [library where true] [process where true] until [process where event.type == "end"]',
  'sequence-across': 'sequence by process.name with maxspan=10s [library where true] [registry where true]',
};
const rules: readonly Rule[] = isHere
  ? [
      ...(await loadRules([shippedContent()])).rules,
      ...Object.entries(eql).flatMap(([id, query]) =>
        parseRules(query, { language: 'eql', file: `${id}.eql` }).rules.map((rule) => ({ ...rule, id })),
      ),
      matchRule('powershell', named('powershell.exe')),
      matchRule('svchost', named('svchost.exe')),
      temporal('temporal-across', false, 'event.code'),
      temporal('temporal-of-host', true, 'host.id'),
      terms('terms-of-host', { fields: [field('host.id'), field('process.name')] }),
      terms('terms-across', {}),
      terms('terms-by-schedule', {
        mode: 'elasticCompat',
        intervalUs: 5_000_000,
        lookbackUs: 7_000_000,
        maxSignals: 50,
      }),
      {
        ...ruleBase('hosts-of-program'),
        kind: 'aggregate',
        query: { category: 'process', condition: { kind: 'literal', value: true } },
        by: [field('process.name')],
        windowUs: 10_000_000,
        window: 'sliding',
        conditions: [{ function: { kind: 'distinct', field: field('host.id') }, op: '>=', value: 3 }],
        emit: 'crossing',
      },
    ]
  : [];
const options: EngineOptions = { rules, memory: '24MiB', lateness: latenessUs / 1000, buildingBlocks: true };
const python = [1, 2, 3, 4, 5, 6].flatMap((host) => pythonSession(`python-${host}`, 1000 + host * 1700));
const events = isHere ? recordedEvents(recordings, 400, python) : [];

/** Numbers below a bound, the same for a seed. */
function randomOf(seed: number): (below: number) => number {
  let state = Math.imul(seed, 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) % below;
  };
}

/** An order of arrival in which nothing is late, cut anywhere. */
function arrived(random: (below: number) => number): Source[][] {
  const order = events
    .map((event) => ({ event, us: timeUs(event) + random(latenessUs - 1) }))
    .sort((a, b) => a.us - b.us)
    .map(({ event }) => event);
  const batches: Source[][] = [];
  for (let at = 0; at < order.length; ) {
    const size = 1 + random(random(4) === 0 ? 20 : 300);
    batches.push(order.slice(at, at + size));
    at += size;
  }
  return batches;
}

const timeUs = (event: Source): number =>
  Date.parse(`${(event['@timestamp'] as string).slice(0, 23)}Z`) * 1000 +
  Number((event['@timestamp'] as string).slice(23, 26));

/** What does not depend on the order of arrival. */
const unordered = (alerts: readonly Alert[]): string[] =>
  [...new Set(alerts.map((alert) => JSON.stringify(alert).replaceAll(/"ordinal":\d+/g, '')))].sort();

describe.skipIf(!isHere)('on recordings', () => {
  it('every rule that is meant to has alerts', async () => {
    const alerts = await runCorrelator(options, [events]);
    const found = new Set(alerts.map(({ rule }) => rule.id));
    const meant = [...rules.slice(-11).map(({ id }) => id), 'AN0172'];
    expect(meant.filter((id) => !found.has(id))).toEqual([]);
  });

  it.each(seeds)('seed %i: 1, 2, 4 and 8 shards give the alerts of one correlator', async (seed) => {
    const batches = arrived(randomOf(seed));
    const expected = alertSet(await runCorrelator(options, [batches.flat()]));
    for (const shards of [1, 2, 4, 8]) {
      const alerts = await runEngine(await inProcess({ ...options, shards }), batches);
      expect(alertSet(alerts), `${shards} shards`).toEqual(expected);
      expect(alerts.length, `${shards} shards`).toBe(expected.length);
    }
  });

  it.each(seeds)('seed %i: the order of arrival changes nothing', async (seed) => {
    const random = randomOf(seed);
    const expected = unordered(await runEngine(await inProcess({ ...options, shards: 2 }), [events]));
    expect(unordered(await runEngine(await inProcess({ ...options, shards: 2 }), arrived(random)))).toEqual(expected);
  });

  it.each(seeds)('seed %i: state of 4 shards goes on in 1, 2 and 8', async (seed) => {
    const random = randomOf(seed);
    const batches = arrived(random);
    const expected = alertSet(await runEngine(await inProcess({ ...options, shards: 4 }), batches));
    const cut = 1 + random(batches.length - 1);
    const store = new MemoryStore();
    const first = await inProcess({ ...options, shards: 4, state: { store, every: '1h' } });
    const before = await pushed(first, batches.slice(0, cut));
    await first.close();
    for (const shards of [1, 2, 8]) {
      const copy = new MemoryStore();
      for (const [name, bytes] of store.kept) copy.kept.set(name, bytes);
      const second = await inProcess({ ...options, shards, state: { store: copy, every: '1h' } });
      const alerts = [...before, ...(await runEngine(second, batches.slice(cut)))];
      expect(alertSet(alerts), `${shards} shards`).toEqual(expected);
      expect(alerts.length, `${shards} shards`).toBe(expected.length);
    }
  });

  it.each(seeds)('seed %i: stops anywhere change nothing', async (seed) => {
    const random = randomOf(seed);
    const batches = arrived(random);
    const expected = alertSet(await runEngine(await inProcess({ ...options, shards: 2 }), batches));
    const store = new MemoryStore();
    const alerts: Alert[] = [];
    for (let at = 0; at < batches.length; ) {
      const engine = await inProcess({ ...options, shards: 1 + random(4), state: { store, every: '1h' } });
      const next = Math.min(batches.length, at + 1 + random(Math.ceil(batches.length / 2)));
      alerts.push(...(await pushed(engine, batches.slice(at, next))));
      if (next === batches.length) alerts.push(...(await engine.flush()));
      await engine.close();
      at = next;
    }
    expect(alertSet(alerts)).toEqual(expected);
    expect(alerts.length).toBe(expected.length);
  });

  it.each(seeds)('seed %i: shards that die anywhere change nothing', async (seed) => {
    const random = randomOf(seed);
    const batches = arrived(random);
    const expected = alertSet(await runEngine(await inProcess({ ...options, shards: 2 }), batches));
    // Two deaths each: a third over one input, its replay included, ends the engine.
    const dying = [0, 1].map(() => new DyingHost(new Set([1, 2].map(() => 1 + random(batches.length)))));
    const engine = await startEngine({ ...options, shards: 2, journal: 200_000 }, (shard) => dying[shard] as DyingHost);
    const alerts = await runEngine(engine, batches);
    expect(dying.reduce((sum, { deaths }) => sum + deaths, 0)).toBeGreaterThan(0);
    expect(alertSet(alerts)).toEqual(expected);
    expect(alerts.length).toBe(expected.length);
  });
});

async function pushed(engine: Engine, batches: readonly (readonly Source[])[]): Promise<Alert[]> {
  const alerts: Alert[] = [];
  for (const batch of batches) alerts.push(...(await engine.push(batch)));
  return alerts;
}
