/** EventBatches in the kernel: the same rows as through JSON lines, sessions, and what is refused. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { IngestConfig, IngestCounter, SkipReason } from '../../src/core/abi/events.js';
import { Config } from '../../src/core/abi/state.js';
import { BatchError } from '../../src/core/errors.js';
import { viewBatch } from '../../src/event/batch_view.js';
import { createEncoder, encodeEvents } from '../../src/event/encoder.js';
import type { FieldSpec } from '../../src/event/fields.js';
import { buildIngestKernel, IngestKernel, type IngestOptions, type Row } from '../support/ingest_kernel.js';
import { columns, expectEvent } from '../support/ingest_oracle.js';
import { eventArbitrary } from '../support/json_lines_arbitrary.js';

let wasm: Uint8Array;
beforeAll(() => {
  wasm = buildIngestKernel();
});

/** The fields as the program wants them. */
const fields = columns
  .filter((column) => column.kind !== 'time')
  .map(({ name, kind, nested }) => ({ name, kind, ...(nested ? { nested } : {}) }) as FieldSpec);
/** The same fields from a producer that knows no kinds. */
const textFields = fields.map((field): FieldSpec => ({ ...field, kind: 'text' }));

const newKernel = (options?: IngestOptions): IngestKernel => new IngestKernel(wasm, columns, options);
const contents = (rows: readonly Row[]): unknown[] =>
  rows.map(({ timeUs, ordinal, cells, host, identity }) => ({ timeUs, ordinal, cells, host, identity }));

/** Events as JSON carries them, so that both doors see the same. */
const events = fc
  .array(eventArbitrary, { maxLength: 6 })
  .map((list) => JSON.parse(JSON.stringify(list)) as Record<string, unknown>[]);

describe('batches in the kernel', () => {
  it.each([
    ['self-contained, of the right kinds', () => (list: unknown[]) => encodeEvents(list, { fields })],
    ['self-contained, all text', () => (list: unknown[]) => encodeEvents(list, { fields: textFields })],
    ['of a session', () => createEncoder({ fields }).encode],
    ['of a session, all text', () => createEncoder({ fields: textFields }).encode],
    [
      'of a session that keeps no values',
      () => createEncoder({ fields: fields.map((field) => ({ ...field, unique: true })) }).encode,
    ],
    [
      'of a session that keeps half',
      () => createEncoder({ fields: fields.map((field, i) => ({ ...field, unique: i % 2 === 0 })) }).encode,
    ],
  ])('%s, give the rows that JSON lines give', (_, createEncode) => {
    const lines = newKernel();
    const batches = newKernel();
    const encode = createEncode();
    const property = fc.property(events, (list) => {
      const start = lines.rows.length;
      lines.push(list.map((event) => JSON.stringify(event)).join('\n'));
      batches.pushBatch(encode(list));
      expect(contents(batches.rows.slice(start))).toEqual(contents(lines.rows.slice(start)));
    });
    fc.assert(property, { numRuns: 500, seed: 7 });
    for (const counter of [IngestCounter.Rows, IngestCounter.Mistyped, IngestCounter.NoHost, SkipReason.Time]) {
      expect(batches.counter(counter), `counter ${counter}`).toBe(lines.counter(counter));
    }
  });

  it('give the rows of the object door', () => {
    const property = fc.property(events, (list) => {
      const kernel = newKernel({ config: { [Config.InputBytes]: 1 << 20, [Config.ValueBytes]: 1 << 20 } });
      kernel.pushBatch(encodeEvents(list, { fields }));
      const expected = list.map(expectEvent).filter((row) => !('skip' in row));
      expect(kernel.rows.map(({ timeUs, cells }) => ({ timeUs, cells }))).toEqual(expected);
    });
    fc.assert(property, { numRuns: 100, seed: 8 });
  });

  it('give rows that name no host the host of the batch', () => {
    const kernel = newKernel();
    const list = [{ '@timestamp': 1, host: { id: 'own' } }, { '@timestamp': 1 }, { '@timestamp': 1, 'host.name': 'n' }];
    kernel.pushBatch(encodeEvents(list, { fields, host: 'shared' }));
    expect(kernel.rows.map((row) => row.host)).toEqual(['own', 'shared', 'shared']);
    expect(kernel.counter(IngestCounter.NoHost)).toBe(0);
  });

  it('of more rows than a chunk and of held rows keep their order and texts', () => {
    const held: number[] = [];
    const kernel = newKernel({
      onChunk: ({ exports }, rows) => {
        for (let i = 0; i < rows; i++) held.push(exports.chunkSlot(i));
      },
    });
    const encoder = createEncoder({ fields });
    const list = (from: number): unknown[] =>
      Array.from({ length: 1500 }, (_, i) => ({
        '@timestamp': from + i,
        'process.entity_id': `entity-${from + i}`,
        'process.name': `n${i % 50}`,
      }));
    kernel.pushBatch(encoder.encode(list(0)));
    kernel.pushBatch(encodeEvents(list(1500), { fields }));
    kernel.push(
      list(3000)
        .slice(0, 500)
        .map((event) => JSON.stringify(event))
        .join('\n'),
    );
    expect(held.length).toBe(3500);
    const rows = held.map((slot) => kernel.row(slot));
    expect(rows.map((row) => row.cells['process.entity_id'])).toEqual(rows.map((_, i) => `entity-${i}`));
    expect(rows.map((row) => row.ordinal)).toEqual(rows.map((_, i) => i));
    for (const slot of held) kernel.exports.rowFree(slot);
    expect(kernel.exports.rowsFree()).toBe(4096);
  });

  it('skip rows when no slot can be had, and count them', () => {
    const kernel = newKernel({ config: { [Config.RowCapacity]: 1024 }, onChunk: () => {} });
    const list = Array.from({ length: 1100 }, () => ({ '@timestamp': 1 }));
    kernel.pushBatch(encodeEvents(list, { fields }));
    expect(kernel.counter(SkipReason.RowStore)).toBe(76);
    kernel.push(JSON.stringify(list[0]));
    expect(kernel.counter(SkipReason.RowStore)).toBe(77);
    expect(Number(kernel.exports.ordinalNext())).toBe(1101);
  });
});

describe('refused batches', () => {
  const list = [{ '@timestamp': 1, 'process.name': 'a', labels: ['b', 2], 'process.pid': 7, 'process.entity_id': 'e' }];

  it('never trap, and leave no trace', () => {
    const good = encodeEvents(list, { fields });
    const kernel = newKernel();
    let accepted = 0;
    const attempt = (bytes: Uint8Array): void => {
      const rows = kernel.rows.length;
      try {
        accepted += kernel.pushBatch(bytes);
      } catch (error) {
        if (!(error instanceof BatchError)) throw error;
        expect(kernel.rows.length).toBe(rows);
      }
      expect(Number(kernel.exports.ordinalNext())).toBe(accepted);
    };
    for (let length = 0; length < good.length; length++) attempt(good.slice(0, length));
    for (let at = 0; at < good.length; at++) {
      for (const flip of [0x01, 0x04, 0x10, 0x80, 0xff]) {
        const bytes = good.slice();
        bytes[at] = (bytes[at] as number) ^ flip;
        attempt(bytes);
      }
    }
    expect(accepted).toBeGreaterThan(0);
    kernel.pushBatch(good);
    expect(kernel.rows.at(-1)?.cells['labels']).toEqual(['b', 2]);
  });

  const patched = (
    name: string,
    patch: (bytes: Uint8Array, column: ReturnType<typeof columnOf>) => void,
  ): Uint8Array => {
    const bytes = encodeEvents(list, { fields });
    patch(bytes, columnOf(bytes, name));
    return bytes;
  };
  const columnOf = (bytes: Uint8Array, name: string) => viewBatch(bytes).columns.find((column) => column.name === name);
  const cases: [string, () => Uint8Array, string][] = [
    [
      'a code beyond the dictionary',
      () => patched('labels', (b, c) => b.fill(9, c?.codes?.offset, (c?.codes?.offset ?? 0) + 1)),
      'column labels: a code',
    ],
    [
      'offsets beyond the text',
      () =>
        patched('process.name', (b, c) =>
          b.fill(9, (c?.dictionary?.offsets.offset ?? 0) + 4, (c?.dictionary?.offsets.offset ?? 0) + 5),
        ),
      'column process.name: dictionary offsets',
    ],
    [
      'text that is not UTF-8',
      () =>
        patched('process.entity_id', (b, c) =>
          b.fill(0xff, c?.dictionary?.bytes.offset, (c?.dictionary?.bytes.offset ?? 0) + 1),
        ),
      'column process.entity_id: dictionary text is not UTF-8',
    ],
    [
      'an unknown tag',
      () => patched('labels', (b, c) => b.fill(9, c?.dictionary?.tags?.offset, (c?.dictionary?.tags?.offset ?? 0) + 1)),
      'column labels: a value tag',
    ],
    [
      'decreasing list offsets',
      () => patched('labels', (b, c) => b.fill(9, c?.listOffsets?.offset, (c?.listOffsets?.offset ?? 0) + 1)),
      'column labels: list offsets',
    ],
  ];
  it.each(cases)('%s', (_, make, message) => {
    const kernel = newKernel();
    expect(() => kernel.pushBatch(make())).toThrow(message);
    expect(Number(kernel.exports.ordinalNext())).toBe(0);
  });

  it('whose nested path is not the one the rules need', () => {
    const flat = encodeEvents([{ '@timestamp': 1, dll: [{ path: 'a' }, { path: 'b' }] }], { fields: ['dll.path'] });
    expect(() => newKernel().pushBatch(flat)).toThrow('column dll.path: is encoded flat');
  });

  it('larger than the input region', () => {
    const kernel = newKernel({ config: { [Config.InputBytes]: 4096 } });
    const many = Array.from({ length: 1000 }, (_, i) => ({ '@timestamp': i }));
    expect(() => kernel.pushBatch(encodeEvents(many, { fields }))).toThrow(
      expect.objectContaining({ code: 'BATCH_SIZE' }),
    );
  });
});

describe('sessions', () => {
  const list = (value: string): unknown[] => [{ '@timestamp': 1, labels: value, 'process.entity_id': value }];

  it('must start, and go on without a gap', () => {
    const kernel = newKernel();
    const encoder = createEncoder({ fields });
    const [first, second, third] = ['a', 'b', 'c'].map((value) => encoder.encode(list(value))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    expect(() => kernel.pushBatch(second)).toThrow(expect.objectContaining({ code: 'BATCH_EPOCH' }));
    kernel.pushBatch(first);
    expect(() => kernel.pushBatch(third)).toThrow(expect.objectContaining({ code: 'BATCH_EPOCH' }));
    kernel.pushBatch(second);
    kernel.pushBatch(third);
    expect(kernel.rows.map((row) => row.cells['labels'])).toEqual(['a', 'b', 'c']);
  });

  it('survive self-contained batches and JSON lines between their batches', () => {
    const kernel = newKernel();
    const encoder = createEncoder({ fields });
    kernel.pushBatch(encoder.encode(list('a')));
    kernel.pushBatch(encodeEvents(list('x'), { fields }));
    kernel.push('{"@timestamp":1,"labels":"y","process":{"entity_id":"y"}}');
    kernel.pushBatch(encoder.encode([...list('a'), ...list('b')]));
    expect(kernel.rows.map((row) => row.cells['labels'])).toEqual(['a', 'x', 'y', 'a', 'b']);
    expect(kernel.rows.map((row) => row.cells['process.entity_id'])).toEqual(['a', 'x', 'y', 'a', 'b']);
  });

  it('larger than the kernel keeps are refused, and the encoder can start over', () => {
    const kernel = newKernel({ config: { [IngestConfig.SessionIds]: 100 } });
    const encoder = createEncoder({ fields });
    const batch = (from: number): Uint8Array =>
      encoder.encode(Array.from({ length: 60 }, (_, i) => ({ '@timestamp': 1, 'process.entity_id': `e${from + i}` })));
    kernel.pushBatch(batch(0));
    expect(() => kernel.pushBatch(batch(60))).toThrow(expect.objectContaining({ code: 'BATCH_SIZE' }));
    encoder.reset();
    kernel.pushBatch(batch(60));
    expect(kernel.rows.at(-1)?.cells['process.entity_id']).toBe('e119');
  });
});
