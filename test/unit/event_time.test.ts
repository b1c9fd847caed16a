/** Event times: the same forms through JavaScript and the kernel. */
import { beforeAll, describe, expect, it } from 'vitest';
import { formatTimeUs, NO_TIME_US, parseTimeUs } from '../../src/event/time_text.js';
import { buildIngestKernel, IngestKernel } from '../support/ingest_kernel.js';
import { columns } from '../support/ingest_oracle.js';

let wasm: Uint8Array;
beforeAll(() => {
  wasm = buildIngestKernel();
});

const cases: [string | number, string | undefined][] = [
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000Z'],
  ['2026-01-01', '2026-01-01T00:00:00.000000Z'],
  ['2026-01-01 10:20', '2026-01-01T10:20:00.000000Z'],
  ['2026-01-01T10:20:30.5', '2026-01-01T10:20:30.500000Z'],
  ['2026-01-01t10:20:30,123456789z', '2026-01-01T10:20:30.123456Z'],
  ['2026-01-01T10:20:30+05:30', '2026-01-01T04:50:30.000000Z'],
  ['2026-01-01T10:20:30-0800', '2026-01-01T18:20:30.000000Z'],
  ['2026-01-01T10:20:30.25+02', '2026-01-01T08:20:30.250000Z'],
  ['2026-12-31T23:59:60Z', '2027-01-01T00:00:00.000000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000000Z'],
  ['2000-02-29', '2000-02-29T00:00:00.000000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000000Z'],
  ['0000-01-01', '0000-01-01T00:00:00.000000Z'],
  ['1969-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.999999Z'],
  ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
  [1767225600, '2026-01-01T00:00:00.000000Z'],
  [1767225600.25, '2026-01-01T00:00:00.250000Z'],
  [1767225600123, '2026-01-01T00:00:00.123000Z'],
  [1767225600123456, '2026-01-01T00:00:00.123456Z'],
  [1767225600123456800, '2026-01-01T00:00:00.123456Z'],
  ['1767225600123', '2026-01-01T00:00:00.123000Z'],
  [0, '1970-01-01T00:00:00.000000Z'],
  [-1.5, '1969-12-31T23:59:58.500000Z'],
  [-62135596800, '0001-01-01T00:00:00.000000Z'],
  ['9999-12-31T23:59:59-01:00', undefined],
  ['0000-01-01T00:00:00+01:00', undefined],
  ['2023-02-29', undefined],
  ['2026-13-01', undefined],
  ['2026-00-10', undefined],
  ['2026-04-31', undefined],
  ['2026-01-01T24:00:00Z', undefined],
  ['2026-01-01T10:60', undefined],
  ['2026-01-01T10:20:61', undefined],
  ['2026-01-01T10', undefined],
  ['2026-01-01T10:20:30.', undefined],
  ['2026-01-01T10:20:30+5', undefined],
  ['2026-01-01T10:20:30Zx', undefined],
  ['2026-01-01X10:20:30', undefined],
  ['26-01-01', undefined],
  ['', undefined],
  [1e300, undefined],
];

describe('times', () => {
  it.each(cases)('%s', (value, expected) => {
    const expectedUs = parseTimeUs(value);
    expect(expectedUs === NO_TIME_US ? undefined : formatTimeUs(expectedUs)).toBe(expected);
    const kernel = new IngestKernel(wasm, columns);
    kernel.push(JSON.stringify({ '@timestamp': value }));
    expect(kernel.rows.map((row) => row.timeUs)).toEqual(expected === undefined ? [] : [expectedUs]);
  });

  it('a Date and a bigint are times', () => {
    expect(parseTimeUs(new Date(1234))).toBe(1_234_000n);
    expect(parseTimeUs(1767225600n)).toBe(1_767_225_600_000_000n);
    expect(parseTimeUs(new Date(Number.NaN))).toBe(NO_TIME_US);
  });
});
