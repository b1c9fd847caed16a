/** The engine with real workers: they start, take their part, are killed, and are replaced. Needs the built files. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { channels } from '../../src/engine/diagnostics.js';
import { createEngine, startEngine } from '../../src/engine/engine.js';
import { WorkerHost } from '../../src/engine/shard_host.js';
import { alertSet, inProcess, runEngine } from '../support/engine_runs.js';
import { matches, matchRule, sequenceRule, step } from '../support/rules.js';

const worker = join(import.meta.dirname, '../../dist/src/engine/worker.js');
const workerUrl = pathToFileURL(worker);

const rules = [
  matchRule('evil', matches('process.name', { type: 'equals', text: 'evil' })),
  sequenceRule(
    'across-hosts',
    [
      step(matches('process.name', { type: 'equals', text: 'a' }), ['user.name']),
      step(matches('process.name', { type: 'equals', text: 'b' }), ['user.name']),
    ],
    { maxspanUs: 60_000_000 },
  ),
];
const names = ['a', 'b', 'evil', 'c'];
const events = Array.from({ length: 800 }, (_, index) => ({
  '@timestamp': new Date(Date.UTC(2026, 0, 1) + index * 700).toISOString(),
  event: { id: `e${index}`, category: 'process' },
  host: { id: `host-${(index * 7) % 11}` },
  user: { name: `u${index % 5}` },
  process: { name: names[(index * 5) % 7] ?? 'a' },
}));
const batches = Array.from({ length: 16 }, (_, index) => events.slice(index * 50, index * 50 + 50));
const options = { rules, memory: '16MiB', workerUrl };

describe.skipIf(!existsSync(worker))('an engine with workers', () => {
  it('has the alerts of an engine in process, and ends its threads', async () => {
    const expected = alertSet(await runEngine(await inProcess({ rules, memory: '16MiB' }), batches));
    expect(expected.length).toBeGreaterThan(100);
    const engine = await createEngine({ ...options, shards: 2 });
    const pushed = await Promise.all(batches.map((batch) => engine.push(batch)));
    const alerts = [...pushed.flat(), ...(await engine.flush())];
    const { shards, events: rows } = await engine.stats();
    expect(rows).toBe(events.length);
    expect(shards.map((shard) => shard.events).reduce((sum, count) => sum + count, 0)).toBe(events.length);
    expect(shards.every((shard) => shard.events > 0 && shard.threadId > 0 && shard.restarts === 0)).toBe(true);
    await engine.close();
    expect(alertSet(alerts)).toEqual(expected);
  });

  it('loses and doubles nothing when workers are killed between and under inputs', async () => {
    const expected = alertSet(await runEngine(await inProcess({ rules, memory: '16MiB' }), batches));
    const hosts: WorkerHost[] = [];
    const restarts: unknown[] = [];
    const onRestart = (message: unknown): number => restarts.push(message);
    channels.restart.subscribe(onRestart);
    const engine = await startEngine({ ...options, shards: 2, journal: 20_000 }, (shard) => {
      hosts[shard] = new WorkerHost(workerUrl);
      return hosts[shard] as WorkerHost;
    });
    const alerts = [];
    for (const [index, batch] of batches.entries()) {
      if (index % 5 === 2) await hosts[index % 2]?.kill();
      const pushing = engine.push(batch);
      if (index % 5 === 4) void hosts[index % 2]?.kill();
      alerts.push(...(await pushing));
    }
    alerts.push(...(await engine.flush()));
    await engine.close();
    channels.restart.unsubscribe(onRestart);
    expect(restarts.length).toBeGreaterThan(2);
    expect(alerts.length).toBe(expected.length);
    expect(alertSet(alerts)).toEqual(expected);
  });
});
