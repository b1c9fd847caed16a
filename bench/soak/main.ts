/**
 * `npm run soak -- [--minutes N] [--shards N] [--memory 128MiB] [--hosts N] [--seed N] [--json]`: the engine at full speed
 * with durable state, while hosts and processes come and go for ever. Prints a line a minute, then whether memory stayed
 * flat after the warm-up, what was lost and why, and whether every event and alert is accounted for. Exit 1 where not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createEngine, type Engine, type EngineStats } from '../../src/node.js';
import { type MemorySample, trendOf } from './memory.js';
import { soakRules } from './rules.js';
import { soakStream } from './stream.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    shards: { type: 'string', default: '2' },
    memory: { type: 'string', default: '128MiB' },
    hosts: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const durationMs = Number(values.minutes) * 60_000;
const sampleMs = Math.min(1000, durationMs / 200);
const lineMs = Math.min(60_000, durationMs / 10);
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

interface Counts {
  events: number;
  alerts: number;
}

async function* chunks(counts: Counts, endMs: number): AsyncGenerator<Uint8Array> {
  const options = { seed: Number(values.seed), hosts: Number(values.hosts), lines: 40_000, chunkBytes: 256 * 1024 };
  for (const { bytes, events } of soakStream(options)) {
    if (performance.now() >= endMs) return;
    counts.events += events;
    yield bytes;
  }
}

function progress(startMs: number, counts: Counts, before: Counts & { ms: number }): void {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  const ms = performance.now();
  const rate = ((counts.events - before.events) * 1000) / (ms - before.ms);
  console.error(
    `${((ms - startMs) / 60_000).toFixed(1)} min  ${counts.events} events  ${Math.round(rate)}/s  ` +
      `${counts.alerts} alerts  rss ${mib(rss)}  heap ${mib(heapUsed)}  buffers ${mib(arrayBuffers)}`,
  );
  Object.assign(before, counts, { ms });
}

async function run(engine: Engine): Promise<void> {
  const startMs = performance.now();
  const counts: Counts = { events: 0, alerts: 0 };
  const before = { ...counts, ms: startMs };
  const samples: MemorySample[] = [];
  const sampler = setInterval(() => {
    samples.push({ ms: performance.now() - startMs, rssBytes: process.memoryUsage.rss() });
  }, sampleMs);
  const printer = setInterval(() => progress(startMs, counts, before), lineMs);
  for await (const _alert of engine.ingest(chunks(counts, startMs + durationMs))) counts.alerts++;
  clearInterval(sampler);
  clearInterval(printer);
  const elapsedMs = performance.now() - startMs;
  report(counts, elapsedMs, samples, await engine.stats());
}

function report(counts: Counts, elapsedMs: number, samples: readonly MemorySample[], stats: EngineStats): void {
  const memory = trendOf(samples);
  const losses: Record<string, number> = {};
  for (const { reason, count } of stats.losses) losses[reason] = (losses[reason] ?? 0) + count;
  const published = stats.rules.reduce((sum, { alerts }) => sum + alerts, 0);
  const isAccounted = stats.events === counts.events && published === counts.alerts && stats.rows.skipped === 0;
  const restarts = stats.shards.reduce((sum, shard) => sum + shard.restarts, 0);
  const result = {
    seed: Number(values.seed),
    shards: stats.shards.length,
    minutes: elapsedMs / 60_000,
    events: counts.events,
    eventsPerSecond: Math.round((counts.events * 1000) / elapsedMs),
    alerts: counts.alerts,
    hosts: stats.hosts,
    restarts,
    rows: stats.rows,
    losses,
    memory,
    isAccounted,
    isSound: memory.isFlat && isAccounted && restarts === 0,
  };
  if (values.json) console.log(JSON.stringify(result));
  else console.log(text(result));
  process.exitCode = result.isSound ? 0 : 1;
}

function text({ memory, ...result }: Record<string, unknown> & { memory: ReturnType<typeof trendOf> }): string {
  const lines = Object.entries(result).map(([name, value]) => `${name.padEnd(18)}${JSON.stringify(value)}`);
  const trend =
    `resident after a warm-up of ${(memory.warmupMs / 60_000).toFixed(1)} min ${memory.startMiB.toFixed(1)} MiB, at the end ` +
    `${memory.endMiB.toFixed(1)} MiB, highest ${memory.highestMiB.toFixed(1)} MiB, slope ${memory.mibPerHour.toFixed(2)} MiB/h: ` +
    `${memory.isFlat ? 'flat' : 'NOT FLAT'}`;
  return [...lines, trend].join('\n');
}

const dir = mkdtempSync(join(tmpdir(), 'vedette-soak-'));
try {
  const rules = await soakRules();
  await using engine = await createEngine({
    rules,
    shards: Number(values.shards),
    memory: values.memory,
    // Tables fill for as long as the run lasts: provided at once, what grows later is not theirs.
    pretouch: true,
    lateness: '5s',
    state: { dir, every: '30s' },
  });
  await run(engine);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
