/** The engine's interface: what it takes, what it refuses, how it recovers and reloads. Shards run in process. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BatchError, SnapshotError, UsageError } from '../../src/core/errors.js';
import { createEngine, type Engine, startEngine } from '../../src/engine/engine.js';
import type { EngineOptions } from '../../src/engine/options.js';
import { planShards } from '../../src/engine/plan.js';
import { inputsOf } from '../../src/engine/sources.js';
import { createEncoder, encodeEvents } from '../../src/event/encoder.js';
import { alertSet, DyingHost, inProcess, MemoryStore } from '../support/engine_runs.js';
import { equals, matches, matchRule, sequenceRule, step } from '../support/rules.js';

const named = (text: string) => matches('process.name', { type: 'equals', text });
const evil = matchRule('evil', named('evil'));
const within = sequenceRule('within', [step(named('a'), ['host.id']), step(named('b'), ['host.id'])], {
  maxspanUs: 600_000_000,
});
const across = sequenceRule('across', [step(named('a'), ['user.name']), step(named('b'), ['user.name'])], {
  maxspanUs: 600_000_000,
});
const rules = [evil, within, across];
const options = { rules, memory: '12MiB', shards: 3 };

const event = (index: number, name: string, host = `h${index % 5}`) => ({
  '@timestamp': new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString(),
  event: { id: `e${index}`, category: 'process' },
  host: { id: host },
  user: { name: `u${index % 3}` },
  process: { name },
});
const events = Array.from({ length: 60 }, (_, index) => event(index, ['a', 'b', 'evil', 'c'][index % 4] as string));
const lines = events.map((one) => JSON.stringify(one)).join('\n');

const engines: Engine[] = [];
async function start(more: Partial<EngineOptions> = {}): Promise<Engine> {
  const engine = await inProcess({ ...options, ...more });
  engines.push(engine);
  return engine;
}
let expected: string[] = [];
beforeEach(async () => {
  if (expected.length === 0) expected = alertSet(await (await start()).push(events));
});
afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close().catch(() => undefined)));
});

async function collect(alerts: AsyncIterable<unknown>): Promise<string[]> {
  const found = [];
  for await (const alert of alerts) found.push(JSON.stringify(alert));
  return found.sort();
}

describe('ingest', () => {
  const bytes = Buffer.from(lines);
  const cut = (size: number): Buffer[] =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
  it.each([
    ['a Node stream that cuts lines', () => Readable.from(cut(37), { objectMode: false })],
    ['an array of chunks', () => cut(1000)],
    ['a web stream', () => Readable.toWeb(Readable.from(cut(250), { objectMode: false })) as never],
    ['arrays of objects', () => [events.slice(0, 20), events.slice(20)]],
    ['single objects', () => events],
    ['texts', () => [lines.slice(0, 333), lines.slice(333)]],
    [
      'batches',
      async function* () {
        const encoder = createEncoder({ fields: (await start()).fields });
        yield encoder.encode(events.slice(0, 25));
        yield encoder.encode(events.slice(25));
      },
    ],
  ])('takes %s', async (_name, source) => {
    const engine = await start();
    expect(await collect(engine.ingest(source() as never))).toEqual(expected);
    expect((await engine.stats()).events).toBe(events.length);
  });

  it('tells how far each shard lies behind the newest event of all', async () => {
    const engine = await start();
    await engine.push(events);
    const { newestUs, shards } = await engine.stats();
    expect(newestUs).not.toBeNull();
    const lags = shards.map(({ lagUs }) => lagUs).filter((lagUs) => lagUs !== null);
    expect(lags.length).toBeGreaterThan(0);
    for (const lagUs of lags) expect(lagUs).toBeGreaterThanOrEqual(0);
  });

  it('keeps no more of an endless line than makes it too long, and counts it once', async () => {
    const engine = await start();
    const source = (async function* () {
      yield Buffer.from(`${lines}\n`);
      for (let i = 0; i < 120; i++) yield Buffer.alloc(64 * 1024, 'x');
      yield Buffer.from(`x\n${JSON.stringify(event(60, 'evil'))}\n`);
    })();
    expect(await collect(engine.ingest(source))).toHaveLength(expected.length + 1);
    const { events: rows, rows: counts, skippedExamples } = await engine.stats();
    expect([rows, counts.skipped]).toEqual([events.length + 2, 1]);
    expect(skippedExamples).toMatchObject([{ ordinal: 60, reason: 'line too long' }]);
  });

  it.each([
    ['one long chunk', ['aa\n123456789', '0\nbb\n'], 'aa\n12345678\nbb\n'],
    ['many chunks', ['1234', '5678', '90ab', 'cdef', '\nbb'], '12345678\nbb'],
    ['the end of the stream', ['a\n12345', '67890'], 'a\n12345678'],
    ['two such lines', ['1234567890', '1\n', '0987654321', '\nx\n'], '12345678\n09876543\nx\n'],
    ['a line of just that length', ['1234', '5678\n', 'x'], '12345678\nx'],
  ])('cuts a line that is too long off: %s', async (_name, chunks, text) => {
    const inputs: string[] = [];
    for await (const input of inputsOf(chunks, 'ndjson', 8)) inputs.push(Buffer.from(input as Uint8Array).toString());
    expect(inputs.join('')).toBe(text);
  });

  it('takes no more than it can apply when its reader is slow', async () => {
    const engine = await start();
    let taken = 0;
    const source = (async function* () {
      for (let i = 0; i < 200; i++) {
        taken++;
        yield [event(i, 'evil')];
      }
    })();
    const alerts = engine.ingest(source);
    await alerts.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(taken).toBeLessThan(8);
    await alerts.return();
  });

  it('stops at the signal, gives out what was taken, and throws its reason', async () => {
    const engine = await start();
    const controller = new AbortController();
    const found: unknown[] = [];
    const source = (async function* () {
      yield [event(0, 'evil')];
      controller.abort(new Error('enough'));
      await new Promise(() => undefined);
    })();
    const reading = (async () => {
      for await (const alert of engine.ingest(source, { signal: controller.signal })) found.push(alert);
    })();
    await expect(reading).rejects.toThrow('enough');
    expect(found).toHaveLength(1);
  });
});

describe('push', () => {
  it('gives ordinals by place in the whole stream, and skipped rows take one', async () => {
    const engine = await start();
    await engine.push('{"no":"time"}\n\n');
    await engine.push('not json\n');
    const [alert] = await engine.push([event(5, 'evil')]);
    expect(alert?.evidence[0]).toMatchObject({ ordinal: 2, eventId: 'e5' });
    const { rows, skippedExamples } = await engine.stats();
    expect(rows.skipped).toBe(2);
    expect(skippedExamples.map(({ ordinal }) => ordinal)).toEqual([0, 1]);
  });

  it('finds the same shard for a host however it is named', async () => {
    const engine = await start();
    const at = (second: number) => `"@timestamp":"2026-01-01T00:00:0${second}Z"`;
    const named = (second: number, host: string, name: string) =>
      `{${at(second)},${host},"process":{"name":"${name}"}}`;
    const text = [
      named(1, '"host":{"id":"x1"}', 'a'),
      named(2, '"host.id":"x1"', 'b'),
      named(3, '"host":{"id":"first"},"host.id":"\\u0078\\u0032"', 'a'),
      named(4, '"nested":{"host":{"id":"other"}},"host":{"id":"x2"}', 'b'),
    ].join('\n');
    const alerts = (await engine.push(text)).filter(({ rule }) => rule.id === 'within');
    expect(alerts.map(({ key }) => key)).toEqual([{ 'host.id': 'x1' }, { 'host.id': 'x2' }]);
  });

  it('refuses a damaged batch and goes on untouched', async () => {
    const engine = await start();
    const batch = encodeEvents(events, { fields: engine.fields });
    await expect(engine.push(batch.slice(0, batch.length - 40))).rejects.toThrow(BatchError);
    expect(alertSet(await engine.push(batch))).toEqual(expected);
    const { batches, events: rows } = await engine.stats();
    expect(batches.refused).toBe(1);
    expect(rows).toBe(events.length);
  });

  it('refuses a batch whose texts are damaged, of any column, and goes on untouched', async () => {
    const engine = await start();
    const batch = encodeEvents(events, { fields: engine.fields });
    const damaged = batch.map((byte, at) => (byte === 0x65 && batch[at + 1] === 0x76 ? 0xff : byte));
    await expect(engine.push(damaged)).rejects.toMatchObject({ code: 'BATCH_DICTIONARY' });
    expect(alertSet(await engine.push(batch))).toEqual(expected);
    expect((await engine.stats()).batches.refused).toBe(1);
  });

  it('is refused after flush and after close', async () => {
    const engine = await start();
    await engine.flush();
    await expect(engine.push(events)).rejects.toThrow(UsageError);
    await engine.close();
    await expect(engine.push(events)).rejects.toThrow(/closed/);
  });
});

describe('a session of delta batches', () => {
  const pushed = async (engine: Engine, reload: boolean): Promise<string[]> => {
    const encoder = createEncoder({ fields: engine.fields });
    const alerts = [];
    for (let at = 0; at < 60; at += 10) {
      alerts.push(...(await engine.push(encoder.encode(events.slice(at, at + 10)))));
      if (at === 20) await engine.snapshot();
      if (reload && at === 30) await engine.reload(rules);
    }
    return alertSet(alerts);
  };

  it('goes on when shards die in the middle of it', async () => {
    const hosts = [new DyingHost(new Set([3, 6])), new DyingHost(new Set([5])), new DyingHost(new Set([7]))];
    const engine = await startEngine(options, (shard) => hosts[shard] as DyingHost);
    engines.push(engine);
    expect(await pushed(engine, false)).toEqual(expected);
    expect(hosts.every(({ deaths }) => deaths > 0)).toBe(true);
  });

  it('goes on over a reload', async () => {
    expect(await pushed(await start(), true)).toEqual(expected);
  });

  it('is refused where its shards could not hold it, and the engine goes on', async () => {
    const engine = await start();
    const encoder = createEncoder({
      fields: engine.fields,
      limits: { codes: 1e9, ids: 1e9, textBytes: 1e9, idBytes: 1e9 },
    });
    const many = Array.from({ length: 20_000 }, (_, i) => event(i, `name-${i}`));
    const refusals = [];
    for (let at = 0; at < many.length; at += 2000) {
      const refused = await engine.push(encoder.encode(many.slice(at, at + 2000))).then(
        () => undefined,
        (error: BatchError) => error.code,
      );
      if (refused !== undefined) refusals.push(refused);
    }
    expect(refusals[0]).toBe('BATCH_SIZE');
    encoder.reset();
    expect(alertSet(await engine.push(encoder.encode(events)))).not.toEqual([]);
  });

  it('ends when it outgrows the journal: its next batch is refused and changes nothing', async () => {
    const engine = await start({ journal: 100 });
    const encoder = createEncoder({ fields: engine.fields });
    const alerts = await engine.push(encoder.encode(events.slice(0, 30)));
    await engine.snapshot();
    await expect(engine.push(encoder.encode(events.slice(30)))).rejects.toMatchObject({ code: 'BATCH_EPOCH' });
    encoder.reset();
    alerts.push(...(await engine.push(encoder.encode(events.slice(30)))));
    expect(alertSet(alerts)).toEqual(expected);
  });
});

describe('options', () => {
  it.each([
    [{ shards: -1 }, /shards/],
    [{ shards: 1.5 }, /shards/],
    [{ state: {} }, /either dir or store/],
    [{ state: { dir: 'x', every: { events: 0 } } }, /state.every/],
    [{ shard: 3 }, /did you mean/],
  ])('%j is refused by name', async (wrong, message) => {
    await expect(createEngine({ rules, ...wrong } as EngineOptions)).rejects.toThrow(message);
  });
});

describe('durable state', () => {
  it('goes on where it stopped, and tells from where to resend', async () => {
    const store = new MemoryStore();
    const first = await start({ state: { store, every: '1h' } });
    const alerts = await first.push(events.slice(0, 30));
    await first.close();
    const second = await start({ shards: 1, state: { store, every: '1h' } });
    expect(second.resumeFrom).toBe(30);
    expect(second.recovery?.rules.kept).toEqual(rules.map(({ id }) => id));
    alerts.push(...(await second.push(events.slice(30))));
    expect(alertSet(alerts)).toEqual(expected);
  });

  it('is kept in files that replace each other atomically, the last two', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'vedette-state-'));
    try {
      const engine = await start({ state: { dir, every: { events: 10 } } });
      for (let at = 0; at < 60; at += 10) await engine.push(events.slice(at, at + 10));
      await engine.close();
      const files = (await readdir(dir)).sort();
      expect(files).toEqual(['engine-0000000000000050.vds', 'engine-0000000000000060.vds']);
      const newest = join(dir, files[1] as string);
      await writeFile(newest, (await readFile(newest)).subarray(0, 500));
      const next = await start({ state: { dir } });
      expect(next.resumeFrom).toBe(50);
      expect(next.recovery).toMatchObject({
        snapshot: 'engine-0000000000000050',
        damaged: [{ snapshot: 'engine-0000000000000060', code: 'SNAPSHOT_DAMAGED' }],
      });
      expect((await next.stats()).damagedSnapshots).toBe(1);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('of another format is refused by name', async () => {
    const store = new MemoryStore();
    const engine = await start({ state: { store } });
    await engine.push(events);
    await engine.close();
    const [[name, bytes]] = [...store.kept] as [[string, Uint8Array]];
    const other = bytes.slice();
    new DataView(other.buffer).setUint32(4, 99, true);
    store.kept.set(name, other);
    await expect(start({ state: { store } })).rejects.toThrow(SnapshotError);
    await expect(start({ state: { store } })).rejects.toThrow(/format version 99/);
  });
});

describe('reload', () => {
  it('keeps the state of rules that did not change, and reports the others', async () => {
    const engine = await start();
    await engine.push([event(0, 'a', 'h1')]);
    const changed = { ...across, maxspanUs: 5 };
    const report = await engine.reload([within, changed, matchRule('new', named('c'))]);
    expect(report.kept).toEqual(['within']);
    expect(report.dropped.map(({ rule }) => rule).sort()).toEqual(['across', 'evil']);
    expect(report.added).toEqual(['new']);
    const alerts = await engine.push([event(3, 'b', 'h1'), event(4, 'c'), event(5, 'evil')]);
    expect(alerts.map(({ rule }) => rule.id)).toEqual(['within', 'new']);
  });

  it('of rules that do not compile changes nothing', async () => {
    const engine = await start();
    const alerts = await engine.push(events.slice(0, 30));
    const wrong = matchRule('wrong', { kind: 'call', name: 'noSuchFunction', args: [], case: 'exact' });
    await expect(engine.reload([...rules, wrong])).rejects.toThrow(UsageError);
    alerts.push(...(await engine.push(events.slice(30))));
    expect(alertSet(alerts)).toEqual(expected);
  });
});

describe('the division of rules', () => {
  it('runs rules within a host in the shards, others in the global shard over shared feeds', () => {
    const other = { ...across, id: 'other', maxspanUs: 1 };
    const plan = planShards({ rules: [evil, within, across, other] });
    expect(plan.globalRules.map(({ id }) => id)).toEqual(['across', 'other']);
    expect(plan.shardRules.slice(0, 2).map(({ id }) => id)).toEqual(['evil', 'within']);
    expect(plan.feeds.size).toBe(2);
    expect(plan.keptFields).toContain('user.name');
  });

  it('needs no global shard where every rule stays within a host', () => {
    expect(planShards({ rules: [evil, within] })).toMatchObject({ globalRules: [], keptFields: [] });
    expect(planShards({ rules: [matchRule('m', equals('a', 'b'))] }).feeds.size).toBe(0);
  });
});
