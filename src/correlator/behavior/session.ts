/** A session: one root process, what it runs, where it came from, and its open cases. */
import type { JsonText } from '../../core/json_text.js';
import type { Case } from './case.js';
import type { CompiledJudgement } from './compiled/judgement.js';
import { profileOf, type SessionProfile } from './profile.js';
import type { EvidenceFields, ProcessNode, Witness } from './witness.js';

export type { SessionProfile } from './profile.js';

/** What a session remembers. */
export interface SessionMemory {
  readonly host: { readonly id: string; readonly name?: string };
  /** Changes once, where a root that was known by a pid alone turns out to have an identity of its own. */
  rootIdentity: string;
  /** Paths compare folded on this host. */
  readonly folds: boolean;
  lastUs: number;
  launch: Evidence | undefined;
  /** Names looked up by the tree, by address: bounded, oldest first. */
  lookups: ReadonlyMap<string, { readonly name: string; readonly timeUs: number }>;
  /** Times of events of the source class: bounded, oldest first. */
  readonly sources: number[];
  /** Paths written by the tree: bounded, oldest first. */
  writes: ReadonlyMap<string, number>;
  /** Processes of the tree by `process.entity_id` and by `process.pid`, with the identities above each: bounded, oldest first. */
  processes: ReadonlyMap<string, readonly string[]>;
  scriptDeletedUs: number | undefined;
  /** When a file that the tree wrote was executed by it, and how long after the write. */
  wroteAndRan: { readonly ranUs: number; readonly afterUs: number } | undefined;
  cases: Case[];
  /** Identities of the latest witnesses, to make a repeat harmless: bounded, oldest first. */
  readonly seen: Set<string>;
}

/** What a session was described by. */
interface Description {
  readonly chain: readonly ProcessNode[];
  readonly isTruncated: boolean;
  readonly launch: EvidenceFields | undefined;
}

/**
 * A session at work. Its profile is computed when it is asked for: most sessions are never judged. `written` is its state
 * as a snapshot has it, until something of the session may change.
 */
export class Session implements SessionMemory {
  readonly host: SessionMemory['host'];
  rootIdentity: string;
  readonly folds: boolean;
  lastUs: number;
  launch: Evidence | undefined;
  lookups: SessionMemory['lookups'];
  readonly sources: number[];
  writes: SessionMemory['writes'];
  processes: SessionMemory['processes'];
  scriptDeletedUs: number | undefined;
  wroteAndRan: SessionMemory['wroteAndRan'];
  cases: Case[];
  readonly seen: Set<string>;
  written: JsonText | undefined;
  #description: Description | undefined;

  /** `profile` and `stamp` stand until the session is described anew. */
  constructor(
    private readonly compiled: CompiledJudgement,
    memory: SessionMemory,
    private known?: SessionProfile,
    private stamp = '',
  ) {
    this.host = memory.host;
    this.rootIdentity = memory.rootIdentity;
    this.folds = memory.folds;
    this.lastUs = memory.lastUs;
    this.launch = memory.launch;
    this.lookups = memory.lookups;
    this.sources = memory.sources;
    this.writes = memory.writes;
    this.processes = memory.processes;
    this.scriptDeletedUs = memory.scriptDeletedUs;
    this.wroteAndRan = memory.wroteAndRan;
    this.cases = memory.cases;
    this.seen = memory.seen;
  }

  get profile(): SessionProfile {
    if (this.known === undefined) {
      const { chain, isTruncated, launch } = this.#description as Description;
      this.known = profileOf(this.compiled, chain, isTruncated, launch);
    }
    return this.known;
  }

  /** Tells chains apart: identities, and how much is known of each process. */
  get chainStamp(): string {
    return this.#description === undefined ? this.stamp : stampOf(this.#description.chain);
  }

  /** Describes the session by a chain, its root first, and by its launch event where that was seen. */
  describe(chain: readonly ProcessNode[], isTruncated: boolean): void {
    this.#description = { chain, isTruncated, launch: this.launch?.fields };
    this.known = undefined;
  }

  /** Describes the session anew where the chain tells something else of the root or its ancestors, and no fewer. */
  redescribe(chain: readonly ProcessNode[], isTruncated: boolean): void {
    const described = this.#description?.chain;
    const isAlike = described === undefined ? stampOf(chain) === this.stamp : areAlike(chain, described);
    if (isAlike) return;
    const chainMax = 1 + this.compiled.judgement.lineageDepth;
    const length = described === undefined ? this.profile.chain.length : Math.min(described.length, chainMax);
    if (chain.length >= length) this.describe(chain, isTruncated);
  }
}

function areAlike(a: readonly ProcessNode[], b: readonly ProcessNode[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i] as ProcessNode, b[i] as ProcessNode];
    if (one === other) continue;
    if (one.identity !== other.identity || one.images.length !== other.images.length) return false;
    if (one.marks.length !== other.marks.length) return false;
  }
  return true;
}

function stampOf(chain: readonly ProcessNode[]): string {
  return chain.map((node) => `${node.identity}/${node.images.length}/${node.marks.length}`).join(' ');
}

/** A reference to one event with the values kept of it. */
export interface Evidence {
  readonly eventId: string;
  readonly ordinal: number;
  readonly timeUs: number;
  readonly fields: EvidenceFields;
}

export function evidenceOf(witness: Witness): Evidence {
  const { eventId, ordinal, timeUs, fields } = witness;
  return { eventId, ordinal, timeUs, fields };
}
