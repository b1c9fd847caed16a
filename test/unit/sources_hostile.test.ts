/** `--format auto` on input that means no good: every line is an event, or counted as none; nothing is thrown. */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { lineBytesMax, wholeLines } from '../../src/cli/input.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { createSourceReader, recordSources, textSources } from '../../src/source/reader.js';
import { createWorkspace, runCli } from '../support/cli.js';
import { equals, matchRule } from '../support/rules.js';

interface Junk {
  readonly name: string;
  readonly line: string;
  /** `none`: no line at all; `unread`: counted as not recognised; `any`: one or the other, and no exception. */
  readonly becomes: 'none' | 'unread' | 'any';
}

interface SourceCase {
  readonly kind: string;
  readonly line?: object;
  readonly text?: string;
}

const readJson = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../cases/sources/${name}`, import.meta.url), 'utf8')) as T;
const junk = readJson<Junk[]>('junk.json');
const further = readJson<SourceCase[]>('further_kinds.json');
const records = [...readJson<SourceCase[]>('classes.json'), ...further];
const linesOf = ({ line, text }: SourceCase): string[] => (text ?? JSON.stringify(line)).split('\n');

function read(text: string | Uint8Array) {
  const reader = createSourceReader('auto');
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  const out = new TextDecoder().decode(reader.read(bytes)) + new TextDecoder().decode(reader.end());
  const events = out.split('\n').filter((line) => line !== '');
  return { tally: reader.tally, events };
}

const recognised = (tally: ReturnType<typeof read>['tally']): number =>
  [...tally.byKind.values()].reduce((sum, count) => sum + count, 0);

test('the data has a line of every source', () => {
  const kinds = [...recordSources, ...textSources].map(({ kind }) => kind);
  expect([...new Set(records.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
});

test.each(junk.map((one) => [one.name, one] as const))('%s', (_, { line, becomes }) => {
  const { tally, events } = read(`${line}\n`);
  if (becomes !== 'any') expect(events).toEqual([]);
  if (becomes === 'none') expect(tally).toMatchObject({ lines: 0, unrecognised: 0 });
  if (becomes === 'unread') expect(tally).toMatchObject({ lines: 1, unrecognised: 1 });
  expect(tally.lines).toBe(recognised(tally) + tally.unrecognised);
});

describe('lines of all sources among one another and junk', () => {
  const mixed = records.flatMap((record, index) => [...linesOf(record), junk[index % junk.length]?.line ?? '']);
  const alone = records.map((record) => read(linesOf(record).join('\n')));

  test('are recognised as they are alone, and the rest is counted', () => {
    const { tally } = read(mixed.join('\n'));
    const unread = mixed.filter((line) => junk.some((one) => one.line === line && one.becomes === 'unread')).length;
    expect(tally.unrecognised).toBeGreaterThanOrEqual(unread);
    expect(tally.lines).toBe(mixed.filter((line) => line.trim() !== '').length);
    expect(tally.lines).toBe(recognised(tally) + tally.unrecognised);
    for (const { kind } of records) expect(tally.byKind.get(kind)).toBeGreaterThan(0);
    expect(tally.events).toBeGreaterThanOrEqual(alone.reduce((sum, one) => sum + one.tally.events, 0));
  });

  test('with a byte order mark and the line ends of Windows give the same', () => {
    const plain = read(mixed.join('\n'));
    const marked = read(`\ufeff${mixed.join('\r\n')}\r\n`);
    expect(marked.tally.byKind).toEqual(plain.tally.byKind);
    expect(marked.tally.unrecognised).toBe(plain.tally.unrecognised);
  });

  test('in one array, or in an array over several lines, are the same records', () => {
    const json = records.flatMap(({ line }) => (line === undefined ? [] : [JSON.stringify(line)]));
    const plain = read(json.join('\n'));
    expect(read(`[${json.join(',')}]`).tally.byKind).toEqual(plain.tally.byKind);
    const pretty = read(`[\n${json.join(',\n')}\n]\n`).tally;
    expect(pretty.byKind).toEqual(plain.tally.byKind);
    expect(pretty.unrecognised).toBe(2);
  });

  test('in the hits of an export are what they carry', () => {
    const json = records.flatMap(({ line }) => (line === undefined ? [] : [line]));
    const plain = read(json.map((line) => JSON.stringify(line)).join('\n'));
    const hits = read(json.map((line) => JSON.stringify({ _index: 'x', _id: '1', _source: line })).join('\n'));
    expect(hits.tally.byKind).toEqual(plain.tally.byKind);
  });
});

test('bytes of no text are lines of no source, whatever they are', () => {
  let state = 1;
  const bytes = Uint8Array.from({ length: 200_000 }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
  const { tally, events } = read(bytes);
  expect(events).toEqual([]);
  expect(tally.unrecognised).toBe(tally.lines);
  expect(tally.unrecognisedExamples).toHaveLength(10);
});

/** A copy with one value of it replaced; `place` counts values in the order of `JSON.stringify`. */
function replaced(record: unknown, place: { left: number }, by: unknown): unknown {
  if (place.left-- === 0) return by;
  if (Array.isArray(record)) return record.map((item) => replaced(item, place, by));
  if (typeof record !== 'object' || record === null) return record;
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, replaced(value, place, by)]));
}

const intruders: readonly unknown[] = [
  null,
  [],
  {},
  [[null]],
  'x',
  '',
  -1,
  1e300,
  true,
  { path: null },
  ['a', 2, null],
];

test.each(records.filter(({ line }) => line !== undefined).map((one) => [one.kind, one] as const))(
  '%s: a record with any value replaced by any other is an event or counted as none',
  (_, { line }) => {
    const values = JSON.stringify(line).match(/[[{,:]/g)?.length ?? 0;
    for (let place = 0; place < values; place++) {
      for (const intruder of intruders) {
        const { tally } = read(JSON.stringify(replaced(line, { left: place }, intruder)));
        expect(tally.lines).toBe(recognised(tally) + tally.unrecognised);
      }
    }
  },
);

test('a line without end is cut, and what follows it is read', async () => {
  async function* chunks() {
    yield new TextEncoder().encode('{"a":"');
    const piece = new Uint8Array(1024 * 1024).fill(97);
    for (let sent = 0; sent <= lineBytesMax + piece.length; sent += piece.length) yield piece;
    yield new TextEncoder().encode('"}\n{"b":1}\n');
  }
  const lines: Uint8Array[] = [];
  for await (const piece of wholeLines(chunks())) lines.push(piece);
  expect(lines.map((line) => line.length > lineBytesMax)).toEqual([true, false]);
  expect(new TextDecoder().decode(lines[1])).toBe('{"b":1}\n');
  const reader = createSourceReader('auto');
  for (const line of lines) reader.read(line);
  expect(reader.tally).toMatchObject({ lines: 2, unrecognised: 2 });
});

test('what the reader passes, the kernel takes or counts', async () => {
  const correlator = await createCorrelator({
    rules: [matchRule('any', equals('process.name', 'x'))],
    memory: '16MiB',
  });
  const mixed = records.flatMap((record, index) => [...linesOf(record), junk[index % junk.length]?.line ?? '']);
  const { events } = read(mixed.join('\n'));
  correlator.push(new TextEncoder().encode(events.join('\n')));
  correlator.flush();
  expect(correlator.stats().events).toBe(events.length);
});

describe('the command', () => {
  const workspace = createWorkspace();
  afterAll(() => workspace.remove());

  test('scan says what it did not recognise, and shows no control characters', async () => {
    const mixed = [...records.flatMap(linesOf), ...junk.map(({ line }) => line)].join('\n');
    const { code, stderr } = await runCli('scan', workspace.file('mixed.ndjson', mixed));
    expect(code).toBe(0);
    expect(stderr).toMatch(/\d+ lines were not recognised, such as: /);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });
});
