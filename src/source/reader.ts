/**
 * From the bytes of a telemetry file to NDJSON of canonical events, line by line, with a tally of what was recognised.
 * Lines that are plain ECS pass as bytes; the others are parsed and mapped, once.
 */
import { concatBytes } from '../core/bytes.js';
import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest_name.js';
import { auditdText } from './auditd.js';
import { crowdstrike } from './crowdstrike.js';
import { ecs, isPlainEcsLine } from './ecs.js';
import { eslogger } from './eslogger.js';
import { esxi } from './esxi.js';
import { evtxJson } from './evtx_json.js';
import { falco } from './falco.js';
import { ocsf } from './ocsf.js';
import { osquery } from './osquery.js';
import { santa } from './santa.js';
import {
  type CanonicalEvent,
  type RecordSource,
  type SourceRecord,
  type TextParser,
  type TextSource,
  text,
} from './source.js';
import { sysmonLinux } from './sysmon_linux.js';
import { tetragon } from './tetragon.js';
import { windowsFlat, winlogbeatLegacy } from './windows_flat.js';
import { winlogbeat } from './winlogbeat.js';

/** Sources of JSON records. The first that recognises a record maps it; `ecs` is last, being the broadest. */
export const recordSources: readonly RecordSource[] = [
  winlogbeat,
  winlogbeatLegacy,
  windowsFlat,
  evtxJson,
  sysmonLinux,
  eslogger,
  santa,
  tetragon,
  falco,
  ocsf,
  osquery,
  crowdstrike,
  ecs,
];

export const textSources: readonly TextSource[] = [auditdText, esxi];

/** What a reader saw. `byKind` counts lines; `otherActions` counts recognised events that no analytic reads. */
export interface ReaderTally {
  lines: number;
  events: number;
  readonly byKind: Map<string, number>;
  readonly otherActions: Map<string, number>;
  unrecognised: number;
  /** The first ten unrecognised lines, cut to 120 characters. */
  readonly unrecognisedExamples: string[];
}

export interface SourceReader {
  readonly tally: ReaderTally;
  /** Maps whole lines; the last may lack its newline. */
  read(lines: Uint8Array): Uint8Array;
  /** Gives the events of groups that were still open. */
  end(): Uint8Array;
}

/**
 * Creates a reader for one stream. `format` is a source kind or `auto`.
 * @throws UsageError `USAGE_OPTION` for an unknown format, naming the nearest.
 */
export function createSourceReader(format: string): SourceReader {
  const kinds = [...recordSources, ...textSources].map(({ kind }) => kind);
  if (format !== 'auto' && !kinds.includes(format)) {
    const nearest = nearestName(format, kinds);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw new UsageError('USAGE_OPTION', `format "${format}" is not known${hint} Formats: auto, ${kinds.join(', ')}`);
  }
  return new Reader(format);
}

const encoder = new TextEncoder();

class Reader implements SourceReader {
  readonly tally: ReaderTally = {
    lines: 0,
    events: 0,
    byKind: new Map(),
    otherActions: new Map(),
    unrecognised: 0,
    unrecognisedExamples: [],
  };
  readonly #records: readonly RecordSource[];
  readonly #texts: readonly { readonly source: TextSource; readonly parser: TextParser }[];
  readonly #mayPassBytes: boolean;
  readonly #decoder = new TextDecoder();

  constructor(format: string) {
    const isWanted = ({ kind }: { kind: string }): boolean => format === 'auto' || kind === format;
    this.#records = recordSources.filter(isWanted);
    this.#texts = textSources.filter(isWanted).map((source) => ({ source, parser: source.createParser() }));
    this.#mayPassBytes = this.#records.includes(ecs);
  }

  read(lines: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let plainStart = -1;
    for (let start = 0; start < lines.length; ) {
      const newline = lines.indexOf(10, start);
      const end = newline < 0 ? lines.length : newline + 1;
      const line = lines.subarray(start, end);
      if (this.#mayPassBytes && isPlainEcsLine(line, includesText)) {
        if (plainStart < 0) plainStart = start;
        this.#count('ecs', 1);
      } else {
        if (plainStart >= 0) parts.push(lines.subarray(plainStart, start));
        plainStart = -1;
        const mapped = this.#guarded(this.#decoder.decode(line).trim());
        if (parts.length > 0 || mapped.length > 0) parts.push(mapped);
      }
      start = end;
    }
    if (plainStart === 0) return lines;
    if (plainStart > 0) parts.push(lines.subarray(plainStart));
    return concatBytes(parts);
  }

  end(): Uint8Array {
    return concatBytes(this.#texts.map(({ parser }) => toLines(this.#tallied(parser.end()))));
  }

  /** The events of a line as lines. A record of a known kind that is not what its kind promises is told, never thrown. */
  #guarded(line: string): Uint8Array {
    try {
      return toLines(this.#map(line));
    } catch {
      this.#unrecognised(line);
      return new Uint8Array(0);
    }
  }

  #map(line: string): CanonicalEvent[] {
    if (line === '') return [];
    if (!line.startsWith('{') && !line.startsWith('[')) return this.#mapText(line);
    const records = parseRecords(line);
    if (records === undefined) return this.#unrecognised(line);
    return records.flatMap((record) => this.#mapRecord(unwrapped(record), line));
  }

  #mapRecord(record: SourceRecord, line: string): CanonicalEvent[] {
    const source = this.#records.find((candidate) => candidate.recognises(record));
    if (source !== undefined) return this.#mapped(source, record);
    const message = text(record['SyslogMessage']) ?? text(record['message']);
    return message !== undefined && this.#texts.some(({ source: { recognises } }) => recognises(message))
      ? this.#mapText(message)
      : this.#unrecognised(line);
  }

  #mapped(source: RecordSource, record: SourceRecord): CanonicalEvent[] {
    const events = source.normalise(record);
    this.#count(source.kind, events.length);
    return this.#noteActions(events);
  }

  #mapText(line: string): CanonicalEvent[] {
    const found = this.#texts.find(({ source }) => source.recognises(line));
    if (found === undefined) return this.#unrecognised(line);
    this.#count(found.source.kind, 0);
    return this.#tallied(found.parser.line(line));
  }

  #tallied(events: CanonicalEvent[]): CanonicalEvent[] {
    this.tally.events += events.length;
    return this.#noteActions(events);
  }

  #noteActions(events: CanonicalEvent[]): CanonicalEvent[] {
    for (const event of events)
      if (event['event.class'] === 'other')
        increment(this.tally.otherActions, String(event['event.action'] ?? 'unknown'));
    return events;
  }

  #count(kind: string, events: number): void {
    this.tally.lines++;
    this.tally.events += events;
    increment(this.tally.byKind, kind);
  }

  #unrecognised(line: string): CanonicalEvent[] {
    this.tally.lines++;
    this.tally.unrecognised++;
    if (this.tally.unrecognisedExamples.length < 10) this.tally.unrecognisedExamples.push(line.slice(0, 120));
    return [];
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const isRecord = (value: unknown): value is SourceRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The records of a line: an object, several in an array, or one line of an array that is written over several. Undefined
 * where the line is neither, or holds anything else beside them.
 */
function parseRecords(line: string): readonly SourceRecord[] | undefined {
  try {
    const value: unknown = JSON.parse(line.endsWith(',') ? line.slice(0, -1) : line);
    if (isRecord(value)) return [value];
    return Array.isArray(value) && value.length > 0 && value.every(isRecord) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What carries an event in an export: Elasticsearch hits, and documents beside their origin. */
const envelopes = ['_source', 'document'];

function unwrapped(record: SourceRecord): SourceRecord {
  const inner = envelopes.map((name) => record[name]).find(isRecord);
  return inner === undefined || record['@timestamp'] !== undefined ? record : inner;
}

function toLines(events: readonly CanonicalEvent[]): Uint8Array {
  return encoder.encode(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

const needles = new Map<string, Uint8Array>();

/** Byte search: the first byte by the engine's own scan, the rest by comparison. */
function includesText(line: Uint8Array, wanted: string): boolean {
  let needle = needles.get(wanted);
  if (needle === undefined) {
    needle = encoder.encode(wanted);
    needles.set(wanted, needle);
  }
  // The second byte is rarer than the opening quote that every key begins with.
  const rare = needle[1] as number;
  for (let at = line.indexOf(rare); at >= 0; at = line.indexOf(rare, at + 1)) {
    const start = at - 1;
    if (start < 0 || start + needle.length > line.length) continue;
    let index = 0;
    while (index < needle.length && line[start + index] === needle[index]) index++;
    if (index === needle.length) return true;
  }
  return false;
}
