/** The columns of a program: which fields it reads, and how the kernel keeps each. */
import { ColumnKind, ColumnRole, ColumnWord } from '../core/abi/events.js';
import { checkPatternCount, isFieldPattern } from './field_patterns.js';
import { SectionWriter } from './section_writer.js';

/**
 * What a rule does with a field.
 * `text`: matches patterns on its values. `number`: compares it with numbers, or with text but not by identity.
 * `identity`: joins by it, tests whether it is missing, or whether it equals a constant text.
 * `value`: reads it into an expression. `evidence`: carries it into alerts.
 */
export type ColumnUse = 'text' | 'number' | 'identity' | 'value' | 'evidence';

/** How a field may be kept: as a single number, as a single identity (`distinct`: where only alerts carry it), or as any values. */
export type FieldClass = 'number' | 'identity' | 'distinct' | 'text';

/** A column of the linked program. `nested`: path of the array of objects it is read element by element from. */
export interface Column {
  readonly index: number;
  readonly name: string;
  readonly kind: ColumnKind;
  readonly role: ColumnRole;
  readonly nested?: string;
}

interface Entry {
  readonly name: string;
  readonly nested: string | undefined;
  readonly uses: Set<ColumnUse>;
  readonly isPattern: boolean;
  role: ColumnRole;
  fixed: ColumnKind | undefined;
}

const isCarriedOnly = (uses: ReadonlySet<ColumnUse>): boolean => uses.size === 1 && uses.has('evidence');

/**
 * Hands out column indexes while rules are added; what kind a column has is known once all uses are.
 * A field read both as a whole and element by element has two columns.
 */
export class ColumnTable {
  readonly #entries: Entry[] = [];
  /** By name, for each variant and nested path. */
  readonly #index = new Map<string, Map<string, number>>();
  readonly #plain = new Map<string, number>();
  readonly #classOf: (field: string) => FieldClass;
  readonly #kept: string[] = [];
  #patterns = 0;

  constructor(classOf: (field: string) => FieldClass) {
    this.#classOf = classOf;
  }

  /** The index of the field's column. */
  use(field: string, use: ColumnUse, nested?: string): number {
    const index = this.#entry(field, nested, '');
    (this.#entries[index] as Entry).uses.add(use);
    return index;
  }

  /** Index of a field among those whose values are kept of a sequence's events, for its later steps to read. */
  keep(field: string): number {
    this.use(field, 'number');
    const known = this.#kept.indexOf(field);
    return known >= 0 ? known : this.#kept.push(field) - 1;
  }

  /** The fields kept for later steps, by index. */
  get kept(): readonly string[] {
    return this.#kept;
  }

  /** The index of a column whose kind is given: the event time, the tiebreaker, what names the host. */
  fixed(field: string, kind: ColumnKind, role: ColumnRole): number {
    const isOwn = kind === ColumnKind.Time || kind === ColumnKind.Number;
    const index = this.#entry(field, undefined, isOwn ? String(kind) : '');
    const entry = this.#entries[index] as Entry;
    entry.role = role;
    if (isOwn) entry.fixed = kind;
    else entry.uses.add('identity');
    return index;
  }

  #entry(name: string, nested: string | undefined, variant: string): number {
    const names = nested === undefined && variant === '' ? this.#plain : this.#namesOf(variant, nested);
    const known = names.get(name);
    if (known !== undefined) return known;
    const index = this.#entries.length;
    const isPattern = isFieldPattern(name);
    if (isPattern) checkPatternCount(++this.#patterns, name);
    this.#entries.push({ name, nested, uses: new Set(), isPattern, role: ColumnRole.None, fixed: undefined });
    names.set(name, index);
    return index;
  }

  #namesOf(variant: string, nested: string | undefined): Map<string, number> {
    const key = `${variant}\u0000${nested ?? ''}`;
    const names = this.#index.get(key) ?? new Map<string, number>();
    this.#index.set(key, names);
    return names;
  }

  /** Kind of a column under the uses told so far. */
  kind(index: number): ColumnKind {
    const entry = this.#entries[index] as Entry;
    if (entry.fixed !== undefined) return entry.fixed;
    if (entry.nested !== undefined || entry.uses.has('text') || entry.isPattern) return ColumnKind.Text;
    const fieldClass = this.#classOf(entry.name);
    if (fieldClass === 'number') return ColumnKind.Number;
    if (fieldClass === 'distinct') return isCarriedOnly(entry.uses) ? ColumnKind.Id : ColumnKind.Text;
    return fieldClass === 'identity' && !entry.uses.has('number') ? ColumnKind.Id : ColumnKind.Text;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Columns of text that tell how many elements an array of objects or of values has. */
  ofElements(path: string): number[] {
    const found: number[] = [];
    this.#entries.forEach(({ name, nested }, index) => {
      if ((nested === path || name === path) && this.kind(index) === ColumnKind.Text) found.push(index);
    });
    return found;
  }

  /** All columns, by index. */
  list(): Column[] {
    return this.#entries.map((entry, index) => {
      const column = { index, name: entry.name, kind: this.kind(index), role: entry.role };
      return entry.nested === undefined ? column : { ...column, nested: entry.nested };
    });
  }

  /** `Section.Columns`: the records, then the names. */
  encode(): Uint8Array {
    const columns = this.list();
    const writer = new SectionWriter();
    writer.u32(columns.length);
    const encoder = new TextEncoder();
    const names = columns.map((column) => encoder.encode(column.name));
    let offset = 4 + columns.length * ColumnWord.Count * 4;
    columns.forEach((column, i) => {
      const start = writer.length;
      const name = names[i] as Uint8Array;
      writer.zeros(ColumnWord.Count * 4);
      writer.patch(start + ColumnWord.Kind * 4, column.kind);
      writer.patch(start + ColumnWord.Role * 4, column.role);
      writer.patch(start + ColumnWord.NameOffset * 4, offset);
      writer.patch(start + ColumnWord.NameBytes * 4, name.length);
      writer.patch(start + ColumnWord.NestedBytes * 4, encoder.encode(column.nested ?? '').length);
      offset += name.length;
    });
    for (const name of names) writer.bytes(name);
    return writer.finish();
  }
}
