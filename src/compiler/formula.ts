/**
 * Two-valued formulas over tests of one row. The compiler turns three-valued expressions into two formulas, one for
 * "is true" and one for "is false"; what is left over is null.
 */
import type { Comparison, Outcome } from '../core/abi/predicates.js';

/** A cell of the row; `element`: of the current element of the enclosing nested block. */
export interface Cell {
  readonly column: number;
  readonly element: boolean;
}

/** A two-valued test. False where the cell is missing. `isAtLeastOne`: true only if some element satisfies. */
export type RowTest =
  | { readonly kind: 'atom'; readonly cell: Cell; readonly atom: number }
  | { readonly kind: 'exists'; readonly cell: Cell }
  | { readonly kind: 'number'; readonly cell: Cell; readonly comparison: Comparison; readonly constant: number }
  | { readonly kind: 'numberSet'; readonly cell: Cell; readonly constant: number }
  | { readonly kind: 'id'; readonly cell: Cell; readonly constant: number }
  | { readonly kind: 'leaf'; readonly leaf: number; readonly outcome: Outcome }
  | { readonly kind: 'host'; readonly cell: Cell; readonly index: number }
  | { readonly kind: 'nested'; readonly block: number; readonly condition: Formula; readonly isAtLeastOne: boolean }
  | { readonly kind: 'lineage'; readonly relation: number; readonly mark: number };

export type Formula =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'test'; readonly test: RowTest; readonly negated: boolean }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Formula[] };

export const always: Formula = { kind: 'constant', value: true };
export const never: Formula = { kind: 'constant', value: false };

export const constant = (value: boolean): Formula => (value ? always : never);

export const testOf = (test: RowTest): Formula => ({ kind: 'test', test, negated: false });

/** Logical complement. */
export function complement(formula: Formula): Formula {
  switch (formula.kind) {
    case 'constant':
      return constant(!formula.value);
    case 'test':
      return { ...formula, negated: !formula.negated };
    case 'and':
      return anyOf(formula.operands.map(complement));
    case 'or':
      return allOf(formula.operands.map(complement));
  }
}

export const allOf = (operands: readonly Formula[]): Formula => connect('and', operands);
export const anyOf = (operands: readonly Formula[]): Formula => connect('or', operands);

function connect(kind: 'and' | 'or', operands: readonly Formula[]): Formula {
  const decisive = kind === 'or';
  const flat: Formula[] = [];
  for (const operand of operands) {
    if (operand.kind === 'constant') {
      if (operand.value === decisive) return operand;
    } else if (operand.kind === kind) flat.push(...operand.operands);
    else flat.push(operand);
  }
  const distinct = dropRepeated(flat);
  if (distinct.length === 0) return constant(!decisive);
  if (distinct.length === 1) return distinct[0] as Formula;
  return { kind, operands: distinct };
}

/** So few are compared with each other; of more, texts are made. */
const fewOperands = 6;

function isRepeated(formula: Formula, operands: readonly Formula[], at: number): boolean {
  for (let i = 0; i < at; i++) if (isSameTest(operands[i] as Formula, formula)) return true;
  return false;
}

function isSameTest(a: Formula, b: Formula): boolean {
  if (a.kind !== 'test' || b.kind !== 'test' || a.negated !== b.negated || a.test.kind !== b.test.kind) return false;
  if (a.test.kind !== 'atom' || b.test.kind !== 'atom') return keyOfTest(a.test) === keyOfTest(b.test);
  const { cell, atom } = a.test;
  return atom === b.test.atom && cell.column === b.test.cell.column && cell.element === b.test.cell.element;
}

function dropRepeated(operands: readonly Formula[]): Formula[] {
  if (operands.length < 2) return [...operands];
  if (operands.length <= fewOperands) return operands.filter((one, at) => !isRepeated(one, operands, at));
  const seen = new Set<string>();
  return operands.filter((operand) => {
    if (operand.kind !== 'test') return true;
    const key = `${operand.negated} ${keyOfTest(operand.test)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function keyOfTest(test: RowTest): string {
  switch (test.kind) {
    case 'leaf':
      return `leaf ${test.leaf} ${test.outcome}`;
    case 'nested':
      return `nested ${test.block}`;
    case 'lineage':
      return `lineage ${test.relation} ${test.mark}`;
    default: {
      const { column, element } = test.cell;
      const cell = `${test.kind} ${column} ${element}`;
      if (test.kind === 'exists') return cell;
      if (test.kind === 'atom') return `${cell} ${test.atom}`;
      if (test.kind === 'host') return `${cell} ${test.index}`;
      return test.kind === 'number' ? `${cell} ${test.comparison} ${test.constant}` : `${cell} ${test.constant}`;
    }
  }
}
