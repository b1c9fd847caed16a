/** How telemetry of a host arrives, as counted by the kernel (`assembly/health.ts`), and the gaps that follow from it. */
import { ClockBucket } from '../../core/abi/coverage.js';
import type { HealthRecordValues, HostHealth } from '../../kernel/health_record.js';
import type { LearningState } from '../behavior/baseline.js';

/** How long after the event it was taken in, for most events. */
export type ClockOffset = 'ahead of the event' | 'within 5 minutes' | 'within an hour' | 'within a day' | 'longer';

/** Arrival as a report tells it. */
export interface Arrival {
  readonly lateEvents: number;
  /** Events seen before: by their id among the last ones, or by a number that was taken. At least so many. */
  readonly duplicates: number;
  /** Null where no source of it numbers its events. */
  readonly seqGaps: number | null;
  readonly estLostEvents: number | null;
  /** Median over the events that name their time of ingestion; null where none does. */
  readonly clockOffset: ClockOffset | null;
}

const offsets: Readonly<Record<number, ClockOffset>> = {
  [ClockBucket.Ahead]: 'ahead of the event',
  [ClockBucket.WithinFiveMinutes]: 'within 5 minutes',
  [ClockBucket.WithinHour]: 'within an hour',
  [ClockBucket.WithinDay]: 'within a day',
  [ClockBucket.Longer]: 'longer',
};

function clockOffsetOf(clock: readonly number[]): ClockOffset | null {
  const events = clock.reduce((sum, count) => sum + count, 0);
  let upTo = 0;
  const bucket = clock.findIndex((count) => {
    upTo += count;
    return upTo * 2 > events;
  });
  return offsets[bucket] ?? null;
}

/** What a source's record says of its arrival. */
export function arrivalOf(counts: HealthRecordValues): Arrival {
  const isNumbered = counts.runCount > 0;
  const missing = isNumbered ? counts.runLast - counts.runFirst + 1 - counts.runCount : 0;
  const estLostEvents = counts.missing + Math.max(0, missing);
  return {
    lateEvents: counts.late,
    duplicates: counts.repeated + counts.extra + Math.max(0, -missing),
    seqGaps: isNumbered ? (estLostEvents === 0 ? 0 : counts.gaps) : null,
    estLostEvents: isNumbered ? estLostEvents : null,
    clockOffset: clockOffsetOf(counts.clock),
  };
}

/** The arrival of a host: its own counts, and what its sources' numbers tell. */
export function hostArrival({ own, sources }: HostHealth): Arrival {
  const each = sources.map(arrivalOf);
  const sumOf = (of: (arrival: Arrival) => number | null): number | null => {
    const known = each.map(of).filter((count) => count !== null);
    return known.length === 0 ? null : known.reduce((sum, count) => sum + count, 0);
  };
  const byNumber = each.reduce((sum, { duplicates }) => sum + duplicates, 0) - sum(sources, ({ repeated }) => repeated);
  return {
    ...arrivalOf(own),
    duplicates: own.repeated + byNumber,
    seqGaps: sumOf(({ seqGaps }) => seqGaps),
    estLostEvents: sumOf(({ estLostEvents }) => estLostEvents),
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

/** Something lost of a host: `stats().losses`. */
export interface HostLoss {
  readonly reason: string;
  readonly rule: string | null;
  readonly count: number;
}

/** A rule whose baseline of a host is not in force. */
export interface Unready {
  readonly rule: string;
  readonly state: Extract<LearningState, 'learning' | 'review'> | 'refused';
}

/** A gap of health by code, with what it is about. */
export interface HealthGap {
  readonly code: string;
  readonly detail: string;
  /** Rules that it touches; undefined: all that apply to the host. */
  readonly rules?: readonly string[];
}

/** The gaps of a host's health. `unclassified`: events that no class of the model takes. */
export function healthGaps(
  arrival: Arrival,
  events: number,
  unclassified: number,
  losses: readonly HostLoss[],
  unready: readonly Unready[],
): HealthGap[] {
  const gaps: HealthGap[] = [];
  const of = (count: number): string => `${count} of ${events} events`;
  const { seqGaps, estLostEvents, lateEvents, duplicates, clockOffset } = arrival;
  if (estLostEvents !== null && estLostEvents > 0)
    gaps.push({ code: 'G-SEQ', detail: `about ${estLostEvents} events are missing, in ${seqGaps} gaps` });
  if (lateEvents > 0) gaps.push({ code: 'G-LATE', detail: `${of(lateEvents)} came late` });
  if (clockOffset !== null && clockOffset !== 'within 5 minutes')
    gaps.push({ code: 'G-CLOCK', detail: `most events were taken in ${clockOffset}` });
  if (duplicates > 0) gaps.push({ code: 'G-DUP', detail: `${of(duplicates)} came again` });
  if (unclassified > 0) gaps.push({ code: 'G-UNCLASSIFIED', detail: `${of(unclassified)} are of no known kind` });
  if (losses.length > 0) {
    const rules = losses.flatMap(({ rule }) => rule ?? []);
    const detail = losses.map(({ reason, rule, count }) => `${reason} ${count}${rule === null ? '' : ` (${rule})`}`);
    gaps.push({ code: 'G-LOSS', detail: detail.join(', '), ...(rules.length < losses.length ? {} : { rules }) });
  }
  if (unready.length > 0) {
    const detail = unready.map(({ rule, state }) => `${rule}: ${state}`).join(', ');
    gaps.push({ code: 'G-LEARNING', detail, rules: unready.map(({ rule }) => rule) });
  }
  return gaps;
}
