import { expressionDepthMax } from '../../core/limits.js';
import type { Node, Statement } from './ast.js';
import type { ProblemList } from './problems.js';

/**
 * Whether a tree is nested deeper than `expressionDepthMax`, which is told at the node that goes too far. Long chains of
 * operators and calls nest without brackets, so this is judged on the tree. Walks without recursion.
 */
export function isTooDeep(tree: Statement | Node, problems: ProblemList): boolean {
  const open: object[] = [tree];
  const depths = [0];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    const depth = depths.pop() as number;
    const below = 'kind' in value ? depth + 1 : depth;
    if (below > expressionDepthMax) {
      tooDeep((value as Node).span, problems);
      return true;
    }
    for (const key of Object.keys(value)) {
      const child = value[key as keyof typeof value] as unknown;
      if (typeof child !== 'object' || child === null || placeKeys.has(key)) continue;
      open.push(child);
      depths.push(below);
    }
  }
  return false;
}

const placeKeys: ReadonlySet<string> = new Set(['span', 'nameSpan', 'path']);

/** Tells that the query is nested too deep; nothing more is told about it. */
export function tooDeep(span: Node['span'], problems: ProblemList): void {
  problems.add(span, {
    code: 'EQL_LIMIT_DEPTH',
    message: `the expression is nested deeper than ${expressionDepthMax} levels`,
    remedy: 'Split the condition, or write alternatives as a list: field in ("a", "b").',
  });
  problems.close();
}
