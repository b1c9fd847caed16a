/**
 * From an event object to one cell per field: nested and dotted keys, arrays, and arrays of objects.
 *
 * The rules are those of the kernel's JSON reader (`assembly/json_lines.ts`), so an event means the same through either
 * door: the last of several writings of a field wins; arrays of objects flatten into lists; below a nested path a list
 * keeps one item for each element. A column whose name has a `*` holds the values of every field that the name matches.
 */
import { jsonDepthMax } from '../core/limits.js';
import { FieldPatterns } from './field_patterns.js';
import type { FieldSpec } from './fields.js';

/** One value of a cell. Numbers in text cells are finite. */
export type Scalar = string | number | boolean;
/** Below a nested path an element may be missing, or have several values. */
export type CellList = readonly (Scalar | undefined | readonly Scalar[])[];
/** A cell; undefined where the field is missing. */
export type Cell = Scalar | CellList | undefined;

interface PathNode {
  readonly name: string;
  readonly edges: Map<string, PathNode>;
  readonly columns: number[];
  /** Columns of patterns that the name satisfies. */
  patterned: readonly number[];
  isNested: boolean;
  /** The outermost array that `elements` counts in. */
  array: number;
  elements: number;
}

interface Item {
  readonly element: number;
  readonly value: Scalar;
}

/** What has been written to a column: one value, or the items of one outermost array. */
interface Slot {
  scalar: Scalar | undefined;
  array: number;
  items: Item[];
}

/** Shared by every slot that holds no list: most cells are single values, and this runs for each. */
const none: Item[] = [];

const node = (name: string): PathNode => ({
  name,
  edges: new Map(),
  columns: [],
  patterned: [],
  isNested: false,
  array: 0,
  elements: 0,
});

/** In place of an array: values of several fields, which are in arrays or not. */
const FIELDS = -1;
/** Fields that patterns ask for which are remembered; when there are more, all are forgotten. */
const foundMax = 4096;

/** Flattens events one at a time. Not reentrant. */
export class Flattener {
  readonly #root = node('');
  readonly #patterns: FieldPatterns;
  /** Fields that patterns ask for, by name, and the edges to them. */
  readonly #found = new Map<string, PathNode>();
  #foundEdges: [PathNode, string][] = [];
  readonly #slots: Slot[];
  readonly #nestedNodes: (PathNode | undefined)[];
  #written: number[] = [];
  #arrays = 0;

  constructor(fields: readonly FieldSpec[]) {
    const prefixes = new Map<string, PathNode>();
    this.#slots = fields.map(() => ({ scalar: undefined, array: 0, items: none }));
    this.#patterns = new FieldPatterns(fields.map(({ name }) => name));
    for (const [column, field] of fields.entries()) {
      if (!this.#patterns.has(column)) this.#addPath(prefixes, field.name).columns.push(column);
    }
    this.#nestedNodes = fields.map(({ nested }) => {
      if (nested === undefined) return undefined;
      const found = this.#addPath(prefixes, nested);
      found.isNested = true;
      return found;
    });
    for (const found of prefixes.values()) found.patterned = this.#patterns.matching(found.name);
  }

  /** Adds the node of a dotted name; from each prefix, every way to write the rest as one key is an edge. */
  #addPath(prefixes: Map<string, PathNode>, name: string): PathNode {
    const segments = name.split('.');
    let last = this.#root;
    for (let end = 1; end <= segments.length; end++) {
      const prefix = segments.slice(0, end).join('.');
      const known = prefixes.get(prefix);
      last = known ?? node(prefix);
      if (known !== undefined) continue;
      prefixes.set(prefix, last);
      for (let start = 0; start < end; start++) {
        const above = start === 0 ? this.#root : prefixes.get(segments.slice(0, start).join('.'));
        above?.edges.set(segments.slice(start, end).join('.'), last);
      }
    }
    return last;
  }

  /** Cells of `event`, by column. False where it is no object, or nests arrays deeper than JSON events may. */
  flatten(event: unknown, cells: Cell[]): boolean {
    for (const column of this.#written) this.#clear(column);
    this.#written = [];
    if (this.#foundEdges.length > foundMax) this.#forgetFound();
    const isObject = typeof event === 'object' && event !== null && !Array.isArray(event);
    const isSound = isObject && this.#walkObject(event, this.#root, 0, 1);
    for (let column = 0; column < this.#slots.length; column++) {
      cells[column] = isSound ? this.#cell(column) : undefined;
    }
    return isSound;
  }

  #clear(column: number): void {
    const slot = this.#slots[column] as Slot;
    slot.scalar = undefined;
    slot.array = 0;
    slot.items = none;
  }

  #walkObject(object: object, at: PathNode, array: number, depth: number): boolean {
    if (depth > jsonDepthMax) return false;
    const record = object as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(object)) {
      const child = at.edges.get(key) ?? (this.#patterns.isEmpty ? undefined : this.#findField(at, key));
      if (child !== undefined && !this.#walkValue(record[key], child, array, depth, true)) return false;
    }
    return true;
  }

  /** The node of a field that only patterns ask for. */
  #findField(at: PathNode, key: string): PathNode | undefined {
    const name = at === this.#root ? key : `${at.name}.${key}`;
    const patterned = this.#patterns.matching(name);
    if (patterned.length === 0 && !this.#patterns.canLead(name)) return undefined;
    const found = this.#found.get(name) ?? { ...node(name), patterned };
    this.#found.set(name, found);
    at.edges.set(key, found);
    this.#foundEdges.push([at, key]);
    return found;
  }

  #forgetFound(): void {
    for (const [at, key] of this.#foundEdges) at.edges.delete(key);
    this.#foundEdges = [];
    this.#found.clear();
  }

  #walkValue(value: unknown, at: PathNode, array: number, depth: number, isMember: boolean): boolean {
    if (Array.isArray(value)) return this.#walkArray(value, at, array, depth + 1);
    if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
      if (array !== 0 && isMember) countElement(at, array);
      this.#write(at, array, undefined);
      return this.#walkObject(value, at, array, depth + 1);
    }
    this.#write(at, array, scalarOf(value));
    return true;
  }

  #walkArray(values: readonly unknown[], at: PathNode, outer: number, depth: number): boolean {
    if (depth > jsonDepthMax) return false;
    this.#arrays += outer === 0 ? 1 : 0;
    const array = outer === 0 ? this.#arrays : outer;
    for (const column of at.columns) this.#claim(column, array);
    for (const value of values) {
      countElement(at, array);
      if (!this.#walkValue(value, at, array, depth, false)) return false;
    }
    return true;
  }

  /** Makes the column a list of `array`, replacing what another array or a single value wrote. */
  #claim(column: number, array: number): Slot {
    const slot = this.#slots[column] as Slot;
    if (slot.array === array) return slot;
    slot.scalar = undefined;
    slot.array = array;
    slot.items = [];
    this.#written.push(column);
    return slot;
  }

  #write(at: PathNode, array: number, value: Scalar | undefined): void {
    for (const column of at.columns) {
      if (array === 0) {
        const slot = this.#slots[column] as Slot;
        slot.scalar = value;
        slot.array = 0;
        this.#written.push(column);
      } else if (value !== undefined) {
        const nested = this.#nestedNodes[column];
        const element = nested?.array === array ? Math.max(nested.elements, 1) - 1 : 0;
        this.#claim(column, array).items.push({ element, value });
      }
    }
    if (value !== undefined && at.patterned.length > 0) this.#writePatterned(at, array, value);
  }

  #writePatterned(at: PathNode, array: number, value: Scalar): void {
    for (const column of at.patterned) {
      const nested = this.#nestedNodes[column];
      const owner = array !== 0 && nested !== undefined ? array : FIELDS;
      const element = nested?.array === owner ? Math.max(nested.elements, 1) - 1 : 0;
      this.#claim(column, owner).items.push({ element, value });
    }
  }

  #cell(column: number): Cell {
    const { scalar, array, items } = this.#slots[column] as Slot;
    if (array === 0) return scalar;
    if (items.length === 0) return undefined;
    const nested = this.#nestedNodes[column];
    if (nested === undefined) return items.length === 1 ? items[0]?.value : items.map((item) => item.value);
    return elementsOf(items, nested.array === array ? Math.max(nested.elements, 1) : 1);
  }
}

function countElement(at: PathNode, array: number): void {
  if (!at.isNested) return;
  at.elements = at.array === array ? at.elements + 1 : 1;
  at.array = array;
}

function elementsOf(items: readonly Item[], count: number): Cell {
  const elements: (Scalar | undefined | Scalar[])[] = new Array(count).fill(undefined);
  for (const { element, value } of items) {
    const held = elements[element];
    if (held === undefined) elements[element] = value;
    else if (Array.isArray(held)) held.push(value);
    else elements[element] = [held, value];
  }
  const [only] = elements;
  return count === 1 && !Array.isArray(only) ? only : elements;
}

/** The value as JSON would carry it. Bigints become doubles, as `JSON.parse` reads long integers. */
function scalarOf(value: unknown): Scalar | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return value;
    case 'bigint':
      return Number(value);
    default:
      return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined;
  }
}
