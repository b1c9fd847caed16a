/** All sessions of a rule: found by host and root, bounded in number, the idlest dropped first. */
import { keepNewest } from '../../core/bounded.js';
import { JsonText } from '../../core/json_text.js';
import type { BehaviorRule } from '../../rule/ir.js';
import type { BehaviorJudgeOptions, BehaviorLoss } from './alert.js';
import type { Case, Instance } from './case.js';
import type { CompiledJudgement } from './compiled/judgement.js';
import type { SessionProfile } from './profile.js';
import { rootChain, typedRoot } from './root.js';
import { Session, type SessionMemory } from './session.js';
import type { ProcessNode, Witness } from './witness.js';

const sessionsMaxDefault = 16_384;
const seenMax = 1024;
/** A session without events for so long is over: as long as the kernel keeps a process that shows no sign of life. */
const idleUs = 24 * 3_600_000_000;
/** Sessions looked at when one is opened on their host. */
const expiredAtOnce = 2;

/** What a session remembers until there is something; most sessions never have lookups or writes. */
const nothing = new Map<string, never>();

/** Pids noted beyond twice the sessions before they are looked through. */
const weakSlack = 64;

interface HostSessions {
  newestUs: number;
  /** By root identity, idlest first. */
  readonly sessions: Map<string, Session>;
  /** Root identities that rest on a pid alone, by pid. */
  readonly weak: Map<number, string>;
}

export class SessionTable {
  private readonly hosts = new Map<string, HostSessions>();
  private readonly sessionsMax: number;
  private readonly caseSensitive: ReadonlySet<string>;
  private count = 0;

  constructor(
    private readonly rule: BehaviorRule,
    private readonly compiled: CompiledJudgement,
    options: BehaviorJudgeOptions,
    private readonly lose: (reason: BehaviorLoss['reason'], host: string, count: number) => void,
  ) {
    this.sessionsMax = options.sessionsMax ?? sessionsMaxDefault;
    this.caseSensitive = new Set(rule.judgement.caseSensitiveHosts);
  }

  /** Newest event time seen of the host. */
  newestUs(hostId: string): number {
    return this.hosts.get(hostId)?.newestUs ?? Number.NEGATIVE_INFINITY;
  }

  all(): readonly Session[] {
    return [...this.hosts.values()].flatMap(({ sessions }) => [...sessions.values()]);
  }

  byRoot(hostId: string, rootIdentity: string): Session | undefined {
    return changing(this.hosts.get(hostId)?.sessions.get(rootIdentity));
  }

  /**
   * The session that owns the witness, opened when it is the first of its root. None when no process of the chain is
   * marked, or when the event is older than the root's first image as what it is.
   */
  place(witness: Witness): Placement | undefined {
    const host = this.hostOf(witness);
    const chain = this.chainOf(witness);
    const [root] = chain;
    if (root === undefined) return undefined;
    const known = host.sessions.get(root.identity) ?? adopted(host, root);
    if (known === undefined) this.expire(host);
    const session = changing(known) ?? this.open(witness, chain);
    if (known !== undefined && this.rule.judgement.session.kind === 'lineage') {
      known.redescribe(chain, witness.chainTruncated);
    }
    if (witness.late && witness.timeUs < (session.profile.launchUs ?? Number.NEGATIVE_INFINITY)) return undefined;
    session.lastUs = Math.max(session.lastUs, witness.timeUs);
    if (known !== undefined) host.sessions.delete(root.identity);
    host.sessions.set(root.identity, session);
    if (root.weak && root.pid !== undefined) noteWeak(host, root.pid, root.identity);
    if (known === undefined && ++this.count > this.sessionsMax) this.dropOne();
    return { session, chain };
  }

  /** The session of a process that an event names beside its subject, such as the one it acts for. */
  byProcess(hostId: string, entityId: string): Session | undefined {
    const sessions = this.hosts.get(hostId)?.sessions.values() ?? [];
    return changing([...sessions].findLast((session) => session.processes.has(`process.entity_id ${entityId}`)));
  }

  private chainOf(witness: Witness): Witness['chain'] {
    const { session } = this.rule.judgement;
    if (session.kind === 'lineage') return rootChain(this.compiled, this.rule.root, witness.chain);
    const values = session.fields.map((field) => witness.fields[field]);
    return values.includes(undefined) ? [] : [typedRoot(values.join(' '), witness)];
  }

  private hostOf(witness: Witness): HostSessions {
    let host = this.hosts.get(witness.host.id);
    if (host === undefined) {
      if (this.hosts.size >= 2 * this.sessionsMax) this.forgetHosts();
      host = { newestUs: witness.timeUs, sessions: new Map(), weak: new Map() };
      this.hosts.set(witness.host.id, host);
    }
    host.newestUs = Math.max(host.newestUs, witness.timeUs);
    return host;
  }

  /** Hosts without sessions; they are at least half. */
  private forgetHosts(): void {
    for (const [id, { sessions }] of this.hosts) if (sessions.size === 0) this.hosts.delete(id);
  }

  private open(witness: Witness, chain: Witness['chain']): Session {
    const session = new Session(this.compiled, this.emptyMemory(witness, chain[0]?.identity ?? ''));
    session.describe(chain, witness.chainTruncated);
    return session;
  }

  /** A session without a root, to ask what an unattributed witness stands for on its host. */
  probe(witness: Witness): Session {
    return new Session(this.compiled, this.emptyMemory(witness, ''), emptyProfile);
  }

  private emptyMemory(witness: Witness, rootIdentity: string): SessionMemory {
    return {
      host: witness.host,
      rootIdentity,
      folds: this.rule.judgement.foldsPaths && !this.caseSensitive.has(witness.host.id),
      lastUs: witness.timeUs,
      launch: undefined,
      lookups: nothing,
      sources: [],
      writes: nothing,
      processes: nothing,
      scriptDeletedUs: undefined,
      wroteAndRan: undefined,
      cases: [],
      seen: new Set(),
    };
  }

  /** False for a witness that the session has seen lately: repeats must change nothing. */
  isNew(session: Session, witness: Witness): boolean {
    const identity = `${witness.itemId} ${witness.eventId}`;
    if (session.seen.has(identity)) return false;
    session.seen.add(identity);
    keepNewest(session.seen, seenMax);
    return true;
  }

  /** Lets go of sessions of the host that are over, so that those that end make room for those that begin. */
  private expire(host: HostSessions): void {
    for (let i = 0; i < expiredAtOnce; i++) {
      const [identity, session] = host.sessions.entries().next().value ?? [];
      if (identity === undefined || session === undefined || session.lastUs + idleUs >= host.newestUs) return;
      host.sessions.delete(identity);
      this.count--;
    }
  }

  private dropOne(): void {
    let noisiest: [string, HostSessions] | undefined;
    for (const entry of this.hosts) {
      if (noisiest === undefined || entry[1].sessions.size > noisiest[1].sessions.size) noisiest = entry;
    }
    if (noisiest === undefined) return;
    const [hostId, host] = noisiest;
    const [idlest, session] = host.sessions.entries().next().value as [string, Session];
    host.sessions.delete(idlest);
    if (host.sessions.size === 0) this.hosts.delete(hostId);
    this.count--;
    const { windowUs } = this.rule.judgement;
    if (session.cases.some((open) => open.lastUs + windowUs >= host.newestUs)) this.lose('session', hostId, 1);
  }

  /** The state as JSON: sessions that have not changed since the last time are not written anew. */
  snapshot(): unknown {
    return [...this.hosts].map(([id, host]) => ({
      id,
      newestUs: host.newestUs,
      sessions: [...host.sessions.values()].map(written),
    }));
  }

  restore(state: SessionTableState): void {
    this.hosts.clear();
    this.count = 0;
    for (const { id, newestUs, sessions } of state) {
      const restored = sessions.map((session): [string, Session] => [session.rootIdentity, this.revive(session)]);
      const weak = restored.flatMap(([identity, { profile }]) => weakPids(profile.chain[0], identity));
      this.hosts.set(id, { newestUs, sessions: new Map(restored), weak: new Map(weak) });
      this.count += restored.length;
    }
  }

  private revive({ profile, chainStamp, ...state }: SessionState): Session {
    const memory: SessionMemory = {
      ...state,
      lookups: new Map(state.lookups),
      writes: new Map(state.writes),
      processes: new Map(state.processes),
      seen: new Set(state.seen),
      cases: state.cases.map((open) => ({
        ...open,
        instances: new Map(open.instances.map((instance) => [instance.key, instance])),
      })),
    };
    return new Session(this.compiled, memory, profile, chainStamp);
  }
}

/** Where a witness belongs: its session, and its chain from the session's root on. */
export interface Placement {
  readonly session: Session;
  readonly chain: Witness['chain'];
}

/**
 * The session of a root that one sensor told by pid alone before another told its identity: the same pid, seen to start
 * at the same time. It goes on under the identity.
 */
function adopted({ sessions, weak }: HostSessions, root: ProcessNode): Session | undefined {
  const identity = root.weak || root.pid === undefined ? undefined : weak.get(root.pid);
  const session = identity === undefined ? undefined : sessions.get(identity);
  const before = session?.profile.chain[0]?.images[0]?.timeUs;
  if (identity === undefined || session === undefined || before !== root.images[0]?.timeUs) return undefined;
  sessions.delete(identity);
  weak.delete(root.pid as number);
  const taken = changing(session) as Session;
  taken.rootIdentity = root.identity;
  return taken;
}

/** Pids whose sessions are gone go once they are many. */
function noteWeak({ sessions, weak }: HostSessions, pid: number, identity: string): void {
  weak.set(pid, identity);
  if (weak.size <= weakSlack + 2 * sessions.size) return;
  for (const [one, of] of weak) if (!sessions.has(of)) weak.delete(one);
}

const weakPids = (root: ProcessNode | undefined, identity: string): (readonly [number, string])[] =>
  root?.weak === true && root.pid !== undefined ? [[root.pid, identity]] : [];

/** A session that is given out may be changed. */
function changing(session: Session | undefined): Session | undefined {
  if (session?.written !== undefined) {
    // A snapshot that is still to be written has it as it was.
    void session.written.text;
    session.written = undefined;
  }
  return session;
}

function written(session: Session): JsonText {
  session.written ??= new JsonText(() => stateOf(session));
  return session.written;
}

function stateOf(session: Session): SessionState {
  return {
    host: session.host,
    rootIdentity: session.rootIdentity,
    folds: session.folds,
    profile: session.profile,
    chainStamp: session.chainStamp,
    lastUs: session.lastUs,
    launch: session.launch,
    lookups: [...session.lookups],
    sources: session.sources,
    writes: [...session.writes],
    processes: [...session.processes],
    scriptDeletedUs: session.scriptDeletedUs,
    wroteAndRan: session.wroteAndRan,
    cases: session.cases.map((open) => ({ ...open, instances: [...open.instances.values()] })),
    seen: [...session.seen],
  };
}

type Plain<T, K extends keyof T, V> = Omit<T, K> & Readonly<Record<K, V>>;
type CaseState = Plain<Case, 'instances', readonly Instance[]>;
interface SessionState extends Omit<SessionMemory, 'lookups' | 'writes' | 'processes' | 'seen' | 'cases'> {
  readonly profile: SessionProfile;
  readonly chainStamp: string;
  readonly lookups: readonly (readonly [string, { readonly name: string; readonly timeUs: number }])[];
  readonly writes: readonly (readonly [string, number])[];
  readonly processes: readonly (readonly [string, readonly string[]])[];
  readonly seen: readonly string[];
  readonly cases: readonly CaseState[];
}

export type SessionTableState = readonly {
  readonly id: string;
  readonly newestUs: number;
  readonly sessions: readonly SessionState[];
}[];

const emptyProfile: SessionProfile = {
  chain: [],
  tier: '',
  run: { mode: 'none', payload: '' },
  scriptId: '',
  interpreterArgs: [],
  context: '',
  group: '',
  contextReasons: [],
  quality: [],
};
