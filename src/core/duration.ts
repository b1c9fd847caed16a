import { UsageError } from './errors.js';

const UNIT_US: Readonly<Record<string, number>> = {
  us: 1,
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
  w: 604_800_000_000,
};

/**
 * Parses a duration such as `30s`, `5m`, `1.5h`, `7d` or `0s` into microseconds; a number is taken as
 * milliseconds, as everywhere in JavaScript.
 *
 * Units: us, ms, s, m, h, d, w. Negative and non-finite durations are refused.
 * @throws UsageError `USAGE_DURATION`, naming the text and the units.
 */
export function parseDurationUs(value: string | number, what = 'duration'): number {
  if (typeof value === 'number') {
    if (Number.isFinite(value) && value >= 0) return Math.round(value * 1_000);
  } else {
    const match = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d|w)\s*$/.exec(value);
    const unitUs = match?.[2] === undefined ? undefined : UNIT_US[match[2]];
    if (match?.[1] !== undefined && unitUs !== undefined) return Math.round(Number(match[1]) * unitUs);
  }
  throw new UsageError(
    'USAGE_DURATION',
    `${what}: ${JSON.stringify(value)} is not a duration; write a number and a unit (us, ms, s, m, h, d, w), such as "30s"`,
  );
}

/** Prints microseconds as the shortest exact duration text, such as `5m` or `1500ms`. Inverse of {@link parseDurationUs}. */
export function formatDurationUs(us: number): string {
  if (us === 0) return '0s';
  for (const unit of ['w', 'd', 'h', 'm', 's', 'ms'] as const) {
    const unitUs = UNIT_US[unit] as number;
    if (us % unitUs === 0) return `${us / unitUs}${unit}`;
  }
  return `${us}us`;
}
