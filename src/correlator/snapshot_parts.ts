/** Snapshots of several parts into one, or of one into several: what belongs to hosts of other slots is left out. */
import { HostSlots } from '../core/abi/routing.js';
import { HostState, SnapshotRecord } from '../core/abi/snapshot.js';
import type { RestoreReport } from './restore_plan.js';

/** The slot of a host by the hash of its name; as `slotOfHost` of the kernel. */
const slotOf = (hash: bigint): number => Number((hash >> 40n) & BigInt(HostSlots.Count - 1));

/** Records of a snapshot that a part takes over. */
export interface OwnedRecords {
  readonly records: Uint8Array;
  /** Names of the hosts that are taken over; undefined where all are. */
  readonly hosts: ReadonlySet<string> | undefined;
}

/** Leaves out the hosts of slots that are not `owned`. What refers to a host that is not there is dropped on reading. */
export function ownedRecords(records: Uint8Array, owned: Uint8Array | undefined): OwnedRecords {
  if (owned === undefined) return { records, hosts: undefined };
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const kept = new Uint8Array(records.length);
  const hosts = new Set<string>();
  let length = 0;
  for (let at = 0; at + 8 <= records.length; ) {
    const bytes = view.getUint32(at + 4, true);
    if (bytes < 8 || at + bytes > records.length) break;
    if (view.getUint32(at, true) !== SnapshotRecord.Host || isOwned(view, at, owned, hosts)) {
      kept.set(records.subarray(at, at + bytes), length);
      length += bytes;
    }
    at += bytes;
  }
  return { records: kept.slice(0, length), hosts };
}

const decoder = new TextDecoder();

function isOwned(view: DataView, at: number, owned: Uint8Array, hosts: Set<string>): boolean {
  if (owned[slotOf(view.getBigUint64(at + HostState.Hash, true))] !== 1) return false;
  const length = view.getUint32(at + HostState.NameLength, true);
  hosts.add(decoder.decode(new Uint8Array(view.buffer, view.byteOffset + at + HostState.Name, length)));
  return true;
}

/** State of a behaviour rule's judge, as far as its parts name hosts. */
interface JudgeParts {
  readonly publisher: {
    readonly belowMinimum: number;
    readonly published: readonly { readonly alert: { readonly host: { readonly id: string } } }[];
    readonly suppressors: readonly { readonly host: string }[];
  };
  readonly sessions: readonly { readonly id: string }[];
  readonly joins: readonly { readonly host: string }[];
  readonly losses: readonly { readonly host: string }[];
  readonly pairs?: readonly { readonly host: string }[];
  readonly learning?: {
    readonly pending: readonly { readonly host: string }[];
    readonly shown: readonly { readonly host: string }[];
  };
}

/** The states of one rule's judge in several parts as one state of the hosts in `hosts`, by part. */
export function mergeJudgeStates(
  parts: readonly { readonly state: unknown; readonly hosts: ReadonlySet<string> | undefined }[],
): unknown {
  const taken = parts.map(({ state, hosts }) => {
    const has = (host: string): boolean => hosts === undefined || hosts.has(host);
    const { publisher, sessions, joins, losses, pairs, learning } = state as JudgeParts;
    return {
      pairs: pairs?.filter(({ host }) => has(host)),
      pending: learning?.pending.filter(({ host }) => has(host)),
      shown: learning?.shown.filter(({ host }) => has(host)),
      belowMinimum: publisher.belowMinimum,
      published: publisher.published.filter(({ alert }) => has(alert.host.id)),
      suppressors: publisher.suppressors.filter(({ host }) => has(host)),
      sessions: sessions.filter(({ id }) => has(id)),
      joins: joins.filter(({ host }) => has(host)),
      losses: losses.filter(({ host }) => has(host)),
    };
  });
  return {
    publisher: {
      belowMinimum: taken.reduce((sum, part) => sum + part.belowMinimum, 0),
      published: taken.flatMap((part) => part.published),
      suppressors: taken.flatMap((part) => part.suppressors),
    },
    sessions: taken.flatMap((part) => part.sessions),
    joins: taken.flatMap((part) => part.joins),
    losses: taken.flatMap((part) => part.losses),
    pairs: taken.flatMap(({ pairs = [] }) => pairs),
    ...(taken.every(({ pending }) => pending === undefined)
      ? {}
      : {
          learning: {
            pending: taken.flatMap(({ pending = [] }) => pending),
            shown: taken.flatMap(({ shown = [] }) => shown),
          },
        }),
  };
}

/** One report of what several snapshots of the same rules kept. */
export function mergeReports(reports: readonly RestoreReport[]): RestoreReport {
  const dropped = new Map(reports.flatMap((report) => report.dropped).map((one) => [one.rule, one]));
  return {
    kept: [...new Set(reports.flatMap(({ kept }) => kept))],
    dropped: [...dropped.values()],
    added: reports[0]?.added.filter((id) => reports.every((report) => report.added.includes(id))) ?? [],
  };
}
