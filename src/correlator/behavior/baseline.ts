/**
 * What is usual on a host and among hosts of its role, learned from sessions and kept as counted tuples. Knows no clock
 * but event time. Bounded: what no room was left for is not learned, and counted.
 */
import { digest } from '../../core/digest.js';
import { globMatches } from '../../core/glob.js';
import { generalisationVersion } from '../../core/paths.js';
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
  /** Microseconds of a host's own time. */
  readonly learnForUs: number;
  readonly hostRoles?: RoleSource;
  readonly userRoles?: RoleSource;
}

/** A baseline as JSON. Everything is sorted, so that two can be compared line by line. */
export interface BaselineData {
  readonly format: 'vedette-baseline';
  readonly version: 1;
  /** Version of the path generalisation that the tuples were made with; another makes them worthless. */
  readonly generalisation: number;
  /** Of everything else. It finds damage and edits that were not sealed; it is no signature. */
  readonly hash: string;
  readonly hosts: readonly HostData[];
  readonly tuples: readonly TupleData[];
  /** Persistence items that a person approved for a role. */
  readonly approved: readonly ApprovedItem[];
  /** Low and medium detections that learning held back, for the review. */
  readonly heldBack: readonly HeldBack[];
}

interface HostData {
  readonly id: string;
  readonly role: string;
  readonly firstSeen: string;
}

interface TupleData {
  readonly kind: Tuple['kind'];
  readonly parts: readonly string[];
  readonly hosts: readonly {
    readonly id: string;
    readonly days: readonly string[];
    readonly launches: number;
    readonly lastSeen: string;
  }[];
}

export interface ApprovedItem {
  readonly role: string;
  /** Generalised path and program, as a detection's tuple has them. */
  readonly path: string;
  readonly program: string;
  readonly by: string;
  readonly at: string;
}

export interface HeldBack {
  readonly rule: string;
  readonly role: string;
  readonly context: string;
  readonly scriptId: string;
  readonly severity: string;
  readonly classes: readonly string[];
  readonly count: number;
}

export interface BaselineStats {
  readonly hosts: { readonly learning: number; readonly enforced: number };
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
  #approved: readonly ApprovedItem[] = [];
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
    this.#approvedTexts = new Set(
      this.#approved.map(({ role, path, program }) => tupleText({ kind: 'persistence', parts: [role, path, program] })),
    );
    if (this.#refused === undefined) this.#take(data);
  }

  #take(data: BaselineData): void {
    for (const { id, role, firstSeen } of data.hosts) this.#addHost(id, Date.parse(firstSeen) * 1000, role);
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

  hostRole(host: { readonly id: string; readonly name?: string }): string {
    return (
      roleOf(this.#options.hostRoles, host.id) ??
      (host.name === undefined ? undefined : roleOf(this.#options.hostRoles, host.name)) ??
      'unassigned'
    );
  }

  /** A user without a role stands for nobody else. */
  userRole(user: string | undefined): string {
    return roleOf(this.#options.userRoles, user ?? '') ?? `user:${user ?? ''}`;
  }

  /** The host learns still at this time; the first call for a host begins its learning. */
  isLearning(host: { readonly id: string; readonly name?: string }, timeUs: number): boolean {
    if (this.#options.mode === 'enforce') return false;
    const state = this.#hosts.get(host.id) ?? this.#addHost(host.id, timeUs, this.hostRole(host));
    return state !== undefined && timeUs < state.firstUs + this.#options.learnForUs;
  }

  #addHost(id: string, firstUs: number, role: string): HostState | undefined {
    if (this.#hosts.size >= hostsMax) {
      this.#dropped++;
      return undefined;
    }
    const state = { role, firstUs };
    this.#hosts.set(id, state);
    this.#hostsOfRole.set(role, (this.#hostsOfRole.get(role) ?? 0) + 1);
    return state;
  }

  /** The tuple is usual for the host at this time, by its own history, its role's, or an approval. */
  knows(host: { readonly id: string; readonly name?: string }, tuple: Tuple, timeUs: number): boolean {
    if (tuple.kind === 'persistence') return this.#approvedTexts.has(tupleText(tuple));
    const known = this.#tuples.get(tupleText(tuple));
    if (known === undefined) return false;
    const isFresh = (seen: Seen): boolean => timeUs - seen.lastUs <= agesOutUs;
    const own = known.hosts.get(host.id);
    if (own !== undefined && isFresh(own) && (own.days.length >= knownDays || own.launches >= knownLaunches))
      return true;
    const role = this.hostRole(host);
    if (role === 'unassigned' || tuple.parts[0] !== role || known.hosts.size < knownHosts) return false;
    const fresh = [...known.hosts.values()].filter(isFresh).length;
    return fresh >= knownHosts && fresh >= knownShare * (this.#hostsOfRole.get(role) ?? 0);
  }

  /** A session showed the tuple for the first time. Outside learning this only keeps what is known from ageing. */
  saw(host: { readonly id: string; readonly name?: string }, tuple: Tuple, timeUs: number): void {
    if (tuple.kind === 'persistence') return;
    const text = tupleText(tuple);
    const own = this.#tuples.get(text)?.hosts.get(host.id);
    if (own !== undefined && timeUs - own.lastUs <= agesOutUs) {
      own.lastUs = Math.max(own.lastUs, timeUs);
      if (!this.isLearning(host, timeUs)) return;
      own.launches++;
      const day = Math.floor(timeUs / dayUs);
      if (!own.days.includes(day) && own.days.length < knownDays) own.days = [...own.days, day].sort((a, b) => a - b);
      return;
    }
    if (!this.isLearning(host, timeUs)) return;
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
    const learning = [...this.#hosts.values()].filter((host) => nowUs < host.firstUs + this.#options.learnForUs).length;
    const isLearning = this.#options.mode === 'learn';
    return {
      hosts: { learning: isLearning ? learning : 0, enforced: this.#hosts.size - (isLearning ? learning : 0) },
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
      .map(([id, { role, firstUs }]) => ({ id, role, firstSeen: iso(firstUs) }));
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
    return sealBaseline({ hosts, tuples, approved: this.#approved, heldBack });
  }
}

/** Completes the data, after a review say, with the hash that makes it acceptable. */
export function sealBaseline(data: Pick<BaselineData, 'hosts' | 'tuples' | 'approved' | 'heldBack'>): BaselineData {
  const { hosts, tuples, approved, heldBack } = data;
  const content = {
    format: 'vedette-baseline' as const,
    version: 1 as const,
    generalisation: generalisationVersion,
    hosts,
    tuples,
    approved,
    heldBack,
  };
  const { format, version, generalisation, ...rest } = content;
  return { format, version, generalisation, hash: hashOf(content), ...rest };
}

function hashOf(content: Omit<BaselineData, 'hash'>): string {
  const { format, version, generalisation, hosts, tuples, approved, heldBack } = content;
  return digest(JSON.stringify([format, version, generalisation, hosts, tuples, approved, heldBack]));
}

/** Why the data cannot be used; undefined when it can. */
function faultOf(data: BaselineData): string | undefined {
  if (data?.format !== 'vedette-baseline' || data.version !== 1) return 'not a baseline of version 1';
  if (data.generalisation !== generalisationVersion) return 'made with another generalisation of paths: learn anew';
  const lists = [data.hosts, data.tuples, data.approved, data.heldBack];
  if (!lists.every(Array.isArray) || hashOf(data) !== data.hash) return 'damaged, or changed and not sealed again';
  return undefined;
}

function roleOf(source: RoleSource | undefined, name: string): string | undefined {
  if (source === undefined) return undefined;
  if (typeof source === 'function') return source(name);
  return Object.entries(source).find(([glob]) => globMatches(glob.toLowerCase(), name.toLowerCase()))?.[1];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
