/**
 * Lowers conditions of the IR to formulas. Three-valued logic becomes two formulas: when the condition is true, and
 * when it is false; a missing field makes most conditions neither.
 *
 * A condition on one TEXT field against constants is an atom of its column. So is any other expression of one such
 * field, by expression code run once for each distinct value. What remains are tests of numbers and identities, and
 * leaves: expressions over several cells, run for each row.
 */
import { ColumnKind } from '../core/abi/events.js';
import { Comparison, LeafColumn, Outcome, ValueTest } from '../core/abi/predicates.js';
import { Relation } from '../core/abi/state.js';
import { evaluate } from '../rule/evaluate.js';
import type {
  CallExpr,
  CaseMode,
  CidrExpr,
  CompareExpr,
  Expr,
  LineageExpr,
  MatchExpr,
  NestedExpr,
  RegexExpr,
  TextPattern,
} from '../rule/ir.js';
import { fold, numeric, parseNumberText, toText, type Value } from '../rule/semantics.js';
import type { ColumnAtoms, ValueCheck } from './atom_table.js';
import { cellOf, leafColumn } from './cells.js';
import type { CodeTable } from './code.js';
import type { ColumnTable } from './columns.js';
import { type ConstantTable, textSpace } from './constants.js';
import { comparisons, desugarCall, ExpressionCompiler, isNullLiteral } from './expression_code.js';
import { allOf, always, anyOf, type Cell, complement, constant, type Formula, never, testOf } from './formula.js';
import { innerSearch } from './inner_search.js';
import { type RequiredLiteral, requiredLiteral } from './regex_literal.js';
import { matchesAll, simplifyPattern } from './wildcard.js';

/** What lowering hands out indexes from. */
export interface LoweringTables {
  readonly columns: ColumnTable;
  readonly constants: ConstantTable;
  readonly code: CodeTable;
  atoms(column: number): ColumnAtoms;
  /** Mark bit of a lineage condition's query. */
  mark(expr: LineageExpr): number;
}

/** The array whose element conditions are about, where they stand in a nested block. */
export interface Scope {
  readonly path?: string;
}

/** When a condition is true, and when it is false. Made when asked for: most conditions need only one of them. */
export interface Truth {
  isTrue(): Formula;
  isFalse(): Formula;
}

const relations = { descendant: Relation.Descendant, child: Relation.Child, event: Relation.Event } as const;
const mirrored = { '==': '==', '!=': '!=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const;
const nobody: Truth = { isTrue: () => never, isFalse: () => never };

/** Columns are final here: a field's column has its kind. */
export class Lowering {
  readonly #tables: LoweringTables;

  constructor(tables: LoweringTables) {
    this.#tables = tables;
  }

  /** The condition's two formulas. */
  condition(expr: Expr, scope: Scope = {}): Truth {
    switch (expr.kind) {
      case 'literal':
        return decided(expr.value);
      case 'field':
        return this.condition({ kind: 'compare', op: '==', left: expr, right: literalTrue, case: 'exact' }, scope);
      case 'and':
      case 'or':
        return this.#connect(expr.kind, expr.operands, scope);
      case 'not': {
        const { isTrue, isFalse } = this.condition(expr.operand, scope);
        return expr.missing === 'true' ? truth(() => complement(isTrue()), isTrue) : truth(isFalse, isTrue);
      }
      case 'compare':
        return this.#compare(expr, scope);
      case 'match':
        return this.#onField(expr, expr.value, scope, (cell) => this.#match(expr, cell));
      case 'regex':
        return this.#onField(expr, expr.value, scope, (cell) => this.#regex(expr, cell));
      case 'cidr':
        return this.#onField(expr, expr.value, scope, (cell) => this.#cidr(expr, cell));
      case 'isNull':
        return this.#isNull(expr.value, scope);
      case 'arithmetic':
        return this.#leaf(expr, scope);
      case 'call':
        return this.#call(expr, scope);
      case 'nested':
        if (scope.path !== undefined) return this.condition(innerSearch(expr, scope.path), scope);
        return this.#nested(expr);
      case 'lineage': {
        const holds = testOf({ kind: 'lineage', relation: relations[expr.relation], mark: this.#tables.mark(expr) });
        return truth(
          () => holds,
          () => complement(holds),
        );
      }
    }
  }

  #connect(kind: 'and' | 'or', operands: readonly Expr[], scope: Scope): Truth {
    const grouped = kind === 'or' ? mergeMatches(operands) : operands;
    const truths = grouped.map((operand) => this.condition(operand, scope));
    const isTrue = (): Formula[] => truths.map((operand) => operand.isTrue());
    const isFalse = (): Formula[] => truths.map((operand) => operand.isFalse());
    return kind === 'and'
      ? truth(
          () => allOf(isTrue()),
          () => anyOf(isFalse()),
        )
      : truth(
          () => anyOf(isTrue()),
          () => allOf(isFalse()),
        );
  }

  // ------------------------------------------------------------------------------------------- field tests

  #cell(name: string, { path }: Scope): Cell {
    return cellOf(this.#tables.columns, name, path);
  }

  #kind(cell: Cell): ColumnKind {
    return this.#tables.columns.kind(cell.column);
  }

  /**
   * Lowers a test of a field, which holds only where the field exists; fallback fields are tried in order. A value that
   * is no field, or a test that a column of its kind cannot answer, is a leaf.
   */
  #onField(whole: Expr, value: Expr, scope: Scope, lower: (cell: Cell) => Formula | undefined): Truth {
    if (value.kind !== 'field') return this.#leaf(whole, scope);
    const tried: { readonly exists: Formula; readonly holds: Formula }[] = [];
    for (const name of [value.name, ...(value.fallback ?? [])]) {
      const cell = this.#cell(name, scope);
      const holds = lower(cell);
      if (holds === undefined) return this.#leaf(whole, scope);
      tried.push({ exists: testOf({ kind: 'exists', cell }), holds });
    }
    const firstOf = (outcome: (one: { readonly exists: Formula; readonly holds: Formula }) => Formula): Formula =>
      tried.length === 1
        ? outcome(tried[0] as (typeof tried)[number])
        : tried.reduceRight<Formula>(
            (others, one) => anyOf([outcome(one), allOf([complement(one.exists), others])]),
            never,
          );
    return truth(
      () => firstOf(({ holds }) => holds),
      () => firstOf(({ exists, holds }) => allOf([exists, complement(holds)])),
    );
  }

  #match(expr: MatchExpr, cell: Cell): Formula | undefined {
    const patterns = expr.patterns.map(simplifyPattern);
    if (patterns.some(matchesAll)) return testOf({ kind: 'exists', cell });
    const kind = this.#kind(cell);
    if (kind === ColumnKind.Text) {
      return testOf({ kind: 'atom', cell, atom: this.#tables.atoms(cell.column).atom(patterns, expr.case) });
    }
    if (!patterns.every((pattern) => pattern.type === 'equals')) return undefined;
    if (kind === ColumnKind.Number)
      return this.#numberIn(
        cell,
        patterns.flatMap(({ text }) => canonicalNumber(text, expr.case)),
      );
    if (kind !== ColumnKind.Id || expr.case !== 'exact') return undefined;
    return anyOf(patterns.flatMap(({ text }) => this.#identity(cell, text)));
  }

  #numberIn(cell: Cell, values: readonly number[]): Formula {
    if (values.length === 0) return never;
    if (values.length === 1) return this.#number(cell, '==', values[0] as number);
    return testOf({ kind: 'numberSet', cell, constant: this.#tables.constants.numberSet(values) });
  }

  #number(cell: Cell, op: CompareExpr['op'], value: number): Formula {
    return testOf({ kind: 'number', cell, comparison: comparisons[op], constant: this.#tables.constants.value(value) });
  }

  /** An identity equals a text, or the number or boolean of that text: those have hashes of their own. */
  #identity(cell: Cell, text: string): Formula[] {
    const others: Value[] = [
      ...canonicalNumber(text, 'exact'),
      ...(text === 'true' || text === 'false' ? [text === 'true'] : []),
    ];
    return [text, ...others].map((value) =>
      testOf({ kind: 'id', cell, constant: this.#tables.constants.value(value) }),
    );
  }

  #regex(expr: RegexExpr, cell: Cell): Formula | undefined {
    if (this.#kind(cell) !== ColumnKind.Text) return undefined;
    const matches = testOf({ kind: 'host', cell, index: this.#tables.code.host(expr) });
    const literals = expr.patterns.map(requiredLiteral);
    if (literals.includes(undefined)) return matches;
    const needed = literals as RequiredLiteral[];
    const mode = expr.case !== 'exact' || needed.some(({ folds }) => folds) ? 'unicode' : 'exact';
    const patterns = needed.map(({ text }): TextPattern => ({ type: 'contains', text }));
    return allOf([testOf({ kind: 'atom', cell, atom: this.#tables.atoms(cell.column).atom(patterns, mode) }), matches]);
  }

  #cidr(expr: CidrExpr, cell: Cell): Formula | undefined {
    if (this.#kind(cell) !== ColumnKind.Text) return undefined;
    const { first, count } = this.#tables.constants.blocks(expr.blocks);
    if (count === 0) return never;
    return this.#checked(cell, { kind: ValueTest.Cidr, operand: first, count });
  }

  #checked(cell: Cell, check: ValueCheck): Formula {
    return testOf({ kind: 'atom', cell, atom: this.#tables.atoms(cell.column).atom([], 'exact', [check]) });
  }

  // -------------------------------------------------------------------------------------------- comparison

  #compare(expr: CompareExpr, scope: Scope): Truth {
    if (expr.left.kind === 'literal' && expr.right.kind !== 'literal') {
      const swapped: CompareExpr = { ...expr, op: mirrored[expr.op], left: expr.right, right: expr.left };
      return this.#compare(swapped, scope);
    }
    if (expr.op === '!=') return negated(this.#compare({ ...expr, op: '==' }, scope));
    if (expr.right.kind !== 'literal') return this.#leaf(expr, scope);
    if (isNullLiteral(expr.right)) return expr.op === '==' ? this.#isNull(expr.left, scope) : nobody;
    if (isCondition(expr.left) && typeof expr.right.value === 'boolean' && expr.op === '==') {
      const inner = this.condition(expr.left, scope);
      return expr.right.value ? inner : negated(inner);
    }
    const value = evaluate(expr.right, noFields);
    return this.#onField(expr, expr.left, scope, (cell) => this.#compareCell(cell, expr.op, value, expr.case));
  }

  #compareCell(cell: Cell, op: CompareExpr['op'], value: Value, mode: CaseMode): Formula | undefined {
    const kind = this.#kind(cell);
    if (kind === ColumnKind.Text) return this.#compareText(cell, op, value, mode);
    const number = typeof value === 'string' ? parseNumberText(value) : numeric(value);
    if (kind === ColumnKind.Number) return number === undefined ? never : this.#number(cell, op, number);
    if (kind !== ColumnKind.Id || op !== '==' || mode !== 'exact' || typeof value !== 'string') return undefined;
    return anyOf(this.#identity(cell, value));
  }

  #compareText(cell: Cell, op: CompareExpr['op'], value: Value, mode: CaseMode): Formula {
    const { constants } = this.#tables;
    const atoms = this.#tables.atoms(cell.column);
    const comparison = comparisons[op];
    const number = numeric(value);
    if (number !== undefined) {
      return this.#checked(cell, { kind: ValueTest.Number, comparison, operand: constants.value(number) });
    }
    const text = toText(value) as string;
    const written = typeof value === 'string' ? parseNumberText(text) : undefined;
    const checks: ValueCheck[] = [];
    const isCanonical = op === '==' && canonicalNumber(text, mode).length > 0;
    if (written !== undefined && !isCanonical) {
      checks.push({ kind: ValueTest.NumberOnly, comparison, operand: constants.value(written) });
    }
    if (op === '==') return testOf({ kind: 'atom', cell, atom: atoms.atom([{ type: 'equals', text }], mode, checks) });
    if (typeof value === 'boolean') return never;
    checks.push({
      kind: ValueTest.Text,
      comparison,
      space: textSpace[mode],
      operand: constants.value(fold(text, mode)),
    });
    return testOf({ kind: 'atom', cell, atom: atoms.atom([], mode, checks) });
  }

  #isNull(value: Expr, scope: Scope): Truth {
    const isKnown = this.#isKnown(value, scope);
    return truth(() => complement(isKnown()), isKnown);
  }

  /** When a value is not null. */
  #isKnown(value: Expr, scope: Scope): () => Formula {
    if (value.kind === 'field') {
      const cells = [value.name, ...(value.fallback ?? [])].map((name) => this.#cell(name, scope));
      return () => anyOf(cells.map((cell) => testOf({ kind: 'exists', cell })));
    }
    if (!isCondition(value)) return () => this.#outcome(value, scope, Outcome.Known);
    const { isTrue, isFalse } = this.condition(value, scope);
    return () => anyOf([isTrue(), isFalse()]);
  }

  // ------------------------------------------------------------------------------------------- expressions

  #call(expr: CallExpr, scope: Scope): Truth {
    const sugar = desugarCall(expr) ?? textTestOf(expr);
    if (sugar !== undefined) return this.condition(sugar, scope);
    if (expr.name === 'safe') return this.condition(expr.args[0] as Expr, scope);
    return this.#leaf(expr, scope);
  }

  #leaf(expr: Expr, scope: Scope): Truth {
    return truth(
      () => this.#outcome(expr, scope, Outcome.True),
      () => this.#outcome(expr, scope, Outcome.False),
    );
  }

  /** Whether an expression has an outcome. Over one TEXT cell that is an atom; over none it is known. */
  #outcome(expr: Expr, scope: Scope, outcome: Outcome): Formula {
    const compiler = new ExpressionCompiler(this.#tables.constants, this.#tables.code, (field, name) =>
      leafColumn(this.#tables.columns, field, name, scope.path),
    );
    const leaf = compiler.leaf(expr);
    const [word] = compiler.columns;
    if (word === undefined) return constant(hasOutcome(evaluate(expr, noFields), outcome));
    const cell = { column: word & LeafColumn.Mask, element: word >= LeafColumn.Element };
    const isFixed = ((word >>> LeafColumn.ItemShift) & LeafColumn.ItemMask) !== 0;
    if (compiler.columns.length > 1 || isFixed || this.#kind(cell) !== ColumnKind.Text) {
      return testOf({ kind: 'leaf', leaf, outcome });
    }
    return this.#expressionAtom(cell, leaf, outcome, hasOutcome(evaluate(expr, noFields), outcome));
  }

  #expressionAtom(cell: Cell, leaf: number, outcome: Outcome, whenMissing: boolean): Formula {
    const holds = this.#checked(cell, { kind: expressionTests[outcome], operand: leaf });
    const missing = complement(testOf({ kind: 'exists', cell }));
    const isSo =
      outcome === Outcome.False
        ? allOf([holds, complement(this.#checked(cell, { kind: ValueTest.ExpressionTrue, operand: leaf }))])
        : holds;
    return whenMissing ? anyOf([isSo, missing]) : isSo;
  }

  // ------------------------------------------------------------------------------------------------ arrays

  #nested(expr: NestedExpr): Truth {
    const condition = this.condition(expr.condition, { path: expr.path });
    const op = expr.count === undefined ? Comparison.GreaterOrEqual : comparisons[expr.count.op];
    const block = (of: Formula, comparison: Comparison, wanted: number): Formula => {
      const columns = this.#tables.columns.ofElements(expr.path);
      const index = this.#tables.code.nested(of, columns, comparison, wanted);
      return testOf({ kind: 'nested', block: index, condition: of, isAtLeastOne: needsOne(comparison, wanted) });
    };
    const isTrue = (): Formula => block(condition.isTrue(), op, expr.count?.value ?? 1);
    // A count is known as soon as there are elements; a search is false where it is false for some element.
    const isKnown = (): Formula =>
      block(expr.count === undefined ? condition.isFalse() : always, Comparison.GreaterOrEqual, 1);
    return truth(isTrue, () => allOf([isKnown(), complement(isTrue())]));
  }
}

const literalTrue: Expr = { kind: 'literal', value: true };
const noFields = { field: () => null };
const expressionTests: Readonly<Record<Outcome, ValueTest>> = {
  [Outcome.False]: ValueTest.ExpressionFalse,
  [Outcome.True]: ValueTest.ExpressionTrue,
  [Outcome.Known]: ValueTest.ExpressionKnown,
};

const truth = (isTrue: () => Formula, isFalse: () => Formula): Truth => ({ isTrue, isFalse });
const negated = ({ isTrue, isFalse }: Truth): Truth => truth(isFalse, isTrue);

/** Whether a count of 0 cannot satisfy the comparison. */
function needsOne(comparison: Comparison, wanted: number): boolean {
  if (comparison === Comparison.Equal || comparison === Comparison.GreaterOrEqual) return wanted >= 1;
  return comparison === Comparison.Greater && wanted >= 0;
}

function decided(value: Value): Truth {
  if (value === null) return nobody;
  return truth(
    () => constant(value === true),
    () => constant(value !== true),
  );
}

function hasOutcome(value: Value, outcome: Outcome): boolean {
  if (value === null) return false;
  return outcome === Outcome.Known || (value === true) === (outcome === Outcome.True);
}

/** The number whose canonical text this is; none where it is written another way. */
function canonicalNumber(text: string, mode: CaseMode): number[] {
  const number = parseNumberText(fold(text, mode));
  return number !== undefined && toText(number) === fold(text, mode) ? [number] : [];
}

/** An expression that has a truth rather than another value. */
export function isCondition(expr: Expr): boolean {
  switch (expr.kind) {
    case 'literal':
      return typeof expr.value === 'boolean';
    case 'field':
    case 'arithmetic':
      return false;
    case 'call':
      return desugarCall(expr) !== undefined || textTestOf(expr) !== undefined;
    default:
      return true;
  }
}

const textTests = { startsWith: 'prefix', endsWith: 'suffix', stringContains: 'contains' } as const;

/** `startsWith(field, "text")` and its like as a pattern. */
function textTestOf(expr: CallExpr): MatchExpr | undefined {
  const type = textTests[expr.name as keyof typeof textTests];
  const [value, part] = expr.args;
  if (type === undefined || value === undefined || part?.kind !== 'literal') return undefined;
  const text = toText(evaluate(part, noFields));
  return text === null ? undefined : { kind: 'match', value, patterns: [{ type, text }], case: expr.case };
}

/** Joins patterns on the same value into one list, so that they become one atom. */
function mergeMatches(operands: readonly Expr[]): readonly Expr[] {
  const groups = new Map<string, MatchExpr[]>();
  const rest: Expr[] = [];
  for (const operand of operands) {
    if (operand.kind !== 'match' || operand.value.kind !== 'field') {
      rest.push(operand);
      continue;
    }
    const key = [operand.case, operand.value.name, ...(operand.value.fallback ?? [])].join('\u0000');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [operand]);
    else known.push(operand);
  }
  const merged = [...groups.values()].map(([first, ...others]): Expr => {
    const whole = first as MatchExpr;
    return others.length === 0 ? whole : { ...whole, patterns: [whole, ...others].flatMap(({ patterns }) => patterns) };
  });
  return [...merged, ...rest];
}
