/** How many rules of each rule corpus load and compile. */
import { join, relative } from 'node:path';
import { eqlRule, parseEql } from '../../../src/language/eql/index.js';
import type { CorpusReport } from './report.js';
import { filesBelow, readNdjson } from './rows.js';

interface EndpointRow {
  readonly id: string;
  readonly path?: string;
  readonly query: string;
}

export async function compileCorpora(folder: string): Promise<Record<string, CorpusReport>> {
  const reports: Record<string, CorpusReport> = {};
  for (const path of filesBelow(folder, '.ndjson').filter((file) => /corpus-endpoint/.test(file))) {
    reports.endpoint = compileEndpoint(readNdjson<EndpointRow>(path));
  }
  const sigma = filesBelow(join(folder, 'sigma'), '.yml').filter((path) => /\/rules/.test(path));
  if (sigma.length > 0) {
    const reason = 'Sigma is not supported by this version';
    const unsupported = sigma.map((path) => ({ file: relative(folder, path), reason }));
    reports.sigma = { total: sigma.length, compiled: 0, unsupported };
  }
  return reports;
}

function compileEndpoint(rows: readonly EndpointRow[]): CorpusReport {
  const unsupported: { file: string; reason: string }[] = [];
  for (const row of rows) {
    const { query, problems } = parseEql(row.query, { dialect: 'endpoint' });
    if (query !== undefined) eqlRule(row.id, query);
    else unsupported.push({ file: row.path ?? row.id, reason: problems[0]?.message ?? 'refused' });
  }
  return { total: rows.length, compiled: rows.length - unsupported.length, unsupported };
}
