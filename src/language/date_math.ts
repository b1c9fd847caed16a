/** A date as a query writes it: the instants it may stand for, in milliseconds, both ends included. */
export interface DateRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Why a date text is not one; `relative` when it counts from `now`, which a stream does not have. */
export type DateFault = 'syntax' | 'relative';

type Unit = 'y' | 'M' | 'w' | 'd' | 'h' | 'm' | 's';

const isoDate =
  /^([+-]?\d{4,6})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?)?)?)?(Z|[+-]\d\d:?\d\d)?$/;
const mathStep = /^(?:([+-])(\d+)([yMwdhHms])|\/([yMwdhHms]))/;

/**
 * Reads an Elasticsearch date: ISO 8601 with parts left out from the right (UTC where no zone), epoch milliseconds, or
 * `now`; a date may be followed by `||` and steps such as `+1d` and `/d`. `now` needs `nowMs`.
 */
export function parseDate(text: string, nowMs?: number): DateRange | DateFault {
  if (text.startsWith('now')) {
    const steps = readSteps(text.slice(3));
    if (steps === undefined) return 'syntax';
    return nowMs === undefined ? 'relative' : inCalendar(applySteps({ fromMs: nowMs, toMs: nowMs }, steps));
  }
  const [anchorText = '', mathText, ...rest] = text.split('||');
  if (rest.length > 0) return 'syntax';
  const anchor = parseAnchor(anchorText);
  const steps = mathText === undefined ? [] : readSteps(mathText);
  if (anchor === undefined || steps === undefined) return 'syntax';
  return inCalendar(steps.length === 0 ? anchor : applySteps({ fromMs: anchor.fromMs, toMs: anchor.fromMs }, steps));
}

/** The farthest instant from the epoch that a calendar date can name. */
const calendarMs = 8.64e15;

function inCalendar(range: DateRange): DateRange | DateFault {
  return Math.abs(range.fromMs) < calendarMs && Math.abs(range.toMs) < calendarMs ? range : 'syntax';
}

function parseAnchor(text: string): DateRange | undefined {
  if (/^-?\d{5,16}$/.test(text)) return { fromMs: Number(text), toMs: Number(text) };
  const match = isoDate.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const parts = [month, day, hour, minute, second].map((part) => (part === undefined ? undefined : Number(part)));
  const [mo = 1, d = 1, h = 0, mi = 0, s = 0] = parts;
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || s > 59) return undefined;
  const shift = zoneMs(zone);
  const fromMs = Date.UTC(Number(year), mo - 1, d, h, mi, s, Number((fraction ?? '').slice(0, 3).padEnd(3, '0')));
  if (fraction !== undefined) return { fromMs: fromMs - shift, toMs: fromMs - shift };
  const given = parts.indexOf(undefined);
  const unit = (['y', 'M', 'd', 'h', 'm', 's'] as const)[given < 0 ? 5 : given] as Unit;
  return { fromMs: fromMs - shift, toMs: addUnits(fromMs, unit, 1) - 1 - shift };
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

type Step =
  | { readonly kind: 'add'; readonly count: number; readonly unit: Unit }
  | { readonly kind: 'round'; readonly unit: Unit };

function readSteps(text: string): Step[] | undefined {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== '') {
    const match = mathStep.exec(rest);
    if (match === null) return undefined;
    const unit = (match[3] ?? match[4] ?? '').replace('H', 'h') as Unit;
    if (match[4] !== undefined) steps.push({ kind: 'round', unit });
    else steps.push({ kind: 'add', count: Number(`${match[1]}${match[2]}`), unit });
    rest = rest.slice(match[0].length);
  }
  return steps;
}

/** Rounding widens to the whole unit, so that the caller can take its first or its last instant. */
function applySteps(start: DateRange, steps: readonly Step[]): DateRange {
  return steps.reduce<DateRange>(({ fromMs, toMs }, step) => {
    if (step.kind === 'add') {
      return { fromMs: addUnits(fromMs, step.unit, step.count), toMs: addUnits(toMs, step.unit, step.count) };
    }
    return { fromMs: floorTo(fromMs, step.unit), toMs: addUnits(floorTo(toMs, step.unit), step.unit, 1) - 1 };
  }, start);
}

const fixedUnitMs = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

function addUnits(ms: number, unit: Unit, count: number): number {
  if (unit !== 'y' && unit !== 'M') return ms + count * fixedUnitMs[unit];
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + (unit === 'y' ? 12 * count : count));
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}

function floorTo(ms: number, unit: Unit): number {
  const date = new Date(ms);
  if (unit === 'y') return Date.UTC(date.getUTCFullYear(), 0, 1);
  if (unit === 'M') return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  if (unit === 'w') return midnight - ((date.getUTCDay() + 6) % 7) * fixedUnitMs.d;
  return Math.floor(ms / fixedUnitMs[unit]) * fixedUnitMs[unit];
}
