import { describe, expect, it } from 'vitest';
import { requiredLiteral } from '../../src/compiler/regex_literal.js';

/** Pattern, the literal that every match contains, whether it may be in any case. */
const cases: readonly [string, string | undefined, boolean?][] = [
  ['mimikatz', 'mimikatz'],
  ['(?s).*\\.exe', '.exe'],
  ['(?i)invoke-[a-z]+expression', 'expression', true],
  ['ab', undefined],
  ['abc|def', undefined],
  ['(?:abc|def)ghij', 'ghij'],
  ['(abc)?defg', 'defg'],
  ['abcd?ef', 'abc'],
  ['abcd*', 'abc'],
  ['abcd+efg', 'abcd'],
  ['abc{2,3}xyz', 'xyz'],
  ['abcd{0}', 'abc'],
  ['abc{x}', 'abc{x}'],
  ['[abc]+defg', 'defg'],
  ['[]abc]defg', 'defg'],
  ['[^\\]abc]defg', 'defg'],
  ['[[:alpha:]x]defg', 'defg'],
  ['\\d{4}-report-\\w+', '-report-'],
  ['\\x41bcd', 'bcd'],
  ['\\x{1F600}wxyz', 'wxyz'],
  ['\\p{Greek}wxyz', 'wxyz'],
  ['\\pLwxyz', 'wxyz'],
  ['\\Qa.b\\E', undefined],
  ['(a\\)b(c)d)efgh', 'efgh'],
  ['(unclosed', undefined],
  ['caféteria', 'teria'],
  ['^start.end$', 'start'],
  ['a\\.b\\\\c', 'a.b\\c'],
];

describe('the literal that a regular expression needs', () => {
  it.each(cases)('of %s is %s', (pattern, text, folds = false) => {
    expect(requiredLiteral(pattern)).toEqual(text === undefined ? undefined : { text, folds });
  });
});
