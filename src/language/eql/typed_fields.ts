/**
 * Comparisons with fields that hold addresses, dates or versions, which Elasticsearch compares as such and not as text: a
 * block contains addresses, a date may be written in several ways, and 1.11 is above 1.5.
 */
import type { Span } from '../../core/diagnostic.js';
import type { Expr, LiteralExpr } from '../../rule/ir.js';
import { parseBlock } from '../../rule/semantics.js';
import { parseDate } from '../date_math.js';
import { FieldQueries } from '../field_query.js';
import { type FieldTypes, fieldType } from '../field_types.js';
import type { CompareOperator } from './ast.js';
import { isText, negate } from './lowering.js';

const isIsoDate = /^\d{4}-\d\d/;

/**
 * The condition of an address, date or version field and a constant; undefined where the field is of no such type, or the
 * constant is no address or date: then both compare as they stand. Versions are equal as texts are.
 */
export function typedComparison(
  left: Expr,
  op: CompareOperator,
  right: LiteralExpr,
  types: FieldTypes,
  span: Span,
): Expr | undefined {
  if (left.kind !== 'field') return undefined;
  const type = fieldType(left.name, types);
  if (type === 'plain' || type === 'text') return undefined;
  const queries = new FieldQueries({ fieldTypes: types }, () => {});
  if (type === 'ip' && isText(right) && parseBlock(right.value) !== undefined) {
    if (op === '==' || op === '!=') return equality(op, queries.equals(left.name, right.value, true, span), span);
    return right.value.includes('/') ? undefined : queries.range(left.name, op, right.value, span);
  }
  if (type === 'semver' && isText(right) && op !== '==' && op !== '!=') {
    return queries.range(left.name, op, right.value, span);
  }
  const date = type === 'date' ? dateText(right) : undefined;
  if (date === undefined) return undefined;
  if (op === '==' || op === '!=') return equality(op, queries.equals(left.name, date, true, span), span);
  return queries.range(left.name, op, date, span);
}

/** The constant as the text of a fixed date: ISO 8601, or epoch milliseconds. */
function dateText({ value }: LiteralExpr): string | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : undefined;
  if (typeof value !== 'string' || !isIsoDate.test(value)) return undefined;
  return typeof parseDate(value) === 'string' ? undefined : value;
}

const equality = (op: '==' | '!=', equal: Expr, span: Span): Expr => (op === '==' ? equal : negate(equal, span));
