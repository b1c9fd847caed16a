/** The kernel's JSON reader against JSON.parse and the object door, on generated and on damaged lines. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { IngestCounter, SkipReason } from '../../src/core/abi/events.js';
import { buildIngestKernel, IngestKernel } from '../support/ingest_kernel.js';
import { columns, expectRows } from '../support/ingest_oracle.js';
import { damage, eventArbitrary, randomFrom, writeJson } from '../support/json_lines_arbitrary.js';

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
