/** The OpenTelemetry example gives a meter and a tracer what the engine tells. */
import { expect, it } from 'vitest';
import { observe } from '../../examples/telemetry.js';
import { inProcess } from '../support/engine_runs.js';
import { equals, matchRule } from '../support/rules.js';

type Callback = (result: { observe(value: number, attributes?: object): void }) => Promise<void>;

it('an engine has spans for its pushes and metrics for its counts', async () => {
  const rules = [matchRule('all', equals('event.category', 'process'))];
  await using engine = await inProcess({ rules, memory: '12MiB', shards: 2 });
  const callbacks = new Map<string, Callback>();
  const create = (name: string) => ({ addCallback: (callback: Callback) => void callbacks.set(name, callback) });
  const spans: unknown[] = [];
  const stop = observe(engine, {
    meter: { createObservableGauge: create, createObservableCounter: create },
    tracer: {
      startSpan: (name, options) => ({ end: () => void spans.push({ name, attributes: options?.attributes }) }),
    },
  });
  const event = (id: string) => ({
    '@timestamp': '2026-01-01T00:00:00Z',
    event: { id, category: 'process' },
    host: { id: `h-${id}` },
  });
  await engine.push(['a', 'b', 'c'].map(event));
  stop();
  await engine.push([event('d')]);
  expect(spans).toEqual([{ name: 'vedette.push', attributes: { rows: 3, alerts: 3 } }]);

  const read = async (name: string): Promise<unknown[]> => {
    const points: unknown[] = [];
    await callbacks.get(name)?.({ observe: (value, attributes) => points.push([value, attributes]) });
    return points;
  };
  expect(await read('vedette.events')).toEqual([[4, undefined]]);
  expect(await read('vedette.rule.alerts')).toEqual([[4, { rule: 'all' }]]);
  expect(await read('vedette.shard.restarts')).toEqual([
    [0, { shard: 0 }],
    [0, { shard: 1 }],
  ]);
  expect(await read('vedette.shard.queued')).toHaveLength(2);
});
