/** The correlator as an engine of the suites, through each door that events may come in by. */

import { compile } from '../../src/compiler/compile.js';
import type { Alert } from '../../src/correlator/alert.js';
import { type Correlator, createCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import { createEncoder, encodeEvents } from '../../src/event/encoder.js';
import type { Rule } from '../../src/rule/ir.js';
import { parseTimeUs } from '../oracle/event.js';
import type { PlainAlert } from '../oracle/oracle.js';
import { type Engine, type EngineOptions, oracle } from './engines.js';
import type { Source } from './generators.js';
import { writeLine, writeLines } from './json_text.js';

type Door = 'objects' | 'ndjson' | 'batches' | 'session';

/** Pushes a batch of events through a door. */
function pusherFor(door: Door, correlator: Correlator, timestampField: string): (events: readonly Source[]) => Alert[] {
  const options = { fields: correlator.fields, timestampField };
  switch (door) {
    case 'objects':
      return (events) => correlator.push(events);
    case 'ndjson':
      return (events) => correlator.push(writeLines(events.map(writeLine), events.length));
    case 'batches':
      return (events) => correlator.push(encodeEvents(events, options));
    case 'session': {
      const encoder = createEncoder(options);
      return (events) => correlator.push(encoder.encode(events));
    }
  }
}

/** An alert as the oracle says it. Of an aggregate's evidence, which is bounded, the event that completed it. */
export function plainAlert(alert: Alert, rules: ReadonlyMap<string, Rule>): PlainAlert {
  const evidence = alert.evidence.map((entry) => (entry.missing === true ? null : entry.ordinal));
  const isAggregate = rules.get(alert.rule.id)?.kind === 'aggregate';
  return {
    rule: alert.rule.id,
    timeUs: parseTimeUs(alert.time) ?? Number.NaN,
    key: alert.key === null ? null : Object.values(alert.key),
    evidence: isAggregate ? evidence.slice(-1) : evidence,
  };
}

function correlatorEngine(name: string, door: Door, fixed: Partial<CorrelatorOptions> = {}): Engine {
  return {
    name,
    refusal: (rule) => compile([rule]).diagnostics[0]?.message,
    run: async (options: EngineOptions, batches) => {
      const correlator = await createCorrelator({ memory: '16MiB', ...options, ...fixed });
      const push = pusherFor(door, correlator, options.timestampField ?? '@timestamp');
      const alerts = [...batches.flatMap(push), ...correlator.flush()];
      correlator.close();
      const rules = new Map(options.rules.map((rule) => [rule.id, rule]));
      return alerts.map((alert) => plainAlert(alert, rules));
    },
  };
}

export const correlator = correlatorEngine('correlator', 'objects');
export const throughNdjson = correlatorEngine('correlator, NDJSON', 'ndjson');
export const throughBatches = correlatorEngine('correlator, batches', 'batches');
export const throughSession = correlatorEngine('correlator, session batches', 'session');
export const withoutPrefilters = correlatorEngine('correlator, prefilters off', 'objects', { prefilter: 'off' });

/** Every engine that differs in kind, the most obvious first. */
export const engines: readonly Engine[] = [oracle, correlator];
