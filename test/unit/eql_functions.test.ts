import { describe, expect, it } from 'vitest';
import { constantOf } from '../support/eql.js';

const values: readonly (readonly [expression: string, value: unknown])[] = [
  ['add(1, 2)', 3],
  ['subtract(1, 2)', -1],
  ['multiply(2, 3.5)', 7],
  ['divide(7, 2)', 3],
  ['divide(7, 2.0)', 3.5],
  ['divide(7, 0)', null],
  ['modulo(-7, 3)', -1],
  ['between("a-b-c-d", "-", "-")', 'b'],
  ['between("a-b-c-d", "-", "-", true)', 'b-c'],
  ['between("aXbYc", "x", "y")', null],
  ['between~("aXbYc", "x", "y")', 'b'],
  ['BETWEEN~("aXbYc", "x", "y", false)', 'b'],
  ['between("abc", null, "c")', null],
  ['cidrMatch("10.1.2.3", "10.0.0.0/8")', true],
  ['cidrmatch("10.1.2.3", "11.0.0.0/8", "10.1.2.3/32")', true],
  ['cidrMatch("nonsense", "10.0.0.0/8")', false],
  ['cidrMatch(null, "10.0.0.0/8")', null],
  ['cidrMatch("10.0.0.1", null)', null],
  ['concat("a", 1, true, 2.5)', 'a1true2.5'],
  ['concat("a", null)', null],
  ['endsWith("abc", "bc")', true],
  ['endsWith("abc", "BC")', false],
  ['endsWith~("abc", "BC")', true],
  ['indexOf("abcabc", "c")', 2],
  ['indexOf("abcabc", "c", 3)', 5],
  ['indexOf("abcabc", "C")', null],
  ['indexof~("abcabc", "C", null)', 2],
  ['length("")', 0],
  ['length("äöü😀")', 4],
  ['length(null)', null],
  ['number("12")', 12],
  ['number("-1.5")', -1.5],
  ['number("ff", 16)', 255],
  ['number("0xff", 16)', 255],
  ['number("x")', null],
  ['startsWith("abc", "")', true],
  ['startsWith~("ÄB", "äb")', false],
  ['StartsWith~("AB", "ab")', true],
  ['string(12)', '12'],
  ['string(2.0)', '2.0'],
  ['string(false)', 'false'],
  ['string(null)', null],
  ['stringContains("abc", "b")', true],
  ['stringContains~("aBc", "b")', true],
  ['substring("hello", 1, 3)', 'el'],
  ['substring("hello", -3)', 'llo'],
  ['substring("hello", -3, -1)', 'll'],
  ['substring("hello", 3, 1)', ''],
  ['substring("hello", 0, length("hell"))', 'hell'],
];

const faults: readonly (readonly [expression: string, codes: string])[] = [
  ['length()', 'EQL_ARGUMENTS'],
  ['length("a", "b")', 'EQL_ARGUMENTS'],
  ['length(5)', 'EQL_TYPE'],
  ['concat()', 'EQL_ARGUMENTS'],
  ['substring("hello")', 'EQL_ARGUMENTS'],
  ['startsWith("a", 5)', 'EQL_TYPE'],
  ['startsWith(length("a"), "a")', 'EQL_TYPE'],
  ['number(1)', 'EQL_TYPE'],
  ['number("1", "16")', 'EQL_TYPE'],
  ['between("a", "b", "c", "d")', 'EQL_TYPE'],
  ['add("a", 1)', 'EQL_TYPE'],
  ['cidrMatch(ip)', 'EQL_ARGUMENTS'],
  ['cidrMatch(ip, other)', 'EQL_CONSTANT'],
  ['cidrMatch(ip, "10.0.0.0/40")', 'EQL_CIDR'],
  ['cidrMatch(ip, "10.0.0.0/8", "localhost")', 'EQL_CIDR'],
  ['length~("a")', 'EQL_FUNCTION'],
  ['cidrMatch~("10.0.0.1", "10.0.0.0/8")', 'EQL_FUNCTION'],
  ['lenght("a")', 'EQL_FUNCTION'],
  ['wildcard(a, "b*")', 'EQL_FUNCTION'],
  ['match(a, "b")', 'EQL_FUNCTION'],
  ['arraySearch(a, b, c)', 'EQL_FUNCTION'],
  ['lenght(lenght("a"))', 'EQL_FUNCTION EQL_FUNCTION'],
];

describe('EQL functions', () => {
  it.each(values)('%s is %s', (expression, value) => {
    expect(constantOf(expression)).toBe(value);
  });

  it.each(faults)('%s is refused: %s', (expression, codes) => {
    expect(constantOf(expression)).toBe(codes);
  });

  it('lowers a test against constant text to a pattern of one field', () => {
    expect(constantOf('startsWith~(a, "x")')).toMatchObject({
      kind: 'match',
      value: { name: 'a' },
      patterns: [{ type: 'prefix', text: 'x' }],
      case: 'ascii',
    });
    expect(constantOf('endsWith(a, b)', { dialect: 'endpoint' })).toMatchObject({
      kind: 'call',
      name: 'endsWith',
      case: 'exact',
    });
  });

  it('names functions in any case and says the canonical name in messages', () => {
    expect(constantOf('STRINGCONTAINS(a, b)', { dialect: 'endpoint' })).toMatchObject({ name: 'stringContains' });
  });
});
