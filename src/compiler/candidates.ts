/**
 * Witnesses: for each predicate a set of atoms one of which must hold for it to be true, as rare as can be told without
 * events. Rows without a true witness never get to the predicate. `Section.Candidates`.
 */
import { CandidateHeader, GuardLimit, GuardRecord } from '../core/abi/predicates.js';
import type { AtomShape } from './atom_table.js';
import type { Formula } from './formula.js';
import { SectionWriter } from './section_writer.js';

/** An atom of a column, or that the column has a value at all. */
export interface WitnessAtom {
  readonly column: number;
  readonly atom: number | 'exists';
}

export interface Witness {
  readonly atoms: readonly WitnessAtom[];
  /** How often rows are expected to have one, in a unit of its own. */
  readonly frequency: number;
}

/** How often an atom is expected to hold, in a unit of its own. */
export type AtomFrequency = (column: number, atom: number | 'exists') => number;

/** The best witness of a formula, or undefined where it has none. `frequency` rates an atom. */
export function witnessOf(formula: Formula, frequency: AtomFrequency): Witness | undefined {
  switch (formula.kind) {
    case 'constant':
      return formula.value ? undefined : { atoms: [], frequency: 0 };
    case 'test': {
      const { test, negated } = formula;
      if (negated) return undefined;
      if (test.kind === 'nested') return test.isAtLeastOne ? witnessOf(test.condition, frequency) : undefined;
      if (test.kind !== 'atom' && test.kind !== 'host' && test.kind !== 'exists') return undefined;
      const { column } = test.cell;
      const atom = test.kind === 'atom' ? test.atom : 'exists';
      const often = frequency(column, atom);
      return often === Number.POSITIVE_INFINITY ? undefined : { atoms: [{ column, atom }], frequency: often };
    }
    case 'and':
      return formula.operands.reduce<Witness | undefined>((best, operand) => {
        const witness = witnessOf(operand, frequency);
        if (witness === undefined) return best;
        return best === undefined || witness.frequency < best.frequency ? witness : best;
      }, undefined);
    case 'or': {
      const witnesses = formula.operands.map((operand) => witnessOf(operand, frequency));
      if (witnesses.includes(undefined)) return undefined;
      const all = witnesses as Witness[];
      return { atoms: all.flatMap(({ atoms }) => atoms), frequency: all.reduce((sum, one) => sum + one.frequency, 0) };
    }
  }
}

/** Fields whose values are shared by a large part of all events, and by many events. */
const ubiquitousFields = /^(?:event\.(?:category|type|kind|outcome)|host\.os\.|agent\.type|ecs\.)/;
const commonFields =
  /^(?:event\.(?:action|module|dataset|provider|code)|data_stream\.|winlog\.channel|user\.id|network\.(?:direction|type|protocol|transport)|process\.(?:.*\.)?(?:code_signature|entry_meta)\.)/;

/** Fields that most events of some category have. */
const presentFields =
  /^(?:process\.|user\.|host\.|file\.(?:path|name|extension)|source\.|destination\.|network\.|agent\.|ecs\.|data_stream\.)/;

/** How often a field is expected to have a value. */
export function expectedPresence(field: string): number {
  return ubiquitousFields.test(field) || commonFields.test(field) || presentFields.test(field) ? 5000 : 200;
}

/** How often an atom is expected to hold. A text that is equal is rarer than a pattern, a pattern rarer than a check. */
export function expectedFrequency(field: string, shape: AtomShape): number {
  const base = ubiquitousFields.test(field) ? 3000 : commonFields.test(field) ? 500 : 10;
  return base * (shape === 'equals' ? 1 : shape === 'pattern' ? 1.5 : 20);
}

/** The expected frequency as a chance from 0 to 1. */
export function expectedChance(frequency: number): number {
  return frequency / (frequency + 2000);
}

/** A predicate that needs one of certain atoms of a column. */
interface Need {
  readonly id: number;
  readonly atoms: readonly number[];
}

/** A column by which candidates are thinned out: a predicate that needs an atom of it is no candidate without. */
export interface Guard {
  readonly column: number;
  readonly needs: readonly Need[];
}

/** A guard costs a look at one cell of each row; it must spare some predicates. */
const needsMin = 4;

/** Collects what the predicates of a rule set need. */
export class GuardBuilder {
  readonly #needs: ReadonlyMap<number, Need[]>;

  /** `columns`: those that may be guards. */
  constructor(columns: readonly number[]) {
    this.#needs = new Map(columns.map((column): [number, Need[]] => [column, []]));
  }

  /** Adds what a predicate needs. */
  add(id: number, formula: Formula): void {
    const needed = neededAtoms(formula);
    // What is never true needs anything at all, of every column.
    if (needed === 'impossible') for (const ofColumn of this.#needs.values()) ofColumn.push({ id, atoms: [] });
    else for (const { column, atoms } of needed) this.#needs.get(column)?.push({ id, atoms });
  }

  /** The columns that most predicates need something of. */
  guards(): Guard[] {
    return [...this.#needs]
      .map(([column, ofColumn]) => ({ column, needs: ofColumn }))
      .filter((guard) => guard.needs.length >= needsMin)
      .sort((a, b) => b.needs.length - a.needs.length || a.column - b.column)
      .slice(0, GuardLimit.Count);
  }
}

/** Atoms of a column one of which must hold for a formula to be true. */
interface Needed {
  readonly column: number;
  readonly atoms: readonly number[];
}

/** Each column at most once, with the fewest atoms; `impossible`: the formula is never true. */
type NeededAtoms = readonly Needed[] | 'impossible';

const nothingNeeded: NeededAtoms = [];

function neededAtoms(formula: Formula): NeededAtoms {
  switch (formula.kind) {
    case 'constant':
      return formula.value ? nothingNeeded : 'impossible';
    case 'test': {
      const { test, negated } = formula;
      if (negated) return nothingNeeded;
      if (test.kind === 'nested') return test.isAtLeastOne ? neededAtoms(test.condition) : nothingNeeded;
      return test.kind === 'atom' ? [{ column: test.cell.column, atoms: [test.atom] }] : nothingNeeded;
    }
    case 'and':
      return neededOfAll(formula.operands);
    case 'or':
      return neededOfAny(formula.operands);
  }
}

const placeOf = (needed: readonly Needed[], column: number): number => {
  for (let i = 0; i < needed.length; i++) if ((needed[i] as Needed).column === column) return i;
  return -1;
};

function neededOfAll(operands: readonly Formula[]): NeededAtoms {
  const fewest: Needed[] = [];
  for (const operand of operands) {
    const needed = neededAtoms(operand);
    if (needed === 'impossible') return needed;
    for (const one of needed) {
      const at = placeOf(fewest, one.column);
      if (at < 0) fewest.push(one);
      else if (one.atoms.length < (fewest[at] as Needed).atoms.length) fewest[at] = one;
    }
  }
  return fewest;
}

function neededOfAny(operands: readonly Formula[]): NeededAtoms {
  const all: (readonly Needed[])[] = [];
  for (const operand of operands) {
    const needed = neededAtoms(operand);
    if (needed !== 'impossible') all.push(needed);
  }
  const [first, ...others] = all;
  if (first === undefined) return 'impossible';
  if (others.length === 0) return first;
  return first
    .filter(({ column }) => others.every((needed) => placeOf(needed, column) >= 0))
    .map(({ column }) => ({
      column,
      atoms: all.flatMap((needed) => (needed[placeOf(needed, column)] as Needed).atoms),
    }));
}

function encodeGuards(writer: SectionWriter, guards: readonly Guard[], atomCounts: readonly number[]): void {
  const records = writer.length;
  writer.patch(CandidateHeader.GuardsOffset, records);
  writer.patch(CandidateHeader.GuardCount, guards.length);
  writer.zeros(guards.length * GuardRecord.Bytes);
  guards.forEach(({ column, needs }, index) => {
    const record = records + index * GuardRecord.Bytes;
    const passed = new Map<number, number[]>();
    for (const { id, atoms } of needs) {
      for (const atom of atoms) post(passed, atom, id);
    }
    writer.patch(record + GuardRecord.Column, column);
    writer.patch(record + GuardRecord.Starts, writer.length);
    writePostings(writer, passed, atomCounts[column] as number);
    writer.patch(record + GuardRecord.Needs, writer.length);
    for (const { id } of needs) writer.u32(id);
    writer.patch(record + GuardRecord.NeedsEnd, writer.length);
  });
}

/** Encodes the candidates. `atomCounts[c]` is the number of atoms of column c. */
export function encodeCandidates(
  atomCounts: readonly number[],
  predicates: readonly {
    readonly id: number;
    readonly witness: readonly { column: number; atom: number }[] | undefined;
  }[],
  guards: readonly Guard[],
): Uint8Array {
  const always = predicates.filter(({ witness }) => witness === undefined).map(({ id }) => id);
  const postings = atomCounts.map(() => new Map<number, number[]>());
  for (const { id, witness } of predicates) {
    for (const { column, atom } of witness ?? []) {
      post(postings[column] as Map<number, number[]>, atom, id);
    }
  }
  const writer = new SectionWriter();
  writer.u32(atomCounts.length);
  writer.zeros(CandidateHeader.Columns - 4 + 4 * atomCounts.length);
  writer.patch(CandidateHeader.AlwaysOffset, writer.length);
  writer.patch(CandidateHeader.AlwaysCount, always.length);
  for (const id of always) writer.u32(id);
  postings.forEach((ofColumn, column) => {
    if (ofColumn.size === 0) return;
    writer.patch(CandidateHeader.Columns + 4 * column, writer.length);
    writePostings(writer, ofColumn, atomCounts[column] as number);
  });
  encodeGuards(writer, guards, atomCounts);
  return writer.finish();
}

/** Ids come in order: one that is there already is the last. */
function post(postings: Map<number, number[]>, atom: number, id: number): void {
  const ids = postings.get(atom);
  if (ids === undefined) postings.set(atom, [id]);
  else if (ids.at(-1) !== id) ids.push(id);
}

function writePostings(
  writer: SectionWriter,
  postings: ReadonlyMap<number, readonly number[]>,
  atomCount: number,
): void {
  const starts = writer.length;
  writer.zeros(4 * (atomCount + 1));
  for (let atom = 0; atom < atomCount; atom++) {
    writer.patch(starts + 4 * atom, writer.length);
    for (const id of postings.get(atom) ?? []) writer.u32(id);
  }
  writer.patch(starts + 4 * atomCount, writer.length);
}
