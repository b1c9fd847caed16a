/** The coverage model fitted to the loaded rules: its own rules among them, and a plain requirement for each other. */
import { categoriesOf } from '../../rule/categories.js';
import type { CoverageCounter, CoverageModel, CoverageRequirement, CoverageRule } from '../../rule/coverage.js';
import type { Rule } from '../../rule/ir.js';

/**
 * Leaves out what the model says of rules that are not loaded, and asks of every other rule that events of its
 * categories come. Temporal rules, which read no events, are left out: the rules that they hear have their own rows.
 */
export function fitModel(model: CoverageModel, rules: readonly Rule[]): CoverageModel {
  const loaded = new Set(rules.map(({ id }) => id));
  const known = model.rules.filter(({ id }) => loaded.has(id));
  const own = new Set(known.map(({ id }) => id));
  const platforms = [...model.platforms, 'unknown'];
  const plain = rules
    .filter(({ id, kind }) => !own.has(id) && kind !== 'temporal')
    .map((rule) => requirementOf(rule, platforms));
  const categories = [...new Set(plain.flatMap(({ categories: named }) => named))].sort();
  const gaps = Object.fromEntries(categories.map((name) => [gapOf(name), gapText(name)]));
  return {
    ...model,
    counters: [...model.counters, ...categories.map(counterOf)],
    classes: [...model.classes, ...categories.map(classOf)],
    rules: [...known, ...plain.map(({ rule }) => rule)],
    absent: { ...model.absent, ...Object.fromEntries(categories.map((name) => [classOf(name), gapOf(name)])) },
    gaps: { ...model.gaps, ...gaps },
  };
}

const nothing: CoverageRequirement = { all: [], any: [], fields: [], recommended: [] };

const classOf = (category: string): string => `events:${category}`;
const gapOf = (category: string): string => `G-EVENTS-${category.toUpperCase().replace(/[^A-Z0-9]+/g, '-')}`;

const gapText = (category: string) => ({
  effect: `No event of category "${category}" comes; conditions on such events cannot hold.`,
  remedy: `Collect ${category} events, or check that event.category is mapped.`,
});

const counterOf = (category: string): CoverageCounter => ({
  id: `class:${classOf(category)}`,
  query: { category, condition: { kind: 'literal', value: true } },
});

function requirementOf(rule: Rule, platforms: readonly string[]): { rule: CoverageRule; categories: string[] } {
  const { base, legs } = categoriesOf(rule);
  const asked = (names: readonly string[]): readonly string[] => names.map(classOf);
  const requirement: CoverageRule = {
    id: rule.id,
    platforms,
    base: { ...nothing, all: asked(base) },
    legs: Object.fromEntries(Object.entries(legs).map(([leg, names]) => [leg, { ...nothing, any: asked(names) }])),
  };
  return { rule: requirement, categories: [...base, ...Object.values(legs).flat()] };
}
