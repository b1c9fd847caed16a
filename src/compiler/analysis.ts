/**
 * What a condition reads, told to the column table before any column's kind is fixed, and what in it no program can do.
 * Walks conditions as `lower.ts` does: the two agree on which column a field has.
 */
import { expressionDepthMax } from '../core/limits.js';
import { evaluate } from '../rule/evaluate.js';
import type { CallExpr, CompareExpr, Expr, FieldExpr, LineageExpr, MatchExpr, NestedExpr } from '../rule/ir.js';
import { visitNodes } from '../rule/rewrite.js';
import { arrayItemOf } from './array_item.js';
import { leafColumn } from './cells.js';
import { CodeTable } from './code.js';
import type { ColumnTable, ColumnUse } from './columns.js';
import { ConstantTable } from './constants.js';
import { desugarCall, ExpressionCompiler, ExpressionLimitError } from './expression_code.js';
import { refusePattern } from './field_patterns.js';
import { innerSearch } from './inner_search.js';
import { stepFieldRefusal } from './look_back.js';
import { Refusal } from './refusal.js';
import { StringTable } from './section_writer.js';
import { matchesAll, simplifyPattern } from './wildcard.js';

export interface AnalysisTarget {
  readonly columns: ColumnTable;
  /** Takes the query of a lineage condition as a mark. */
  mark(expr: LineageExpr): number;
  /** The condition may read events that earlier steps of a sequence took. Default false. */
  readonly looksBack?: boolean;
}

/** Declares everything that an expression reads. @throws Refusal */
export function declareUses(expr: Expr, target: AnalysisTarget, path?: string): void {
  new Analysis(target, path).visit(expr, 1);
}

class Analysis {
  readonly #target: AnalysisTarget;
  readonly #path: string | undefined;

  constructor(target: AnalysisTarget, path: string | undefined) {
    this.#target = target;
    this.#path = path;
  }

  visit(expr: Expr, depth: number): void {
    if (depth > expressionDepthMax) {
      throw new Refusal(
        'COMPILE_DEPTH',
        `the condition is nested deeper than ${expressionDepthMax}`,
        'Split the rule.',
        expr.span,
      );
    }
    const next = (operand: Expr): void => this.visit(operand, depth + 1);
    switch (expr.kind) {
      case 'literal':
        return;
      case 'field':
        this.#field(expr, 'value');
        return;
      case 'and':
      case 'or':
        expr.operands.forEach(next);
        return;
      case 'not':
        next(expr.operand);
        return;
      case 'compare':
        this.#compare(expr, depth);
        return;
      case 'match':
        if (expr.value.kind === 'field') {
          this.#field(expr.value, patternUse(expr));
          return;
        }
        next(expr.value);
        this.#checkLeaf(expr);
        return;
      case 'regex':
      case 'cidr':
        if (expr.value.kind === 'field') {
          this.#field(expr.value, 'text');
          return;
        }
        next(expr.value);
        this.#checkLeaf(expr);
        return;
      case 'isNull':
        if (expr.value.kind === 'field') this.#field(expr.value, 'identity');
        else next(expr.value);
        return;
      case 'arithmetic':
        next(expr.left);
        next(expr.right);
        this.#checkLeaf(expr);
        return;
      case 'call':
        this.#call(expr, depth);
        return;
      case 'nested':
        this.#nested(expr, depth);
        return;
      case 'lineage':
        this.#target.mark(expr);
    }
  }

  #compare(expr: CompareExpr, depth: number): void {
    const { left, right } = expr;
    if (left.kind === 'field' && right.kind === 'literal') this.#compared(left, right.value, expr);
    else if (right.kind === 'field' && left.kind === 'literal') this.#compared(right, left.value, expr);
    else {
      this.visit(left, depth + 1);
      this.visit(right, depth + 1);
      if (right.kind !== 'literal') this.#checkLeaf(expr);
    }
  }

  #compared(
    field: FieldExpr,
    value: unknown,
    { op, case: mode }: { readonly op: string; readonly case: string },
  ): void {
    const isEquality = op === '==' || op === '!=';
    this.#field(
      field,
      isEquality && mode === 'exact' && (typeof value === 'string' || value === null) ? 'identity' : 'number',
    );
  }

  #field(expr: FieldExpr, use: ColumnUse): void {
    for (const name of [expr.name, ...(expr.fallback ?? [])]) this.#name(name, use);
  }

  #name(name: string, use: ColumnUse): void {
    const isElement = this.#path !== undefined && name.startsWith(`${this.#path}.`);
    const isScalarElement = name === this.#path;
    this.#target.columns.use(name, isElement || isScalarElement ? 'text' : use, isElement ? this.#path : undefined);
  }

  #call(expr: CallExpr, depth: number): void {
    if (expr.name === 'stepField') {
      this.#stepField(expr);
      return;
    }
    if (expr.name === 'arrayItem') {
      const { field, path } = arrayItemOf(expr);
      this.#target.columns.use(field, 'text', field === path ? undefined : path);
      return;
    }
    const sugar = desugarCall(expr);
    if (sugar !== undefined) {
      this.visit(sugar, depth + 1);
      return;
    }
    for (const arg of expr.args) {
      if (arg.kind === 'field' && textTests.includes(expr.name) && arg === expr.args[0]) this.#field(arg, 'text');
      else this.visit(arg, depth + 1);
    }
    this.#checkLeaf(expr);
  }

  #stepField(expr: CallExpr): void {
    const field = expr.args[1];
    if (this.#target.looksBack !== true || field?.kind !== 'field') {
      throw stepFieldRefusal('only steps of a sequence have earlier ones', expr);
    }
    for (const name of [field.name, ...(field.fallback ?? [])]) {
      refusePattern(name, expr.span);
      this.#target.columns.keep(name);
    }
  }

  /** Compiles a leaf to nowhere, to refuse now what exceeds the expression machine. */
  #checkLeaf(expr: Expr): void {
    const constants = new ConstantTable(new StringTable());
    const { columns } = this.#target;
    const compiler = new ExpressionCompiler(constants, new CodeTable(), (field, name) =>
      leafColumn(columns, field, name, this.#path),
    );
    try {
      compiler.leaf(expr);
    } catch (error) {
      if (!(error instanceof ExpressionLimitError)) throw error;
      throw new Refusal('COMPILE_EXPRESSION', `the expression is too large: ${error.message}`, 'Split it.', expr.span);
    }
  }

  #nested(expr: NestedExpr, depth: number): void {
    if (this.#path !== undefined) {
      this.visit(innerSearch(expr, this.#path), depth + 1);
      return;
    }
    new Analysis(this.#target, expr.path).visit(expr.condition, depth + 1);
    if (asksOfBareElements(expr)) this.#countElements(expr.path);
  }

  /** Elements are counted by what they hold: where those count that have nothing the condition reads, by everything. */
  #countElements(path: string): void {
    this.#target.columns.use(path, 'text');
    this.#target.columns.use(`${path}.*`, 'text', path);
  }
}

/** Whether the answer depends on elements that have none of the fields that the condition reads. */
function asksOfBareElements(expr: NestedExpr): boolean {
  return expr.count !== undefined || !readsElement(expr) || evaluate(expr.condition, noFields) !== null;
}

const noFields = { field: () => null };

function readsElement({ path, condition }: NestedExpr): boolean {
  let isReading = false;
  visitNodes(condition, (node) => {
    if (node.kind === 'field') isReading ||= node.name === path || node.name.startsWith(`${path}.`);
  });
  return isReading;
}

const textTests: readonly string[] = ['startsWith', 'endsWith', 'stringContains'];

function patternUse(expr: MatchExpr): ColumnUse {
  const patterns = expr.patterns.map(simplifyPattern);
  if (patterns.some(matchesAll)) return 'identity';
  if (!patterns.every((pattern) => pattern.type === 'equals')) return 'text';
  return expr.case === 'exact' ? 'identity' : 'number';
}
