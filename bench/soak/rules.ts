/** What the soak runs: the shipped content, and one rule of every kind of state, within hosts and across them. */
import { parseRules, type Rule } from '../../src/index.js';
import { loadRules, shippedContent } from '../../src/node.js';

interface RuleShape {
  readonly id: string;
  readonly type: string;
  readonly language: 'eql' | 'kuery';
  readonly query: string;
  readonly more?: string;
}

const elastic: readonly RuleShape[] = [
  {
    id: 'soak-sequence',
    type: 'eql',
    language: 'eql',
    query:
      'sequence by host.id, user.name with maxspan=5m [process where event.type == "start" and process.name == "sudo"] [file where file.name : "*.plist" or file.name : "*.db"] [network where destination.port == 3389]',
  },
  {
    id: 'soak-across-hosts',
    type: 'eql',
    language: 'eql',
    query:
      'sequence by user.name with maxspan=30s [network where destination.port == 22 and event.type == "start"] [process where event.type == "start" and process.name : "python*"]',
  },
  {
    id: 'soak-threshold',
    type: 'threshold',
    language: 'kuery',
    query: 'event.category:network and destination.port:3389',
    more: '[rule.threshold]\nfield = ["user.name"]\nvalue = 40\n[[rule.threshold.cardinality]]\nfield = "host.id"\nvalue = 12',
  },
  {
    id: 'soak-program-of-host',
    type: 'new_terms',
    language: 'kuery',
    query: 'event.category:process and event.type:start',
    more: terms(['host.id', 'process.executable']),
  },
  {
    id: 'soak-program-of-fleet',
    type: 'new_terms',
    language: 'kuery',
    query: 'event.category:process and event.type:start and process.name:python*',
    more: terms(['user.name', 'process.executable']),
  },
  ...['sudo', 'tar'].map((name) => ({
    id: `soak-${name}`,
    type: 'query',
    language: 'kuery' as const,
    query: `event.category:process and event.type:start and process.name:${name}`,
    more: 'building_block_type = "default"',
  })),
];

function terms(fields: readonly string[]): string {
  return `[rule.new_terms]
field = "new_terms_fields"
value = ${JSON.stringify(fields)}
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-7d"`;
}

const tomlOf = ({ id, type, language, query, more }: RuleShape): string => `[rule]
rule_id = "${id}"
name = "${id}"
description = "Part of the soak."
type = "${type}"
language = "${language}"
query = '''${query}'''
risk_score = 1
severity = "low"
${more ?? ''}
`;

/** Users who ran both programs within two seconds, on any hosts. */
const temporal: Rule = {
  kind: 'temporal',
  id: 'soak-temporal',
  name: 'soak-temporal',
  severity: 'low',
  riskScore: 1,
  threat: [],
  rules: ['soak-sudo', 'soak-tar'].map((id) => ({ id, by: [{ kind: 'field', name: 'user.name' }] })),
  windowUs: 2_000_000,
  ordered: false,
};

/** @throws Error where a rule does not load. */
export async function soakRules(): Promise<Rule[]> {
  const shipped = await loadRules([shippedContent()]);
  const own = elastic.map((shape) => parseRules(tomlOf(shape), { file: `${shape.id}.toml` }));
  const [problem] = own.flatMap(({ problems }) => problems.filter(({ severity }) => severity === 'error'));
  if (problem !== undefined) throw new Error(`${problem.file}: ${problem.message}`);
  return [...shipped.rules, ...own.flatMap(({ rules }) => rules), temporal];
}
