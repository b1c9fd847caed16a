/** The shapes of the conformance files, told by their members; see the README of the corpora. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

export type Source = Record<string, unknown>;

/** Names of the fields that a case uses for an event's id, category, time and tiebreaker. */
export interface CaseFields {
  readonly id: string;
  readonly category: string;
  readonly timestamp: string | null;
  readonly tiebreaker: string | null;
}

/** A query over events and what it finds. */
export interface CaseRow {
  readonly id: string;
  readonly query: string;
  readonly dialect?: string;
  readonly language?: string;
  readonly kind: 'event' | 'sequence' | 'sample' | 'flat' | 'join';
  readonly data?: string;
  readonly events?: readonly Source[];
  readonly fields?: CaseFields;
  readonly expected: unknown;
  readonly expected_any_of?: readonly unknown[];
  readonly case_sensitive?: boolean | null;
  /** Python EQL rows: whether Elasticsearch gives the same result for the same text; null where it is not known. */
  readonly same_in_elastic?: boolean | null;
  readonly params?: { readonly max_samples_per_key?: number };
  readonly requires?: readonly string[];
  readonly features?: readonly string[];
}

/** A constant expression and its value. */
export interface ExpressionRow {
  readonly id: string;
  readonly dialect: string;
  readonly expression: string;
  readonly case_sensitive?: boolean | null;
  readonly expected?: string | number | boolean | null;
  readonly expect?: 'error';
}

/** A text that must parse or be refused. */
export interface ParseRow {
  readonly id: string;
  readonly dialect?: string;
  readonly kind?: 'query' | 'expression';
  readonly text?: string;
  readonly query?: string;
  readonly expect: 'ok' | 'error';
}

/** A KQL query and whether one document matches it. */
export interface EvalRow {
  readonly id: string;
  readonly query: string;
  readonly document: Source;
  readonly expected: boolean;
  readonly requires?: readonly string[];
}

/** Two KQL spellings of one meaning. */
export interface EquivalentRow {
  readonly id: string;
  readonly a: string;
  readonly b: string;
}

export type Row = { readonly id: string } & Record<string, unknown>;

/** One NDJSON file of rows. */
export interface SuiteFile {
  /** Path below the corpus folder, without its ending. */
  readonly name: string;
  readonly path: string;
  readonly rows: readonly Row[];
}

export function readNdjson<T>(path: string): T[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as T);
}

/** Every NDJSON file of cases below a folder. Event data and rule corpora are no suites. */
export function readSuites(folder: string): SuiteFile[] {
  return filesBelow(folder, '.ndjson')
    .filter((path) => !/(?:^|\/)(?:data\/|corpus-)/.test(relative(folder, path)))
    .map((path) => ({
      name: relative(folder, path).replace(/\.ndjson$/, ''),
      path,
      rows: readNdjson<Row>(path).map((row, index) => ({ ...row, id: rowId(row, index) })),
    }));
}

const rowId = (row: Row, index: number): string => String(row.id ?? row.rule ?? `row ${index + 1}`);

export function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The events of a case: inline, or from a data file beside the suite, or else from one of the usual corpora. */
export function eventsOf(row: CaseRow, suite: SuiteFile, corpora: string): readonly Source[] {
  if (row.events !== undefined) return row.events;
  const name = row.data as string;
  const beside = join(dirname(suite.path), 'data', name);
  const path = existsSync(beside) ? beside : join(corpora, 'eql', 'data', name);
  const cached = dataFiles.get(path) ?? readNdjson<Source>(path);
  dataFiles.set(path, cached);
  return cached;
}

const dataFiles = new Map<string, readonly Source[]>();
