/** All sessions of a rule: found by host and root, bounded in number, the idlest dropped first. */
import type { BehaviorRule } from '../../rule/ir.js';
import type { BehaviorJudgeOptions, BehaviorLoss } from './alert.js';
import type { Case, Instance } from './case.js';
import { chainStampOf, profileOf, rootChain, type Session, typedRoot } from './session.js';
import type { Witness } from './witness.js';

const sessionsMaxDefault = 16_384;
const seenMax = 1024;

interface HostSessions {
  newestUs: number;
  /** By root identity, idlest first. */
  readonly sessions: Map<string, Session>;
}

export class SessionTable {
  private readonly hosts = new Map<string, HostSessions>();
  private readonly sessionsMax: number;
  private readonly caseSensitive: ReadonlySet<string>;
  private count = 0;

  constructor(
    private readonly rule: BehaviorRule,
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

  byRoot(hostId: string, rootIdentity: string): Session | undefined {
    return this.hosts.get(hostId)?.sessions.get(rootIdentity);
  }

  /**
   * The session that owns the witness, opened when it is the first of its root. None when no process of the chain is
   * marked, or when the event is older than the root's first image as what it is.
   */
  of(witness: Witness): Session | undefined {
    const host = this.hostOf(witness);
    const chain = this.chainOf(witness);
    const [root] = chain;
    if (root === undefined) return undefined;
    const known = host.sessions.get(root.identity);
    const session = known ?? this.open(witness, chain);
    if (known !== undefined && this.rule.judgement.session.kind === 'lineage') this.describe(known, witness, chain);
    const { launchUs } = session.profile;
    if (witness.late && launchUs !== undefined && witness.timeUs < launchUs) return undefined;
    session.lastUs = Math.max(session.lastUs, witness.timeUs);
    host.sessions.delete(root.identity);
    host.sessions.set(root.identity, session);
    if (known === undefined && ++this.count > this.sessionsMax) this.dropOne();
    return session;
  }

  private chainOf(witness: Witness): Witness['chain'] {
    const { session } = this.rule.judgement;
    if (session.kind === 'lineage') return rootChain(this.rule, witness.chain);
    const values = session.fields.map((field) => witness.fields[field]);
    return values.includes(undefined) ? [] : [typedRoot(values.join(' '), witness)];
  }

  private hostOf(witness: Witness): HostSessions {
    let host = this.hosts.get(witness.host.id);
    if (host === undefined) {
      host = { newestUs: witness.timeUs, sessions: new Map() };
      this.hosts.set(witness.host.id, host);
    }
    host.newestUs = Math.max(host.newestUs, witness.timeUs);
    return host;
  }

  private open(witness: Witness, chain: Witness['chain']): Session {
    return {
      ...this.probe(witness),
      rootIdentity: chain[0]?.identity ?? '',
      profile: profileOf(this.rule, chain, witness.chainTruncated, undefined),
      chainStamp: chainStampOf(chain),
    };
  }

  /** A session without a root, to ask what an unattributed witness stands for on its host. */
  probe(witness: Witness): Session {
    const folds = this.rule.judgement.foldsPaths && !this.caseSensitive.has(witness.host.id);
    return {
      host: witness.host,
      rootIdentity: '',
      folds,
      profile: emptyProfile,
      chainStamp: '',
      lastUs: witness.timeUs,
      launch: undefined,
      lookups: new Map(),
      sources: [],
      writes: new Map(),
      scriptDeletedUs: undefined,
      wroteAndRan: undefined,
      cases: [],
      seen: new Set(),
    };
  }

  /** Describes the session anew when its root or an ancestor became known better. */
  private describe(session: Session, witness: Witness, chain: Witness['chain']): void {
    const stamp = chainStampOf(chain);
    if (stamp === session.chainStamp || chain.length < session.profile.chain.length) return;
    session.chainStamp = stamp;
    session.profile = profileOf(this.rule, chain, witness.chainTruncated, session.launch?.fields);
  }

  /** False for a witness that the session has seen lately: repeats must change nothing. */
  isNew(session: Session, witness: Witness): boolean {
    const identity = `${witness.itemId} ${witness.eventId}`;
    if (session.seen.has(identity)) return false;
    session.seen.add(identity);
    if (session.seen.size > seenMax) session.seen.delete(session.seen.values().next().value as string);
    return true;
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
    this.count--;
    const { windowUs } = this.rule.judgement;
    if (session.cases.some((open) => open.lastUs + windowUs >= host.newestUs)) this.lose('session', hostId, 1);
  }

  snapshot(): SessionTableState {
    return [...this.hosts].map(([id, host]) => ({
      id,
      newestUs: host.newestUs,
      sessions: [...host.sessions.values()].map((session) => ({
        ...session,
        lookups: [...session.lookups],
        writes: [...session.writes],
        seen: [...session.seen],
        cases: session.cases.map((open) => ({ ...open, instances: [...open.instances.values()] })),
      })),
    }));
  }

  restore(state: SessionTableState): void {
    this.hosts.clear();
    this.count = 0;
    for (const { id, newestUs, sessions } of state) {
      const restored = sessions.map((session): [string, Session] => [
        session.rootIdentity,
        {
          ...session,
          lookups: new Map(session.lookups),
          writes: new Map(session.writes),
          seen: new Set(session.seen),
          cases: session.cases.map((open) => ({
            ...open,
            instances: new Map(open.instances.map((instance) => [instance.key, instance])),
          })),
        },
      ]);
      this.hosts.set(id, { newestUs, sessions: new Map(restored) });
      this.count += restored.length;
    }
  }
}

type Plain<T, K extends keyof T, V> = Omit<T, K> & Readonly<Record<K, V>>;
type CaseState = Plain<Case, 'instances', readonly Instance[]>;
interface SessionState extends Omit<Session, 'lookups' | 'writes' | 'seen' | 'cases'> {
  readonly lookups: readonly (readonly [string, { readonly name: string; readonly timeUs: number }])[];
  readonly writes: readonly (readonly [string, number])[];
  readonly seen: readonly string[];
  readonly cases: readonly CaseState[];
}

export type SessionTableState = readonly {
  readonly id: string;
  readonly newestUs: number;
  readonly sessions: readonly SessionState[];
}[];

const emptyProfile: Session['profile'] = {
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
