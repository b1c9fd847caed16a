/** Published EQL rules, each broken in one way: the mistake is told first, at its place, with what to write instead. */
import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { SourceText } from '../../src/core/source_text.js';
import { type EqlDialect, parseEql } from '../../src/language/eql/index.js';
import { hasShared, listShared, readShared, readSharedRows } from '../support/shared.js';

interface Broken {
  readonly text: string;
  /** Offset of the mistake in `text`. */
  readonly at: number;
}

interface Mistake {
  readonly name: string;
  readonly codes: readonly string[];
  /** What message, expectation or remedy must name. */
  readonly names?: (found: RegExpExecArray) => string;
  /** What is looked for outside of strings and comments; the mistake is at group `at`, else at the match. */
  readonly find: RegExp;
  readonly replace: (found: RegExpExecArray) => string;
  /** Offset of the mistake from the start of the match. */
  readonly offset?: (found: RegExpExecArray) => number;
}

/** The query with the inside of strings and comments blanked, so that patterns find syntax only; offsets are kept. */
function skeleton(query: string): string {
  return query.replace(/"""[^\r\n]*?"""+|"(?:\\.|[^"\\\r\n])*"|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g, (match) =>
    match.startsWith('"') ? `"${'_'.repeat(match.length - 2)}"` : match.replace(/[^\r\n]/g, ' '),
  );
}

/** A name with two letters in the middle swapped. */
function swapped(name: string): string {
  const middle = Math.max(1, Math.floor(name.length / 2) - 1);
  const [a, b] = [name[middle] as string, name[middle + 1] as string];
  return a === b
    ? `${name.slice(0, middle)}q${name.slice(middle + 1)}`
    : name.slice(0, middle) + b + a + name.slice(middle + 2);
}

const word = (found: RegExpExecArray): string => found[1] as string;
const behind = (found: RegExpExecArray): number => found[0].length - word(found).length;
const canonical = (found: RegExpExecArray): string => word(found).replace(/[^a-z]/gi, '');

const mistakes: readonly Mistake[] = [
  {
    name: 'a misspelt function',
    codes: ['EQL_FUNCTION'],
    find: /\b(startsWith|endsWith|stringContains|cidrMatch|length|concat|substring)\b(?=~?\s*\()/i,
    replace: (found) => swapped(word(found)),
    names: canonical,
  },
  {
    name: 'a misspelt "where"',
    codes: ['EQL_SYNTAX'],
    find: /\b(where)\b/,
    replace: () => 'whree',
    names: () => 'where',
  },
  {
    name: 'a misspelt "and"',
    codes: ['EQL_SYNTAX'],
    find: /\b(and)\b(?!\s*not\b)/,
    replace: () => 'adn',
    names: () => 'and',
  },
  {
    name: 'an "AND" in capitals',
    codes: ['EQL_SYNTAX'],
    find: /\b(and)\b(?!\s*not\b)/,
    replace: () => 'AND',
    names: () => 'and',
  },
  {
    name: 'a misspelt "sequence"',
    codes: ['EQL_SYNTAX'],
    find: /^\s*(sequence)\b(?=\s+(?:by|with)\b)/,
    replace: (found) => found[0].replace('sequence', 'sequnce'),
    offset: behind,
    names: () => 'sequence',
  },
  {
    name: 'a misspelt "maxspan"',
    codes: ['EQL_SYNTAX'],
    find: /\b(maxspan)\b/,
    replace: () => 'maxpsan',
    names: () => 'maxspan',
  },
  {
    name: 'a misspelt "until"',
    codes: ['EQL_SYNTAX'],
    find: /\b(until)\b/,
    replace: () => 'utnil',
    names: () => 'until',
  },
  {
    name: 'a unit of time that does not exist',
    codes: ['EQL_MAXSPAN'],
    find: /maxspan\s*=\s*\d+([smhd])\b/,
    replace: (found) => `${found[0]}in`,
    offset: behind,
    names: () => 'ms, s, m, h',
  },
  { name: 'one "=" for two', codes: ['EQL_OPERATOR'], find: /==/, replace: () => '=', names: () => '==' },
  { name: 'a "!" for "not"', codes: ['EQL_CHARACTER'], find: /\bnot\b\s+/, replace: () => '! ', names: () => 'not' },
  {
    name: 'a number for a pattern',
    codes: ['EQL_TYPE'],
    find: /(?<=(?::|\blike~?|\bregex~?)\s*\(?\s*)("_*")/,
    replace: () => '17',
    names: () => 'double quotes',
  },
  {
    name: 'text for a number',
    codes: ['EQL_TYPE'],
    find: /\blength\s*\([\w.]+\)\s*(?:==|>=?|<=?)\s*(\d+)\b/i,
    replace: (found) => found[0].replace(/\d+$/, '"x"'),
    names: () => 'number()',
  },
  {
    name: 'an argument too many',
    codes: ['EQL_ARGUMENTS'],
    find: /\blength\s*\([\w.]+(?=\))/i,
    replace: (found) => `${found[0]}, 2`,
    names: () => 'length(source)',
  },
  {
    name: 'an address block that is none',
    codes: ['EQL_CIDR'],
    find: /(?<=\bcidrmatch\s*\(\s*[\w.]+\s*,\s*)("_*")/i,
    replace: () => '"10.0.0.0/99"',
    names: () => 'prefix length',
  },
  {
    name: 'a list without brackets',
    codes: ['EQL_SYNTAX'],
    find: /\bin~?\s+\((?=")/,
    replace: (found) => found[0].replace('(', ''),
    offset: (found) => found[0].length - 1,
    names: () => 'parentheses',
  },
  {
    name: 'a string in single quotes',
    codes: ['EQL_QUOTES'],
    find: /(?<=[=(,:] ?)"(_+)"(?=\s*(?:[,)\]]|$))/,
    replace: () => "'plain'",
    names: () => 'double quotes',
  },
  {
    name: 'an escape that does not exist',
    codes: ['EQL_ESCAPE'],
    find: /(?<=[=(,:] ?)"(_+)"(?=\s*(?:[,)\]]|$))/,
    replace: () => '"\\q"',
    offset: () => 1,
    names: () => '\\\\',
  },
  {
    name: 'a string that is not closed',
    codes: ['EQL_STRING'],
    find: /(?<=[=(,:] ?)"(_+)"(?=\s*(?:[,)\]]|$))(?=[^"\r\n]*$)/m,
    replace: () => '"plain',
    names: () => '"',
  },
  {
    name: 'an operand that is missing',
    codes: ['EQL_SYNTAX'],
    find: /\band\b\s+(?=\w)/,
    replace: () => 'and and ',
    offset: () => 4,
    names: () => 'and',
  },
];

function apply(query: string, mistake: Mistake): (Broken & { readonly names: string }) | undefined {
  const found = mistake.find.exec(skeleton(query));
  if (found === null) return undefined;
  found[0] = query.slice(found.index, found.index + found[0].length);
  const text = query.slice(0, found.index) + mistake.replace(found) + query.slice(found.index + found[0].length);
  return { text, at: found.index + (mistake.offset?.(found) ?? 0), names: mistake.names?.(found) ?? '' };
}

const elasticQueries = (): string[] =>
  listShared('conformance/elastic-rules', '.toml').flatMap((file) => {
    const { rule } = parseToml(readShared(file)) as { rule: { language?: string; query?: string } };
    return rule.language === 'eql' && rule.query !== undefined ? [rule.query] : [];
  });

const endpointQueries = (): string[] =>
  readSharedRows<{ query: string }>('conformance/eql/corpus-endpoint-behavior.ndjson').map(({ query }) => query);

function check(queries: readonly string[], dialect: EqlDialect, mistake: Mistake): { count: number; wrong: unknown[] } {
  const broken = queries.flatMap((query) => apply(query, mistake) ?? []);
  const wrong = broken.flatMap(({ text, at, names }) => {
    const { problems } = parseEql(text, { dialect });
    const { line, column } = new SourceText(text).position(at);
    const first = problems.find(({ severity }) => severity === 'error');
    const told = `${first?.message} ${first?.expected?.join(' ')} ${first?.remedy}`.toLowerCase();
    const isPlaced = first?.line === line && first.column === column;
    const isRight = isPlaced && mistake.codes.includes(first.code) && told.includes(names.toLowerCase());
    return isRight ? [] : [{ text, line, column, names, problems }];
  });
  return { count: broken.length, wrong };
}

describe.skipIf(!hasShared('conformance/elastic-rules'))('EQL rules broken in one way', () => {
  const elastic = elasticQueries();
  const endpoint = endpointQueries();
  let total = 0;

  it.each(mistakes)('$name', (mistake) => {
    const results = [check(elastic, 'elasticsearch', mistake), check(endpoint, 'endpoint', mistake)];
    expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
    const count = results.reduce((sum, result) => sum + result.count, 0);
    expect(count).toBeGreaterThan(2);
    total += count;
  });

  it('covers many rules', () => {
    expect(total).toBeGreaterThan(5_000);
  });
});
