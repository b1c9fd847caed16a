/**
 * Checks the predicate sections of a program that came as bytes: every offset, index and jump lies where it must, so
 * that the kernel never reads outside of its sections, and every program ends.
 */
import { ColumnKind, ColumnWord } from '../core/abi/events.js';
import {
  CandidateHeader,
  CodeHeader,
  ConstantRecord,
  GuardLimit,
  GuardRecord,
  HostFunctionRecord,
  Instruction,
  InstructionFlag,
  Jump,
  KeyComponent,
  KeyHeader,
  KeyRecord,
  KeyValue,
  LeafColumn,
  LeafRecord,
  NestedRecord,
  Op,
  OpRecord,
  Test,
  TextSpace,
  ValueType,
} from '../core/abi/predicates.js';
import { Section } from '../core/abi/program.js';
import { EvidenceWord } from '../core/abi/state.js';
import { marksMax } from '../core/limits.js';
import { platforms } from '../core/paths.js';
import { decodeProgram, type Program } from './program.js';
import { checkConstants, isNumberType, type ProgramFacts } from './program_facts.js';
import { type Records, SectionView } from './section_view.js';
import { verifyAtomTable } from './verify_atoms.js';

const overReadBytes = 64;

/**
 * Reads a program and checks all that a kernel relies on.
 * @throws ProgramError `PROGRAM_FORMAT`, before anything is used.
 */
export function loadProgram(bytes: Uint8Array): Program {
  const program = decodeProgram(bytes);
  verifyPredicates(program.sections);
  return program;
}

/** @throws ProgramError `PROGRAM_FORMAT`, naming the section and what is wrong with it. */
export function verifyPredicates(sections: ReadonlyMap<Section, Uint8Array>): void {
  const view = (id: Section, name: string): SectionView => new SectionView(sections.get(id), name);
  const strings = view(Section.Strings, 'strings');
  const stringBytes = Math.max(0, strings.length - overReadBytes);
  const columns = columnKinds(view(Section.Columns, 'columns'));
  const constants = constantsOf(view(Section.Constants, 'constants'), stringBytes);
  const hosts = verifyHosts(view(Section.HostFunctions, 'regular expressions'), stringBytes);
  const code = view(Section.Code, 'code');
  const leaves = code.length === 0 ? 0 : code.u32(CodeHeader.LeafCount);
  const evidence = evidenceFields(view(Section.Evidence, 'evidence fields'), columns.length);
  const atoms = columns.map(() => 0);
  const facts: ProgramFacts = { columns, atoms, stringBytes, constants, hosts, leaves, evidence };
  verifyAtoms(view(Section.Atoms, 'atoms'), facts);
  const instructions = verifyCode(code, facts);
  const predicates = verifyEntries(view(Section.Predicates, 'predicates'), instructions);
  verifyCandidates(view(Section.Candidates, 'candidates'), facts, predicates);
  verifyKeys(view(Section.Keys, 'keys'), facts);
}

function columnKinds(view: SectionView): ColumnKind[] {
  if (view.length === 0) return [];
  const records = view.records(4, view.u32(0), ColumnWord.Count * 4, 'columns');
  view.check(records.count <= 0xffff, 'there are more than 65535 columns');
  return [...view.each(records)].map((at) => {
    const kind = view.u32(at + ColumnWord.Kind * 4);
    const end = view.u32(at + ColumnWord.NameOffset * 4) + view.u32(at + ColumnWord.NameBytes * 4);
    view.check(kind >= ColumnKind.Text && kind <= ColumnKind.Time, `a column has kind ${kind}`);
    view.check(end <= view.length, 'a name lies outside of it');
    view.check(
      view.u32(at + ColumnWord.NestedBytes * 4) <= view.u32(at + ColumnWord.NameBytes * 4),
      'a path is too long',
    );
    return kind;
  });
}

function evidenceFields(view: SectionView, columns: number): number {
  if (view.length === 0) return 0;
  const fields = view.records(4, view.u32(0), 4, 'fields');
  for (const at of view.each(fields)) {
    view.check((view.u32(at) & ~EvidenceWord.Kept) >>> 0 < columns, 'a column does not exist');
  }
  return fields.count;
}

function constantsOf(view: SectionView, stringBytes: number): { type: ValueType; number: number }[] {
  if (view.length === 0) return [];
  return [...view.each(view.records(8, view.u32(0), ConstantRecord.Bytes, 'constants'))].map((at) => {
    const type: ValueType = view.u32(at + ConstantRecord.Type);
    const isText = type === ValueType.Text || type === ValueType.Pattern || type === ValueType.Block;
    view.check(type <= ValueType.Block, `a constant has type ${type}`);
    if (isText) {
      const length = type === ValueType.Block ? 16 : view.u32(at + ConstantRecord.Length);
      view.check(view.u32(at + ConstantRecord.Payload) + length <= stringBytes, 'a text lies outside the strings');
      view.check(view.u32(at + ConstantRecord.Space) <= TextSpace.Unicode, 'a text has an unknown case mode');
      if (type === ValueType.Block) view.check(view.u32(at + ConstantRecord.Aux) <= 128, 'a prefix is longer than 128');
    }
    return { type, number: isText ? 0 : view.f64(at + ConstantRecord.Payload) };
  });
}

function verifyHosts(view: SectionView, stringBytes: number): number {
  if (view.length === 0) return 0;
  const records = view.records(4, view.u32(0), HostFunctionRecord.Bytes, 'records');
  for (const at of view.each(records)) {
    const end = view.u32(at + HostFunctionRecord.TextOffset) + view.u32(at + HostFunctionRecord.TextLength);
    view.check(end <= stringBytes, 'a pattern lies outside the strings');
  }
  return records.count;
}

function verifyAtoms(view: SectionView, facts: ProgramFacts): void {
  if (view.length === 0) return;
  view.check(view.u32(0) <= facts.columns.length, 'it has more tables than there are columns');
  for (let column = 0; column < view.u32(0); column++) {
    const table = view.u32(4 + 4 * column);
    if (table === 0) continue;
    view.check(facts.columns[column] === ColumnKind.Text, 'a column without text has atoms');
    facts.atoms[column] = verifyAtomTable(view, table, facts);
  }
}

// ------------------------------------------------------------------------------------------------------- code

function verifyCode(view: SectionView, facts: ProgramFacts): number {
  if (view.length === 0) return 0;
  const part = (offset: CodeHeader, count: CodeHeader, bytes: number, what: string): Records =>
    view.records(view.u32(offset), view.u32(count), bytes, what);
  const instructions = part(CodeHeader.Instructions, CodeHeader.InstructionCount, Instruction.Bytes, 'instructions');
  const leaves = part(CodeHeader.Leaves, CodeHeader.LeafCount, LeafRecord.Bytes, 'leaves');
  const nested = part(CodeHeader.Nested, CodeHeader.NestedCount, NestedRecord.Bytes, 'nested blocks');
  const columns = part(CodeHeader.Columns, CodeHeader.ColumnCount, 4, 'leaf columns');
  const operations = part(CodeHeader.Expressions, CodeHeader.ExpressionCount, OpRecord.Bytes, 'operations');
  for (const at of view.each(columns)) {
    const word = view.u32(at);
    const isOfStep = word >= LeafColumn.Element && ((word >>> LeafColumn.ItemShift) & LeafColumn.ItemMask) !== 0;
    const count = isOfStep ? facts.evidence : facts.columns.length;
    view.check((word & LeafColumn.Mask) < count, 'a leaf column does not exist');
  }
  for (const at of view.each(leaves)) {
    const end = view.u32(at + LeafRecord.Start) + view.u32(at + LeafRecord.Length);
    view.check(end <= operations.count, 'a leaf runs past the operations');
    view.check(
      view.u32(at + LeafRecord.ColumnStart) + view.u32(at + LeafRecord.ColumnCount) <= columns.count,
      'a leaf has no columns',
    );
  }
  for (const at of view.each(operations)) verifyOperation(view, at, facts);
  let index = 0;
  for (const at of view.each(instructions))
    verifyInstruction(view, at, index++, instructions.count, nested.count, facts);
  for (const at of view.each(nested)) verifyNested(view, at, instructions, columns, facts);
  return instructions.count;
}

function verifyOperation(view: SectionView, at: number, facts: ProgramFacts): void {
  const op: Op = view.u8(at + OpRecord.Op);
  const operand = view.u32(at + OpRecord.Operand);
  const count = view.u16(at + OpRecord.Count);
  if (op === Op.Constant) checkConstants(view, facts, operand, 1, (type) => type <= ValueType.Boolean);
  if (op === Op.Match) checkConstants(view, facts, operand, count, (type) => type === ValueType.Pattern);
  if (op === Op.Cidr) checkConstants(view, facts, operand, count, (type) => type === ValueType.Block);
  if (op === Op.PathKey) view.check(operand < platforms.length, 'a platform does not exist');
  if (op === Op.Host) view.check(operand < facts.hosts, 'a regular expression does not exist');
}

function verifyInstruction(
  view: SectionView,
  at: number,
  index: number,
  count: number,
  nestedCount: number,
  facts: ProgramFacts,
): void {
  for (const field of [Instruction.OnTrue, Instruction.OnFalse]) {
    const target = view.u32(at + field);
    const isEnd = target === Jump.True || target === Jump.False;
    view.check(isEnd || (target > index && target < count), 'a jump does not lead forward');
  }
  const test: Test = view.u8(at + Instruction.Test);
  const column = view.u16(at + Instruction.Column);
  const operand = view.u32(at + Instruction.Operand);
  const kind = facts.columns[column];
  const isElement = (view.u8(at + Instruction.Flags) & InstructionFlag.Element) !== 0;
  const isText = kind === ColumnKind.Text;
  switch (test) {
    case Test.Atom:
      view.check(isText && operand < (facts.atoms[column] ?? 0), 'an atom does not exist');
      return;
    case Test.Exists:
      view.check(kind !== undefined && (isText || !isElement), 'a column does not exist');
      return;
    case Test.Number:
      view.check(kind === ColumnKind.Number, 'a number is tested where there is none');
      checkConstants(view, facts, operand, 1, isNumberType);
      return;
    case Test.NumberSet:
      view.check(kind === ColumnKind.Number, 'a number is tested where there is none');
      checkConstants(view, facts, operand, 1 + (facts.constants[operand]?.number ?? 0), isNumberType);
      return;
    case Test.Id:
      view.check(kind === ColumnKind.Id && operand < facts.constants.length, 'an identity test is broken');
      return;
    case Test.Leaf:
      view.check(operand < facts.leaves, 'a leaf does not exist');
      return;
    case Test.Host:
      view.check(isText && operand < facts.hosts, 'a regular expression does not exist');
      return;
    case Test.Nested:
      view.check(operand < nestedCount, 'a nested block does not exist');
      return;
    case Test.Lineage:
      view.check(operand < marksMax, 'a mark does not exist');
      return;
    default:
      view.check(false, `test ${test} does not exist`);
      return;
  }
}

/** Blocks do not nest: their code has no nested test. That is found by walking what their entry reaches. */
function verifyNested(view: SectionView, at: number, code: Records, columns: Records, facts: ProgramFacts): void {
  const first = view.u32(at + NestedRecord.ColumnStart);
  const count = view.u32(at + NestedRecord.ColumnCount);
  view.check(first + count <= columns.count, 'a nested block has no columns');
  for (let i = first; i < first + count; i++) {
    const column = view.u32(columns.start + 4 * i);
    view.check(facts.columns[column] === ColumnKind.Text, 'a nested block counts elements of a column without lists');
  }
  const reached = new Set<number>();
  const open = [view.u32(at + NestedRecord.Entry)];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (index >= Jump.Unused || reached.has(index)) continue;
    view.check(index < code.count, 'a nested block starts outside the code');
    reached.add(index);
    const instruction = code.start + index * Instruction.Bytes;
    view.check(view.u8(instruction + Instruction.Test) !== Test.Nested, 'a nested block holds a nested block');
    open.push(view.u32(instruction + Instruction.OnTrue), view.u32(instruction + Instruction.OnFalse));
  }
}

function verifyEntries(view: SectionView, instructions: number): number {
  if (view.length === 0) return 0;
  const entries = view.records(4, view.u32(0), 4, 'entries');
  for (const at of view.each(entries)) {
    const entry = view.u32(at);
    view.check(entry >= Jump.Unused || entry < instructions, 'a predicate starts outside the code');
  }
  return entries.count;
}

// --------------------------------------------------------------------------------------- candidates and keys

function verifyCandidates(view: SectionView, facts: ProgramFacts, predicates: number): void {
  if (view.length === 0) return;
  const ids = (start: number, end: number): void => {
    view.check(start <= end && end <= view.length && (end - start) % 4 === 0, 'a list lies outside of it');
    for (let at = start; at < end; at += 4) view.check(view.u32(at) < predicates, 'a predicate does not exist');
  };
  const always = view.u32(CandidateHeader.AlwaysOffset);
  ids(always, always + 4 * view.u32(CandidateHeader.AlwaysCount));
  view.check(view.u32(CandidateHeader.ColumnCount) === facts.columns.length, 'it is for other columns');
  const postings = (starts: number, column: number): void => {
    for (let atom = 0; atom < (facts.atoms[column] as number); atom++) {
      ids(view.u32(starts + 4 * atom), view.u32(starts + 4 * atom + 4));
    }
  };
  facts.columns.forEach((_, column) => {
    const starts = view.u32(CandidateHeader.Columns + 4 * column);
    if (starts !== 0) postings(starts, column);
  });
  const guardCount = view.u32(CandidateHeader.GuardCount);
  view.check(guardCount <= GuardLimit.Count, 'it has too many guards');
  const guards = view.records(view.u32(CandidateHeader.GuardsOffset), guardCount, GuardRecord.Bytes, 'guards');
  for (const at of view.each(guards)) {
    const column = view.u32(at + GuardRecord.Column);
    view.check(facts.columns[column] === ColumnKind.Text, 'a guard has no column');
    postings(view.u32(at + GuardRecord.Starts), column);
    ids(view.u32(at + GuardRecord.Needs), view.u32(at + GuardRecord.NeedsEnd));
  }
}

function verifyKeys(view: SectionView, facts: ProgramFacts): void {
  if (view.length === 0) return;
  const keys = view.records(view.u32(KeyHeader.Keys), view.u32(KeyHeader.KeyCount), KeyRecord.Bytes, 'keys');
  const count = view.u32(KeyHeader.ComponentCount);
  const components = view.records(view.u32(KeyHeader.Components), count, KeyComponent.Bytes, 'components');
  for (const at of view.each(keys)) {
    view.check(view.u32(at + KeyRecord.Start) + view.u32(at + KeyRecord.Count) <= count, 'a component does not exist');
  }
  for (const at of view.each(components)) {
    const column = view.u32(at + KeyComponent.Column);
    const exists =
      column === KeyValue.Leaf ? view.u32(at + KeyComponent.Leaf) < facts.leaves : column < facts.columns.length;
    view.check(exists, 'a component reads nothing');
  }
}
