import type { Span } from '../../core/diagnostic.js';
import type { Expr } from '../../rule/ir.js';
import { ObjectReader, type Report, type ValueKind } from '../document/reader.js';
import type { ObjectNode } from '../document/tree.js';
import { allOf, anyOf, type FieldQueries, never, noneOf } from '../field_query.js';
import { parseGlob } from '../glob.js';

/** What an exception item carries for people and for Kibana's own records. */
export const exceptionRecordKeys: Readonly<Record<string, ValueKind>> = {
  _version: 'string',
  comments: 'any',
  created_at: 'string',
  created_by: 'string',
  description: 'string',
  id: 'string',
  item_id: 'string',
  list_id: 'string',
  meta: 'any',
  name: 'string',
  namespace_type: 'string',
  tags: 'strings',
  tie_breaker_id: 'string',
  type: 'string',
  updated_at: 'string',
  updated_by: 'string',
};

/** What an entry of an exception item may be. */
export const entryTypes = ['match', 'match_any', 'exists', 'wildcard', 'nested', 'list'] as const;

/**
 * The condition under which an exception item hides an event: all its entries hold, on its operating systems, before it
 * expires (judged on the event's own time).
 */
export function lowerExceptionItem(node: ObjectNode, fields: FieldQueries, report: Report): Expr {
  const item = new ObjectReader(node, 'the exception item', report);
  item.acceptAll(exceptionRecordKeys);
  const systems = item.strings('os_types') ?? [];
  const expiry = item.stringNode('expire_time');
  const entries = item.objects('entries').map((entry) => lowerEntry(entry, '', fields, report));
  if (!item.has('entries') || entries.length === 0) item.missing('entries', 'a list of entries');
  item.finish();
  const parts = entries.length === 0 ? [never] : entries;
  if (systems.length > 0) parts.push(onSystems(systems, fields, node.span));
  if (expiry !== undefined) parts.push(fields.range('@timestamp', '<', expiry.value, expiry.span));
  return allOf(parts, node.span);
}

function onSystems(systems: readonly string[], fields: FieldQueries, span: Span): Expr {
  return anyOf(
    systems.map((system) => fields.equals('host.os.type', system, true, span, 'ascii')),
    span,
  );
}

function lowerEntry(entry: ObjectReader, prefix: string, fields: FieldQueries, report: Report): Expr {
  const name = entry.requiredString('field');
  const type = entry.oneOf('type', entryTypes);
  if (type === undefined && !entry.has('type')) entry.missing('type', entryTypes.join(', '));
  const operator = entry.oneOf('operator', ['included', 'excluded']) ?? 'included';
  entry.accept('id', 'string');
  if (name === undefined || type === undefined) return never;
  const span = entry.span('field');
  const condition = lowerByType(type, `${prefix}${name}`, entry, span, fields, report);
  entry.finish();
  return operator === 'excluded' ? noneOf(condition, span) : condition;
}

function lowerByType(
  type: (typeof entryTypes)[number],
  name: string,
  entry: ObjectReader,
  span: Span,
  fields: FieldQueries,
  report: Report,
): Expr {
  switch (type) {
    case 'match': {
      const value = entry.requiredString('value');
      return value === undefined ? never : fields.equals(name, value, true, span);
    }
    case 'match_any': {
      const values = entry.strings('value') ?? [];
      if (values.length === 0) entry.missing('value', 'a list of strings');
      const parts = values.map((value) => fields.equals(name, value, true, span));
      return parts.length === 0 ? never : anyOf(parts, span);
    }
    case 'exists':
      return fields.exists(name, span);
    case 'wildcard': {
      const value = entry.requiredString('value');
      return value === undefined ? never : fields.wildcard(name, parseGlob(value), span);
    }
    case 'nested': {
      const parts = entry.objects('entries').map((inner) => lowerEntry(inner, `${name}.`, fields, report));
      if (parts.length === 0) entry.missing('entries', 'a list of entries');
      return parts.length === 0 ? never : { kind: 'nested', path: name, condition: allOf(parts, span), span };
    }
    case 'list':
      entry.accept('list', 'any');
      report(entry.span('type'), {
        code: 'UNSUPPORTED_VALUE_LIST',
        message: `the values of "${name}" are in a value list, which is kept in Elasticsearch`,
        remedy: 'Write the values as an entry of type match_any.',
      });
      return never;
  }
}
