/**
 * What a program must know of process events whatever its rules say: which fields identify a process and its parent, and
 * which events start, fork and end one. Everything here is names and words, so that other schemas can be told by options.
 */
import { LineageColumn, SystemRole } from '../core/abi/state.js';
import type { EventQuery, Expr } from '../rule/ir.js';

/** Field names of process identity. `null` says that the events have no such field. */
export interface ProcessFields {
  readonly entityId: string | null;
  readonly pid: string | null;
  readonly start: string | null;
  /** A number that tells lives of one pid apart, such as macOS's pid version. */
  readonly pidVersion: string | null;
  readonly parentEntityId: string | null;
  readonly parentPid: string | null;
  readonly parentStart: string | null;
  /** Entity ids of the ancestors, nearest first. */
  readonly ancestry: string | null;
  readonly executable: string | null;
  readonly name: string | null;
  readonly commandLine: string | null;
  readonly args: string | null;
  readonly user: string | null;
  readonly parentExecutable: string | null;
  readonly parentName: string | null;
  readonly parentCommandLine: string | null;
  readonly parentArgs: string | null;
  readonly eventType: string | null;
  readonly eventAction: string | null;
  readonly eventId: string | null;
}

export const ecsProcessFields: ProcessFields = {
  entityId: 'process.entity_id',
  pid: 'process.pid',
  start: 'process.start',
  pidVersion: 'x.process.pidversion',
  parentEntityId: 'process.parent.entity_id',
  parentPid: 'process.parent.pid',
  parentStart: 'process.parent.start',
  ancestry: 'process.Ext.ancestry',
  executable: 'process.executable',
  name: 'process.name',
  commandLine: 'process.command_line',
  args: 'process.args',
  user: 'user.name',
  parentExecutable: 'process.parent.executable',
  parentName: 'process.parent.name',
  parentCommandLine: 'process.parent.command_line',
  parentArgs: 'process.parent.args',
  eventType: 'event.type',
  eventAction: 'event.action',
  eventId: 'event.id',
};

/** Words of `event.type` and `event.action` by what they say of the process. Producers differ; all of these are in use. */
const forkWords = ['fork', 'fork_event', 'clone', 'vfork'];
const startWords = [
  'start',
  'started',
  'exec',
  'exec_event',
  'executed',
  'create',
  'created',
  'creation',
  'process_started',
  'process_create',
  'ProcessRollup2',
  'Process creation',
];
const snapshotWords = ['already_running', 'existing_process', 'existing', 'snapshot'];
const endWords = [
  'end',
  'ended',
  'exit',
  'exited',
  'exit_event',
  'process_exit',
  'process_stopped',
  'process_terminated',
  'terminate',
  'terminated',
  'termination',
  'EndOfProcess',
];

const column: Readonly<Record<LineageColumn, keyof ProcessFields | undefined>> = {
  [LineageColumn.EntityId]: 'entityId',
  [LineageColumn.Pid]: 'pid',
  [LineageColumn.Start]: 'start',
  [LineageColumn.PidVersion]: 'pidVersion',
  [LineageColumn.ParentEntityId]: 'parentEntityId',
  [LineageColumn.ParentPid]: 'parentPid',
  [LineageColumn.ParentStart]: 'parentStart',
  [LineageColumn.Ancestry]: 'ancestry',
  [LineageColumn.Executable]: 'executable',
  [LineageColumn.Name]: 'name',
  [LineageColumn.CommandLine]: 'commandLine',
  [LineageColumn.Args]: 'args',
  [LineageColumn.User]: 'user',
  [LineageColumn.ParentExecutable]: 'parentExecutable',
  [LineageColumn.ParentName]: 'parentName',
  [LineageColumn.ParentCommandLine]: 'parentCommandLine',
  [LineageColumn.ParentArgs]: 'parentArgs',
  [LineageColumn.EventId]: 'eventId',
  [LineageColumn.Count]: undefined,
};

/** Columns that only image segments need: left out of programs without behaviour rules. */
const isImageColumn = (which: number): boolean =>
  which >= LineageColumn.Executable && which <= LineageColumn.ParentArgs;

const numberColumns: readonly number[] = [LineageColumn.Pid, LineageColumn.ParentPid];
const textColumns: readonly number[] = [LineageColumn.Ancestry];

/** The parts of the predicate builder that lineage needs. */
export interface LineageTarget {
  /** Column index of a field. */
  column(field: string, use: 'text' | 'number' | 'identity' | 'evidence'): number;
}

/**
 * Encodes `Section.Lineage` and takes its columns. Without `lineage` only the event id is named; without `images`
 * what a process ran is not kept.
 */
export function encodeLineage(
  target: LineageTarget,
  fields: ProcessFields,
  needs: { readonly lineage: boolean; readonly images: boolean },
): Uint8Array {
  const view = new DataView(new ArrayBuffer(LineageColumn.Count * 4));
  for (let which = 0; which < LineageColumn.Count; which++) {
    const key = column[which as LineageColumn];
    const field = key === undefined ? null : fields[key];
    const isWanted = which === LineageColumn.EventId || (needs.lineage && (needs.images || !isImageColumn(which)));
    view.setUint32(which * 4, field === null || !isWanted ? 0xffffffff : target.column(field, useOf(which)), true);
  }
  return new Uint8Array(view.buffer);
}

function useOf(which: number): 'text' | 'number' | 'identity' {
  if (numberColumns.includes(which)) return 'number';
  return textColumns.includes(which) || isImageColumn(which) ? 'text' : 'identity';
}

const anyOf = (field: string | null, words: readonly string[]): Expr[] =>
  field === null
    ? []
    : [
        {
          kind: 'match',
          value: { kind: 'field', name: field },
          patterns: words.map((text) => ({ type: 'equals', text })),
          case: 'ascii',
        },
      ];

const or = (operands: readonly Expr[]): Expr =>
  operands.length === 0 ? { kind: 'literal', value: false } : { kind: 'or', operands };

/**
 * Queries that say which part a process event plays, by role. An event that is not of the category `process`, or of no
 * category, plays none.
 */
export function systemQueries(
  fields: ProcessFields,
  categoryField: string,
): readonly { readonly role: SystemRole; readonly query: EventQuery }[] {
  const category: Expr = { kind: 'field', name: categoryField };
  const isProcess = or([{ kind: 'isNull', value: category }, ...anyOf(categoryField, ['process'])]);
  const says = (words: readonly string[]): Expr =>
    or([...anyOf(fields.eventType, words), ...anyOf(fields.eventAction, words)]);
  const isFork = says(forkWords);
  // A fork reported as `event.type: start` is no new image; one document may also report fork and exec together.
  const isStart = or([
    ...anyOf(fields.eventAction, startWords),
    {
      kind: 'and',
      operands: [says(startWords), { kind: 'not', operand: or([isFork, says(snapshotWords)]), missing: 'true' }],
    },
  ]);
  const query = (condition: Expr): EventQuery => ({
    category: null,
    condition: { kind: 'and', operands: [isProcess, condition] },
  });
  return [
    { role: SystemRole.Fork, query: query(isFork) },
    { role: SystemRole.Exec, query: query(isStart) },
    { role: SystemRole.Snapshot, query: query(says(snapshotWords)) },
    { role: SystemRole.Exit, query: query(says(endWords)) },
  ];
}
