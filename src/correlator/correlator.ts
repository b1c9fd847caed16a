/**
 * One kernel behind a small interface: push events, move time, take alerts. In process and synchronous; knows no files,
 * threads or clocks. The order of everything it returns depends on the events alone.
 */
import type { Diagnostic } from '../core/diagnostic.js';
import { UsageError } from '../core/errors.js';
import { parseTimeUs } from '../core/time.js';
import { BatchReceiver, type ProgramColumn } from '../event/batch_receiver.js';
import type { FieldSpec } from '../event/fields.js';
import { type SessionLimits, sessionLimitsDefault } from '../event/session_limits.js';
import type { Budget } from '../kernel/budget.js';
import type { Kernel } from '../kernel/kernel.js';
import type { KernelCopy } from '../kernel/kernel_copy.js';
import type { Alert } from './alert.js';
import { type AlertNames, makeAlert } from './alert_maker.js';
import type { Correlator, CorrelatorPart, PartOptions } from './api.js';
import { Baseline } from './behavior/baseline.js';
import type { BaselineData } from './behavior/baseline_data.js';
import { Behaviors, sessionsFor, type WitnessListener } from './behaviors.js';
import type { HostLoss } from './coverage/health.js';
import type { CoverageReport } from './coverage/report.js';
import type { CoverageCounts, CoverageTracker, HostAsides } from './coverage/tracker.js';
import type { ExceptionUse } from './exceptions.js';
import type { PushInput, PushOptions } from './input.js';
import { Intake } from './intake.js';
import { isJoined, JoinedTerms } from './joined_terms.js';
import { type CorrelatorOptions, readOptions, type Settings } from './options.js';
import { Publisher, type PublisherState } from './publisher.js';
import { kernelLosses, pipeLosses, readStats, streamCounts } from './read_stats.js';
import { RecordReader } from './records.js';
import { describeProgram, planRestore, type RestoreReport } from './restore_plan.js';
import { isScheduled, Scheduled, type ScheduledState } from './scheduled.js';
import { fieldSpecs, type Prepared, prepare, startKernel } from './setup.js';
import { decodeSnapshot, type Snapshot, SnapshotWriter, sealSnapshot } from './snapshot.js';
import { SnapshotJob } from './snapshot_job.js';
import { mergeJudgeStates, mergeReports, ownedRecords } from './snapshot_parts.js';
import type { CorrelatorStats, LossCount } from './stats.js';
import { HiddenAlerts } from './suppression.js';

export type { Correlator, CorrelatorPart, PartOptions } from './api.js';

/**
 * Creates a correlator. Memory is reserved once, here.
 * @throws UsageError for an option that is wrong, rules that cannot be compiled, or too little memory, naming the remedy.
 */
export async function createCorrelator(options: CorrelatorOptions): Promise<Correlator> {
  return startCorrelator(options, {});
}

/** As {@link createCorrelator}, for a part of an engine. */
export async function startCorrelator(options: CorrelatorOptions, part: PartOptions): Promise<CorrelatorPart> {
  const settings = readOptions(options);
  const prepared = prepare(settings, part);
  const [first] = prepared.program.diagnostics;
  if (first !== undefined && settings.unsupported === 'throw') {
    const others = prepared.program.diagnostics.length - 1;
    throw new UsageError(
      'USAGE_RULES',
      `rule ${first.ruleId}: ${first.message}${others > 0 ? `; ${others} more rules cannot be compiled` : ''}; ` +
        "leave them out, or pass unsupported: 'skip' and read problems",
    );
  }
  return RunningCorrelator.start(settings, prepared, part);
}

class RunningCorrelator implements CorrelatorPart {
  readonly fields: readonly FieldSpec[];
  readonly problems: readonly Diagnostic[];
  readonly #settings: Settings;
  readonly #part: PartOptions;
  readonly #prepared: Prepared;
  readonly #publisher: Publisher;
  readonly #hidden = new HiddenAlerts();
  readonly #behaviors: Behaviors;
  readonly #baseline: Baseline | undefined;
  readonly #scheduled: Scheduled;
  readonly #joined: JoinedTerms;
  readonly #names: AlertNames;
  readonly #intake: Intake;
  readonly #records: RecordReader;
  #kernel: Kernel | undefined;
  #copy: KernelCopy | undefined;
  #budget: Budget | undefined;
  #isUsed = false;
  #isFlushed = false;
  /** Time moves without a row: what it completes comes host by host, and has its order from its times alone. */
  #isBetweenRows = false;

  private constructor(settings: Settings, prepared: Prepared, part: PartOptions) {
    this.#part = part;
    const { program, views } = prepared;
    this.#settings = settings;
    this.#prepared = prepared;
    this.fields = fieldSpecs(program);
    this.problems = program.diagnostics;
    this.#publisher = new Publisher(settings, prepared.exceptions, (alert) => this.#hidden.add(alert));
    this.#names = {
      hostName: (host) => this.#open().hostName(host),
      evidenceFields: new Set(settings.evidenceFields),
      evidenceValueBytes: settings.evidenceValueBytes,
      eventIdField: settings.processFields.eventId,
    };
    this.#baseline = settings.baseline === undefined ? undefined : new Baseline(settings.baseline);
    const { exceptions } = prepared;
    this.#behaviors = new Behaviors(this.#names, {
      minSeverity: settings.minSeverity,
      sessionsMax: sessionsFor(settings.memoryBytes, views.filter(({ rule }) => rule.kind === 'behavior').length),
      exceptions,
      onWitness: listenerOf(prepared.coverage, part.onWitness),
      forward: part.forwardWitness,
      baseline: this.#baseline,
    });
    this.#scheduled = new Scheduled(this.#names);
    this.#joined = new JoinedTerms(this.#names, (host) => this.#open().hostKnownSinceUs(host));
    views.forEach((view, index) => {
      const { rule } = view;
      if (isScheduled(rule)) this.#scheduled.add(index, view, rule);
      if (isJoined(rule)) this.#joined.add(index, view, rule);
      if (rule.kind === 'behavior') this.#behaviors.add(index, view, rule, program.behaviorMarks.get(rule) ?? []);
    });
    this.#records = new RecordReader(program.evidenceFields);
    this.#intake = new Intake(new BatchReceiver(columnSpecs(prepared)));
  }

  static async start(settings: Settings, prepared: Prepared, part: PartOptions): Promise<RunningCorrelator> {
    const correlator = new RunningCorrelator(settings, prepared, part);
    const { kernel, budget } = await startKernel(prepared, settings, (records) => correlator.#take(records), part);
    correlator.#kernel = kernel;
    correlator.#budget = budget;
    if (part.isCopied === true) correlator.#copy = await kernel.createCopy();
    if (settings.pretouch) correlator.#copy?.touchMemory();
    return correlator;
  }

  push(input: PushInput, options: PushOptions = {}): Alert[] {
    const kernel = this.#open();
    if (this.#isFlushed)
      throw new UsageError('USAGE_FLUSHED', 'push after flush: the stream has ended; create a new correlator');
    this.#intake.take(kernel, input, options);
    this.#isUsed = true;
    return this.#publish(kernel);
  }

  get batchColumns(): readonly ProgramColumn[] {
    return columnSpecs(this.#prepared);
  }

  pushChecked(bytes: Uint8Array, view: Uint32Array): Alert[] {
    const kernel = this.#open();
    if (this.#isFlushed)
      throw new UsageError('USAGE_FLUSHED', 'push after flush: the stream has ended; create a new correlator');
    this.#intake.takeChecked(kernel, bytes, view);
    this.#isUsed = true;
    return this.#publish(kernel);
  }

  advance(time: string | number | Date): Alert[] {
    const kernel = this.#open();
    const timeUs = parseTimeUs(time);
    this.#isUsed = true;
    this.#isBetweenRows = true;
    if (!this.#isFlushed) kernel.advance(timeUs);
    const alerts = this.#publish(kernel);
    this.#isBetweenRows = false;
    return alerts;
  }

  flush(): Alert[] {
    const kernel = this.#open();
    if (this.#isFlushed) return [];
    this.#isFlushed = true;
    this.#isBetweenRows = true;
    kernel.flush();
    kernel.drainOutput();
    for (const made of this.#behaviors.advance(() => Number.MAX_SAFE_INTEGER)) this.#publisher.take(made);
    for (const made of this.#behaviors.flush()) this.#publisher.take(made);
    for (const made of this.#scheduled.flush()) this.#publisher.take(made);
    this.#publisher.end();
    return this.#handOver(kernel);
  }

  baseline(): BaselineData {
    this.#open();
    if (this.#baseline !== undefined) return this.#baseline.export();
    throw new UsageError(
      'USAGE_OPTION',
      "baseline: none was asked for; create the correlator with { baseline: { mode: 'learn' } }",
    );
  }

  close(): void {
    this.#copy = undefined;
    this.#kernel = undefined;
  }

  get sessionLimits(): Readonly<SessionLimits> {
    return this.#budget?.session ?? sessionLimitsDefault;
  }

  get kernel(): Kernel {
    return this.#open();
  }

  endSession(): void {
    this.#intake.endSession();
  }

  #open(): Kernel {
    if (this.#kernel === undefined) throw new UsageError('USAGE_CLOSED', 'this correlator is closed; create a new one');
    return this.#kernel;
  }

  // ------------------------------------------------------------------------------------------------ snapshots

  snapshot(): Uint8Array {
    return sealSnapshot(this.unsealedSnapshot()).slice();
  }

  unsealedSnapshot(spare?: ArrayBuffer): Uint8Array<ArrayBuffer> {
    const kernel = this.#open();
    return writeWhole(this.#snapshotHead(kernel), kernel, spare).end();
  }

  beginSnapshot(spare: ArrayBuffer): SnapshotJob {
    const kernel = this.#open();
    const head = this.#snapshotHead(kernel);
    const copy = this.#copy;
    if (copy === undefined) return new SnapshotJob(writeWhole(head, kernel, spare), undefined);
    kernel.copyTo(copy);
    // Pages of new memory come as they are written.
    return new SnapshotJob(
      new SnapshotWriter(head, spare.byteLength > 0 ? spare : new ArrayBuffer(copy.copiedBytes)),
      copy,
    );
  }

  /** All of a snapshot but the kernel's records. */
  #snapshotHead(kernel: Kernel): Omit<Snapshot, 'records'> {
    if (this.#isFlushed) throw new UsageError('USAGE_FLUSHED', 'snapshot after flush: the stream has ended');
    const { program, coverage, exceptions } = this.#prepared;
    const header = {
      ...describeProgram(program),
      publisher: this.#publisher.snapshot(),
      behaviors: this.#behaviors.snapshot(),
      scheduled: this.#scheduled.snapshot(),
      joined: this.#joined.snapshot(),
      ...(this.#baseline === undefined ? {} : { baseline: this.#baseline.export() }),
      ...(coverage === undefined ? {} : { coverage: coverage.snapshot(kernel) }),
      ...(exceptions === undefined ? {} : { exceptions: exceptions.snapshot() }),
    };
    return { fingerprint: program.fingerprint, header };
  }

  restore(bytes: Uint8Array): RestoreReport {
    return this.#restore([decodeSnapshot(bytes)]);
  }

  restoreParts(parts: readonly Uint8Array[], owned?: Uint8Array): RestoreReport {
    return this.#restore(
      parts.map((part) => decodeSnapshot(part, true)),
      owned,
    );
  }

  #restore(snapshots: readonly Snapshot[], owned?: Uint8Array): RestoreReport {
    this.#open();
    if (this.#isUsed) {
      throw new UsageError('USAGE_OPTION', 'restore after push or advance: restore into a new correlator');
    }
    const { program, views } = this.#prepared;
    this.#isUsed = true;
    const behaviors = new Map<string, { state: unknown; hosts: ReadonlySet<string> | undefined }[]>();
    const reports = snapshots.map(({ header, records }) => {
      const plan = planRestore(header, program);
      const taken = ownedRecords(records, owned);
      this.#open().restore(taken.records, plan.indexes);
      const kept = new Map(views.filter(({ rule }) => plan.kept.has(rule.id)).map((view) => [view.rule.id, view]));
      this.#publisher.restore(header.publisher as PublisherState, (id) => kept.get(id));
      const scheduled = Object.entries(header.scheduled as ScheduledState).filter(([id]) => kept.has(id));
      this.#scheduled.restore(Object.fromEntries(scheduled));
      const joined = Object.entries(header.joined ?? {}).filter(([id]) => kept.has(id));
      this.#joined.restore(Object.fromEntries(joined), taken.hosts);
      for (const [id, state] of Object.entries(header.behaviors)) {
        if (kept.has(id)) behaviors.set(id, [...(behaviors.get(id) ?? []), { state, hosts: taken.hosts }]);
      }
      this.#prepared.coverage?.restore(header.coverage ?? [], this.#open());
      this.#prepared.exceptions?.restore(header.exceptions ?? [], taken.hosts);
      return plan.report;
    });
    for (const { header } of snapshots) if (header.baseline !== undefined) this.#baseline?.restore(header.baseline);
    this.#behaviors.restore(Object.fromEntries([...behaviors].map(([id, states]) => [id, mergeJudgeStates(states)])));
    this.#intake.endSession();
    return mergeReports(reports);
  }

  // ------------------------------------------------------------------------------------------------------ out

  /** Takes drained records. Runs inside a kernel call where the output buffer was full. */
  #take(records: DataView): void {
    const { views } = this.#prepared;
    this.#records.read(
      records,
      (raw) => {
        const view = views[raw.rule];
        if (view === undefined || this.#scheduled.take(raw)) return;
        for (const made of this.#joined.take(raw) ?? [makeAlert(raw, view, this.#names)]) {
          if (this.#part.intercept?.(made, raw.arrival) === true) continue;
          this.#publisher.take(made, this.#isBetweenRows ? undefined : raw.clockUs);
        }
      },
      (raw) => this.#behaviors.witness(raw),
    );
  }

  #publish(kernel: Kernel): Alert[] {
    kernel.drainOutput();
    if (this.#behaviors.size > 0) {
      for (const made of this.#behaviors.advance((host) => kernel.hostWatermarkUs(Number(host))))
        this.#publisher.take(made);
    }
    for (const made of this.#scheduled.advance(kernel.globalWatermarkUs())) this.#publisher.take(made);
    this.#publisher.release(kernel.globalWatermarkUs());
    return this.#handOver(kernel);
  }

  #handOver(kernel: Kernel): Alert[] {
    const { coverage } = this.#prepared;
    for (const { alert } of this.#behaviors.drainHidden()) this.#hidden.add(alert);
    const alerts = this.#publisher.drain();
    for (const { id } of alerts) this.#hidden.remove(id);
    coverage?.invalidate();
    return coverage === undefined ? alerts : alerts.map((alert) => coverage.annotate(alert, kernel));
  }

  // ---------------------------------------------------------------------------------------------------- stats

  stats(): CorrelatorStats {
    const kernel = this.#open();
    return readStats(kernel, {
      program: this.#prepared.program,
      publisher: this.#publisher,
      behaviors: this.#behaviors,
      losses: this.#losses(kernel),
      memoryBytes: this.#settings.memoryBytes,
      memoryParts: this.#budget?.parts ?? [],
      refusedBatches: this.#intake.refusedBatches,
      ...(this.#baseline === undefined ? {} : { baseline: this.#baseline.stats(kernel.globalWatermarkUs()) }),
    });
  }

  exceptions(): ExceptionUse[] {
    return this.#prepared.exceptions?.audit() ?? [];
  }

  suppressed(): Alert[] {
    return this.#hidden.drain();
  }

  coverage(): CoverageReport {
    const { coverage } = this.#prepared;
    if (coverage === undefined)
      throw new UsageError('USAGE_OPTION', 'no coverage model; pass one: createCorrelator({ coverage: … })');
    const kernel = this.#open();
    return coverage.report(kernel, this.#asides(kernel), streamCounts(this.stats()));
  }

  coverageOf(host: number, ruleId: string): Alert['coverage'] {
    return this.#prepared.coverage?.coverageOf(this.#open(), host, ruleId);
  }

  coverageCounts(): CoverageCounts | undefined {
    const kernel = this.#open();
    return this.#prepared.coverage?.counts(kernel, this.#asides(kernel));
  }

  #asides(kernel: Kernel): HostAsides {
    const byHost = new Map<string, HostLoss[]>();
    for (const { host, reason, rule, count } of this.#losses(kernel)) {
      // Late events have a count of their own.
      if (host === null || reason === 'late' || reason === 'late_global') continue;
      byHost.set(host, [...(byHost.get(host) ?? []), { reason, rule, count }]);
    }
    const rules = this.#prepared.program.rules.filter(({ kind }) => kind === 'behavior').map(({ id }) => id);
    return {
      losses: (host) => byHost.get(host) ?? [],
      unready: (host, timeUs) => this.#baseline?.unready(host, timeUs, rules) ?? [],
    };
  }

  #losses(kernel: Kernel): LossCount[] {
    return [
      ...kernelLosses(kernel, this.#prepared.program),
      ...pipeLosses(this.#publisher, this.#prepared.program),
      ...this.#behaviors.losses(),
      ...this.#scheduled.losses(),
      ...this.#joined.losses(),
    ];
  }
}

function writeWhole(head: Omit<Snapshot, 'records'>, kernel: Kernel, spare?: ArrayBuffer): SnapshotWriter {
  const writer = new SnapshotWriter(head, spare);
  writer.writeHeader();
  kernel.writeSnapshot((records) => writer.append(records));
  return writer;
}

/** Who hears witnesses: the coverage, whoever asked, both or none. */
function listenerOf(
  coverage: CoverageTracker | undefined,
  own: WitnessListener | undefined,
): WitnessListener | undefined {
  if (coverage === undefined) return own;
  return (rule, witness) => {
    coverage.witnessed(rule, witness);
    own?.(rule, witness);
  };
}

const columnKinds = { 1: 'text', 2: 'number', 3: 'id', 4: 'time' } as const;

/** The program's columns as the batch receiver names them. */
function columnSpecs({ program }: Prepared) {
  return program.columns.map(({ name, kind, nested }) => ({
    name,
    kind: columnKinds[kind],
    ...(nested === undefined ? {} : { nested }),
  }));
}
