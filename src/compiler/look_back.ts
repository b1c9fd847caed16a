/**
 * Conditions of a sequence that look back at events its earlier steps took (`stepField`). The event alone cannot decide
 * them, so a condition has two parts. The *event part* is what it implies of the event: a predicate like any other, and
 * where it is false the step is not offered the event. The *look-back part* is the rest: judged when the event meets a
 * partial match, on the values kept of that match's events. Only true lets the event in; false or null leaves the partial
 * match as it was.
 */
import type { CallExpr, EventQuery, Expr, SequenceRule, Step } from '../rule/ir.js';
import { mapNodes } from '../rule/rewrite.js';
import { Refusal } from './refusal.js';

/** The two parts of a step's query. */
export interface SplitQuery {
  /** True of every event that the whole query can be true of. */
  readonly query: EventQuery;
  /** Absent where the event part says it all. Steps in it are those of the kernel: runs written out. */
  readonly lookBack?: Expr;
}

/** A sequence's queries in parts: one for each step of the rule, and for `until`. */
export interface SplitSequence {
  readonly steps: readonly SplitQuery[];
  readonly until?: SplitQuery;
}

/** @throws Refusal where a condition looks back from a place that has no earlier event. */
export function splitSequence(rule: SequenceRule): SplitSequence {
  const places = lastPlaces(rule.steps);
  const steps = rule.steps.map((step, index) => split(step.query, places.slice(0, index), placeOf(rule, step)));
  if (rule.until === undefined) return { steps };
  return { steps, until: split(rule.until.query, places, placeOf(rule, undefined)) };
}

/** Whether an expression reads an earlier event. A lineage condition is about the process alone. */
export function looksBack(expr: Expr): boolean {
  switch (expr.kind) {
    case 'literal':
    case 'field':
    case 'lineage':
      return false;
    case 'and':
    case 'or':
      return expr.operands.some(looksBack);
    case 'not':
      return looksBack(expr.operand);
    case 'compare':
    case 'arithmetic':
      return looksBack(expr.left) || looksBack(expr.right);
    case 'match':
    case 'regex':
    case 'cidr':
    case 'isNull':
      return looksBack(expr.value);
    case 'call':
      return expr.name === 'stepField' || expr.args.some(looksBack);
    case 'nested':
      return looksBack(expr.condition);
  }
}

/** For each step of the rule the place of its last run among all runs; none for a step that takes no event. */
function lastPlaces(steps: readonly Step[]): readonly (number | undefined)[] {
  let next = 0;
  return steps.map(({ missing, runs }) => {
    next += missing ? 1 : runs;
    return missing ? undefined : next - 1;
  });
}

/** Why conditions at a place of the rule cannot look back, if they cannot. */
function placeOf(rule: SequenceRule, step: Step | undefined): string | undefined {
  if (rule.unordered === true) return 'the steps of a join come in any order, so that none is earlier';
  return step?.missing === true ? 'an absent event is judged without the events around it' : undefined;
}

function split(query: EventQuery, places: readonly (number | undefined)[], obstacle: string | undefined): SplitQuery {
  if (!looksBack(query.condition)) return { query };
  const lookBack = mapNodes(lookBackPart(query.condition), (node) =>
    node.kind === 'call' && node.name === 'stepField' ? atPlace(node, places, obstacle) : node,
  );
  return { query: { ...query, condition: impliedByTrue(query.condition) }, lookBack };
}

function atPlace(expr: CallExpr, places: readonly (number | undefined)[], obstacle: string | undefined): CallExpr {
  const [step, field] = expr.args;
  const place = step?.kind === 'literal' ? places[Number(step.value)] : undefined;
  if (obstacle === undefined && place !== undefined && field?.kind === 'field') {
    return { ...expr, args: [{ kind: 'literal', value: place }, field] };
  }
  const reason =
    obstacle ??
    (place === undefined ? 'it names no step before its own that takes an event' : 'it names a position in an array');
  throw stepFieldRefusal(reason, expr);
}

export function stepFieldRefusal(reason: string, { span }: CallExpr): Refusal {
  return new Refusal(
    'COMPILE_STEP_FIELD',
    `a condition reads a field of the event of an earlier step: ${reason}`,
    'Read a whole field, from a later step of an ordered sequence or its "until".',
    span,
  );
}

/** The conjuncts that look back. */
function lookBackPart(expr: Expr): Expr {
  if (expr.kind !== 'and') return expr;
  const operands = expr.operands.filter(looksBack).map(lookBackPart);
  return operands.length === 1 ? (operands[0] as Expr) : { ...expr, operands };
}

// ---------------------------------------------------------------------------------------------------- event part

const anything: Expr = { kind: 'literal', value: true };

/** A condition of the event alone that is true wherever `expr` is true. */
function impliedByTrue(expr: Expr): Expr {
  if (!looksBack(expr)) return expr;
  switch (expr.kind) {
    case 'and':
      return every(expr.operands.map(impliedByTrue));
    case 'or':
      return some(expr.operands.map(impliedByTrue));
    case 'not':
      return expr.missing === 'null' ? impliedByFalse(expr.operand) : anything;
    case 'nested':
      return expr.count === undefined ? { ...expr, condition: impliedByTrue(expr.condition) } : anything;
    default:
      return anything;
  }
}

/** A condition of the event alone that is true wherever `expr` is false. */
function impliedByFalse(expr: Expr): Expr {
  if (!looksBack(expr)) return { kind: 'not', operand: expr, missing: 'null' };
  switch (expr.kind) {
    case 'and':
      return some(expr.operands.map(impliedByFalse));
    case 'or':
      return every(expr.operands.map(impliedByFalse));
    case 'not':
      return impliedByTrue(expr.operand);
    default:
      return anything;
  }
}

function every(operands: readonly Expr[]): Expr {
  const kept = operands.filter((operand) => operand !== anything);
  if (kept.length === 0) return anything;
  return kept.length === 1 ? (kept[0] as Expr) : { kind: 'and', operands: kept };
}

function some(operands: readonly Expr[]): Expr {
  return operands.includes(anything) ? anything : { kind: 'or', operands };
}
