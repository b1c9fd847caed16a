/** Runs every suite and corpus of a conformance folder through an engine. */
import { join, relative } from 'node:path';
import type { Engine } from '../engines.js';
import { compileCorpora, sigmaReason } from './corpora.js';
import { runCase, runExpression, runParse } from './eql.js';
import { runEquivalent, runEval, runKueryCase, runKueryParse } from './kuery.js';
import { type ConformanceReport, failed, type Outcome, type SuiteReport, skipped, summarize } from './report.js';
import {
  type CaseRow,
  type EquivalentRow,
  type EvalRow,
  type ExpressionRow,
  eventsOf,
  type ParseRow,
  type Row,
  readSuites,
  type SuiteFile,
} from './rows.js';

export interface ConformanceOptions {
  readonly folder: string;
  /** Where event data files are looked for when the folder has none of its own. */
  readonly corpora: string;
  readonly engine: Engine;
}

export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const suites: SuiteReport[] = [];
  for (const suite of readSuites(options.folder)) suites.push(await runSuite(suite, options));
  return {
    engine: options.engine.name,
    suites,
    rules: compileCorpora(options.folder),
  };
}

export async function runSuite(suite: SuiteFile, options: ConformanceOptions): Promise<SuiteReport> {
  const outcomes: { id: string; outcome: Outcome }[] = [];
  for (const row of suite.rows) {
    const outcome = await runRow(row, suite, options).catch((error: unknown) => failed(String(error)));
    outcomes.push({ id: row.id, outcome });
  }
  return summarize(suite.name, outcomes);
}

/** A row's shape says what it asks; its language is KQL where the row or the folder says so, else EQL. */
async function runRow(row: Row, suite: SuiteFile, { engine, corpora, folder }: ConformanceOptions): Promise<Outcome> {
  const place = `${relative(folder, suite.path)} ${join(folder)}`;
  if (/(?:^|\/)sigma\//.test(relative(folder, suite.path)) || isSigma(row)) return skipped(sigmaReason);
  const isKuery = row.language === 'kuery' || row.language === 'kql' || /\b(?:kql|kuery)\b/.test(place);
  if ('document' in row) return runEval(row as unknown as EvalRow, engine);
  if ('a' in row && 'b' in row) return runEquivalent(row as unknown as EquivalentRow, engine);
  if ('expression' in row) return runExpression(row as unknown as ExpressionRow, engine);
  if ('expect' in row)
    return isKuery ? runKueryParse(row as unknown as ParseRow) : runParse(row as unknown as ParseRow);
  if ('query' in row && ('expected' in row || 'expected_any_of' in row)) {
    const one = row as unknown as CaseRow;
    const events = eventsOf(one, suite, corpora);
    return isKuery ? runKueryCase(one, events, engine) : runCase(one, events, engine);
  }
  return failed('no known shape of a case');
}

const isSigma = (row: Row): boolean => 'rules_yaml' in row || 'rule_yaml' in row || 'rule_id' in row;
