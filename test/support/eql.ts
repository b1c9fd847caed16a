import { expect } from 'vitest';
import { type EqlOptions, type EqlQuery, parseEql, parseEqlExpression } from '../../src/language/eql/index.js';
import type { Expr } from '../../src/rule/ir.js';
import type { Truth } from '../../src/rule/semantics.js';
import { evaluateTruth } from '../oracle/evaluate.js';

/** The query of a text that must have no problems. */
export function queryOf(text: string, options: EqlOptions = {}): EqlQuery {
  const { query, problems } = parseEql(text, options);
  expect(problems).toEqual([]);
  return query as EqlQuery;
}

/** The condition of a text that must have no problems. */
export function conditionOf(text: string, options: EqlOptions = {}): Expr {
  const { expr, problems } = parseEqlExpression(text, options);
  expect(problems).toEqual([]);
  return expr as Expr;
}

/** What a condition says of a document: true, false or null. */
export function truthOf(text: string, source: Record<string, unknown>, options: EqlOptions = {}): Truth {
  const event = { ordinal: 0, timeUs: 0, tiebreak: undefined, host: 'host', source };
  const context = { event, categoryField: 'event.category', lineage: () => null, elements: [] };
  return evaluateTruth(conditionOf(text, options), context);
}

/** The value of a constant expression, or the codes of its problems. */
export function constantOf(text: string, options: EqlOptions = {}): unknown {
  const { expr, problems } = parseEqlExpression(text, { ...options, as: 'value' });
  if (problems.length > 0) return problems.map(({ code }) => code).join(' ');
  return expr?.kind === 'literal' ? expr.value : expr;
}

/** The codes of a query's problems, in the order told. */
export function codesOf(text: string, options: EqlOptions = {}): string[] {
  return parseEql(text, options).problems.map(({ code }) => code);
}
