/** Array conditions inside array conditions, through the correlator and against the oracle. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import type { Expr } from '../../src/rule/ir.js';
import { correlator, throughNdjson } from '../support/correlator_engine.js';
import { comparable, oracle } from '../support/engines.js';
import type { Source } from '../support/generators.js';
import { equals, field, matches, matchRule } from '../support/rules.js';

const nested = (path: string, condition: Expr): Expr => ({ kind: 'nested', path, condition });
const and = (...operands: Expr[]): Expr => ({ kind: 'and', operands });
const not = (operand: Expr): Expr => ({ kind: 'not', operand, missing: 'null' });
const same = (left: string, right: string): Expr => ({
  kind: 'compare',
  op: '==',
  left: field(left),
  right: field(right),
  case: 'exact',
});

const conditions: readonly (readonly [string, Expr])[] = [
  ['one test', nested('l', nested('l.m', equals('l.m.x', 'a')))],
  ['a pattern', nested('l', nested('l.m', matches('l.m.x.y', { type: 'prefix', text: 'a' })))],
  ['beside a test of the outer element', nested('l', and(equals('l.z', 'a'), nested('l.m', equals('l.m.x', 'b'))))],
  ['against the outer element', nested('l', nested('l.m', same('l.m.x', 'l.z')))],
  ['against the event', nested('l', nested('l.m', same('l.m.x', 'o')))],
  ['negated', nested('l', and(not(nested('l.m', equals('l.m.x', 'a'))), equals('l.z', 'b')))],
  ['no outer element', not(nested('l', nested('l.m', equals('l.m.x', 'a'))))],
  ['two inner searches', nested('l', and(nested('l.m', equals('l.m.x', 'a')), nested('l.m', equals('l.m.w', 'b'))))],
  [
    'a function of both',
    nested(
      'l',
      nested('l.m', { kind: 'call', name: 'startsWith', args: [field('l.m.x'), field('l.z')], case: 'ascii' }),
    ),
  ],
  ['three deep', nested('l', nested('l.m', nested('l.m.n', equals('l.m.n.x', 'a'))))],
  ['of plain values', nested('l', nested('l.p', equals('l.p', 'a')))],
];

const text = fc.constantFrom<unknown>('a', 'b', 'ab', 1);
const value = fc.oneof(text, fc.array(text, { maxLength: 2 }));
const record = (fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<unknown> =>
  fc.record(fields, { requiredKeys: [] });
const arrayOf = (element: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: fc.array(element, { maxLength: 3 }) }, element);
const inner = record({
  x: fc.oneof(value, record({ y: text })),
  w: value,
  n: arrayOf(record({ x: value })),
});
const source = record({
  o: value,
  l: arrayOf(record({ z: value, m: arrayOf(inner), p: value })),
}).map((fields): Source => ({ '@timestamp': '2026-01-01T00:00:00Z', host: { id: 'h' }, ...(fields as Source) }));

describe('an array condition inside another', () => {
  it.each(conditions)('%s holds in the kernel where it does in the oracle', async (_, condition) => {
    const rules = [matchRule('r', condition)];
    await fc.assert(
      fc.asyncProperty(fc.array(source, { minLength: 30, maxLength: 60 }), async (events) => {
        const wanted = comparable(await oracle.run({ rules }, [events]), events);
        expect(comparable(await correlator.run({ rules }, [events]), events)).toEqual(wanted);
        expect(comparable(await throughNdjson.run({ rules }, [events]), events)).toEqual(wanted);
      }),
      { seed: Number(process.env.VEDETTE_SEED ?? 20_260_101), numRuns: 4 },
    );
  });

  const refused: readonly (readonly [string, Expr])[] = [
    ['two fields of an inner element', and(equals('l.m.x', 'a'), equals('l.m.w', 'a'))],
    ['two fields compared', same('l.m.x', 'l.m.w')],
    ['inequality', { ...(equals('l.m.x', 'a') as Extract<Expr, { kind: 'compare' }>), op: '!=' }],
    ['absence', { kind: 'isNull', value: field('l.m.x') }],
    ['negation', not(equals('l.m.x', 'a'))],
  ];
  it.each(refused)('that asks for %s is refused by name', (_, condition) => {
    const { diagnostics } = compile([matchRule('r', nested('l', nested('l.m', condition)))]);
    expect(diagnostics.map(({ code }) => code)).toEqual(['COMPILE_NESTED']);
  });
});
