/**
 * Array conditions inside array conditions. The kernel reads one array element by element; what lies in arrays below an
 * element is a field with several values. That is enough for an inner search for one value: it is true for the values of
 * the inner elements exactly where it is true for some inner element.
 */
import type { Expr, NestedExpr } from '../rule/ir.js';
import { Refusal } from './refusal.js';

/**
 * The inner condition on the values below the outer element, in place of the search for an inner element.
 * @throws Refusal where inner elements matter: two fields of one, how many there are, that a value is absent.
 */
export function innerSearch(expr: NestedExpr, outer: string): Expr {
  const condition = withoutInner(expr.condition);
  if (expr.count !== undefined || !isOneTest(condition) || countBelow(condition, expr.path) !== 1) {
    throw new Refusal(
      'COMPILE_NESTED',
      `a condition on elements of ${expr.path} stands inside one on elements of ${outer}, and is more than one test of one field`,
      'Test one field of the inner elements, or write one array condition.',
      expr.span,
    );
  }
  return condition;
}

const withoutInner = (expr: Expr): Expr => (expr.kind === 'nested' ? innerSearch(expr, expr.path) : expr);

const textTests: readonly string[] = [
  'startsWith',
  'endsWith',
  'stringContains',
  'wildcard',
  'cidrMatch',
  'match',
  'matchLite',
];

/** A test that is true for any value it is true for, and null where the value is missing. */
function isOneTest(expr: Expr): boolean {
  switch (expr.kind) {
    case 'match':
    case 'regex':
    case 'cidr':
      return true;
    case 'compare':
      return (
        expr.op !== '!=' && ![expr.left, expr.right].some((side) => side.kind === 'literal' && side.value === null)
      );
    case 'call':
      return textTests.includes(expr.name);
    default:
      return false;
  }
}

/** Places in a test that read something below a path; what is more than plain values counts as several. */
function countBelow(expr: Expr, path: string): number {
  switch (expr.kind) {
    case 'literal':
      return 0;
    case 'field':
      return [expr.name, ...(expr.fallback ?? [])].filter((name) => name === path || name.startsWith(`${path}.`))
        .length;
    case 'compare':
    case 'arithmetic':
      return countBelow(expr.left, path) + countBelow(expr.right, path);
    case 'match':
    case 'regex':
    case 'cidr':
      return countBelow(expr.value, path);
    case 'call':
      if (expr.name === 'stepField') return 0;
      if (expr.name === 'arrayItem') return Number.POSITIVE_INFINITY;
      return expr.args.reduce((sum, arg) => sum + countBelow(arg, path), 0);
    default:
      return Number.POSITIVE_INFINITY;
  }
}
