/**
 * One running kernel: typed calls, views of its memory, and the copying in and out. Knows no rules; a trap becomes a
 * `KernelTrap` and ends the kernel.
 */

import { IngestConfig, IngestCounter, SkipReason } from '../core/abi/events.js';
import type { Section } from '../core/abi/program.js';
import { HostSlots } from '../core/abi/routing.js';
import type { Config } from '../core/abi/state.js';
import type { StateTable } from '../core/abi/stateful.js';
import { concatBytes } from '../core/bytes.js';
import { KernelTrap, SnapshotError } from '../core/errors.js';
import { placeView, viewOffsetOf } from '../event/batch_receiver.js';
import { type HostHealth, healthAt, readHealth, writeHealth } from './health_record.js';
import { instantiateKernel, KernelCopy } from './kernel_copy.js';
import type { KernelExports } from './kernel_exports.js';
import {
  type CoverageCounts,
  type LossRow,
  readCoverage,
  readLosses,
  readSkippedExamples,
  type SkippedRow,
  writeCoverage,
} from './kernel_tables.js';
import { hostIndexes, type RestoreIndexes, recordRuns, restoreMapBytes, writeRestoreMaps } from './restore_records.js';
import { type WasmImports, type WasmMemory, type WasmModule, webAssembly } from './web_assembly.js';

const abiVersion = 1;

/** What the kernel calls back for. `memory` is asked for at each call, so it may grow. */
export type KernelImports = (memory: () => WasmMemory) => WasmImports;

export interface KernelSetup {
  readonly module: WasmModule;
  readonly imports: KernelImports;
  readonly sections: ReadonlyMap<Section, Uint8Array>;
  /** Words of the configuration table. */
  readonly config: ReadonlyMap<number, number>;
  /** Section that holds the columns, which ingest wants by address. */
  readonly columns: Section;
  readonly defaultHost: string;
  /** Takes records of the output buffer: whole ones, valid during the call. */
  readonly drain: (records: DataView) => void;
}

/** Lines of one shard, and the place of each row in the call. */
export interface RoutedLines {
  readonly bytes: Uint8Array;
  readonly places: Uint32Array;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** Readable bytes after every text region, as the kernel's vector loads need. */
const padding = 64;

/** A time that the kernel does not know: the least of its integers. */
const neverUs = -(2n ** 63n);

export class Kernel {
  readonly #exports: KernelExports;
  readonly #setup: Pick<KernelSetup, 'module' | 'imports'>;
  readonly #drain: (records: DataView) => void;
  #failure: KernelTrap | undefined;
  /** While a snapshot is written: takes what the output buffer holds, before it is emptied. */
  #sink: ((records: Uint8Array) => void) | undefined;

  private constructor(exports: KernelExports, { module, imports, drain }: KernelSetup) {
    this.#exports = exports;
    this.#setup = { module, imports };
    this.#drain = drain;
  }

  /** Instantiates a kernel, loads the program and reserves every table. */
  static async create(setup: KernelSetup): Promise<Kernel> {
    let kernel: Kernel | undefined;
    const exports = await instantiateKernel(setup, () => kernel?.drainOutput());
    kernel = new Kernel(exports, setup);
    const version = exports.abi_version();
    if (version !== abiVersion) {
      throw new KernelTrap(
        'KERNEL_TRAP',
        `this kernel speaks version ${version}, the library ${abiVersion}; use the kernel of the same release`,
      );
    }
    kernel.#load(setup);
    return kernel;
  }

  #load(setup: KernelSetup): void {
    for (const [id, bytes] of setup.sections) {
      const pointer = this.#reserve(bytes);
      this.#exports.set_section(id, pointer, bytes.length);
      if (id === setup.columns) {
        this.#setConfig(IngestConfig.ColumnsPointer, pointer);
        this.#setConfig(IngestConfig.ColumnsBytes, bytes.length);
      }
    }
    const host = encoder.encode(setup.defaultHost);
    this.#setConfig(IngestConfig.DefaultHostPointer, this.#reserve(host));
    this.#setConfig(IngestConfig.DefaultHostBytes, host.length);
    for (const [word, value] of setup.config) this.#setConfig(word, value);
    this.#call(() => this.#exports.kernel_init());
  }

  #reserve(bytes: Uint8Array): number {
    const pointer = this.#exports.memory_reserve(bytes.length + padding) >>> 0;
    new Uint8Array(this.#exports.memory.buffer).set(bytes, pointer);
    return pointer;
  }

  #setConfig(word: Config | IngestConfig | number, value: number): void {
    this.#view().setFloat64((this.#exports.config_table() >>> 0) + word * 8, value, true);
  }

  #view(): DataView {
    return new DataView(this.#exports.memory.buffer);
  }

  /** Runs a call into the kernel. After a trap every later call throws the same error. */
  #call<T>(run: () => T): T {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return run();
    } catch (error) {
      if (!(error instanceof webAssembly.RuntimeError || error instanceof RangeError)) throw error;
      this.#failure = new KernelTrap(
        'KERNEL_TRAP',
        `the kernel failed: ${error.message}; restore a new correlator from a snapshot`,
        {
          cause: error,
        },
      );
      throw this.#failure;
    }
  }

  /** Has the operating system provide all memory that is reserved. */
  touchMemory(): void {
    this.#exports.memory_touch();
  }

  /** Bytes of linear memory reserved, the code's data included. */
  get reservedBytes(): number {
    return this.#exports.memory_reserved() >>> 0;
  }

  /** Bytes that one `ingest` call can take: the longest line and the largest batch. */
  get inputCapacity(): number {
    return this.#exports.input_capacity() >>> 0;
  }

  /** The input region, valid until the next call. */
  input(): Uint8Array {
    return new Uint8Array(this.#exports.memory.buffer, this.#exports.input_ptr() >>> 0, this.inputCapacity);
  }

  get inputPointer(): number {
    return this.#exports.input_ptr() >>> 0;
  }

  /** Applies the lines in the first `bytes` bytes of the input region; one byte of it must be left free. Returns their rows. */
  ingestNdjson(bytes: number): number {
    return this.#call(() => this.#exports.ingest_ndjson(this.#exports.input_ptr(), bytes));
  }

  /** Checks the contents of a batch view at an address; 0 where they are sound. */
  checkBatch(viewPointer: number): number {
    return this.#call(() => this.#exports.ingest_batch_check(viewPointer));
  }

  /** Makes room for a batch that was checked elsewhere; a `BatchFault` where the tables of the session are too small. */
  roomForBatch(viewPointer: number): number {
    return this.#call(() => this.#exports.ingest_batch_room(viewPointer));
  }

  /**
   * Checks the contents of a batch of any program's `columns` columns, whose view counts addresses from its first byte.
   * Changes nothing but the input region, whose start it takes.
   */
  checkBatchContents(bytes: Uint8Array, view: Uint32Array, columns: number): number {
    const viewPointer = this.placeBatch(bytes, view);
    return this.#call(() => this.#exports.batch_contents_check(viewPointer, columns));
  }

  /** Writes a batch and its view to the input region. Returns the view's address. */
  placeBatch(bytes: Uint8Array, view: Uint32Array): number {
    const input = this.input();
    const viewOffset = viewOffsetOf(bytes.length);
    input.set(bytes);
    const placed = placeView(view, this.inputPointer);
    input.set(new Uint8Array(placed.buffer, placed.byteOffset, placed.byteLength), viewOffset);
    return this.inputPointer + viewOffset;
  }

  ingestBatch(viewPointer: number): number {
    return this.#call(() => this.#exports.ingest_batch(viewPointer));
  }

  /** The ordinal of the next row. */
  get nextOrdinal(): number {
    return this.#exports.ordinal_next();
  }

  /** Gives the next rows their ordinals: `base` plus each place, or counted from `base` where there are no places. */
  setOrdinals(base: number, places?: Uint32Array): void {
    this.#exports.ordinal_set(base);
    this.#exports.ordinal_use(base, places?.length ?? 0);
    if (places !== undefined) {
      new Uint32Array(this.#exports.memory.buffer, this.#exports.ordinal_table() >>> 0, places.length).set(places);
    }
  }

  /** Takes rows of hosts in these slots only: a byte each, 1 for taken. */
  setOwnedSlots(owned: Uint8Array): void {
    const foreign = Uint8Array.from({ length: HostSlots.Count }, (_, slot) => (owned[slot] === 1 ? 0 : 1));
    new Uint8Array(this.#exports.memory.buffer).set(foreign, this.#exports.foreign_slots() >>> 0);
  }

  /** Rows passed over because their hosts are of other slots. */
  get foreignRows(): number {
    return this.#exports.foreign_row_count();
  }

  /** A routing kernel: whether the next lines are routed by their host alone; the time after each is not known then. */
  routeByHost(isOn: boolean): void {
    this.#exports.route_by_host(isOn ? 1 : 0);
  }

  /** A routing kernel: starts the notes of one call. */
  routeBegin(): void {
    this.#exports.route_begin(this.nextOrdinal);
  }

  /** Ends the notes of a call of `rows` rows; returns the time of the rules across hosts after each. */
  routeEnd(rows: number): BigInt64Array {
    this.#exports.route_end(rows);
    return new BigInt64Array(this.#exports.memory.buffer, this.#exports.route_clocks() >>> 0, rows).slice();
  }

  /**
   * The lines just noted, by shard; `shardOfSlot` says which shard takes a slot, its last byte which takes skipped rows.
   * `take` gives the memory that they are copied to, 4-aligned.
   */
  routeScatter(shardOfSlot: Uint8Array, shards: number, take: (bytes: number) => Uint8Array): RoutedLines[] {
    const memory = this.#exports.memory.buffer;
    new Uint8Array(memory).set(shardOfSlot, this.#exports.route_shards() >>> 0);
    const table = this.#exports.route_scatter(this.inputPointer, shards) >>> 0;
    const view = new DataView(memory);
    let from = this.#exports.route_lines() >>> 0;
    let placesFrom = this.#exports.route_places() >>> 0;
    return Array.from({ length: shards }, (_, shard) => {
      const length = view.getUint32(table + shard * 16, true);
      const rows = view.getUint32(table + shard * 16 + 4, true);
      const room = take(rows * 4 + length);
      const places = new Uint32Array(room.buffer, room.byteOffset, rows);
      places.set(new Uint32Array(memory, placesFrom, rows));
      const bytes = room.subarray(rows * 4);
      bytes.set(new Uint8Array(memory, from, length));
      from += length;
      placesFrom += rows * 4;
      return { bytes, places };
    });
  }

  /** Skips one row that cannot be handed over. */
  skipRow(reason: SkipReason, offset: number): void {
    this.#call(() => this.#exports.ingest_skip(reason, offset));
  }

  advance(timeUs: number): void {
    this.#call(() => this.#exports.advance_to(BigInt(timeUs)));
  }

  flush(): void {
    this.#call(() => this.#exports.flush_all());
  }

  /** Hands what the output buffer holds to the drain callback and empties it. */
  drainOutput(): void {
    const bytes = this.#exports.output_bytes() >>> 0;
    const view = new DataView(this.#exports.memory.buffer, this.#exports.output_ptr() >>> 0, bytes);
    if (this.#sink !== undefined) this.#sink(new Uint8Array(view.buffer, view.byteOffset, bytes));
    else if (bytes > 0) this.#drain(view);
    this.#exports.output_clear();
  }

  /** The kernel's logical state as records (`abi/snapshot.ts`). The output must have been drained. */
  snapshot(): Uint8Array {
    const parts: Uint8Array[] = [];
    this.writeSnapshot((records) => parts.push(records.slice()));
    return concatBytes(parts);
  }

  /** As {@link snapshot}, in pieces of whole records that are valid during the call of `sink` only. */
  writeSnapshot(sink: (records: Uint8Array) => void): void {
    this.#sink = sink;
    try {
      this.#call(() => this.#exports.snapshot_begin());
      while (this.#call(() => this.#exports.snapshot_next()) !== 0) this.drainOutput();
      this.drainOutput();
    } finally {
      this.#sink = undefined;
    }
  }

  /** Makes room for copies of this kernel; undefined where its code does not allow one. */
  createCopy(): Promise<KernelCopy | undefined> {
    return KernelCopy.create(this.#setup, this.#exports);
  }

  /** Brings a copy up to date. The output must have been drained. */
  copyTo(copy: KernelCopy): void {
    this.#call(() => copy.take(this.#exports));
  }

  /** Reads records into a kernel that has seen no row. @throws SnapshotError where they name more than can be mapped. */
  restore(records: Uint8Array, maps: RestoreIndexes): void {
    const hosts = hostIndexes(records);
    const at = this.#call(() => this.#exports.restore_maps(restoreMapBytes(maps, hosts))) >>> 0;
    if (at === 0) {
      throw new SnapshotError('SNAPSHOT_FORMAT', `the snapshot names ${hosts} hosts and more than fits this kernel`);
    }
    writeRestoreMaps(this.#view(), at, maps, hosts);
    this.#call(() => this.#exports.restore_begin());
    for (const pass of [0, 1]) {
      for (const [start, end] of recordRuns(records, this.inputCapacity)) {
        this.input().set(records.subarray(start, end));
        this.#call(() => this.#exports.restore_records(this.#exports.input_ptr(), end - start, pass));
      }
    }
  }

  /** Indexes of hosts: `1 .. hostCount - 1`. */
  get hostCount(): number {
    return this.#exports.host_count();
  }

  /** The host's name as kept for display; empty for no host and for the overflow host. */
  hostName(host: number): string {
    if (host >= this.hostCount) return '';
    const pointer = this.#exports.host_name_ptr(host) >>> 0;
    return decoder.decode(new Uint8Array(this.#exports.memory.buffer, pointer, this.#exports.host_name_length(host)));
  }

  /** The first time known of a host, in microseconds; NaN where there is none. */
  hostKnownSinceUs(host: number): number {
    const timeUs = host < this.hostCount ? this.#exports.host_known_since_us(host) : neverUs;
    return timeUs === neverUs ? Number.NaN : Number(timeUs);
  }

  hostSerial(host: number): number {
    return host < this.hostCount ? this.#exports.host_serial(host) : -1;
  }

  /** Nothing earlier than this is to come from the host, in microseconds; -Infinity before its first row. */
  hostWatermarkUs(host: number): number {
    return watermark(this.#exports.host_watermark_us(host));
  }

  /** Nothing earlier than this is to come for rules across hosts. */
  globalWatermarkUs(): number {
    return watermark(this.#exports.global_watermark_us());
  }

  /** Time of the newest event of any host that was believed, in microseconds; -Infinity before the first. */
  newestUs(): number {
    return watermark(this.#exports.global_max_time_us());
  }

  /** Entries that a rule holds: partial matches, windows, samples, terms. */
  ruleEntries(rule: number): number {
    return this.#exports.rule_entries(rule) >>> 0;
  }

  losses(): LossRow[] {
    return readLosses(this.#exports);
  }

  /** A counter of the ingest half; `SkipReason` values count skipped rows. */
  counter(which: IngestCounter | SkipReason): number {
    return Number(this.#view().getBigUint64((this.#exports.ingest_counters() >>> 0) + which * 8, true));
  }

  skippedRows(): number {
    let sum = 0;
    for (let reason = 1; reason < SkipReason.Count; reason++) sum += this.counter(reason as SkipReason);
    return sum;
  }

  skippedExamples(): SkippedRow[] {
    return readSkippedExamples(this.#exports);
  }

  /** How often a predicate of rule `rule` was true. */
  matched(rule: number): number {
    return Number(this.#view().getBigUint64((this.#exports.matched_counts() >>> 0) + rule * 8, true));
  }

  /** What a host has sent: its times, its events and `counters` counts. Undefined before its first event. */
  coverage(host: number, counters: number): CoverageCounts | undefined {
    const row = this.#exports.coverage_row(host) >>> 0;
    return row === 0 ? undefined : readCoverage(this.#view(), row, counters);
  }

  /** Puts back what a snapshot counted of a host. */
  setCoverage(host: number, counts: CoverageCounts): void {
    const row = this.#exports.coverage_row(host) >>> 0;
    if (row !== 0) writeCoverage(this.#view(), row, counts);
  }

  /** How the host's telemetry arrived; `counters` as for {@link coverage}. Undefined where nothing is counted. */
  health(host: number, counters: number): HostHealth | undefined {
    const row = this.#exports.coverage_row(host) >>> 0;
    return row === 0 ? undefined : readHealth(this.#view(), healthAt(row, counters));
  }

  /** Puts back what a snapshot knew of a host's arrivals. */
  setHealth(host: number, counters: number, health: HostHealth): void {
    const row = this.#exports.coverage_row(host) >>> 0;
    if (row !== 0) writeHealth(this.#view(), healthAt(row, counters), health);
  }

  /** Hosts whose coverage counts were given up for room. */
  get coverageForgotten(): number {
    return this.#exports.coverage_forgotten();
  }

  /** Records of a stateful table that are held and that fit, and its bytes; all 0 where no rule needs it. */
  stateTable(table: StateTable): { readonly used: number; readonly capacity: number; readonly bytes: number } {
    return {
      used: this.#exports.state_records_used(table) >>> 0,
      capacity: this.#exports.state_record_capacity(table) >>> 0,
      bytes: this.#exports.state_table_bytes(table) >>> 0,
    };
  }

  /** Counts for `stats`. */
  counts() {
    const exports = this.#exports;
    return {
      rows: this.counter(IngestCounter.Rows),
      truncated: this.counter(IngestCounter.Truncated),
      noHost: this.counter(IngestCounter.NoHost),
      late: exports.late_row_count(),
      future: exports.future_row_count(),
      held: exports.held_row_count(),
      processes: exports.process_count(),
      processCapacity: Math.max(0, exports.process_capacity() - 1),
      processBytes: exports.process_table_bytes() >>> 0,
      evidenceBlocks: exports.evidence_blocks_used(),
      evidenceBlockCapacity: exports.evidence_block_capacity(),
    };
  }
}

const watermark = (us: bigint): number => (us < -(1n << 62n) ? Number.NEGATIVE_INFINITY : Number(us));
