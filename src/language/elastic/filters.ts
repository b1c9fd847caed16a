import type { Expr } from '../../rule/ir.js';
import { ObjectReader, type Report, type ValueKind } from '../document/reader.js';
import type { DocumentNode, ObjectNode } from '../document/tree.js';
import { allOf, anyOf, type FieldQueries, never, noneOf } from '../field_query.js';
import { lowerQueryDsl } from './query_dsl.js';

/** What a filter's `meta` says for Kibana's own display; the condition is in `query`. */
const displayKeys: Readonly<Record<string, ValueKind>> = {
  alias: 'string',
  controlledBy: 'string',
  field: 'string',
  group: 'string',
  index: 'string',
  isMultiIndex: 'boolean',
  key: 'string',
  params: 'any',
  relation: 'string',
  type: 'string',
  value: 'any',
};

/** Lowers one Kibana filter; undefined for a disabled one, which Kibana leaves out too. */
export function lowerFilter(node: DocumentNode, fields: FieldQueries, report: Report): Expr | undefined {
  if (node.kind !== 'object') {
    report(node.span, {
      code: 'RULE_TYPE',
      message: 'a filter must be a table',
      expected: ['a table with "meta" and "query"'],
      remedy: 'Write the filter as Kibana exports it.',
    });
    return never;
  }
  const filter = new ObjectReader(node, 'the filter', report);
  const meta = filter.object('meta');
  const isNegated = meta?.boolean('negate') === true;
  if (meta?.boolean('disabled') === true) return undefined;
  const isCombined = meta?.string('type') === 'combined';
  const relation = isCombined ? meta.oneOf('relation', ['AND', 'OR']) : undefined;
  meta?.acceptAll(displayKeys);
  meta?.finish();
  filter.accept('$state', 'any');
  const condition = isCombined
    ? lowerCombined(meta.get('params'), relation === 'OR', node, fields, report)
    : lowerBody(filter, node, fields, report);
  return isNegated ? noneOf(condition, node.span) : condition;
}

/** The query under `query`, or in older exports beside `meta` itself. */
function lowerBody(filter: ObjectReader, node: ObjectNode, fields: FieldQueries, report: Report): Expr {
  const query = filter.get('query');
  if (query !== undefined) {
    filter.finish();
    return lowerQueryDsl(query, fields, report);
  }
  const entries = new Map(
    [...node.entries].filter(([name]) => name !== 'meta' && name !== '$state' && name !== 'query'),
  );
  if (entries.size > 0) return lowerQueryDsl({ kind: 'object', entries, span: node.span }, fields, report);
  filter.missing('query', 'a query');
  return never;
}

function lowerCombined(
  params: DocumentNode | undefined,
  isOr: boolean,
  node: ObjectNode,
  fields: FieldQueries,
  report: Report,
): Expr {
  const parts = params?.kind === 'array' ? params.items : [];
  const lowered = parts.map((part) => lowerFilter(part, fields, report)).filter((part) => part !== undefined);
  if (lowered.length === 0) {
    report(node.span, {
      code: 'QUERY_DSL',
      message: 'a combined filter has its filters in the list "params" of "meta"',
      remedy: 'Add the filters, or remove the combined filter.',
    });
    return never;
  }
  return isOr ? anyOf(lowered, node.span) : allOf(lowered, node.span);
}
