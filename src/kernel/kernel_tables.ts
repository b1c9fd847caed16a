/** Tables of a kernel that the library reads or fills in: losses, rows that were skipped, what hosts have sent. */
import { SkipExample, type SkipReason } from '../core/abi/events.js';
import { CoverageRow, type Loss } from '../core/abi/state.js';
import type { KernelExports } from './kernel_exports.js';

/** One row of the loss table. `host` is 0 where no host bears the loss. */
export interface LossRow {
  readonly reason: Loss;
  readonly rule: number;
  readonly host: number;
  readonly serial: number;
  readonly count: number;
}

/** A skipped row kept as an example. */
export interface SkippedRow {
  readonly ordinal: number;
  /** Byte offset, in the bytes given to the call, of the place that was not understood. */
  readonly offset: number;
  readonly reason: SkipReason;
}

/** What a host has sent. Times in microseconds. */
export interface CoverageCounts {
  readonly firstUs: number;
  readonly lastUs: number;
  readonly events: number;
  /** By counter of the program. */
  readonly counts: Uint32Array;
}

export function readLosses(exports: KernelExports): LossRow[] {
  const view = new DataView(exports.memory.buffer);
  const rows: LossRow[] = [];
  for (let i = 0; i < exports.loss_slots(); i++) {
    const at = exports.loss_at(i) >>> 0;
    const reason = view.getUint32(at, true);
    if (reason === 0) continue;
    rows.push({
      reason: reason as Loss,
      rule: view.getUint32(at + 4, true),
      host: view.getUint32(at + 8, true),
      serial: view.getUint32(at + 12, true),
      count: Number(view.getBigUint64(at + 16, true)),
    });
  }
  return rows;
}

export function readSkippedExamples(exports: KernelExports): SkippedRow[] {
  const view = new DataView(exports.memory.buffer);
  const base = exports.ingest_examples() >>> 0;
  return Array.from({ length: exports.ingest_example_count() }, (_, i) => {
    const at = base + i * SkipExample.Count * 4;
    const ordinal = Number(view.getBigUint64(at, true));
    const offset = view.getUint32(at + SkipExample.Offset * 4, true);
    return { ordinal, offset, reason: view.getUint32(at + SkipExample.Reason * 4, true) as SkipReason };
  });
}

/** The counts of the row at `at`, of which the program has `counters`; undefined before the host's first event. */
export function readCoverage(view: DataView, at: number, counters: number): CoverageCounts | undefined {
  const events = Number(view.getBigUint64(at + CoverageRow.Events, true));
  if (events === 0) return undefined;
  return {
    firstUs: Number(view.getBigInt64(at + CoverageRow.FirstUs, true)),
    lastUs: Number(view.getBigInt64(at + CoverageRow.LastUs, true)),
    events,
    counts: new Uint32Array(view.buffer, at + CoverageRow.Counts, counters).slice(),
  };
}

export function writeCoverage(view: DataView, at: number, { firstUs, lastUs, events, counts }: CoverageCounts): void {
  view.setBigInt64(at + CoverageRow.FirstUs, BigInt(firstUs), true);
  view.setBigInt64(at + CoverageRow.LastUs, BigInt(lastUs), true);
  view.setBigUint64(at + CoverageRow.Events, BigInt(events), true);
  new Uint32Array(view.buffer, at + CoverageRow.Counts, counts.length).set(counts);
}
