/**
 * Free text and field patterns (`*`, `process.*`) as conditions on named fields: events are read by the names of fields,
 * so "any field" is any field of the list below or named by a rule of the set.
 */
import type { EventQuery, Expr, FieldExpr, Rule } from '../rule/ir.js';
import { mapNodes, rewriteRule, visitRule } from '../rule/rewrite.js';
import { matchesWildcard } from '../rule/semantics.js';

const processNames = ['name', 'executable', 'command_line', 'args', 'working_directory', 'title', 'pid', 'entity_id'];
const fileNames = [
  'name',
  'path',
  'extension',
  'directory',
  'target_path',
  'owner',
  'hash.md5',
  'hash.sha1',
  'hash.sha256',
];
const endpointNames = ['ip', 'address', 'domain', 'port'];
const below = (path: string, names: readonly string[]): string[] => names.map((name) => `${path}.${name}`);

/** ECS fields that free text is searched in, beside those that the rules name. */
export const freeTextFields: readonly string[] = [
  'message',
  'tags',
  'error.message',
  ...below('event', [
    'action',
    'category',
    'code',
    'dataset',
    'id',
    'kind',
    'module',
    'outcome',
    'provider',
    'reason',
    'type',
  ]),
  ...below('host', ['hostname', 'id', 'ip', 'name', 'os.family', 'os.name', 'os.type', 'os.version']),
  ...below('agent', ['id', 'name', 'type', 'version']),
  ...below('user', ['domain', 'email', 'id', 'name', 'target.name']),
  ...below('group', ['id', 'name']),
  ...below('process', [...processNames, 'hash.md5', 'hash.sha1', 'hash.sha256', 'pe.original_file_name']),
  ...below('process', ['code_signature.subject_name', 'env_vars']),
  ...below('process.parent', processNames),
  ...below('file', [...fileNames, 'pe.original_file_name', 'Ext.original.path']),
  ...below('dll', ['name', 'path', 'hash.sha256', 'code_signature.subject_name']),
  ...below('registry', ['path', 'key', 'value', 'data.strings']),
  ...below('source', endpointNames),
  ...below('destination', endpointNames),
  ...below('network', ['direction', 'protocol', 'transport', 'type']),
  ...below('dns', ['question.name', 'question.type', 'resolved_ip']),
  ...below('url', ['domain', 'full', 'original', 'path']),
  ...below('http', ['request.method', 'request.body.content', 'response.status_code']),
  'user_agent.original',
  ...below('powershell', ['file.script_block_text', 'command.value']),
  ...below('winlog', ['channel', 'event_id', 'provider_name']),
  ...below('service', ['name', 'type']),
  ...below('related', ['hash', 'hosts', 'ip', 'user']),
];

/** The rules with every field pattern written out. A rule without one is returned as it is. */
export function withoutFieldPatterns(rules: readonly Rule[]): Rule[] {
  const named = new Set<string>(freeTextFields);
  const patterned = new Set<Rule>();
  for (const rule of rules) {
    for (const name of namesIn(rule)) {
      if (name.includes('*')) patterned.add(rule);
      else named.add(name);
    }
  }
  if (patterned.size === 0) return [...rules];
  const names = [...named].sort();
  return rules.map((rule) => (patterned.has(rule) ? expandRule(rule, names) : rule));
}

function namesIn(rule: Rule): string[] {
  const names: string[] = [];
  visitRule(rule, (node) => {
    if (node.kind === 'field') names.push(node.name, ...(node.fallback ?? []));
  });
  return names;
}

function expandRule(rule: Rule, names: readonly string[]): Rule {
  const query = (item: EventQuery): EventQuery => ({
    ...item,
    condition: mapNodes(item.condition, (node) => expand(node, names)),
  });
  return rewriteRule(rule, { query });
}

/** A test on a pattern as that test on any of its fields; "missing" as all of them missing. */
function expand(node: Expr, names: readonly string[]): Expr {
  switch (node.kind) {
    case 'match':
    case 'regex':
    case 'cidr':
      return over(node.value, names, 'or', (value) => ({ ...node, value })) ?? node;
    case 'isNull':
      return over(node.value, names, 'and', (value) => ({ ...node, value })) ?? node;
    case 'compare':
      return over(node.left, names, 'or', (left) => ({ ...node, left })) ?? node;
    default:
      return node;
  }
}

function over(
  field: Expr,
  names: readonly string[],
  kind: 'or' | 'and',
  test: (field: FieldExpr) => Expr,
): Expr | undefined {
  if (field.kind !== 'field' || !field.name.includes('*')) return undefined;
  const matching = names.filter((name) => matchesWildcard(name, field.name));
  if (matching.length === 0) return undefined;
  return { kind, operands: matching.map((name) => test({ ...field, name })) };
}
