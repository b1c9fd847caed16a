import type { Report } from '../document/reader.js';
import type { DocumentNode } from '../document/tree.js';

/**
 * How many of `total` alternatives a `minimum_should_match` asks for: a count, a percentage rounded down, or either
 * with a minus for how many may fail. Conditional forms (`2<75%`) are refused. Never below zero.
 */
export function countOf(node: DocumentNode, total: number, report: Report): number {
  const text = node.kind === 'number' || node.kind === 'string' ? String(node.value).trim() : '';
  const match = /^(-?)(\d{1,4})(%?)$/.exec(text);
  if (match === null) {
    report(node.span, {
      code: 'QUERY_DSL',
      message: '"minimum_should_match" must be a count or a percentage',
      expected: ['1', '-1', '"75%"', '"-25%"'],
      remedy: 'Write how many alternatives must hold.',
    });
    return total;
  }
  const size = match[3] === '%' ? Math.floor((Number(match[2]) * total) / 100) : Number(match[2]);
  return Math.max(0, match[1] === '-' ? total - size : size);
}
