/** The alert: what a caller gets. Plain data, safe to serialise; its shape is part of the public API. */
import type { Severity, Threat } from '../rule/ir.js';
import type { BehaviorDetail } from './behavior/detail.js';
import type { EvidenceFields } from './behavior/witness.js';
import type { ExceptionNote } from './exceptions.js';

/** One event that made the alert, as it was when it matched; it outlives its batch. */
export interface Evidence {
  /** The step's alias, else its index from 0; for behaviour rules the class. */
  readonly step: string;
  /** `event.id`, else a hash of host, time and fields. */
  readonly eventId: string;
  /** Position of the event in the stream as pushed, from 0. */
  readonly ordinal: number;
  /** ISO 8601 with microseconds, UTC. */
  readonly time: string;
  /** Values of the evidence fields by ECS name; missing ones are absent. */
  readonly fields: EvidenceFields;
  /** Present when values were cut to fit the budget. */
  readonly isCut?: true;
  readonly missing?: false;
}

/** The absence that satisfied a `![ … ]` step; `time` is when it was certain. */
export interface MissingEvidence {
  readonly step: string;
  readonly missing: true;
  readonly time: string;
}

/** How far a rule could see on the alert's host. */
export type CoverageStatus = 'full' | 'degraded' | 'blind' | 'unknown' | 'not_applicable';

export interface Alert {
  /** Deterministic: the same input gives the same id. Revisions keep it. */
  readonly id: string;
  readonly rule: {
    readonly id: string;
    readonly name: string;
    readonly severity: Severity;
    /** 0 to 100. */
    readonly riskScore: number;
    readonly threat: readonly Threat[];
  };
  /** Time of the last evidence, or the deadline for absence. ISO 8601 with microseconds, UTC. */
  readonly time: string;
  /** Null for a rule across hosts. */
  readonly host: { readonly id: string; readonly name?: string } | null;
  /** Group key, field to value; null where the rule has none. */
  readonly key: Readonly<Record<string, string | null>> | null;
  readonly evidence: readonly (Evidence | MissingEvidence)[];
  /** From 1. A later revision replaces the earlier ones of the same id. */
  readonly revision: number;
  /** For aggregate rules: what the first condition's function came to. */
  readonly value?: number;
  /** Legs of the rule, or the rule itself, to how far it could see; absent until coverage is asked for. */
  readonly coverage?: Readonly<Record<string, CoverageStatus>>;
  /** What exceptions had to do with it; absent when nothing. */
  readonly exceptions?: readonly ExceptionNote[];
  /** Exceptions that hide it: it is not published, and only `suppressed()` gives it. */
  readonly hiddenBy?: readonly string[];
  /** Later equal alerts that were counted instead of published. */
  readonly suppressed?: number;
  /** What only some rules tell, such as "history of this host is incomplete". */
  readonly notes?: readonly string[];
  /** For behaviour rules: session, launch context, classes, modifiers, removals. */
  readonly behavior?: BehaviorDetail;
}
