/** Compiles an expression to the code of the expression machine (`assembly/vm.ts`). */
import { Comparison, ExpressionLimit, LeafColumn, Op } from '../core/abi/predicates.js';
import { expressionFieldsMax } from '../core/limits.js';
import { type Platform, platforms } from '../core/paths.js';
import { evaluate } from '../rule/evaluate.js';
import { findFunction } from '../rule/functions.js';
import type { ArithmeticExpr, CallExpr, CompareExpr, Expr, FieldExpr } from '../rule/ir.js';
import { toText } from '../rule/semantics.js';
import type { CodeTable, Operation } from './code.js';
import { type ConstantTable, textSpace } from './constants.js';

export const comparisons: Readonly<Record<CompareExpr['op'], Comparison>> = {
  '==': Comparison.Equal,
  '!=': Comparison.NotEqual,
  '<': Comparison.Less,
  '<=': Comparison.LessOrEqual,
  '>': Comparison.Greater,
  '>=': Comparison.GreaterOrEqual,
};

const arithmeticOps: Readonly<Record<ArithmeticExpr['op'], Op>> = {
  '+': Op.Add,
  '-': Op.Subtract,
  '*': Op.Multiply,
  '/': Op.Divide,
  '%': Op.Modulo,
};

const arithmeticCalls: Readonly<Record<string, Op>> = {
  add: Op.Add,
  subtract: Op.Subtract,
  multiply: Op.Multiply,
  divide: Op.Divide,
  modulo: Op.Modulo,
};

/** Kernel functions and how many values each takes; optional ones that are left out are pushed as null. */
const calls: Readonly<Record<string, readonly [Op, number]>> = {
  between: [Op.Between, 4],
  endsWith: [Op.EndsWith, 2],
  indexOf: [Op.IndexOf, 3],
  length: [Op.Length, 1],
  number: [Op.Number, 2],
  startsWith: [Op.StartsWith, 2],
  string: [Op.String, 1],
  stringContains: [Op.StringContains, 2],
  substring: [Op.Substring, 3],
};

/** The expression is deeper than the machine's stack, or reads more columns than a leaf may. */
export class ExpressionLimitError extends Error {}

/** Compiles one leaf. `column` gives the leaf column word of a field, of `arrayItem(…)` or of `stepField(…)`. */
export class ExpressionCompiler {
  readonly operations: Operation[] = [];
  readonly columns: number[] = [];
  readonly #constants: ConstantTable;
  readonly #code: CodeTable;
  readonly #column: (expr: FieldExpr | CallExpr, name: string) => number;
  #depth = 0;

  constructor(constants: ConstantTable, code: CodeTable, column: (expr: FieldExpr | CallExpr, name: string) => number) {
    this.#constants = constants;
    this.#code = code;
    this.#column = column;
  }

  /** Compiles the expression and returns the leaf's index. */
  leaf(expr: Expr): number {
    this.#value(expr);
    if (this.columns.length > expressionFieldsMax)
      throw new ExpressionLimitError(`it reads more than ${expressionFieldsMax} fields`);
    const isOfStep = (word: number): boolean => word >= LeafColumn.Element && stepOf(word) !== 0;
    if (new Set(this.columns.filter(isOfStep).map(stepOf)).size > ExpressionLimit.Steps)
      throw new ExpressionLimitError(`it reads more than ${ExpressionLimit.Steps} earlier events`);
    return this.#code.leaf(this.operations, this.columns);
  }

  #push(operation: Operation): void {
    this.#depth++;
    if (this.#depth > ExpressionLimit.StackDepth) {
      throw new ExpressionLimitError(`it needs more than ${ExpressionLimit.StackDepth} values at once`);
    }
    this.operations.push(operation);
  }

  /** Appends an operation that takes `taken` values and leaves one. */
  #apply(taken: number, operation: Operation): void {
    this.operations.push(operation);
    this.#depth -= taken - 1;
  }

  #field(expr: FieldExpr | CallExpr, name: string): void {
    const word = this.#column(expr, name);
    let index = this.columns.indexOf(word);
    if (index < 0) index = this.columns.push(word) - 1;
    this.#push({ op: Op.Field, operand: index });
  }

  /** The first name of a field that has a value; `source`: the field itself, or the call that reads it elsewhere. */
  #firstOf(source: FieldExpr | CallExpr, field: FieldExpr): void {
    this.#field(source, field.name);
    for (const name of field.fallback ?? []) {
      this.#field(source, name);
      this.#apply(2, { op: Op.Coalesce });
    }
  }

  #value(expr: Expr): void {
    switch (expr.kind) {
      case 'literal':
        this.#push({ op: Op.Constant, operand: this.#constants.value(evaluate(expr, noFields)) });
        return;
      case 'field':
        this.#firstOf(expr, expr);
        return;
      case 'and':
      case 'or':
        this.#connect(expr.kind === 'and' ? Op.And : Op.Or, expr.operands);
        return;
      case 'not':
        this.#value(expr.operand);
        this.#apply(1, { op: expr.missing === 'true' ? Op.NotTrue : Op.Not });
        return;
      case 'isNull':
        this.#value(expr.value);
        this.#apply(1, { op: Op.IsNull });
        return;
      case 'compare':
        this.#compare(expr);
        return;
      case 'arithmetic':
        this.#value(expr.left);
        this.#value(expr.right);
        this.#apply(2, { op: arithmeticOps[expr.op] });
        return;
      case 'match':
        this.#value(expr.value);
        this.#apply(1, {
          op: Op.Match,
          operand: this.#constants.patterns(expr.patterns, expr.case),
          count: expr.patterns.length,
        });
        return;
      case 'regex':
        this.#value(expr.value);
        this.#apply(1, { op: Op.Host, operand: this.#code.host(expr) });
        return;
      case 'cidr': {
        this.#value(expr.value);
        const { first, count } = this.#constants.blocks(expr.blocks);
        this.#apply(1, { op: Op.Cidr, operand: first, count });
        return;
      }
      case 'call':
        this.#call(expr);
        return;
      case 'nested':
      case 'lineage':
        throw new ExpressionLimitError(`a ${expr.kind} condition stands inside a value`);
    }
  }

  #connect(op: Op, operands: readonly Expr[]): void {
    operands.forEach((operand, index) => {
      this.#value(operand);
      if (index > 0) this.#apply(2, { op });
    });
  }

  #compare(expr: CompareExpr): void {
    const [value, other] = isNullLiteral(expr.left) ? [expr.right, expr.left] : [expr.left, expr.right];
    if (isNullLiteral(other) && (expr.op === '==' || expr.op === '!=')) {
      this.#value(value);
      this.#apply(1, { op: Op.IsNull });
      if (expr.op === '!=') this.#apply(1, { op: Op.Not });
      return;
    }
    this.#value(expr.left);
    this.#value(expr.right);
    this.#apply(2, { op: Op.Compare, operand: comparisons[expr.op], mode: textSpace[expr.case] });
  }

  #call(expr: CallExpr): void {
    const arithmetic = arithmeticCalls[expr.name];
    if (expr.name === 'arrayItem') {
      this.#field(expr, '');
      return;
    }
    if (expr.name === 'stepField') {
      const field = expr.args[1] as FieldExpr;
      this.#firstOf(expr, field);
      return;
    }
    if (expr.name === 'safe') {
      this.#value(expr.args[0] as Expr);
      return;
    }
    if (expr.name === 'concat') {
      for (const arg of expr.args) this.#value(arg);
      this.#apply(expr.args.length, { op: Op.Concat, count: expr.args.length });
      return;
    }
    if (expr.name === 'pathKey') {
      const [path, platform] = expr.args as [Expr, Expr];
      this.#value(path);
      this.#apply(1, { op: Op.PathKey, operand: platforms.indexOf(evaluate(platform, noFields) as Platform) });
      return;
    }
    if (arithmetic !== undefined) {
      for (const arg of expr.args) this.#value(arg);
      this.#apply(2, { op: arithmetic });
      return;
    }
    const sugar = desugarCall(expr);
    if (sugar !== undefined) {
      this.#value(sugar);
      return;
    }
    const call = calls[expr.name];
    if (call === undefined) throw new ExpressionLimitError(`the kernel has no function ${expr.name}`);
    const [op, taken] = call;
    for (let i = 0; i < taken; i++) this.#value(expr.args[i] ?? { kind: 'literal', value: null });
    this.#apply(taken, { op, mode: textSpace[expr.case] });
  }
}

const stepOf = (word: number): number => (word >>> LeafColumn.ItemShift) & LeafColumn.ItemMask;

const noFields = { field: () => null };

export const isNullLiteral = (expr: Expr): boolean => expr.kind === 'literal' && expr.value === null;

/** A call that is another way to write a pattern, address or regular expression test; undefined where it is none. */
export function desugarCall(expr: CallExpr): Expr | undefined {
  const [value, ...rest] = expr.args;
  const form = findFunction(expr.name)?.form;
  if (value === undefined || form === undefined || form === 'kernel' || form === 'arithmetic' || form === 'nested')
    return undefined;
  if (expr.name === 'arrayContains') {
    const operands = rest.map((right): Expr => ({ kind: 'compare', op: '==', left: value, right, case: expr.case }));
    return { kind: 'or', operands };
  }
  const texts = rest.flatMap((item) => (item.kind === 'literal' ? (toText(evaluate(item, noFields)) ?? []) : []));
  if (texts.length < rest.length) return undefined;
  if (form === 'cidr') return { kind: 'cidr', value, blocks: texts };
  if (form === 'regex') return { kind: 'regex', value, patterns: texts, case: expr.case, anchor: 'full' };
  return { kind: 'match', value, patterns: texts.map((text) => ({ type: 'wildcard', text })), case: expr.case };
}
