import { describe, expect, it } from 'vitest';
import { ruleTextMax } from '../../src/core/limits.js';
import { parseEql, parseEqlSyntax, printEql } from '../../src/language/eql/index.js';
import { codesOf, constantOf, queryOf } from '../support/eql.js';

const strings: readonly (readonly [written: string, value: string])[] = [
  ['"plain"', 'plain'],
  ['""', ''],
  ['"it\'s"', "it's"],
  ['"a\\"b"', 'a"b'],
  ['"\\b\\t\\n\\f\\r\\\\\\\'"', "\b\t\n\f\r\\'"],
  ['"\\u{e4}\\u{1F600}\\u{00000041}"', 'ä😀A'],
  ['"// no comment /* none */"', '// no comment /* none */'],
  ['"""raw \\n "quoted" text"""', 'raw \\n "quoted" text'],
  ['"""ends in a quote""""', 'ends in a quote"'],
  ['"""""two""  """', '""two""  '],
  ['""""""', ''],
];

const legacyStrings: readonly (readonly [written: string, value: string])[] = [
  ["'single'", 'single'],
  ["'a\\'b\"c'", 'a\'b"c'],
  ['?"C:\\new \\" x"', 'C:\\new " x'],
  ["?'\\d+'", '\\d+'],
];

const numbers: readonly (readonly [written: string, value: number])[] = [
  ['0', 0],
  ['12', 12],
  ['1.5', 1.5],
  ['1.', 1],
  ['.5', 0.5],
  ['1e3', 1000],
  ['1.5E-1', 0.15],
  ['2e+2', 200],
];

/** A condition and the same with every bracket that precedence implies. */
const precedence: readonly (readonly [written: string, read: string])[] = [
  ['a or b and c', 'a or (b and c)'],
  ['not a and b or c', '((not a) and b) or c'],
  ['not a == 1', 'not (a == 1)'],
  ['a == 1 + 2 * 3', 'a == (1 + (2 * 3))'],
  ['a - 1 - 2 == 3', '((a - 1) - 2) == 3'],
  ['a / 2 % 3 == 1', '((a / 2) % 3) == 1'],
  ['-a * 2 == 1', '((-a) * 2) == 1'],
  ['not not a', 'not (not a)'],
  ['a : "x" or b in (1)', '(a : "x") or (b in (1))'],
];

describe('EQL syntax', () => {
  it.each(strings)('the string %s', (written, value) => {
    expect(constantOf(written)).toBe(value);
  });

  it.each(legacyStrings)('the string %s of the python-eql dialect', (written, value) => {
    expect(constantOf(written, { dialect: 'python-eql' })).toBe(value);
    expect(constantOf(written)).toBe('EQL_QUOTES');
  });

  it.each(numbers)('the number %s', (written, value) => {
    expect(constantOf(written)).toBe(value);
  });

  it.each(precedence)('%s reads as %s', (written, read) => {
    const [a, b] = [written, read].map((condition) => queryOf(`any where ${condition}`));
    const plain = (query: unknown): string => JSON.stringify(query).replace(/,?"span":\{[^}]*\}/g, '');
    expect(plain(a)).toBe(plain(b));
  });

  it.each([
    ['"\\q"', 'EQL_ESCAPE'],
    ['"\\u{1}"', 'EQL_ESCAPE'],
    ['"\\u{d800}"', 'EQL_ESCAPE'],
    ['"open', 'EQL_STRING'],
    ['"""open', 'EQL_STRING'],
    ['`open', 'EQL_NAME'],
    ['``', 'EQL_NAME'],
    ['/* open', 'EQL_COMMENT'],
    ['1e999', 'EQL_NUMBER'],
    ['1.2.3', 'EQL_SYNTAX'],
    ['a # b', 'EQL_CHARACTER'],
    ['ä == 1', 'EQL_CHARACTER'],
  ])('%s is refused: %s', (written, code) => {
    expect(codesOf(`any where ${written}`)).toContain(code);
  });

  it.each(['sequence', 'any', 'like', 'by', 'where', 'maxspan', 'true'])(
    'keyword %s names a field only in backticks',
    (word) => {
      expect(codesOf(`any where a.${word} == 1`)).toEqual(['EQL_SYNTAX']);
      expect(queryOf(`any where a.\`${word}\` == 1`)).toMatchObject({
        query: { condition: { left: { name: `a.${word}` } } },
      });
    },
  );

  it.each([
    ['process where true', 'process'],
    ['any where true', null],
    ['"my category" where true', 'my category'],
    ['"""my.category""" where true', 'my.category'],
    ['OPTIONAL where true', 'OPTIONAL'],
  ])('%s is about category %s', (text, category) => {
    expect(queryOf(text)).toMatchObject({ kind: 'event', query: { category } });
  });

  it('reads comments and blanks as nothing', () => {
    const text = '// first\nprocess /* then */ where\r\n\t a==1// last';
    expect(queryOf(text)).toMatchObject({ query: { category: 'process', condition: { op: '==' } } });
  });

  it('refuses text and nesting beyond the limits', () => {
    expect(codesOf(`any where a == "${'x'.repeat(ruleTextMax)}"`)).toEqual(['EQL_LIMIT_LENGTH']);
    for (const [open, close] of [
      ['(', ')'],
      ['not ', ''],
      ['-', ''],
      ['length(', ')'],
      ['not (', ')'],
      ['a == (', ')'],
    ] as const) {
      for (const depth of [300, 30_000]) {
        expect(codesOf(`any where ${open.repeat(depth)}a${close.repeat(depth)}`)).toContain('EQL_LIMIT_DEPTH');
      }
    }
    expect(codesOf(`any where ${'a + '.repeat(5_000)}a == 1`)).toContain('EQL_LIMIT_DEPTH');
    expect(codesOf(`any where ${'child of [any where '.repeat(400)}a`, { dialect: 'endpoint' })).toContain(
      'EQL_LIMIT_DEPTH',
    );
    const tower = (depth: number): string => (depth === 0 ? 'a' : `(${tower(depth - 1)}${' + a'.repeat(200)})`);
    expect(codesOf(`any where ${tower(200)} == 1`)).toContain('EQL_LIMIT_DEPTH');
    const methods = `any where a${':length()'.repeat(20_000)} == 1`;
    expect(codesOf(methods, { dialect: 'python-eql' })).toEqual(['EQL_LIMIT_DEPTH']);
    expect(parseEql(`any where ${'(('.repeat(60)}a == 1${'))'.repeat(60)}`).problems).toEqual([]);
  });

  it('takes thousands of alternatives on one level', () => {
    const condition = Array.from({ length: 5_000 }, (_, i) => `a == ${i}`).join(' or ');
    expect(codesOf(`any where ${condition}`)).toEqual([]);
    const list = Array.from({ length: 5_000 }, (_, i) => `"v${i}"`).join(', ');
    expect(codesOf(`any where a in (${list})`)).toEqual([]);
  });

  it('prints a query as it would be written', () => {
    const text = [
      'sequence by host.id with maxspan=5m',
      '  [process where a.b : ("x*", "y") and not (c == 1 or ?d in~ ("e"))] with runs=3',
      '  ![file where length(e) > -(f + 2) * 3]',
      'until [any where `a-b`.c regex~ "d"]',
      '| head 5',
    ].join('\n');
    const statement = parseEqlSyntax(text);
    expect(statement && printEql(statement)).toBe(text);
  });
});
