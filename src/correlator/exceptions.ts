/**
 * Exceptions at work: judged on event time, counted, and kept in sight after they expire. An exception never drops an
 * event and never hides a detection above its severity; what it hides stays available.
 */
import { globMatches } from '../core/glob.js';
import type { Exception, ExceptionCondition } from '../rule/exception.js';
import { type Severity, severities } from '../rule/ir.js';

/** What an exception is judged against: a detection, or one witness of it. */
export interface ExceptionSubject {
  readonly ruleId: string;
  /** The class of the witness; absent for rules without classes. */
  readonly class?: string;
  readonly host: { readonly id: string; readonly name?: string } | null;
  readonly platform?: string;
  readonly timeUs: number;
  /** Values of a canonical or derived field; none where missing. */
  values(field: string): readonly string[];
}

/** The outcome for one subject. At most one exception matches: the first in file order. */
export interface ExceptionVerdict {
  readonly matched?: { readonly id: string; readonly effect: Exception['effect'] };
  /** Would have matched, had it not expired. */
  readonly expired: readonly { readonly id: string; readonly expiresUs: number }[];
  /** All conditions held but one. */
  readonly nearMisses: readonly { readonly id: string; readonly failed: string }[];
}

/** One row of the audit listing. Times in microseconds since the epoch of the events, not of the clock. */
export interface ExceptionUse {
  readonly exception: Exception;
  readonly matched: number;
  readonly matchedByHost: Readonly<Record<string, number>>;
  readonly firstMatchedUs: number | null;
  readonly lastMatchedUs: number | null;
  /** Subjects that matched but for the expiry: what came back. */
  readonly matchedAfterExpiry: number;
}

interface Counters {
  matched: number;
  readonly byHost: Map<string, number>;
  firstUs: number | null;
  lastUs: number | null;
  afterExpiry: number;
}

/** Hosts counted by name per exception; beyond, they are counted together under `…`. */
const hostsCountedMax = 1000;

/** How long after its expiry an exception is still evaluated, in shadow. */
const shadowUs = 30 * 86_400_000_000;

/** The exceptions in force, with their counters. */
export class ExceptionSet {
  readonly #entries: readonly { readonly exception: Exception; readonly counters: Counters }[];

  constructor(exceptions: readonly Exception[]) {
    this.#entries = exceptions.map((exception) => ({
      exception,
      counters: { matched: 0, byHost: new Map(), firstUs: null, lastUs: null, afterExpiry: 0 },
    }));
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Judges one subject without counting: a case is judged again at every revision. */
  judge(subject: ExceptionSubject): ExceptionVerdict {
    const expired: { id: string; expiresUs: number }[] = [];
    const nearMisses: { id: string; failed: string }[] = [];
    for (const { exception } of this.#entries) {
      if (!isInScope(exception, subject)) continue;
      const failed = exception.conditions.filter((condition) => !holds(condition, subject));
      const [first] = failed;
      if (failed.length === 1 && first !== undefined) nearMisses.push({ id: exception.id, failed: first.field });
      if (failed.length > 0) continue;
      if (subject.timeUs >= exception.expiresUs) {
        if (subject.timeUs < exception.expiresUs + shadowUs)
          expired.push({ id: exception.id, expiresUs: exception.expiresUs });
        continue;
      }
      if (subject.timeUs < exception.validFromUs) continue;
      return { matched: { id: exception.id, effect: exception.effect }, expired, nearMisses };
    }
    return { expired, nearMisses };
  }

  /** Whether an exception may hide a detection of this severity. */
  mayHide(id: string, severity: Severity): boolean {
    const entry = this.#entries.find(({ exception }) => exception.id === id);
    return entry !== undefined && severities.indexOf(severity) <= severities.indexOf(entry.exception.maxSeverity);
  }

  /** Counts one hidden detection, or one that came back after the expiry. */
  count(id: string, hostId: string, timeUs: number, isExpired = false): void {
    const counters = this.#entries.find(({ exception }) => exception.id === id)?.counters;
    if (counters === undefined) return;
    if (isExpired) {
      counters.afterExpiry++;
      return;
    }
    counters.matched++;
    const host = counters.byHost.has(hostId) || counters.byHost.size < hostsCountedMax ? hostId : '…';
    counters.byHost.set(host, (counters.byHost.get(host) ?? 0) + 1);
    counters.firstUs = Math.min(counters.firstUs ?? timeUs, timeUs);
    counters.lastUs = Math.max(counters.lastUs ?? timeUs, timeUs);
  }

  /** The audit listing, in file order. */
  audit(): ExceptionUse[] {
    return this.#entries.map(({ exception, counters }) => ({
      exception,
      matched: counters.matched,
      matchedByHost: Object.fromEntries([...counters.byHost].sort()),
      firstMatchedUs: counters.firstUs,
      lastMatchedUs: counters.lastUs,
      matchedAfterExpiry: counters.afterExpiry,
    }));
  }
}

function isInScope({ scope }: Exception, subject: ExceptionSubject): boolean {
  if (!scope.rules.includes(subject.ruleId)) return false;
  if (scope.classes.length > 0 && subject.class !== undefined && !scope.classes.includes(subject.class)) return false;
  if (scope.platforms.length > 0 && !scope.platforms.includes(subject.platform ?? '')) return false;
  const { host } = subject;
  if (scope.hosts.length === 0) return true;
  return (
    host !== null && scope.hosts.some((pattern) => [host.id, host.name ?? ''].some((name) => matches(pattern, name)))
  );
}

function holds({ field, operator, values, isNegated }: ExceptionCondition, subject: ExceptionSubject): boolean {
  const found = subject.values(field);
  const isHeld =
    operator === 'exists'
      ? found.length > 0
      : found.some((value) => values.some((wanted) => (operator === 'is' ? wanted === value : matches(wanted, value))));
  return isHeld !== isNegated;
}

function matches(pattern: string, text: string): boolean {
  return globMatches(pattern.toLowerCase(), text.toLowerCase());
}
