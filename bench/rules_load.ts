/** `rules-load`: what it takes to read a folder of rules and to link them into one program, once, in a cold process. */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compile } from '../src/compiler/compile.js';
import { parseRules, parseRuleTexts, type RuleText } from '../src/language/load.js';
import type { Rule } from '../src/rule/ir.js';
import { filesBelow, readNdjson } from '../test/support/conformance/rows.js';

/** The corpora from outside, which live beside the repository. */
export const defaultRulesFolder = fileURLToPath(new URL('../../../shared/conformance', import.meta.url));

/** Times in milliseconds. `cpuMs`: of all threads of the process, with what the garbage collector and compilers took. */
export interface RulesLoadResult {
  readonly lane: 'rules-load';
  readonly folder: string;
  readonly rules: number;
  readonly refused: number;
  readonly parseMs: number;
  readonly compileMs: number;
  readonly cpuMs: number;
  readonly programBytes: number;
}

interface EndpointRow {
  readonly id: string;
  readonly query: string;
}

/** Reads the files first: the disk is not measured. Undefined where there is no such folder. */
export function measureRulesLoad(folder: string): RulesLoadResult | undefined {
  if (!existsSync(folder)) return undefined;
  const texts = ruleTexts(folder);
  const endpoint = filesBelow(folder, '.ndjson').filter((path) => /corpus-endpoint[^/]*$/.test(path));
  const queries = endpoint.flatMap((path) => readNdjson<EndpointRow>(path));
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const { rules, problems } = parseRuleTexts(texts);
  const loaded = [...rules, ...queries.flatMap(endpointRule)];
  const parsed = performance.now();
  const program = compile(loaded);
  const end = performance.now();
  const { user, system } = process.cpuUsage(cpuBefore);
  const errors = [...problems, ...program.diagnostics].filter(({ severity }) => severity === 'error');
  return {
    lane: 'rules-load',
    folder,
    rules: program.rules.length,
    refused: errors.length,
    parseMs: Math.round(parsed - start),
    compileMs: Math.round(end - parsed),
    cpuMs: Math.round((user + system) / 1000),
    programBytes: program.bytes.length,
  };
}

/** Rule files of a folder. Of the conformance corpora only the Elastic rules: their other files hold cases. */
function ruleTexts(folder: string): RuleText[] {
  const elastic = join(folder, 'elastic-rules');
  const endings = ['.toml', '.eql', '.kql', '.yml'];
  const paths = existsSync(elastic) ? filesBelow(elastic, '.toml') : endings.flatMap((end) => filesBelow(folder, end));
  return paths.map((path) => ({ file: relative(folder, path), text: readFileSync(path, 'utf8') }));
}

/** The corpus repeats some ids; those of one set are unique. */
function endpointRule({ id, query }: EndpointRow, index: number): readonly Rule[] {
  return parseRules(query, { language: 'eql', dialect: 'endpoint', file: `${id} ${index}.eql` }).rules;
}

export function rulesLoadText(result: RulesLoadResult): string {
  const { rules, refused, parseMs, compileMs, cpuMs, programBytes } = result;
  const times = `parse ${parseMs} ms, compile ${compileMs} ms, ${cpuMs} ms of processor time`;
  return `rules-load     ${rules} rules, ${refused} problems: ${times}, program ${programBytes.toLocaleString('en')} bytes`;
}
