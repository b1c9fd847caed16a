/**
 * How events of a host and of each of its sources arrive: how many came late or again, which sequence numbers are
 * missing, how far ingestion lies behind the events. Kept behind the host's coverage counts; the first sources of a host
 * have records of their own. Judged in the order in which rows are judged, so that arrival within the lateness does not
 * show.
 */
import { ColumnKind } from "../src/core/abi/events";
import { ClockBucket, Health, HealthRecord } from "../src/core/abi/coverage";
import { Config } from "../src/core/abi/state";
import { rowIsLate } from "./apply";
import { columnKind } from "./columns";
import { configU32 } from "./config";
import { coverageHealth } from "./coverage";
import { cellIdLength, cellIdPtr, cellStableHash, cellText, rowHost, rowTiebreak, rowTimeUs } from "./rows";
import { NO_TIME, timeFromText } from "./time";
import { valueLength, valuePtr } from "./values";

const FIVE_MINUTES_US: i64 = 300000000;
const HOUR_US: i64 = 3600000000;
const DAY_US: i64 = 86400000000;
/** A number so far below the run's greatest begins a new run: the source was started anew. */
const RESTART_STEPS: f64 = 65536;

let isKept: bool = false;
let sourceFirst: u32 = 0;
let sourceCount: u32 = 0;
/** Bit by source: its sequence numbers have no holes by themselves. */
let sequenced: u32 = 0;
/** 1 + column of the event's id and of its time of ingestion; 0 where the program has none. */
let idColumn: u32 = 0;
let ingestedColumn: u32 = 0;

/** What the row in hand is to every record it is noted in. */
let isLate: bool = false;
let hasId: bool = false;
let isRepeated: bool = false;
let clock: i32 = -1;

export function healthInit(): void {
  isKept = configU32(Config.CoverageCounters) != 0;
  sourceFirst = configU32(Config.CoverageSourceFirst);
  sourceCount = configU32(Config.CoverageSources);
  sequenced = configU32(Config.CoverageSequenced);
  const columns = configU32(Config.CoverageColumns);
  idColumn = columns & 0xffff;
  ingestedColumn = columns >>> 16;
}

/** The row is judged. */
export function healthSee(slot: u32): void {
  if (!isKept) return;
  const block = coverageHealth(rowHost(slot));
  isLate = rowIsLate(slot);
  clock = clockBucket(slot);
  const id = idColumn == 0 ? 0 : cellStableHash(idColumn - 1, slot);
  hasId = id != 0;
  isRepeated = hasId && isRecent(block + Health.RecentAt, id);
  note(block, slot);
}

/** Counter `counter` is true of that row: where it stands for a source, the source's record notes the row. */
export function healthCount(slot: u32, counter: u32): void {
  const source = counter - sourceFirst;
  if (counter < sourceFirst || source >= sourceCount) return;
  const record = sourceRecord(coverageHealth(rowHost(slot)), source);
  if (record == 0) return;
  note(record, slot);
  if (source < 32 && (sequenced & (1 << source)) != 0 && !isRepeated) noteSequence(record, rowTiebreak(slot));
}

/** The record of a source, taken for it where one is free; 0 where none is. */
function sourceRecord(block: usize, source: u32): usize {
  for (let i: u32 = 1; i <= u32(Health.Sources); i++) {
    const record = block + usize(i) * Health.RecordBytes;
    const owner = load<u32>(record + HealthRecord.Source);
    if (owner == source + 1) return record;
    if (owner != 0) continue;
    store<u32>(record + HealthRecord.Source, source + 1);
    return record;
  }
  return 0;
}

function note(record: usize, slot: u32): void {
  const timeUs = rowTimeUs(slot);
  const isFirst = load<u32>(record + HealthRecord.Events) == 0;
  if (isFirst || timeUs < load<i64>(record + HealthRecord.FirstUs)) store<i64>(record + HealthRecord.FirstUs, timeUs);
  if (isFirst || timeUs > load<i64>(record + HealthRecord.LastUs)) store<i64>(record + HealthRecord.LastUs, timeUs);
  add(record + HealthRecord.Events);
  if (isLate) add(record + HealthRecord.Late);
  if (hasId) add(record + HealthRecord.Identified);
  if (isRepeated) add(record + HealthRecord.Repeated);
  if (clock >= 0) add(record + HealthRecord.Clock + (usize(clock) << 2));
}

/** Counts one; stays at its greatest value when it is full. */
function add(at: usize): void {
  const count = load<u32>(at);
  if (count != u32.MAX_VALUE) store<u32>(at, count + 1);
}

function noteSequence(record: usize, number: f64): void {
  if (isNaN(number)) return;
  const first = load<f64>(record + HealthRecord.RunFirst);
  const last = load<f64>(record + HealthRecord.RunLast);
  const count = load<u32>(record + HealthRecord.RunCount);
  if (count == 0 || number < last - RESTART_STEPS) {
    if (count != 0) endRun(record, last - first + 1 - f64(count));
    store<f64>(record + HealthRecord.RunFirst, number);
    store<f64>(record + HealthRecord.RunLast, number);
    store<u32>(record + HealthRecord.RunCount, 1);
    return;
  }
  if (number > last + 1) add(record + HealthRecord.Gaps);
  if (number > last) store<f64>(record + HealthRecord.RunLast, number);
  if (number < first) store<f64>(record + HealthRecord.RunFirst, number);
  add(record + HealthRecord.RunCount);
}

function endRun(record: usize, missing: f64): void {
  if (missing >= 0) store<f64>(record + HealthRecord.Missing, load<f64>(record + HealthRecord.Missing) + missing);
  else store<u32>(record + HealthRecord.Extra, load<u32>(record + HealthRecord.Extra) + u32(-missing));
}

/** Whether the id is among the host's recent ones; it is from now on. */
function isRecent(recent: usize, id: u64): bool {
  const place = recent + ((usize(id) & (Health.Recent - 1)) << 2);
  // The part of the hash that is kept is not the part that names its place, and never 0.
  const part = u32(id >>> 32) | 1;
  if (load<u32>(place) == part) return true;
  store<u32>(place, part);
  return false;
}

/** How far the row's time of ingestion lies behind its own; -1 where it has none. */
function clockBucket(slot: u32): i32 {
  if (ingestedColumn == 0) return -1;
  const ingestedUs = timeOf(ingestedColumn - 1, slot);
  if (ingestedUs == NO_TIME) return -1;
  const behindUs = ingestedUs - rowTimeUs(slot);
  if (behindUs < -FIVE_MINUTES_US) return ClockBucket.Ahead;
  if (behindUs <= FIVE_MINUTES_US) return ClockBucket.WithinFiveMinutes;
  if (behindUs <= HOUR_US) return ClockBucket.WithinHour;
  return behindUs <= DAY_US ? ClockBucket.WithinDay : ClockBucket.Longer;
}

function timeOf(column: u32, slot: u32): i64 {
  if (columnKind(column) == ColumnKind.Id) {
    const length = cellIdLength(column, slot);
    return length == 0 ? NO_TIME : timeFromText(cellIdPtr(column, slot), length);
  }
  if (columnKind(column) != ColumnKind.Text) return NO_TIME;
  const value = cellText(column, slot);
  return value == 0 ? NO_TIME : timeFromText(valuePtr(value), valueLength(value));
}
