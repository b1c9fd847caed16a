/**
 * First-seen terms outside the kernel, in event time and by the kernel's rules (`assembly/terms.ts`): new unless seen
 * within the window before, both ends included; an older first event moves the alert back for a day. Bounded.
 */
import { termsLateHorizonUs } from '../core/limits.js';

/** What a sighting of a term comes to. `late`: it would have been new, and comes too late to move what was told. */
export type Sighting =
  | { readonly kind: 'known' }
  | { readonly kind: 'new' | 'late' }
  | { readonly kind: 'earlier'; readonly alertId: string; readonly revision: number };

interface Term {
  readonly host: string;
  /** Of the run of sightings without a gap beyond the window. */
  firstUs: number;
  lastUs: number;
  /** The newest sighting before that run. */
  priorUs: number;
  /** Of the alert that told of the run's beginning. */
  alertId: string;
  revision: number;
}

/** State of a history as plain data; `priorUs` null where nothing came before. */
export interface TermHistoryState {
  readonly terms: readonly (Omit<Term, 'priorUs'> & { readonly key: string; readonly priorUs: number | null })[];
  readonly lostUs: readonly (readonly [host: string, timeUs: number])[];
  readonly lost: number;
}

const termsMaxDefault = 65_536;
const known: Sighting = { kind: 'known' };

export class TermHistory {
  /** Terms that were given up for room while they still could have made something old. */
  lost = 0;
  readonly #windowUs: number;
  readonly #termsMax: number;
  /** By key, the least recently seen first but for late sightings. */
  readonly #terms = new Map<string, Term>();
  /** Newest sighting of a term that was given up, by host. */
  readonly #lostUs = new Map<string, number>();

  constructor(windowUs: number, termsMax = termsMaxDefault) {
    this.#windowUs = windowUs;
    this.#termsMax = termsMax;
  }

  /** Books a sighting. `host` is the one that the key names; `alertId` tells of it, should it be told. */
  see(key: string, host: string, timeUs: number, alertId: string): Sighting {
    const term = this.#terms.get(key);
    if (term === undefined) {
      this.#enter(key, {
        host,
        firstUs: timeUs,
        lastUs: timeUs,
        priorUs: Number.NEGATIVE_INFINITY,
        alertId,
        revision: 1,
      });
      return { kind: 'new' };
    }
    return timeUs >= term.lastUs ? this.#seeAgain(key, term, timeUs, alertId) : this.#seeEarlier(term, timeUs);
  }

  #seeAgain(key: string, term: Term, timeUs: number, alertId: string): Sighting {
    const { lastUs } = term;
    term.lastUs = timeUs;
    this.#terms.delete(key);
    this.#terms.set(key, term);
    if (timeUs - lastUs <= this.#windowUs) return known;
    Object.assign(term, { firstUs: timeUs, priorUs: lastUs, alertId, revision: 1 });
    return { kind: 'new' };
  }

  #seeEarlier(term: Term, timeUs: number): Sighting {
    if (timeUs >= term.firstUs) return known;
    if (timeUs - term.priorUs <= this.#windowUs) {
      term.priorUs = Math.max(term.priorUs, timeUs);
      return known;
    }
    if (term.firstUs - timeUs > termsLateHorizonUs) {
      term.priorUs = timeUs;
      return { kind: 'late' };
    }
    term.firstUs = timeUs;
    term.revision++;
    return { kind: 'earlier', alertId: term.alertId, revision: term.revision };
  }

  #enter(key: string, term: Term): void {
    this.#terms.set(key, term);
    if (this.#terms.size <= this.#termsMax) return;
    const [oldest, dropped] = this.#terms.entries().next().value as [string, Term];
    this.#terms.delete(oldest);
    if (term.lastUs - dropped.lastUs > this.#windowUs) return;
    this.lost++;
    this.#lostUs.set(dropped.host, Math.max(this.#lostUs.get(dropped.host) ?? dropped.lastUs, dropped.lastUs));
  }

  /** Whether the host lost a term within the window before `timeUs`. */
  hasLost(host: string, timeUs: number): boolean {
    const lostUs = this.#lostUs.get(host);
    return lostUs !== undefined && timeUs - lostUs <= this.#windowUs;
  }

  snapshot(): TermHistoryState {
    const terms = [...this.#terms].map(([key, term]) => ({
      key,
      ...term,
      priorUs: Number.isFinite(term.priorUs) ? term.priorUs : null,
    }));
    return { terms, lostUs: [...this.#lostUs], lost: this.lost };
  }

  /** Adds a state, of `hosts` only where they are given. */
  restore(state: TermHistoryState, hosts?: ReadonlySet<string>): void {
    const isTaken = (host: string): boolean => hosts?.has(host) !== false;
    for (const { key, priorUs, ...term } of state.terms)
      if (isTaken(term.host)) this.#enter(key, { ...term, priorUs: priorUs ?? Number.NEGATIVE_INFINITY });
    for (const [host, timeUs] of state.lostUs) if (isTaken(host)) this.#lostUs.set(host, timeUs);
    this.lost += state.lost;
  }
}
