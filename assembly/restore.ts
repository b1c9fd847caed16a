/**
 * Reads snapshot records (`abi/snapshot.ts`) into a kernel that has seen no row. The host hands the records over twice,
 * whole ones at a time in the input region: pass 0 makes hosts, processes and rows, pass 1 links processes to their
 * parents and takes the entries of the stateful rules. Records are from outside: every offset is checked against its end.
 */
import { ColumnKind, IngestLimit } from "../src/core/abi/events";
import { HostState, KernelState, ProcessState, RestoreMaps, RowState, SnapshotRecord } from "../src/core/abi/snapshot";
import { Host, LineageColumn, ProcessFlag } from "../src/core/abi/state";
import { StateKind, StateRecord } from "../src/core/abi/stateful";
import { placeRow, restoreTimes } from "./apply";
import { columnCount, columnKind, columnOffset } from "./columns";
import { restoreDeferred } from "./dispatch";
import { keepHeldTexts } from "./held_text";
import { hostIntern, hostRestore, hostSettle } from "./hosts";
import { imageCreate, imageSetOlder, imageSetValue, imagesKept, IMAGE_VALUES } from "./images";
import { lineageEnabled } from "./lineage";
import { wellKnown } from "./lineage_keys";
import { outputBorrow } from "./output";
import { processFind, processFindPid, processIndexPid } from "./process_index";
import {
  processFlags, processParent, processSetFlags, processSetImages, processSetInherited, processSetLastTick,
  processSetOwn, processSetParent, processStartUs,
} from "./process_records";
import { processRestore } from "./process_table";
import { chunkBegin, chunkRows, clearNumbers, ordinalSet, rowAddress, rowOpen, rowRestage, rowsFree } from "./rows";
import { readCell, readValue, snapshotValueInit, valueEnd } from "./snapshot_value";
import { stateImport } from "./state_snapshot";

const MARKS: u32 = 64;
const NO_INDEX: u32 = 0xffff;
/** Kinds of records from here on are not those of the stateful rules. */
const FIRST_KIND: u32 = SnapshotRecord.Kernel;

let maps: usize = 0;
let columnMap: usize = 0;
let ruleMap: usize = 0;
let fieldMap: usize = 0;
let hostMap: usize = 0;
let columns: u32 = 0;
let rules: u32 = 0;
let fields: u32 = 0;
let hosts: u32 = 0;

export function restoreInit(): void {
  snapshotValueInit();
}

/** Where the host writes the maps (`RestoreMaps`) of `bytes` bytes, zeroed; 0 where they are too large. */
export function restoreMaps(bytes: u32): usize {
  maps = outputBorrow(bytes);
  return maps;
}

/** Takes over the maps; the records follow. */
export function restoreBegin(): void {
  columns = load<u32>(maps + RestoreMaps.Columns);
  rules = load<u32>(maps + RestoreMaps.Rules);
  fields = load<u32>(maps + RestoreMaps.Fields);
  hosts = load<u32>(maps + RestoreMaps.Hosts);
  columnMap = maps + RestoreMaps.First;
  ruleMap = columnMap + (usize(columns) << 1);
  fieldMap = ruleMap + (usize(rules) << 1);
  hostMap = fieldMap + (usize(fields) << 1);
}

function mapped(map: usize, count: u32, index: u32): u32 {
  return index < count ? load<u16>(map + (usize(index) << 1)) : NO_INDEX;
}

/** New index of a snapshot's host; `Host.None` for none. */
export function restoredHost(host: u32): u32 {
  return host < hosts ? load<u16>(hostMap + (usize(host) << 1)) : u32(Host.None);
}

/** New index of a snapshot's evidence field; 0xffff where the program has it no more. */
export function restoredField(field: u32): u32 {
  return mapped(fieldMap, fields, field);
}

/** Reads the records in `[pointer, pointer + length)`. Returns how many it took. */
export function restoreRecords(pointer: usize, length: u32, pass: u32): u32 {
  let taken: u32 = 0;
  let at = pointer;
  const end = pointer + length;
  chunkBegin();
  while (at + 8 <= end) {
    const bytes = load<u32>(at, 4);
    if (bytes < 8 || (bytes & 7) != 0 || bytes > u32(end - at)) return taken;
    if (take(at, bytes, pass)) taken++;
    at += bytes;
  }
  keepHeldTexts();
  chunkBegin();
  return taken;
}

function take(at: usize, bytes: u32, pass: u32): bool {
  const kind = load<u32>(at);
  if (kind < FIRST_KIND) return pass == 1 && bytes >= u32(StateRecord.Header) && takeState(at, bytes);
  if (pass == 1) return kind == SnapshotRecord.Process && bytes >= u32(ProcessState.Images) && linkProcess(at);
  if (kind == SnapshotRecord.Kernel) return bytes >= u32(KernelState.Bytes) && restoreKernel(at);
  if (kind == SnapshotRecord.Host) return bytes >= u32(HostState.Name) && makeHost(at, bytes);
  if (kind == SnapshotRecord.Process) return bytes >= u32(ProcessState.Images) && makeProcess(at, bytes);
  return kind == SnapshotRecord.Row && bytes >= u32(RowState.Cells) && makeRow(at, bytes);
}

/** Numbers a record of the stateful rules anew and hands it on. */
function takeState(at: usize, bytes: u32): bool {
  const rule = mapped(ruleMap, rules, load<u32>(at + StateRecord.Rule));
  const host = load<u32>(at + StateRecord.Host);
  const isOfHost = load<u32>(at + StateRecord.Kind) == StateKind.HostTimes;
  if ((rule == NO_INDEX && !isOfHost) || (host != u32(Host.None) && restoredHost(host) == u32(Host.None))) return false;
  store<u32>(at + StateRecord.Rule, rule);
  store<u32>(at + StateRecord.Host, restoredHost(host));
  return stateImport(at, bytes) == 1;
}

function restoreKernel(at: usize): bool {
  ordinalSet(load<u64>(at + KernelState.NextOrdinal));
  restoreTimes(
    u64(load<f64>(at + KernelState.LateRows)),
    u64(load<f64>(at + KernelState.FutureRows)),
    load<i64>(at + KernelState.GlobalMaxUs),
    load<i64>(at + KernelState.GlobalWatermarkUs),
    load<i64>(at + KernelState.GlobalFutureUs),
    load<u64>(at + KernelState.GlobalFutureHost),
  );
  return true;
}

function makeHost(at: usize, bytes: u32): bool {
  const old = load<u32>(at + HostState.Host);
  const length = load<u32>(at + HostState.NameLength);
  if (old >= hosts || length > bytes - HostState.Name) return false;
  let host: u32 = Host.Overflow;
  if (old > u32(Host.Overflow)) {
    host = hostIntern(load<u64>(at + HostState.Hash), at + HostState.Name, length);
    hostSettle(host);
  }
  store<u16>(hostMap + (usize(old) << 1), u16(host));
  hostRestore(
    host,
    load<i64>(at + HostState.MaxTimeUs),
    load<i64>(at + HostState.WatermarkUs),
    load<i64>(at + HostState.FutureLastUs),
  );
  return true;
}

// ----------------------------------------------------------------------------------------------- processes

function makeProcess(at: usize, bytes: u32): bool {
  const host = restoredHost(load<u32>(at + ProcessState.Host));
  const key = load<u64>(at + ProcessState.Key);
  if (!lineageEnabled() || host <= u32(Host.Overflow) || processFind(key) != 0) return false;
  const start = load<i64>(at + ProcessState.Start);
  const pid = load<u32>(at + ProcessState.Pid);
  const p = processRestore(key, host, pid, start >> 8);
  if (p == 0) return false;
  // The link is made in the second pass; until then there is none.
  processSetFlags(p, u32(start) & ((1 << ProcessFlag.LinkShift) - 1));
  processSetOwn(p, remapMarks(load<u64>(at + ProcessState.Own)));
  processSetInherited(p, remapMarks(load<u64>(at + ProcessState.Inherited)));
  processSetLastTick(p, load<u32>(at + ProcessState.LastTick));
  // The latest life of a pid is the one that has not ended, else the one written last.
  if ((u32(start) & ProcessFlag.Exited) == 0 || pid == 0) processIndexPid(p);
  else indexIfFirst(p, host, pid);
  if (imagesKept()) makeImages(p, host, at, bytes);
  return true;
}

function indexIfFirst(p: u32, host: u32, pid: u32): void {
  const latest = processFindPid(host, pid);
  if (latest == 0 || ((processFlags(latest) & ProcessFlag.Exited) != 0 && processStartUs(latest) <= processStartUs(p))) {
    processIndexPid(p);
  }
}

function remapMarks(marks: u64): u64 {
  let mapped: u64 = 0;
  for (let rest = marks; rest != 0; rest &= rest - 1) {
    const bit = load<u8>(maps + RestoreMaps.Marks + usize(ctz<u64>(rest)));
    if (bit < MARKS) mapped |= u64(1) << bit;
  }
  return mapped;
}

function makeImages(p: u32, host: u32, at: usize, bytes: u32): void {
  const end = at + bytes;
  let from = at + ProcessState.Images;
  let newer: u32 = 0;
  for (let i: u32 = 0; i < load<u32>(at + ProcessState.ImageCount) && from + 8 <= end; i++) {
    const image = imageCreate(load<i64>(from), host);
    if (image == 0) return;
    from += 8;
    for (let v: u32 = 0; v < IMAGE_VALUES; v++) {
      const column = wellKnown(LineageColumn.Executable + v);
      const value = readValue(column < columnCount() ? column : 0, from, end);
      if (column < columnCount()) imageSetValue(image, v, value);
      from = valueEnd();
    }
    if (newer == 0) processSetImages(p, image);
    else imageSetOlder(newer, image);
    newer = image;
  }
}

function linkProcess(at: usize): bool {
  const key = load<u64>(at + ProcessState.Parent);
  const p = processFind(load<u64>(at + ProcessState.Key));
  const parent = key == 0 ? 0 : processFind(key);
  if (p == 0 || parent == 0 || p == parent || processParent(p) != 0) return false;
  processSetParent(p, parent, (u32(load<i64>(at + ProcessState.Start)) & 0xff) >> ProcessFlag.LinkShift);
  return true;
}

// ---------------------------------------------------------------------------------------------------- rows

function makeRow(at: usize, bytes: u32): bool {
  const host = restoredHost(load<u32>(at + RowState.Host));
  if (host == u32(Host.None) || rowsFree() == 0) return false;
  if (chunkRows() == u32(IngestLimit.ChunkRows)) {
    keepHeldTexts();
    chunkBegin();
  }
  const slot = rowOpen(load<i64>(at + RowState.TimeUs));
  const row = rowAddress(slot);
  clearNumbers(row);
  const end = at + bytes;
  let from = at + RowState.Cells;
  for (let i: u32 = 0; i < load<u32>(at + RowState.CellCount) && from + 8 <= end; i++) {
    const old = load<u32>(from);
    const column = mapped(columnMap, columns, old);
    from += 8;
    if (column < columnCount() && columnKind(column) != ColumnKind.Time) {
      readCell(column, row + columnOffset(column), from, end);
    } else {
      readValue(0, from, end);
    }
    from = valueEnd();
  }
  rowRestage(slot, host, load<u64>(at + RowState.Ordinal), load<f64>(at + RowState.Tiebreak));
  if (!placeRow(slot, host, load<u32>(at + RowState.Place))) return false;
  for (let i: u32 = 0; i < load<u32>(at + RowState.DeferredCount) && from + 16 <= end; i++) {
    const rule = mapped(ruleMap, rules, load<u32>(from));
    if (rule != NO_INDEX) restoreDeferred(slot, load<u32>(from, 4), rule, load<u32>(from, 8));
    from += 16;
  }
  return true;
}
