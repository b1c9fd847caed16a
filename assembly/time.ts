/**
 * Event times to microseconds since 1970-01-01T00:00:00Z.
 *
 * Text: `YYYY-MM-DD`, then optionally `T` or a space and `hh:mm`, `:ss`, a fraction after `.` or `,`, and `Z`,
 * `±hh:mm`, `±hhmm` or `±hh`; UTC where no zone is given; digits below the microsecond are dropped; second 60 is the
 * next minute's first. Years 0000 to 9999. Numbers, also as text: seconds below 1e11 in magnitude, milliseconds below
 * 1e14, microseconds below 1e17, then nanoseconds; negative ones lie before 1970.
 */
import { numberFromText } from "./json_number";

/** No time. */
export const NO_TIME: i64 = i64.MIN_VALUE;

const DAY_US: i64 = 86400000000;
/** 0000-01-01T00:00:00Z and the last microsecond of year 9999. */
const TIME_MIN: i64 = -62167219200000000;
const TIME_MAX: i64 = 253402300799999999;
const MINUTE_US: i64 = 60000000;

/** The date read last: event times of a stream mostly share it. */
let cachedHead: u64 = 0;
let cachedTail: u32 = 0;
let cachedUs: i64 = 0;

export function timeFromNumber(value: f64): i64 {
  const magnitude = abs(value);
  let us = NaN;
  if (magnitude < 1e11) us = floor(value * 1e6 + 0.5);
  else if (magnitude < 1e14) us = floor(value * 1e3 + 0.5);
  else if (magnitude < 1e17) us = floor(value + 0.5);
  else if (magnitude < 1e21) us = floor(value / 1e3);
  if (isNaN(us)) return NO_TIME;
  return timeInRange(<i64>us);
}

export function timeFromText(pointer: usize, length: u32): i64 {
  if (length < 10 || load<u8>(pointer, 4) != 45 || load<u8>(pointer, 7) != 45) {
    const number = numberFromText(pointer, length);
    return isNaN(number) ? NO_TIME : timeFromNumber(number);
  }
  const day = dateUs(pointer);
  if (day == NO_TIME || length == 10) return day;
  const separator = load<u8>(pointer, 10) | 32;
  if ((separator != 116 && separator != 32) || length < 16) return NO_TIME;
  return clockUs(pointer + 11, pointer + length, day);
}

/** Adds `hh:mm[:ss[.fraction]][zone]` to the day. */
function clockUs(start: usize, end: usize, day: i64): i64 {
  const hour = twoDigits(start);
  const minute = twoDigits(start + 3);
  if (hour > 23 || minute > 59 || load<u8>(start, 2) != 58) return NO_TIME;
  let us = day + <i64>(hour * 60 + minute) * MINUTE_US;
  let at = start + 5;
  if (at < end && load<u8>(at) == 58) {
    const second = at + 3 <= end ? twoDigits(at + 1) : 99;
    if (second > 60) return NO_TIME;
    us += <i64>second * 1000000;
    at += 3;
    if (at < end && (load<u8>(at) == 46 || load<u8>(at) == 44)) {
      const fraction = ++at;
      let scale: i64 = 100000;
      while (at < end && <u32>load<u8>(at) - 48 < 10) {
        us += <i64>(<u32>load<u8>(at) - 48) * scale;
        scale /= 10;
        at++;
      }
      if (at == fraction) return NO_TIME;
    }
  }
  return at == end ? timeInRange(us) : zonedUs(at, end, us);
}

/** Takes the zone at `at` into account; nothing may follow it. */
function zonedUs(at: usize, end: usize, us: i64): i64 {
  const sign = load<u8>(at);
  const rest = <u32>(end - at - 1);
  if ((sign | 32) == 122) return rest == 0 ? timeInRange(us) : NO_TIME;
  if (sign != 43 && sign != 45) return NO_TIME;
  if (rest != 2 && rest != 4 && rest != 5) return NO_TIME;
  if (rest == 5 && load<u8>(at, 3) != 58) return NO_TIME;
  const hours = twoDigits(at + 1);
  const minutes: u32 = rest == 2 ? 0 : twoDigits(end - 2);
  if (hours > 23 || minutes > 59) return NO_TIME;
  const offset = <i64>(hours * 60 + minutes) * MINUTE_US;
  return timeInRange(sign == 43 ? us - offset : us + offset);
}

function dateUs(pointer: usize): i64 {
  const head = load<u64>(pointer);
  const tail = <u32>load<u16>(pointer, 8);
  if (head == cachedHead && tail == cachedTail) return cachedUs;
  const century = twoDigits(pointer);
  const yearOfCentury = twoDigits(pointer + 2);
  const month = twoDigits(pointer + 5);
  const day = twoDigits(pointer + 8);
  if (century > 99 || yearOfCentury > 99 || month - 1 > 11 || day - 1 > 30) return NO_TIME;
  const year = <i32>(century * 100 + yearOfCentury);
  if (day > daysOfMonth(year, month)) return NO_TIME;
  cachedHead = head;
  cachedTail = tail;
  cachedUs = <i64>daysFromCivil(year, <i32>month, <i32>day) * DAY_US;
  return cachedUs;
}

function daysOfMonth(year: i32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Days since 1970-01-01 of a date of the proleptic Gregorian calendar (Howard Hinnant's `days_from_civil`). */
function daysFromCivil(year: i32, month: i32, day: i32): i32 {
  const shifted = month <= 2 ? year - 1 : year;
  const era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/** Two digits as a number, or more than 99 where they are none. */
@inline
function twoDigits(at: usize): u32 {
  const tens = <u32>load<u8>(at) - 48;
  const ones = <u32>load<u8>(at, 1) - 48;
  return tens < 10 && ones < 10 ? tens * 10 + ones : 100;
}

/** The time itself where it is from year 0 to 9999, else {@link NO_TIME}. */
@inline
export function timeInRange(us: i64): i64 {
  return us >= TIME_MIN && us <= TIME_MAX ? us : NO_TIME;
}
