import { describe, expect, it } from 'vitest';
import { EmbeddedText, SourceText } from '../../src/core/source_text.js';
import { parseEql } from '../../src/language/eql/index.js';

/** A query, the code and column of its one problem, and what the remedy says. */
const rows: readonly (readonly [query: string, code: string, column: number, remedy: string])[] = [
  ['process where name = "a"', 'EQL_OPERATOR', 20, 'Did you mean "=="?'],
  ["process where name == 'a'", 'EQL_QUOTES', 23, 'double quotes'],
  ['process wher name == "a"', 'EQL_SYNTAX', 9, 'Did you mean "where"?'],
  ['process', 'EQL_SYNTAX', 8, '"where" and a condition'],
  ['process where name == "a" adn b == 1', 'EQL_SYNTAX', 27, 'Did you mean "and"?'],
  ['process where name == "a" AND b == 1', 'EQL_SYNTAX', 27, 'lower case: and'],
  ['process where name == "a" && b == 1', 'EQL_CHARACTER', 27, 'Write "and"'],
  ['process where name == "a" || b == 1', 'EQL_SYNTAX', 28, 'Write "or"'],
  ['process where !name', 'EQL_CHARACTER', 15, 'Write "not"'],
  ['process where name <> "a"', 'EQL_SYNTAX', 21, 'Write !='],
  ['process where name === "a"', 'EQL_SYNTAX', 22, 'Write =='],
  ['process where name is null', 'EQL_SYNTAX', 20, '== null'],
  ['process where name contains "a"', 'EQL_SYNTAX', 20, 'stringContains(field, "text")'],
  ['process where name not like "a"', 'EQL_SYNTAX', 20, 'Write "not" before the field'],
  ['process where name == "a" and', 'EQL_SYNTAX', 30, ''],
  ['process where name == "a" and or b == 1', 'EQL_SYNTAX', 31, 'Something is missing before "or"'],
  ['process where name in "a"', 'EQL_SYNTAX', 23, 'in parentheses'],
  ['process where name in ("a", "b"', 'EQL_SYNTAX', 32, 'Close the "(" of line 1, column 23'],
  ['process where (a == 1 or b == 2', 'EQL_SYNTAX', 32, 'Close the "(" of line 1, column 15'],
  ['process where startWith(name, "a")', 'EQL_FUNCTION', 15, 'Did you mean startsWith?'],
  ['process where frobnicate(name)', 'EQL_FUNCTION', 15, 'The functions are add'],
  ['process where length(name, 2) > 1', 'EQL_ARGUMENTS', 15, 'Write length(source)'],
  ['process where length(5) > 1', 'EQL_TYPE', 22, 'convert it with string()'],
  ['process where name : 5', 'EQL_TYPE', 22, 'compare other values with =='],
  ['process where name like ("a", 5)', 'EQL_TYPE', 31, 'double quotes'],
  ['process where name : other', 'EQL_SYNTAX', 22, 'Write a string'],
  ['process where name == other', 'EQL_FIELD_COMPARISON', 23, 'endpoint dialect'],
  ['process where length(name) == "5"', 'EQL_TYPE', 15, 'number() and string() convert'],
  ['process where 5 + "a" == 1', 'EQL_TYPE', 19, 'without quotes'],
  ['process where "a"', 'EQL_TYPE', 15, 'Compare the value'],
  ['process where path == "C:\\Windows"', 'EQL_ESCAPE', 26, 'triple quotes'],
  ['process where path == "open', 'EQL_STRING', 23, 'Close the string'],
  ['process where name regex "a(b"', 'EQL_REGEX', 26, 'Close the group'],
  ['process where cidrMatch(ip, "10.0.0.0/33")', 'EQL_CIDR', 29, 'prefix length'],
  ['process where event.sequence == 1', 'EQL_SYNTAX', 21, 'in backticks'],
  ['process where descendant of [a where true]', 'EQL_DIALECT', 15, 'dialect = "endpoint"'],
  ['process where true | haed 5', 'EQL_PIPE', 22, 'Did you mean head?'],
  ['process where true | sort name', 'EQL_PIPE', 22, 'The pipes are head, tail'],
  ['sequnce by a [b where true] [c where true]', 'EQL_SYNTAX', 1, 'Did you mean "sequence"?'],
  ['sequence by a with maxspam=5m [b where true] [c where true]', 'EQL_SYNTAX', 20, 'Did you mean "maxspan"?'],
  ['sequence by a with maxspan=5 [b where true] [c where true]', 'EQL_MAXSPAN', 28, 'Did you mean 5s?'],
  ['sequence by a [b where true] [c where true] unil [d where true]', 'EQL_SYNTAX', 45, 'Did you mean "until"?'],
  ['sequence by a [b where true] with run=3 [c where true]', 'EQL_SYNTAX', 35, 'Did you mean "runs"?'],
];

describe('EQL diagnostics', () => {
  it.each(rows)('%s: %s at column %i', (query, code, column, remedy) => {
    const { query: parsed, problems } = parseEql(query);
    expect(parsed).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code, severity: 'error', line: 1, column });
    expect(problems[0]?.remedy ?? '').toContain(remedy);
  });

  it('tells every fault of a query, each at its place with a caret', () => {
    const text = [
      'sequence by host.id with maxspan=5',
      '  [process where name = "a" and lenght(b) > 3]',
      '  [file where path : ("x", y, 5) adn z == 1]',
      '\t[network where ip == "\\q"]',
    ].join('\n');
    const { problems } = parseEql(text, { file: 'r.eql', ruleId: 'r' });
    expect(problems.map(({ line, column, code }) => [line, column, code])).toEqual([
      [1, 34, 'EQL_MAXSPAN'],
      [2, 23, 'EQL_OPERATOR'],
      [2, 33, 'EQL_FUNCTION'],
      [3, 28, 'EQL_TYPE'],
      [3, 31, 'EQL_TYPE'],
      [3, 34, 'EQL_SYNTAX'],
      [4, 24, 'EQL_ESCAPE'],
    ]);
    expect(problems.every(({ file, ruleId }) => file === 'r.eql' && ruleId === 'r')).toBe(true);
    expect(problems[6]?.excerpt).toBe('\t[network where ip == "\\q"]\n\t                      ^^');
    expect(problems[1]?.excerpt?.split('\n')[1]).toBe(`${' '.repeat(22)}^`);
  });

  it('says what was expected', () => {
    expect(parseEql('process where a == 1 b').problems[0]?.expected).toEqual(['and', 'or', '|']);
    expect(parseEql('process where a ==').problems[0]?.expected).toEqual(['a field', 'a value', 'a function', '(']);
    expect(parseEql('sequence with maxspan=5 [a where true] [b where true]').problems[0]?.expected).toEqual([
      'ms',
      's',
      'm',
      'h',
      'd',
    ]);
  });

  it('places problems in the file that holds the query', () => {
    const outer = 'name = "x"\nquery = """\nprocess where a = 1\n"""\n';
    const start = outer.indexOf('process');
    const source = new EmbeddedText(new SourceText(outer, 'rule.toml'), (offset) => start + offset);
    const { problems } = parseEql('process where a = 1\n', { source });
    expect(problems).toMatchObject([
      { file: 'rule.toml', line: 3, column: 17, excerpt: 'process where a = 1\n                ^' },
    ]);
  });

  it('stops after many problems', () => {
    const conditions = Array.from({ length: 500 }, (_, i) => `a${i} = 1`).join(' and ');
    expect(parseEql(`any where ${conditions}`).problems).toHaveLength(25);
  });

  it('cuts long lines around the place', () => {
    const text = `any where a in (${'"x", '.repeat(200)}"y") and b == 'z'`;
    const lines = (parseEql(text).problems[0]?.excerpt ?? '').split('\n');
    expect(lines[0]?.length).toBeLessThan(130);
    expect(lines[0]?.[lines[1]?.indexOf('^') ?? 0]).toBe("'");
  });
});
