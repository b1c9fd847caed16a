import { describe, expect, it } from 'vitest';
import { parseElasticJson } from '../../src/language/elastic/rule_file.js';
import type { Rule } from '../../src/rule/ir.js';
import { holds } from '../support/conditions.js';
import { ruleLine } from '../support/elastic_rules.js';

function judge(text: string, document: Record<string, unknown>, exceptionItems?: unknown[]): boolean {
  const { rules, problems } = parseElasticJson(text, exceptionItems === undefined ? {} : { exceptionItems });
  expect(problems).toEqual([]);
  return holds((rules[0] as Rule & { kind: 'match' }).query.condition, { a: 1, ...document });
}

type Case = readonly [query: unknown, document: Record<string, unknown>, expected: boolean];

const queries: readonly Case[] = [
  [{ match_all: {} }, {}, true],
  [{ match_none: {} }, {}, false],
  [{ exists: { field: 'f' } }, { f: 0 }, true],
  [{ exists: { field: 'f' } }, {}, false],
  [{ match_phrase: { f: 'Alpha' } }, { f: 'Alpha' }, true],
  [{ match_phrase: { f: 'Alpha' } }, { f: 'alpha' }, false],
  [{ match_phrase: { f: { query: 80 } } }, { f: '80' }, true],
  [{ match: { f: { query: 'x', type: 'phrase' } } }, { f: 'x' }, true],
  [{ match: { message: { query: 'b a', operator: 'and' } } }, { message: 'a, B' }, true],
  [{ match: { message: { query: 'b a', operator: 'and' } } }, { message: 'a' }, false],
  [{ match: { message: 'b a' } }, { message: 'A c' }, true],
  [{ term: { f: { value: 'Alpha', case_insensitive: true } } }, { f: 'aLPHA' }, true],
  [{ term: { f: true } }, { f: true }, true],
  [{ terms: { f: ['x', 2] } }, { f: 2 }, true],
  [{ terms: { f: [] } }, { f: 2 }, false],
  [{ prefix: { f: 'ab' } }, { f: 'abc' }, true],
  [{ wildcard: { f: { value: 'a?c*', case_insensitive: true } } }, { f: 'AbCd' }, true],
  [{ wildcard: { f: 'a\\*c' } }, { f: 'abc' }, false],
  [{ wildcard: { f: { wildcard: '?:\\\\Users\\\\*' } } }, { f: 'C:\\Users\\x' }, true],
  [{ regexp: { f: { value: 'a[0-9]+' } } }, { f: 'a12' }, true],
  [{ regexp: { f: 'a[0-9]+' } }, { f: 'xa12' }, false],
  [{ range: { f: { gte: 2, lt: 4 } } }, { f: 2 }, true],
  [{ range: { f: { gte: 2, lt: 4 } } }, { f: 4 }, false],
  [
    { range: { '@timestamp': { gte: '2024-01-02', format: 'strict_date_optional_time' } } },
    { '@timestamp': '2024-01-02T01:00:00Z' },
    true,
  ],
  [
    { nested: { path: 'd', query: { bool: { must: [{ term: { 'd.x': 1 } }, { term: { 'd.y': 2 } }] } } } },
    { d: [{ x: 1 }, { y: 2 }] },
    false,
  ],
  [
    { nested: { path: 'd', query: { bool: { must: [{ term: { 'd.x': 1 } }, { term: { 'd.y': 2 } }] } } } },
    { d: [{ x: 1, y: 2 }] },
    true,
  ],
  [{ bool: { must_not: { term: { f: 1 } } } }, {}, true],
  [{ bool: { should: [{ term: { f: 1 } }, { term: { f: 2 } }] } }, { f: 3 }, false],
  [{ bool: { filter: [{ term: { a: 1 } }], should: [{ term: { f: 1 } }] } }, {}, true],
  [{ bool: { filter: [{ term: { a: 1 } }], should: [{ term: { f: 1 } }], minimum_should_match: 1 } }, {}, false],
  [{ bool: { should: [1, 2, 3].map((n) => ({ term: { f: n } })), minimum_should_match: 2 } }, { f: [1, 3] }, true],
  [{ bool: { should: [1, 2, 3].map((n) => ({ term: { f: n } })), minimum_should_match: '-1' } }, { f: 1 }, false],
  [{ bool: {} }, {}, true],
  [{ multi_match: { query: 'x', fields: ['f', 'g^2'], type: 'best_fields', lenient: true } }, { g: 'x' }, true],
  [{ multi_match: { query: 'x', type: 'phrase' } }, { h: 'x' }, true],
  [{ constant_score: { filter: { term: { f: 1 } }, boost: 2 } }, { f: 1 }, true],
];

describe('filters', () => {
  it.each(queries)('%j on %j is %s, and the opposite when negated', (query, document, expected) => {
    const filter = {
      meta: { negate: false, disabled: false, alias: null, key: 'f' },
      query,
      $state: { store: 'appState' },
    };
    expect(judge(ruleLine({ filters: [filter] }), document)).toBe(expected);
    const negated = { ...filter, meta: { ...filter.meta, negate: true } };
    expect(judge(ruleLine({ filters: [negated] }), document)).toBe(!expected);
  });

  it('leaves out disabled filters, reads older and combined ones, and restricts every step of a sequence', () => {
    expect(judge(ruleLine({ filters: [{ meta: { disabled: true }, query: { match_none: {} } }] }), {})).toBe(true);
    expect(judge(ruleLine({ filters: [{ meta: {}, exists: { field: 'f' } }] }), {})).toBe(false);
    const parts = [1, 2].map((n) => ({ meta: {}, query: { term: { f: n } } }));
    const combined = (relation: string) => [{ meta: { type: 'combined', relation, params: parts } }];
    expect(judge(ruleLine({ filters: combined('OR') }), { f: 2 })).toBe(true);
    expect(judge(ruleLine({ filters: combined('AND') }), { f: 2 })).toBe(false);
    const eql = {
      type: 'eql',
      language: 'eql',
      query: 'sequence by h [any where x == 1] [any where x == 2] until [any where x == 3]',
    };
    const [rule] = parseElasticJson(ruleLine({ ...eql, filters: [{ query: { term: { f: 1 } } }] })).rules;
    const sequence = rule as Rule & { kind: 'sequence' };
    const queriesOf = [...sequence.steps, sequence.until].map((step) => step?.query.condition);
    for (const [i, condition] of queriesOf.entries()) {
      expect(condition && holds(condition, { x: i + 1, f: 1 })).toBe(true);
      expect(condition && holds(condition, { x: i + 1 })).toBe(false);
    }
  });

  it.each([
    [{ script: { script: 'x' } }, 'UNSUPPORTED_QUERY'],
    [{ match_phras: { f: 'x' } }, 'UNSUPPORTED_QUERY'],
    [{ query_string: { query: 'x' } }, 'UNSUPPORTED_QUERY'],
    [{ term: { f: 'x', g: 'y' } }, 'QUERY_DSL'],
    [{ bool: { musst: [] } }, 'RULE_KEY_UNKNOWN'],
    [{ bool: { should: [], minimum_should_match: '2<75%' } }, 'QUERY_DSL'],
    [{ regexp: { f: 'a~b' } }, 'REGEX_SYNTAX'],
    [{ range: { f: { gt: '2024-99-01' } } }, 'DATE_SYNTAX'],
    [{}, 'QUERY_DSL'],
  ])('refuses %j as %s', (query, code) => {
    const { rules, problems } = parseElasticJson(ruleLine({ filters: [{ meta: {}, query }] }));
    expect(rules).toEqual([]);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
  });
});

const list = { id: '1', list_id: 'l', type: 'detection', namespace_type: 'single' };
const container = { ...list, name: 'List', description: '', os_types: [], tags: [], version: 1 };
const summary = { exported_count: 3, exported_rules_count: 1, missing_rules: [] };

function item(entries: unknown[], changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { item_id: 'i', list_id: 'l', name: 'Item', type: 'simple', namespace_type: 'single', entries, ...changes };
}

function exported(...items: unknown[]): string {
  return [
    ruleLine({ exceptions_list: [list] }),
    ...[container, ...items, summary].map((one) => JSON.stringify(one)),
  ].join('\n');
}

const entryCases: readonly (readonly [
  entry: Record<string, unknown>,
  document: Record<string, unknown>,
  hidden: boolean,
])[] = [
  [{ field: 'f', operator: 'included', type: 'match', value: 'x' }, { f: 'x' }, true],
  [{ field: 'f', operator: 'included', type: 'match', value: 'x' }, {}, false],
  [{ field: 'f', operator: 'excluded', type: 'match', value: 'x' }, { f: 'y' }, true],
  [{ field: 'f', operator: 'excluded', type: 'match', value: 'x' }, {}, true],
  [{ field: 'f', operator: 'included', type: 'match_any', value: ['x', 'y'] }, { f: 'y' }, true],
  [{ field: 'f', operator: 'included', type: 'exists' }, { f: 1 }, true],
  [{ field: 'f', operator: 'excluded', type: 'exists' }, {}, true],
  [{ field: 'f', operator: 'included', type: 'wildcard', value: 'C:\\\\a*' }, { f: 'C:\\abc' }, true],
  [{ field: 'f', operator: 'included', type: 'wildcard', value: 'a*' }, { f: 'Abc' }, false],
  [
    { field: 'source.ip', operator: 'included', type: 'match', value: '10.0.0.0/8' },
    { source: { ip: '10.0.0.1' } },
    true,
  ],
  [
    {
      field: 'd',
      type: 'nested',
      entries: [
        { field: 'x', operator: 'included', type: 'match', value: '1' },
        { field: 'y', operator: 'included', type: 'match', value: '2' },
      ],
    },
    { d: [{ x: 1 }, { y: 2 }] },
    false,
  ],
];

describe('exceptions', () => {
  it.each(entryCases)('the entry %j on %j hides it: %s', (entry, document, hidden) => {
    expect(judge(exported(item([entry])), document)).toBe(!hidden);
  });

  const equals = (field: string, value: string) => ({ field, operator: 'included', type: 'match', value });

  it('hide an event when all entries of any item hold', () => {
    const text = exported(item([equals('f', '1'), equals('g', '2')]), item([equals('h', '3')], { item_id: 'j' }));
    expect([{ f: 1 }, { f: 1, g: 2 }, { h: 3 }].map((document) => judge(text, document))).toEqual([true, false, false]);
  });

  it('end when they expire, by the time of the event, and hold on their operating systems only', () => {
    const text = exported(item([equals('f', '1')], { expire_time: '2026-01-01T00:00:00.000Z', os_types: ['linux'] }));
    const at = (time: string, type: string) => judge(text, { f: 1, '@timestamp': time, host: { os: { type } } });
    expect(at('2025-12-31T23:59:59Z', 'linux')).toBe(false);
    expect(at('2026-01-01T00:00:00Z', 'linux')).toBe(true);
    expect(at('2025-12-31T23:59:59Z', 'windows')).toBe(true);
  });

  it('may be passed as an option, or stand in the rule itself', () => {
    expect(judge(ruleLine({ exceptions_list: [list] }), { f: 1 }, [item([equals('f', '1')])])).toBe(false);
    expect(judge(ruleLine({ exceptions_list: [{ ...list, items: [item([equals('f', '1')])] }] }), { f: 1 })).toBe(
      false,
    );
  });

  it('that are not at hand are a warning, and a value list is refused by name', () => {
    const missing = parseElasticJson(ruleLine({ exceptions_list: [list] }));
    expect(missing.rules).toHaveLength(1);
    expect(missing.problems.map(({ code, severity }) => [code, severity])).toEqual([
      ['EXCEPTION_LIST_MISSING', 'warning'],
    ]);
    const values = { field: 'f', operator: 'included', type: 'list', list: { id: 'v', type: 'keyword' } };
    const refused = parseElasticJson(exported(item([values])));
    expect(refused.problems.map(({ code, line, ruleId }) => [code, line, ruleId])).toEqual([
      ['UNSUPPORTED_VALUE_LIST', 3, 'r1'],
    ]);
    expect(refused.rules).toEqual([]);
  });
});
