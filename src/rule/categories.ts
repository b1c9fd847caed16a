/** Which categories of events a rule cannot do without. */
import type { EventQuery, Rule } from './ir.js';

export interface RuleCategories {
  /** Events of each must come for the rule to fire at all. */
  readonly base: readonly string[];
  /** Behaviour rules: for each class, categories of which one must come for it to be witnessed. */
  readonly legs: Readonly<Record<string, readonly string[]>>;
}

/** The categories that a rule names; conditions on any event name none. */
export function categoriesOf(rule: Rule): RuleCategories {
  switch (rule.kind) {
    case 'match':
    case 'newTerms':
    case 'aggregate':
      return { base: named([rule.query]), legs: {} };
    case 'sequence':
    case 'sample':
      return { base: named(rule.steps.filter(({ missing }) => !missing).map(({ query }) => query)), legs: {} };
    case 'temporal':
      return { base: [], legs: {} };
    case 'behavior': {
      const root = rule.marks.filter(({ name }) => name === rule.root).map(({ query }) => query);
      const classes = rule.judgement.classes.filter(({ role }) => role !== 'context').map(({ name }) => name);
      const legs = classes.map((name) => [name, rule.items.filter((item) => item.class === name)] as const);
      return {
        base: named(root),
        legs: Object.fromEntries(legs.map(([name, items]) => [name, named(items.map(({ query }) => query))])),
      };
    }
  }
}

const named = (queries: readonly EventQuery[]): string[] =>
  [...new Set(queries.map(({ category }) => category))].filter((category) => category !== null).sort();
