import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { parseRules } from '../../src/language/load.js';
import type { Rule } from '../../src/rule/ir.js';
import { correlator, plainAlert, throughBatches, throughNdjson, throughSession } from '../support/correlator_engine.js';
import { type Engine, oracle } from '../support/engines.js';

const ruleOf = (query: string): Rule => parseRules(query, { file: 'rule.kql' }).rules[0] as Rule;

const items = [
  { name: 'a', n: 1, sub: { z: 'x' } },
  { name: 'b', n: 2 },
];

const cases: readonly (readonly [query: string, document: Record<string, unknown>, expected: boolean])[] = [
  ['evil.exe', { process: { name: 'evil.exe' } }, true],
  ['evil.exe', { process: { name: 'other' } }, false],
  ['evil.exe', { some: { field: [{ 'of.theirs': ['x', 'evil.exe'] }] } }, true],
  ['refused', { message: 'Connection refused' }, true],
  ['not evil.exe', {}, true],
  ['not evil.exe', { process: { args: ['x', 'evil.exe'] } }, false],
  ['process.*: evil', { process: { parent: { name: 'evil' } } }, true],
  ['process.*: evil', { 'process.odd': 'evil' }, true],
  ['process.*: evil', { file: { name: 'evil' } }, false],
  ['process.*: evil', { processes: { name: 'evil' } }, false],
  ['process.parent.*: *', { process: { parent: { pid: 1 } } }, true],
  ['not process.parent.*: *', { process: { pid: 1 } }, true],
  ['f*: x', { foo: 'x' }, true],
  ['f*: x', { foo: { bar: 'x' } }, true],
  ['f*: x', { of: 'x' }, false],
  ['*.name: x', { a: { b: { name: 'x' } } }, true],
  ['*.name: x', { name: 'x' }, false],
  ['a*c*e: x', { 'a-bc.d': { e: 'x' } }, true],
  ['n* > 4', { n: 3, m: 9 }, false],
  ['n* > 4', { n: 3, nm: [1, 9] }, true],
  ['n*: true', { nil: null, now: true }, true],
  ['n*: *', { nil: null, none: [], not: {} }, false],
  ['*: *', {}, true],
  ['"a\\tb"', { 'k\u00fcche \u{1f600}': 'a\tb' }, true],
  ['k\u00fc*: x', { 'k\u00fcche': 'x' }, true],
  ['items: { n*: b and n: 2 }', { items }, true],
  ['items: { n*: a and n: 2 }', { items }, false],
  ['items: { *: 2 and name: b }', { items }, true],
  ['items: { s*: x and name: a }', { items }, true],
  ['mess*: FOX', { message: 'the quick brown fox' }, true],
  ['source.*: "10.0.0.0/8"', { source: { ip: '10.1.2.3' } }, true],
  ['source.*: "10.0.0.0/8"', { source: { port: 10 } }, false],
];

describe.each([oracle, correlator, throughNdjson, throughBatches, throughSession])(
  'fields by pattern: $name',
  (engine) => {
    it.each(cases)('%s on %j is %s', async (query, document, expected) => {
      const event = { '@timestamp': '2026-01-01T00:00:00Z', ...document };
      expect((await engine.run({ rules: [ruleOf(query)] }, [[event]])).length).toBe(expected ? 1 : 0);
    });
  },
);

/** Lines without members that the events do not have. */
const plainLines: Engine = {
  name: 'plain lines',
  run: async (options, batches) => {
    const engine = await createCorrelator({ memory: '16MiB', ...options });
    const lines = batches.flat().map((event) => `${JSON.stringify(event)}\n`);
    const alerts = [...engine.push(lines.join('')), ...engine.flush()];
    engine.close();
    return alerts.map((alert) => plainAlert(alert, new Map()));
  },
};

const key = fc.constantFrom('n', 'a', 'ab', 'a.b', 'b', 'b.a', 'c"d', '\u00e9', 'a*');
const value = fc.letrec((tie) => ({
  scalar: fc.constantFrom('x', 'y', 1, 2.5, true, null, '\\\u{1f600}'),
  list: fc.array(tie('any'), { maxLength: 3 }),
  object: fc.dictionary(key, tie('any'), { maxKeys: 3 }),
  any: fc.oneof({ maxDepth: 3 }, tie('scalar'), tie('list'), tie('object')),
}));
const patterns = ['*', 'a*', 'a.*', '*b', 'b.*a', 'a*.b', '*\u00e9'];

describe('fields by pattern', () => {
  it('are the same through every door, whatever the names', async () => {
    const rules = patterns.flatMap((name) => [
      { ...ruleOf(`${name}: x`), id: `${name} x` },
      { ...ruleOf(`${name} > 1`), id: `${name} > 1` },
      { ...ruleOf(`n: { ${name}: x and b: y }`), id: `nested ${name}` },
    ]);
    const events = fc.array(fc.dictionary(key, value.any, { maxKeys: 5 }), { minLength: 20, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(events, async (documents) => {
        const batch = documents.map((document) => ({ ...document, '@timestamp': '2026-01-01T00:00:00Z' }));
        const told = await Promise.all(
          [oracle, correlator, plainLines, throughSession].map(async (engine) =>
            (await engine.run({ rules }, [batch])).map(({ rule, evidence }) => `${rule} ${evidence[0]}`).sort(),
          ),
        );
        for (const other of told.slice(1)) expect(other).toEqual(told[0]);
      }),
      { numRuns: 15 },
    );
  });

  it('are found in events of more names than are remembered', async () => {
    const events = Array.from({ length: 900 }, (_, i) => ({
      '@timestamp': '2026-01-01T00:00:00Z',
      ...Object.fromEntries(Array.from({ length: 7 }, (_, n) => [`f${i}_${n}`, n === 6 ? `v${i}` : 'v'])),
    }));
    const rules = [ruleOf('f*: v899'), { ...ruleOf('*: v0'), id: 'first' }];
    for (const engine of [correlator, throughNdjson]) {
      const alerts = await engine.run({ rules }, [events]);
      expect(alerts.map(({ evidence }) => evidence[0])).toEqual([0, 899]);
    }
  });

  it('leave other rules as they are', () => {
    const { rules, diagnostics, columns } = compile([ruleOf('process.name: a'), { ...ruleOf('evil*'), id: 'other' }]);
    expect([rules.length, diagnostics]).toEqual([2, []]);
    expect(columns.map(({ name }) => name)).toEqual(expect.arrayContaining(['process.name', '*', 'message']));
  });

  it('are no group keys', () => {
    const text =
      '[rule]\nrule_id = "t"\nname = "t"\ntype = "threshold"\nlanguage = "kuery"\nquery = "a: b"\nseverity = "low"\nrisk_score = 1\n[rule.threshold]\nfield = ["f*"]\nvalue = 2\n';
    const { rules } = parseRules(text, { file: 't.toml' });
    expect(compile(rules).diagnostics.map(({ code }) => code)).toEqual(['COMPILE_FIELD_PATTERN']);
  });
});

describe('a field that one rule reads element by element and another as a whole', () => {
  it.each([correlator, throughNdjson, throughBatches, throughSession])('means both: $name', async (engine) => {
    const rules = ['a: { b: x and c: y }', 'a.b: (x and z)'].map((query) => ({ ...ruleOf(query), id: query }));
    const elements = [{ b: ['x', 'q'] }, { b: ['z', 'r'], c: 'y' }];
    const alerts = await engine.run({ rules }, [[{ '@timestamp': '2026-01-01T00:00:00Z', a: elements }]]);
    expect(alerts.map(({ rule }) => rule)).toEqual(['a.b: (x and z)']);
  });
});

describe('elements without any field that a condition reads', () => {
  const rule = (query: string): Rule => {
    const [parsed] = parseRules(query, { language: 'eql', dialect: 'endpoint' }).rules;
    return { ...(parsed as Rule), id: query };
  };
  const asking = [
    'any where arraycount(a, $e, $e.x == "q") == 0',
    'any where arraysearch(a, $e, $e.x == null)',
    'any where not arraycount(a, $e, $e.x == "q") >= 1',
  ].map(rule);
  const other = rule('any where arraysearch(a, $e, $e.y == 1)');

  it.each([oracle, correlator, throughNdjson, throughBatches])(
    'count the same beside other rules: $name',
    async (engine) => {
      for (const rules of [asking, [...asking, other]]) {
        const alerts = await engine.run({ rules }, [
          [{ '@timestamp': '2026-01-01T00:00:00Z', a: [{ y: 1 }, { z: 2 }] }],
        ]);
        const found = alerts.map(({ rule: id }) => id).filter((id) => id !== other.id);
        expect(found.sort()).toEqual(asking.map(({ id }) => id).sort());
      }
    },
  );
});
