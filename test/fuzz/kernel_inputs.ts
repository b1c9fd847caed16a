/**
 * Events and snapshots, however damaged: nothing but the errors that are promised, and a correlator that goes on. What
 * NDJSON it takes, it takes as `JSON.parse` would.
 */
import fc from 'fast-check';
import { BatchError, SnapshotError } from '../../src/core/errors.js';
import { type Correlator, createCorrelator } from '../../src/correlator/correlator.js';
import { isNumberField } from '../../src/event/ecs_fields.js';
import { encodeEvents } from '../../src/event/encoder.js';
import type { Rule } from '../../src/rule/ir.js';
import { createOracle } from '../oracle/oracle.js';
import { eventStream, type RuleKindName, ruleKinds, ruleSet, type Source } from '../support/generators.js';
import { writeLine, writeLines } from '../support/json_text.js';
import { mutateBytes } from './mutate.js';
import type { Random } from './random.js';
import { encode, type FuzzTarget, promise } from './target.js';

const ruleSeed = 20_260_101;
const allKinds = Object.keys(ruleKinds) as RuleKindName[];
/** Rules without memory: late events mean the same to every engine. */
const matchRules = fixedRules(['match'], 12);
const everyRule = fixedRules(allKinds, 24);

function fixedRules(kinds: readonly RuleKindName[], count: number): Rule[] {
  return fc
    .sample(ruleSet(kinds, count), { seed: ruleSeed, numRuns: 20 })
    .sort((a, b) => b.length - a.length)[0] as Rule[];
}

const events = (random: Random): Source[] =>
  fc.sample(eventStream(12), { seed: random.next() | 0, numRuns: 1 })[0] as Source[];

const create = (rules: readonly Rule[]): Promise<Correlator> => createCorrelator({ rules, memory: '16MiB' });

const probe: Source = { '@timestamp': '2026-02-01T00:00:00Z', host: { id: 'probe' }, event: { id: 'probe' } };

/** The correlator still takes events and ends its stream. */
function goesOn(correlator: Correlator): void {
  const { events: before } = correlator.stats();
  correlator.push([probe]);
  promise(correlator.stats().events === before + 1, 'a row after the damage took no ordinal');
  correlator.flush();
  correlator.close();
}

/** Each input is one kind of door: its first byte says which rules, the rest is what is pushed. */
export const ndjsonTarget: FuzzTarget = {
  name: 'ndjson',
  generate: (random) => {
    const once = events(random).map((event) => writeLine(event, random.next()));
    // Lines that come again are read by their learned shape.
    const lines = random.once(2) ? [...once, ...once] : once;
    const bytes = encode(writeLines(lines, random.next()));
    return random.once(4) ? bytes : mutateBytes(random, bytes);
  },
  check: async (input) => {
    const correlator = await create(matchRules);
    const found = [...correlator.push(input, { as: 'ndjson' }), ...correlator.flush()];
    const text = new TextDecoder().decode(input);
    const oracle = createOracle({ rules: matchRules });
    const expected = [...oracle.push(rowsOf(text)), ...oracle.flush()];
    const names = (rule: string, ordinal: number | null | undefined): string => `${rule} ${ordinal}`;
    const actual = found.map(({ rule, evidence: [first] }) =>
      names(rule.id, first?.missing === true ? null : first?.ordinal),
    );
    const wanted = expected.map(({ rule, evidence: [first] }) => names(rule, first));
    promise(actual.sort().join() === wanted.sort().join(), `found ${actual.join()}; JSON.parse says ${wanted.join()}`);
    correlator.close();
  },
};

/** One row a line; a line that is no object is a row without a time. */
function rowsOf(text: string): Source[] {
  const lines = text.replace(/^\ufeff/, '').split('\n');
  return lines.filter((line) => line.replaceAll(/[ \t\r]/g, '') !== '').map(parseRow);
}

function parseRow(line: string): Source {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (typed(value, '') as Source) : {};
  } catch {
    return {};
  }
}

const numberText = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A document as columns of numbers take it: what is no number in a field of numbers is missing. */
function typed(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((item) => typed(item, path));
  if (typeof value === 'object' && value !== null) {
    const below = (name: string): string => (path === '' ? name : `${path}.${name}`);
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, typed(item, below(name))]));
  }
  if (!isNumberField(path) || typeof value === 'number') return value;
  return typeof value === 'string' && numberText.test(value) ? Number(value) : null;
}

export const batchTarget: FuzzTarget = {
  name: 'batch',
  generate: (random) => mutateBytes(random, encodeEvents(events(random), { fields: fieldsOfEveryRule })),
  check: async (input) => {
    const correlator = await create(everyRule);
    try {
      correlator.push(input, { as: 'batch' });
    } catch (error) {
      if (!(error instanceof BatchError)) throw error;
    }
    goesOn(correlator);
  },
};

const fieldsOfEveryRule = (await create(everyRule)).fields;

export const snapshotTarget: FuzzTarget = {
  name: 'snapshot',
  generate: (random) => mutateBytes(random, random.pick(snapshots)),
  check: async (input) => {
    const correlator = await create(everyRule);
    try {
      correlator.restore(input);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
    }
    goesOn(correlator);
  },
};

const snapshots = await Promise.all(
  [0, 1, 2].map(async (index) => {
    const correlator = await create(everyRule);
    correlator.push(fc.sample(eventStream(60), { seed: index, numRuns: 1 })[0] as Source[]);
    return correlator.snapshot();
  }),
);
