/**
 * What a telemetry source is: a recogniser and a mapping to canonical events.
 *
 * The canonical form is flat ECS with the values of Elastic Defend (`event.category`, `event.type`, `event.action`),
 * so that rules written for it hold for every source, plus `event.class` and `x.source.kind`.
 */

import { baseName as lastComponent } from '../core/paths.js';

/** A parsed JSON object of a source. */
export type SourceRecord = Readonly<Record<string, unknown>>;

/** The kinds of canonical event. What each means to the analytics is told in `docs/fields.md`. */
export type EventClass =
  | 'process_exec'
  | 'process_fork'
  | 'process_exit'
  | 'process_snapshot'
  | 'net_connect'
  | 'net_accept'
  | 'dns_query'
  | 'file_write'
  | 'file_rename'
  | 'file_delete'
  | 'file_read'
  | 'persistence_item'
  | 'registry_set'
  | 'module_load'
  | 'proc_access'
  | 'auth_login'
  | 'shell_command'
  | 'mgmt_command'
  | 'telemetry_health'
  /** Recognised, and outside what any analytic reads: kept, counted by its action. */
  | 'other';

/** One canonical event: flat, dotted ECS names. Missing values are absent, never null. */
export type CanonicalEvent = Record<string, unknown>;

/** A source of JSON records. `normalise` gives no event for a record that says nothing on its own. */
export interface RecordSource {
  readonly kind: string;
  readonly title: string;
  recognises(record: SourceRecord): boolean;
  normalise(record: SourceRecord): CanonicalEvent[];
}

/** A source of text lines. A parser may hold lines until their group is complete; `end` gives what is held. */
export interface TextSource {
  readonly kind: string;
  readonly title: string;
  recognises(line: string): boolean;
  createParser(): TextParser;
}

export interface TextParser {
  line(line: string): CanonicalEvent[];
  end(): CanonicalEvent[];
}

type ClassFields = readonly [category: string, type: string, action: string];

const classFields: Readonly<Record<Exclude<EventClass, 'other'>, ClassFields>> = {
  process_exec: ['process', 'start', 'exec'],
  process_fork: ['process', 'start', 'fork'],
  process_exit: ['process', 'end', 'end'],
  process_snapshot: ['process', 'info', 'already_running'],
  net_connect: ['network', 'start', 'connection_attempted'],
  net_accept: ['network', 'start', 'connection_accepted'],
  dns_query: ['network', 'protocol', 'lookup_requested'],
  file_write: ['file', 'change', 'modification'],
  file_rename: ['file', 'change', 'rename'],
  file_delete: ['file', 'deletion', 'deletion'],
  file_read: ['file', 'access', 'open'],
  persistence_item: ['file', 'change', 'launch_daemon'],
  registry_set: ['registry', 'change', 'modification'],
  module_load: ['library', 'start', 'load'],
  proc_access: ['process', 'change', 'process_access'],
  auth_login: ['authentication', 'start', 'log_on'],
  shell_command: ['process', 'start', 'shell_command'],
  mgmt_command: ['process', 'info', 'mgmt_command'],
  telemetry_health: ['host', 'info', 'telemetry_health'],
};

/**
 * Starts a canonical event of a class: its ECS category, type and action, and the source kind. `fields` are added;
 * those that are undefined, null or empty text are left out. An `event.action` in `fields` replaces the class's own.
 */
export function canonicalEvent(kind: string, eventClass: EventClass, fields: CanonicalEvent): CanonicalEvent {
  const event: CanonicalEvent = { 'event.class': eventClass, 'x.source.kind': kind };
  if (eventClass !== 'other') {
    const [category, type, action] = classFields[eventClass];
    event['event.category'] = category;
    event['event.type'] = type;
    event['event.action'] = action;
  }
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== null && value !== '') event[name] = value;
  return event;
}

/** Text of a string or number, else undefined. */
export function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** A number, also from decimal or `0x` text, else undefined. */
export function number(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const parsed = Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** The object at a path of keys, or an empty one: reading a missing branch gives missing values, never an exception. */
export function branch(record: unknown, ...path: string[]): SourceRecord {
  let value = record;
  for (const key of path)
    value = typeof value === 'object' && value !== null ? (value as SourceRecord)[key] : undefined;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as SourceRecord) : {};
}

/** The last component of a path with `/` or `\` separators. */
export function baseName(path: string | undefined): string | undefined {
  return path === undefined ? undefined : lastComponent(path);
}

/** A file's extension without the dot, lower-cased; undefined where it has none. */
export function extension(path: string | undefined): string | undefined {
  const name = baseName(path);
  const dot = name?.lastIndexOf('.') ?? -1;
  return name !== undefined && dot > 0 && dot < name.length - 1 ? name.slice(dot + 1).toLowerCase() : undefined;
}

/** The canonical fields of a file's path. */
export function fileFields(path: string | undefined): CanonicalEvent {
  return { 'file.path': path, 'file.name': baseName(path), 'file.extension': extension(path) };
}
