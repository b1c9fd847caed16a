/**
 * The syntax tree of EQL: what was written, before types, constants and dialect meaning.
 */
import type { Span } from '../../core/diagnostic.js';

/** One part of a field path: a name (dots inside backticks are part of it) or an array index. */
export type PathPart = { readonly name: string } | { readonly index: number };

export type PatternOperator = ':' | 'like' | 'like~' | 'regex' | 'regex~';
export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type Relation = 'descendant' | 'child' | 'event';

export type Node =
  | {
      readonly kind: 'literal';
      readonly value: string | number | boolean | null;
      readonly float?: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: 'field';
      readonly path: readonly PathPart[];
      readonly optional: boolean;
      readonly variable: boolean;
      readonly span: Span;
    }
  | { readonly kind: 'sign'; readonly op: '-' | '+'; readonly operand: Node; readonly span: Span }
  | {
      readonly kind: 'arithmetic';
      readonly op: '+' | '-' | '*' | '/' | '%';
      readonly left: Node;
      readonly right: Node;
      readonly span: Span;
    }
  | {
      readonly kind: 'compare';
      readonly op: CompareOperator;
      readonly left: Node;
      readonly right: Node;
      readonly span: Span;
    }
  | {
      readonly kind: 'pattern';
      readonly op: PatternOperator;
      readonly value: Node;
      readonly patterns: readonly Node[];
      readonly span: Span;
    }
  | {
      readonly kind: 'in';
      readonly fold: boolean;
      readonly negated: boolean;
      readonly value: Node;
      readonly items: readonly Node[];
      readonly span: Span;
    }
  | { readonly kind: 'not'; readonly operand: Node; readonly span: Span }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Node[]; readonly span: Span }
  | CallNode
  | { readonly kind: 'relation'; readonly relation: Relation; readonly filter: EventFilter; readonly span: Span }
  /** Text that could not be parsed; its problem is already told. `parts` are the operands in it that could. */
  | { readonly kind: 'fault'; readonly parts?: readonly Node[]; readonly span: Span };

export interface CallNode {
  readonly kind: 'call';
  readonly name: string;
  readonly nameSpan: Span;
  /** Written with `~`. */
  readonly fold: boolean;
  readonly args: readonly Node[];
  readonly span: Span;
}

/** `category where condition`; category null is `any`. */
export interface EventFilter {
  readonly category: string | null;
  readonly condition: Node;
  readonly span: Span;
}

/** One `[ … ]` of a sequence, join or sample. */
export interface Term {
  readonly filter: EventFilter;
  readonly missing: boolean;
  readonly by: readonly Node[];
  readonly runs: number;
  readonly fork: boolean;
  readonly alias: string | undefined;
  readonly span: Span;
}

export interface PipeNode {
  readonly name: string;
  readonly args: readonly Node[];
  readonly nameSpan: Span;
  readonly span: Span;
}

export interface MultiQuery {
  readonly kind: 'sequence' | 'sample' | 'join';
  readonly by: readonly Node[];
  readonly maxspanUs: number | undefined;
  readonly terms: readonly Term[];
  readonly until: Term | undefined;
  readonly span: Span;
}

export interface Statement {
  readonly query: { readonly kind: 'event'; readonly filter: EventFilter; readonly span: Span } | MultiQuery;
  readonly pipes: readonly PipeNode[];
}
