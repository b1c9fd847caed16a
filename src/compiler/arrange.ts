/** Orders the operands of formulas so that the test most likely to decide, for its work, comes first. */
import { Comparison } from '../core/abi/predicates.js';
import type { Formula, RowTest } from './formula.js';

/** Work of a test in units of a cell read, and how likely it is true of a row that gets there. */
interface Estimate {
  readonly cost: number;
  readonly chance: number;
}

/** Chance that an atom holds, from 0 to 1. */
export type AtomChance = (column: number, atom: number) => number;

/** The same formula with its operands in order. Equal formulas give equal results. */
export function arrange(formula: Formula, chanceOf: AtomChance): Formula {
  return arranged(formula, chanceOf).formula;
}

function arranged(formula: Formula, chanceOf: AtomChance): Estimate & { readonly formula: Formula } {
  if (formula.kind === 'constant') return { formula, cost: 0, chance: formula.value ? 1 : 0 };
  if (formula.kind === 'test') {
    const { cost, chance } = estimate(formula.test, chanceOf);
    return { formula, cost, chance: formula.negated ? 1 - chance : chance };
  }
  const isAnd = formula.kind === 'and';
  const parts = formula.operands.map((operand) => arranged(operand, chanceOf));
  // The order that is best where operands are independent: by work per chance to decide.
  const rank = ({ cost, chance }: Estimate): number => cost / Math.max(1e-6, isAnd ? 1 - chance : chance);
  parts.sort((a, b) => rank(a) - rank(b));
  let reached = 1;
  let cost = 0;
  for (const part of parts) {
    cost += reached * part.cost;
    reached *= isAnd ? part.chance : 1 - part.chance;
  }
  const operands = parts.map((part) => part.formula);
  return { formula: { kind: formula.kind, operands }, cost, chance: isAnd ? reached : 1 - reached };
}

function estimate(test: RowTest, chanceOf: AtomChance): Estimate {
  switch (test.kind) {
    case 'atom':
      return { cost: 2, chance: chanceOf(test.cell.column, test.atom) };
    case 'exists':
      return { cost: 1, chance: 0.5 };
    case 'number':
      return { cost: 1, chance: test.comparison === Comparison.Equal ? 0.02 : 0.5 };
    case 'numberSet':
      return { cost: 3, chance: 0.05 };
    case 'id':
      return { cost: 1, chance: 0.02 };
    case 'leaf':
      return { cost: 40, chance: 0.3 };
    case 'nested':
      return { cost: 60, chance: 0.1 };
    case 'lineage':
      return { cost: 60, chance: 0.1 };
    case 'host':
      return { cost: 40, chance: 0.1 };
  }
}
