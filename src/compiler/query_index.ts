/** Numbers of queries, the same for equal ones. Compared by structure: no text is made of a query. */
import type { EventQuery } from '../rule/ir.js';

interface Entry {
  readonly range: string;
  readonly categoryField: string;
  readonly query: EventQuery;
  readonly id: number;
}

/** Ids by range, category field and query. Where a query was written makes no difference. */
export class QueryIndex {
  readonly #entries = new Map<number, Entry[]>();

  get(range: string, query: EventQuery, categoryField: string): number | undefined {
    return this.#entries
      .get(hashOf(query))
      ?.find((entry) => entry.range === range && entry.categoryField === categoryField && isEqual(entry.query, query))
      ?.id;
  }

  set(range: string, query: EventQuery, categoryField: string, id: number): void {
    const hash = hashOf(query);
    const entry = { range, categoryField, query, id };
    const bucket = this.#entries.get(hash);
    if (bucket === undefined) this.#entries.set(hash, [entry]);
    else bucket.push(entry);
  }
}

const hashes = new WeakMap<EventQuery, number>();

function hashOf(query: EventQuery): number {
  let hash = hashes.get(query);
  if (hash === undefined) {
    left = hashedParts;
    hash = mix(mix(0, query.category), query.condition);
    hashes.set(query, hash);
  }
  return hash;
}

/** Parts of a query that its hash is made of, and how many of them are left: {@link isEqual} tells longer ones apart. */
const hashedParts = 96;
let left = 0;

/** Of a text the length and eight characters from either end are taken: {@link isEqual} tells the rest apart. */
function mix(seed: number, value: unknown): number {
  let hash = seed;
  if (left-- <= 0) return hash;
  if (typeof value === 'string') {
    hash = Math.imul(hash ^ value.length, 0x9e3779b1);
    for (let i = 0; i < 8 && i < value.length; i++) {
      hash = Math.imul(hash ^ value.charCodeAt(i), 0x85ebca6b);
      hash = Math.imul(hash ^ value.charCodeAt(value.length - 1 - i), 0xc2b2ae35);
    }
    return hash ^ (hash >>> 15);
  }
  if (Array.isArray(value)) {
    for (const item of value) hash = mix(hash, item);
    return Math.imul(hash ^ value.length, 0x27d4eb2f);
  }
  if (typeof value === 'object' && value !== null) {
    for (const key in value) {
      const part = value[key as keyof typeof value] as unknown;
      if (key !== 'span' && part !== undefined) hash = mix(hash, part);
    }
    return hash ^ (hash >>> 13);
  }
  return Math.imul(hash ^ (typeof value === 'number' ? value : value === true ? 3 : 5), 0x165667b1);
}

/** Equal apart from places. Members that are undefined count as absent. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  }
  const others = b as Readonly<Record<string, unknown>>;
  const isSame = ([key, part]: [string, unknown]): boolean => key === 'span' || isEqual(part, others[key]);
  const hasMore = Object.keys(b).some((key) => key !== 'span' && others[key] !== undefined && !(key in a));
  return !hasMore && Object.entries(a).every(isSame);
}
