/** A baseline as JSON: what goes out for review and comes in again. Owns its format, its seal and its approval. */
import { digest } from '../../core/digest.js';
import { globMatches } from '../../core/glob.js';
import { generalisationVersion } from '../../core/paths.js';
import type { Tuple } from './tuples.js';

/** A baseline as JSON. Everything is sorted, so that two can be compared line by line. */
export interface BaselineData {
  readonly format: 'vedette-baseline';
  readonly version: 2;
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
  readonly audit: readonly AuditEntry[];
}

export interface HostData {
  readonly id: string;
  readonly role: string;
  readonly firstSeen: string;
  /** When each rule first heard of the host. */
  readonly rules: Readonly<Record<string, string>>;
  /** Present once a person approved what the host learned. */
  readonly approved?: { readonly state: 'enforced' | 'frozen'; readonly by: string; readonly at: string };
}

/** One entry of the audit log; entries are only added. */
export interface AuditEntry {
  readonly at: string;
  readonly by: string;
  readonly action: 'approve' | 'freeze';
  /** Ids of the hosts it is about. */
  readonly hosts: readonly string[];
  /** Hash of the data that was reviewed. */
  readonly reviewed: string;
  readonly comment?: string;
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

/** Completes the data, after a review say, with the hash that makes it acceptable. */
export function sealBaseline(
  data: Pick<BaselineData, 'hosts' | 'tuples' | 'approved' | 'heldBack' | 'audit'>,
): BaselineData {
  const { hosts, tuples, approved, heldBack, audit } = data;
  const content = {
    format: 'vedette-baseline' as const,
    version: 2 as const,
    generalisation: generalisationVersion,
    hosts,
    tuples,
    approved,
    heldBack,
    audit,
  };
  const { format, version, generalisation, ...rest } = content;
  return { format, version, generalisation, hash: hashOf(content), ...rest };
}

function hashOf(content: Omit<BaselineData, 'hash'>): string {
  const { format, version, generalisation, hosts, tuples, approved, heldBack, audit } = content;
  return digest(JSON.stringify([format, version, generalisation, hosts, tuples, approved, heldBack, audit]));
}

/**
 * The data with what hosts learned approved, and an entry in its audit log. `hosts`: ids or globs; default all.
 * `frozen`: nothing that is seen later changes it, and it does not age.
 */
export function approveBaseline(
  data: BaselineData,
  approval: {
    readonly by: string;
    readonly at: string;
    readonly hosts?: readonly string[];
    readonly state?: 'enforced' | 'frozen';
    readonly comment?: string;
  },
): BaselineData {
  const { by, at, hosts: wanted = ['*'], state = 'enforced', comment } = approval;
  const isMeant = ({ id }: HostData): boolean =>
    wanted.some((glob) => globMatches(glob.toLowerCase(), id.toLowerCase()));
  const hosts = data.hosts.map((host) => (isMeant(host) ? { ...host, approved: { state, by, at } } : host));
  const entry: AuditEntry = {
    at,
    by,
    action: state === 'frozen' ? 'freeze' : 'approve',
    hosts: data.hosts.filter(isMeant).map(({ id }) => id),
    reviewed: data.hash,
    ...(comment === undefined ? {} : { comment }),
  };
  return sealBaseline({ ...data, hosts, audit: [...data.audit, entry] });
}

/** Why the data cannot be used; undefined when it can. */
export function faultOf(data: BaselineData): string | undefined {
  if (data?.format !== 'vedette-baseline' || data.version !== 2) return 'not a baseline of version 2: learn anew';
  if (data.generalisation !== generalisationVersion) return 'made with another generalisation of paths: learn anew';
  const lists = [data.hosts, data.tuples, data.approved, data.heldBack, data.audit];
  if (!lists.every(Array.isArray) || hashOf(data) !== data.hash) return 'damaged, or changed and not sealed again';
  return undefined;
}
