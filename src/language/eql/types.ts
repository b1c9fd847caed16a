import { findFunction } from '../../rule/functions.js';
import type { Expr } from '../../rule/ir.js';

/** What is known of an expression's type before any event. Fields are `unknown`. */
export type StaticType = 'string' | 'number' | 'boolean' | 'null' | 'unknown';

/** The static type of an expression. */
export function typeOf(expr: Expr): StaticType {
  switch (expr.kind) {
    case 'literal':
      return expr.value === null ? 'null' : (typeof expr.value as 'string' | 'number' | 'boolean');
    case 'field':
      return 'unknown';
    case 'arithmetic':
      return 'number';
    case 'call':
      return returned(expr.name);
    default:
      return 'boolean';
  }
}

function returned(name: string): StaticType {
  const returns = findFunction(name)?.returns ?? 'any';
  return returns === 'any' ? 'unknown' : returns;
}

/** True when values of the two types can meet in a comparison. */
export function comparable(left: StaticType, right: StaticType): boolean {
  return left === right || left === 'unknown' || right === 'unknown' || left === 'null' || right === 'null';
}

const typeNames: Readonly<Record<StaticType, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
  unknown: 'a value',
};

/** A type as a message names it. */
export function nameOf(type: StaticType): string {
  return typeNames[type];
}
