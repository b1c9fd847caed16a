import { describe, expect, it } from 'vitest';
import { type EqlDialect, parseEql } from '../../src/language/eql/index.js';

const dialects: readonly EqlDialect[] = ['elasticsearch', 'endpoint', 'python-eql'];
const two = '[a where true] [b where true]';

/** Queries, and which dialects take them: E elasticsearch, N endpoint, P python-eql. */
const queries: readonly (readonly [query: string, takenBy: string])[] = [
  ['any where a == "x"', 'ENP'],
  ['any where a in ("x", "y") and not b > 1', 'ENP'],
  ['any where `a-b` == null', 'ENP'],
  ['any where a = "x"', 'P'],
  ["any where a == 'x'", 'P'],
  ['any where a == ?"x"', 'P'],
  ['any where a == """x"""', 'ENP'],
  ['any where a : "x"', 'EN'],
  ['any where a like~ ("x*")', 'EN'],
  ['any where a regex "x.*"', 'EN'],
  ['any where a in~ ("x")', 'EN'],
  ['any where ?a == "x"', 'EN'],
  ['any where startsWith~(a, "x")', 'EN'],
  ['any where a:length() == 3', 'P'],
  ['any where --1 == 1', 'EN'],
  ['any where concat(a, b,) == "x"', 'P'],
  ['any where wildcard(a, "x*")', 'NP'],
  ['any where match(a, "x.*")', 'NP'],
  ['any where a == b', 'NP'],
  ['any where a in (b, "x")', 'NP'],
  ['any where length(a) == length(b)', 'NP'],
  ['any where a + b == 3', 'ENP'],
  ['any where a[0] == 1', 'NP'],
  ['any where descendant of [any where a == 1]', 'NP'],
  ['any where event of [any where a == 1] and not child of [b where c == 1]', 'NP'],
  ['any where arrayContains(a, "x")', 'NP'],
  ['any where arraySearch(a, x, x == 1)', 'P'],
  ['any where arraySearch(a, $x, $x == 1)', 'N'],
  ['any where _arraysearch(a, $x, $x == 1)', 'N'],
  ['any where substring(a) == "x"', 'P'],
  ['any where 5', 'P'],
  [`sequence ${two}`, 'ENP'],
  ['sequence by a with maxspan=1m [a where true] by b [b where true] by c until [c where true] by d', 'ENP'],
  [`sequence with maxspan=1m by a ${two}`, 'P'],
  ['sequence [a where true] with runs=2 [b where true]', 'EN'],
  ['sequence with maxspan=1m [a where true] ![b where true]', 'EN'],
  ['sequence [a where true] [b where true] fork=true', 'NP'],
  ['sequence [a where true] as x [b where x.a == 1]', 'N'],
  [`sequence by a + 1 ${two}`, 'NP'],
  [`sample by a ${two}`, 'EN'],
  ['sample where true', 'P'],
  [`join by a ${two}`, 'NP'],
  ['any where true | head 5 | tail 2', 'ENP'],
  ['any where true | head', 'P'],
  ['any where true | unique a', 'NP'],
  ['any where true | unique a b | sort c | count', 'NP'],
  ['any where true | filter a == 1', 'NP'],
  ['any where like == 1', 'P'],
  ['any where a == 5.', 'EN'],
  ['any where macro == 1', 'EN'],
  ['"a b" where true', 'EN'],
];

describe('EQL dialects', () => {
  it.each(queries)('%s is taken by %s', (query, takenBy) => {
    const taking = dialects.filter((dialect) => parseEql(query, { dialect }).query !== undefined);
    const letters = { elasticsearch: 'E', endpoint: 'N', 'python-eql': 'P' } as const;
    expect(taking.map((dialect) => letters[dialect]).join('')).toBe(takenBy);
  });

  it('is elasticsearch where none is named', () => {
    expect(parseEql("any where a = 'x'").query).toBeUndefined();
  });
});
