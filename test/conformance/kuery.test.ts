import { describe, expect, it } from 'vitest';
import { parseKuery } from '../../src/language/kuery/kuery.js';
import type { Expr } from '../../src/rule/ir.js';
import { holds } from '../support/conditions.js';
import { hasShared, readSharedRows } from '../support/shared.js';

interface EvalRow {
  readonly id: string;
  readonly query: string;
  readonly document: Record<string, unknown>;
  readonly expected: boolean;
}

interface DocumentsRow {
  readonly id: string;
  readonly query: string;
  readonly events: readonly (Record<string, unknown> & { readonly _id: string })[];
  readonly expected: readonly string[];
}

interface EquivalentRow {
  readonly id: string;
  readonly a: string;
  readonly b: string;
}

interface ParseRow {
  readonly id: string;
  readonly query: string;
  readonly expect: 'ok' | 'error';
}

function conditionOf(query: string): Expr {
  const { condition, problems } = parseKuery(query);
  expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
  return condition as Expr;
}

/** Documents over the fields and values of a pair of queries: every field missing, single and multi-valued. */
function documentsFor(row: EquivalentRow): Record<string, unknown>[] {
  const values = ['b', 'c', 'd', 'e', 'y', 1, 2, 'ff02::fb', 'agent12', 'Accepted password for root'];
  const sets = [[], ...values.map((value) => [value]), ['b', 'c'], ['b', 'c', 'd'], ['e', 'c'], ['b', 'e'], ['d', 'y']];
  const fields = ['a', 'c', 'x', 'process.name'].filter((field) => `${row.a} ${row.b}`.includes(field));
  return fields.reduce<Record<string, unknown>[]>(
    (documents, field) => documents.flatMap((document) => sets.map((set) => ({ ...document, [field]: set }))),
    [{}],
  );
}

describe.skipIf(!hasShared('conformance/kql'))('KQL cases from outside', () => {
  it.each(readSharedRows<EvalRow>('conformance/kql/eval.ndjson'))('$id: $query is $expected', (row) => {
    expect(holds(conditionOf(row.query), row.document)).toBe(row.expected);
  });

  it.each(readSharedRows<DocumentsRow>('conformance/kql/cases-documents.ndjson'))('$id: $query', (row) => {
    const condition = conditionOf(row.query);
    const found = row.events.filter((event) => holds(condition, event)).map((event) => event._id);
    expect(found).toEqual(row.expected);
  });

  it.each(readSharedRows<EquivalentRow>('conformance/kql/equivalent.ndjson'))('$id: $a means $b', (row) => {
    const [a, b] = [conditionOf(row.a), conditionOf(row.b)];
    for (const document of documentsFor(row))
      expect([document, holds(a, document)]).toEqual([document, holds(b, document)]);
  });

  it.each(readSharedRows<ParseRow>('conformance/kql/parse.ndjson'))('$id: $query is $expect', (row) => {
    const { problems } = parseKuery(row.query);
    expect(problems.some((problem) => problem.severity === 'error') ? 'error' : 'ok').toBe(row.expect);
  });
});
