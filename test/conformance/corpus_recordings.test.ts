/**
 * The rule corpora over recordings of attacks: all rules at once neither trap nor lose anything, and a rule alone gives
 * the alerts that it gives among the others. `EVERY_RULE=1` compares every rule alone; by default each twentieth.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { parseRules, parseRuleTexts } from '../../src/language/load.js';
import type { Rule } from '../../src/rule/ir.js';
import { createSourceReader } from '../../src/source/reader.js';
import { hasShared, listShared, readShared, readSharedRows, sharedPath } from '../support/shared.js';

const recordings = ['psh_mshta_html_application_execution', 'psh_python_webserver', 'empire_launcher_vbs'];
const hasCorpora = hasShared('conformance/elastic-rules') && hasShared('conformance/eql') && hasShared('data/otrf');
const step = process.env['EVERY_RULE'] === '1' ? 1 : 20;

function corpusRules(): Rule[] {
  const files = listShared('conformance/elastic-rules', '.toml');
  const elastic = parseRuleTexts(files.map((file) => ({ file, text: readShared(file) })));
  const queries = readSharedRows<{ id: string; query: string }>('conformance/eql/corpus-endpoint-behavior.ndjson');
  const seen = new Set<string>();
  const endpoint = queries.flatMap(({ id, query }) => {
    // The corpus repeats three ids; ids of one set are unique.
    const unique = seen.has(id) ? `${id}-again` : id;
    seen.add(id);
    return parseRules(query, { language: 'eql', dialect: 'endpoint', file: `${unique}.eql` }).rules;
  });
  return [...elastic.rules, ...endpoint];
}

function canonicalLines(recording: string): Uint8Array {
  const reader = createSourceReader('auto');
  return reader.read(gunzipSync(readFileSync(sharedPath(`data/otrf/${recording}.ndjson.gz`))));
}

async function alertIds(rules: readonly Rule[], lines: Uint8Array): Promise<Map<string, string[]>> {
  const correlator = await createCorrelator({
    rules,
    memory: '256MiB',
    minSeverity: 'informational',
    buildingBlocks: true,
  });
  const alerts = [...correlator.push(lines), ...correlator.flush()];
  const { losses } = correlator.stats();
  correlator.close();
  expect(losses.filter(({ reason }) => reason !== 'late')).toEqual([]);
  const byRule = new Map<string, string[]>();
  for (const { id, rule } of alerts) byRule.set(rule.id, [...(byRule.get(rule.id) ?? []), id].sort());
  return byRule;
}

describe.skipIf(!hasCorpora)('all rules of the corpora together', () => {
  const rules = corpusRules();

  test('compile into one program of less than 32 MB, none refused', () => {
    const compiled = compile(rules);
    expect(compiled.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(compiled.rules).toHaveLength(rules.length);
    expect(compiled.bytes.length).toBeLessThan(32 * 1024 * 1024);
    console.log(`${rules.length} rules, program ${compiled.bytes.length} bytes`);
  });

  test.each(recordings)('%s: no trap, and each rule alone gives the same alerts', async (recording) => {
    const lines = canonicalLines(recording);
    const together = await alertIds(rules, lines);
    for (let index = 0; index < rules.length; index += step) {
      const rule = rules[index] as Rule;
      const alone = await alertIds([rule], lines);
      expect([rule.id, alone.get(rule.id) ?? []]).toEqual([rule.id, together.get(rule.id) ?? []]);
    }
  });
});
