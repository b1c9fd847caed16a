/** The kernel's JSON reader against JSON.parse and the object door, on generated and on damaged lines. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { IngestConfig, IngestCounter, SkipReason } from '../../src/core/abi/events.js';
import type { ColumnSpec } from '../../src/event/column_table.js';
import { buildIngestKernel, IngestKernel } from '../support/ingest_kernel.js';
import { columns, expectRows } from '../support/ingest_oracle.js';
import { damage, driftingLine, eventArbitrary, randomFrom, writeJson } from '../support/json_lines_arbitrary.js';

let wasm: Uint8Array;
beforeAll(() => {
  wasm = buildIngestKernel();
});

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What the kernel made of the bytes, one entry per row, in the oracle's terms. */
function ingest(kernel: IngestKernel, bytes: Uint8Array): unknown[] {
  const firstOrdinal = Number(kernel.exports.ordinalNext());
  const firstRow = kernel.rows.length;
  const before = kernel.counter(IngestCounter.Rows);
  const rows = kernel.push(bytes);
  expect(kernel.counter(IngestCounter.Rows) - before).toBe(rows);
  const outcomes: unknown[] = new Array(rows).fill('skipped');
  for (const row of kernel.rows.slice(firstRow)) {
    outcomes[row.ordinal - firstOrdinal] = { timeUs: row.timeUs, cells: row.cells };
  }
  return outcomes;
}

const skippedAlike = (expected: ReturnType<typeof expectRows>): unknown[] =>
  expected.map((row) => ('skip' in row ? 'skipped' : row));

describe('NDJSON in the kernel', () => {
  it('reads generated events as JSON.parse does, whatever their spelling', () => {
    const kernel = new IngestKernel(wasm, columns);
    const property = fc.property(fc.array(eventArbitrary, { maxLength: 5 }), fc.nat(), (events, seed) => {
      const random = randomFrom(seed);
      const bytes = encode(events.map((event) => writeJson(event, random)).join('\n'));
      expect(ingest(kernel, bytes)).toEqual(skippedAlike(expectRows(bytes)));
    });
    fc.assert(property, { numRuns: 1500, seed: 1 });
  });

  it('accepts and refuses damaged lines as JSON.parse does', () => {
    const kernel = new IngestKernel(wasm, columns);
    const isSkipped = (row: unknown): boolean => row === 'skipped';
    const property = fc.property(fc.array(eventArbitrary, { maxLength: 4 }), fc.nat(), (events, seed) => {
      const random = randomFrom(seed);
      const bytes = damage(encode(events.map((event) => writeJson(event, random)).join('\n')), random);
      const before = [...Array(8).keys()].map((reason) => kernel.counter(reason as SkipReason));
      const rows = ingest(kernel, bytes);
      const expected = expectRows(bytes);
      expect(rows.map(isSkipped), new TextDecoder().decode(bytes)).toEqual(skippedAlike(expected).map(isSkipped));
      for (const reason of [SkipReason.Depth, SkipReason.Time]) {
        const count = expected.filter((row) => 'skip' in row && row.skip === reason).length;
        expect(kernel.counter(reason) - (before[reason] as number)).toBe(count);
      }
    });
    fc.assert(property, { numRuns: 3000, seed: 2 });
  });
});

/** Everything that the kernel tells of what it took, but by which way. */
function told(kernel: IngestKernel): unknown {
  const counters = [...Array(IngestCounter.Count).keys()].filter((counter) => counter !== IngestCounter.GeneralRows);
  return { counts: counters.map((counter) => kernel.counter(counter)), examples: kernel.examples() };
}

/** Hosts are named by interned text, which is found row by row; or not, and values of several rows are found together. */
const columnSets: [string, readonly ColumnSpec[]][] = [
  ['hosts named by text', columns],
  [
    'hosts named by ids',
    columns.map(({ name, kind, nested, role }) => ({
      name,
      kind,
      ...(nested === undefined ? {} : { nested }),
      ...(role === undefined || kind === 'text' ? {} : { role }),
    })),
  ],
];

describe.each(columnSets)('lines of learned shapes, %s', (_, columns) => {
  const general = (): IngestKernel => new IngestKernel(wasm, columns, { config: { [IngestConfig.GeneralScanner]: 1 } });

  it('are read as JSON.parse does, and mostly by their shape', () => {
    const kernel = new IngestKernel(wasm, columns);
    for (let seed = 1; seed <= 400; seed++) {
      const random = randomFrom(seed);
      const bytes = encode(Array.from({ length: 20 }, () => driftingLine(random, true)).join('\n'));
      expect(ingest(kernel, bytes), `seed ${seed}`).toEqual(skippedAlike(expectRows(bytes)));
    }
    expect(kernel.counter(IngestCounter.GeneralRows)).toBeLessThan(kernel.counter(IngestCounter.Rows) / 2);
  });

  it('give what the general scanner gives: learned, being learned, and not learned', () => {
    const warm = new IngestKernel(wasm, columns);
    const scanner = general();
    for (let seed = 1; seed <= 400; seed++) {
      const random = randomFrom(seed);
      const lines = Array.from({ length: 20 }, () => {
        const line = encode(driftingLine(random, false));
        return random() < 0.2 ? damage(line, random) : line;
      });
      const bytes = new Uint8Array(
        Buffer.concat(lines.flatMap((line) => [line, encode(random() < 0.1 ? '\r\n' : '\n')])),
      );
      const expected = ingest(scanner, bytes);
      expect(ingest(warm, bytes), `seed ${seed}`).toEqual(expected);
      if (seed % 40 === 0)
        expect(ingest(new IngestKernel(wasm, columns), bytes), `seed ${seed}, cold`).toEqual(expected);
    }
    expect(told(warm)).toEqual(told(scanner));
    expect(scanner.counter(IngestCounter.GeneralRows)).toBe(scanner.counter(IngestCounter.Rows));
    expect(warm.counter(IngestCounter.GeneralRows)).toBeLessThan(warm.counter(IngestCounter.Rows));
  });

  it('of more kinds than there is room for are left to the general scanner, and known ones are found again', () => {
    const kernel = new IngestKernel(wasm, columns);
    const line = (i: number): string => `{"@timestamp":${i + 1},"k${i}":{"x${i % 7}":"${i}"},"labels":"v${i}"}`;
    const hostile = Array.from({ length: 20_000 }, (_, i) => line(i));
    for (let i = 0; i < hostile.length; i += 1000) kernel.push(hostile.slice(i, i + 1000).join('\n'));
    expect(kernel.rows.map((row) => row.cells['labels'])).toEqual(hostile.map((_, i) => `v${i}`));
    const general = kernel.counter(IngestCounter.GeneralRows);
    expect(general).toBe(hostile.length);
    for (let i = 0; i < 400; i++) kernel.push(`${line(1)}\n`.repeat(1000));
    expect(kernel.counter(IngestCounter.GeneralRows) - general).toBeLessThan(300_000);
  });
});
