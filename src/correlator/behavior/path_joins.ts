/**
 * Joins items that no process of a session made (a system service reported them) to the session that wrote the same
 * path shortly before or after. Bounded for each host, and for all of them together.
 */
import type { Judgement } from '../../rule/behavior.js';
import type { BehaviorLoss } from './alert.js';
import type { Instance } from './case.js';
import type { Session } from './session.js';

interface Write {
  readonly timeUs: number;
  readonly root: string;
}

interface HostJoins {
  /** Newest time of anything kept. */
  lastUs: number;
  readonly writes: Map<string, Write>;
  readonly waiting: Map<string, Instance>;
}

const pathsPerHostMax = 512;
/** Paths kept of all hosts; beyond, those of the hosts go that nothing was kept of for longest. */
const pathsMax = 65_536;

type Kept = Write | Instance;

const timeOf = (entry: Kept): number => ('timeUs' in entry ? entry.timeUs : entry.firstUs);

export class PathJoins {
  /** Hosts, idlest first. */
  private readonly hosts = new Map<string, HostJoins>();
  private count = 0;

  constructor(
    private readonly judgement: Judgement,
    private readonly lose: (reason: BehaviorLoss['reason'], host: string, count: number) => void,
  ) {}

  /** Notes a session's own write, and returns the items of that path that waited for it. */
  wrote(session: Session, instance: Instance): readonly Instance[] {
    const joins = this.of(session.host.id);
    const write = { timeUs: instance.firstUs, root: session.rootIdentity };
    this.keep(joins, joins.writes, instance.key, write, session.host.id);
    const waiting = joins.waiting.get(instance.key);
    if (waiting === undefined || !this.isNear(waiting.firstUs, instance.firstUs)) return [];
    joins.waiting.delete(instance.key);
    this.count--;
    return [waiting];
  }

  /** The root of the session that wrote the item's path; otherwise the item waits for a write. */
  appeared(hostId: string, instance: Instance): string | undefined {
    const joins = this.of(hostId);
    const write = joins.writes.get(instance.key);
    if (write !== undefined && this.isNear(write.timeUs, instance.firstUs)) return write.root;
    this.keep(joins, joins.waiting, instance.key, instance, hostId);
    return undefined;
  }

  private isNear(aUs: number, bUs: number): boolean {
    return Math.abs(aUs - bUs) <= this.judgement.pathJoinUs;
  }

  private of(hostId: string): HostJoins {
    const joins = this.hosts.get(hostId) ?? { lastUs: Number.NEGATIVE_INFINITY, writes: new Map(), waiting: new Map() };
    this.hosts.delete(hostId);
    this.hosts.set(hostId, joins);
    return joins;
  }

  private keep<V extends Kept>(joins: HostJoins, map: Map<string, V>, key: string, value: V, hostId: string): void {
    if (!map.delete(key)) this.count++;
    map.set(key, value);
    joins.lastUs = Math.max(joins.lastUs, timeOf(value));
    if (map.size > pathsPerHostMax) {
      const [oldest, dropped] = map.entries().next().value as [string, V];
      map.delete(oldest);
      this.count--;
      if (this.isNear(timeOf(dropped), timeOf(value))) this.lose('join', hostId, 1);
    }
    while (this.count > pathsMax) this.forgetIdlest();
  }

  private forgetIdlest(): void {
    const [hostId, { lastUs, writes, waiting }] = this.hosts.entries().next().value as [string, HostJoins];
    this.hosts.delete(hostId);
    this.count -= writes.size + waiting.size;
    const kept: Kept[] = [...writes.values(), ...waiting.values()];
    const lost = kept.filter((entry) => this.isNear(timeOf(entry), lastUs)).length;
    if (lost > 0) this.lose('join', hostId, lost);
  }

  snapshot(): PathJoinsState {
    return [...this.hosts].map(([host, joins]) => ({
      host,
      writes: [...joins.writes],
      waiting: [...joins.waiting.values()],
    }));
  }

  restore(state: PathJoinsState): void {
    this.hosts.clear();
    this.count = 0;
    for (const { host, writes, waiting } of state) {
      const times = [...writes.map(([, write]) => write), ...waiting].map(timeOf);
      this.count += times.length;
      this.hosts.set(host, {
        lastUs: times.reduce((newest, time) => Math.max(newest, time), Number.NEGATIVE_INFINITY),
        writes: new Map(writes),
        waiting: new Map(waiting.map((instance) => [instance.key, instance])),
      });
    }
  }
}

export type PathJoinsState = readonly {
  readonly host: string;
  readonly writes: readonly (readonly [string, Write])[];
  readonly waiting: readonly Instance[];
}[];
