/** What the writers of the stateful sections share. */
import type { EventQuery, Expr, KeyExpr } from '../rule/ir.js';
import type { ColumnUse } from './columns.js';
import type { SectionWriter } from './section_writer.js';

/** What the stateful rules need of the predicate compiler. */
export interface PredicateSource {
  /** The predicate of a query; equal queries may share one. */
  add(query: EventQuery, rule: number): number;
  /** The predicate of a condition on an event and the events that a sequence took before; no event is a candidate for it. */
  lookBack(condition: Expr, rule: number): number;
  /** The group key of the expressions. */
  key(components: readonly KeyExpr[]): number;
  /** The column of a field. */
  column(field: string, use: ColumnUse): number;
}

/** Writes a whole number as an i64. */
export function writeI64(writer: SectionWriter, value: number): void {
  writer.u32(value >>> 0);
  writer.u32(Math.floor(value / 2 ** 32) >>> 0);
}
