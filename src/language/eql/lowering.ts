import type { Span } from '../../core/diagnostic.js';
import type { CaseMode, Expr, FieldExpr, LiteralExpr, TextPattern } from '../../rule/ir.js';
import type { FieldTypes } from '../field_types.js';
import type { Node } from './ast.js';
import type { DialectTraits } from './dialect.js';
import { fold } from './fold.js';
import type { ProblemList } from './problems.js';
import { comparable, nameOf, type StaticType, typeOf } from './types.js';

type FieldNode = Extract<Node, { kind: 'field' }>;

/** Names bound around an expression. */
export interface Scope {
  /** Variables of the array functions around it: name to full path of the array. */
  readonly variables: ReadonlyMap<string, string>;
  /** Sequence aliases that may be referred to: name to step. */
  readonly aliases: ReadonlyMap<string, number>;
  /** Events that `events[i]` may name: those of a multi-event query, in its pipes. */
  readonly events?: number;
}

export const emptyScope: Scope = { variables: new Map(), aliases: new Map() };

/** What the lowering of one query shares: dialect, problems, and the names it met. */
export class LoweringContext {
  readonly traits: DialectTraits;
  readonly problems: ProblemList;
  /** How text compares where no `~` says otherwise. */
  readonly textCase: CaseMode;
  /** Types of fields that ECS does not name. */
  readonly fieldTypes: FieldTypes;
  /** Fields and array paths that the query names; tells objects from values in `where object`. */
  readonly fieldNames = new Set<string>();
  readonly arrayPaths = new Set<string>();
  /** Something of the query means what these names say. */
  asksNames = false;

  constructor(traits: DialectTraits, problems: ProblemList, textCase: CaseMode, fieldTypes: FieldTypes = {}) {
    this.fieldTypes = fieldTypes;
    this.traits = traits;
    this.problems = problems;
    this.textCase = textCase;
  }

  fault(span: Span, code: string, message: string, remedy: string, expected?: readonly string[]): LiteralExpr {
    this.problems.add(span, { code, message, remedy, ...(expected === undefined ? {} : { expected }) });
    return { kind: 'literal', value: null, span };
  }

  /** Tells when two operands can never meet. */
  checkComparable(left: Expr, right: Expr, span: Span): boolean {
    const a = typeOf(left);
    const b = typeOf(right);
    if (comparable(a, b)) return true;
    const remedy =
      a === 'number' || b === 'number'
        ? 'Compare numbers with numbers; number() and string() convert.'
        : 'Compare values of the same type.';
    this.fault(span, 'EQL_TYPE', `${nameOf(a)} is compared with ${nameOf(b)}`, remedy);
    return false;
  }

  checkType(expr: Expr, wanted: StaticType, span: Span, what: string): boolean {
    const type = typeOf(expr);
    if (comparable(type, wanted)) return true;
    this.fault(span, 'EQL_TYPE', `${what} takes ${nameOf(wanted)}, not ${nameOf(type)}`, typeRemedy(type, wanted));
    return false;
  }
}

function typeRemedy(type: StaticType, wanted: StaticType): string {
  if (wanted === 'string' && type === 'number') return 'Write the value in double quotes, or convert it with string().';
  if (wanted === 'number' && type === 'string') return 'Write the number without quotes, or convert it with number().';
  if (wanted === 'boolean') return 'Compare the value with something: value == "…".';
  return `Write ${nameOf(wanted)}.`;
}

export const isLiteral = (expr: Expr): expr is LiteralExpr => expr.kind === 'literal';

export const isText = (expr: Expr): expr is LiteralExpr & { value: string } =>
  expr.kind === 'literal' && typeof expr.value === 'string';

export const negate = (operand: Expr, span: Span): Expr => fold({ kind: 'not', operand, missing: 'null', span });

export const isNull = (value: Expr, span: Span): Expr => fold({ kind: 'isNull', value, span });

/** Operands joined by `or`; one operand is itself. */
export function either(operands: readonly Expr[], span: Span): Expr {
  return operands.length === 1 ? (operands[0] as Expr) : fold({ kind: 'or', operands, span });
}

/** The pattern of a text with wildcards `*` and `?`. */
export function wildcardPattern(text: string): TextPattern {
  return { type: /[*?]/.test(text) ? 'wildcard' : 'equals', text };
}

/**
 * The field of a path: a variable or alias resolves, positions become `arrayItem`, `events[i]` in pipes `stepField`.
 */
export function lowerField(node: FieldNode, scope: Scope, context: LoweringContext): Expr {
  const [first, ...rest] = node.path;
  const name = first !== undefined && 'name' in first ? first.name : '';
  const array = scope.variables.get(name);
  if (node.variable && array === undefined) {
    const known = [...scope.variables.keys()].map((variable) => `$${variable}`);
    const remedy =
      known.length === 0 ? 'Variables exist only inside arraysearch(field, $name, …).' : `Write ${known.join(' or ')}.`;
    return context.fault(node.span, 'EQL_VARIABLE', `$${name} is not bound here`, remedy, known);
  }
  if (array !== undefined && (node.variable || context.traits.legacySyntax))
    return pathExpr(array, rest, node, context);
  const alias = scope.aliases.get(name);
  if (alias !== undefined && rest.length > 0) return stepField(alias, rest, node, context);
  if (name === 'events' && scope.events !== undefined && rest[0] !== undefined && 'index' in rest[0]) {
    return eventField(rest[0].index, rest.slice(1), node, scope.events, context);
  }
  if (context.traits.aliases && /^event\d+$/.test(name)) {
    const known = [...scope.aliases.keys()];
    return context.fault(
      node.span,
      'EQL_ALIAS',
      `no earlier event of a sequence is named ${name}`,
      `Name the event with "[ … ] as ${name}" before this one.`,
      known,
    );
  }
  const expr = pathExpr('', node.path, node, context);
  checkOutsideArrays(expr, node.span, scope, context);
  return expr;
}

function checkOutsideArrays(expr: Expr, span: Span, scope: Scope, context: LoweringContext): void {
  if (expr.kind !== 'field') return;
  for (const [variable, path] of scope.variables) {
    if (expr.name !== path && !expr.name.startsWith(`${path}.`)) continue;
    const reach = `${context.traits.aliases ? '$' : ''}${variable}${expr.name.slice(path.length)}`;
    context.fault(
      span,
      'EQL_VARIABLE',
      `inside the search over ${path} its elements go by their variable`,
      `Write ${reach}.`,
    );
  }
}

function pathExpr(base: string, path: FieldNode['path'], node: FieldNode, context: LoweringContext): Expr {
  let name = base;
  const positions: Expr[] = [];
  for (const part of path) {
    if ('name' in part) name = name === '' ? part.name : `${name}.${part.name}`;
    else positions.push({ kind: 'literal', value: name }, { kind: 'literal', value: part.index });
  }
  context.fieldNames.add(name);
  const { span } = node;
  const field: FieldExpr = node.optional
    ? { kind: 'field', name, optional: true, span }
    : { kind: 'field', name, span };
  if (positions.length === 0) return field;
  return { kind: 'call', name: 'arrayItem', args: [field, ...positions], case: 'exact', span };
}

function stepField(step: number, path: FieldNode['path'], node: FieldNode, context: LoweringContext): Expr {
  const field = pathExpr('', path, node, context);
  const index: Expr = { kind: 'literal', value: step };
  return { kind: 'call', name: 'stepField', args: [index, field], case: 'exact', span: node.span };
}

function eventField(
  index: number,
  path: FieldNode['path'],
  node: FieldNode,
  events: number,
  context: LoweringContext,
): Expr {
  if (index >= events || path.length === 0) {
    return context.fault(
      node.span,
      'EQL_PIPE',
      path.length === 0 ? 'an event is no value' : `a result has ${events} events`,
      `Write events[i].field with i from 0 to ${events - 1}.`,
    );
  }
  return events === 1 ? pathExpr('', path, node, context) : stepField(index, path, node, context);
}
