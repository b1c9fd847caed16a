/** The shipped content, as the tests load it. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type BehaviorConfig, type ParsedBehavior, parseBehaviorRule } from '../../src/language/behavior/parse.js';
import { parseElasticToml } from '../../src/language/elastic/rule_file.js';
import type { BehaviorRule, Rule } from '../../src/rule/ir.js';

export const contentFolder = new URL('../../content', import.meta.url).pathname;

/** Reads included files relative to a rule file. */
export function includeFrom(ruleFile: string) {
  return (path: string): { readonly text: string; readonly file: string } | undefined => {
    const file = join(dirname(ruleFile), path);
    try {
      return { text: readFileSync(file, 'utf8'), file };
    } catch {
      return undefined;
    }
  };
}

export function parseContent(id: string, config: BehaviorConfig = {}): ParsedBehavior {
  const file = join(contentFolder, 'rules', `${id}.yml`);
  return parseBehaviorRule(readFileSync(file, 'utf8'), { file, include: includeFrom(file), config });
}

/** A shipped rule in Elastic's form, by its file. */
export const elasticContentRule = (name: string): Rule => elasticRuleFile(join(contentFolder, 'rules', `${name}.toml`));

/** The one rule of a file in Elastic's form. */
export function elasticRuleFile(place: string | URL): Rule {
  const file = typeof place === 'string' ? place : place.pathname;
  const { rules: read, problems } = parseElasticToml(readFileSync(file, 'utf8'), { file });
  const [rule] = read;
  const errors = problems.filter((one) => one.severity === 'error');
  if (rule === undefined || errors.length > 0) throw new Error(JSON.stringify(problems));
  return rule;
}

const rules = new Map<string, BehaviorRule>();

/** A shipped behaviour rule as it ships; parsed once. */
export function shippedRule(id: string): BehaviorRule {
  const rule = rules.get(id) ?? contentRule(id);
  rules.set(id, rule);
  return rule;
}

/** A shipped behaviour rule, with the problems thrown that would otherwise hide it. */
export function contentRule(id: string, config: BehaviorConfig = {}): BehaviorRule {
  const { rule, problems } = parseContent(id, config);
  if (rule !== undefined) return rule;
  throw new Error(problems.map((one) => `${one.file}:${one.line}:${one.column} ${one.message}`).join('\n'));
}
