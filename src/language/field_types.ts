/**
 * How Elasticsearch would index a field, as far as it changes what a query means. Rules carry no mapping, so types come
 * from the caller, else from ECS by name; every other field is `keyword`-like: values compare whole, case and all.
 */
export type FieldType = 'ip' | 'date' | 'text' | 'plain';

/** Types for fields by dotted name; they win over what ECS says. */
export type FieldTypes = Readonly<Record<string, FieldType>>;

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
  if (given !== undefined) return given;
  if (dateFields.has(name)) return 'date';
  if (textFields.includes(name)) return 'text';
  return addressName.test(name) ? 'ip' : 'plain';
}
