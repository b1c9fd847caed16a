/** The atoms of one column: conditions on a single value, each once however many rules ask. */
import {
  AtomTable,
  AtomTableFlag,
  type Comparison,
  PatternRecord,
  PatternType,
  TextSpace,
  type ValueTest,
  ValueTestRecord,
} from '../core/abi/predicates.js';
import type { CaseMode, TextPattern } from '../rule/ir.js';
import { fold } from '../rule/semantics.js';
import { patternType, textSpace } from './constants.js';
import { buildPatternIndex } from './pattern_index.js';
import { SectionWriter, type StringTable } from './section_writer.js';
import { utf8Bytes, wildcardBytes } from './wildcard.js';

/** A distinct text pattern of a column and the atoms that it makes true. */
export interface Pattern {
  readonly type: PatternType;
  readonly space: TextSpace;
  readonly bytes: Uint8Array;
  /** Place among the patterns of the column. */
  readonly number: number;
  readonly atoms: number[];
}

/** A test of a value that is not a text pattern. */
export interface ValueCheck {
  readonly kind: ValueTest;
  readonly comparison?: Comparison;
  readonly space?: TextSpace;
  readonly operand: number;
  readonly count?: number;
}

/** All `equals` patterns; some other pattern; only checks. */
export type AtomShape = 'equals' | 'pattern' | 'check';

/** The same for equal sets of patterns and checks, in whatever order the patterns come. */
function keyOf(patterns: readonly Pattern[], mode: CaseMode, checks: readonly ValueCheck[]): string {
  const tested = checks.length === 0 ? '' : JSON.stringify(checks);
  if (patterns.length < 2) return `${mode} ${patterns[0]?.number ?? ''} ${tested}`;
  const numbers = patterns.map(({ number }) => number).sort((a, b) => a - b);
  return `${mode} ${numbers.join()} ${tested}`;
}

/** Collects atoms; an atom is true when any of its patterns or checks is. */
export class ColumnAtoms {
  readonly #atoms = new Map<string, number>();
  readonly #patterns: Pattern[] = [];
  /** Patterns by text, for each type and space. */
  readonly #texts = new Map<string, Map<string, Pattern>>();
  readonly #shapes: AtomShape[] = [];
  readonly #checks: { readonly atom: number; readonly check: ValueCheck }[] = [];

  get count(): number {
    return this.#atoms.size;
  }

  /** The atom that is true when any pattern, already simplified, or any check is. */
  atom(patterns: readonly TextPattern[], mode: CaseMode, checks: readonly ValueCheck[] = []): number {
    const own = patterns.map((pattern) => this.#pattern(pattern, mode));
    const key = keyOf(own, mode, checks);
    const known = this.#atoms.get(key);
    if (known !== undefined) return known;
    const atom = this.#atoms.size;
    this.#atoms.set(key, atom);
    const isEqual = checks.length === 0 && own.every(({ type }) => type === PatternType.Equals);
    this.#shapes.push(isEqual ? 'equals' : own.length > 0 ? 'pattern' : 'check');
    // Atoms come in order: if it is there, it is the last.
    for (const { atoms } of own) if (atoms.at(-1) !== atom) atoms.push(atom);
    for (const check of checks) this.#checks.push({ atom, check });
    return atom;
  }

  /** What kind of tests an atom is made of. */
  shape(atom: number): AtomShape {
    return this.#shapes[atom] ?? 'check';
  }

  /** The column's pattern of that type and text; a new one is true of no atom yet. */
  #pattern({ type, text }: TextPattern, mode: CaseMode): Pattern {
    const space = textSpace[mode];
    const folded = fold(text, mode);
    const texts = this.#textsOf(type, mode);
    let entry = texts.get(folded);
    if (entry === undefined) {
      const bytes = type === 'wildcard' ? wildcardBytes(folded) : utf8Bytes(folded);
      entry = { type: patternType[type], space, bytes, number: this.#patterns.length, atoms: [] };
      this.#patterns.push(entry);
      texts.set(folded, entry);
    }
    return entry;
  }

  #textsOf(type: TextPattern['type'], mode: CaseMode): Map<string, Pattern> {
    const key = type + mode;
    let texts = this.#texts.get(key);
    if (texts === undefined) {
      texts = new Map();
      this.#texts.set(key, texts);
    }
    return texts;
  }

  /** Writes the column's table and returns its offset. */
  encode(writer: SectionWriter, strings: StringTable): number {
    const patterns = this.#patterns;
    writer.align(16);
    const header = writer.length;
    writer.zeros(AtomTable.Bytes);
    const set = (field: AtomTable, value: number): void => writer.patch(header + field, value);
    set(AtomTable.AtomCount, this.count);
    set(AtomTable.PatternCount, patterns.length);
    set(AtomTable.Flags, flagsOf(patterns));
    const index = buildPatternIndex(patterns);
    this.#writePatterns(writer, strings, patterns, index.anchors, set);
    index.write(writer, set);
    set(AtomTable.Tests, writer.length);
    set(AtomTable.TestCount, this.#checks.length);
    for (const { atom, check } of this.#checks) writeCheck(writer, atom, check);
    return header;
  }

  #writePatterns(
    writer: SectionWriter,
    strings: StringTable,
    patterns: readonly Pattern[],
    anchors: ReadonlyMap<Pattern, { readonly start: number; readonly length: number }>,
    set: (field: AtomTable, value: number) => void,
  ): void {
    set(AtomTable.Patterns, writer.length);
    let posting = 0;
    for (const pattern of patterns) {
      const start = writer.length;
      const text = strings.add(pattern.bytes);
      const literal = anchors.get(pattern) ?? { start: 0, length: 0 };
      writer.zeros(PatternRecord.Bytes);
      writer.patch(start + PatternRecord.Type, pattern.type);
      writer.patch(start + PatternRecord.Space, pattern.space);
      writer.patch(start + PatternRecord.TextOffset, text.offset);
      writer.patch(start + PatternRecord.TextLength, text.length);
      writer.patch(start + PatternRecord.PostingStart, posting);
      writer.patch(start + PatternRecord.PostingCount, pattern.atoms.length);
      writer.patch(start + PatternRecord.LiteralStart, literal.start);
      writer.patch(start + PatternRecord.LiteralLength, literal.length);
      posting += pattern.atoms.length;
    }
    set(AtomTable.Postings, writer.length);
    for (const pattern of patterns) for (const atom of pattern.atoms) writer.u32(atom);
  }
}

function flagsOf(patterns: readonly Pattern[]): number {
  const has = (test: (pattern: Pattern) => boolean, flag: AtomTableFlag): number => (patterns.some(test) ? flag : 0);
  return (
    has((pattern) => pattern.space === TextSpace.Unicode, AtomTableFlag.HasUnicode) |
    has(({ space, type }) => space === TextSpace.Exact && type === PatternType.Equals, AtomTableFlag.HasExact) |
    has(({ space, type }) => space !== TextSpace.Exact && type === PatternType.Equals, AtomTableFlag.HasFolded)
  );
}

function writeCheck(writer: SectionWriter, atom: number, check: ValueCheck): void {
  const start = writer.length;
  writer.zeros(ValueTestRecord.Bytes);
  writer.patch(start + ValueTestRecord.Kind, check.kind);
  writer.patch(start + ValueTestRecord.Atom, atom);
  writer.patch(start + ValueTestRecord.Comparison, check.comparison ?? 0);
  writer.patch(start + ValueTestRecord.Space, check.space ?? 0);
  writer.patch(start + ValueTestRecord.Operand, check.operand);
  writer.patch(start + ValueTestRecord.Count, check.count ?? 0);
}

/** `Section.Atoms`: the tables of all columns that have atoms. */
export function encodeAtoms(columns: readonly (ColumnAtoms | undefined)[], strings: StringTable): Uint8Array {
  const writer = new SectionWriter();
  writer.u32(columns.length);
  writer.zeros(4 * columns.length);
  columns.forEach((atoms, column) => {
    if (atoms !== undefined && atoms.count > 0) writer.patch(4 + 4 * column, atoms.encode(writer, strings));
  });
  // Texts and tables are read in vectors.
  writer.zeros(64);
  return writer.finish();
}
