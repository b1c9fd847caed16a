/**
 * Evaluates expressions on evidence: what pipes, keys and suppression ask after an alert is complete. The kernel judges
 * events; this judges the few values that were kept of them, by the same value rules.
 */
import { RE2JS } from 're2js';
import type { CallExpr, CompareExpr, Expr, FieldExpr } from '../rule/ir.js';
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
} from '../rule/semantics.js';
import type { EvidenceFields } from './behavior/witness.js';

/** The events an expression is about. Fields without a step are those of the first event that is there. */
export type Steps = readonly (EvidenceFields | null)[];

/** A plain value of a key. */
export type KeyValue = string | number | boolean | null;

type Source = FieldExpr | CallExpr;
type Choice = ReadonlyMap<string, Value>;

/** Kinds of expression that need the whole event or its lineage: none of the text of an alert can tell. */
export function unsupportedIn(expr: Expr): string | undefined {
  if (expr.kind === 'nested' || expr.kind === 'lineage') return `a ${expr.kind} condition`;
  if (expr.kind === 'call' && expr.name === 'arrayItem') return 'a field of an array element';
  return operandsOf(expr)
    .map(unsupportedIn)
    .find((reason) => reason !== undefined);
}

/** Field names that an expression reads, fallbacks included. */
export function fieldsOf(expr: Expr): string[] {
  if (expr.kind === 'field') return [expr.name, ...(expr.fallback ?? [])];
  return operandsOf(expr).flatMap(fieldsOf);
}

/** Whether a condition is true of the steps. */
export function holds(expr: Expr, steps: Steps): boolean {
  return truth(expr, steps) === true;
}

/** The values of an expression over every choice of one value per field; nulls dropped. */
export function valuesOf(expr: Expr, steps: Steps): KeyValue[] {
  const values = choices(expr, steps).map((choice) => value(expr, choice, steps));
  return values.filter((one) => one !== null).map((one) => (one instanceof Float ? one.value : one));
}

function operandsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'compare':
    case 'arithmetic':
      return [expr.left, expr.right];
    case 'match':
    case 'regex':
    case 'cidr':
    case 'isNull':
      return [expr.value];
    case 'call':
      return expr.args;
    case 'and':
    case 'or':
      return expr.operands;
    case 'not':
      return [expr.operand];
    default:
      return [];
  }
}

// ------------------------------------------------------------------------------------------------------ truth

function truth(expr: Expr, steps: Steps): Truth {
  switch (expr.kind) {
    case 'and':
      return every(expr.operands.map((operand) => truth(operand, steps)));
    case 'or':
      return some(expr.operands.map((operand) => truth(operand, steps)));
    case 'not': {
      const operand = truth(expr.operand, steps);
      return operand === null ? (expr.missing === 'true' ? true : null) : !operand;
    }
    case 'isNull':
      return valuesOf(expr.value, steps).length === 0;
    case 'compare':
      return compare(expr, steps);
    default:
      return any(choices(expr, steps).map((choice) => asTruth(value(expr, choice, steps))));
  }
}

function compare(expr: CompareExpr, steps: Steps): Truth {
  if (expr.op === '!=') {
    const isEqual = compare({ ...expr, op: '==' }, steps);
    return isEqual === null ? null : !isEqual;
  }
  for (const [side, other] of [
    [expr.left, expr.right],
    [expr.right, expr.left],
  ] as const) {
    if (expr.op === '==' && side.kind === 'literal' && side.value === null) return valuesOf(other, steps).length === 0;
  }
  const sides = choices(expr, steps).map((choice) =>
    compareValues(expr.op, value(expr.left, choice, steps), value(expr.right, choice, steps), expr.case),
  );
  return any(sides);
}

const asTruth = (one: Value): Truth => (one === null || typeof one === 'boolean' ? one : false);

function every(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

function some(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(null) ? null : false;
}

function any(truths: readonly Truth[]): Truth {
  if (truths.includes(true)) return true;
  return truths.includes(false) ? false : null;
}

// ----------------------------------------------------------------------------------------------------- values

const asSource = (expr: Expr): Source | undefined =>
  expr.kind === 'field' || (expr.kind === 'call' && expr.name === 'stepField') ? expr : undefined;

const textOf = (source: Source): string => JSON.stringify({ ...source, span: undefined });

function sourcesOf(expr: Expr): Source[] {
  const source = asSource(expr);
  return source !== undefined ? [source] : operandsOf(expr).flatMap(sourcesOf);
}

/** One choice for each combination of the values of the expression's fields; a missing field is null in all. */
function choices(expr: Expr, steps: Steps): Choice[] {
  let found: Choice[] = [new Map()];
  for (const source of new Map(sourcesOf(expr).map((one) => [textOf(one), one])).values()) {
    const values = sourceValues(source, steps);
    const options = values.length === 0 ? [null] : values;
    found = found.flatMap((choice) => options.map((option) => new Map([...choice, [textOf(source), option]])));
  }
  return found;
}

function sourceValues(source: Source, steps: Steps): Value[] {
  if (source.kind === 'field') return fieldValues(source, steps.find((step) => step !== null) ?? {});
  const [step, field] = source.args;
  if (step?.kind !== 'literal' || field?.kind !== 'field') return [];
  return fieldValues(field, steps[Number(step.value)] ?? {});
}

function fieldValues(field: FieldExpr, fields: EvidenceFields): Value[] {
  for (const name of [field.name, ...(field.fallback ?? [])]) {
    const found = fields[name];
    if (found === undefined) continue;
    const items = typeof found === 'object' ? found : [found];
    return items.map((item) => (typeof item === 'number' ? makeNumber(item, !Number.isInteger(item)) : item));
  }
  return [];
}

function value(expr: Expr, choice: Choice, steps: Steps): Value {
  const of = (operand: Expr): Value => value(operand, choice, steps);
  const source = asSource(expr);
  if (source !== undefined) return choice.get(textOf(source)) ?? null;
  switch (expr.kind) {
    case 'literal':
      return typeof expr.value === 'number' ? makeNumber(expr.value, expr.float === true) : expr.value;
    case 'arithmetic':
      return arithmetic(expr.op, of(expr.left), of(expr.right));
    case 'match':
      return some(expr.patterns.map((pattern) => matchesPattern(of(expr.value), pattern, expr.case)));
    case 'regex':
      return matchesRegex(of(expr.value), expr.patterns, expr.case !== 'exact', expr.anchor === 'full');
    case 'cidr':
      return some(expr.blocks.map((block) => inBlock(of(expr.value), block)));
    case 'call':
      return callFunction(expr.name, expr.args.map(of), expr.case) ?? null;
    default:
      return truth(expr, steps);
  }
}

function matchesRegex(subject: Value, patterns: readonly string[], folds: boolean, isFull: boolean): Truth {
  const text = toText(subject);
  if (text === null) return null;
  return patterns.some((pattern) => {
    const matcher = RE2JS.compile(pattern, folds ? RE2JS.CASE_INSENSITIVE : 0).matcher(text);
    return isFull ? matcher.matches() : matcher.find();
  });
}
