import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest_name.js';

/**
 * How Elasticsearch would index a field, as far as it changes what a query means. Rules carry no mapping, so types come
 * from the caller, else from ECS by name; every other field is `keyword`-like: values compare whole, case and all.
 */
export type FieldType = 'ip' | 'date' | 'text' | 'semver' | 'plain';

/** Names of types: ours, and those of Elasticsearch's mappings. Numbers and booleans are told by their values. */
const fieldTypesByName = {
  ip: 'ip',
  date: 'date',
  date_nanos: 'date',
  text: 'text',
  match_only_text: 'text',
  semver: 'semver',
  version: 'semver',
  plain: 'plain',
  keyword: 'plain',
  constant_keyword: 'plain',
  wildcard: 'plain',
  boolean: 'plain',
  byte: 'plain',
  short: 'plain',
  integer: 'plain',
  long: 'plain',
  unsigned_long: 'plain',
  half_float: 'plain',
  float: 'plain',
  scaled_float: 'plain',
  double: 'plain',
} as const satisfies Readonly<Record<string, FieldType>>;

export type FieldTypeName = keyof typeof fieldTypesByName;

export const fieldTypeNames = Object.keys(fieldTypesByName) as readonly FieldTypeName[];

/** Types for fields by dotted name; they win over what ECS says. */
export type FieldTypes = Readonly<Record<string, FieldTypeName>>;

/** Fields that hold prose: a query finds words in them, whatever their case. */
export const textFields: readonly string[] = ['message', 'error.message', 'powershell.file.script_block_text'];

const dateFields: ReadonlySet<string> = new Set([
  '@timestamp',
  'event.created',
  'event.end',
  'event.ingested',
  'event.start',
  'file.accessed',
  'file.created',
  'file.ctime',
  'file.mtime',
  'package.installed',
  'process.end',
  'process.start',
  'process.parent.end',
  'process.parent.start',
  'threat.indicator.first_seen',
  'threat.indicator.last_seen',
  'threat.indicator.modified_at',
  'tls.client.not_after',
  'tls.client.not_before',
  'tls.server.not_after',
  'tls.server.not_before',
]);

/** ECS names addresses `ip`, or with the suffix `_ip`. */
const addressName = /(?:^|[._])ip$/;

/** The type of a field by name: the caller's, else ECS's, else `plain`. */
export function fieldType(name: string, types: FieldTypes = {}): FieldType {
  const given = Object.hasOwn(types, name) ? types[name] : undefined;
  if (given !== undefined) return fieldTypesByName[given];
  if (dateFields.has(name)) return 'date';
  if (textFields.includes(name)) return 'text';
  return addressName.test(name) ? 'ip' : 'plain';
}

/** Types of fields that were given by name. @throws UsageError `USAGE_OPTION`, naming the field and the nearest type. */
export function checkFieldTypes(types: Readonly<Record<string, unknown>>): FieldTypes {
  for (const [field, type] of Object.entries(types)) {
    if (fieldTypeNames.includes(type as FieldTypeName)) continue;
    const nearest = typeof type === 'string' ? nearestName(type, fieldTypeNames) : undefined;
    const remedy = nearest === undefined ? `write one of ${fieldTypeNames.join(', ')}` : `did you mean "${nearest}"?`;
    throw new UsageError(
      'USAGE_OPTION',
      `fieldTypes: ${JSON.stringify(type)} of ${field} is no type of field; ${remedy}`,
    );
  }
  return types as FieldTypes;
}
