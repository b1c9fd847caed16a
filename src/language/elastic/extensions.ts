import { nearestName } from '../../core/nearest_name.js';
import { type Platform, platforms } from '../../core/paths.js';
import type { ObjectReader, Report } from '../document/reader.js';
import type { StringNode } from '../document/tree.js';
import { type FieldTypeName, type FieldTypes, fieldTypeNames } from '../field_types.js';
import type { ElasticDialect, ElasticOptions } from './options.js';
import { readDuration } from './schedule.js';

/** What `[metadata.vedette]` adds to Elastic's rule form. Without the table a rule behaves as in Kibana. */
export interface Extensions {
  readonly dialect: ElasticDialect;
  readonly mode: 'event_time' | 'elastic_compat';
  /** KQL compares text without case. */
  readonly caseInsensitive: boolean;
  /** Fields to try, in order, where the named one is missing. */
  readonly fallback: Readonly<Record<string, readonly string[]>>;
  /** Fields of a first-seen rule whose values are paths of a platform: terms compare as its file system does. */
  readonly paths: Readonly<Record<string, Platform>>;
  readonly fieldTypes: FieldTypes;
  /** Of a first-seen rule: what it hears through another event of the same term. Texts are EQL, `any where …`. */
  readonly join?: { readonly items: StringNode; readonly writers: StringNode; readonly withinUs: number };
  /** Window of a threshold rule instead of its look-back. */
  readonly windowUs?: number;
}

/** Reads the extensions; `table` is undefined where the file has none. */
export function readExtensions(table: ObjectReader | undefined, options: ElasticOptions, report: Report): Extensions {
  const windowNode = table?.stringNode('window');
  const windowUs = windowNode === undefined ? undefined : readDuration(windowNode, report);
  const extensions: Extensions = {
    dialect: table?.oneOf('dialect', ['elasticsearch', 'endpoint']) ?? options.dialect ?? 'elasticsearch',
    mode: table?.oneOf('mode', ['event_time', 'elastic_compat']) ?? options.mode ?? 'event_time',
    caseInsensitive: table?.boolean('case_insensitive') ?? false,
    fallback: readFallback(table?.object('fallback')),
    paths: readPaths(table?.object('paths')),
    fieldTypes: { ...options.fieldTypes, ...readFieldTypes(table?.object('field_types'), report) },
    ...(windowUs === undefined ? {} : { windowUs }),
    ...readJoin(table?.object('join'), report),
  };
  table?.finish();
  return extensions;
}

function readJoin(table: ObjectReader | undefined, report: Report): Pick<Extensions, 'join'> {
  if (table === undefined) return {};
  const [items, writers, within] = ['items', 'writers', 'within'].map((key) => {
    const node = table.stringNode(key);
    if (node === undefined && !table.has(key))
      table.missing(key, key === 'within' ? 'a duration' : 'a condition in EQL');
    return node;
  });
  table.finish();
  const withinUs = within === undefined ? undefined : readDuration(within, report);
  if (items === undefined || writers === undefined || withinUs === undefined) return {};
  return { join: { items, writers, withinUs } };
}

function readFallback(table: ObjectReader | undefined): Record<string, readonly string[]> {
  const names = [...(table?.node.entries.keys() ?? [])];
  return Object.fromEntries(names.map((name) => [name, table?.strings(name, true) ?? []]));
}

function readPaths(table: ObjectReader | undefined): Record<string, Platform> {
  const names = [...(table?.node.entries.keys() ?? [])];
  const read = names.map((name) => [name, table?.oneOf(name, platforms)] as const);
  return Object.fromEntries(read.filter((entry): entry is [string, Platform] => entry[1] !== undefined));
}

function readFieldTypes(table: ObjectReader | undefined, report: Report): FieldTypes {
  const types: Record<string, FieldTypeName> = {};
  for (const name of table?.node.entries.keys() ?? []) {
    const node = table?.stringNode(name);
    if (node === undefined) continue;
    const type = fieldTypeNames.find((known) => known === node.value);
    if (type !== undefined) types[name] = type;
    else {
      const nearest = nearestName(node.value, fieldTypeNames);
      report(node.span, {
        code: 'RULE_VALUE',
        message: `"${node.value}" is not a type of field`,
        expected: fieldTypeNames,
        remedy: nearest === undefined ? `Write one of: ${fieldTypeNames.join(', ')}.` : `Did you mean "${nearest}"?`,
      });
    }
  }
  return types;
}
