import type { Span } from '../core/diagnostic.js';

/** A condition that cannot be compiled: the rule is refused with this. */
export class Refusal extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly span: Span | undefined;
  constructor(code: string, message: string, remedy: string, span?: Span) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.span = span;
  }
}
