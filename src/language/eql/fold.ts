/**
 * Constant folding: expressions without fields become literals, by the value rules of `semantics.ts`.
 */
import { RE2JS } from 're2js';
import type { CaseMode, Expr, LiteralExpr } from '../../rule/ir.js';
import {
  arithmetic,
  callFunction,
  compareValues,
  Float,
  inBlock,
  makeNumber,
  matchesPattern,
  type Truth,
  toText,
  type Value,
} from '../../rule/semantics.js';

/** The value of a literal. */
export function literalValue(literal: LiteralExpr): Value {
  return typeof literal.value === 'number' ? makeNumber(literal.value, literal.float === true) : literal.value;
}

/** A value as a literal expression, in the place of what it was computed from. */
export function literalOf(value: Value, from: Expr): LiteralExpr {
  const span = from.span === undefined ? {} : { span: from.span };
  if (value instanceof Float) return { kind: 'literal', value: value.value, float: true, ...span };
  return { kind: 'literal', value, ...span };
}

/** The expression itself, or the literal it stands for when it depends on no event. Operands are folded already. */
export function fold(expr: Expr): Expr {
  const value = constantValue(expr);
  return value === undefined || expr.kind === 'literal' ? expr : literalOf(value, expr);
}

/** The value of an expression whose operands are literals, or undefined when it depends on the event. */
export function constantValue(expr: Expr): Value | undefined {
  switch (expr.kind) {
    case 'literal':
      return literalValue(expr);
    case 'arithmetic':
      return both(expr.left, expr.right, (a, b) => arithmetic(expr.op, a, b));
    case 'compare':
      return both(expr.left, expr.right, (a, b) => compareValues(expr.op, a, b, expr.case));
    case 'isNull':
      return one(expr.value, (value) => value === null);
    case 'not':
      return one(expr.operand, (value) =>
        typeof value === 'boolean' ? !value : expr.missing === 'true' ? true : null,
      );
    case 'and':
    case 'or':
      return logic(expr.kind, expr.operands);
    case 'match':
      return one(expr.value, (value) => any(expr.patterns, (pattern) => matchesPattern(value, pattern, expr.case)));
    case 'cidr':
      return one(expr.value, (value) => any(expr.blocks, (block) => inBlock(value, block)));
    case 'regex':
      return one(expr.value, (value) => any(expr.patterns, (pattern) => matchesRegex(value, pattern, expr.case)));
    case 'call': {
      const args = expr.args.map(constantValue);
      return args.includes(undefined) ? undefined : callFunction(expr.name, args as Value[], expr.case);
    }
    default:
      return undefined;
  }
}

function one(operand: Expr, compute: (value: Value) => Value): Value | undefined {
  const value = constantValue(operand);
  return value === undefined ? undefined : compute(value);
}

function both(left: Expr, right: Expr, compute: (a: Value, b: Value) => Value): Value | undefined {
  const a = constantValue(left);
  const b = constantValue(right);
  return a === undefined || b === undefined ? undefined : compute(a, b);
}

function any<T>(items: readonly T[], test: (item: T) => Truth): Truth {
  const truths = items.map(test);
  if (truths.includes(true)) return true;
  return truths.includes(null) ? null : false;
}

/** Three-valued logic. One operand that decides is enough, whatever the others depend on. */
function logic(kind: 'and' | 'or', operands: readonly Expr[]): Value | undefined {
  const values = operands.map(constantValue);
  const decisive = kind === 'or';
  if (values.includes(decisive)) return decisive;
  if (values.includes(undefined)) return undefined;
  return values.includes(null) ? null : !decisive;
}

function matchesRegex(value: Value, pattern: string, mode: CaseMode): Truth {
  const text = toText(value);
  if (text === null) return null;
  return RE2JS.compile(pattern, mode === 'exact' ? 0 : RE2JS.CASE_INSENSITIVE)
    .matcher(text)
    .matches();
}
