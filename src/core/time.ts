/** Event times as integers: microseconds since the epoch, safe integers until the year 2255. */
import { UsageError } from './errors.js';

/** Numbers below these magnitudes are seconds, milliseconds, microseconds; larger ones nanoseconds. */
const SECONDS_BELOW = 1e11;
const MILLISECONDS_BELOW = 1e14;
const MICROSECONDS_BELOW = 1e17;

const iso = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i;

function fromNumber(value: number): number | undefined {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return undefined;
  if (size < SECONDS_BELOW) return Math.round(value * 1e6);
  if (size < MILLISECONDS_BELOW) return Math.round(value * 1e3);
  return size < MICROSECONDS_BELOW ? Math.round(value) : Math.round(value / 1e3);
}

function fromText(text: string): number | undefined {
  const match = iso.exec(text.trim());
  if (match === null) return /^-?\d+(\.\d+)?$/.test(text.trim()) ? fromNumber(Number(text)) : undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match;
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  if (!Number.isFinite(ms)) return undefined;
  const zoneMatch = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
  const offset =
    zoneMatch === null ? 0 : Number(`${zoneMatch[1]}1`) * (Number(zoneMatch[2]) * 60 + Number(zoneMatch[3] ?? 0));
  return ms * 1e3 - offset * 60e6 + Number(fraction.padEnd(6, '0').slice(0, 6));
}

/**
 * Reads a time: ISO 8601 (UTC where no zone is given), an epoch number (s, ms, us or ns by magnitude) or a `Date`.
 * @throws UsageError `USAGE_TIME`, naming the value.
 */
export function parseTimeUs(value: string | number | Date): number {
  const us =
    value instanceof Date ? value.getTime() * 1e3 : typeof value === 'number' ? fromNumber(value) : fromText(value);
  if (us !== undefined && Number.isSafeInteger(us)) return us;
  const shown = value instanceof Date ? String(value) : JSON.stringify(value);
  throw new UsageError(
    'USAGE_TIME',
    `${shown} is not a time; give ISO 8601 such as "2026-01-01T00:00:00Z", an epoch number or a Date`,
  );
}

/** Prints a time as ISO 8601 in UTC with microseconds: `2026-01-01T00:00:00.000000Z`. */
export function formatTimeUs(us: number): string {
  const ms = Math.floor(us / 1e3);
  const rest = String(us - ms * 1e3).padStart(3, '0');
  return `${new Date(ms).toISOString().slice(0, -1)}${rest}Z`;
}
