/** Collects what is wrong with a rule that came as an object: each problem with the path to its place. */
import type { Diagnostic, DiagnosticSeverity, Span } from '../core/diagnostic.js';
import { SourceText } from '../core/source_text.js';

/** Problems reported for one rule. */
const problemsMax = 20;

export type Entry = Readonly<Record<string, unknown>>;

/** What is wrong, without its place. */
export interface RuleProblem {
  readonly code: string;
  readonly message: string;
  readonly remedy?: string;
  readonly severity?: DiagnosticSeverity;
}

export class RuleCheck {
  readonly diagnostics: Diagnostic[] = [];
  readonly #ruleId: string | undefined;
  readonly #file: string | undefined;
  readonly #text: SourceText | undefined;

  constructor(rule: unknown) {
    const { id, source } = isEntry(rule) ? rule : ({} as Entry);
    this.#ruleId = typeof id === 'string' ? id : undefined;
    const { file, text } = isEntry(source) ? source : ({} as Entry);
    this.#file = typeof file === 'string' ? file : undefined;
    this.#text = typeof text === 'string' ? new SourceText(text, this.#file) : undefined;
  }

  /** Reports a problem at `path`; an empty path is the rule itself. A span places it in the rule's text. */
  report(path: string, problem: RuleProblem, span?: unknown): void {
    if (this.diagnostics.length >= problemsMax) return;
    const place = this.#text !== undefined && isSpan(span) ? this.#text.place(span) : this.#nowhere();
    const message = path === '' ? problem.message : `${path}: ${problem.message}`;
    const id = this.#ruleId === undefined ? {} : { ruleId: this.#ruleId };
    this.diagnostics.push({ severity: 'error', ...problem, message, ...id, ...place });
  }

  #nowhere(): { readonly file?: string; readonly line: number; readonly column: number } {
    return this.#file === undefined ? { line: 1, column: 1 } : { file: this.#file, line: 1, column: 1 };
  }

  /** The member as a list; reports and gives an empty one where it is not. */
  list(owner: Entry, name: string, path: string): readonly unknown[] {
    const value = owner[name];
    if (Array.isArray(value)) return value;
    this.shape(join(path, name), 'a list', value);
    return [];
  }

  /** The value as an object; reports and gives undefined where it is not. */
  entry(value: unknown, path: string): Entry | undefined {
    if (isEntry(value)) return value;
    this.shape(path, 'an object', value);
    return undefined;
  }

  text(owner: Entry, name: string, path: string): void {
    const value = owner[name];
    if (typeof value !== 'string' || value === '') this.shape(join(path, name), 'a text that is not empty', value);
  }

  oneOf(owner: Entry, name: string, path: string, allowed: readonly unknown[]): void {
    if (allowed.includes(owner[name])) return;
    const names = allowed.filter((value) => value !== undefined).map((value) => JSON.stringify(value));
    this.shape(join(path, name), `one of ${names.join(', ')}`, owner[name]);
  }

  /** A whole number within bounds, ends included. */
  whole(owner: Entry, name: string, path: string, min: number, max = Number.MAX_SAFE_INTEGER): void {
    const value = owner[name];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    this.shape(join(path, name), `a whole number ${range}`, value);
  }

  number(
    owner: Entry,
    name: string,
    path: string,
    min = Number.NEGATIVE_INFINITY,
    max = Number.POSITIVE_INFINITY,
  ): void {
    const value = owner[name];
    if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return;
    this.shape(
      join(path, name),
      min === Number.NEGATIVE_INFINITY ? 'a number' : `a number from ${min} to ${max}`,
      value,
    );
  }

  flag(owner: Entry, name: string, path: string): void {
    const value = owner[name];
    if (value !== undefined && typeof value !== 'boolean') this.shape(join(path, name), 'true or false', value);
  }

  shape(path: string, wanted: string, found: unknown, span?: unknown): void {
    this.report(path, { code: 'RULE_SHAPE', message: `must be ${wanted}, not ${describe(found)}` }, span);
  }
}

export function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

export function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSpan(value: unknown): value is Span {
  return isEntry(value) && typeof value.start === 'number' && typeof value.end === 'number';
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
