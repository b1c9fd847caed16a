/** The parts of the correlator that need no kernel: hashes, times, options, input forms. */
import { describe, expect, it } from 'vitest';
import { hash128, hash128Hex } from '../../src/core/hash.js';
import { formatTimeUs, parseTimeUs } from '../../src/core/time.js';
import { formOf, lineRuns, objectRuns } from '../../src/correlator/input.js';
import { type CorrelatorOptions, parseMemoryBytes, readOptions } from '../../src/correlator/options.js';

describe('the fixed hash', () => {
  it('is MurmurHash3 x86-128, by the verification value of its test suite', () => {
    const all = new DataView(new ArrayBuffer(256 * 16));
    const key = Uint8Array.from({ length: 256 }, (_, index) => index);
    for (let length = 0; length < 256; length++) {
      const words = hash128(key.subarray(0, length), 256 - length);
      words.forEach((word, index) => {
        all.setUint32(length * 16 + index * 4, word, true);
      });
    }
    expect(hash128(new Uint8Array(all.buffer))[0]).toBe(0xb3ece62a);
  });

  it('tells texts of every tail length apart', () => {
    const texts = Array.from({ length: 40 }, (_, length) => 'x'.repeat(length));
    expect(new Set(texts.map(hash128Hex)).size).toBe(40);
  });
});

describe('times', () => {
  it.each([
    ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000Z'],
    ['2026-01-01T00:00:00.123456789Z', '2026-01-01T00:00:00.123456Z'],
    ['2026-01-01T02:00:00+02:00', '2026-01-01T00:00:00.000000Z'],
    ['2026-01-01', '2026-01-01T00:00:00.000000Z'],
    [1767225600, '2026-01-01T00:00:00.000000Z'],
    [1767225600123, '2026-01-01T00:00:00.123000Z'],
    [1767225600123456, '2026-01-01T00:00:00.123456Z'],
    [new Date('2026-01-01T00:00:00.5Z'), '2026-01-01T00:00:00.500000Z'],
    ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
  ])('%s reads as %s', (value, text) => {
    expect(formatTimeUs(parseTimeUs(value))).toBe(text);
  });

  it.each(['soon', '', Number.NaN, new Date('never')])('%s is refused', (value) => {
    expect(() => parseTimeUs(value)).toThrow(expect.objectContaining({ code: 'USAGE_TIME' }));
  });
});

describe('options', () => {
  const read = (options: object) => readOptions({ rules: [], ...options } as CorrelatorOptions);

  it('have the defaults that are written down', () => {
    expect(read({})).toMatchObject({
      latenessUs: 0,
      memoryBytes: 64 * 1024 * 1024,
      maxSkipUs: 86_400_000_000,
      maxValueBytes: 32 * 1024,
      timestampField: '@timestamp',
      eventCategoryField: 'event.category',
      tiebreakerField: 'event.sequence',
      defaultHost: 'unknown',
      minSeverity: 'low',
      caps: 'none',
    });
  });

  it.each([
    [{ latenes: '5s' }, /unknown option latenes; did you mean lateness\?/],
    [{ memory: 'lots' }, /memory: "lots" is not a size/],
    [{ minSeverity: 'severe' }, /minSeverity: give one of informational, low/],
    [{ maxValueBytes: 1 }, /maxValueBytes: give a whole number from 64/],
    [{ evidenceFields: ['a', ''] }, /evidenceFields: give an array of field names/],
    [{ processFields: { pdi: 'x' } }, /unknown process field pdi; did you mean pid\?/],
    [{ prefilter: 'maybe' }, /prefilter: give one of on, off/],
    [{ rules: 'all' }, /rules: give an array/],
  ])('%j is refused with a remedy', (options, message) => {
    expect(() => read(options)).toThrow(message);
  });

  it.each([
    ['64MiB', 67108864],
    ['512 KiB', 524288],
    ['1GB', 1e9],
    [4096, 4096],
  ])('memory %j is %d bytes', (value, bytes) => {
    expect(parseMemoryBytes(value)).toBe(bytes);
  });
});

describe('input', () => {
  const bytes = (text: string) => new TextEncoder().encode(text);

  it.each([
    ['text', '{}', 'ndjson'],
    ['objects', [{}], 'objects'],
    ['NDJSON bytes', bytes('{"a":1}'), 'ndjson'],
    ['EventBatch bytes', bytes('\u0000\u0000\u0000\u0000VDTB'), 'batch'],
  ])('%s are known for what they are', (_, input, form) => {
    expect(formOf(input, undefined)).toBe(form);
  });

  it('can be forced only to a form that its type allows', () => {
    expect(formOf(bytes('{}'), 'batch')).toBe('batch');
    expect(() => formOf('{}', 'objects')).toThrow(/cannot be taken as objects/);
  });

  it.each([
    ['', 4, []],
    ['a\nb\nc', 4, ['a\nb\n', 'c']],
    ['aaaaaa\nb\n', 4, ['!aaaaaa\n', 'b\n']],
    ['ab\ncdef', 4, ['ab\n', 'cdef']],
    ['abcdefgh', 4, ['!abcdefgh']],
  ])('%j in runs of %d is cut on line ends', (text, most, runs) => {
    const all = bytes(text);
    const found = [...lineRuns(all, most)].map(
      ({ start, end, isTooLong }) => (isTooLong ? '!' : '') + new TextDecoder().decode(all.subarray(start, end)),
    );
    expect(found).toEqual(runs);
  });

  it('gives an object that JSON cannot write a line of its own that is no event', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect([...objectRuns([{ a: 1 }, circle, { n: 5n }], 100)]).toEqual(['{"a":1}\nunwritable\n{"n":5}']);
  });
});
