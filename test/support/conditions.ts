import type { Expr } from '../../src/rule/ir.js';
import { matchesQuery } from '../oracle/evaluate.js';

/** Whether a condition is true of one document, by the oracle. */
export function holds(condition: Expr, source: Record<string, unknown>): boolean {
  const event = { ordinal: 0, timeUs: 0, tiebreak: undefined, host: 'host', source };
  const context = { event, categoryField: 'event.category', lineage: () => null, elements: [] };
  return matchesQuery({ category: null, condition }, context);
}
