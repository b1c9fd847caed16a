import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expressionDepthMax, ruleTextMax } from '../../src/core/limits.js';
import { parseKuery } from '../../src/language/kuery/kuery.js';

type Case = readonly [query: string, code: string, column: number];

const cases: readonly Case[] = [
  ['a: (b or c', 'KQL_SYNTAX', 1 + 3],
  ['a: { b: 1', 'KQL_SYNTAX', 1],
  ['a: "b', 'KQL_UNTERMINATED', 4],
  ['a: b or', 'KQL_SYNTAX', 8],
  ['or a: b', 'KQL_SYNTAX', 1],
  ['a: b and and c: d', 'KQL_SYNTAX', 10],
  ['a: >= 5', 'KQL_SYNTAX', 4],
  ['a: b)', 'KQL_SYNTAX', 5],
  ['a: b<c', 'KQL_SYNTAX', 5],
  ['a: C:\\x', 'KQL_SYNTAX', 5],
  ['a: C\\x', 'KQL_ESCAPE', 5],
  ['a:', 'KQL_SYNTAX', 3],
  ['a: ()', 'KQL_SYNTAX', 5],
  ['()', 'KQL_SYNTAX', 2],
  ['a: "b"and c: d', 'KQL_SYNTAX', 7],
  ['a > b*', 'KQL_RANGE', 5],
  ['a: null', 'KQL_NULL', 4],
  ['@timestamp > now-1d', 'DATE_RELATIVE', 1],
  ['@timestamp > "2024-13-01"', 'DATE_SYNTAX', 1],
  ['source.ip > x', 'ADDRESS_SYNTAX', 1],
];

describe('KQL problems', () => {
  it.each(cases)('%s is %s at column %i', (query, code, column) => {
    const { condition, problems } = parseKuery(query);
    expect(condition).toBeUndefined();
    expect(problems.map((problem) => [problem.code, problem.line, problem.column])).toEqual([[code, 1, column]]);
    expect(problems[0]?.excerpt).toContain('^');
    expect(problems[0]?.remedy).toBeTruthy();
  });

  it('tells several mistakes of one query, each on its line', () => {
    const { problems } = parseKuery('a: (1 or ) and\nb: "x" y and\nc: >3 and\n@timestamp > now');
    expect(problems.map((problem) => problem.line)).toEqual([1, 2, 3]);
  });

  it('remarks on a question mark in a wildcard and on text for an address without refusing', () => {
    const { condition, problems } = parseKuery('a: b?* and source.ip: x');
    expect(condition).toBeDefined();
    expect(problems.map((problem) => [problem.code, problem.severity])).toEqual([
      ['KQL_QUESTION_MARK', 'info'],
      ['ADDRESS_SYNTAX', 'warning'],
    ]);
  });

  it('takes the stated depth and refuses one level more', () => {
    const nested = (depth: number): string => `${'('.repeat(depth)}a: 1${')'.repeat(depth)}`;
    expect(parseKuery(nested(expressionDepthMax)).problems).toEqual([]);
    expect(parseKuery(nested(expressionDepthMax + 1)).problems[0]?.code).toBe('RULE_TOO_DEEP');
    expect(parseKuery(nested(100_000)).problems).toHaveLength(1);
  });

  it('takes the stated length and refuses one character more', () => {
    const long = (length: number): string => `a: "${'x'.repeat(length - 5)}"`;
    expect(parseKuery(long(ruleTextMax)).problems).toEqual([]);
    expect(parseKuery(long(ruleTextMax + 1)).problems[0]?.code).toBe('RULE_TOO_LONG');
  });

  it('never throws, whatever the text', () => {
    const piece = fc.constantFrom(
      ...[
        'a',
        ':',
        '(',
        ')',
        '{',
        '}',
        '"',
        '\\',
        '*',
        '<',
        '>=',
        ' and ',
        ' or ',
        'not ',
        ' ',
        '\n',
        '1',
        'now-1d',
        '||',
      ],
      ...['source.ip', '@timestamp', 'message', '10.0.0.0/8', '2024-01-01', 'null', '\\u00e9', '\ud800', '?', '/'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { condition, problems } = parseKuery(pieces.join(''));
        expect(condition === undefined).toBe(problems.some((problem) => problem.severity === 'error'));
      }),
      { seed: 20260124, numRuns: 5_000 },
    );
  });
});
