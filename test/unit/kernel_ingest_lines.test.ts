/** Single lines and hostile input: what each gives, or why it is skipped. */
import { beforeAll, describe, expect, it } from 'vitest';
import { IngestCounter, SkipReason } from '../../src/core/abi/events.js';
import { Config } from '../../src/core/abi/state.js';
import { buildIngestKernel, IngestKernel } from '../support/ingest_kernel.js';
import { columns } from '../support/ingest_oracle.js';

let wasm: Uint8Array;
beforeAll(() => {
  wasm = buildIngestKernel();
});

const time = '"@timestamp":"2026-01-01T00:00:00Z"';
const cellsOf = (line: string | Uint8Array): unknown => {
  const kernel = new IngestKernel(wasm, columns);
  // The first is read by the general scanner, which learns its shape; the others by that shape.
  for (let times = 0; times < 3; times++) kernel.push(line);
  const [first, ...others] = kernel.rows.map(({ cells }) => cells);
  for (const other of others) expect(other).toEqual(first);
  return first;
};

describe('cells of a line', () => {
  const cases: [string, string, Record<string, unknown>][] = [
    ['nested keys', '{"process":{"parent":{"name":"a"}}', { 'process.parent.name': 'a' }],
    ['dotted keys', '{"process.parent.name":"a"', { 'process.parent.name': 'a' }],
    ['partly dotted keys', '{"process":{"parent.name":"a"}', { 'process.parent.name': 'a' }],
    ['keys dotted above', '{"process.parent":{"name":"a"}', { 'process.parent.name': 'a' }],
    ['escaped keys', '{"\\u0070rocess":{"n\\u0061me":"a"}', { 'process.name': 'a' }],
    ['a nested key after a dotted one', '{"process.name":"a","process":{"name":"b"}', { 'process.name': 'b' }],
    ['a dotted key after a nested one', '{"process":{"name":"b"},"process.name":"a"', { 'process.name': 'a' }],
    ['a null after a value', '{"process":{"name":"b"},"process.name":null', {}],
    ['an empty array after a value', '{"process":{"name":"b"},"process.name":[]', {}],
    ['a repeated key', '{"process":{"name":"a","name":"b"}', { 'process.name': 'b' }],
    ['a repeated object', '{"process":{"name":"a","pid":1},"process":{"pid":2}', { 'process.pid': 2 }],
    ['a repeated key in an element', '{"dll":[{"path":"a","path":"b"}]', { 'dll.path': 'b' }],
    ['a repeated key with a spelling of its own', '{"labels":"a","l\\u0061bels":"b"', { labels: 'b' }],
    ['a list', '{"process":{"args":["a",null,2,true]}', { 'process.args': ['a', 2, true] }],
    ['a list in a list', '{"process":{"args":["a",["b",["c"]]]}', { 'process.args': ['a', 'b', 'c'] }],
    ['a list of one', '{"process":{"args":["a"]}', { 'process.args': 'a' }],
    [
      'an array of objects',
      '{"process":[{"name":"a"},{"pid":7},{"name":"b","pid":8}]',
      { 'process.name': ['a', 'b'], 'process.pid': 7 },
    ],
    [
      'elements of a nested path',
      '{"dll":[{"path":"a"},{"hash":{"md5":"x"}},{"path":["b","c"]}]',
      { 'dll.path': ['a', undefined, ['b', 'c']], 'dll.hash.md5': [undefined, 'x', undefined] },
    ],
    ['one element of several values', '{"dll":{"path":["a","b"]}', { 'dll.path': [['a', 'b']] }],
    ['a number as text keeps its type', '{"labels":1.50', { labels: 1.5 }],
    ['a boolean', '{"labels":true', { labels: true }],
    ['a number given as text', '{"process":{"pid":"42"}', { 'process.pid': 42 }],
    ['an id that is a number', '{"process":{"entity_id":12.0}', { 'process.entity_id': '12' }],
    ['long integers as doubles', '{"labels":9223372036854775807', { labels: 2 ** 63 }],
    ['escapes', '{"labels":"\\u00e9\\n\\t\\"\\\\\\/\\ud83d\\ude00"', { labels: 'é\n\t"\\/😀' }],
    ['lone surrogates', '{"labels":"a\\ud83db\\ude00"', { labels: 'a\ufffdb\ufffd' }],
    ['an object where a value is expected', '{"labels":{"a":1}', {}],
  ];
  it.each(cases)('%s', (_, start, expected) => {
    expect(cellsOf(`${start},${time}}`)).toEqual(expected);
  });

  it('damaged UTF-8 is replaced as TextDecoder replaces it', () => {
    const bytes = new TextEncoder().encode(`{"labels":"a??b?????c",${time}}`);
    bytes.set([0xc3, 0x28], 12);
    bytes.set([0xe2, 0x82, 0xf0, 0x9f, 0x92], 15);
    const text = new TextDecoder().decode(bytes);
    expect(cellsOf(bytes)).toEqual({ labels: (JSON.parse(text) as { labels: string }).labels });
  });
});

describe('skipped rows', () => {
  const cases: [string, string, SkipReason][] = [
    ['a truncated line', `{${time},"a":"b`, SkipReason.Syntax],
    ['a truncated escape', `{${time},"a":"b\\`, SkipReason.Syntax],
    ['a trailing comma', `{${time},}`, SkipReason.Syntax],
    ['a second value', `{${time}} {}`, SkipReason.Syntax],
    ['an unquoted key', `{${time},a:1}`, SkipReason.Syntax],
    ['a single quote', `{${time},'a':1}`, SkipReason.Syntax],
    ['a control character in a string', `{${time},"a":"\u0001"}`, SkipReason.Syntax],
    ['a tab in a string', `{${time},"a":"\t"}`, SkipReason.Syntax],
    ['an unknown escape', `{${time},"a":"\\x"}`, SkipReason.Syntax],
    ['a short unicode escape', `{${time},"a":"\\u12"}`, SkipReason.Syntax],
    ['a leading zero', `{${time},"a":01}`, SkipReason.Syntax],
    ['a bare fraction', `{${time},"a":.5}`, SkipReason.Syntax],
    ['a plus sign', `{${time},"a":+5}`, SkipReason.Syntax],
    ['an unfinished exponent', `{${time},"a":5e}`, SkipReason.Syntax],
    ['NaN', `{${time},"a":NaN}`, SkipReason.Syntax],
    ['a comment', `{${time}/* */}`, SkipReason.Syntax],
    ['a wrong bracket', `{${time},"a":[1}}`, SkipReason.Syntax],
    ['an unopened bracket', `{${time}}]`, SkipReason.Syntax],
    ['10,000 nested brackets', `{${time},"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, SkipReason.Depth],
    ['10,000 nested objects', `{${time},"a":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, SkipReason.Depth],
    ['an array', `[{${time}}]`, SkipReason.NotObject],
    ['a string', '"abc"', SkipReason.NotObject],
    ['a number', ' 12', SkipReason.NotObject],
    ['null', 'null', SkipReason.NotObject],
    ['no time', '{"labels":"a"}', SkipReason.Time],
    ['a time of another type', '{"@timestamp":true}', SkipReason.Time],
    ['a time that is none', '{"@timestamp":"yesterday"}', SkipReason.Time],
  ];
  it.each(cases)('%s', (_, line, reason) => {
    const kernel = new IngestKernel(wasm, columns);
    const good = `{${time},"labels":"good"}`;
    expect(kernel.push(`${good}\n${line}\n${good}`)).toBe(3);
    expect(kernel.rows.map((row) => row.ordinal)).toEqual([0, 2]);
    expect(kernel.counter(reason)).toBe(1);
    expect(kernel.examples()).toMatchObject([{ ordinal: 1, reason }]);
    expect(kernel.examples()[0]?.offset).toBeGreaterThanOrEqual(good.length + 1);
  });

  it('keeps the first ten as examples and counts all', () => {
    const kernel = new IngestKernel(wasm, columns);
    kernel.push('nonsense\n'.repeat(25));
    expect(kernel.counter(SkipReason.Syntax)).toBe(25);
    expect(kernel.examples().map((example) => example.offset)).toEqual([...Array(10).keys()].map((i) => i * 9));
  });

  it('skips a line of more tokens than the index holds, and only that', () => {
    const kernel = new IngestKernel(wasm, columns, { config: { [Config.InputBytes]: 65536 } });
    const line = `{${time},"a":[${'1,'.repeat(20_000)}1]}`;
    expect(kernel.push(`${line}\n{${time}}`)).toBe(2);
    expect(kernel.counter(SkipReason.Tokens)).toBe(1);
    expect(kernel.rows.map((row) => row.ordinal)).toEqual([1]);
  });
});

describe('harmless forms', () => {
  const line = `{${time},"labels":"a"}`;
  const cases: [string, string][] = [
    ['CRLF', `${line}\r\n${line}\r\n`],
    ['blank lines', `\n\n${line}\n \t\r\n${line}\n\n`],
    ['a byte order mark', `\ufeff${line}\n${line}`],
    ['no last line end', `${line}\n${line}`],
    ['blanks around tokens', ` { ${time} , "labels" : "a" } \n\t${line}`],
  ];
  it.each(cases)('%s', (_, text) => {
    const kernel = new IngestKernel(wasm, columns);
    expect(kernel.push(text)).toBe(2);
    expect(kernel.rows.map((row) => [row.ordinal, row.cells['labels']])).toEqual([
      [0, 'a'],
      [1, 'a'],
    ]);
  });

  it('gives the same rows for any split at line ends, over windows of the scanner', () => {
    const lines = Array.from(
      { length: 3000 },
      (_, i) => `{${time},"labels":"${'x'.repeat(i % 97)}\\\\${i}","other":["${'y'.repeat(i % 31)}"]}`,
    );
    const whole = new IngestKernel(wasm, columns);
    whole.push(lines.join('\n'));
    const split = new IngestKernel(wasm, columns);
    for (let i = 0; i < lines.length; i += 7) split.push(`${lines.slice(i, i + 7).join('\n')}\n`);
    expect(whole.rows.length).toBe(3000);
    expect(split.rows).toEqual(whole.rows);
  });
});

describe('limits', () => {
  it('cuts a value longer than maxValueBytes at a code point and counts it', () => {
    const kernel = new IngestKernel(wasm, columns, { config: { [Config.MaxValueBytes]: 100 } });
    const values = ['a'.repeat(101), `${'a'.repeat(99)}é`, 'é'.repeat(51), `\\n${'é'.repeat(50)}`, 'a'.repeat(100)];
    kernel.push(values.map((value) => `{${time},"labels":"${value}"}`).join('\n'));
    const kept = ['a'.repeat(100), 'a'.repeat(99), 'é'.repeat(50), `\n${'é'.repeat(49)}`, 'a'.repeat(100)];
    expect(kernel.rows.map((row) => row.cells['labels'])).toEqual(kept);
    expect(kernel.counter(IngestCounter.Truncated)).toBe(4);
  });

  it('takes a string of 1 MB', () => {
    const kernel = new IngestKernel(wasm, columns);
    kernel.push(`{${time},"labels":"${'ab\\n'.repeat(250_000)}","process":{"name":"n"}}`);
    expect(kernel.rows[0]?.cells['process.name']).toBe('n');
    expect(String(kernel.rows[0]?.cells['labels']).length).toBe(32768);
  });

  it('counts values that are no number where one is expected', () => {
    const kernel = new IngestKernel(wasm, columns);
    kernel.push(
      ['"x"', 'true', '"1e999"', '1e999', '"5"', 'null'].map((pid) => `{${time},"process.pid":${pid}}`).join('\n'),
    );
    expect(kernel.counter(IngestCounter.Mistyped)).toBe(4);
    expect(kernel.rows.map((row) => row.cells['process.pid'])).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      5,
      undefined,
    ]);
  });
});

describe('hosts and order', () => {
  it('names the host by host.id, host.name, agent.id, then the default, which is counted', () => {
    const kernel = new IngestKernel(wasm, columns, { defaultHost: 'somewhere' });
    const hosts = [
      '"host":{"id":"i","name":"n"},"agent":{"id":"a"}',
      '"host":{"name":["n","m"]},"agent.id":"a"',
      '"agent":{"id":7}',
      '"a":1',
    ];
    kernel.push(hosts.map((host) => `{${time},${host}}`).join('\n'));
    expect(kernel.rows.map((row) => row.host)).toEqual(['i', 'n', '7', 'somewhere']);
    expect(kernel.counter(IngestCounter.NoHost)).toBe(1);
  });

  it('reads the tiebreaker', () => {
    const kernel = new IngestKernel(wasm, columns);
    kernel.push(`{${time},"event":{"sequence":12}}\n{${time}}`);
    expect(kernel.rows.map((row) => row.tiebreak)).toEqual([12, Number.NaN]);
  });

  it('hashes equal text alike in any column and kind, and numbers by value', () => {
    const hashes: bigint[][] = [];
    const kernel = new IngestKernel(wasm, columns, {
      onChunk: ({ exports }, rows) => {
        for (let i = 0; i < rows; i++) {
          const slot = exports.chunkSlot(i);
          hashes.push(columns.map((_, c) => exports.cellHash(c, slot)));
          exports.rowFree(slot);
        }
      },
    });
    const index = (name: string): number => columns.findIndex((column) => column.name === name);
    kernel.push(`{${time},"process":{"name":"x","entity_id":"x","pid":5},"labels":5.0}\n{${time},"labels":"5"}`);
    const [first, second] = hashes as [bigint[], bigint[]];
    expect(first[index('process.name')]).toBe(first[index('process.entity_id')]);
    expect(first[index('process.pid')]).toBe(first[index('labels')]);
    expect(first[index('labels')]).not.toBe(second[index('labels')]);
    expect(second[index('process.name')]).toBe(0n);
  });
});
