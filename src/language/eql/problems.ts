import type { Diagnostic, Span } from '../../core/diagnostic.js';
import { problemsPerQueryMax } from '../../core/limits.js';
import { diagnosticAt, type Problem, type SourceLocator } from '../../core/source_text.js';

/** Collects the problems of one query. One message for one place: what follows from an error already told is dropped. */
export class ProblemList {
  private readonly found: Diagnostic[] = [];
  private readonly source: SourceLocator;
  private readonly ruleId: string | undefined;
  private readonly told = new Set<number>();
  private errors = 0;
  private closed = false;

  constructor(source: SourceLocator, ruleId?: string) {
    this.source = source;
    this.ruleId = ruleId;
  }

  /** What was told, in order of place. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.found].sort((a, b) => a.line - b.line || a.column - b.column);
  }

  get hasErrors(): boolean {
    return this.errors > 0;
  }

  /** Takes no more problems: the rest of the query is not read. */
  close(): void {
    this.closed = true;
  }

  /** A place in words, for messages that point to a second one. */
  placeName(span: Span): string {
    const { line, column } = this.source.place(span);
    return `line ${line}, column ${column}`;
  }

  add(span: Span, problem: Problem): void {
    if (this.closed) return;
    if (problem.severity === undefined || problem.severity === 'error') this.errors++;
    if (this.told.has(span.start) || this.found.length >= problemsPerQueryMax) return;
    this.told.add(span.start);
    const withRule = this.ruleId === undefined ? problem : { ...problem, ruleId: this.ruleId };
    this.found.push(diagnosticAt(this.source, span, withRule));
  }
}

/** Thrown inside the parser to reach the next point of recovery; the problem is already told. Never leaves the parser. */
export class Recovery extends Error {}
