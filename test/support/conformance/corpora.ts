/** How many rules of each rule corpus load and compile, and why the others do not. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { compile } from '../../../src/compiler/compile.js';
import type { Diagnostic } from '../../../src/core/diagnostic.js';
import { eqlRule, parseEql } from '../../../src/language/eql/index.js';
import { parseRules } from '../../../src/language/load.js';
import type { Rule } from '../../../src/rule/ir.js';
import type { CorpusReport } from './report.js';
import { filesBelow, readNdjson } from './rows.js';

interface EndpointRow {
  readonly id: string;
  readonly path?: string;
  readonly query: string;
}

/** One rule or file of a corpus, read. */
interface Entry {
  readonly file: string;
  readonly rules: readonly Rule[];
  readonly problems: readonly Diagnostic[];
}

/** Why a rule cannot be compiled; undefined when it can. */
function refusal(rule: Rule): string | undefined {
  try {
    return compile([rule]).diagnostics[0]?.message;
  } catch (error) {
    return String(error);
  }
}

export const sigmaReason = 'Sigma is not supported by this version';

export function compileCorpora(folder: string): Record<string, CorpusReport> {
  const reports: Record<string, CorpusReport> = {};
  const elastic = elasticEntries(folder);
  const endpoint = endpointEntries(folder);
  const sigma = filesBelow(join(folder, 'sigma'), '.yml').filter((path) => relative(folder, path).includes('/rules'));
  if (elastic.length > 0) reports.elastic = summarize(elastic);
  if (endpoint.length > 0) reports.endpoint = summarize(endpoint);
  if (sigma.length > 0) {
    const unsupported = sigma.map((path) => ({ file: relative(folder, path), reason: sigmaReason }));
    reports.sigma = { total: sigma.length, compiled: 0, unsupported };
  }
  return reports;
}

function elasticEntries(folder: string): Entry[] {
  return filesBelow(join(folder, 'elastic-rules'), '.toml').map((path) => {
    const file = relative(folder, path);
    return { file, ...parseRules(readFileSync(path, 'utf8'), { file }) };
  });
}

function endpointEntries(folder: string): Entry[] {
  const paths = filesBelow(folder, '.ndjson').filter((path) => path.includes('corpus-endpoint'));
  return paths.flatMap((path) =>
    readNdjson<EndpointRow>(path).map((row) => {
      const { query, problems } = parseEql(row.query, { dialect: 'endpoint', ruleId: row.id });
      return { file: row.path ?? row.id, rules: query === undefined ? [] : [eqlRule(row.id, query)], problems };
    }),
  );
}

function summarize(entries: readonly Entry[]): CorpusReport {
  const unsupported: { file: string; reason: string }[] = [];
  for (const { file, rules, problems } of entries) {
    const error = problems.find(({ severity }) => severity === 'error');
    const reason = error?.message ?? rules.map(refusal).find((one) => one !== undefined);
    if (reason !== undefined) unsupported.push({ file, reason });
    else if (rules.length === 0) unsupported.push({ file, reason: 'the file holds no rule' });
  }
  return { total: entries.length, compiled: entries.length - unsupported.length, unsupported };
}
