/**
 * Finds each row's shard and the time of the rules across hosts, in the engine's thread. It is a kernel that judges
 * nothing: the code that finds a line's host is the code that the shards run, so they never disagree.
 */
import { SkipReason } from '../core/abi/events.js';
import { HostSlots } from '../core/abi/routing.js';
import { concatBytes } from '../core/bytes.js';
import { type CorrelatorPart, startCorrelator } from '../correlator/correlator.js';
import { lineRuns } from '../correlator/input.js';
import type { CorrelatorOptions } from '../correlator/options.js';
import type { BatchGate, CheckedBatch } from './batch_gate.js';
import type { JournalMemory } from './journal_memory.js';
import type { LinesPiece } from './messages.js';
import { pieceRowsMax } from './shard.js';

/** Bytes routed at a time: no more rows than can be noted, as the shortest line has three. */
const pieceBytesMax = 3 * pieceRowsMax;
const newline = 0x0a;
const memoryLeast = 64 * 1024 * 1024;

/** Times of the rules across hosts after each of some rows. */
export interface ClockRun {
  readonly base: number;
  readonly clocks: BigInt64Array;
}

export interface Routed {
  /** Ordinal of the first row. */
  readonly base: number;
  readonly rows: number;
  readonly clocks: readonly ClockRun[];
  /** The time of every row was read. */
  readonly isTimed: boolean;
  /** Lines by shard; empty for a batch, which every shard is given. */
  readonly pieces: readonly (readonly LinesPiece[])[];
}

export interface RoutedBatch extends Routed {
  readonly checked: CheckedBatch;
}

/** The slots of each shard, a byte each. */
export function ownedSlots(shard: number, shards: number): Uint8Array {
  return Uint8Array.from({ length: HostSlots.Count }, (_, slot) => (slot % shards === shard ? 1 : 0));
}

export class Router {
  readonly #part: CorrelatorPart;
  readonly #shards: number;
  readonly #shardOfSlot: Uint8Array;

  private constructor(part: CorrelatorPart, shards: number) {
    this.#part = part;
    this.#shards = shards;
    // Skipped rows, which name no host, are the first shard's.
    this.#shardOfSlot = Uint8Array.from({ length: HostSlots.Count + 1 }, (_, slot) =>
      slot === HostSlots.Skipped ? 0 : slot % shards,
    );
  }

  static async start(options: CorrelatorOptions, memoryBytes: number, shards: number): Promise<Router> {
    const { coverage: _coverage, exceptions: _exceptions, ...own } = options;
    const part = await startCorrelator(
      { ...own, rules: [], evidenceFields: [], memory: Math.max(memoryBytes, memoryLeast) },
      { routeRows: pieceRowsMax },
    );
    return new Router(part, shards);
  }

  /** Bytes from which on a line is too long. */
  get lineBytesMax(): number {
    return this.#part.kernel.inputCapacity;
  }

  /** The ordinal of the next row. */
  get nextOrdinal(): number {
    return this.#part.kernel.nextOrdinal;
  }

  /** Nothing earlier is to come for rules across hosts. */
  get clockUs(): number {
    return this.#part.kernel.globalWatermarkUs();
  }

  /**
   * Routes whole lines, copied to `memory`; the last may lack its end. Where nobody asks for the clock, most lines are
   * routed without being read.
   */
  routeLines(bytes: Uint8Array, memory: JournalMemory, needsClock: boolean): Routed {
    const { kernel } = this.#part;
    const base = kernel.nextOrdinal;
    kernel.routeByHost(!needsClock);
    const clocks: ClockRun[] = [];
    const pieces: LinesPiece[][] = Array.from({ length: this.#shards }, () => []);
    for (const { start, end } of lineRuns(bytes, pieceBytesMax)) {
      const run = bytes.subarray(start, end);
      if (run.length >= kernel.inputCapacity) this.#routeLongLine(run, memory, pieces);
      else this.#routeRun(run, memory, needsClock ? clocks : undefined, pieces);
    }
    return { base, rows: kernel.nextOrdinal - base, clocks, isTimed: needsClock, pieces };
  }

  #routeRun(run: Uint8Array, memory: JournalMemory, clocks: ClockRun[] | undefined, pieces: LinesPiece[][]): void {
    const { kernel } = this.#part;
    const base = kernel.nextOrdinal;
    kernel.routeBegin();
    kernel.input().set(run);
    const rows = kernel.ingestNdjson(run.length);
    if (rows === 0) return;
    clocks?.push({ base, clocks: kernel.routeEnd(rows) });
    const take = (bytes: number): Uint8Array => memory.take(bytes);
    kernel.routeScatter(this.#shardOfSlot, this.#shards, take).forEach((routed, shard) => {
      if (routed.places.length > 0) pieces[shard]?.push({ base, ...routed });
    });
  }

  /** A line that no kernel takes: the first shard counts it. */
  #routeLongLine(line: Uint8Array, memory: JournalMemory, pieces: LinesPiece[][]): void {
    const { kernel } = this.#part;
    const base = kernel.nextOrdinal;
    kernel.skipRow(SkipReason.LineLength, 0);
    const bytes = memory.take(line.length);
    bytes.set(line);
    pieces[0]?.push({ base, bytes, places: Uint32Array.of(0) });
  }

  /**
   * Checks a batch and takes note of it, and has the gate accept it later; its rows are read only for the clock.
   * @throws BatchError, nothing changed.
   */
  routeBatch(bytes: Uint8Array, gate: BatchGate, needsClock: boolean): RoutedBatch {
    const { kernel } = this.#part;
    const base = kernel.nextOrdinal;
    const checked = gate.check(bytes, kernel);
    const { rows } = checked;
    const clocks = needsClock ? this.#readClocks(bytes, rows) : [];
    if (!needsClock) kernel.setOrdinals(base + rows);
    return { base, rows, clocks, isTimed: needsClock, pieces: [], checked };
  }

  #readClocks(bytes: Uint8Array, rows: number): ClockRun[] {
    const { kernel } = this.#part;
    const base = kernel.nextOrdinal;
    kernel.routeBegin();
    this.#part.push(bytes, { as: 'batch' });
    return rows === 0 ? [] : [{ base, clocks: kernel.routeEnd(Math.min(rows, pieceRowsMax)) }];
  }

  /** Does again, to a router built anew, what routing this batch did. */
  replayBatch(bytes: Uint8Array, { base, rows, isTimed }: RoutedBatch): void {
    if (isTimed) this.#part.push(bytes, { as: 'batch' });
    else this.#part.kernel.setOrdinals(base + rows);
  }

  /** Does again, to a router built anew, what routing these lines did. */
  replayLines({ base, rows, pieces, isTimed }: Routed): void {
    const { kernel } = this.#part;
    kernel.routeByHost(!isTimed);
    for (const run of joinedRuns(pieces)) {
      kernel.setOrdinals(run.base);
      if (run.bytes.length >= kernel.inputCapacity) kernel.skipRow(SkipReason.LineLength, 0);
      else {
        kernel.routeBegin();
        kernel.input().set(run.bytes);
        kernel.ingestNdjson(run.bytes.length);
      }
    }
    kernel.setOrdinals(base + rows);
  }

  /** Reads the dictionaries of a session's batches whose rows were routed before, then goes on at `nextOrdinal`. */
  readDictionaries(batches: readonly Uint8Array[], nextOrdinal: number): void {
    const { kernel } = this.#part;
    kernel.setOwnedSlots(new Uint8Array(HostSlots.Count));
    for (const bytes of batches) this.#part.push(bytes, { as: 'batch' });
    kernel.setOwnedSlots(new Uint8Array(HostSlots.Count).fill(1));
    kernel.setOrdinals(nextOrdinal);
  }

  /** Refuses the next delta batch of the session in hand: the producer starts another. */
  endSession(): void {
    this.#part.endSession();
  }

  advance(time: string | number | Date): void {
    this.#part.advance(time);
  }

  snapshot(): Uint8Array {
    return this.#part.unsealedSnapshot();
  }

  restore(bytes: Uint8Array): void {
    this.#part.restoreParts([bytes]);
  }

  close(): void {
    this.#part.close();
  }
}

/** The runs of lines that were divided among shards, put together again. */
function joinedRuns(pieces: Routed['pieces']): { base: number; bytes: Uint8Array }[] {
  const runs = new Map<number, { place: number; bytes: Uint8Array }[]>();
  for (const { base, bytes, places } of pieces.flat()) {
    const lines = runs.get(base) ?? [];
    runs.set(base, lines);
    let start = 0;
    for (const place of places) {
      const end = bytes.indexOf(newline, start) + 1 || bytes.length;
      lines.push({ place, bytes: bytes.subarray(start, end) });
      start = end;
    }
  }
  return [...runs]
    .sort(([a], [b]) => a - b)
    .map(([base, lines]) => ({
      base,
      bytes: concatBytes(lines.sort((a, b) => a.place - b.place).map((line) => line.bytes)),
    }));
}
