/**
 * Messages to rule authors. Every language front end collects these and never throws for an author's mistake.
 */

/** A half-open range `[start, end)` of UTF-16 code units in a source text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Whether the rule was refused (`error`), loaded with a doubt (`warning`), or loaded with a remark (`info`). */
export type DiagnosticSeverity = 'error' | 'warning' | 'info';

/**
 * One message to a rule author: what is wrong, where, and what to do.
 * `line` and `column` are 1-based; `excerpt` is the source line with a caret line under it.
 */
export interface Diagnostic {
  readonly code: string;
  readonly severity: DiagnosticSeverity;
  readonly message: string;
  readonly file?: string;
  readonly ruleId?: string;
  readonly line: number;
  readonly column: number;
  readonly excerpt?: string;
  /** What the parser would have accepted at this place. */
  readonly expected?: readonly string[];
  /** One sentence that tells the author what to do. */
  readonly remedy?: string;
}
