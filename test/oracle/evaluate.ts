/**
 * Evaluates IR expressions over one event: three-valued logic, any-semantics on multi-valued fields.
 *
 * A *condition* that is no logic (a comparison, a pattern, a call) is judged once for each choice of one value per field
 * in it: true when any choice makes it true, else false when any makes it false, else null.
 */
import { RE2JS } from 're2js';
import type { CaseMode, CompareExpr, EventQuery, Expr, NestedExpr } from '../../src/rule/ir.js';
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
} from '../../src/rule/semantics.js';
import { nodesAt, scalarsAt } from './event.js';
import { asSource, type Context, choices, elementFor, nodesBelow, sourceText } from './sources.js';

export function matchesQuery(query: EventQuery, context: Context): boolean {
  if (query.category !== null) {
    const categories = scalarsAt(context.event.source, context.categoryField);
    if (!categories.some((category) => String(category) === query.category)) return false;
  }
  return evaluateTruth(query.condition, context) === true;
}

// ------------------------------------------------------------------------------------------------------ logic

export function evaluateTruth(expr: Expr, context: Context): Truth {
  switch (expr.kind) {
    case 'and':
      return every(expr.operands.map((operand) => evaluateTruth(operand, context)));
    case 'or':
      return some(expr.operands.map((operand) => evaluateTruth(operand, context)));
    case 'not': {
      const truth = evaluateTruth(expr.operand, context);
      if (truth === null) return expr.missing === 'true' ? true : null;
      return !truth;
    }
    case 'isNull':
      return isMissing(expr.value, context);
    case 'lineage':
      return context.lineage(expr);
    case 'nested':
      return evaluateNested(expr, context);
    case 'compare':
      return evaluateCompare(expr, context);
    default:
      return any(choices(expr, context).map((choice) => truthOf(evaluateValue(expr, choice))));
  }
}

/** `!=` says that no value is equal; `==` and `!=` with the literal null ask whether the other side is missing. */
function evaluateCompare(expr: CompareExpr, context: Context): Truth {
  if (expr.op === '!=') {
    const isEqual = evaluateCompare({ ...expr, op: '==' }, context);
    return isEqual === null ? null : !isEqual;
  }
  if (expr.op === '==') {
    if (isNullLiteral(expr.left)) return isMissing(expr.right, context);
    if (isNullLiteral(expr.right)) return isMissing(expr.left, context);
  }
  return any(choices(expr, context).map((choice) => compareSides(expr, choice)));
}

const isNullLiteral = (expr: Expr): boolean => expr.kind === 'literal' && expr.value === null;

const isMissing = (expr: Expr, context: Context): boolean => valuesOf(expr, context).length === 0;

function compareSides(expr: CompareExpr, choice: Context): Truth {
  return compareValues(expr.op, evaluateValue(expr.left, choice), evaluateValue(expr.right, choice), expr.case);
}

function every(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

function some(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(null) ? null : false;
}

/** Any-semantics over values or elements: one that gives no answer takes nothing from those that do. */
function any(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(false) ? false : null;
}

function truthOf(value: Value): Truth {
  return value === null || typeof value === 'boolean' ? value : false;
}

function evaluateNested(expr: NestedExpr, context: Context): Truth {
  const { chosen: _, ...unbound } = context;
  const outer = elementFor(expr.path, context);
  const nodes = outer === undefined ? nodesAt(context.event.source, expr.path) : nodesBelow(outer, expr.path);
  const truths = nodes.map((node) =>
    evaluateTruth(expr.condition, { ...unbound, elements: [...context.elements, { path: expr.path, node }] }),
  );
  if (expr.count === undefined || truths.length === 0) return any(truths);
  const satisfied = truths.filter((truth) => truth === true).length;
  return compareValues(expr.count.op, satisfied, expr.count.value, 'exact');
}

// ----------------------------------------------------------------------------------------------------- values

/** All values an expression has, over every choice of field values; duplicates kept, nulls dropped. */
export function valuesOf(expr: Expr, context: Context): Value[] {
  return choices(expr, context)
    .map((choice) => evaluateValue(expr, choice))
    .filter((value) => value !== null);
}

/** The value of an expression under the choice of field values in the context. */
function evaluateValue(expr: Expr, context: Context): Value {
  const value = (operand: Expr): Value => evaluateValue(operand, context);
  const source = asSource(expr);
  if (source !== undefined) return context.chosen?.get(sourceText(source)) ?? null;
  switch (expr.kind) {
    case 'literal':
      return typeof expr.value === 'number' ? makeNumber(expr.value, expr.float === true) : expr.value;
    case 'arithmetic':
      return arithmetic(expr.op, value(expr.left), value(expr.right));
    case 'match': {
      const subject = value(expr.value);
      return some(expr.patterns.map((pattern) => matchesPattern(subject, pattern, expr.case)));
    }
    case 'regex':
      return matchesRegex(value(expr.value), expr.patterns, expr.case, expr.anchor);
    case 'cidr': {
      const subject = value(expr.value);
      return some(expr.blocks.map((block) => inBlock(subject, block)));
    }
    case 'call':
      return evaluateCall(expr.name, expr.args.map(value), expr.case);
    default:
      return evaluateTruth(expr, context);
  }
}

function evaluateCall(name: string, args: readonly Value[], mode: CaseMode): Value {
  if (name === 'match' || name === 'matchLite') {
    return matchesRegex(args[0] ?? null, args.slice(1).map(String), mode, 'full');
  }
  const result = callFunction(name, args, mode);
  if (result === undefined) throw new Error(`the oracle knows no function ${name}`);
  return result;
}

function matchesRegex(value: Value, patterns: readonly string[], mode: CaseMode, anchor: 'full' | 'partial'): Truth {
  const text = toText(value);
  if (text === null) return null;
  const flags = mode === 'exact' ? 0 : RE2JS.CASE_INSENSITIVE;
  return patterns.some((pattern) => {
    const matcher = RE2JS.compile(pattern, flags).matcher(text);
    return anchor === 'full' ? matcher.matches() : matcher.find();
  });
}

// ------------------------------------------------------------------------------------------------------- keys

/** A component of a group key: null joins null only where the field is optional. */
export type KeyValue = string | number | boolean | null;

const plain = (value: Value): KeyValue => (value instanceof Float ? value.value : value);

/** Every combination of the values of a key's components, each once; none where a component is missing. */
export function keysOf(exprs: readonly Expr[], context: Context): KeyValue[][] {
  let combinations: KeyValue[][] = [[]];
  for (const expr of exprs) {
    const values: KeyValue[] = [...new Set(valuesOf(expr, context).map(plain))];
    const isOptional = expr.kind === 'field' && expr.optional === true;
    const options = values.length === 0 && isOptional ? [null] : values;
    combinations = combinations.flatMap((combination) => options.map((value) => [...combination, value]));
  }
  return combinations;
}

/** A key as text that is equal exactly when the keys are. */
export const keyText = (key: readonly KeyValue[]): string => JSON.stringify(key);
