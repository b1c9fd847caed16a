/** What the sections of a program refer to in one another, gathered while they are checked. */
import type { ColumnKind } from '../core/abi/events.js';
import { ValueType } from '../core/abi/predicates.js';
import type { SectionView } from './section_view.js';

export interface ProgramFacts {
  /** Kind of each column. */
  readonly columns: readonly ColumnKind[];
  /** Atoms of each column. */
  readonly atoms: number[];
  readonly stringBytes: number;
  /** Type of each constant, and the count a number set starts with. */
  readonly constants: readonly { readonly type: ValueType; readonly number: number }[];
  readonly hosts: number;
  readonly leaves: number;
  /** Evidence fields. */
  readonly evidence: number;
}

/** A run of numbers or patterns among the constants. */
export function checkConstants(
  view: SectionView,
  facts: ProgramFacts,
  first: number,
  count: number,
  holds: (type: ValueType) => boolean,
): void {
  view.check(first + count <= facts.constants.length, 'a constant does not exist');
  for (let i = first; i < first + count; i++) {
    view.check(holds((facts.constants[i] as { type: ValueType }).type), 'a constant has the wrong type');
  }
}

export const isNumberType = (type: ValueType): boolean => type === ValueType.Integer || type === ValueType.Float;
