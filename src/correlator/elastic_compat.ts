/**
 * New terms as Kibana finds them: not event by event, but by runs of a schedule that look back a little for terms and a
 * long way for their history. Reproduces its edges: a gap shorter than the window may alert, depending on the phase of
 * the schedule, and what a run's cap leaves over may never alert.
 *
 * A run at time T sees the matches with time in `[T - lookback, T]`, both ends included. A term is new when the oldest
 * match in `[T - window, T]` lies strictly after `T - lookback`. The oldest match in the look-back becomes the alert, once.
 */

/** A match of the rule's query, with the combinations of its field values. */
export interface CompatMatch {
  readonly timeUs: number;
  /** Identity of the event: one event alerts once for a term, however often it is delivered. */
  readonly eventId: string;
  readonly combinations: readonly (readonly string[])[];
}

export interface CompatOptions {
  readonly windowUs: number;
  readonly intervalUs: number;
  readonly lookbackUs: number;
  /** Runs are at this time plus whole multiples of the interval. Default 0. */
  readonly phaseUs?: number;
  /** Most alerts of one run, taken in order of terms. */
  readonly cap: number;
  /** Most matches remembered; the oldest give way, counted. */
  readonly matchesMax?: number;
}

export interface CompatAlert<Match extends CompatMatch> {
  readonly runUs: number;
  readonly match: Match;
  readonly terms: readonly string[];
}

/** What one run found. */
export interface CompatRun<Match extends CompatMatch> {
  readonly runUs: number;
  readonly alerts: readonly CompatAlert<Match>[];
  /** New terms that the cap left over. */
  readonly capped: number;
}

interface Remembered<Match> {
  readonly match: Match;
  readonly terms: readonly string[];
}

/** State of a schedule as plain data, as far as its matches are. */
export interface CompatState<Match> {
  readonly remembered: readonly Remembered<Match>[];
  readonly published: readonly (readonly [key: string, timeUs: number])[];
  readonly nextRunUs?: number;
  readonly lost: number;
}

const matchesMaxDefault = 200_000;

export class CompatSchedule<Match extends CompatMatch> {
  /** Matches given up because too many would have had to be remembered. */
  lost = 0;
  readonly #options: CompatOptions;
  /** By term, in order of time. */
  readonly #history = new Map<string, Remembered<Match>[]>();
  /** Alerts published, by event and term, with the time of the event. */
  readonly #published = new Map<string, number>();
  #remembered = 0;
  #nextRunUs: number | undefined;

  constructor(options: CompatOptions) {
    this.#options = options;
  }

  /** Takes a match. Matches may come in any order before the run that would see them. */
  observe(match: Match): void {
    this.#nextRunUs ??= this.#runAtOrAfter(match.timeUs);
    for (const terms of match.combinations) this.#remember({ match, terms });
  }

  /** Makes the runs before `watermarkUs`: all matches up to then have been taken. Runs that can find nothing are left out. */
  advance(watermarkUs: number): CompatRun<Match>[] {
    const runs: CompatRun<Match>[] = [];
    while (this.#nextRunUs !== undefined && this.#nextRunUs < watermarkUs) {
      const oldestUs = this.#oldestRecentUs(this.#nextRunUs - this.#options.lookbackUs);
      if (oldestUs === undefined) this.#nextRunUs = undefined;
      else if (oldestUs > this.#nextRunUs) this.#nextRunUs = this.#runAtOrAfter(oldestUs);
      else {
        runs.push(this.#run(this.#nextRunUs));
        this.#nextRunUs += this.#options.intervalUs;
      }
    }
    return runs;
  }

  /** Makes all runs that can still find something. */
  flush(): CompatRun<Match>[] {
    return this.advance(Number.POSITIVE_INFINITY);
  }

  snapshot(): CompatState<Match> {
    return {
      remembered: [...this.#history.values()].flat(),
      published: [...this.#published],
      ...(this.#nextRunUs === undefined ? {} : { nextRunUs: this.#nextRunUs }),
      lost: this.lost,
    };
  }

  restore(state: CompatState<Match>): void {
    for (const one of state.remembered) this.#remember(one);
    for (const [key, timeUs] of state.published) this.#published.set(key, timeUs);
    this.#nextRunUs = state.nextRunUs;
    this.lost = state.lost;
  }

  #runAtOrAfter(timeUs: number): number {
    const { intervalUs, phaseUs = 0 } = this.#options;
    return phaseUs + Math.ceil((timeUs - phaseUs) / intervalUs) * intervalUs;
  }

  #remember(remembered: Remembered<Match>): void {
    const key = JSON.stringify(remembered.terms);
    const list = this.#history.get(key) ?? [];
    this.#history.set(key, list);
    const place = list.findLastIndex(({ match }) => match.timeUs <= remembered.match.timeUs) + 1;
    list.splice(place, 0, remembered);
    this.#remembered++;
    const max = this.#options.matchesMax ?? matchesMaxDefault;
    if (this.#remembered > max) this.#giveUpOldest(Math.max(1, max >> 4));
  }

  /** Gives up the oldest `count` matches: several at a time, so that a full memory costs little for each match. */
  #giveUpOldest(count: number): void {
    const times = [...this.#history.values()].flatMap((list) => list.map(({ match }) => match.timeUs));
    times.sort((a, b) => a - b);
    const beforeUs = times[count] ?? Number.POSITIVE_INFINITY;
    const remembered = this.#remembered;
    this.#forget(beforeUs);
    this.lost += remembered - this.#remembered;
  }

  #oldestRecentUs(fromUs: number): number | undefined {
    let oldest: number | undefined;
    for (const list of this.#history.values()) {
      const recent = list.find(({ match }) => match.timeUs >= fromUs);
      if (recent !== undefined) oldest = Math.min(oldest ?? recent.match.timeUs, recent.match.timeUs);
    }
    return oldest;
  }

  #run(runUs: number): CompatRun<Match> {
    const { lookbackUs, windowUs, cap } = this.#options;
    this.#forget(runUs - windowUs);
    const found = [...this.#history.values()].flatMap((list) => this.#newIn(list, runUs, runUs - lookbackUs));
    found.sort((a, b) => compareTerms(a.terms, b.terms));
    const alerts = found.slice(0, cap).map(({ match, terms }) => ({ runUs, match, terms }));
    for (const { match, terms } of alerts) this.#published.set(alertKey(match, terms), match.timeUs);
    return { runUs, alerts, capped: found.length - alerts.length };
  }

  /** The match to alert on, where the term is new in this run and has not alerted on it. */
  #newIn(list: readonly Remembered<Match>[], runUs: number, fromUs: number): Remembered<Match>[] {
    const [first] = list;
    if (first === undefined || first.match.timeUs <= fromUs || first.match.timeUs > runUs) return [];
    return this.#published.has(alertKey(first.match, first.terms)) ? [] : [first];
  }

  /** Drops what no run from here on can look back to. */
  #forget(beforeUs: number): void {
    for (const [key, list] of this.#history) {
      const kept = list.filter(({ match }) => match.timeUs >= beforeUs);
      this.#remembered -= list.length - kept.length;
      if (kept.length === 0) this.#history.delete(key);
      else this.#history.set(key, kept);
    }
    for (const [key, timeUs] of this.#published) if (timeUs < beforeUs) this.#published.delete(key);
  }
}

const alertKey = (match: CompatMatch, terms: readonly string[]): string => JSON.stringify([match.eventId, terms]);

function compareTerms(a: readonly string[], b: readonly string[]): number {
  for (const [i, left] of a.entries()) {
    const right = b[i] ?? '';
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
