/** What passes between the engine and a shard. Plain data: it crosses threads, and the journal keeps it. */
import type { Diagnostic } from '../core/diagnostic.js';
import type { Alert } from '../correlator/alert.js';
import type { EvidenceFields, Witness } from '../correlator/behavior/witness.js';
import type { CoverageCounts } from '../correlator/coverage/tracker.js';
import type { ExceptionUse } from '../correlator/exceptions.js';
import type { CorrelatorOptions } from '../correlator/options.js';
import type { RestoreReport } from '../correlator/restore_plan.js';
import type { CorrelatorStats } from '../correlator/stats.js';
import type { SessionPlace } from '../event/batch_receiver.js';
import type { FieldSpec } from '../event/fields.js';
import type { BatchNeeds } from './batch_gate.js';

/** Lines whose rows stand at `base` plus each place in the whole stream. */
export interface LinesPiece {
  readonly base: number;
  readonly bytes: Uint8Array;
  readonly places: Uint32Array;
}

/** One step of a shard's input, in order. */
export type ShardMessage =
  | { readonly kind: 'lines'; readonly pieces: readonly LinesPiece[] }
  /** A sound batch and its view (`PreparedBatch`). */
  | {
      readonly kind: 'batch';
      readonly base: number;
      readonly bytes: Uint8Array;
      readonly view: Uint32Array;
      readonly session: SessionPlace;
    }
  /** A batch of a session that is applied already: its dictionaries are read, its rows are not. */
  | { readonly kind: 'dictionaries'; readonly bytes: Uint8Array }
  | { readonly kind: 'advance'; readonly timeUs: number }
  | { readonly kind: 'flush' };

/** An event that a feed forwards to the global shard. */
export interface FeedMatch {
  readonly feed: string;
  /** Ordinal of the row whose arrival brought the match. */
  readonly arrival: number;
  readonly ordinal: number;
  readonly timeUs: number;
  readonly host: string;
  readonly eventId: string;
  readonly fields: EvidenceFields;
  /** A value of the event is longer than what evidence keeps of it. */
  readonly isCut: boolean;
}

/** An alert of a rule whose alerts are piped, suppressed or capped in one order over all shards. */
export interface OrderedAlert {
  /** Ordinal of the row whose arrival completed it. */
  readonly arrival: number;
  readonly rule: string;
  readonly timeUs: number;
  readonly alert: Alert;
  readonly steps: readonly (EvidenceFields | null)[];
}

/** Witnesses of behaviour rules that the engine judges itself, and how far the hosts are that it knows of them. */
export interface ForwardedWitnesses {
  readonly witnesses: readonly { readonly rule: string; readonly witness: Witness }[];
  /** Hosts whose time went on. `coverage`: by rule, where there is a coverage model and the host was witnessed. */
  readonly hosts: readonly {
    readonly id: string;
    readonly watermarkUs: number;
    readonly coverage?: Readonly<Record<string, Alert['coverage']>>;
  }[];
}

/** What a step of input came to. */
export interface ShardOutput {
  /** Where the shard forwards witnesses. */
  readonly witnessed?: ForwardedWitnesses;
  readonly alerts: readonly Alert[];
  readonly feeds: readonly FeedMatch[];
  readonly ordered: readonly OrderedAlert[];
}

/** How a shard starts. */
export interface ShardStart {
  readonly options: CorrelatorOptions;
  /** Feed names by rule id. */
  readonly feeds: readonly (readonly [string, string])[];
  readonly earlyFeeds: readonly string[];
  readonly keptFields: readonly string[];
  /** A byte a slot, 1 for those of this shard. */
  readonly owned: Uint8Array;
  /** Snapshots of the shards that were, to take over from. */
  readonly parts: readonly Uint8Array[];
  /** Witnesses are forwarded, not judged: there is a baseline, which hosts of several shards share. */
  readonly forwardsWitnesses: boolean;
  /** The parts are of other divisions of the slots. */
  readonly isDivided: boolean;
}

/** What a worker is asked to do. */
export type ShardTask =
  | { readonly kind: 'start'; readonly start: ShardStart }
  | { readonly kind: 'push'; readonly message: ShardMessage }
  /** Copies the state as it is, for `write`. `spare`: memory for the snapshot, given away. */
  | { readonly kind: 'freeze'; readonly spare: ArrayBuffer }
  /** Writes the next piece of the snapshot of the state that was copied last. */
  | { readonly kind: 'write' }
  | { readonly kind: 'stats' }
  | { readonly kind: 'coverage' }
  | { readonly kind: 'suppressed' };

export interface Started {
  readonly report: RestoreReport;
  readonly fields: readonly FieldSpec[];
  readonly problems: readonly Diagnostic[];
  readonly batches: BatchNeeds;
}

/** Answers, by kind of task. `lost`: this thread has no shard; the one before it died. */
export type ShardAnswer =
  | { readonly kind: 'started'; readonly started: Started }
  | { readonly kind: 'output'; readonly output: ShardOutput }
  /** `pauseMs`: how long the shard stood still for it. */
  | { readonly kind: 'frozen'; readonly pauseMs: number }
  | { readonly kind: 'writing' }
  | { readonly kind: 'snapshot'; readonly bytes: Uint8Array<ArrayBuffer> }
  | {
      readonly kind: 'stats';
      readonly stats: CorrelatorStats;
      readonly foreignRows: number;
      readonly exceptions: readonly ExceptionUse[];
    }
  /** Undefined where no coverage model was given. */
  | { readonly kind: 'coverage'; readonly counts: CoverageCounts | undefined }
  | { readonly kind: 'suppressed'; readonly alerts: readonly Alert[] }
  | { readonly kind: 'lost' }
  | { readonly kind: 'error'; readonly name: string; readonly code: string; readonly message: string };
