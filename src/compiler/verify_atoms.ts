/** Checks one column's table of `Section.Atoms`. */
import {
  AtomTable,
  GramEntry,
  PatternRecord,
  PatternType,
  ScanEntry,
  TextSpace,
  ValueTest,
  ValueTestRecord,
  ValueType,
} from '../core/abi/predicates.js';
import { checkConstants, isNumberType, type ProgramFacts } from './program_facts.js';
import type { SectionView } from './section_view.js';

/** Checks the table at an offset; returns how many atoms it has. */
export function verifyAtomTable(view: SectionView, table: number, facts: ProgramFacts): number {
  const field = (name: AtomTable): number => view.u32(table + name);
  const atoms = field(AtomTable.AtomCount);
  const patterns = field(AtomTable.PatternCount);
  const literals = verifyPatterns(view, table, atoms, facts);
  verifyIndex(view, table, patterns, literals);
  const tests = view.records(field(AtomTable.Tests), field(AtomTable.TestCount), ValueTestRecord.Bytes, 'value tests');
  for (const at of view.each(tests)) {
    view.check(view.u32(at + ValueTestRecord.Atom) < atoms, 'a value test sets an atom that does not exist');
    verifyTest(view, at, facts);
  }
  return atoms;
}

/** Checks the patterns; returns the length of the literal of each that grams may lead to. */
function verifyPatterns(view: SectionView, table: number, atoms: number, facts: ProgramFacts): number[] {
  const field = (name: AtomTable): number => view.u32(table + name);
  const records = view.records(
    field(AtomTable.Patterns),
    field(AtomTable.PatternCount),
    PatternRecord.Bytes,
    'patterns',
  );
  return [...view.each(records)].map((at) => {
    const length = view.u32(at + PatternRecord.TextLength);
    const literal = view.u32(at + PatternRecord.LiteralLength);
    view.check(view.u32(at + PatternRecord.Type) <= PatternType.Wildcard, 'a pattern has an unknown type');
    view.check(view.u32(at + PatternRecord.Space) <= TextSpace.Unicode, 'a pattern has an unknown case mode');
    view.check(
      view.u32(at + PatternRecord.TextOffset) + length <= facts.stringBytes,
      'a pattern lies outside the strings',
    );
    view.check(view.u32(at + PatternRecord.LiteralStart) + literal <= length, 'a literal is longer than its pattern');
    const start = field(AtomTable.Postings) + 4 * view.u32(at + PatternRecord.PostingStart);
    for (const posting of view.each(view.records(start, view.u32(at + PatternRecord.PostingCount), 4, 'postings'))) {
      view.check(view.u32(posting) < atoms, 'a pattern sets an atom that does not exist');
    }
    return literal;
  });
}

/** Checks the ways that lead to patterns: every list ends, every search finds a free slot. */
function verifyIndex(view: SectionView, table: number, patterns: number, literals: readonly number[]): void {
  const field = (name: AtomTable): number => view.u32(table + name);
  const bits = (name: AtomTable, most: number): number => {
    view.check(field(name) <= most, 'a hash table is too large');
    return field(name);
  };
  const scans = view.records(field(AtomTable.Scans), field(AtomTable.ScanCount), ScanEntry.Bytes, 'scan entries');
  for (const at of view.each(scans)) {
    view.check(view.u32(at + ScanEntry.Pattern) < patterns, 'a scan entry has no pattern');
    for (const bit of [ScanEntry.FirstBit, ScanEntry.SecondBit]) {
      const value = view.u16(at + bit);
      view.check(value === 0xffff || value < 1024, 'a scan entry asks for a bit that no digest has');
    }
  }
  const equalsBits = bits(AtomTable.EqualsBits, 24);
  if (equalsBits > 0) {
    const slots = view.records(field(AtomTable.Equals), 2 ** equalsBits, 4, 'equal texts');
    const entries = [...view.each(slots)].map((at) => view.u32(at));
    view.check(
      entries.includes(0) && entries.every((entry) => entry <= patterns),
      'the table of equal texts is broken',
    );
  }
  const bitmapBits = bits(AtomTable.BitmapBits, 18);
  if (bitmapBits === 0) return;
  view.check(bitmapBits >= 3, 'the bitmap is too small');
  view.records(field(AtomTable.Bitmap), 2 ** bitmapBits / 8, 1, 'bitmap');
  verifyGrams(view, table, bits(AtomTable.HeadBits, 16), literals);
}

/** Each chain leads to entries before it, so it ends. */
function verifyGrams(view: SectionView, table: number, headBits: number, literals: readonly number[]): void {
  view.check(headBits > 0, 'there are no gram heads');
  const heads = view.records(view.u32(table + AtomTable.Heads), 2 ** headBits, 4, 'gram heads');
  const grams = view.u32(table + AtomTable.Grams);
  const seen = new Set<number>();
  for (const at of view.each(heads)) {
    let limit = Number.POSITIVE_INFINITY;
    for (let entry = view.u32(at); entry !== 0; ) {
      view.check(entry < limit && !seen.has(entry), 'a gram chain does not end');
      seen.add(entry);
      limit = entry;
      const gram = grams + (entry - 1) * GramEntry.Bytes;
      const literal = literals[view.u32(gram + GramEntry.Pattern)];
      view.check(literal !== undefined && view.u32(gram + GramEntry.Offset) + 4 <= literal, 'a gram has no literal');
      entry = view.u32(gram + GramEntry.Next);
    }
  }
}

function verifyTest(view: SectionView, at: number, facts: ProgramFacts): void {
  const kind: ValueTest = view.u32(at + ValueTestRecord.Kind);
  const operand = view.u32(at + ValueTestRecord.Operand);
  const count = view.u32(at + ValueTestRecord.Count);
  switch (kind) {
    case ValueTest.Number:
    case ValueTest.NumberOnly:
      checkConstants(view, facts, operand, 1, isNumberType);
      return;
    case ValueTest.Text:
      view.check(view.u32(at + ValueTestRecord.Space) <= TextSpace.Unicode, 'a test has an unknown case mode');
      checkConstants(view, facts, operand, 1, (type) => type === ValueType.Text);
      return;
    case ValueTest.Cidr:
      checkConstants(view, facts, operand, count, (type) => type === ValueType.Block);
      return;
    case ValueTest.ExpressionTrue:
    case ValueTest.ExpressionFalse:
    case ValueTest.ExpressionKnown:
      view.check(operand < facts.leaves, 'a leaf does not exist');
      return;
    default:
      view.check(false, `value test ${kind} does not exist`);
      return;
  }
}
