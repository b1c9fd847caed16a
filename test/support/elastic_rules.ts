/** Builds Elastic rules for tests: the least that a rule needs, and what the test is about. */

export const leastRule: Readonly<Record<string, unknown>> = {
  rule_id: 'r1',
  name: 'Rule one',
  description: 'A rule.',
  type: 'query',
  language: 'kuery',
  query: 'a: 1',
  severity: 'low',
  risk_score: 21,
};

/** A rule as one line of an export; keys given as undefined are left out. */
export function ruleLine(changes: Record<string, unknown> = {}): string {
  return JSON.stringify({ ...leastRule, ...changes });
}

/** A rule as a TOML file of the rule repository; `rule` and `extensions` are lines of TOML. */
export function ruleToml(rule: string, extensions = ''): string {
  const own = Object.entries(leastRule).filter(([key]) => !new RegExp(`^${key} =`, 'm').test(rule));
  const table = extensions === '' ? '' : `[metadata.vedette]\n${extensions}\n`;
  const lines = own.map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return `[metadata]\ncreation_date = "2026/01/01"\n\n${table}[rule]\n${lines.join('\n')}\n${rule}\n`;
}
