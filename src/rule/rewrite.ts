import type { AggregateFunction, EventQuery, Expr, FieldExpr, Rule, Step, TermJoin } from './ir.js';

/** What to change in a rule. Behaviour and temporal rules are left as they are. */
export interface RuleRewrite {
  readonly field?: (field: FieldExpr) => FieldExpr;
  readonly query?: (query: EventQuery) => EventQuery;
}

/** Rewrites every event query of a rule, then every field in it, in its keys and in its aggregates. */
export function rewriteRule(rule: Rule, rewrite: RuleRewrite): Rule {
  const onField = rewrite.field ?? ((field) => field);
  const expr = (item: Expr): Expr => mapFields(item, onField);
  const query = (item: EventQuery): EventQuery => {
    const changed = rewrite.query?.(item) ?? item;
    return { ...changed, condition: expr(changed.condition) };
  };
  const step = (item: Step): Step => ({ ...item, query: query(item.query), by: item.by.map(expr) });
  switch (rule.kind) {
    case 'match':
      return { ...rule, query: query(rule.query) };
    case 'newTerms':
      return {
        ...rule,
        query: query(rule.query),
        fields: rule.fields.map(onField),
        ...(rule.joins === undefined
          ? {}
          : { joins: { ...rule.joins, items: query(rule.joins.items), writers: query(rule.joins.writers) } }),
      };
    case 'sample':
      return { ...rule, steps: rule.steps.map(step) };
    case 'sequence': {
      const until = rule.until === undefined ? {} : { until: step(rule.until) };
      return { ...rule, steps: rule.steps.map(step), ...until };
    }
    case 'aggregate': {
      const onFunction = (item: AggregateFunction): AggregateFunction =>
        item.kind === 'count' ? item : { ...item, field: onField(item.field) };
      const conditions = rule.conditions.map((item) => ({ ...item, function: onFunction(item.function) }));
      return { ...rule, query: query(rule.query), by: rule.by.map(expr), conditions };
    }
    default:
      return rule;
  }
}

/** Shows every node of what {@link rewriteRule} would rewrite. */
export function visitRule(rule: Rule, onNode: (node: Expr) => void): void {
  const visit = (item: Expr): void => visitNodes(item, onNode);
  const onStep = ({ query, by }: Step): void => {
    visit(query.condition);
    by.forEach(visit);
  };
  switch (rule.kind) {
    case 'match':
      visit(rule.query.condition);
      return;
    case 'newTerms':
      visit(rule.query.condition);
      rule.fields.forEach(visit);
      if (rule.joins !== undefined) for (const side of joinSides(rule.joins)) visit(side.condition);
      return;
    case 'sample':
      rule.steps.forEach(onStep);
      return;
    case 'sequence':
      rule.steps.forEach(onStep);
      if (rule.until !== undefined) onStep(rule.until);
      return;
    case 'aggregate':
      visit(rule.query.condition);
      rule.by.forEach(visit);
      for (const { function: of } of rule.conditions) if (of.kind !== 'count') visit(of.field);
  }
}

const joinSides = ({ items, writers }: TermJoin): readonly EventQuery[] => [items, writers];

/** Rewrites every field of an expression, lineage queries included. */
export function mapFields(expr: Expr, onField: (field: FieldExpr) => FieldExpr): Expr {
  return mapNodes(expr, (node) => (node.kind === 'field' ? onField(node) : node));
}

/** The expression without its places, for a condition that does not stand in the rule's own query. */
export function withoutSpans(expr: Expr): Expr {
  return mapNodes(expr, ({ span: _, ...node }) => node as Expr);
}

/** Rewrites every node of an expression, inner ones first. */
export function mapNodes(expr: Expr, onNode: (node: Expr) => Expr): Expr {
  const map = (item: Expr): Expr => mapNodes(item, onNode);
  switch (expr.kind) {
    case 'literal':
    case 'field':
      return onNode(expr);
    case 'and':
    case 'or':
      return onNode({ ...expr, operands: expr.operands.map(map) });
    case 'not':
      return onNode({ ...expr, operand: map(expr.operand) });
    case 'compare':
    case 'arithmetic':
      return onNode({ ...expr, left: map(expr.left), right: map(expr.right) });
    case 'match':
    case 'regex':
    case 'cidr':
    case 'isNull':
      return onNode({ ...expr, value: map(expr.value) });
    case 'call':
      return onNode({ ...expr, args: expr.args.map(map) });
    case 'nested':
      return onNode({ ...expr, condition: map(expr.condition) });
    case 'lineage':
      return onNode({ ...expr, query: { ...expr.query, condition: map(expr.query.condition) } });
  }
}

/** Shows every node of an expression, lineage queries included; outer ones first. */
export function visitNodes(expr: Expr, onNode: (node: Expr) => void): void {
  onNode(expr);
  const visit = (item: Expr): void => visitNodes(item, onNode);
  switch (expr.kind) {
    case 'and':
    case 'or':
      expr.operands.forEach(visit);
      return;
    case 'not':
      visit(expr.operand);
      return;
    case 'compare':
    case 'arithmetic':
      visit(expr.left);
      visit(expr.right);
      return;
    case 'match':
    case 'regex':
    case 'cidr':
    case 'isNull':
      visit(expr.value);
      return;
    case 'call':
      expr.args.forEach(visit);
      return;
    case 'nested':
      visit(expr.condition);
      return;
    case 'lineage':
      visit(expr.query.condition);
  }
}
