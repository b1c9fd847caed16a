/** Short ways to write IR in tests. */
import type { Expr, FieldExpr, MatchExpr, MatchRule, SequenceRule, Step, TextPattern } from '../../src/rule/ir.js';

export const field = (name: string, options: Partial<FieldExpr> = {}): FieldExpr => ({
  kind: 'field',
  name,
  ...options,
});

export const literal = (value: string | number | boolean | null): Expr => ({ kind: 'literal', value });

export const always = literal(true);

export const equals = (name: string, value: string | number | boolean): Expr => ({
  kind: 'compare',
  op: '==',
  left: field(name),
  right: literal(value),
  case: 'exact',
});

export const matches = (name: string, ...patterns: TextPattern[]): MatchExpr => ({
  kind: 'match',
  value: field(name),
  patterns,
  case: 'ascii',
});

export const ruleBase = (id: string) => ({ id, name: id, severity: 'low', riskScore: 21, threat: [] }) as const;

export const matchRule = (id: string, condition: Expr, category: string | null = null): MatchRule => ({
  ...ruleBase(id),
  kind: 'match',
  query: { category, condition },
});

export const step = (condition: Expr, by: readonly string[] = [], options: Partial<Step> = {}): Step => ({
  query: { category: null, condition },
  by: by.map((name) => field(name)),
  missing: false,
  runs: 1,
  ...options,
});

export const sequenceRule = (
  id: string,
  steps: readonly Step[],
  options: Partial<Pick<SequenceRule, 'maxspanUs' | 'until' | 'unordered' | 'pipes'>> = {},
): SequenceRule => ({ ...ruleBase(id), kind: 'sequence', steps, ...options });
