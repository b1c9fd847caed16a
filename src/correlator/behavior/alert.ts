/** What a behaviour rule's judgement publishes, and what its caller may choose. */
import type { Severity } from '../../rule/ir.js';
import type { ExceptionNote, ExceptionSet } from '../exceptions.js';
import type { Baseline } from './baseline.js';
import type { BehaviorDetail } from './detail.js';
import type { EvidenceFields } from './witness.js';

/** One published detection, or a later revision of it under the same `id`. */
export interface BehaviorAlert {
  readonly id: string;
  readonly ruleId: string;
  /** 1 when first published, then rising by one. */
  readonly revision: number;
  readonly severity: Severity;
  readonly riskScore: number;
  /** Time of the newest evidence, in microseconds since the epoch. */
  readonly timeUs: number;
  readonly host: { readonly id: string; readonly name?: string };
  readonly key: Readonly<Record<string, string>>;
  readonly evidence: readonly {
    readonly step: string;
    readonly eventId: string;
    readonly ordinal: number;
    readonly timeUs: number;
    readonly fields: EvidenceFields;
  }[];
  /** Later equal cases that were counted instead of published. */
  readonly suppressed: number;
  readonly detail: BehaviorDetail;
  /** What exceptions had to do with it; absent when none. */
  readonly exceptions?: readonly ExceptionNote[];
  /** Ids of the exceptions that hide it. */
  readonly hiddenBy?: readonly string[];
}

export interface BehaviorJudgeOptions {
  /** Alerts below are counted, not returned. Default `low`. */
  readonly minSeverity?: Severity;
  /** Sessions kept at once over all hosts; the idlest session of the host with most goes first. Default 16384. */
  readonly sessionsMax?: number;
  readonly exceptions?: ExceptionSet;
  /** What is usual; shared by the judges of a correlator. Without one everything is told. */
  readonly baseline?: Baseline;
}

/** Losses told by host; those of further hosts are told together. */
export const lossesMax = 4096;
export const otherHosts = '(other hosts)';

/**
 * One kind of loss of one host since creation: `session` dropped for room, `evidence` of a large case dropped, a `late`
 * witness that no case takes any more, an unattributed item dropped for room (`join`).
 */
export interface BehaviorLoss {
  readonly reason: 'session' | 'evidence' | 'late' | 'join';
  readonly host: string;
  readonly count: number;
}
