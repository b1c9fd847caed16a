/** A rule taken apart into the conditions that `explain` asks about one by one. */
import { withinScope } from '../../compiler/rule_parts.js';
import type { EventQuery, Expr, KeyExpr, Rule } from '../../rule/ir.js';
import { printExpr } from '../../rule/print_expr.js';
import { fieldsOf } from '../evaluate.js';

/** One condition that must hold beside its neighbours. */
export interface Conjunct {
  readonly expr: Expr;
  /** In the author's words where the rule keeps them, else printed; one line. */
  readonly text: string;
  /** Fields whose values tell why it holds or fails. */
  readonly fields: readonly string[];
  /** Asks for an absence: true of most events, so it says little about nearness. */
  readonly isWeak: boolean;
  /** False for what depends on events of earlier steps: no single event can tell. */
  readonly isProbed: boolean;
}

/** One query of a rule. It is true of an event when all conjuncts of an alternative are. */
export interface RulePart {
  readonly name: string;
  readonly category: string | null;
  readonly query: EventQuery;
  readonly alternatives: readonly (readonly Conjunct[])[];
  readonly by: readonly KeyExpr[];
  /** The rule asks that no such event comes: a sequence's `![ … ]` or `until`. */
  readonly isAbsence: boolean;
  /** Behaviour rules: an item counts only under a process that carries the root mark. */
  readonly role: 'query' | 'step' | 'until' | 'root' | 'item';
}

/** Alternatives looked at one by one; a condition of more is asked as a whole. */
const alternativesMax = 16;
/** Longest text of a condition, in characters; longer ones are cut. */
const textMax = 240;

/** The parts of a rule; none for a temporal rule, which hears alerts instead of events. */
export function partsOf(rule: Rule): RulePart[] {
  const text = rule.kind === 'behavior' ? undefined : rule.source?.text;
  const part = (name: string, role: RulePart['role'], query: EventQuery, more: Partial<RulePart> = {}): RulePart => ({
    name,
    role,
    category: query.category,
    query,
    alternatives: alternativesOf(query.condition, text),
    by: [],
    isAbsence: false,
    ...more,
  });
  switch (rule.kind) {
    case 'match':
      return [part('the query', 'query', rule.query)];
    case 'newTerms':
      return [part('the query', 'query', rule.query, { by: rule.fields })];
    case 'aggregate':
      return [part('the query', 'query', rule.query, { by: rule.by })];
    case 'sequence':
    case 'sample': {
      const steps = rule.steps.map((step, index) => {
        const alias = step.alias === undefined ? '' : ` (${step.alias})`;
        return part(`step ${index + 1}${alias}`, 'step', step.query, { by: step.by, isAbsence: step.missing });
      });
      const until = rule.kind === 'sequence' ? rule.until : undefined;
      if (until === undefined) return steps;
      return [...steps, part('until', 'until', until.query, { by: until.by, isAbsence: true })];
    }
    case 'behavior': {
      const root = rule.marks.find(({ name }) => name === rule.root);
      const items = rule.items.map(({ id, class: name, query }) =>
        part(`${name}: ${id}`, 'item', withinScope(query, rule.scope)),
      );
      return root === undefined
        ? items
        : [part(`the root "${root.name}"`, 'root', withinScope(root.query, rule.scope)), ...items];
    }
    case 'temporal':
      return [];
  }
}

function alternativesOf(condition: Expr, text: string | undefined): Conjunct[][] {
  const branches =
    condition.kind === 'or' && condition.operands.length <= alternativesMax ? condition.operands : [condition];
  return branches.map((branch) => flatten(branch).map((expr) => conjunctOf(expr, text)));
}

function flatten(expr: Expr): readonly Expr[] {
  return expr.kind === 'and' ? expr.operands.flatMap(flatten) : [expr];
}

function conjunctOf(expr: Expr, text: string | undefined): Conjunct {
  const { span } = expr;
  const own = span === undefined || text === undefined ? '' : text.slice(span.start, span.end);
  const line = (own === '' ? printExpr(expr) : own).replace(/\s+/g, ' ').trim();
  return {
    expr,
    text: line.length > textMax ? `${line.slice(0, textMax)}…` : line,
    fields: [...new Set(fieldsOf(expr))].filter((name) => !name.includes('*')),
    isWeak: expr.kind === 'not' || expr.kind === 'isNull' || (expr.kind === 'compare' && expr.op === '!='),
    isProbed: !readsEarlierStep(expr),
  };
}

function readsEarlierStep(expr: Expr): boolean {
  return JSON.stringify(expr).includes('"name":"stepField"');
}
