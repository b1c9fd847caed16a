import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { eqlRule, parseEql } from '../../src/language/eql/index.js';
import { hasShared, readSharedRows } from '../support/shared.js';

interface QueryRow {
  readonly id: string;
  readonly name: string;
  readonly query: string;
}

const corpus = 'conformance/eql/corpus-endpoint-behavior.ndjson';

describe.skipIf(!hasShared(corpus))('the endpoint queries from outside', () => {
  const rows = readSharedRows<QueryRow>(corpus);
  const rules = rows.map(({ name, query }, index) => {
    const { query: parsed, problems } = parseEql(query, { dialect: 'endpoint' });
    if (parsed === undefined) throw new Error(`${name}: ${problems[0]?.message}`);
    return eqlRule(String(index), parsed, { name });
  });

  it('all compile, into one program', () => {
    expect(rules.length).toBe(657);
    const { diagnostics, rules: compiled } = compile(rules);
    expect(diagnostics.map(({ code, message, ruleId }) => `${rows[Number(ruleId)]?.id}: ${code} ${message}`)).toEqual(
      [],
    );
    expect(compiled.length).toBe(rows.length);
  });

  it('look back at earlier events from 43 of them', () => {
    expect(rules.filter((rule) => JSON.stringify(rule).includes('"name":"stepField"')).length).toBe(43);
  });
});
