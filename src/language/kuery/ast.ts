import type { Span } from '../../core/diagnostic.js';

/**
 * A name or value as written. `parts` are the literal texts between unquoted `*`: one part means no wildcard, and
 * `*` alone is two empty parts. Escapes are resolved, so a `*` or `?` inside a part is that character.
 */
export interface KueryLiteral {
  readonly parts: readonly string[];
  readonly quoted: boolean;
  readonly span: Span;
}

export type RangeOperator = '<' | '<=' | '>' | '>=';

/** A query as Kibana's grammar reads it, with value lists written out per value. `is` without a field is free text. */
export type KueryNode =
  | { readonly kind: 'and' | 'or'; readonly operands: readonly KueryNode[]; readonly span: Span }
  | { readonly kind: 'not'; readonly operand: KueryNode; readonly span: Span }
  | { readonly kind: 'nested'; readonly path: KueryLiteral; readonly operand: KueryNode; readonly span: Span }
  | { readonly kind: 'is'; readonly field: KueryLiteral | null; readonly value: KueryLiteral; readonly span: Span }
  | {
      readonly kind: 'range';
      readonly field: KueryLiteral;
      readonly op: RangeOperator;
      readonly value: KueryLiteral;
      readonly span: Span;
    };

/** The text of a literal with its wildcards written as `*`. */
export function literalText(literal: KueryLiteral): string {
  return literal.parts.join('*');
}

/** Whether a literal is the single wildcard `*`. */
export function isLoneWildcard(literal: KueryLiteral): boolean {
  return literal.parts.length > 1 && literal.parts.every((part) => part === '');
}
