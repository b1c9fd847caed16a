/** What a rule asks of events, whatever its kind. */
import type { EventQuery, Expr, KeyExpr, Rule, SequenceRule, Step } from '../rule/ir.js';
import { heardQuery } from '../rule/terms.js';
import { splitSequence } from './look_back.js';

export interface RuleParts {
  readonly queries: readonly EventQuery[];
  /** What queries of a sequence ask of its earlier events. */
  readonly lookBacks?: readonly Expr[];
  /** Conditions on process events that feed lineage. */
  readonly marks: readonly EventQuery[];
  readonly keys: readonly (readonly KeyExpr[])[];
}

/** The queries and group keys of a rule. */
export function queriesOf(rule: Rule): RuleParts {
  switch (rule.kind) {
    case 'match':
      return { queries: [rule.query], marks: [], keys: [] };
    case 'sequence':
      return partsOfSequence(rule);
    case 'sample':
      return partsOfSteps(rule.steps);
    case 'newTerms':
      return { queries: [heardQuery(rule)], marks: [], keys: [rule.fields] };
    case 'aggregate': {
      const counted = rule.conditions.flatMap(({ function: of }) => (of.kind === 'count' ? [] : [[of.field]]));
      return { queries: [rule.query], marks: [], keys: [rule.by, ...counted] };
    }
    case 'temporal':
      return { queries: [], marks: [], keys: rule.rules.map(({ by }) => by) };
    case 'behavior': {
      const within = ({ query }: { readonly query: EventQuery }): EventQuery => withinScope(query, rule.scope);
      return { queries: rule.items.map(within), marks: rule.marks.map(within), keys: [] };
    }
  }
}

/** @throws Refusal */
function partsOfSequence(rule: SequenceRule): RuleParts {
  const { steps, until } = splitSequence(rule);
  const split = until === undefined ? steps : [...steps, until];
  return {
    queries: split.map(({ query }) => query),
    lookBacks: split.flatMap(({ lookBack }) => lookBack ?? []),
    marks: [],
    keys: [...rule.steps, ...(rule.until === undefined ? [] : [rule.until])].map(({ by }) => by),
  };
}

function partsOfSteps(steps: readonly Step[]): RuleParts {
  return { queries: steps.map(({ query }) => query), marks: [], keys: steps.map(({ by }) => by) };
}

/** A query that also asks for the rule's scope. */
export function withinScope(query: EventQuery, scope: Expr): EventQuery {
  return { ...query, condition: { kind: 'and', operands: [scope, query.condition] } };
}
