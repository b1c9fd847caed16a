import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { ColumnKind } from '../../src/core/abi/events.js';
import { CandidateHeader, PredicateId } from '../../src/core/abi/predicates.js';
import { Section } from '../../src/core/abi/program.js';
import type { Expr, MatchRule, Rule } from '../../src/rule/ir.js';
import { matchRule, PredicateKernel } from '../support/predicate_kernel.js';

const field = (name: string): Expr => ({ kind: 'field', name });
const literal = (value: string | number | boolean | null): Expr => ({ kind: 'literal', value });
const is = (name: string, ...texts: string[]): Expr => ({
  kind: 'match',
  value: field(name),
  patterns: texts.map((text) => ({ type: 'equals', text })),
  case: 'exact',
});
const and = (...operands: Expr[]): Expr => ({ kind: 'and', operands });
const named = (id: string, condition: Expr): MatchRule => ({ ...matchRule(condition), id });

function alwaysCount(rules: readonly Rule[]): number {
  const section = compile(rules).sections.get(Section.Candidates) as Uint8Array;
  return new DataView(section.buffer, section.byteOffset).getUint32(CandidateHeader.AlwaysCount, true);
}

const kindOf = (condition: Expr, name: string): ColumnKind | undefined =>
  compile([matchRule(condition)]).columns.find((column) => column.name === name)?.kind;

describe('linking rules', () => {
  it('gives equal queries one predicate, wherever they were written', () => {
    const spanned: Expr = { ...is('a', 'x'), span: { start: 3, end: 9 } };
    const program = compile([named('one', is('a', 'x')), named('two', spanned), named('three', is('a', 'y'))]);
    expect(program.predicateCount).toBe(PredicateId.FirstOrdinary + 2);
  });

  it('is deterministic, and its fingerprint tells rules apart', () => {
    const rules = [named('one', is('a', 'x')), named('two', and(is('b', 'y'), is('a', 'x', 'z')))];
    const program = compile(rules);
    expect(compile(structuredClone(rules)).bytes).toEqual(program.bytes);
    expect(compile([named('one', is('a', 'X'))]).fingerprint).not.toBe(
      compile([named('one', is('a', 'x'))]).fingerprint,
    );
  });

  it('keeps a field as what the rules need it for', () => {
    const pid = field('process.pid');
    const entity = field('process.entity_id');
    const starts: Expr = { kind: 'match', value: entity, patterns: [{ type: 'prefix', text: 'x' }], case: 'exact' };
    expect(kindOf({ kind: 'compare', op: '>', left: pid, right: literal(4), case: 'exact' }, 'process.pid')).toBe(
      ColumnKind.Number,
    );
    expect(
      kindOf({ kind: 'match', value: pid, patterns: [{ type: 'wildcard', text: '4*' }], case: 'exact' }, 'process.pid'),
    ).toBe(ColumnKind.Text);
    expect(kindOf({ kind: 'isNull', value: entity }, 'process.entity_id')).toBe(ColumnKind.Id);
    expect(kindOf(starts, 'process.entity_id')).toBe(ColumnKind.Text);
    expect(kindOf(is('some.field', 'x'), 'some.field')).toBe(ColumnKind.Text);
  });

  it('names the fields that events need to carry', () => {
    const { fields } = compile([matchRule(is('a', 'x'), 0, 'process')], { evidenceFields: ['user.name'] });
    expect(fields).toEqual(expect.arrayContaining(['@timestamp', 'a', 'event.category', 'host.id', 'user.name']));
  });

  it('reads the category from the field that is told', async () => {
    const kernel = await PredicateKernel.create([matchRule(literal(true), 0, 'file')], { eventCategoryField: 'kind' });
    expect(kernel.match({ kind: 'file' })).toEqual([0]);
    expect(kernel.match({ event: { category: 'file' } })).toEqual([]);
  });

  it('finds a witness wherever a condition needs a value to be true', () => {
    const regex: Expr = { kind: 'regex', value: field('a'), patterns: ['.x.'], case: 'exact', anchor: 'full' };
    const negative: Expr = { kind: 'not', operand: is('a', 'x'), missing: 'true' };
    const found: Expr[] = [
      is('a', 'x'),
      { kind: 'or', operands: [is('a', 'x'), and(is('b', 'y'), negative)] },
      { kind: 'not', operand: is('a', 'x'), missing: 'null' },
      regex,
      { kind: 'nested', path: 'l', condition: is('l.x', 'y') },
    ];
    expect(alwaysCount(found.map((condition, index) => matchRule(condition, index)))).toBe(0);
    const pid: Expr = { kind: 'compare', op: '>', left: field('process.pid'), right: literal(1), case: 'exact' };
    const unbound = [negative, pid, { kind: 'or', operands: [is('a', 'x'), negative] } as Expr];
    expect(alwaysCount(unbound.map((condition, index) => matchRule(condition, index)))).toBe(3);
  });
});

/** What is refused, its code, and the conditions that are. */
const refusals: readonly [string, string, Expr][] = [
  [
    'a field of an earlier step, outside of a sequence',
    'COMPILE_STEP_FIELD',
    {
      kind: 'compare',
      op: '==',
      left: field('a'),
      right: { kind: 'call', name: 'stepField', args: [literal(0), field('a')], case: 'exact' },
      case: 'exact',
    },
  ],
  [
    'an array condition inside another that is more than one test',
    'COMPILE_NESTED',
    {
      kind: 'nested',
      path: 'a',
      condition: { kind: 'nested', path: 'a.b', condition: and(is('a.b.c', 'x'), is('a.b.d', 'y')) },
    },
  ],
  [
    'a position that is none',
    'COMPILE_ARRAY_ITEM',
    {
      kind: 'compare',
      op: '==',
      left: { kind: 'call', name: 'arrayItem', args: [field('a'), literal('a'), literal(-1)], case: 'exact' },
      right: literal('x'),
      case: 'exact',
    },
  ],
  [
    'an expression too large for the machine',
    'COMPILE_EXPRESSION',
    {
      kind: 'compare',
      op: '==',
      left: {
        kind: 'call',
        name: 'concat',
        args: Array.from({ length: 80 }, (_, i) => field(`f${i}`)),
        case: 'exact',
      },
      right: literal('x'),
      case: 'exact',
    },
  ],
  [
    'a condition nested too deep',
    'COMPILE_DEPTH',
    Array.from({ length: 300 }).reduce<Expr>((operand) => ({ kind: 'not', operand, missing: 'null' }), is('a', 'x')),
  ],
];

describe('what cannot be compiled', () => {
  it.each(refusals)('%s is refused by name, and the other rules are kept', (_what, code, condition) => {
    const program = compile([named('good', is('a', 'x')), named('bad', condition)]);
    expect(program.rules.map(({ id }) => id)).toEqual(['good']);
    expect(program.diagnostics).toHaveLength(1);
    expect(program.diagnostics[0]).toMatchObject({ code, severity: 'error', ruleId: 'bad' });
    expect(program.diagnostics[0]?.remedy).not.toBe('');
  });

  it.each(refusals)('%s leaves nothing behind in the program', (_what, _code, condition) => {
    const good = [named('good', is('a', 'x')), named('better', is('b', 'x'))];
    const [first, second] = good as [MatchRule, MatchRule];
    expect(compile([first, named('bad', condition), second]).bytes).toEqual(compile(good).bytes);
  });

  it('a second rule of one id is refused', () => {
    const program = compile([named('one', is('a', 'x')), named('one', is('a', 'y'))]);
    expect(program.diagnostics).toMatchObject([{ code: 'RULE_ID', ruleId: 'one' }]);
  });

  it('a rule with more than 64 marks in all is refused', () => {
    const lineage = (index: number): Expr => ({
      kind: 'lineage',
      relation: 'descendant',
      query: { category: 'process', condition: is('process.name', `p${index}`) },
    });
    const program = compile(Array.from({ length: 66 }, (_, index) => named(`r${index}`, lineage(index))));
    expect(program.rules).toHaveLength(64);
    expect(program.diagnostics.map(({ code }) => code)).toEqual(['COMPILE_MARKS', 'COMPILE_MARKS']);
  });

  it('equal lineage conditions share a mark', () => {
    const lineage = (relation: 'descendant' | 'child'): Expr => ({
      kind: 'lineage',
      relation,
      query: { category: 'process', condition: is('process.name', 'x') },
    });
    const program = compile([named('one', lineage('descendant')), named('two', lineage('child'))]);
    const actions = program.sections.get(Section.Actions) as Uint8Array;
    expect(program.usesLineage).toBe(true);
    const view = new DataView(actions.buffer, actions.byteOffset);
    const start = (predicate: number): number => view.getUint32(4 + 4 * predicate, true);
    const marks = Array.from(
      { length: 64 },
      (_, bit) => start(PredicateId.FirstMark + bit + 1) - start(PredicateId.FirstMark + bit),
    );
    expect(marks.reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});
