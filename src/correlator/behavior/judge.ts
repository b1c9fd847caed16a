/**
 * The judgement of one behaviour rule: witnesses in, alerts and their revisions out. Synchronous and deterministic; it
 * knows no clock but event time. State is bounded; what a bound costs is counted in `losses`.
 */
import type { BehaviorRule, Severity } from '../../rule/ir.js';
import type { BehaviorDetail } from './detail.js';
import type { EvidenceFields, Witness } from './witness.js';

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
}

export interface BehaviorJudgeOptions {
  /** Alerts below are counted, not returned. Default `low`. */
  readonly minSeverity?: Severity;
  /** Sessions kept at once over all hosts; the idlest session of the host with most goes first. Default 16384. */
  readonly sessionsMax?: number;
  /** Hosts whose file systems tell case apart although their platform usually does not. */
  readonly caseSensitiveHosts?: readonly string[];
}

/** One kind of loss of one host since creation. */
export interface BehaviorLoss {
  readonly reason: 'session' | 'evidence' | 'late' | 'join';
  readonly host: string;
  readonly count: number;
}

export interface BehaviorJudge {
  readonly rule: BehaviorRule;
  /** Judges one witness. Those of a host come in judged order, late ones excepted. Repeated events change nothing. */
  observe(witness: Witness): void;
  /** Promises that no event of the host earlier than `watermarkUs` will come, late ones excepted. */
  advance(hostId: string, watermarkUs: number): void;
  /** Ends the stream: open suppression counts are published. */
  flush(): void;
  /** The alerts and revisions since the last call, in the order they arose. */
  drain(): BehaviorAlert[];
  losses(): readonly BehaviorLoss[];
  /** Detections below `minSeverity` since creation. */
  readonly belowMinimum: number;
  /** Plain data (JSON) that `restore` of a judge for the same rule accepts. */
  snapshot(): unknown;
  restore(state: unknown): void;
}
