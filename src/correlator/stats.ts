/** What `stats` answers: counts since creation, and where memory went. */
import { SkipReason } from '../core/abi/events.js';
import { Loss } from '../core/abi/state.js';
import type { BaselineStats } from './behavior/baseline.js';

/** One kind of loss, attributed. `rule` and `host` are null where no single one bears it. */
export interface LossCount {
  readonly reason: string;
  readonly rule: string | null;
  readonly host: string | null;
  readonly count: number;
}

export interface TableUse {
  readonly name: string;
  readonly bytes: number;
  /** Entries held and entries that fit, where the table counts them. */
  readonly used?: number;
  readonly capacity?: number;
}

export interface RuleStats {
  readonly id: string;
  /** Events for which a condition of the rule was true, counted once for each condition. */
  readonly matched: number;
  readonly alerts: number;
  /** Alerts below `minSeverity`. */
  readonly belowMinimum: number;
  /** What the rule holds in the kernel: partial matches, windows, samples, terms. */
  readonly entries: number;
  /**
   * Microseconds of wall time that a behaviour rule's judgement took, outside of the kernel. Null for every other rule: the
   * kernel judges all rules together, and nothing of its time is one rule's.
   */
  readonly timeUs: number | null;
}

export interface CorrelatorStats {
  /** Rows that took an ordinal: judged, held, late and skipped ones. */
  readonly events: number;
  readonly rows: {
    readonly late: number;
    readonly skipped: number;
    readonly truncated: number;
    readonly future: number;
    readonly held: number;
    /** Rows that named no host and were given the default one. */
    readonly noHost: number;
  };
  /** The first skipped rows. `offset` counts bytes within the run of lines that the kernel was handed. */
  readonly skippedExamples: readonly { readonly ordinal: number; readonly offset: number; readonly reason: string }[];
  readonly batches: { readonly refused: number };
  readonly hosts: number;
  /** Time of the newest event, in microseconds since the epoch; null before the first. */
  readonly newestUs: number | null;
  /** Before this everything across hosts is decided: the newest event less the lateness. */
  readonly watermarkUs: number | null;
  /** Where a baseline was asked for. */
  readonly baseline?: BaselineStats;
  readonly losses: readonly LossCount[];
  readonly memory: { readonly budgetBytes: number; readonly usedBytes: number; readonly tables: readonly TableUse[] };
  readonly rules: readonly RuleStats[];
}

const lossNames: Readonly<Record<Loss, string>> = {
  [Loss.Late]: 'late',
  [Loss.LateGlobal]: 'late_global',
  [Loss.RowStore]: 'row_store_full',
  [Loss.HostTable]: 'host_table_full',
  [Loss.HostEvicted]: 'host_evicted',
  [Loss.Process]: 'process_evicted',
  [Loss.Image]: 'image_not_kept',
  [Loss.Evidence]: 'evidence_not_kept',
  [Loss.Output]: 'alert_cut',
  [Loss.SequenceState]: 'sequence_evicted',
  [Loss.TermsState]: 'terms_evicted',
  [Loss.AggregateState]: 'aggregate_evicted',
  [Loss.SampleState]: 'sample_evicted',
  [Loss.TemporalState]: 'temporal_evicted',
  [Loss.KeyCombinations]: 'key_combinations',
  [Loss.Value]: 'value_not_kept',
  [Loss.TruthSet]: 'truth_set_not_kept',
  [Loss.MarkPropagation]: 'mark_not_inherited',
  [Loss.Count]: 'unknown',
};

/** Name of a loss as `stats` prints it. */
export const lossName = (reason: Loss): string => lossNames[reason] ?? 'unknown';

const skipNames: Readonly<Record<SkipReason, string>> = {
  [SkipReason.Syntax]: 'not JSON',
  [SkipReason.NotObject]: 'not an object',
  [SkipReason.Depth]: 'nested too deep',
  [SkipReason.Time]: 'no time',
  [SkipReason.LineLength]: 'line too long',
  [SkipReason.Tokens]: 'too many values in a line',
  [SkipReason.RowStore]: 'row store full',
  [SkipReason.Count]: 'unknown',
};

/** Why a row was skipped, in words. */
export const skipName = (reason: SkipReason): string => skipNames[reason] ?? 'unknown';
