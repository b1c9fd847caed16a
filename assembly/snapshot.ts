/**
 * Writes the kernel's logical state as records (`abi/snapshot.ts`) into the output buffer. Only between pushes, when the
 * buffer is empty and no chunk is staged; changes nothing. A copy of the kernel writes the same (`snapshot_regions.ts`).
 */
import { HostState, KernelState, ProcessState, RowPlace, RowState, SnapshotRecord } from "../src/core/abi/snapshot";
import { Host } from "../src/core/abi/state";
import {
  futureRowCount, globalFutureHostOf, globalFutureTimeUs, globalMaxTimeUs, globalWatermarkUs, lateRowCount, rowPlace,
} from "./apply";
import { columnCount } from "./columns";
import { deferredAction, deferredArgument, deferredFirst, deferredNext, deferredRule } from "./deferred";
import {
  hostCount, hostFutureLastUs, hostHash, hostMaxTimeUs, hostNameLength, hostNamePtr, hostWatermarkUs,
} from "./hosts";
import { IMAGE_VALUES, imageOlder, imageTimeUs, imageValue } from "./images";
import { lineageEnabled } from "./lineage";
import { align8 } from "./memory";
import { outputAppend, outputBytes, outputCommit, outputRoom } from "./output";
import {
  processFlags, processImages, processInherited, processKey, processLastTick, processNext, processOwn, processParent,
  processPid, processStartUs,
} from "./process_records";
import { processQueueFirst } from "./process_table";
import { ordinalNext, rowCapacity, rowHost, rowIsLive, rowOrdinal, rowTiebreak, rowTimeUs } from "./rows";
import { cellBytes, valueBytes, writeCell, writeValue } from "./snapshot_value";
import { stateExport, stateExportBegin } from "./state_snapshot";

/** Bytes written at a time, or little more; the output buffer is at least as large. */
const PIECE: u32 = 128 * 1024;

// What is written next: a phase, and a host or row in it; within a host the next of its processes.
const PHASE_HOSTS: u32 = 0;
const PHASE_PROCESSES: u32 = 1;
const PHASE_ROWS: u32 = 2;
const PHASE_STATE: u32 = 3;
const PHASE_END: u32 = 4;

let phase: u32 = PHASE_END;
let current: u32 = 0;
let process: u32 = 0;

/** Starts a snapshot: `snapshotNext` writes it from the beginning. State must not change until it has ended. */
export function snapshotBegin(): void {
  enter(PHASE_HOSTS);
  writeKernel();
}

/** Writes the next records; false when all have been written. The host takes what the output buffer holds after each call. */
export function snapshotNext(): bool {
  while (phase != PHASE_END) {
    if (phase == PHASE_STATE) return writeState();
    if (outputBytes() >= PIECE) return true;
    if (phase == PHASE_HOSTS) nextHost();
    else if (phase == PHASE_PROCESSES) nextProcess();
    else nextRow();
  }
  return false;
}

function enter(next: u32): void {
  phase = next;
  current = next == PHASE_ROWS ? 0 : u32(Host.Overflow);
  process = 0;
  if (next == PHASE_PROCESSES) process = lineageEnabled() ? processQueueFirst(current) : 0;
  if (next == PHASE_STATE) stateExportBegin();
}

function nextHost(): void {
  if (current < hostCount()) writeHost(current++);
  else enter(PHASE_PROCESSES);
}

function nextProcess(): void {
  if (process != 0) {
    writeProcess(process, current);
    process = processNext(process);
  } else if (!lineageEnabled() || ++current >= hostCount()) {
    enter(PHASE_ROWS);
  } else {
    process = processQueueFirst(current);
  }
}

function nextRow(): void {
  if (current >= rowCapacity()) enter(PHASE_STATE);
  else {
    if (rowIsLive(current)) writeRow(current);
    current++;
  }
}

function writeState(): bool {
  const bytes = stateExport(outputRoom(PIECE), PIECE);
  outputAppend(bytes);
  if (bytes == 0) phase = PHASE_END;
  return bytes != 0;
}

function writeKernel(): void {
  const at = outputRoom(KernelState.Bytes);
  store<u64>(at + KernelState.NextOrdinal, ordinalNext());
  store<f64>(at + KernelState.LateRows, lateRowCount());
  store<f64>(at + KernelState.FutureRows, futureRowCount());
  store<i64>(at + KernelState.GlobalMaxUs, globalMaxTimeUs());
  store<i64>(at + KernelState.GlobalWatermarkUs, globalWatermarkUs());
  store<i64>(at + KernelState.GlobalFutureUs, globalFutureTimeUs());
  store<u64>(at + KernelState.GlobalFutureHost, globalFutureHostOf());
  outputCommit(at, SnapshotRecord.Kernel, KernelState.Bytes);
}

function writeHost(host: u32): void {
  const length = hostNameLength(host);
  const bytes = HostState.Name + u32(align8(length));
  const at = outputRoom(bytes);
  store<u32>(at + HostState.Host, host);
  store<u32>(at + HostState.NameLength, length);
  store<u64>(at + HostState.Hash, hostHash(host));
  store<i64>(at + HostState.MaxTimeUs, hostMaxTimeUs(host));
  store<i64>(at + HostState.WatermarkUs, hostWatermarkUs(host));
  store<i64>(at + HostState.FutureLastUs, hostFutureLastUs(host));
  memory.fill(at + HostState.Name, 0, align8(length));
  memory.copy(at + HostState.Name, hostNamePtr(host), length);
  outputCommit(at, SnapshotRecord.Host, bytes);
}

function writeProcess(p: u32, host: u32): void {
  let bytes: u32 = ProcessState.Images;
  let count: u32 = 0;
  for (let image = processImages(p); image != 0; image = imageOlder(image)) bytes += imageBytes(image);
  // Images larger than the buffer stay behind; the process itself always fits.
  const hasImages = outputRoom(bytes) != 0;
  if (!hasImages) bytes = ProcessState.Images;
  const at = outputRoom(bytes);
  const parent = processParent(p);
  store<u64>(at + ProcessState.Key, processKey(p));
  store<u64>(at + ProcessState.Own, processOwn(p));
  store<u64>(at + ProcessState.Inherited, processInherited(p));
  store<i64>(at + ProcessState.Start, (processStartUs(p) << 8) | i64(processFlags(p)));
  store<u64>(at + ProcessState.Parent, parent != 0 ? processKey(parent) : 0);
  store<u32>(at + ProcessState.Pid, processPid(p));
  store<u32>(at + ProcessState.Host, host);
  store<u32>(at + ProcessState.LastTick, processLastTick(p));
  let end = at + ProcessState.Images;
  for (let image = hasImages ? processImages(p) : 0; image != 0; image = imageOlder(image)) {
    store<i64>(end, imageTimeUs(image));
    end += 8;
    for (let i: u32 = 0; i < IMAGE_VALUES; i++) end = writeValue(imageValue(image, i), end);
    count++;
  }
  store<u32>(at + ProcessState.ImageCount, count);
  outputCommit(at, SnapshotRecord.Process, bytes);
}

function imageBytes(image: u32): u32 {
  let bytes: u32 = 8;
  for (let i: u32 = 0; i < IMAGE_VALUES; i++) bytes += valueBytes(imageValue(image, i));
  return bytes;
}

function writeRow(slot: u32): void {
  let bytes: u32 = RowState.Cells;
  let count: u32 = 0;
  for (let c: u32 = 0; c < columnCount(); c++) {
    const cell = cellBytes(c, slot);
    if (cell == 0) continue;
    bytes += cell + 8;
    count++;
  }
  let deferred: u32 = 0;
  for (let entry = deferredFirst(slot); entry != 0; entry = deferredNext(entry)) deferred++;
  bytes += deferred * 16;
  const at = outputRoom(bytes);
  if (at == 0) return;
  store<u32>(at + RowState.Host, rowHost(slot));
  store<u32>(at + RowState.Place, rowPlace(slot));
  store<i64>(at + RowState.TimeUs, rowTimeUs(slot));
  store<u64>(at + RowState.Ordinal, rowOrdinal(slot));
  store<f64>(at + RowState.Tiebreak, rowTiebreak(slot));
  store<u32>(at + RowState.CellCount, count);
  store<u32>(at + RowState.DeferredCount, deferred);
  let end = at + RowState.Cells;
  for (let c: u32 = 0; c < columnCount(); c++) {
    if (cellBytes(c, slot) == 0) continue;
    store<u64>(end, c);
    end = writeCell(c, slot, end + 8);
  }
  for (let entry = deferredFirst(slot); entry != 0; entry = deferredNext(entry)) {
    store<u32>(end, deferredRule(entry));
    store<u32>(end, deferredAction(entry), 4);
    store<u32>(end, deferredArgument(entry), 8);
    store<u32>(end, 0, 12);
    end += 16;
  }
  outputCommit(at, SnapshotRecord.Row, bytes);
}
