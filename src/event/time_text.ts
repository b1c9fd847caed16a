/**
 * Event times in JavaScript: the same forms, ranges and rounding as `assembly/time.ts`, in microseconds since
 * 1970-01-01T00:00:00Z. A bigint, because microseconds of years after 2255 are no safe integers.
 */

/** In place of a time that is missing or cannot be read: the smallest int64. */
export const NO_TIME_US = -(2n ** 63n);

const TIME_MIN_US = -62_167_219_200_000_000n;
const TIME_MAX_US = 253_402_300_799_999_999n;
const TEXT =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads a time: ISO 8601 text (UTC where it names no zone), epoch numbers or their text (seconds, milliseconds,
 * microseconds or nanoseconds by magnitude), a `Date`, or a bigint taken as a number. `NO_TIME_US` where it is none.
 */
export function parseTimeUs(value: unknown): bigint {
  if (typeof value === 'string') return parseText(value);
  if (typeof value === 'number') return parseNumber(value);
  if (typeof value === 'bigint') return parseNumber(Number(value));
  if (value instanceof Date) {
    const ms = value.getTime();
    return Number.isNaN(ms) ? NO_TIME_US : timeInRange(BigInt(ms) * 1000n);
  }
  return NO_TIME_US;
}

/** Prints a time as ISO 8601 with six digits of fraction, the form of alerts. Years are 0000 to 9999. */
export function formatTimeUs(timeUs: bigint): string {
  const rest = ((timeUs % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((timeUs - rest) / 1000n)).toISOString();
  return `${seconds.slice(0, -5)}.${String(rest).padStart(6, '0')}Z`;
}

function parseNumber(value: number): bigint {
  const magnitude = Math.abs(value);
  if (magnitude < 1e11) return timeInRange(BigInt(Math.floor(value * 1e6 + 0.5)));
  if (magnitude < 1e14) return timeInRange(BigInt(Math.floor(value * 1e3 + 0.5)));
  if (magnitude < 1e17) return timeInRange(BigInt(Math.floor(value + 0.5)));
  if (magnitude < 1e21) return timeInRange(BigInt(Math.floor(value / 1e3)));
  return NO_TIME_US;
}

function parseText(text: string): bigint {
  const parts = TEXT.exec(text);
  if (parts === null) return NUMBER.test(text) ? parseNumber(Number(text)) : NO_TIME_US;
  const part = (index: number): number => Number(parts[index] ?? 0);
  const [year, month, day] = [part(1), part(2), part(3)];
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth(year, month);
  if (!isDate || hour > 23 || minute > 59 || second > 60 || part(10) > 23 || part(11) > 59) return NO_TIME_US;
  const zoneMinutes = (part(10) * 60 + part(11)) * (parts[9] === '-' ? -1 : 1);
  const seconds = ((dayNumber(year, month, day) * 24 + hour) * 60 + minute - zoneMinutes) * 60 + second;
  const fraction = (parts[7] ?? '').slice(0, 6).padEnd(6, '0');
  return timeInRange(BigInt(seconds) * 1_000_000n + BigInt(fraction));
}

function daysOfMonth(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === 2 && isLeap ? 29 : (DAYS_OF_MONTH[month - 1] ?? 0);
}

/** The date read last: event times of a stream mostly share it. */
let cachedDate = -1;
let cachedDay = 0;

/** Days since 1970-01-01. `Date.UTC` would take years below 100 for those of the 20th century. */
function dayNumber(year: number, month: number, day: number): number {
  const date = (year * 100 + month) * 100 + day;
  if (date !== cachedDate) {
    cachedDate = date;
    cachedDay = new Date(0).setUTCFullYear(year, month - 1, day) / 86_400_000;
  }
  return cachedDay;
}

/** The time itself where it is from year 0 to 9999, else {@link NO_TIME_US}: such a row is skipped. */
export function timeInRange(timeUs: bigint): bigint {
  return timeUs >= TIME_MIN_US && timeUs <= TIME_MAX_US ? timeUs : NO_TIME_US;
}
