/** `Section.Columns` of a program: which fields become columns, and how their cells are kept. */
import { ColumnKind, ColumnRole, ColumnWord } from '../core/abi/events.js';

const KINDS = { text: ColumnKind.Text, number: ColumnKind.Number, id: ColumnKind.Id, time: ColumnKind.Time } as const;
const ROLES = {
  tiebreak: ColumnRole.Tiebreak,
  hostId: ColumnRole.HostId,
  hostName: ColumnRole.HostName,
  agentId: ColumnRole.AgentId,
} as const;

/** One column. Several may share a name: a field can be the time and, as text, what a rule compares. */
export interface ColumnSpec {
  readonly name: string;
  readonly kind: keyof typeof KINDS;
  /** `tiebreak` asks for a `number` column; the host roles for `text` or `id`. Each role at most once. */
  readonly role?: keyof typeof ROLES;
  /** A prefix of the name: the array of objects whose elements the column keeps apart. */
  readonly nested?: string;
}

/** Encodes the columns in order; a column's index is its place. */
export function encodeColumnTable(columns: readonly ColumnSpec[]): Uint8Array {
  const encoder = new TextEncoder();
  const names = columns.map((column) => encoder.encode(column.name));
  const namesStart = 4 + columns.length * ColumnWord.Count * 4;
  // Names are read in vectors: the section ends in padding.
  const bytes = new Uint8Array(namesStart + names.reduce((sum, name) => sum + name.length, 0) + 64);
  const words = new DataView(bytes.buffer);
  words.setUint32(0, columns.length, true);
  let nameOffset = namesStart;
  for (const [index, column] of columns.entries()) {
    const name = names[index] as Uint8Array;
    const set = (word: ColumnWord, value: number) =>
      words.setUint32(4 + (index * ColumnWord.Count + word) * 4, value, true);
    set(ColumnWord.Kind, KINDS[column.kind]);
    set(ColumnWord.Role, column.role === undefined ? ColumnRole.None : ROLES[column.role]);
    set(ColumnWord.NameOffset, nameOffset);
    set(ColumnWord.NameBytes, name.length);
    set(ColumnWord.NestedBytes, column.nested === undefined ? 0 : encoder.encode(column.nested).length);
    bytes.set(name, nameOffset);
    nameOffset += name.length;
  }
  return bytes;
}
