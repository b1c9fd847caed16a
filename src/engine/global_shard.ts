/**
 * The global shard: runs the rules across hosts over the events that feeds forward. Events are judged behind the global
 * watermark (the newest event of any host less the lateness) in the order of (time, tiebreaker, ordinal), as one kernel
 * that saw the whole stream would: the watermark after every single row is known, so neither the number of shards nor
 * the cut of the stream into batches shows in the answer. A shard without events holds nobody back.
 */
import { formatTimeUs } from '../core/time.js';
import type { Alert } from '../correlator/alert.js';
import { type CorrelatorPart, startCorrelator } from '../correlator/correlator.js';
import type { ExceptionUse } from '../correlator/exceptions.js';
import { type CorrelatorOptions, readOptions } from '../correlator/options.js';
import type { RestoreReport } from '../correlator/restore_plan.js';
import type { SnapshotJob } from '../correlator/snapshot_job.js';
import type { CorrelatorStats } from '../correlator/stats.js';
import type { Clock } from './clock.js';
import type { FeedMatch } from './messages.js';
import { feedCutField, feedField, feedHostField, type ShardPlan } from './plan.js';

/** Rows given to the correlator at a time: as many ordinals as it can be given. */
const rowsMax = 16_384;
const hundredYears = '36500d';

/** One event, with the feeds it came from. */
interface ForwardedRow extends Omit<FeedMatch, 'feed'> {
  readonly feeds: readonly string[];
}

/** State of the global shard beside its correlator's. */
export interface GlobalState {
  readonly pending: readonly ForwardedRow[];
}

export class GlobalShard {
  readonly #correlator: CorrelatorPart;
  readonly #latenessUs: number;
  readonly #names: { readonly timestamp: string; readonly tiebreaker: string; readonly eventId: string };
  /** Rows that wait for the watermark. */
  #pending: ForwardedRow[] = [];
  #clockUs = Number.NEGATIVE_INFINITY;

  private constructor(correlator: CorrelatorPart, latenessUs: number, options: CorrelatorOptions) {
    this.#correlator = correlator;
    this.#latenessUs = latenessUs;
    this.#names = {
      timestamp: options.timestampField ?? '@timestamp',
      tiebreaker: options.tiebreakerField ?? 'event.sequence',
      eventId: options.processFields?.eventId ?? 'event.id',
    };
  }

  static async start(options: CorrelatorOptions, plan: ShardPlan, latenessUs: number): Promise<GlobalShard> {
    // Coverage is counted where the events are: in the shards.
    const { coverage: _coverage, ...own } = options;
    const { evidenceFields } = readOptions(options);
    const part = await startCorrelator(
      {
        ...own,
        evidenceFields: [...evidenceFields, feedCutField],
        rules: plan.globalRules,
        hostField: feedHostField,
        lateness: 0,
        maxSkip: hundredYears,
      },
      { ordinalRows: rowsMax, isCopied: true, intercept: (made) => plan.heardOnly.has(made.view.rule.id) },
    );
    return new GlobalShard(part, latenessUs, options);
  }

  get problems() {
    return this.#correlator.problems;
  }

  /** Takes what the shards forwarded of one push. */
  take(matches: readonly FeedMatch[], { at: clockAt, firstUs, endUs }: Clock): Alert[] {
    const rows = rowsOf(matches);
    // History begins with the first row of the stream, forwarded or not.
    if (this.#clockUs === Number.NEGATIVE_INFINITY) this.#advance(firstUs);
    if (this.#latenessUs === 0) return this.#judgeAsTheyCome(rows, clockAt, endUs);
    const alerts: Alert[] = [];
    for (const row of rows) {
      const beforeUs = clockAt(row.arrival - 1);
      if (row.timeUs >= clockAt(row.arrival)) {
        this.#pending.push(row);
        continue;
      }
      alerts.push(...this.#release(beforeUs), ...this.#advance(beforeUs), ...this.#push([row]));
    }
    alerts.push(...this.#release(endUs), ...this.#advance(endUs));
    return alerts;
  }

  /** Moves time without events. */
  advance(timeUs: number): Alert[] {
    return [...this.#release(timeUs), ...this.#advance(timeUs)];
  }

  flush(matches: readonly FeedMatch[]): Alert[] {
    this.#pending.push(...rowsOf(matches));
    return [...this.#release(Number.POSITIVE_INFINITY), ...this.#correlator.flush().map(withCuts)];
  }

  stats(): CorrelatorStats {
    return this.#correlator.stats();
  }

  exceptions(): ExceptionUse[] {
    return this.#correlator.exceptions();
  }

  suppressed(): Alert[] {
    return this.#correlator.suppressed();
  }

  get pendingRows(): number {
    return this.#pending.length;
  }

  /** The state as it is now; what the job writes must be whole before the next snapshot. */
  snapshot(): { job: SnapshotJob; state: GlobalState } {
    return { job: this.#correlator.beginSnapshot(new ArrayBuffer(0)), state: { pending: [...this.#pending] } };
  }

  restore(bytes: Uint8Array, state: GlobalState, clockUs: number): RestoreReport {
    this.#pending = [...state.pending];
    this.#clockUs = clockUs;
    return this.#correlator.restoreParts([bytes]);
  }

  close(): void {
    this.#correlator.close();
  }

  // ---------------------------------------------------------------------------------------------------- judging

  #judgeAsTheyCome(rows: readonly ForwardedRow[], clockAt: (ordinal: number) => number, endUs: number): Alert[] {
    const alerts: Alert[] = [];
    let run: ForwardedRow[] = [];
    for (const row of rows) {
      const beforeUs = clockAt(row.arrival - 1);
      if (row.timeUs < beforeUs) {
        // Late: what time has decided by then comes first.
        alerts.push(...this.#push(run), ...this.#advance(beforeUs));
        run = [];
      }
      run.push(row);
    }
    alerts.push(...this.#push(run), ...this.#advance(endUs));
    return alerts;
  }

  /** Judges the rows that wait and lie before the watermark. */
  #release(watermarkUs: number): Alert[] {
    const ready = this.#pending.filter(({ timeUs }) => timeUs < watermarkUs);
    if (ready.length === 0) return [];
    this.#pending = this.#pending.filter(({ timeUs }) => timeUs >= watermarkUs);
    return this.#push(ready.sort((a, b) => this.#compare(a, b)));
  }

  #advance(timeUs: number): Alert[] {
    if (timeUs <= this.#clockUs) return [];
    this.#clockUs = timeUs;
    return Number.isFinite(timeUs) ? this.#correlator.advance(formatTimeUs(timeUs)).map(withCuts) : [];
  }

  #push(rows: readonly ForwardedRow[]): Alert[] {
    const alerts: Alert[] = [];
    for (let from = 0; from < rows.length; from += rowsMax) {
      const run = rows.slice(from, from + rowsMax);
      const base = run.reduce((least, { ordinal }) => Math.min(least, ordinal), Number.MAX_SAFE_INTEGER);
      this.#correlator.kernel.setOrdinals(
        base,
        Uint32Array.from(run, ({ ordinal }) => ordinal - base),
      );
      alerts.push(...this.#correlator.push(run.map((row) => this.#eventOf(row))).map(withCuts));
    }
    return alerts;
  }

  #eventOf({ feeds, timeUs, host, eventId, fields, isCut }: ForwardedRow): object {
    const { timestamp, eventId: eventIdField } = this.#names;
    return {
      ...fields,
      [timestamp]: formatTimeUs(timeUs),
      [eventIdField]: eventId,
      [feedHostField]: host,
      [feedField]: feeds,
      ...(isCut ? { [feedCutField]: true } : {}),
    };
  }

  #compare(a: ForwardedRow, b: ForwardedRow): number {
    if (a.timeUs !== b.timeUs) return a.timeUs - b.timeUs;
    const [left, right] = [a, b].map(({ fields }) => Number(fields[this.#names.tiebreaker] ?? Number.NaN)) as [
      number,
      number,
    ];
    if (left < right) return -1;
    if (right < left) return 1;
    if (Number.isNaN(left) !== Number.isNaN(right)) return Number.isNaN(left) ? 1 : -1;
    return a.ordinal - b.ordinal;
  }
}

/** The alert as one kernel would have made it: what a shard cut is told of the evidence, not among its fields. */
function withCuts(alert: Alert): Alert {
  const evidence = alert.evidence.map((entry) => {
    if (entry.missing === true || entry.fields[feedCutField] === undefined) return entry;
    const { [feedCutField]: _cut, ...fields } = entry.fields;
    return { ...entry, fields, isCut: true as const };
  });
  return { ...alert, evidence };
}

/** Matches as events, in the order in which they came; an event of several feeds is one. */
function rowsOf(matches: readonly FeedMatch[]): ForwardedRow[] {
  const rows = new Map<number, ForwardedRow & { feeds: string[] }>();
  for (const { feed, ...match } of matches) {
    const known = rows.get(match.ordinal);
    if (known === undefined) rows.set(match.ordinal, { ...match, feeds: [feed] });
    else if (!known.feeds.includes(feed)) known.feeds.push(feed);
  }
  return [...rows.values()].sort((a, b) => a.arrival - b.arrival || a.ordinal - b.ordinal);
}
