import { parse as parseToml } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { type EqlDialect, eqlRule, parseEql, parseEqlExpression } from '../../src/language/eql/index.js';
import type { Expr } from '../../src/rule/ir.js';
import { hasShared, listShared, readShared, readSharedRows } from '../support/shared.js';

interface ParseRow {
  readonly id: string;
  readonly dialect: EqlDialect;
  readonly kind: 'query' | 'expression';
  readonly text: string;
  readonly expect: 'ok' | 'error';
}

interface ExpressionRow {
  readonly id: string;
  readonly dialect: EqlDialect;
  readonly expression: string;
  readonly case_sensitive: boolean | null;
  readonly expected?: unknown;
  readonly expect?: 'error';
}

interface QueryRow {
  readonly id: string;
  readonly dialect?: EqlDialect;
  readonly query: string;
  readonly features: readonly string[];
}

const has = hasShared('conformance/eql');
const rowsOf = <Row>(name: string): Row[] => readSharedRows<Row>(`conformance/eql/${name}`);

/** Every text and field that IR holds, in any member. */
function contents(node: unknown, found: { texts: Set<string>; fields: Set<string> }): void {
  if (typeof node === 'string') found.texts.add(node);
  if (typeof node !== 'object' || node === null) return;
  const expr = node as Expr;
  if (expr.kind === 'field') found.fields.add(expr.name);
  for (const value of Object.values(node)) contents(value, found);
}

const withoutComments = (query: string): string =>
  query.replace(/"""[^\r\n]*?"""+|"(?:\\.|[^"\\\r\n])*"|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g, (match) =>
    match.startsWith('"') ? match : ' ',
  );

/** The strings of a query in plain double quotes that no regular expression operator takes. */
function stringsOf(query: string): string[] {
  const plain = withoutComments(query).replace(
    /\bregex~?\s*(?:\([\s\S]*?"\s*\)|"""[^\r\n]*?"""+|"(?:\\.|[^"\\\r\n])*")/g,
    ' ',
  );
  return [...plain.matchAll(/"""([^\r\n]*?)"""|"((?:\\.|[^"\\\r\n])*)"/g)].map((match) =>
    match[1] !== undefined ? match[1] : JSON.parse(`"${(match[2] as string).replaceAll("\\'", "'")}"`),
  );
}

describe.skipIf(!has)('EQL texts from outside', () => {
  it.each(rowsOf<ParseRow>('parse.ndjson'))('$dialect: $text is $expect', (row) => {
    const options = { dialect: row.dialect };
    const { problems } =
      row.kind === 'query' ? parseEql(row.text, options) : parseEqlExpression(row.text, { ...options, as: 'value' });
    expect(problems.some(({ severity }) => severity === 'error') ? 'error' : 'ok').toBe(row.expect);
  });

  it.each(rowsOf<ExpressionRow>('expressions.ndjson'))('$dialect: $expression is $expected', (row) => {
    const options = { dialect: row.dialect, caseSensitive: row.case_sensitive === true, as: 'value' } as const;
    const { expr, problems } = parseEqlExpression(row.expression, options);
    if (row.expect === 'error') return expect(problems).not.toEqual([]);
    expect(problems).toEqual([]);
    expect(expr).toMatchObject({ kind: 'literal', value: row.expected });
  });

  it.each(['cases.ndjson', 'cases-documents.ndjson', 'cases-python-eql.ndjson'])('parses every query of %s', (file) => {
    const rows = rowsOf<QueryRow>(file);
    const wrong = rows.flatMap((row) =>
      parseEql(row.query, { dialect: row.dialect ?? 'elasticsearch' }).problems.map((problem) => ({
        id: row.id,
        problem,
      })),
    );
    expect(wrong).toEqual([]);
    expect(rows.length).toBeGreaterThan(40);
  });

  it('lowers every endpoint rule with every string, field and clause in it', () => {
    const rows = rowsOf<QueryRow>('corpus-endpoint-behavior.ndjson');
    for (const row of rows) {
      const { query, problems } = parseEql(row.query, { dialect: 'endpoint' });
      expect([row.id, problems]).toEqual([row.id, []]);
      if (query === undefined) continue;
      const rule = eqlRule(row.id, query);
      const found = { texts: new Set<string>(), fields: new Set<string>() };
      contents(rule, found);
      expect([row.id, stringsOf(row.query).filter((text) => !found.texts.has(text))]).toEqual([row.id, []]);
      expect([row.id, row.features.includes('sequence')]).toEqual([row.id, rule.kind === 'sequence']);
      const text = JSON.stringify(rule);
      expect([row.id, row.features.includes('until')]).toEqual([row.id, text.includes('"until":{')]);
      expect([row.id, row.features.includes('lineage')]).toEqual([row.id, text.includes('"kind":"lineage"')]);
      expect([row.id, row.features.includes('fn-_arraysearch')]).toEqual([row.id, text.includes('"kind":"nested"')]);
      expect([row.id, row.features.includes('maxspan')]).toEqual([row.id, text.includes('"maxspanUs":')]);
    }
    expect(rows.length).toBe(657);
  });
});

describe.skipIf(!hasShared('conformance/elastic-rules'))('Elastic detection rules', () => {
  const files = listShared('conformance/elastic-rules', '.toml');

  it('parses the query of every eql rule', () => {
    let count = 0;
    for (const file of files) {
      const { rule } = parseToml(readShared(file)) as { rule: { language?: string; query?: string } };
      if (rule.language !== 'eql' || rule.query === undefined) continue;
      const { query, problems } = parseEql(rule.query);
      expect([file, problems]).toEqual([file, []]);
      expect(query).toBeDefined();
      count++;
    }
    expect(count).toBe(532);
  });
});
