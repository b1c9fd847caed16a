import type { NestedExpr, Rule } from '../rule/ir.js';
import { visitNodes, visitRule } from '../rule/rewrite.js';
import { Refusal } from './refusal.js';

/**
 * Refuses a condition on array elements whose number the events cannot tell: elements are counted by their fields, so
 * some condition of the rule must read a field of them.
 */
export function refuseUncounted(rule: Rule): void {
  const nested = nestedOf(rule);
  if (nested.length === 0) return;
  const counted = new Set(nested.filter(readsElement).map(({ path }) => path));
  const uncounted = nested.find(({ path }) => !counted.has(path));
  if (uncounted === undefined) return;
  throw new Refusal(
    'COMPILE_NESTED',
    `a condition on elements of ${uncounted.path} reads nothing of them`,
    'Name a field of the elements, or test a field below the array.',
    uncounted.span,
  );
}

function nestedOf(rule: Rule): NestedExpr[] {
  const found: NestedExpr[] = [];
  visitRule(rule, (node) => {
    if (node.kind === 'nested') found.push(node);
  });
  return found;
}

function readsElement({ path, condition }: NestedExpr): boolean {
  let isReading = false;
  visitNodes(condition, (node) => {
    if (node.kind === 'field') isReading ||= node.name === path || node.name.startsWith(`${path}.`);
  });
  return isReading;
}
