/** What a correlator offers: to whoever embeds it, and to an engine that it is a part of. */
import type { Diagnostic } from '../core/diagnostic.js';
import type { ProgramColumn } from '../event/batch_receiver.js';
import type { FieldSpec } from '../event/fields.js';
import type { SessionLimits } from '../event/session_limits.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Alert } from './alert.js';
import type { MadeAlert } from './alert_maker.js';
import type { BaselineData } from './behavior/baseline_data.js';
import type { WitnessForwarder, WitnessListener } from './behaviors.js';
import type { CoverageReport } from './coverage/report.js';
import type { CoverageCounts } from './coverage/tracker.js';
import type { ExceptionUse } from './exceptions.js';
import type { PushInput, PushOptions } from './input.js';
import type { RestoreReport } from './restore_plan.js';
import type { ProgramParts } from './setup.js';
import type { SnapshotJob } from './snapshot_job.js';
import type { CorrelatorStats } from './stats.js';

/** Correlates the events of any number of hosts. */
export interface Correlator {
  /**
   * Takes EventBatch bytes, NDJSON or objects, and returns the alerts they completed. A bad line or object costs that row
   * only. @throws BatchError for a batch that cannot be used, the state untouched; UsageError after `flush` or `close`.
   */
  push(input: PushInput, options?: PushOptions): Alert[];
  /** Promises that nothing earlier than `time` will come, on any host: absence and windows before it are decided. */
  advance(time: string | number | Date): Alert[];
  /** Ends the stream: what is held is judged, and every deadline ahead fires. A later `push` is misuse. */
  flush(): Alert[];
  stats(): CorrelatorStats;
  /**
   * Whether each rule could have fired on each host, from what the host sent so far.
   * @throws UsageError where no coverage model was given.
   */
  coverage(): CoverageReport;
  /** What each exception hid, in the order given: counted after the detection would have fired. */
  exceptions(): ExceptionUse[];
  /** The alerts that exceptions hid since the last call, with `hiddenBy`; the newest ten thousand. Not in snapshots. */
  suppressed(): Alert[];
  /**
   * What was learned so far, as JSON that is sorted and hashed.
   * @throws UsageError unless the option `baseline` asked for it.
   */
  baseline(): BaselineData;
  /** The whole state as bytes, from which a new correlator goes on as if nothing had happened. */
  snapshot(): Uint8Array;
  /**
   * Takes over a snapshot, before the first `push`; the rules may have changed since. Returns what was kept and what was
   * not. @throws SnapshotError for bytes that are damaged or of another format, this correlator untouched.
   */
  restore(bytes: Uint8Array): RestoreReport;
  /** Fields that the rules, the lineage and the evidence read besides the time; others need not be sent. For the encoders. */
  readonly fields: readonly FieldSpec[];
  /**
   * The longest session of delta batches that this correlator takes, for `createEncoder({ limits })`: the longer a session,
   * the fewer values are sent twice. Grows with the memory given.
   */
  readonly sessionLimits: Readonly<SessionLimits>;
  /** Why rules were left out, where `unsupported: 'skip'` allowed it. */
  readonly problems: readonly Diagnostic[];
  /** Gives the memory back. Any later call but `close` is misuse. */
  close(): void;
}

/** What the engine asks of a correlator that is one part of it. */
export interface PartOptions extends ProgramParts {
  /** Hears every witness of behaviour rules. */
  readonly onWitness?: WitnessListener;
  /** Takes every witness of behaviour rules instead of their judgement. */
  readonly forwardWitness?: WitnessForwarder;
  /** Snapshots are written from a copy of the kernel, which takes its memory a second time. */
  readonly isCopied?: boolean;
  /** Takes an alert instead of its publication, where it answers true. `arrival`: ordinal of the row that completed it. */
  readonly intercept?: (made: MadeAlert, arrival: number) => boolean;
}

/** A correlator as the engine sees it. */
export interface CorrelatorPart extends Correlator {
  readonly kernel: Kernel;
  /** What `coverage()` is made from; undefined where no model was given. */
  coverageCounts(): CoverageCounts | undefined;
  /** How far a rule can see on a host, by its index, as alerts of it tell; undefined where that is not known. */
  coverageOf(host: number, ruleId: string): Alert['coverage'];
  /** Forgets the session of delta batches in hand: its next batch is refused. */
  endSession(): void;
  /** What is read of batches, in the order of their views. */
  readonly batchColumns: readonly ProgramColumn[];
  /** As `push`, of a batch that was found sound elsewhere for the same columns; its view counts from its first byte. */
  pushChecked(bytes: Uint8Array, view: Uint32Array): Alert[];
  /** As `snapshot`, without the checksum; in `spare` where it is large enough. */
  unsealedSnapshot(spare?: ArrayBuffer): Uint8Array<ArrayBuffer>;
  /**
   * As `unsealedSnapshot`, of the state as it is now, to be written later while events go on; `spare` is used where it is
   * large enough. One at a time. Written at once unless the part was started with `isCopied`.
   */
  beginSnapshot(spare: ArrayBuffer): SnapshotJob;
  /** As `restore`, from unsealed snapshots of several parts; hosts of slots that are not owned are left out. */
  restoreParts(parts: readonly Uint8Array[], owned?: Uint8Array): RestoreReport;
}
