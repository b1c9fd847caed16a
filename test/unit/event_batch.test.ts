/** EventBatches in JavaScript: encoding, decoding, and what is refused. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { ByteBuffer } from 'flatbuffers';
import { describe, expect, it } from 'vitest';
import { BatchError } from '../../src/core/errors.js';
import { isEventBatch, viewBatch } from '../../src/event/batch_view.js';
import { createDecoder, decodeEvents } from '../../src/event/decoder.js';
import { createEncoder, encodeEvents } from '../../src/event/encoder.js';
import type { FieldSpec } from '../../src/event/fields.js';
import { schemaHash } from '../../src/event/gen/schema_hash.js';
import { EventBatch } from '../../src/event/gen/vedette/event-batch.js';
import { eventArbitrary } from '../support/json_lines_arbitrary.js';

const fields: readonly (string | FieldSpec)[] = [
  'process.name',
  'process.args',
  'process.pid',
  { name: 'process.entity_id', kind: 'id' },
  { name: 'process.parent.name', kind: 'text', unique: true },
  'event.sequence',
  'host.id',
  { name: 'dll.path', kind: 'text', nested: 'dll' },
  { name: 'dll.hash.md5', kind: 'text', nested: 'dll' },
  'labels',
];

const wellFormed = fc.array(eventArbitrary, { maxLength: 6 }).map((events) => {
  const text = new TextDecoder().decode(new TextEncoder().encode(JSON.stringify(events)));
  // What JSON leaves of lone surrogates are escapes, which UTF-8 cannot carry.
  return JSON.parse(text.replaceAll(/\\ud[89a-f][0-9a-f]{2}/gi, '?')) as Record<string, unknown>[];
});

describe('encodeEvents and decodeEvents', () => {
  it('the generated code is that of the schema', () => {
    const schema = readFileSync(new URL('../../schemas/event_batch.fbs', import.meta.url));
    expect(createHash('sha256').update(schema).digest('hex')).toBe(schemaHash);
  });

  it('encoding what was decoded gives the same bytes', () => {
    const property = fc.property(wellFormed, (events) => {
      const bytes = encodeEvents(events, { fields });
      expect(encodeEvents(decodeEvents(bytes), { fields })).toEqual(bytes);
    });
    fc.assert(property, { numRuns: 500, seed: 3 });
  });

  it('keeps types, lists, elements and times', () => {
    const events = [
      { '@timestamp': '2026-01-01T00:00:00.123456Z', process: { name: 'a', args: ['x', 1, true], pid: '5' } },
      {
        '@timestamp': new Date(0),
        'process.name': 5,
        dll: [{ path: 'p' }, {}, { path: ['q', 'r'], hash: { md5: 'm' } }],
      },
      'no object',
      { '@timestamp': 12n, labels: false, process: [{ entity_id: ['e', 'f'] }] },
    ];
    expect(decodeEvents(encodeEvents(events, { fields }))).toEqual([
      {
        '@timestamp': '2026-01-01T00:00:00.123456Z',
        'process.name': 'a',
        'process.args': ['x', 1, true],
        'process.pid': 5,
      },
      {
        '@timestamp': '1970-01-01T00:00:00.000000Z',
        'process.name': 5,
        dll: [{ path: 'p' }, {}, { path: ['q', 'r'], 'hash.md5': 'm' }],
      },
      {},
      { '@timestamp': '1970-01-01T00:00:12.000000Z', labels: false, 'process.entity_id': 'e' },
    ]);
  });

  it('stock FlatBuffers code reads the batch, whose vectors are 16-byte aligned', () => {
    const bytes = encodeEvents([{ '@timestamp': 1, 'process.name': 'a', 'process.pid': 7 }], { fields, host: 'h' });
    const batch = EventBatch.getRootAsEventBatch(new ByteBuffer(bytes));
    expect([batch.rows(), batch.host(), batch.time(0), batch.columnsLength()]).toEqual([1, 'h', 1_000_000n, 2]);
    expect(batch.columns(0)?.name()).toBe('process.name');
    expect(batch.columns(0)?.dictionary()?.bytesArray()).toEqual(new TextEncoder().encode('a'));
    expect(batch.columns(1)?.numbersArray()).toEqual(new Float64Array([7]));
    const view = viewBatch(bytes);
    const vectors = view.columns.flatMap((c) => [c.codes, c.numbers, c.dictionary?.offsets, c.dictionary?.bytes]);
    for (const vector of [view.time, ...vectors]) expect((vector?.offset ?? 0) % 16).toBe(0);
  });

  it('takes cyclic objects and refuses arrays nested without end as that row only', () => {
    const cyclic: Record<string, unknown> = { '@timestamp': 1, 'process.name': 'a' };
    cyclic['process'] = cyclic;
    const endless: unknown[] = [];
    endless.push(endless);
    const rows = decodeEvents(encodeEvents([cyclic, { '@timestamp': 1, labels: endless }], { fields }));
    expect(rows).toEqual([{ '@timestamp': '1970-01-01T00:00:01.000000Z', 'process.name': 'a' }, {}]);
  });
});

describe('session encoders', () => {
  it('ship each value once and mean the same as self-contained batches', () => {
    const property = fc.property(fc.array(wellFormed, { maxLength: 5 }), (batches) => {
      const encoder = createEncoder({ fields });
      const decoder = createDecoder();
      for (const events of batches) {
        expect(decoder.decode(encoder.encode(events))).toEqual(decodeEvents(encodeEvents(events, { fields })));
      }
    });
    fc.assert(property, { numRuns: 200, seed: 4 });
  });

  it('start over when their dictionaries reach the limits', () => {
    const encoder = createEncoder({ fields: ['labels'], limits: { codes: 10 } });
    const batch = (from: number): Uint8Array =>
      encoder.encode(Array.from({ length: 6 }, (_, i) => ({ '@timestamp': 1, labels: `v${from + i}` })));
    const places = [batch(0), batch(2), batch(20), batch(22)].map((bytes) => {
      const { session, position } = viewBatch(bytes);
      return { session, position };
    });
    const first = places[0]?.session ?? 0n;
    expect(places).toEqual([
      { session: first, position: 0 },
      { session: first, position: 1 },
      { session: first + 1n, position: 0 },
      { session: first + 1n, position: 1 },
    ]);
  });

  it('refuse a batch that alone is larger than a session', () => {
    const encoder = createEncoder({ fields: ['labels'], limits: { codes: 2 } });
    const events = ['a', 'b', 'c'].map((labels) => ({ '@timestamp': 1, labels }));
    expect(() => encoder.encode(events)).toThrow(expect.objectContaining({ code: 'BATCH_SIZE' }));
    expect(viewBatch(encoder.encode(events.slice(0, 2))).position).toBe(0);
  });
});

describe('refused batches', () => {
  const good = encodeEvents([{ '@timestamp': 1, 'process.name': 'a', labels: ['b', 2], 'process.pid': 7 }], { fields });

  it('are told by their identifier', () => {
    expect(isEventBatch(good)).toBe(true);
    expect(isEventBatch(new TextEncoder().encode('{"a":1}'))).toBe(false);
    expect(() => viewBatch(new Uint8Array(3))).toThrow(expect.objectContaining({ code: 'BATCH_FORMAT' }));
  });

  it('whatever is cut or flipped, reading ends in events or a BatchError', () => {
    const attempt = (bytes: Uint8Array): void => {
      try {
        decodeEvents(bytes);
      } catch (error) {
        if (!(error instanceof BatchError)) throw error;
      }
    };
    for (let length = 0; length < good.length; length++) attempt(good.slice(0, length));
    for (let at = 0; at < good.length; at++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = good.slice();
        bytes[at] = (bytes[at] as number) ^ flip;
        attempt(bytes);
      }
    }
  });

  it('name the column', () => {
    const bytes = good.slice();
    const labels = viewBatch(good).columns.find((column) => column.name === 'labels');
    bytes[labels?.codes?.offset ?? 0] = 200;
    expect(() => decodeEvents(bytes)).toThrow('column labels: a code is larger than the dictionary');
  });
});
