/** Prints conditions for people, in EQL's words. Not meant to be parsed: what EQL cannot say is paraphrased. */
import type { CaseMode, Expr, LiteralValue, TextPattern } from './ir.js';

/** One line of text for an expression. */
export function printExpr(expr: Expr): string {
  switch (expr.kind) {
    case 'literal':
      return printValue(expr.value);
    case 'field':
      return `${expr.optional === true ? '?' : ''}${expr.name}`;
    case 'and':
    case 'or':
      return expr.operands.map((operand) => printOperand(operand, expr.kind)).join(` ${expr.kind} `);
    case 'not':
      return printNot(expr.operand);
    case 'compare':
      return `${printOperand(expr.left)} ${printOperator(expr.op, expr.case)} ${printOperand(expr.right)}`;
    case 'match':
      return printMatch(expr.value, expr.patterns, expr.case);
    case 'regex':
      return `${printOperand(expr.value)} regex${fold(expr.case)} ${printList(expr.patterns.map(printValue))}`;
    case 'cidr':
      return `cidrMatch(${[printExpr(expr.value), ...expr.blocks.map(printValue)].join(', ')})`;
    case 'isNull':
      return `${printOperand(expr.value)} == null`;
    case 'arithmetic':
      return `${printOperand(expr.left)} ${expr.op} ${printOperand(expr.right)}`;
    case 'call':
      return `${expr.name}${fold(expr.case)}(${expr.args.map(printExpr).join(', ')})`;
    case 'nested':
      return `${expr.path}: { ${printExpr(expr.condition)} }`;
    case 'lineage':
      return `${expr.relation} of [${expr.query.category ?? 'any'} where ${printExpr(expr.query.condition)}]`;
  }
}

const fold = (mode: CaseMode): string => (mode === 'exact' ? '' : '~');

const printValue = (value: LiteralValue): string => (value === null ? 'null' : JSON.stringify(value));

const printList = (items: readonly string[]): string =>
  items.length === 1 ? String(items[0]) : `(${items.join(', ')})`;

function printNot(operand: Expr): string {
  if (operand.kind === 'isNull') return `${printOperand(operand.value)} != null`;
  return `not ${printOperand(operand)}`;
}

function printOperator(op: string, mode: CaseMode): string {
  if (mode === 'exact' || (op !== '==' && op !== '!=')) return op;
  return op === '==' ? ':' : 'not :';
}

function printOperand(expr: Expr, within?: 'and' | 'or'): string {
  const isLogic = expr.kind === 'and' || expr.kind === 'or';
  const isPlain = !isLogic && expr.kind !== 'arithmetic' && (within !== undefined || !isCondition(expr));
  return isPlain || expr.kind === within ? printExpr(expr) : `(${printExpr(expr)})`;
}

function isCondition({ kind }: Expr): boolean {
  return kind === 'compare' || kind === 'match' || kind === 'regex' || kind === 'isNull' || kind === 'not';
}

function printMatch(value: Expr, patterns: readonly TextPattern[], mode: CaseMode): string {
  const isText = patterns.every(({ type }) => type === 'equals');
  const operator = isText
    ? patterns.length === 1 && mode === 'exact'
      ? '=='
      : `in${fold(mode)}`
    : `like${fold(mode)}`;
  const texts = patterns.map((pattern) => printValue(isText ? pattern.text : wildcardOf(pattern)));
  const list = isText && operator !== '==' ? `(${texts.join(', ')})` : printList(texts);
  return `${printOperand(value)} ${operator} ${list}`;
}

function wildcardOf({ type, text }: TextPattern): string {
  if (type === 'equals' || type === 'wildcard') return text;
  return `${type === 'prefix' ? '' : '*'}${text}${type === 'suffix' ? '' : '*'}`;
}
