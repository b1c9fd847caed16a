/** The rules that scenarios name: shipped ones by their id, and new-terms rules by a short name. */
import type { Rule } from '../../src/rule/ir.js';
import { contentRule, elasticContentRule, elasticRuleFile, shippedRule } from './content.js';
import type { Scenario } from './scenario.js';

const caseRule = (name: string): Rule => elasticRuleFile(new URL(`../cases/rules/${name}.toml`, import.meta.url));

/** Rules that are not behaviour rules. */
export const elasticRules: Readonly<Record<string, Rule>> = {
  'NT-LAUNCHD': elasticContentRule('persistence_python_launch_item'),
  'NT-STRICT': caseRule('launch_item_strict'),
  'NT-COMPAT': caseRule('launch_item_compat'),
};

/** A rule, configured as the scenario asks. */
export function ruleOf(name: string, scenario: Pick<Scenario, 'config'>): Rule {
  const elastic = elasticRules[name];
  if (elastic !== undefined) return elastic;
  return scenario.config === undefined ? shippedRule(name) : contentRule(name, scenario.config);
}
