/** New terms by schedule, against the reference model of `analytics.md`, appendix A. */
import { describe, expect, it } from 'vitest';
import { type CompatMatch, CompatSchedule } from '../../src/correlator/elastic_compat.js';

const minute = 60_000_000;
const day = 24 * 60 * minute;
const options = { windowUs: 7 * day, intervalUs: 5 * minute, lookbackUs: 9 * minute, cap: 100 };

/** The reference model: one run over all matches so far. */
function referenceRun(matches: readonly CompatMatch[], runUs: number, existing: Set<string>, cap: number): string[] {
  const from = runUs - options.lookbackUs;
  const terms = (match: CompatMatch): string[] => match.combinations.map((one) => one.join());
  const within = (fromUs: number): readonly CompatMatch[] =>
    matches.filter(({ timeUs }) => timeUs >= fromUs && timeUs <= runUs);
  const oldest = (list: readonly CompatMatch[], term: string): CompatMatch =>
    list.filter((match) => terms(match).includes(term)).reduce((a, b) => (b.timeUs < a.timeUs ? b : a));
  const recent = [...new Set(within(from).flatMap(terms))].sort();
  const found: string[] = [];
  for (const term of recent) {
    if (oldest(within(runUs - options.windowUs), term).timeUs <= from) continue;
    const id = `${oldest(within(from), term).eventId} ${term}`;
    if (existing.has(id)) continue;
    if (found.length < cap) found.push(id);
  }
  for (const id of found) existing.add(id);
  return found;
}

const at = (timeUs: number, term = 'a', eventId = `${timeUs}`): CompatMatch => ({
  timeUs,
  eventId,
  combinations: [[term]],
});

/** Over 20 phases of the schedule: how often the second of two matches so far apart alerts. */
function alertsAfter(gapUs: number): number {
  const phases = Array.from({ length: 20 }, (_, i) => i * 15_000_000);
  return phases.filter((phaseUs) => {
    const schedule = new CompatSchedule({ ...options, phaseUs });
    schedule.observe(at(100 * minute, 'a', 'first'));
    const before = schedule.advance(100 * minute + gapUs);
    schedule.observe(at(100 * minute + gapUs, 'a', 'second'));
    const runs = [...before, ...schedule.flush()].flatMap(({ alerts }) => alerts);
    expect(runs[0]?.match.eventId).toBe('first');
    return runs.some(({ match }) => match.eventId === 'second');
  }).length;
}

describe('new terms by schedule', () => {
  it.each([
    [-9, 0],
    [-8.9, 0],
    [-8, 3],
    [-5, 15],
    [-4, 19],
    [-1, 20],
    [0, 20],
    [1, 20],
  ])('a gap of 7 d and %d m alerts in %d of 20 phases', (minutes, wanted) => {
    expect(alertsAfter(7 * day + minutes * minute)).toBe(wanted);
  });

  it('alerts once however many runs see the event', () => {
    const schedule = new CompatSchedule(options);
    schedule.observe(at(minute));
    expect(schedule.flush().flatMap(({ alerts }) => alerts)).toHaveLength(1);
  });

  it('takes what the cap allows in order of terms, and tells what is left', () => {
    const schedule = new CompatSchedule(options);
    for (let i = 0; i < 250; i++) schedule.observe(at(4 * minute, `t${String(i).padStart(3, '0')}`, `e${i}`));
    const runs = schedule.flush();
    expect(runs.map(({ alerts, capped }) => [alerts.length, capped])).toEqual([
      [100, 150],
      [100, 50],
    ]);
    expect(runs[0]?.alerts[0]?.terms).toEqual(['t000']);
  });

  it('finds what the reference model finds, run by run', () => {
    let state = 99;
    const next = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) % below;
    };
    let timeUs = 0;
    const matches = Array.from({ length: 400 }, (_, i) => {
      timeUs += next(5) === 0 ? next(2 * day) : next(3 * minute);
      return { timeUs, eventId: `e${i}`, combinations: [[`a${next(6)}`], [`b${next(3)}`]] };
    });
    const schedule = new CompatSchedule({ ...options, cap: 3 });
    for (const match of matches) schedule.observe(match);
    const found = schedule
      .flush()
      .flatMap(({ alerts }) => alerts.map(({ match, terms }) => `${match.eventId} ${terms}`));
    const existing = new Set<string>();
    const wanted: string[] = [];
    for (let runUs = 0; runUs <= timeUs + 10 * minute; runUs += options.intervalUs) {
      wanted.push(...referenceRun(matches, runUs, existing, 3));
    }
    expect(found).toEqual(wanted);
  });

  it('remembers no more matches than it may, and counts the others', () => {
    const schedule = new CompatSchedule({ ...options, matchesMax: 10 });
    for (let i = 0; i < 25; i++) schedule.observe(at(i, `t${i}`));
    expect(schedule.lost).toBe(15);
  });
});
