/** The store of interned values: identity, truth sets, and collection within fixed memory. */
import { beforeAll, describe, expect, it } from 'vitest';
import { IngestCounter } from '../../src/core/abi/events.js';
import { Config } from '../../src/core/abi/state.js';
import { createEncoder } from '../../src/event/encoder.js';
import { buildIngestKernel, IngestKernel } from '../support/ingest_kernel.js';
import { columns } from '../support/ingest_oracle.js';

let wasm: Uint8Array;
beforeAll(() => {
  wasm = buildIngestKernel();
});

const time = '"@timestamp":1';
const labels = columns.findIndex((column) => column.name === 'labels');
const name = columns.findIndex((column) => column.name === 'process.name');
const small = { config: { [Config.ValueBytes]: 256 * 1024 } };

describe('interned values', () => {
  it('are one per column and content, with the union of sets for lists', () => {
    const ids: number[][] = [];
    const kernel = new IngestKernel(wasm, columns, {
      onChunk: ({ exports }, rows) => {
        for (let i = 0; i < rows; i++)
          ids.push([exports.cellText(labels, exports.chunkSlot(i)), exports.cellText(name, exports.chunkSlot(i))]);
      },
    });
    kernel.push(
      [
        `{${time},"labels":"a","process.name":"a"}`,
        `{${time},"labels":["a","b"]}`,
        `{${time},"labels":["a","b"]}`,
        `{${time},"labels":["b","a"]}`,
      ].join('\n'),
    );
    const [first, second, third, fourth] = ids as [number[], number[], number[], number[]];
    expect(first[0]).not.toBe(first[1]);
    expect(kernel.exports.valueHash(first[0] as number)).toBe(kernel.exports.valueHash(first[1] as number));
    expect(kernel.exports.valueColumn(first[1] as number)).toBe(name);
    expect(second[0]).toBe(third[0]);
    expect(second[0]).not.toBe(fourth[0]);
    const bit = (letter: string): number => 1 << (letter.charCodeAt(0) & 31);
    expect(kernel.exports.valueSet(second[0] as number)).toBe(bit('a') | bit('b'));
  });

  it('of a long stream fit in fixed memory, and rows are not changed by collections', () => {
    const kernel = new IngestKernel(wasm, columns, small);
    const reserved = kernel.exports.reservedBytes();
    for (let batch = 0; batch < 40; batch++) {
      const lines = Array.from({ length: 400 }, (_, i) => {
        const unique = `${'u'.repeat(i % 50)}${batch}-${i}`;
        return `{${time},"labels":["${unique}","common","${unique}x"],"process.name":"n${i % 7}"}`;
      });
      kernel.push(lines.join('\n'));
    }
    expect(kernel.exports.valueGeneration.value).toBeGreaterThan(3);
    expect(kernel.counter(IngestCounter.ValuesLost)).toBe(0);
    expect(kernel.exports.reservedBytes()).toBe(reserved);
    const expected = kernel.rows.map((_, row) => {
      const [batch, i] = [Math.floor(row / 400), row % 400];
      const unique = `${'u'.repeat(i % 50)}${batch}-${i}`;
      return { labels: [unique, 'common', `${unique}x`], 'process.name': `n${i % 7}` };
    });
    expect(kernel.rows.map((row) => row.cells)).toEqual(expected);
  });

  it('of held rows, of the session and of marks outlive collections', () => {
    const held: number[] = [];
    let marked = 0;
    const kernel = new IngestKernel(wasm, columns, {
      ...small,
      onChunk: ({ exports }, rows) => {
        for (let i = 0; i < rows; i++) {
          const slot = exports.chunkSlot(i);
          if (held.length < 5) held.push(slot);
          else exports.rowFree(slot);
          if (held.length === 5 && marked === 0) marked = exports.cellText(labels, slot);
        }
      },
      markValues: ({ exports }) => exports.valueMark(marked),
    });
    const encoder = createEncoder({ fields: ['labels'] });
    kernel.pushBatch(encoder.encode([1, 2, 3, 4, 5].map((i) => ({ '@timestamp': 1, labels: [`held${i}`, 'and'] }))));
    for (let batch = 0; batch < 40; batch++) {
      kernel.push(
        Array.from({ length: 400 }, (_, i) => `{${time},"labels":"${'x'.repeat(60)}${batch}-${i}"}`).join('\n'),
      );
    }
    expect(kernel.exports.valueGeneration.value).toBeGreaterThan(3);
    expect(held.map((slot) => kernel.row(slot).cells['labels'])).toEqual(
      [1, 2, 3, 4, 5].map((i) => [`held${i}`, 'and']),
    );
    expect(kernel.value(marked)).toEqual(['held5', 'and']);
    kernel.pushBatch(encoder.encode([{ '@timestamp': 1, labels: ['held1', 'new'] }]));
    expect(kernel.counter(IngestCounter.ValuesLost)).toBe(0);
  });

  it('that no room can be made for count as missing and are counted', () => {
    const kernel = new IngestKernel(wasm, columns, { ...small, onChunk: () => {} });
    kernel.push(Array.from({ length: 3000 }, (_, i) => `{${time},"labels":"${'x'.repeat(200)}${i}"}`).join('\n'));
    expect(kernel.counter(IngestCounter.ValuesLost)).toBeGreaterThan(0);
    expect(kernel.counter(IngestCounter.Rows)).toBe(3000);
  });
});
