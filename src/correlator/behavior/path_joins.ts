/**
 * Joins items that no process of a session made (a system service reported them) to the session that wrote the same
 * path shortly before or after. Bounded for each host.
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
  readonly writes: Map<string, Write>;
  readonly waiting: Map<string, Instance>;
}

const pathsPerHostMax = 512;

export class PathJoins {
  private readonly hosts = new Map<string, HostJoins>();

  constructor(
    private readonly judgement: Judgement,
    private readonly lose: (reason: BehaviorLoss['reason'], host: string, count: number) => void,
  ) {}

  /** Notes a session's own write, and returns the items of that path that waited for it. */
  wrote(session: Session, instance: Instance): readonly Instance[] {
    const joins = this.of(session.host.id);
    this.keep(joins.writes, instance.key, { timeUs: instance.firstUs, root: session.rootIdentity }, session.host.id);
    const waiting = joins.waiting.get(instance.key);
    if (waiting === undefined || !this.isNear(waiting.firstUs, instance.firstUs)) return [];
    joins.waiting.delete(instance.key);
    return [waiting];
  }

  /** The root of the session that wrote the item's path; otherwise the item waits for a write. */
  appeared(hostId: string, instance: Instance): string | undefined {
    const joins = this.of(hostId);
    const write = joins.writes.get(instance.key);
    if (write !== undefined && this.isNear(write.timeUs, instance.firstUs)) return write.root;
    this.keep(joins.waiting, instance.key, instance, hostId);
    return undefined;
  }

  private isNear(aUs: number, bUs: number): boolean {
    return Math.abs(aUs - bUs) <= this.judgement.pathJoinUs;
  }

  private of(hostId: string): HostJoins {
    let joins = this.hosts.get(hostId);
    if (joins === undefined) {
      joins = { writes: new Map(), waiting: new Map() };
      this.hosts.set(hostId, joins);
    }
    return joins;
  }

  private keep<V extends { readonly timeUs: number } | { readonly firstUs: number }>(
    map: Map<string, V>,
    key: string,
    value: V,
    hostId: string,
  ): void {
    map.delete(key);
    map.set(key, value);
    if (map.size <= pathsPerHostMax) return;
    const [oldest, dropped] = map.entries().next().value as [string, V];
    map.delete(oldest);
    const timeOf = (entry: V): number => ('timeUs' in entry ? entry.timeUs : entry.firstUs);
    if (this.isNear(timeOf(dropped), timeOf(value))) this.lose('join', hostId, 1);
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
    for (const { host, writes, waiting } of state) {
      this.hosts.set(host, {
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
