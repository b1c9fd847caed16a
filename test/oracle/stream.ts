/**
 * Puts events in order of time. Per host, an event older than the host's watermark is late and one far ahead waits until
 * a second event of its host agrees with it. What is left is handed on in order across all hosts.
 */
import { compareEvents, type OracleEvent } from './event.js';

export interface StreamOptions {
  readonly latenessUs: number;
  readonly maxSkipUs: number;
}

export interface Ordered {
  /** In order of time; none of a later call comes before one of an earlier call. */
  readonly ready: OracleEvent[];
  readonly late: OracleEvent[];
}

export class Stream {
  private readonly options: StreamOptions;
  private readonly newestUs = new Map<string, number>();
  private readonly future = new Map<string, OracleEvent[]>();
  private held: OracleEvent[] = [];
  private promisedUs = Number.NEGATIVE_INFINITY;

  constructor(options: StreamOptions) {
    this.options = options;
  }

  push(event: OracleEvent): Ordered {
    const newest = this.newestUs.get(event.host);
    if (newest !== undefined && event.timeUs - newest > this.options.maxSkipUs) return this.pushFuture(event);
    const late = this.accept(event);
    late.push(...this.recallFuture(event.host));
    return { ready: this.release(), late };
  }

  /** Nothing earlier than `timeUs` will come, on any host. */
  advance(timeUs: number): OracleEvent[] {
    this.promisedUs = Math.max(this.promisedUs, timeUs);
    for (const [host, events] of this.future) {
      this.future.set(
        host,
        events.filter((event) => event.timeUs >= timeUs),
      );
      this.held.push(...events.filter((event) => event.timeUs < timeUs));
    }
    return this.release();
  }

  flush(): OracleEvent[] {
    this.held.push(...[...this.future.values()].flat());
    this.future.clear();
    const rest = this.held.sort(compareEvents);
    this.held = [];
    return rest;
  }

  private accept(event: OracleEvent): OracleEvent[] {
    const watermark = Math.max(this.watermark(event.host), this.promisedUs);
    this.newestUs.set(event.host, Math.max(event.timeUs, this.newestUs.get(event.host) ?? event.timeUs));
    if (event.timeUs < watermark) return [event];
    this.held.push(event);
    return [];
  }

  private pushFuture(event: OracleEvent): Ordered {
    const waiting = this.future.get(event.host) ?? [];
    const agrees = waiting.some((other) => Math.abs(other.timeUs - event.timeUs) <= this.options.maxSkipUs);
    this.future.set(event.host, [...waiting, event]);
    if (!agrees) return { ready: [], late: [] };
    const isNear = (other: OracleEvent) => Math.abs(other.timeUs - event.timeUs) <= this.options.maxSkipUs;
    const near = [...waiting, event].filter(isNear).sort(compareEvents);
    this.future.set(
      event.host,
      waiting.filter((other) => !isNear(other)),
    );
    const late = near.flatMap((other) => this.accept(other));
    late.push(...this.recallFuture(event.host));
    return { ready: this.release(), late };
  }

  /** Events that waited as too far ahead and no longer are. */
  private recallFuture(host: string): OracleEvent[] {
    const waiting = (this.future.get(host) ?? []).sort(compareEvents);
    const late: OracleEvent[] = [];
    while (waiting[0] !== undefined && waiting[0].timeUs - (this.newestUs.get(host) ?? 0) <= this.options.maxSkipUs) {
      late.push(...this.accept(waiting.shift() as OracleEvent));
    }
    this.future.set(host, waiting);
    return late;
  }

  private watermark(host: string): number {
    return (this.newestUs.get(host) ?? Number.NEGATIVE_INFINITY) - this.options.latenessUs;
  }

  /** With no lateness an event at the watermark is ready; otherwise an equal one with a lower tiebreaker may yet come. */
  private release(): OracleEvent[] {
    const lowest = Math.min(...[...this.newestUs.keys()].map((host) => this.watermark(host)));
    const watermark = Math.max(lowest, this.promisedUs);
    const isReady = (event: OracleEvent): boolean =>
      this.options.latenessUs === 0 && lowest >= this.promisedUs ? event.timeUs <= watermark : event.timeUs < watermark;
    const ready = this.held.filter(isReady).sort(compareEvents);
    this.held = this.held.filter((event) => !isReady(event));
    return ready;
  }
}
