/**
 * The rule corpora over recordings of attacks: all rules at once neither trap nor lose anything, and a rule gives the alerts
 * that it gives among the others, whichever rules are beside it. Where one rule changed what another finds, a random half
 * would hold the one without the other in half of the splits. `EVERY_RULE=1` also compares every rule alone; by default each
 * hundredth.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { parseRules, parseRuleTexts } from '../../src/language/load.js';
import type { Rule } from '../../src/rule/ir.js';
import { createSourceReader } from '../../src/source/reader.js';
import { Random } from '../fuzz/random.js';
import { hasShared, listShared, readShared, readSharedRows, sharedPath } from '../support/shared.js';

/** Compressed recordings, and the documents of all sample files one after the other. */
const recordings = listShared('data/otrf', '.ndjson.gz');
const samples = 'data/ecs-samples';
const compared = [
  ...recordings.filter((path) => /psh_mshta_html|psh_python_webserver|empire_launcher_vbs/.test(path)),
  samples,
];
const splits = 4;
const hasCorpora = hasShared('conformance/elastic-rules') && hasShared('conformance/eql') && hasShared('data/otrf');
const step = process.env['EVERY_RULE'] === '1' ? 1 : 100;

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

/** The events of a recording. Each has an id: one without is known by its encoded fields, which depend on all the rules. */
function eventsOf(path: string): string {
  const lines = path === samples ? sampleFiles.flatMap(sampleLines) : canonicalLines(recordedBytes(path));
  return lines.map((line, index) => withId(line, `event-${index}`)).join('\n');
}

const sampleFiles = listShared(samples, '.ndjson').filter((path) => !path.includes('inventory'));

function sampleLines(path: string): string[] {
  const documents = readSharedRows<{ document: unknown }>(path).map(({ document }) => JSON.stringify(document));
  return canonicalLines(new TextEncoder().encode(`${documents.join('\n')}\n`));
}

const recordedBytes = (path: string): Uint8Array => gunzipSync(readFileSync(sharedPath(path)));

function canonicalLines(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(createSourceReader('auto').read(bytes)).trimEnd().split('\n');
}

function withId(line: string, id: string): string {
  const event = JSON.parse(line) as { event?: Record<string, unknown> } & Record<string, unknown>;
  if (event['event.id'] !== undefined || event.event?.['id'] !== undefined) return line;
  return JSON.stringify({ ...event, 'event.id': id });
}

/** Whole alerts as text, by rule, in the order of their publication. */
async function alertsByRule(rules: readonly Rule[], lines: string): Promise<Map<string, string[]>> {
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
  for (const alert of alerts) byRule.set(alert.rule.id, [...(byRule.get(alert.rule.id) ?? []), JSON.stringify(alert)]);
  return byRule;
}

const sorted = (alerts: Iterable<[string, string[]]>): [string, string[]][] =>
  [...alerts].sort(([a], [b]) => (a < b ? -1 : 1));

describe.skipIf(!hasCorpora)('all rules of the corpora together', () => {
  const rules = corpusRules();

  test('compile into one program of less than 32 MB, none refused', () => {
    const compiled = compile(rules);
    expect(compiled.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(compiled.rules).toHaveLength(rules.length);
    expect(compiled.bytes.length).toBeLessThan(32 * 1024 * 1024);
    console.log(`${rules.length} rules, program ${compiled.bytes.length} bytes`);
  });

  test.each([...recordings, samples])('%s: no trap and no loss', async (recording) => {
    const lines = eventsOf(recording);
    expect(lines.length).toBeGreaterThan(0);
    const alerts = await alertsByRule(rules, lines);
    console.log(`${recording}: ${[...alerts.values()].flat().length} alerts of ${alerts.size} rules`);
  });

  test.each(compared)(
    '%s: any half of the rules, and each rule alone, gives the same alerts, whole',
    async (recording) => {
      const lines = eventsOf(recording);
      const together = await alertsByRule(rules, lines);
      const random = new Random(20261124);
      for (let split = 0; split < splits; split++) {
        const isLeft = new Map(rules.map(({ id }) => [id, random.once(2)]));
        const left = await alertsByRule(
          rules.filter(({ id }) => isLeft.get(id) === true),
          lines,
        );
        const right = await alertsByRule(
          rules.filter(({ id }) => isLeft.get(id) === false),
          lines,
        );
        expect(sorted([...left, ...right])).toEqual(sorted(together));
      }
      for (let index = 0; index < rules.length; index += step) {
        const rule = rules[index] as Rule;
        const alone = await alertsByRule([rule], lines);
        expect([rule.id, alone.get(rule.id) ?? []]).toEqual([rule.id, together.get(rule.id) ?? []]);
      }
    },
  );
});
