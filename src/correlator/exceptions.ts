/**
 * Exceptions at work: judged on event time, counted, and kept in sight after they expire. An exception never drops an
 * event and never hides a detection above its severity; what it hides stays available.
 */
import { globMatches } from '../core/glob.js';
import type { Exception, ExceptionCondition } from '../rule/exception.js';
import { type Severity, severities } from '../rule/ir.js';

/** What is told of an exception beside a detection. Times in microseconds. */
export type ExceptionNote =
  | { readonly id: string; readonly result: 'matched' | 'set_aside' }
  | { readonly id: string; readonly result: 'expired'; readonly expiresUs: number }
  | { readonly id: string; readonly result: 'near_miss'; readonly failed: string };

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
  /** Detections that it hid. */
  readonly matched: number;
  /** Witnesses of behaviour rules that it covered, whether or not a detection came of them. */
  readonly witnesses: number;
  readonly matchedByHost: Readonly<Record<string, number>>;
  readonly firstMatchedUs: number | null;
  readonly lastMatchedUs: number | null;
  /** Subjects that matched but for the expiry: what came back. */
  readonly matchedAfterExpiry: number;
  /** Launches that behaviour rules of its scope saw. */
  readonly launches: number;
  /** Those of them that meet all it says of a launch, whatever they did. */
  readonly launchesCovered: number;
}

/** Counts of one exception on one host. */
interface HostUse {
  matched: number;
  witnesses: number;
  afterExpiry: number;
  /** The newest day with a match, and its matches, where the exception has a limit. */
  day?: number;
  ofDay?: number;
}

/** Launches of one host: seen, and met by what an exception says of launches. */
type LaunchCounts = [seen: number, covered: number];

interface Counters {
  readonly byHost: Map<string, HostUse>;
  readonly launches: Map<string, LaunchCounts>;
  firstUs: number | null;
  lastUs: number | null;
}

/** Counts of one exception in a snapshot. */
export interface ExceptionState {
  readonly id: string;
  readonly byHost: readonly (readonly [string, HostUse])[];
  readonly launches?: readonly (readonly [string, LaunchCounts])[];
  readonly firstUs: number | null;
  readonly lastUs: number | null;
}

/** Hosts counted by name per exception; beyond, they are counted together under `…`. */
const hostsCountedMax = 1000;

/** How long after its expiry an exception is still evaluated, in shadow. */
const dayUs = 86_400_000_000;
const shadowUs = 30 * dayUs;

/** The exceptions in force, with their counters. */
export class ExceptionSet {
  readonly #entries: readonly { readonly exception: Exception; readonly counters: Counters }[];

  constructor(exceptions: readonly Exception[]) {
    this.#entries = exceptions.map((exception) => ({
      exception,
      counters: { byHost: new Map(), launches: new Map(), firstUs: null, lastUs: null },
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
      if (exception.state === 'draft' || exception.state === 'revoked' || !isInScope(exception, subject)) continue;
      const failed: { readonly field: string }[] = exception.conditions.filter(
        (condition) => !holds(condition, withGroups(exception, subject)),
      );
      if (exception.businessHours !== undefined && isOutsideHours(exception.businessHours, subject.timeUs))
        failed.push({ field: 'business_hours' });
      const [first] = failed;
      if (failed.length === 1 && first !== undefined && exception.conditions.length > 1)
        nearMisses.push({ id: exception.id, failed: first.field });
      if (failed.length > 0) continue;
      if (subject.timeUs >= exception.expiresUs || exception.state === 'expired') {
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

  /** Whether it hid as many detections of the host on the day of `timeUs` as it may. */
  isSpent(id: string, hostId: string, timeUs: number): boolean {
    const entry = this.#entries.find(({ exception }) => exception.id === id);
    const most = entry?.exception.maxMatchesPerDay;
    if (entry === undefined || most === undefined) return false;
    const use = entry.counters.byHost.get(hostId);
    return use?.day === Math.floor(timeUs / dayUs) && (use.ofDay ?? 0) >= most;
  }

  effectOf(id: string): Exception['effect'] | undefined {
    return this.#entries.find(({ exception }) => exception.id === id)?.exception.effect;
  }

  /** Fields of events that conditions read: all but derived ones. */
  get fields(): string[] {
    const named = this.#entries.flatMap(({ exception }) => exception.conditions.map(({ field }) => field));
    const read = named.flatMap((field) => (derivedFields.has(field) ? [] : [field]));
    return this.size === 0 ? [] : [...new Set([...read, ...alwaysRead])];
  }

  /** Counts one hidden detection, or one that came back after the expiry. */
  count(id: string, hostId: string, timeUs: number, isExpired = false): void {
    const counters = this.#counters(id);
    if (counters === undefined) return;
    const use = useOf(counters, hostId);
    if (isExpired) {
      use.afterExpiry++;
      return;
    }
    use.matched++;
    const day = Math.floor(timeUs / dayUs);
    if (this.#limitOf(id) !== undefined && day >= (use.day ?? day)) {
      use.ofDay = use.day === day ? (use.ofDay ?? 0) + 1 : 1;
      use.day = day;
    }
    counters.firstUs = Math.min(counters.firstUs ?? timeUs, timeUs);
    counters.lastUs = Math.max(counters.lastUs ?? timeUs, timeUs);
  }

  /** Takes one hidden detection back. */
  uncount(id: string, hostId: string): void {
    const counters = this.#counters(id);
    const use = counters === undefined ? undefined : useOf(counters, hostId);
    if (use === undefined || use.matched === 0) return;
    use.matched--;
    if (use.ofDay !== undefined && use.ofDay > 0) use.ofDay--;
  }

  /** Counts one covered witness. */
  countWitness(id: string, hostId: string): void {
    const counters = this.#counters(id);
    if (counters !== undefined) useOf(counters, hostId).witnesses++;
  }

  /** Counts a launch, for how much of what runs an exception would cover. */
  countLaunch(subject: ExceptionSubject): void {
    for (const { exception, counters } of this.#entries) {
      if (!exception.scope.rules.includes(subject.ruleId)) continue;
      const counts = launchesOf(counters, subject.host?.id ?? '');
      counts[0]++;
      if (coversLaunch(exception, subject)) counts[1]++;
    }
  }

  /** Ids of the exceptions that the launch meets in all that they say of launches, whenever they hold. */
  covering(subject: ExceptionSubject): string[] {
    return this.#entries.flatMap(({ exception }) => (coversLaunch(exception, subject) ? [exception.id] : []));
  }

  #limitOf(id: string): number | undefined {
    return this.#entries.find(({ exception }) => exception.id === id)?.exception.maxMatchesPerDay;
  }

  #counters(id: string): Counters | undefined {
    return this.#entries.find(({ exception }) => exception.id === id)?.counters;
  }

  /** The audit listing, in file order. */
  audit(): ExceptionUse[] {
    return this.#entries.map(({ exception, counters: { byHost, launches, firstUs, lastUs } }) => {
      const counts = [...launches.values()];
      const uses = [...byHost].sort(([a], [b]) => (a < b ? -1 : 1));
      const sum = (of: (use: HostUse) => number): number => uses.reduce((total, [, use]) => total + of(use), 0);
      const matching = uses.filter(([, { matched }]) => matched > 0);
      return {
        exception,
        matched: sum(({ matched }) => matched),
        witnesses: sum(({ witnesses }) => witnesses),
        matchedByHost: Object.fromEntries(matching.map(([host, { matched }]) => [host, matched])),
        firstMatchedUs: firstUs,
        lastMatchedUs: lastUs,
        matchedAfterExpiry: sum(({ afterExpiry }) => afterExpiry),
        launches: counts.reduce((total, [seen]) => total + seen, 0),
        launchesCovered: counts.reduce((total, [, covered]) => total + covered, 0),
      };
    });
  }

  snapshot(): ExceptionState[] {
    return this.#entries.map(({ exception, counters }) => ({
      ...counters,
      id: exception.id,
      byHost: [...counters.byHost].sort(([a], [b]) => (a < b ? -1 : 1)),
      launches: [...counters.launches].sort(([a], [b]) => (a < b ? -1 : 1)),
    }));
  }

  /** Adds the counts of a snapshot, of `hosts` only where they are given. */
  restore(states: readonly ExceptionState[], hosts?: ReadonlySet<string>): void {
    for (const { id, byHost, launches = [], firstUs, lastUs } of states) {
      const counters = this.#counters(id);
      for (const [host, [seen, covered]] of launches) {
        if (counters === undefined || hosts?.has(host) === false) continue;
        const counts = launchesOf(counters, host);
        counts[0] += seen;
        counts[1] += covered;
      }
      const taken = byHost.filter(([host]) => hosts?.has(host) !== false);
      if (counters === undefined || taken.length === 0) continue;
      for (const [host, { matched, witnesses, afterExpiry, day, ofDay }] of taken) {
        const use = useOf(counters, host);
        if (day !== undefined && day >= (use.day ?? day)) Object.assign(use, { day, ofDay });
        use.matched += matched;
        use.witnesses += witnesses;
        use.afterExpiry += afterExpiry;
      }
      if (firstUs !== null) counters.firstUs = Math.min(counters.firstUs ?? firstUs, firstUs);
      if (lastUs !== null) counters.lastUs = Math.max(counters.lastUs ?? lastUs, lastUs);
    }
  }
}

/** The exceptions at work; undefined where there are none. */
export function exceptionSet(exceptions: readonly Exception[]): ExceptionSet | undefined {
  return exceptions.length === 0 ? undefined : new ExceptionSet(exceptions);
}

/** Fields that scopes and derived fields come from. */
const alwaysRead = ['host.os.type', 'process.parent.executable', 'Persistence.path', 'file.path', 'registry.path'];

/** Fields that a judgement derives; no event carries them. */
const derivedFields = new Set([
  'context',
  'script_id',
  'root.executable',
  'root.user',
  'ancestor.executable',
  'item.path',
  'host.group',
]);

/** Fields of what a session did: a launch has none of them. */
const fieldsOfDeeds = /^(?:item\.|file\.|Persistence\.|registry\.|destination\.|dns\.|network\.|dll\.|Target\.)/;

function coversLaunch(exception: Exception, subject: ExceptionSubject): boolean {
  if (exception.state === 'draft' || exception.state === 'revoked' || !isInScope(exception, subject)) return false;
  const ofLaunch = exception.conditions.filter(({ field }) => !fieldsOfDeeds.test(field));
  return ofLaunch.every((condition) => holds(condition, withGroups(exception, subject)));
}

function launchesOf({ launches }: Counters, hostId: string): LaunchCounts {
  const name = launches.has(hostId) || launches.size < hostsCountedMax ? hostId : '…';
  const counts = launches.get(name) ?? [0, 0];
  launches.set(name, counts);
  return counts;
}

function useOf({ byHost }: Counters, hostId: string): HostUse {
  const name = byHost.has(hostId) || byHost.size < hostsCountedMax ? hostId : '…';
  const use = byHost.get(name) ?? { matched: 0, witnesses: 0, afterExpiry: 0 };
  byHost.set(name, use);
  return use;
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

/** The subject with the groups of its host, as the exception's file defines them. */
function withGroups({ hostGroups = {} }: Exception, subject: ExceptionSubject): ExceptionSubject {
  const { host } = subject;
  const isOf = (globs: readonly string[]): boolean =>
    host !== null && globs.some((glob) => [host.id, host.name ?? ''].some((name) => matches(glob, name)));
  const groups = Object.entries(hostGroups).flatMap(([name, globs]) => (isOf(globs) ? [name] : []));
  return { ...subject, values: (field) => (field === 'host.group' ? groups : subject.values(field)) };
}

const dayMinutes = 24 * 60;

function isOutsideHours(hours: NonNullable<Exception['businessHours']>, timeUs: number): boolean {
  const minutes = Math.floor(timeUs / 60_000_000) + hours.utcOffsetMinutes;
  const minute = ((minutes % dayMinutes) + dayMinutes) % dayMinutes;
  // 1970-01-01 was a Thursday, day 4.
  const day = ((((Math.floor(minutes / dayMinutes) + 3) % 7) + 7) % 7) + 1;
  return !hours.intervals.some(
    ({ days, fromMinute, toMinute }) => days.includes(day) && fromMinute <= minute && minute < toMinute,
  );
}

function matches(pattern: string, text: string): boolean {
  return globMatches(pattern.toLowerCase(), text.toLowerCase());
}
