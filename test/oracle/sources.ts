/**
 * Where an expression takes its values from: fields of the event, of an array element, or of an event that a sequence
 * took before. Every source may have several values; an expression is evaluated once for each choice among them.
 */
import type { CallExpr, Expr, FieldExpr, LineageExpr, LiteralExpr } from '../../src/rule/ir.js';
import type { Truth, Value } from '../../src/rule/semantics.js';
import { arrayAt, asValue, nodesAt, type OracleEvent, openArrays, scalarsAt, scalarsLike } from './event.js';

/** What an expression is evaluated against. */
export interface Context {
  readonly event: OracleEvent;
  readonly categoryField: string;
  /** Answers a lineage condition about the event's process. */
  readonly lineage: (expr: LineageExpr) => Truth;
  /** Elements bound by the nested conditions around the expression, outermost first. */
  readonly elements: readonly { readonly path: string; readonly node: unknown }[];
  /** The event that a sequence's match took at a step, for conditions that look back at it. */
  readonly stepEvent?: (step: number) => OracleEvent | undefined;
  /** The value chosen for each source of the condition at hand, by its text. */
  readonly chosen?: ReadonlyMap<string, Value>;
}

/** What an expression takes values from: a field, or a call that names the field of another event or array element. */
export type ValueSource = FieldExpr | CallExpr;

export const asSource = (expr: Expr): ValueSource | undefined =>
  expr.kind === 'field' || (expr.kind === 'call' && (expr.name === 'stepField' || expr.name === 'arrayItem'))
    ? expr
    : undefined;

export const sourceText = (source: ValueSource): string => JSON.stringify({ ...source, span: undefined });

/** One context for each choice of one value per source in the expression; a missing field is null in all. */
export function choices(expr: Expr, context: Context): Context[] {
  if (context.chosen !== undefined) return [context];
  let chosen: ReadonlyMap<string, Value>[] = [new Map()];
  for (const source of sourcesOf(expr)) {
    const values = sourceValues(source, context);
    const options = values.length === 0 ? [null] : values;
    chosen = chosen.flatMap((choice) => options.map((value) => new Map([...choice, [sourceText(source), value]])));
  }
  return chosen.map((choice) => ({ ...context, chosen: choice }));
}

function sourcesOf(expr: Expr): ValueSource[] {
  const found = new Map<string, ValueSource>();
  const visit = (node: Expr): void => {
    const source = asSource(node);
    if (source !== undefined) found.set(sourceText(source), source);
    else for (const operand of operandsOf(node)) visit(operand);
  };
  visit(expr);
  return [...found.values()];
}

/** The operands evaluated on the same event and element as the expression itself. */
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

function sourceValues(source: ValueSource, context: Context): Value[] {
  if (source.kind === 'field') return fieldValues(source, context);
  const [first, second, ...rest] = source.args;
  if (source.name === 'stepField') {
    const event = context.stepEvent?.(Number((first as LiteralExpr).value));
    return event === undefined ? [] : fieldValues(second as FieldExpr, { ...context, event, elements: [] });
  }
  return itemValues(first as FieldExpr, [second as Expr, ...rest], context);
}

/** The values of a field under one element of an array: pairs of array path and index follow, outermost first. */
function itemValues(source: FieldExpr, pairs: readonly Expr[], context: Context): Value[] {
  let element = { path: '', node: context.event.source as unknown };
  for (let at = 0; at < pairs.length; at += 2) {
    const path = String((pairs[at] as LiteralExpr).value);
    const array = arrayAt(element.node, element.path === '' ? path : path.slice(element.path.length + 1));
    element = { path, node: array[Number((pairs[at + 1] as LiteralExpr).value)] };
  }
  return fieldValues(source, { ...context, elements: [...context.elements, element] });
}

function fieldValues(field: FieldExpr, context: Context): Value[] {
  for (const name of [field.name, ...(field.fallback ?? [])]) {
    const scalars = scalarsOf(name, context);
    if (scalars.length > 0) return (scalars as (string | number | boolean)[]).map(asValue);
  }
  return [];
}

/** The scalars of one field, or of every field that a name with `*` stands for. */
function scalarsOf(name: string, context: Context): unknown[] {
  const element = elementFor(name, context);
  if (name.includes('*')) {
    if (element === undefined) return scalarsLike(context.event.source, name);
    return scalarsLike(element.node, name.slice(element.path.length + 1));
  }
  if (element === undefined) return scalarsAt(context.event.source, name);
  return nodesBelow(element, name).filter((node) => node !== undefined && typeof node !== 'object');
}

/** The innermost bound element that a field name lies below. */
export function elementFor(name: string, context: Context): { path: string; node: unknown } | undefined {
  return context.elements.findLast(({ path }) => name === path || name.startsWith(`${path}.`));
}

export function nodesBelow(element: { path: string; node: unknown }, name: string): unknown[] {
  return name === element.path ? openArrays(element.node) : nodesAt(element.node, name.slice(element.path.length + 1));
}
