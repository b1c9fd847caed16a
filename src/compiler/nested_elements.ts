import type { NestedExpr, Rule } from '../rule/ir.js';
import { mapNodes, rewriteRule } from '../rule/rewrite.js';
import { Refusal } from './refusal.js';

/**
 * Refuses a condition on array elements whose number the events cannot tell: elements are counted by their fields, so
 * some condition of the rule must read a field of them.
 */
export function refuseUncounted(rule: Rule): void {
  const nested = nestedOf(rule);
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
  rewriteRule(rule, {
    query: (query) => {
      mapNodes(query.condition, (node) => {
        if (node.kind === 'nested') found.push(node);
        return node;
      });
      return query;
    },
  });
  return found;
}

function readsElement({ path, condition }: NestedExpr): boolean {
  let isReading = false;
  mapNodes(condition, (node) => {
    if (node.kind === 'field') isReading ||= node.name === path || node.name.startsWith(`${path}.`);
    return node;
  });
  return isReading;
}
