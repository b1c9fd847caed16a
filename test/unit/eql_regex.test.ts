import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { parseEql } from '../../src/language/eql/index.js';
import { translateLucene } from '../../src/language/eql/lucene_regex.js';

const matches: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
  ['', [''], ['a']],
  ['abc', ['abc'], ['abcd', 'xabc']],
  ['a.c', ['abc', 'a\nc', 'a😀c'], ['ac']],
  ['a|bc|d', ['a', 'bc', 'd'], ['ab', 'abc']],
  ['(a|b)c', ['ac', 'bc'], ['c', 'abc']],
  ['a?b*c+', ['c', 'abbcc', 'ac'], ['ab']],
  ['a{2}', ['aa'], ['a', 'aaa']],
  ['a{2,}', ['aa', 'aaaa'], ['a']],
  ['a{1,2}b', ['ab', 'aab'], ['b', 'aaab']],
  ['.*?net1.*?', ['net1', 'x net1 y'], ['net']],
  ['a+?', ['', 'a', 'aa'], ['b']],
  ['(ab)+?c', ['c', 'abc', 'ababc'], ['ab']],
  ['[abc]', ['a', 'c'], ['d', '']],
  ['[^abc]', ['d', '\n'], ['a']],
  ['[a-cx]', ['b', 'x'], ['d', '-']],
  ['[a-]', ['a', '-'], ['b']],
  ['[-a]', ['a', '-'], ['b']],
  ['[0-9-]+', ['1-2'], ['a']],
  ['[.*+?]', ['.', '*', '?'], ['a']],
  ['[\\]\\-\\\\^]', [']', '-', '\\', '^'], ['a']],
  ['[[:a]', ['[', ':', 'a'], [']']],
  ['[\\d\\s]+', ['1 2'], ['a']],
  ['\\d\\w\\s', ['1_ ', '9a\t'], ['a1 ', '1_x']],
  ['\\D\\W\\S', ['a-x'], ['1-x']],
  ['\\.\\*\\n', ['.*n'], ['.*\n']],
  ['\\bword\\b', ['bwordb'], ['word']],
  ['a$b^c', ['a$b^c'], ['abc']],
  ['"a.b"c', ['a.bc'], ['axbc']],
  ['a@b', ['ab', 'axyb'], ['a']],
  ['a|#', ['a'], ['', 'b']],
  ['()a', ['a'], ['']],
  ['\\~\\&\\<\\>\\@\\#', ['~&<>@#'], ['']],
  ['[~&<>@#]', ['~', '#'], ['a']],
  ['äö😀', ['äö😀'], ['äö']],
  ['C:\\\\Windows\\\\.*', ['C:\\Windows\\x'], ['C:Windows']],
  ['a<1-10>', ['a1', 'a10', 'a07', 'a0010'], ['a', 'a0', 'a11']],
  ['<10-01>', ['01', '09', '10'], ['1', '00', '11', '010']],
  ['x>y', ['x>y'], ['xy']],
  ['https?:\\/\\/[^ ]+', ['http://a', 'https://b/c'], ['https:/x']],
];

const refusals: readonly (readonly [pattern: string, message: string, at: number])[] = [
  ['a(b', 'a group is not closed', 2],
  ['a)b', '")" closes no group', 1],
  ['a|', 'an alternative is empty', 1],
  ['(a|)', 'an alternative is empty', 3],
  ['*a', '"*" repeats nothing', 0],
  ['a{x}', '"{" starts no repetition count', 1],
  ['a{5,2}', 'the counts are in the wrong order', 1],
  ['a{1001}', 'a count above 1000', 1],
  ['[abc', 'a character class is not closed', 0],
  ['[]', 'a character class is empty', 0],
  ['[z-a]', 'a range runs backwards', 4],
  ['[a-\\d]', 'a range ends in a class', 5],
  ['a\\', 'the pattern ends in a backslash', 1],
  ['"abc', 'a quotation is not closed', 0],
  ['a~b', 'complement ("~") cannot be translated', 1],
  ['a&b', 'intersection ("&") cannot be translated', 1],
  ['a<b', '"<" begins no number range', 1],
  ['<1->', '"<" begins no number range', 0],
  ['<1-2147483648>', 'a number above 2147483647', 0],
  ['(?:a)', 'Lucene has no "(?…)" groups', 1],
  ['(?i)a', 'Lucene has no "(?…)" groups', 1],
];

function compile(pattern: string): (text: string) => boolean {
  const result = translateLucene(pattern);
  if (!('pattern' in result)) throw new Error(result.problem.message);
  const compiled = RE2JS.compile(result.pattern);
  return (text) => compiled.matcher(text).matches();
}

describe('Lucene regular expressions', () => {
  it.each(matches)('%s', (pattern, matching, others) => {
    const test = compile(pattern);
    expect(matching.filter((text) => !test(text))).toEqual([]);
    expect(others.filter(test)).toEqual([]);
  });

  it.each(refusals)('refuses %s: %s', (pattern, message, at) => {
    expect(translateLucene(pattern)).toMatchObject({ problem: { message, at } });
  });

  it('takes the numbers of a range, and no others', () => {
    for (const [from, to] of [
      [0, 0],
      [7, 123],
      [99, 1000],
      [250, 349],
    ] as const) {
      const test = compile(`<${from}-${to}>`);
      const found = Array.from({ length: 1_100 }, (_, number) => number).filter((number) => test(String(number)));
      // Of bounds of one length, numbers of other lengths are none.
      const isFixed = String(from).length === String(to).length;
      const wanted = Array.from({ length: to - from + 1 }, (_, i) => from + i);
      expect(found).toEqual(wanted.filter((n) => !isFixed || String(n).length === String(to).length));
    }
  });

  it('bounds nesting', () => {
    expect(translateLucene('('.repeat(100_000))).toMatchObject({
      problem: { message: expect.stringContaining('100') },
    });
    expect(translateLucene(`a${'*'.repeat(100_000)}`)).toHaveProperty('problem');
  });

  it('warns of anchors, which are plain characters', () => {
    const { query, problems } = parseEql('any where a regex "^b.*"');
    expect(query).toBeDefined();
    expect(problems).toMatchObject([{ code: 'EQL_REGEX_ANCHOR', severity: 'warning', column: 19 }]);
    expect(parseEql('any where a regex "b\\\\$"').problems).toEqual([]);
  });
});
