/** What of a snapshot fits the rules that are loaded now: columns by name, marks by condition, rules by fingerprint. */
import type { CompiledProgram } from '../compiler/compile.js';
import type { RestoreIndexes } from '../kernel/restore_records.js';
import { ruleFingerprint } from '../rule/fingerprint.js';
import type { SnapshotHeader } from './snapshot.js';

/** What `restore` kept. */
export interface RestoreReport {
  /** Ids of rules whose state goes on. */
  readonly kept: readonly string[];
  /** Rules of the snapshot whose state was left out, with the reason. */
  readonly dropped: readonly { readonly rule: string; readonly reason: string }[];
  /** Rules that the snapshot did not have: they start without a past. */
  readonly added: readonly string[];
}

export interface RestorePlan {
  readonly report: RestoreReport;
  readonly kept: ReadonlySet<string>;
  readonly indexes: RestoreIndexes;
}

const none = 0xffff;

type ProgramDescription = Pick<SnapshotHeader, 'columns' | 'fields' | 'marks' | 'rules'>;

/** A program does not change, and the fingerprints of its rules take longer than a small snapshot. */
const descriptions = new WeakMap<CompiledProgram, ProgramDescription>();

/** The parts of the header that describe a program. */
export function describeProgram(program: CompiledProgram): ProgramDescription {
  const known = descriptions.get(program) ?? describe(program);
  descriptions.set(program, known);
  return known;
}

function describe(program: CompiledProgram): ProgramDescription {
  return {
    columns: program.columns.map(({ name, kind, nested }) => ({
      name,
      kind,
      ...(nested === undefined ? {} : { nested }),
    })),
    fields: program.evidenceFields,
    marks: program.markTexts,
    rules: program.rules.map((rule) => ({ id: rule.id, fingerprint: ruleFingerprint(rule) })),
  };
}

export function planRestore(header: SnapshotHeader, program: CompiledProgram): RestorePlan {
  const now = describeProgram(program);
  const columnKey = (column: SnapshotHeader['columns'][number]): string =>
    JSON.stringify([column.name, column.kind, column.nested ?? '']);
  const columnIndex = new Map(now.columns.map((column, index) => [columnKey(column), index]));
  const markBit = new Map(now.marks.map((text, bit) => [text, bit]));
  const fieldIndex = new Map(now.fields.map((name, index) => [name, index]));
  const ruleIndex = new Map(now.rules.map(({ id, fingerprint }, index) => [id, { fingerprint, index }]));
  const old = new Set(header.rules.map(({ id }) => id));
  const isKept = ({ id, fingerprint }: { readonly id: string; readonly fingerprint: string }): boolean =>
    ruleIndex.get(id)?.fingerprint === fingerprint;
  const kept = header.rules.filter(isKept).map(({ id }) => id);
  const dropped = header.rules
    .filter((rule) => !isKept(rule))
    .map(({ id }) => ({ rule: id, reason: ruleIndex.has(id) ? 'the rule has changed' : 'the rule is not loaded' }));
  return {
    report: { kept, dropped, added: now.rules.map(({ id }) => id).filter((id) => !old.has(id)) },
    kept: new Set(kept),
    indexes: {
      columns: header.columns.map((column) => columnIndex.get(columnKey(column)) ?? none),
      marks: header.marks.map((text) => markBit.get(text) ?? 0xff),
      rules: header.rules.map((rule) => (isKept(rule) ? (ruleIndex.get(rule.id)?.index ?? none) : none)),
      fields: header.fields.map((name) => fieldIndex.get(name) ?? none),
    },
  };
}
