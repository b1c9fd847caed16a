/** How telemetry arrives: what the kernel counts of it, and the gaps that the report tells, on one kernel and on shards. */
import { describe, expect, test } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CoverageReport } from '../../src/correlator/coverage/report.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import { loadCoverageModel } from '../../src/engine/load_coverage.js';
import { shippedRule } from '../support/content.js';
import { inProcess } from '../support/engine_runs.js';

const coverage = await loadCoverageModel();
const rules = [shippedRule('AN0173'), shippedRule('AN0174')];
const options: CorrelatorOptions = { rules, coverage, lateness: '10s', memory: '32MiB' };

interface Short {
  readonly second: number;
  readonly sequence?: number;
  readonly id?: string;
  readonly host?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly ingestedAfter?: number;
}

const timeOf = (second: number): string => new Date(Date.UTC(2026, 0, 5) + second * 1000).toISOString();

const event = ({ second, sequence, id, host = 'mac', fields, ingestedAfter }: Short): Record<string, unknown> => ({
  '@timestamp': timeOf(second),
  'event.category': 'process',
  'event.type': 'start',
  'event.action': 'exec',
  'event.id': id ?? `${host}-${second}-${sequence ?? ''}`,
  ...(sequence === undefined ? {} : { 'event.sequence': sequence }),
  ...(ingestedAfter === undefined ? {} : { 'event.ingested': timeOf(second + ingestedAfter) }),
  'agent.type': 'endpoint',
  'host.id': host,
  'host.os.type': 'macos',
  'process.name': 'ls',
  'process.pid': 7,
  ...fields,
});

async function reportOf(events: readonly Short[], more: Partial<CorrelatorOptions> = {}): Promise<CoverageReport> {
  const correlator = await createCorrelator({ ...options, ...more });
  correlator.push(events.map(event));
  correlator.flush();
  const report = correlator.coverage();
  correlator.close();
  return report;
}

const numbered = (count: number, from = 0, without: readonly number[] = []): Short[] =>
  Array.from({ length: count }, (_, i) => ({ second: from + i, sequence: from + i })).filter(
    ({ sequence }) => !without.includes(sequence),
  );

const codesOf = ({ hosts: [host] }: CoverageReport): string[] => (host?.gaps ?? []).map(({ code }) => code);
const detailOf = ({ hosts: [host] }: CoverageReport, code: string): string | undefined =>
  host?.gaps.find((gap) => gap.code === code)?.detail;

describe('sequence numbers', () => {
  test('without a hole tell that nothing was lost', async () => {
    const report = await reportOf(numbered(50));
    expect(report.hosts[0]?.health).toMatchObject({ seqGaps: 0, estLostEvents: 0, duplicates: 0, lateEvents: 0 });
    expect(codesOf(report)).not.toContain('G-SEQ');
  });

  test('with holes tell how many events are missing, under G-SEQ', async () => {
    const report = await reportOf(numbered(50, 0, [10, 11, 30]));
    expect(report.hosts[0]?.health).toMatchObject({ seqGaps: 2, estLostEvents: 3 });
    expect(report.hosts[0]?.sources).toMatchObject([
      { id: 'elastic_defend', arrival: { seqGaps: 2, estLostEvents: 3 }, firstSeenUs: Date.UTC(2026, 0, 5) * 1000 },
    ]);
    expect(detailOf(report, 'G-SEQ')).toBe('about 3 events are missing, in 2 gaps');
  });

  test('that come in another order within the lateness tell the same', async () => {
    const events = numbered(50, 0, [10]);
    const mixed = events.map((_, i) => events[i % 2 === 0 ? Math.min(i + 1, events.length - 1) : i - 1] as Short);
    const shuffled = [...new Map(mixed.map((one) => [one.sequence, one])).values()];
    expect((await reportOf(shuffled)).hosts[0]?.health).toMatchObject({ estLostEvents: 1, lateEvents: 0 });
  });

  test('that begin anew are no hole', async () => {
    const before = Array.from({ length: 20 }, (_, i) => ({ second: i, sequence: 1_000_000 + i }));
    const after = Array.from({ length: 20 }, (_, i) => ({ second: 30 + i, sequence: i, id: `again-${i}` }));
    expect((await reportOf([...before, ...after])).hosts[0]?.health).toMatchObject({ estLostEvents: 0 });
  });

  test('are not asked of a source that has none', async () => {
    const report = await reportOf([{ second: 0 }, { second: 5 }]);
    expect(report.hosts[0]?.health).toMatchObject({ seqGaps: null, estLostEvents: null });
  });
});

describe('events that come again', () => {
  test('are counted under G-DUP, by their ids', async () => {
    const events = [0, 1, 2, 3].map((second) => ({ second, id: `e${second}` }));
    const report = await reportOf(events.flatMap((one) => [one, one]));
    expect(report.hosts[0]?.health).toMatchObject({ duplicates: 4, identifiedEvents: 8 });
    expect(detailOf(report, 'G-DUP')).toBe('4 of 8 events came again');
  });

  test('and have numbers but no ids are counted by their numbers', async () => {
    const fields = { 'event.id': undefined };
    const events = numbered(6).map((one) => ({ ...one, fields }));
    const report = await reportOf([...events, ...events]);
    expect(report.hosts[0]?.health).toMatchObject({ duplicates: 6, identifiedEvents: 0, estLostEvents: 0 });
  });
});

describe('events that come late', () => {
  test('are counted under G-LATE', async () => {
    const report = await reportOf([{ second: 0 }, { second: 100 }, { second: 20 }, { second: 101 }]);
    expect(report.hosts[0]?.health.lateEvents).toBe(1);
    expect(detailOf(report, 'G-LATE')).toBe('1 of 4 events came late');
  });

  test.each([
    [2, null],
    [300, null],
    [400, 'most events were taken in within an hour'],
    [7200, 'most events were taken in within a day'],
    [-4000, 'most events were taken in ahead of the event'],
  ])('taken in %d s after their own time, give this of the clock: %s', async (ingestedAfter, detail) => {
    const report = await reportOf([0, 1, 2].map((second) => ({ second, ingestedAfter })));
    expect(detailOf(report, 'G-CLOCK') ?? null).toBe(detail);
  });

  test('a few of them move no median', async () => {
    const events = [0, 1, 2, 3, 4].map((second) => ({ second, ingestedAfter: second < 2 ? 90_000 : 1 }));
    expect(codesOf(await reportOf(events))).not.toContain('G-CLOCK');
  });
});

describe('other gaps of a host', () => {
  test('a container that is not named is told under G-CONTAINER', async () => {
    const inContainer = { 'process.parent.name': 'containerd-shim-runc-v2' };
    expect(codesOf(await reportOf([{ second: 0, fields: inContainer }]))).toContain('G-CONTAINER');
    const named = { ...inContainer, 'container.id': 'c1' };
    expect(codesOf(await reportOf([{ second: 0, fields: named }]))).not.toContain('G-CONTAINER');
    expect(codesOf(await reportOf([{ second: 0 }]))).not.toContain('G-CONTAINER');
  });

  test('a baseline that is not in force is told under G-LEARNING, with the rules', async () => {
    const report = await reportOf(numbered(5), { baseline: { mode: 'learn' } });
    expect(report.hosts[0]?.gaps.find(({ code }) => code === 'G-LEARNING')).toMatchObject({
      rules: ['AN0173'],
      detail: 'AN0173: learning',
    });
    expect(codesOf(await reportOf(numbered(5)))).not.toContain('G-LEARNING');
  });

  test('data of a baseline that are not whole are told as refused', async () => {
    const learned = await createCorrelator({ ...options, baseline: { mode: 'learn' } });
    const data = { ...learned.baseline(), hash: 'another' };
    const report = await reportOf(numbered(5), { baseline: { mode: 'enforce', data } });
    expect(detailOf(report, 'G-LEARNING')).toBe('AN0173: refused');
  });

  test('events of no class that an analytic reads are told under G-UNCLASSIFIED', async () => {
    const report = await reportOf([{ second: 0, fields: { 'event.class': 'other' } }, { second: 1 }]);
    expect(detailOf(report, 'G-UNCLASSIFIED')).toBe('1 of 2 events are of no known kind');
  });

  test('process ids without more are told under G-PIDONLY', async () => {
    const connect = {
      'event.category': 'network',
      'event.action': 'connection_attempted',
      'destination.ip': '203.0.113.1',
    };
    expect(codesOf(await reportOf([{ second: 0, fields: connect }]))).toContain('G-PIDONLY');
    const strong = { ...connect, 'process.entity_id': 'e1' };
    expect(codesOf(await reportOf([{ second: 0, fields: strong }]))).not.toContain('G-PIDONLY');
  });

  test('lines that are no event are the stream’s: no host can be named', async () => {
    const correlator = await createCorrelator(options);
    correlator.push(`${JSON.stringify(event({ second: 0 }))}\n{"cut\n`);
    correlator.flush();
    const { stream, hosts } = correlator.coverage();
    expect(stream).toMatchObject({ skippedRows: 1, gaps: [{ code: 'G-PARSE', detail: '1 of 2 lines are no event' }] });
    expect(hosts[0]?.gaps.map(({ code }) => code)).not.toContain('G-PARSE');
  });
});

test('a sensor that says it collects a class makes its absence the absence of events', async () => {
  const python = { 'process.name': 'python3', 'process.args': ['python3', 'a.py'] };
  const says = { 'event.class': 'telemetry_health', 'x.health.collects': ['net_connect', 'file_write'] };
  const legs = async (events: Short[]) =>
    (await reportOf(events)).hosts[0]?.rules.find(({ rule }) => rule === 'AN0173')?.legs;
  expect((await legs([{ second: 0, fields: python }]))?.['NET']?.status).toBe('blind');
  expect(
    (
      await legs([
        { second: 0, fields: python },
        { second: 1, fields: says },
      ])
    )?.['NET']?.status,
  ).toBe('full');
});

/** Three hosts with holes, repetitions, late events and clocks that are off. */
function fleet(): Short[] {
  const hosts = ['mac', 'mini', 'studio', 'air', 'pro'];
  return hosts.flatMap((host, place) => [
    ...numbered(40, 0, [3, 17 + place]).map((one) => ({ ...one, host, ingestedAfter: place * 200 })),
    { second: 5, sequence: 5, host },
    { second: 39, sequence: 39, host },
  ]);
}

describe('of an engine', () => {
  const events = fleet().map(event);
  const batches = [events.slice(0, 70), events.slice(70, 90), events.slice(90)];

  test('is what one correlator tells, for any number of shards', async () => {
    const correlator = await createCorrelator(options);
    for (const batch of batches) correlator.push(batch);
    correlator.flush();
    const expected = correlator.coverage();
    expect(expected.topGaps.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['G-SEQ', 'G-DUP', 'G-LATE', 'G-CLOCK']),
    );
    for (const shards of [1, 2, 4]) {
      const engine = await inProcess({ ...options, shards });
      for (const batch of batches) await engine.push(batch);
      await engine.flush();
      expect(await engine.coverage()).toEqual(expected);
      await engine.close();
    }
  });

  test('goes on after a snapshot, repetitions included', async () => {
    const whole = await createCorrelator(options);
    const first = await createCorrelator(options);
    whole.push(events.slice(0, 41));
    first.push(events.slice(0, 41));
    const second = await createCorrelator(options);
    second.restore(first.snapshot());
    for (const one of [whole, second]) one.push(events.slice(41));
    for (const one of [whole, second]) one.flush();
    expect(second.coverage().hosts).toEqual(whole.coverage().hosts);
  });

  test('is refused without a model', async () => {
    const engine = await inProcess({ rules, shards: 1, memory: '32MiB' });
    await expect(engine.coverage()).rejects.toThrow('no coverage model');
    await engine.close();
  });
});
