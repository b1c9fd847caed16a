/** Whatever part of an engine fails, and whenever, is built anew, and nothing of it shows in the alerts. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { KernelTrap } from '../../src/core/errors.js';
import type { Alert } from '../../src/correlator/alert.js';
import { channels } from '../../src/engine/diagnostics.js';
import { createEngine, type Engine, startEngine } from '../../src/engine/engine.js';
import type { PartName } from '../../src/engine/rule_parts.js';
import { LocalHost, WorkerHost } from '../../src/engine/shard_host.js';
import { createEncoder } from '../../src/index.js';
import type { Rule } from '../../src/rule/ir.js';
import { alertSet, inProcess, MemoryStore, runEngine } from '../support/engine_runs.js';
import { field, matches, matchRule, ruleBase, sequenceRule, step } from '../support/rules.js';

const named = (text: string) => matches('process.name', { type: 'equals', text });
const rules: readonly Rule[] = [
  matchRule('evil', named('evil')),
  sequenceRule('within', [step(named('a'), ['host.id']), step(named('b'), ['host.id'])], { maxspanUs: 60_000_000 }),
  sequenceRule('across', [step(named('a'), ['user.name']), step(named('b'), ['user.name'])], { maxspanUs: 60_000_000 }),
  {
    ...ruleBase('many'),
    kind: 'aggregate',
    query: { category: null, condition: named('c') },
    by: [field('user.name')],
    windowUs: 30_000_000,
    window: 'sliding',
    conditions: [{ function: { kind: 'count' }, op: '>=', value: 3 }],
    emit: 'crossing',
  },
];
const names = ['a', 'b', 'evil', 'c'];
const events = Array.from({ length: 400 }, (_, index) => ({
  '@timestamp': new Date(Date.UTC(2026, 0, 1) + index * 700 - (index % 3) * 2000).toISOString(),
  event: { id: `e${index}`, category: 'process' },
  host: { id: `host-${(index * 7) % 11}` },
  user: { name: `u${index % 5}` },
  process: { name: names[(index * 5) % 7] ?? 'a' },
}));
const batches = Array.from({ length: 20 }, (_, index) => events.slice(index * 20, index * 20 + 20));
const options = { rules, memory: '12MiB', lateness: '4s', shards: 2 };
const expected = alertSet(await runEngine(await inProcess(options), batches));

/** Fails the kernel of a part at some of its calls; each call is two moments, before and after. */
function failing(part: PartName, moments: ReadonlySet<number>) {
  let moment = 0;
  return (name: PartName): void => {
    if (name === part && moments.has(moment++)) throw new KernelTrap('KERNEL_TRAP', 'the kernel failed: by a test');
  };
}

/** Every `period`th moment from `first` on. */
const every = (period: number, first: number) =>
  new Set(Array.from({ length: 200 }, (_, index) => first + index * period));

describe.each(['router', 'global'] as const)('the %s', (part) => {
  const start = (moments: ReadonlySet<number>, more = {}): Promise<Engine> =>
    startEngine({ ...options, ...more }, () => new LocalHost(), failing(part, moments));

  it.each([
    ['before calls', every(8, 4)],
    ['after calls', every(8, 5)],
    ['twice over one call', new Set([6, 7, 20, 21])],
  ])('that fails %s is built anew and changes nothing', async (_name, moments) => {
    const restarts: unknown[] = [];
    const onRestart = (message: unknown): number => restarts.push(message);
    channels.restart.subscribe(onRestart);
    const alerts = await runEngine(await start(moments, { journal: 6000 }), batches);
    channels.restart.unsubscribe(onRestart);
    expect(restarts).toContainEqual({ part, reason: 'the kernel failed: by a test' });
    expect(alerts.length).toBe(expected.length);
    expect(alertSet(alerts)).toEqual(expected);
  });

  it('that fails is told of in stats', async () => {
    const engine = await start(every(8, 4));
    for (const batch of batches) await engine.push(batch);
    const { router, global } = await engine.stats();
    expect({ router, global }[part]?.restarts).toBeGreaterThan(0);
    await engine.close();
  });

  it('that fails goes on from the snapshot that the engine started from', async () => {
    const store = new MemoryStore();
    const first = await start(new Set(), { state: { store, every: '1h' } });
    const alerts: Alert[] = [];
    for (const batch of batches.slice(0, 9)) alerts.push(...(await first.push(batch)));
    await first.close();
    const second = await start(new Set([3, 8]), { state: { store, every: '1h' } });
    alerts.push(...(await runEngine(second, batches.slice(9))));
    expect(alertSet(alerts)).toEqual(expected);
  });

  it('that fails in the middle of a session of delta batches goes on with it', async () => {
    const engine = await start(every(9, 7));
    const encoder = createEncoder({ fields: engine.fields });
    const alerts: Alert[] = [];
    for (const [index, batch] of batches.entries()) {
      if (index % 6 === 3) await engine.snapshot();
      alerts.push(...(await engine.push(encoder.encode(batch))));
    }
    alerts.push(...(await engine.flush()));
    await engine.close();
    expect(alertSet(alerts)).toEqual(expected);
  });
});

describe('three failures over one input', () => {
  it('of the router refuse the input, and the engine goes on', async () => {
    const engine = await startEngine(options, () => new LocalHost(), failing('router', new Set([4, 5, 6])));
    const alerts: Alert[] = [];
    for (const [index, batch] of batches.entries()) {
      if (index === 2) await expect(engine.push(batch)).rejects.toMatchObject({ code: 'KERNEL_TRAP' });
      alerts.push(...(await engine.push(batch)));
    }
    alerts.push(...(await engine.flush()));
    await engine.close();
    expect(alertSet(alerts)).toEqual(expected);
  });

  it('of the global shard end the engine, which says so', async () => {
    const engine = await startEngine(options, () => new LocalHost(), failing('global', new Set([4, 5, 6])));
    for (const batch of batches.slice(0, 2)) await engine.push(batch);
    await expect(engine.push(batches[2] ?? [])).rejects.toMatchObject({ code: 'KERNEL_TRAP' });
    await expect(engine.push(batches[3] ?? [])).rejects.toMatchObject({ code: 'KERNEL_TRAP' });
    await engine.close();
  });
});

const worker = join(import.meta.dirname, '../../dist/src/engine/worker.js');

/** A worker file that does something before its tasks. */
async function withWorker(before: string, run: (url: URL) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'vedette-worker-'));
  try {
    const file = join(dir, 'own_worker.mjs');
    await writeFile(
      file,
      `import { writeFileSync } from 'node:fs';
       import { runTask as run } from ${JSON.stringify(pathToFileURL(worker).href)};
       // One worker of several: whoever makes the file.
       const isFirst = () => {
         try { writeFileSync(${JSON.stringify(join(dir, 'died'))}, '', { flag: 'wx' }); return true; } catch { return false; }
       };
       let tasks = 0;
       export function runTask(task) { tasks++; ${before}; return run(task); }`,
    );
    await run(pathToFileURL(file));
  } finally {
    await rm(dir, { recursive: true });
  }
}

const once = (act: string): string => `if (tasks === 5 && isFirst()) { ${act} }`;

describe.skipIf(!existsSync(worker))('a worker', () => {
  it.each([
    ['that runs out of memory', once('const all = []; for (;;) all.push(new Array(100_000).fill(tasks));')],
    ['that throws', once("throw new Error('by a test')")],
    ['that ends itself', once('process.exit(3)')],
  ])('%s is replaced and changes nothing', async (_name, before) => {
    await withWorker(before, async (url) => {
      const hosts = [0, 1].map(() => new WorkerHost(url, { maxOldGenerationSizeMb: 64 }));
      const engine = await startEngine(options, (shard) => hosts[shard] as WorkerHost);
      const alerts: Alert[] = [];
      for (const batch of batches) alerts.push(...(await engine.push(batch)));
      const { shards } = await engine.stats();
      alerts.push(...(await engine.flush()));
      await engine.close();
      expect(shards.reduce((sum, shard) => sum + shard.restarts, 0)).toBe(1);
      expect(alerts.length).toBe(expected.length);
      expect(alertSet(alerts)).toEqual(expected);
    });
  });

  it.each([
    ['of a file that is not there', 'nowhere.mjs', /a shard cannot start: .*nowhere\.mjs.*workerUrl/],
    ['of a file that is no worker', import.meta.url, /a shard cannot start: /],
  ])('%s cannot start, and the engine says so', async (_name, file, message) => {
    const workerUrl = new URL(file, import.meta.url);
    const starting = createEngine({ ...options, workerUrl });
    await expect(starting).rejects.toMatchObject({ code: 'ENGINE_WORKER', message: expect.stringMatching(message) });
  });
});
