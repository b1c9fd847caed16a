/** Structure of the expressions of a rule: kinds, operators, names of functions, types of literals, depth. */
import { expressionDepthMax } from '../core/limits.js';
import { nearestName } from '../core/nearest_name.js';
import { type Entry, join, type RuleCheck } from './check.js';
import { findFunction, functionSignatures } from './functions.js';

const comparisons = ['==', '!=', '<', '<=', '>', '>='];
const cases = ['exact', 'ascii', 'unicode'];
const patternTypes = ['equals', 'wildcard', 'prefix', 'suffix', 'contains'];
/** Calls that no language writes as such, but lowering does. */
const loweredCalls = ['stepField', 'arrayItem'];

type Visit = (check: RuleCheck, expr: Entry, path: string, depth: number) => void;

const visits: Readonly<Record<string, Visit>> = {
  literal: (check, expr, path) => {
    const { value } = expr;
    const isLiteral = value === null || ['string', 'number', 'boolean'].includes(typeof value);
    if (!isLiteral) check.shape(join(path, 'value'), 'a text, number, boolean or null', value, expr.span);
  },
  field: (check, expr, path) => {
    check.text(expr, 'name', path);
    if (expr.fallback !== undefined) {
      for (const [i, name] of check.list(expr, 'fallback', path).entries()) {
        if (typeof name !== 'string' || name === '') check.shape(`${path}.fallback[${i}]`, 'a field name', name);
      }
    }
    check.flag(expr, 'optional', path);
  },
  and: visitOperands,
  or: visitOperands,
  not: (check, expr, path, depth) => {
    check.oneOf(expr, 'missing', path, ['null', 'true']);
    visit(check, expr.operand, join(path, 'operand'), depth);
  },
  compare: (check, expr, path, depth) => {
    check.oneOf(expr, 'op', path, comparisons);
    check.oneOf(expr, 'case', path, cases);
    visitSides(check, expr, path, depth);
  },
  match: (check, expr, path, depth) => {
    visit(check, expr.value, join(path, 'value'), depth);
    check.oneOf(expr, 'case', path, cases);
    for (const [i, pattern] of check.list(expr, 'patterns', path).entries()) {
      const at = `${path}.patterns[${i}]`;
      const entry = check.entry(pattern, at);
      if (entry === undefined) continue;
      check.oneOf(entry, 'type', at, patternTypes);
      if (typeof entry.text !== 'string') check.shape(join(at, 'text'), 'a text', entry.text);
    }
  },
  regex: (check, expr, path, depth) => {
    visit(check, expr.value, join(path, 'value'), depth);
    check.oneOf(expr, 'case', path, cases);
    check.oneOf(expr, 'anchor', path, ['full', 'partial']);
    visitTexts(check, expr, 'patterns', path);
  },
  cidr: (check, expr, path, depth) => {
    visit(check, expr.value, join(path, 'value'), depth);
    visitTexts(check, expr, 'blocks', path);
  },
  isNull: (check, expr, path, depth) => visit(check, expr.value, join(path, 'value'), depth),
  arithmetic: (check, expr, path, depth) => {
    check.oneOf(expr, 'op', path, ['+', '-', '*', '/', '%']);
    visitSides(check, expr, path, depth);
  },
  call: visitCall,
  nested: (check, expr, path, depth) => {
    check.text(expr, 'path', path);
    visit(check, expr.condition, join(path, 'condition'), depth);
  },
  lineage: (check, expr, path, depth) => {
    check.oneOf(expr, 'relation', path, ['descendant', 'child', 'event']);
    visitQuery(check, expr.query, join(path, 'query'), depth);
  },
};

function visitOperands(check: RuleCheck, expr: Entry, path: string, depth: number): void {
  const operands = check.list(expr, 'operands', path);
  for (const [i, operand] of operands.entries()) visit(check, operand, `${path}.operands[${i}]`, depth);
}

function visitSides(check: RuleCheck, expr: Entry, path: string, depth: number): void {
  visit(check, expr.left, join(path, 'left'), depth);
  visit(check, expr.right, join(path, 'right'), depth);
}

function visitTexts(check: RuleCheck, expr: Entry, name: string, path: string): void {
  for (const [i, text] of check.list(expr, name, path).entries()) {
    if (typeof text !== 'string') check.shape(`${path}.${name}[${i}]`, 'a text', text);
  }
}

function visitCall(check: RuleCheck, expr: Entry, path: string, depth: number): void {
  const { name } = expr;
  check.oneOf(expr, 'case', path, cases);
  const isKnown = typeof name === 'string' && (loweredCalls.includes(name) || findFunction(name) !== undefined);
  if (!isKnown) {
    const nearest = nearestName(
      String(name),
      functionSignatures.map((signature) => signature.name),
    );
    const remedy = nearest === undefined ? {} : { remedy: `Did you mean ${nearest}?` };
    const message = `there is no function ${JSON.stringify(name)}`;
    check.report(join(path, 'name'), { code: 'RULE_FUNCTION', message, ...remedy }, expr.span);
  }
  for (const [i, arg] of check.list(expr, 'args', path).entries()) visit(check, arg, `${path}.args[${i}]`, depth);
}

function visit(check: RuleCheck, value: unknown, path: string, depth: number): void {
  const expr = check.entry(value, path);
  if (expr === undefined) return;
  if (depth >= expressionDepthMax) {
    const message = `expressions may be nested ${expressionDepthMax} deep`;
    check.report(path.slice(0, 80), { code: 'RULE_DEPTH', message, remedy: 'Flatten the condition.' }, expr.span);
    return;
  }
  const inner = visits[String(expr.kind)];
  if (inner === undefined) check.oneOf(expr, 'kind', path, Object.keys(visits));
  else inner(check, expr, path, depth + 1);
}

/** Checks an expression. */
export function visitExpr(check: RuleCheck, value: unknown, path: string): void {
  visit(check, value, path, 0);
}

/** Checks an event query. */
export function visitQuery(check: RuleCheck, value: unknown, path: string, depth = 0): void {
  const query = check.entry(value, path);
  if (query === undefined) return;
  if (query.category !== null && (typeof query.category !== 'string' || query.category === '')) {
    check.shape(join(path, 'category'), 'a category, or null for any', query.category);
  }
  visit(check, query.condition, join(path, 'condition'), depth);
}
