import { expect, it } from 'vitest';
import { parseTimeUs } from '../oracle/event.js';

const newYear2026 = 1_767_225_600_000_000;

it.each([
  ['2026-01-01T00:00:00Z', newYear2026],
  ['2026-01-01', newYear2026],
  ['2026-01-01 00:00', newYear2026],
  ['2026-01-01T01:00:00.000001+01:00', newYear2026 + 1],
  ['2025-12-31T22:30:00-0130', newYear2026],
  ['2026-01-01T00:00:00.123456789Z', newYear2026 + 123_456],
  [1_767_225_600, newYear2026],
  [1_767_225_600_000, newYear2026],
  [1_767_225_600_000_000, newYear2026],
  ['1767225600', newYear2026],
  [-1.5, -1_500_000],
  ['2026-02-30', undefined],
  ['2026-13-01', undefined],
  ['now', undefined],
  ['', undefined],
  [null, undefined],
])('reads the time %j as %d microseconds', (value, expected) => {
  expect(parseTimeUs(value)).toBe(expected);
});
