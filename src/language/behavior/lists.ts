/** Lists, command tables and settings: the data a rule names, written in place or included from files. */

import { pathPatternForms } from '../../core/paths.js';
import { SourceText } from '../../core/source_text.js';
import type { CommandSpec, PatternList } from '../../rule/behavior.js';
import { type Located, readYaml } from './located.js';
import { fail, MapReader, type ReadContext, readBoolean, readItems, readList, readText, readTexts } from './reader.js';

/** Gives the text of an included file, by the path as the rule writes it; undefined when there is none. */
export type Include = (path: string) => { readonly text: string; readonly file: string } | undefined;

const listFileKeys = ['id', 'platform', 'rationale', 'source', 'version', 'patterns', 'except', 'rows'];

/** Opens an included file and checks what every such file must say about itself. */
function openInclude(context: ReadContext, at: Located, include: Include): Located | undefined {
  const path = readText(context, at);
  const included = include(path);
  if (included === undefined) {
    fail(context, at, 'BEHAVIOR_INCLUDE', `cannot read "${path}"`, 'paths are relative to the rule file');
    return undefined;
  }
  const root = readYaml(new SourceText(included.text, included.file), context.problems);
  if (root === undefined) return undefined;
  const map = MapReader.open(context, root, listFileKeys, 'a list file');
  for (const key of ['id', 'platform', 'rationale', 'source']) map?.need(key, 'a list file');
  return root;
}

/** All lists of a rule, by name. Each is texts, `{ patterns, except }`, or `{ include }` of one or more files. */
export function readLists(
  context: ReadContext,
  node: Located | undefined,
  include: Include,
): ReadonlyMap<string, PatternList> {
  const lists = new Map<string, PatternList>();
  for (const [name, { value }] of node?.entries ?? []) {
    lists.set(name, readOneList({ ...context, lists }, name, value, include));
  }
  return lists;
}

/** One list, in any of its forms; paths are expanded to every form in which sensors write them. */
export function readOneList(context: ReadContext, name: string, node: Located, include: Include): PatternList {
  if (node.entries === undefined) return patternList(context, name, [node], []);
  const map = MapReader.open(context, node, ['include', 'patterns', 'except'], `list "${name}"`);
  const files = map
    ?.optional('include', readItems)
    ?.flatMap((path) => openInclude(context, path, include) ?? [])
    .map((root) => root.entries);
  const parts = [map?.node.entries, ...(files ?? [])];
  const nodesOf = (key: string): Located[] => parts.flatMap((entries) => entries?.get(key)?.value ?? []);
  return patternList(context, name, nodesOf('patterns'), nodesOf('except'));
}

function patternList(
  context: ReadContext,
  name: string,
  patterns: readonly Located[],
  except: readonly Located[],
): PatternList {
  const texts = (nodes: readonly Located[]): string[] =>
    nodes.flatMap((node) => distinctTexts(context, node)).flatMap((text) => pathPatternForms(text, context.platform));
  return { name, patterns: texts(patterns), except: texts(except) };
}

/** The texts of one node; a text written twice is an oversight that hides which one counts. */
function distinctTexts(context: ReadContext, node: Located): readonly string[] {
  const seen = new Set<string>();
  for (const item of node.items ?? []) {
    const { scalar } = item;
    if (typeof scalar !== 'string') continue;
    if (seen.has(scalar)) fail(context, item, 'BEHAVIOR_DUPLICATE', `"${scalar}" is in the list twice`, 'remove one');
    seen.add(scalar);
  }
  return readTexts(context, node);
}

/** Keys of the `commands` part of a rule. */
export const commandsKeys: readonly string[] = ['when', 'include', 'rows', 'shells', 'prefixes', 'typed'];
const rowKeys = ['id', 'class', 'category', 'names', 'args', 'arg_path', 'strong', 'noise', 'techniques'];

/** Rows of the command table, those in place first: `{ include, rows }`. */
export function readCommandRows(context: ReadContext, node: Located, include: Include): readonly CommandSpec[] {
  const map = MapReader.open(context, node, commandsKeys, 'commands');
  const files = map?.optional('include', readItems)?.flatMap((path) => openInclude(context, path, include) ?? []) ?? [];
  const own = map?.get('rows');
  const tables = [
    ...(own === undefined ? [] : [own]),
    ...files.flatMap((root) => root.entries?.get('rows')?.value ?? []),
  ];
  const rows = tables.flatMap((table) => readItems(context, table).map((row) => readRow(context, row)));
  reportDuplicates(context, rows, node);
  return rows;
}

function reportDuplicates(context: ReadContext, rows: readonly CommandSpec[], node: Located): void {
  const seen = new Set<string>();
  for (const row of rows) {
    const key = `${row.class} ${row.category} ${row.id} ${row.names.join(',')} ${JSON.stringify(row.args ?? [])}`;
    if (seen.has(key)) fail(context, node, 'BEHAVIOR_DUPLICATE', `command "${row.id}" is in the table twice`);
    seen.add(key);
  }
}

function readRow(context: ReadContext, node: Located): CommandSpec {
  const map = MapReader.open(context, node, rowKeys, 'a command');
  const text = (key: string): string => map?.optional(key, readText) ?? '';
  const id = map?.need('id', 'a command') === undefined ? '' : text('id');
  const args = map?.optional('args', readItems);
  const argPath = map?.optional('arg_path', readList);
  if (map !== undefined) map.need('class', 'a command');
  return {
    id,
    class: text('class'),
    category: text('category'),
    names: map?.optional('names', readTexts) ?? [id],
    ...(args === undefined ? {} : { args: args.map((run) => words(readText(context, run))) }),
    ...(argPath === undefined ? {} : { argPath }),
    strong: map?.optional('strong', readBoolean) ?? false,
    noise: map?.optional('noise', readBoolean) ?? false,
    techniques: map?.optional('techniques', readTexts) ?? [],
  };
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
