/**
 * What is usual on a host and among hosts of its role, learned from sessions and kept as counted tuples. Knows no clock
 * but event time. Bounded: what no room was left for is not learned, and counted.
 */
import { globMatches } from '../../core/glob.js';
import type { Unready } from '../coverage/health.js';
import { type BaselineData, faultOf, type HeldBack, type HostData, sealBaseline } from './baseline_data.js';
import { type Tuple, tupleText } from './tuples.js';

const dayUs = 86_400_000_000;

/** Known: on so many distinct days, or so many launches, on the host; or on so many hosts of its role and this share. */
const knownDays = 3;
const knownLaunches = 5;
const knownHosts = 3;
const knownShare = 0.2;
/** Unseen for longer, a tuple is new again. */
const agesOutUs = 30 * dayUs;
const seenMax = 262_144;
const hostsMax = 65_536;
const heldBackMax = 4096;

/** Globs over names to roles, the first that matches; or a function. Unnamed: `unassigned`. */
export type RoleSource = Readonly<Record<string, string>> | ((name: string) => string | undefined);

export interface BaselineOptions {
  /** `learn`: every host learns for `learnFor`, then its baseline is in force. `enforce`: what `data` says, and no more. */
  readonly mode: 'learn' | 'enforce';
  readonly data?: BaselineData;
  /** Microseconds of a host's own time, from the first event that a rule hears of it. */
  readonly learnForUs: number;
  /** What a host learned is in force only once a person approved it. Default false. */
  readonly isReviewed?: boolean;
  readonly hostRoles?: RoleSource;
  readonly userRoles?: RoleSource;
  /** By host role. */
  readonly expectations?: Readonly<Record<string, HostExpectation>>;
}

/** What is declared of the hosts of a role. */
export interface HostExpectation {
  /** False: nothing of it is expected to run there. */
  readonly python?: boolean;
  /** Distributions that may run there; absent: any. */
  readonly distributions?: readonly string[];
  readonly criticality?: 'normal' | 'high';
}

/**
 * Where a host stands for a rule. `learning`: it shows what is usual. `review`: that is a proposal which nobody approved.
 * `enforced`: what is known does not count, and stays known while it is seen. `frozen`: the same, and nothing changes it.
 */
export type LearningState = 'learning' | 'review' | 'enforced' | 'frozen';

type HostRef = { readonly id: string; readonly name?: string };

export interface BaselineStats {
  readonly hosts: Readonly<Record<LearningState, number>>;
  readonly tuples: number;
  /** Cases that learning held back. */
  readonly heldBack: number;
  /** Tuples, hosts or held-back cases that no room was left for. */
  readonly dropped: number;
  /** Why the data given was refused; then nothing is known. */
  readonly refused?: string;
}

interface HostState {
  readonly role: string;
  readonly firstUs: number;
  /** When each rule first heard of the host: a rule that is loaded later learns from then on. */
  readonly rules: Map<string, number>;
  /** What a reviewer made of it. */
  readonly approved: HostData['approved'];
}

interface Seen {
  days: number[];
  launches: number;
  lastUs: number;
}

interface Known {
  readonly tuple: Tuple;
  readonly hosts: Map<string, Seen>;
}

export class Baseline {
  readonly #options: BaselineOptions;
  readonly #hosts = new Map<string, HostState>();
  readonly #hostsOfRole = new Map<string, number>();
  readonly #tuples = new Map<string, Known>();
  #approved: BaselineData['approved'] = [];
  #audit: BaselineData['audit'] = [];
  #approvedTexts: ReadonlySet<string> = new Set();
  readonly #heldBack = new Map<string, { readonly item: Omit<HeldBack, 'count'>; count: number }>();
  #heldBackTotal = 0;
  #seen = 0;
  #dropped = 0;
  #refused: string | undefined;

  constructor(options: BaselineOptions) {
    this.#options = options;
    if (options.data !== undefined) this.restore(options.data);
  }

  /** Takes data over in place of everything; data that is not whole counts as none, and `stats` says why. */
  restore(data: BaselineData): void {
    for (const table of [this.#hosts, this.#hostsOfRole, this.#tuples, this.#heldBack]) table.clear();
    this.#seen = 0;
    this.#refused = faultOf(data);
    this.#approved = this.#refused === undefined ? data.approved : [];
    this.#audit = this.#refused === undefined ? data.audit : [];
    this.#approvedTexts = new Set(
      this.#approved.map(({ role, path, program }) => tupleText({ kind: 'persistence', parts: [role, path, program] })),
    );
    if (this.#refused === undefined) this.#take(data);
  }

  #take(data: BaselineData): void {
    for (const { id, role, firstSeen, rules, approved } of data.hosts) {
      const state = this.#addHost(id, Date.parse(firstSeen) * 1000, role, approved);
      for (const [rule, since] of Object.entries(rules)) state?.rules.set(rule, Date.parse(since) * 1000);
    }
    for (const { kind, parts, hosts } of data.tuples) {
      const known: Known = { tuple: { kind, parts }, hosts: new Map() };
      for (const { id, days, launches, lastSeen } of hosts) {
        if (this.#seen >= seenMax) this.#dropped++;
        else {
          this.#seen++;
          const numbers = days.map((day) => Math.floor((Date.parse(day) * 1000) / dayUs));
          known.hosts.set(id, { days: numbers, launches, lastUs: Date.parse(lastSeen) * 1000 });
        }
      }
      this.#tuples.set(tupleText(known.tuple), known);
    }
    for (const { count, ...item } of data.heldBack) this.#heldBack.set(JSON.stringify(item), { item, count });
  }

  hostRole(host: HostRef): string {
    return (
      roleOf(this.#options.hostRoles, host.id) ??
      (host.name === undefined ? undefined : roleOf(this.#options.hostRoles, host.name)) ??
      'unassigned'
    );
  }

  /** What is declared of the host's role; nothing for hosts without one. */
  expectation(host: HostRef): HostExpectation {
    return this.#options.expectations?.[this.hostRole(host)] ?? {};
  }

  /** A user without a role stands for nobody else. */
  userRole(user: string | undefined): string {
    return roleOf(this.#options.userRoles, user ?? '') ?? `user:${user ?? ''}`;
  }

  /** Where the host stands for the rule at this time; the first call for a host and rule begins its learning. */
  stateOf(host: HostRef, timeUs: number, rule: string): LearningState {
    const state = this.#hosts.get(host.id) ?? this.#addHost(host.id, timeUs, this.hostRole(host), undefined);
    if (this.#options.mode === 'learn' && state !== undefined) {
      const sinceUs = state.rules.get(rule) ?? timeUs;
      if (!state.rules.has(rule)) state.rules.set(rule, timeUs);
      const isApproved = state.approved !== undefined && sinceUs <= Date.parse(state.approved.at) * 1000;
      if (!isApproved && timeUs < sinceUs + this.#options.learnForUs) return 'learning';
    }
    return this.#settledState(host.id);
  }

  isLearning(host: HostRef, timeUs: number, rule: string): boolean {
    return this.stateOf(host, timeUs, rule) === 'learning';
  }

  /** Rules whose baseline of the host is not in force at this time. Begins nothing. */
  unready(hostId: string, timeUs: number, rules: readonly string[]): Unready[] {
    if (this.#refused !== undefined) return rules.map((rule) => ({ rule, state: 'refused' }));
    const state = this.#hosts.get(hostId);
    return rules.flatMap((rule): Unready[] => {
      const sinceUs = state?.rules.get(rule) ?? timeUs;
      const isApproved = state?.approved !== undefined && sinceUs <= Date.parse(state.approved.at) * 1000;
      const isLearning = this.#options.mode === 'learn' && !isApproved && timeUs < sinceUs + this.#options.learnForUs;
      if (isLearning) return [{ rule, state: 'learning' }];
      return this.#settledState(hostId) === 'review' ? [{ rule, state: 'review' }] : [];
    });
  }

  #settledState(hostId: string): Exclude<LearningState, 'learning'> {
    const approved = this.#hosts.get(hostId)?.approved;
    if (approved !== undefined) return approved.state;
    return this.#options.isReviewed === true && this.#hosts.has(hostId) ? 'review' : 'enforced';
  }

  #addHost(id: string, firstUs: number, role: string, approved: HostData['approved']): HostState | undefined {
    if (this.#hosts.size >= hostsMax) {
      this.#dropped++;
      return undefined;
    }
    const state: HostState = { role, firstUs, rules: new Map(), approved };
    this.#hosts.set(id, state);
    this.#hostsOfRole.set(role, (this.#hostsOfRole.get(role) ?? 0) + 1);
    return state;
  }

  /**
   * The tuple is usual for the host at this time, by its own history, its role's, or an approval. Proposals that nobody
   * approved count for nothing, except to tell what is not new.
   */
  knows(host: HostRef, tuple: Tuple, timeUs: number): boolean {
    if (tuple.kind === 'persistence') return this.#approvedTexts.has(tupleText(tuple));
    const known = this.#tuples.get(tupleText(tuple));
    if (known === undefined) return false;
    const counts = ([id, seen]: readonly [string, Seen]): boolean => {
      const state = this.#settledState(id);
      if (state === 'review' && tuple.kind !== 'runtime') return false;
      return state === 'frozen' || timeUs - seen.lastUs <= agesOutUs;
    };
    const own = known.hosts.get(host.id);
    if (own !== undefined && counts([host.id, own]) && (own.days.length >= knownDays || own.launches >= knownLaunches))
      return true;
    const role = this.hostRole(host);
    if (role === 'unassigned' || tuple.parts[0] !== role || known.hosts.size < knownHosts) return false;
    const fresh = [...known.hosts].filter(counts).length;
    return fresh >= knownHosts && fresh >= knownShare * (this.#hostsOfRole.get(role) ?? 0);
  }

  /** The host knew the tuple once, and has not seen it for so long that it is new again. */
  hasAgedOut(host: HostRef, tuple: Tuple, timeUs: number): boolean {
    const own = this.#tuples.get(tupleText(tuple))?.hosts.get(host.id);
    return own !== undefined && timeUs - own.lastUs > agesOutUs;
  }

  /** A session showed the tuple for the first time. Outside learning this only keeps what is known from ageing. */
  saw(host: HostRef, tuple: Tuple, timeUs: number, rule: string): void {
    const state = this.stateOf(host, timeUs, rule);
    if (tuple.kind === 'persistence' || state === 'frozen') return;
    const isLearning = state === 'learning';
    const text = tupleText(tuple);
    const own = this.#tuples.get(text)?.hosts.get(host.id);
    if (own !== undefined && timeUs - own.lastUs <= agesOutUs) {
      own.lastUs = Math.max(own.lastUs, timeUs);
      if (!isLearning) return;
      own.launches++;
      const day = Math.floor(timeUs / dayUs);
      if (!own.days.includes(day) && own.days.length < knownDays) own.days = [...own.days, day].sort((a, b) => a - b);
      return;
    }
    if (!isLearning) return;
    if (own === undefined && this.#seen >= seenMax) {
      this.#dropped++;
      return;
    }
    const known = this.#tuples.get(text) ?? { tuple, hosts: new Map<string, Seen>() };
    if (own === undefined) this.#seen++;
    known.hosts.set(host.id, { days: [Math.floor(timeUs / dayUs)], launches: 1, lastUs: timeUs });
    this.#tuples.set(text, known);
  }

  /** Counts a case that learning held back. */
  holdBack(item: Omit<HeldBack, 'count'>): void {
    this.#heldBackTotal++;
    const key = JSON.stringify(item);
    const counted = this.#heldBack.get(key);
    if (counted !== undefined) counted.count++;
    else if (this.#heldBack.size < heldBackMax) this.#heldBack.set(key, { item, count: 1 });
    else this.#dropped++;
  }

  stats(nowUs: number): BaselineStats {
    const hosts = { learning: 0, review: 0, enforced: 0, frozen: 0 };
    for (const [id, { rules }] of this.#hosts) {
      const newestUs = Math.max(Number.NEGATIVE_INFINITY, ...rules.values());
      const isLearning = this.#options.mode === 'learn' && nowUs < newestUs + this.#options.learnForUs;
      hosts[isLearning ? 'learning' : this.#settledState(id)]++;
    }
    return {
      hosts,
      tuples: this.#tuples.size,
      heldBack: this.#heldBackTotal,
      dropped: this.#dropped,
      ...(this.#refused === undefined ? {} : { refused: this.#refused }),
    };
  }

  export(): BaselineData {
    const iso = (timeUs: number): string => new Date(timeUs / 1000).toISOString();
    const hosts = [...this.#hosts]
      .sort(([a], [b]) => compare(a, b))
      .map(([id, { role, firstUs, rules, approved }]) => ({
        id,
        role,
        firstSeen: iso(firstUs),
        rules: Object.fromEntries([...rules].sort(([a], [b]) => compare(a, b)).map(([rule, us]) => [rule, iso(us)])),
        ...(approved === undefined ? {} : { approved }),
      }));
    const tuples = [...this.#tuples]
      .sort(([a], [b]) => compare(a, b))
      .map(([, { tuple, hosts: seenBy }]) => ({
        kind: tuple.kind,
        parts: tuple.parts,
        hosts: [...seenBy]
          .sort(([a], [b]) => compare(a, b))
          .map(([id, { days, launches, lastUs }]) => ({
            id,
            days: days.map((day) => iso(day * dayUs).slice(0, 10)),
            launches,
            lastSeen: iso(lastUs),
          })),
      }));
    const heldBack = [...this.#heldBack]
      .sort(([a], [b]) => compare(a, b))
      .map(([, { item, count }]) => ({ ...item, count }));
    return sealBaseline({ hosts, tuples, approved: this.#approved, heldBack, audit: this.#audit });
  }
}

function roleOf(source: RoleSource | undefined, name: string): string | undefined {
  if (source === undefined) return undefined;
  if (typeof source === 'function') return source(name);
  return Object.entries(source).find(([glob]) => globMatches(glob.toLowerCase(), name.toLowerCase()))?.[1];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
