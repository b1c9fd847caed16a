/**
 * An engine seen by OpenTelemetry: a span for each push, and `stats()` as metrics. Nothing here needs a package: `api` is
 * `@opentelemetry/api` where the host has it, by the few of its functions that are used.
 *
 *   import { metrics, trace } from '@opentelemetry/api';
 *   const stop = observe(engine, { meter: metrics.getMeter('vedette'), tracer: trace.getTracer('vedette') });
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Engine, EngineStats } from '../src/node.js';

/** What is used of `@opentelemetry/api`, by its names. */
export interface TelemetryApi {
  readonly meter: {
    createObservableGauge(name: string, options?: { unit?: string; description?: string }): ObservableLike;
    createObservableCounter(name: string, options?: { unit?: string; description?: string }): ObservableLike;
  };
  readonly tracer: {
    startSpan(name: string, options?: { startTime?: number; attributes?: Attributes }): { end(endTime?: number): void };
  };
}

type Attributes = Readonly<Record<string, string | number>>;
interface ObservableLike {
  addCallback(callback: (result: { observe(value: number, attributes?: Attributes): void }) => Promise<void>): void;
}
type Point = readonly [value: number, attributes?: Attributes];

const metrics: readonly {
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly unit: string;
  readonly points: (stats: EngineStats) => readonly Point[];
}[] = [
  { name: 'vedette.events', kind: 'counter', unit: '{event}', points: ({ events }) => [[events]] },
  {
    name: 'vedette.rows',
    kind: 'counter',
    unit: '{row}',
    points: ({ rows: { late, skipped, truncated, future } }) =>
      Object.entries({ late, skipped, truncated, future }).map(([reason, count]) => [count, { reason }]),
  },
  {
    name: 'vedette.losses',
    kind: 'counter',
    unit: '{loss}',
    points: ({ losses }) => losses.map(({ reason, rule, count }) => [count, { reason, rule: rule ?? '' }]),
  },
  {
    name: 'vedette.rule.alerts',
    kind: 'counter',
    unit: '{alert}',
    points: ({ rules }) => rules.map(({ id, alerts }) => [alerts, { rule: id }]),
  },
  {
    name: 'vedette.rule.matched',
    kind: 'counter',
    unit: '{event}',
    points: ({ rules }) => rules.map(({ id, matched }) => [matched, { rule: id }]),
  },
  {
    name: 'vedette.rule.entries',
    kind: 'gauge',
    unit: '{entry}',
    points: ({ rules }) => rules.map(({ id, entries }) => [entries, { rule: id }]),
  },
  {
    name: 'vedette.shard.queued',
    kind: 'gauge',
    unit: '{message}',
    points: ({ shards }) => shards.map(({ queued }, shard) => [queued, { shard }]),
  },
  {
    name: 'vedette.shard.lag',
    kind: 'gauge',
    unit: 's',
    points: ({ shards }) => shards.map(({ lagUs }, shard) => [(lagUs ?? 0) / 1e6, { shard }]),
  },
  {
    name: 'vedette.shard.restarts',
    kind: 'counter',
    unit: '{restart}',
    points: ({ shards }) => shards.map(({ restarts }, shard) => [restarts, { shard }]),
  },
];

/** How long one answer of `stats()` serves all metrics of a collection, in milliseconds. */
const freshMs = 1000;

/** Gives the engine's metrics and spans to a host's OpenTelemetry. Returns what ends the spans; metrics end with the engine. */
export function observe(engine: Engine, { meter, tracer }: TelemetryApi): () => void {
  let asked = Number.NEGATIVE_INFINITY;
  let answer: Promise<EngineStats> | undefined;
  const stats = (): Promise<EngineStats> => {
    if (answer === undefined || performance.now() - asked > freshMs) {
      asked = performance.now();
      answer = engine.stats();
    }
    return answer;
  };
  for (const { name, kind, unit, points } of metrics) {
    const made =
      kind === 'gauge' ? meter.createObservableGauge(name, { unit }) : meter.createObservableCounter(name, { unit });
    made.addCallback(async (result) => {
      for (const [value, attributes] of points(await stats())) result.observe(value, attributes);
    });
  }
  const onBatch = (message: unknown): void => {
    const { rows, alerts, ms } = message as { rows: number; alerts: number; ms: number };
    const endTime = Date.now();
    tracer.startSpan('vedette.push', { startTime: endTime - ms, attributes: { rows, alerts } }).end(endTime);
  };
  subscribe('vedette:batch', onBatch);
  return () => void unsubscribe('vedette:batch', onBatch);
}
