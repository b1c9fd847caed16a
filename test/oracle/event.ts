/**
 * Events as the oracle sees them: plain objects whose fields are looked up by walking, nothing precomputed.
 */
import { matchesWildcard, type Value } from '../../src/rule/semantics.js';

/** A value an event field can hold, once arrays are opened and nulls dropped. */
export type Scalar = string | number | boolean;

export interface OracleEvent {
  /** Position in the stream as pushed. */
  readonly ordinal: number;
  readonly timeUs: number;
  /** Value of the tiebreaker field, or undefined. */
  readonly tiebreak: number | undefined;
  readonly host: string;
  readonly source: Record<string, unknown>;
}

export interface FieldNames {
  readonly eventCategoryField: string;
  readonly timestampField: string;
  readonly tiebreakerField: string;
  /** The first of these that has a value names the host. */
  readonly hostFields: readonly string[];
  readonly defaultHost: string;
}

export const ecsFieldNames: FieldNames = {
  eventCategoryField: 'event.category',
  timestampField: '@timestamp',
  tiebreakerField: 'event.sequence',
  hostFields: ['host.id', 'host.name', 'agent.id'],
  defaultHost: 'unknown',
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Everything found at a dotted path, arrays opened: scalars and objects. A path may be spelled nested, dotted or mixed;
 * where an object spells it twice the last wins.
 */
export function nodesAt(node: unknown, path: string): unknown[] {
  if (Array.isArray(node)) return node.flatMap((item) => nodesAt(item, path));
  if (!isObject(node)) return [];
  let found: unknown[] = [];
  for (const [name, value] of Object.entries(node)) {
    if (name === path) found = openArrays(value);
    else if (path.startsWith(`${name}.`) && containsPath(value, path.slice(name.length + 1))) {
      found = nodesAt(value, path.slice(name.length + 1));
    }
  }
  return found;
}

/** Whether the path is spelled at all, even with null. */
function containsPath(node: unknown, path: string): boolean {
  if (Array.isArray(node)) return node.some((item) => containsPath(item, path));
  if (!isObject(node)) return false;
  return Object.entries(node).some(
    ([name, value]) =>
      name === path || (path.startsWith(`${name}.`) && containsPath(value, path.slice(name.length + 1))),
  );
}

export function openArrays(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(openArrays);
  return value === null || value === undefined ? [] : [value];
}

/** The array at a path with its elements as they are; a single value is an array of one. */
export function arrayAt(node: unknown, path: string): unknown[] {
  if (!isObject(node)) return [];
  for (const [name, value] of Object.entries(node).reverse()) {
    if (name === path) return Array.isArray(value) ? value : [value];
    if (path.startsWith(`${name}.`)) return arrayAt(value, path.slice(name.length + 1));
  }
  return [];
}

/** The scalars at a path, in order, duplicates kept. None: the field is missing. */
export function scalarsAt(node: unknown, path: string): Scalar[] {
  return nodesAt(node, path).filter((value): value is Scalar => !isObject(value));
}

/** The scalars of every field whose dotted name satisfies a pattern (`*`, `threat.*`). */
export function scalarsLike(node: unknown, pattern: string, path = ''): Scalar[] {
  if (Array.isArray(node)) return node.flatMap((item) => scalarsLike(item, pattern, path));
  if (isObject(node)) {
    return Object.entries(node).flatMap(([name, value]) =>
      scalarsLike(value, pattern, path === '' ? name : `${path}.${name}`),
    );
  }
  // In a name only `*` is a wildcard.
  if (node === null || node === undefined || !matchesWildcard(path.replaceAll('?', '!'), pattern.replaceAll('?', '!')))
    return [];
  return [node as Scalar];
}

/** A scalar as a value of an expression. */
export const asValue = (scalar: Scalar): Value => scalar;

const iso =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)?)?$/;
const numberText = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** The start of year 0 and the end of year 9999. */
const yearsUs = [-62_167_219_200_000_000, 253_402_300_800_000_000] as const;

/** Microseconds since the epoch of an ISO 8601 text (UTC where no zone), or of an epoch number by its magnitude. */
export function parseTimeUs(value: unknown): number | undefined {
  const isNumber = typeof value === 'string' && numberText.test(value);
  const timeUs = typeof value === 'number' || isNumber ? epochToUs(Number(value)) : isoToUs(String(value));
  const [earliest, end] = yearsUs;
  return timeUs !== undefined && timeUs >= earliest && timeUs < end ? timeUs : undefined;
}

function isoToUs(text: string): number | undefined {
  const match = iso.exec(text);
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map(part) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  if (!isDate || hour > 23 || minute > 59 || second > 60 || part(9) > 23 || part(10) > 59) return undefined;
  const zoneMinutes = (part(9) * 60 + part(10)) * (match[8] === '-' ? -1 : 1);
  const ms = date.getTime() + ((hour * 60 + minute - zoneMinutes) * 60 + second) * 1000;
  return ms * 1000 + Number((match[7] ?? '').slice(0, 6).padEnd(6, '0'));
}

/** Seconds below 1e11, milliseconds below 1e14, microseconds below 1e17, nanoseconds below 1e21. */
function epochToUs(value: number): number | undefined {
  const size = Math.abs(value);
  if (size < 1e11) return Math.floor(value * 1e6 + 0.5);
  if (size < 1e14) return Math.floor(value * 1e3 + 0.5);
  if (size < 1e17) return Math.floor(value + 0.5);
  return size < 1e21 ? Math.floor(value / 1e3) : undefined;
}

/** Reads the fields that place an event in the stream; undefined when its time is missing or cannot be read. */
export function readEvent(
  source: Record<string, unknown>,
  ordinal: number,
  names: FieldNames,
): OracleEvent | undefined {
  const timeUs = parseTimeUs(scalarsAt(source, names.timestampField)[0]);
  if (timeUs === undefined) return undefined;
  const tiebreak = Number(scalarsAt(source, names.tiebreakerField)[0] ?? Number.NaN);
  const host = names.hostFields.flatMap((name) => scalarsAt(source, name))[0];
  return {
    ordinal,
    timeUs,
    tiebreak: Number.isNaN(tiebreak) ? undefined : tiebreak,
    host: host === undefined ? names.defaultHost : String(host),
    source,
  };
}

/** Orders events by time, then tiebreaker (none last), then arrival. */
export function compareEvents(a: OracleEvent, b: OracleEvent): number {
  if (a.timeUs !== b.timeUs) return a.timeUs - b.timeUs;
  const left = a.tiebreak ?? Number.POSITIVE_INFINITY;
  const right = b.tiebreak ?? Number.POSITIVE_INFINITY;
  return left === right ? a.ordinal - b.ordinal : left - right;
}
