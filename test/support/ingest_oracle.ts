/** What the ingest half must make of NDJSON bytes, told with JSON.parse and the object door. */
import { SkipReason } from '../../src/core/abi/events.js';
import type { ColumnSpec } from '../../src/event/column_table.js';
import { type Cell, Flattener, type Scalar } from '../../src/event/flatten.js';
import { NO_TIME_US, parseTimeUs } from '../../src/event/time_text.js';

/** The columns that the ingest tests use: every kind, a nested path, dotted names of several depths. */
export const columns: readonly ColumnSpec[] = [
  { name: '@timestamp', kind: 'time' },
  { name: 'process.name', kind: 'text' },
  { name: 'process.parent.name', kind: 'text' },
  { name: 'process.args', kind: 'text' },
  { name: 'process.pid', kind: 'number' },
  { name: 'process.entity_id', kind: 'id' },
  { name: 'event.sequence', kind: 'number', role: 'tiebreak' },
  { name: 'host.id', kind: 'id', role: 'hostId' },
  { name: 'host.name', kind: 'text', role: 'hostName' },
  { name: 'agent.id', kind: 'text', role: 'agentId' },
  { name: 'dll.path', kind: 'text', nested: 'dll' },
  { name: 'dll.hash.md5', kind: 'text', nested: 'dll' },
  { name: 'labels', kind: 'text' },
];

export type Expected =
  | { readonly skip: SkipReason }
  | { readonly timeUs: bigint; readonly cells: Readonly<Record<string, unknown>> };

const flattener = new Flattener(
  columns.map(({ name, nested }) => ({ name, kind: 'text' as const, ...(nested ? { nested } : {}) })),
);

/** One entry per row that the bytes hold. */
export function expectRows(bytes: Uint8Array): Expected[] {
  return splitLines(bytes).flatMap((line) => {
    const text = new TextDecoder().decode(line);
    return /^[ \t\r]*$/.test(text) ? [] : [expectRow(text)];
  });
}

function splitLines(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(10, start);
    if (end < 0) return [...lines, bytes.subarray(start)];
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
}

function expectRow(text: string): Expected {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    return { skip: SkipReason.Syntax };
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return { skip: SkipReason.NotObject };
  if (depthOf(event) > 64) return { skip: SkipReason.Depth };
  return expectEvent(event);
}

/** The row of an event object. */
export function expectEvent(event: unknown): Expected {
  const cells: Cell[] = [];
  flattener.flatten(event, cells);
  const first = cells[0];
  const timeUs = parseTimeUs(Array.isArray(first) ? first[0] : first);
  if (timeUs === NO_TIME_US) return { skip: SkipReason.Time };
  const entries = columns.flatMap((column, c) => {
    const value = column.kind === 'time' ? undefined : expectCell(column, cells[c]);
    return value === undefined ? [] : [[column.name, value]];
  });
  return { timeUs, cells: Object.fromEntries(entries) as Record<string, unknown> };
}

function expectCell(column: ColumnSpec, cell: Cell): unknown {
  if (column.kind === 'text') return normalize(cell, column.nested !== undefined);
  const first = firstOf(cell);
  if (column.kind === 'id') return first === undefined ? undefined : idText(first);
  if (typeof first === 'string') return numberOf(first);
  return typeof first === 'number' && Number.isFinite(first) ? first + 0 : undefined;
}

function idText(value: Scalar): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return undefined;
  return wellFormed(String(value));
}

function firstOf(cell: Cell): Scalar | undefined {
  if (!Array.isArray(cell)) return cell as Scalar | undefined;
  const item = cell.find((value) => value !== undefined);
  return Array.isArray(item) ? item[0] : item;
}

function numberOf(text: string): number | undefined {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  return Number.isFinite(Number(text)) ? Number(text) + 0 : undefined;
}

/** Text as UTF-8 carries it; numbers as JSON can write them. */
function normalize(cell: unknown, keepsElements: boolean): unknown {
  if (typeof cell === 'string') return wellFormed(cell);
  if (typeof cell === 'number') return Number.isFinite(cell) ? cell + 0 : undefined;
  if (!Array.isArray(cell)) return cell;
  const items = cell.map((item) => normalize(item, false));
  const kept = keepsElements ? items : items.filter((item) => item !== undefined);
  if (kept.every((item) => item === undefined)) return undefined;
  return kept.length === 1 && !Array.isArray(kept[0]) ? kept[0] : kept;
}

function wellFormed(text: string): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text));
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let depth = 0;
  let level: unknown[] = [value];
  while (level.length > 0) {
    depth++;
    level = level
      .flatMap((item) => Object.values(item as object))
      .filter((item) => typeof item === 'object' && item !== null);
  }
  return depth;
}
