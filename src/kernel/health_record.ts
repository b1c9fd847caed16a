/** Reads and writes a host's health block in the kernel's memory (`core/abi/coverage.ts`). */
import { ClockBucket, Health, HealthRecord } from '../core/abi/coverage.js';
import { CoverageRow } from '../core/abi/state.js';

/** Counts of one host, or of one of its sources; see `HealthRecord`. Times in microseconds. */
export interface HealthRecordValues {
  readonly firstUs: number;
  readonly lastUs: number;
  readonly events: number;
  readonly late: number;
  readonly identified: number;
  readonly repeated: number;
  readonly runFirst: number;
  readonly runLast: number;
  readonly runCount: number;
  readonly missing: number;
  readonly extra: number;
  readonly gaps: number;
  /** By `ClockBucket`. */
  readonly clock: readonly number[];
}

/** What the kernel keeps of one host's arrivals. */
export interface HostHealth {
  readonly own: HealthRecordValues;
  /** `source`: its index in the coverage model. */
  readonly sources: readonly (HealthRecordValues & { readonly source: number })[];
  /** Parts of hashes of recent event ids, by place. */
  readonly recent: readonly number[];
}

const counted = {
  events: HealthRecord.Events,
  late: HealthRecord.Late,
  identified: HealthRecord.Identified,
  repeated: HealthRecord.Repeated,
  runCount: HealthRecord.RunCount,
  gaps: HealthRecord.Gaps,
  extra: HealthRecord.Extra,
} as const;

const measured = {
  runFirst: HealthRecord.RunFirst,
  runLast: HealthRecord.RunLast,
  missing: HealthRecord.Missing,
} as const;

/** Address of the block of a coverage row that has `counters` counts. */
export const healthAt = (row: number, counters: number): number => row + ((CoverageRow.Counts + counters * 4 + 7) & ~7);

export function readHealth(view: DataView, at: number): HostHealth {
  const sources: HostHealth['sources'][number][] = [];
  for (let i = 1; i <= Health.Sources; i++) {
    const record = at + i * Health.RecordBytes;
    const source = view.getUint32(record + HealthRecord.Source, true);
    if (source !== 0) sources.push({ source: source - 1, ...readRecord(view, record) });
  }
  const recent = Array.from({ length: Health.Recent }, (_, i) => view.getUint32(at + Health.RecentAt + i * 4, true));
  return { own: readRecord(view, at), sources, recent };
}

function readRecord(view: DataView, at: number): HealthRecordValues {
  const u32 = (offset: number): number => view.getUint32(at + offset, true);
  const f64 = (offset: number): number => view.getFloat64(at + offset, true);
  return {
    firstUs: Number(view.getBigInt64(at + HealthRecord.FirstUs, true)),
    lastUs: Number(view.getBigInt64(at + HealthRecord.LastUs, true)),
    events: u32(counted.events),
    late: u32(counted.late),
    identified: u32(counted.identified),
    repeated: u32(counted.repeated),
    runCount: u32(counted.runCount),
    gaps: u32(counted.gaps),
    extra: u32(counted.extra),
    runFirst: f64(measured.runFirst),
    runLast: f64(measured.runLast),
    missing: f64(measured.missing),
    clock: Array.from({ length: ClockBucket.Count }, (_, i) => u32(HealthRecord.Clock + i * 4)),
  };
}

export function writeHealth(view: DataView, at: number, { own, sources, recent }: HostHealth): void {
  writeRecord(view, at, own);
  sources.slice(0, Health.Sources).forEach((source, i) => {
    const record = at + (i + 1) * Health.RecordBytes;
    writeRecord(view, record, source);
    view.setUint32(record + HealthRecord.Source, source.source + 1, true);
  });
  recent.slice(0, Health.Recent).forEach((part, i) => {
    view.setUint32(at + Health.RecentAt + i * 4, part, true);
  });
}

function writeRecord(view: DataView, at: number, values: HealthRecordValues): void {
  view.setBigInt64(at + HealthRecord.FirstUs, BigInt(values.firstUs), true);
  view.setBigInt64(at + HealthRecord.LastUs, BigInt(values.lastUs), true);
  for (const [name, offset] of Object.entries(counted))
    view.setUint32(at + offset, values[name as keyof typeof counted], true);
  for (const [name, offset] of Object.entries(measured))
    view.setFloat64(at + offset, values[name as keyof typeof measured], true);
  values.clock.slice(0, ClockBucket.Count).forEach((count, i) => {
    view.setUint32(at + HealthRecord.Clock + i * 4, count, true);
  });
}
