/**
 * Evaluates an expression over single values: the meaning of what the compiler turns into atoms and expression code.
 * For constants, `explain` and tests; it does not look for speed. Lists, nested conditions and lineage are the caller's.
 */
import type { CallExpr, Expr, FieldExpr } from './ir.js';
import { compileRegex } from './regex.js';
import {
  arithmetic,
  callFunction,
  compareValues,
  inBlock,
  matchesPattern,
  type Truth,
  toText,
  type Value,
} from './semantics.js';

/** Answers what one value cannot tell. `special`: nested and lineage conditions, `stepField` and `arrayItem`. */
export interface Environment {
  field(name: string): Value;
  special?(expr: Expr): Value;
}

/** What a condition makes of a value: only `true` is true. */
const truthOf = (value: Value): Truth => (value === null ? null : value === true);

/** The value of an expression; conditions give true, false or null. */
export function evaluate(expr: Expr, environment: Environment): Value {
  switch (expr.kind) {
    case 'literal':
      return literalValue(expr);
    case 'field':
      return fieldValue(expr, environment);
    case 'and':
    case 'or':
      return connect(expr.kind, expr.operands, environment);
    case 'not': {
      const truth = truthOf(evaluate(expr.operand, environment));
      return truth === null ? (expr.missing === 'true' ? true : null) : !truth;
    }
    case 'compare':
      return compareExpressions(expr, environment);
    case 'isNull':
      return evaluate(expr.value, environment) === null;
    case 'match': {
      const value = evaluate(expr.value, environment);
      return value === null ? null : expr.patterns.some((p) => matchesPattern(value, p, expr.case) === true);
    }
    case 'regex': {
      const text = toText(evaluate(expr.value, environment));
      return text === null ? null : compileRegex(expr)(text);
    }
    case 'cidr': {
      const value = evaluate(expr.value, environment);
      return value === null ? null : expr.blocks.some((block) => inBlock(value, block) === true);
    }
    case 'arithmetic':
      return arithmetic(expr.op, evaluate(expr.left, environment), evaluate(expr.right, environment));
    case 'call':
      return call(expr, environment);
    case 'nested':
    case 'lineage':
      return environment.special?.(expr) ?? null;
  }
}

function literalValue(expr: Extract<Expr, { kind: 'literal' }>): Value {
  return typeof expr.value === 'number' && expr.float === true ? arithmetic('*', expr.value, floatOne) : expr.value;
}

const floatOne = arithmetic('/', 0.5, 0.5);

function fieldValue(expr: FieldExpr, environment: Environment): Value {
  for (const name of [expr.name, ...(expr.fallback ?? [])]) {
    const value = environment.field(name);
    if (value !== null) return value;
  }
  return null;
}

function connect(kind: 'and' | 'or', operands: readonly Expr[], environment: Environment): Truth {
  const decisive = kind === 'or';
  let outcome: Truth = !decisive;
  for (const operand of operands) {
    const truth = truthOf(evaluate(operand, environment));
    if (truth === decisive) return decisive;
    if (truth === null) outcome = null;
  }
  return outcome;
}

const isNullLiteral = (expr: Expr): boolean => expr.kind === 'literal' && expr.value === null;

function compareExpressions(expr: Extract<Expr, { kind: 'compare' }>, environment: Environment): Truth {
  const left = evaluate(expr.left, environment);
  const right = evaluate(expr.right, environment);
  const isNullTest = isNullLiteral(expr.left) || isNullLiteral(expr.right);
  if (isNullTest && expr.op === '==') return left === null && right === null;
  if (isNullTest && expr.op === '!=') return left !== null || right !== null;
  return compareValues(expr.op, left, right, expr.case);
}

function call(expr: CallExpr, environment: Environment): Value {
  if (expr.name === 'stepField' || expr.name === 'arrayItem') return environment.special?.(expr) ?? null;
  const args = expr.args.map((arg) => evaluate(arg, environment));
  if (expr.name !== 'match' && expr.name !== 'matchLite') return callFunction(expr.name, args, expr.case) ?? null;
  const [text, ...patterns] = args.map(toText);
  if (text === null || text === undefined) return null;
  return compileRegex({ patterns: patterns.map(String), case: expr.case, anchor: 'full' })(text);
}
