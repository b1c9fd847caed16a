/**
 * Kills an engine with durable state again and again, at random moments, and compares the alerts of all its lives with
 * those of an undisturbed one. `node scripts/crash.mjs [--kills 20] [--events 6000] [--shards 2] [--seed 1]`.
 * The built files must be there. Ends with one line; exit 1 where an alert is missing, doubled under another id, or new.
 */
import { spawn } from 'node:child_process';
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    events: { type: 'string', default: '6000' },
    shards: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    child: { type: 'string' },
  },
});
const [kills, count, shards] = [values.kills, values.events, values.shards].map(Number);
const batchSize = 100;

/** A small generator with a fixed seed. */
function randomOf(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

function rules() {
  const field = (name) => ({ kind: 'field', name });
  const named = (text) => ({
    category: null,
    condition: { kind: 'match', value: field('process.name'), patterns: [{ type: 'equals', text }], case: 'exact' },
  });
  const base = (id) => ({ id, name: id, severity: 'high', riskScore: 50, threat: [] });
  const step = (text, by) => ({ query: named(text), by: by.map(field), missing: false, runs: 1 });
  const both = ['host.id', 'user.name'];
  const distinct = { function: { kind: 'distinct', field: field('host.id') }, op: '>=', value: 4 };
  return [
    { ...base('match'), kind: 'match', query: named('evil') },
    { ...base('sequence'), kind: 'sequence', maxspanUs: 60e6, steps: [step('a', both), step('b', both)] },
    {
      ...base('across-hosts'),
      kind: 'sequence',
      maxspanUs: 9e6,
      steps: [step('a', ['user.name']), step('b', ['user.name'])],
    },
    {
      ...base('aggregate'),
      kind: 'aggregate',
      query: named('a'),
      by: [field('user.name')],
      windowUs: 30e6,
      window: 'sliding',
      conditions: [distinct],
      emit: 'crossing',
    },
    {
      ...base('terms'),
      kind: 'newTerms',
      query: named('b'),
      fields: [field('host.id'), field('user.name')],
      windowUs: 9e6,
      mode: 'eventTime',
    },
    {
      ...base('suppressed'),
      kind: 'match',
      query: named('c'),
      suppression: { by: ['user.name'], windowUs: 20e6, missingFields: 'suppress' },
    },
  ];
}

function stream() {
  const random = randomOf(Number(values.seed));
  let ms = Date.UTC(2026, 0, 1);
  return Array.from({ length: count }, (_, index) => {
    ms += random(900);
    return {
      '@timestamp': new Date(ms - random(6) * 1000).toISOString(),
      event: { id: `e${index}`, category: 'process', sequence: index },
      host: { id: `host-${random(23)}` },
      user: { name: `u${random(9)}` },
      process: { name: ['a', 'b', 'c', 'evil', 'other'][random(5)] },
    };
  });
}

const optionsOf = (dir) => ({
  rules: rules(),
  lateness: '5s',
  memory: '16MiB',
  shards,
  ...(dir === undefined ? {} : { state: { dir, every: { events: 500 } } }),
});

/** One life: goes on where the state ends, and writes every alert before the next input. */
async function live(dir) {
  const { createEngine } = await import('../dist/src/node.js');
  const engine = await createEngine(optionsOf(join(dir, 'state')));
  const out = openSync(join(dir, 'alerts.ndjson'), 'a');
  // Ends the line that the life before may have left torn.
  writeSync(out, '\n');
  const deliver = (alerts) => {
    if (alerts.length > 0) writeSync(out, `${alerts.map((alert) => JSON.stringify(alert)).join('\n')}\n`);
    fsyncSync(out);
  };
  const events = stream();
  process.stdout.write(`from ${engine.resumeFrom}\n`);
  for (let at = engine.resumeFrom; at < events.length; at += batchSize) {
    deliver(await engine.push(events.slice(at, at + batchSize)));
  }
  deliver(await engine.flush());
  closeSync(out);
  process.stdout.write('done\n');
  await engine.close();
}

/** Starts a life; kills it at a random moment when `killMs` is given. True when it came to the end. */
async function run(dir, killMs) {
  const args = [fileURLToPath(import.meta.url), '--child', dir, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  let hasBegun = () => undefined;
  const begun = new Promise((resolve) => {
    hasBegun = resolve;
  });
  child.stdout.on('data', (data) => {
    output += data;
    hasBegun();
  });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  if (killMs !== undefined) {
    await Promise.race([begun, ended, sleep(killMs.startMs)]);
    await Promise.race([ended, sleep(killMs.ms)]);
    child.kill('SIGKILL');
  }
  const { code } = await ended;
  if (code !== null && code !== 0) throw new Error(`a life ended by itself with exit code ${code}`);
  return output.includes('done');
}

/** Alerts by id and revision; a partial last line was never delivered. */
function alertsOf(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  lines.pop();
  const torn = [];
  const alerts = new Map();
  for (const line of lines.filter((one) => one !== '')) {
    try {
      const alert = JSON.parse(line);
      const key = `${alert.id} ${alert.revision}`;
      const known = alerts.get(key);
      if (known !== undefined && known !== line) throw new Error(`alert ${key} came again with other contents`);
      alerts.set(key, line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      torn.push(line);
    }
  }
  return { alerts, torn: torn.length };
}

async function main() {
  const random = randomOf(Number(values.seed) + 7);
  const dir = mkdtempSync(join(tmpdir(), 'vedette-crash-'));
  try {
    const { createEngine } = await import('../dist/src/node.js');
    const engine = await createEngine({ ...optionsOf(undefined), shards: 0 });
    const expected = new Map();
    const startMs = performance.now();
    const events = stream();
    const take = (alerts) => {
      for (const alert of alerts) expected.set(`${alert.id} ${alert.revision}`, JSON.stringify(alert));
    };
    for (let at = 0; at < events.length; at += batchSize) take(await engine.push(events.slice(at, at + batchSize)));
    take(await engine.flush());
    await engine.close();

    // A life ends somewhere in its first third, as fast as this machine is.
    const lifeMs = Math.max(200, Math.round((performance.now() - startMs) / 2));
    let killed = 0;
    let runs = 0;
    let found = new Map();
    const differences = [];
    while (killed < kills) {
      const life = join(dir, `run-${runs++}`);
      mkdirSync(life);
      for (let isDone = false; !isDone; ) {
        const killMs = killed < kills ? { startMs: 60_000, ms: random(lifeMs) } : undefined;
        isDone = await run(life, killMs);
        if (killMs !== undefined && !isDone) killed++;
      }
      found = alertsOf(join(life, 'alerts.ndjson')).alerts;
      for (const [key, text] of expected) if (found.get(key) !== text) differences.push(`missing or other: ${key}`);
      for (const key of found.keys()) if (!expected.has(key)) differences.push(`not expected: ${key}`);
    }
    for (const line of differences.slice(0, 10)) console.log(line);
    console.log(
      `${killed} kills in ${runs} runs of ${count} events, ${expected.size} alerts each: ${differences.length} differences`,
    );
    process.exitCode = differences.length === 0 ? 0 : 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (values.child === undefined) await main();
else await live(values.child);
