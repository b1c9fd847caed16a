/** Writes witness records: one event that satisfied an item of a behaviour rule, with its chain of processes. */
import {
  EvidenceTag, ImageEntry, LineageColumn, Output, ProcessEntry, ProcessFlag, WitnessArgument, WitnessFlag, WitnessRecord,
} from "../src/core/abi/state";
import { rowIsLate } from "./apply";
import { encodeValue, evidenceRowBytes, evidenceWriteRow } from "./evidence_row";
import { IMAGE_VALUES, imageOlder, imageTimeUs, imageValue } from "./images";
import { ANCESTRY_DEPTH, lineageCarries } from "./lineage";
import { reserve } from "./memory";
import { outputCommit, outputRoom } from "./output";
import {
  processFlags, processImages, processInherited, processKey, processOwn, processParent, processPid, processStartUs,
  processTouch,
} from "./process_records";
import { rowHost, rowOrdinal, rowTimeUs } from "./rows";

/** Bytes of the process entries of one witness at most; what is beyond is left out and marked. */
const CHAIN_BYTES: u32 = 48 * 1024;
/** Least room for a process entry: its header and one short image. */
const ENTRY_ROOM: u32 = 256;

let chain: usize = 0;

/** The event and process of the last witness, and the marks the process had. */
let lastOrdinal: u64 = u64.MAX_VALUE;
let lastProcess: u32 = 0;
let lastMarks: u64 = 0;

export function witnessInit(): void {
  chain = reserve(CHAIN_BYTES + 64);
}

/**
 * Writes a witness if the process or an ancestor carries `rootMark`, or the item does not ask for it. One that follows
 * another of the same event and process refers to its chain and evidence.
 */
export function emitWitness(rule: u32, rootMark: u32, argument: u32, slot: u32, process: u32): void {
  if ((argument & WitnessArgument.Unattributed) == 0 && !lineageCarries(process, rootMark)) return;
  const marks = process == 0 ? 0 : processOwn(process);
  if (rowOrdinal(slot) == lastOrdinal && process == lastProcess && marks == lastMarks) {
    const at = outputRoom(WitnessRecord.Header);
    writeHeader(at, rule, argument, slot, 0, WitnessFlag.Repeated);
    outputCommit(at, Output.Witness, WitnessRecord.Header);
    return;
  }
  lastOrdinal = u64.MAX_VALUE;
  let bytes: u32 = 0;
  let count: u32 = 0;
  let p = process;
  while (p != 0 && count < ANCESTRY_DEPTH && bytes + ENTRY_ROOM <= CHAIN_BYTES) {
    bytes = writeProcess(p, bytes);
    processTouch(p, rowTimeUs(slot));
    count++;
    const isCut = (processFlags(p) & ProcessFlag.Truncated) != 0;
    p = processParent(p);
    if (isCut && p == 0) break;
  }
  const last = p;
  const evidence = evidenceRowBytes(slot);
  const total = WitnessRecord.Header + bytes + evidence;
  const at = outputRoom(total);
  if (at == 0) return;
  writeHeader(at, rule, argument, slot, count, flagsOf(slot, last));
  memory.copy(at + WitnessRecord.Header, chain, bytes);
  evidenceWriteRow(slot, 0, at + WitnessRecord.Header + bytes);
  outputCommit(at, Output.Witness, total);
  lastOrdinal = rowOrdinal(slot);
  lastProcess = process;
  lastMarks = marks;
}

function writeHeader(at: usize, rule: u32, argument: u32, slot: u32, count: u32, flags: u32): void {
  store<u32>(at + WitnessRecord.Rule, rule);
  store<u32>(at + WitnessRecord.Item, argument & WitnessArgument.ItemMask);
  store<u32>(at + WitnessRecord.Host, rowHost(slot));
  store<u32>(at + WitnessRecord.ProcessCount, count);
  store<i64>(at + WitnessRecord.TimeUs, rowTimeUs(slot));
  store<u64>(at + WitnessRecord.Flags, flags);
}

function flagsOf(slot: u32, beyond: u32): u32 {
  return (rowIsLate(slot) ? WitnessFlag.Late : 0) | (beyond != 0 ? WitnessFlag.ChainTruncated : 0);
}

/** Writes one process entry at `from` in the chain buffer; returns the new end. */
function writeProcess(p: u32, from: u32): u32 {
  const at = chain + from;
  store<u32>(at + ProcessEntry.Flags, processFlags(p));
  store<u64>(at + ProcessEntry.Identity, processKey(p));
  store<u64>(at + ProcessEntry.Own, processOwn(p));
  store<u64>(at + ProcessEntry.Inherited, processInherited(p));
  store<i64>(at + ProcessEntry.StartUs, processStartUs(p));
  store<u32>(at + ProcessEntry.Pid, processPid(p));
  let end = from + ProcessEntry.Header;
  let images: u32 = 0;
  let image = processImages(p);
  while (image != 0 && end + ImageEntry.Header + 64 <= CHAIN_BYTES) {
    end = writeImage(image, end);
    images++;
    image = imageOlder(image);
  }
  store<u32>(at + ProcessEntry.ImageCount, images);
  store<u32>(at + ProcessEntry.Bytes, end - from);
  return end;
}

function writeImage(image: u32, from: u32): u32 {
  const at = chain + from;
  store<u32>(at + ImageEntry.Reserved, 0);
  store<i64>(at + ImageEntry.TimeUs, imageTimeUs(image));
  let end = from + ImageEntry.Header;
  for (let i: u32 = 0; i < IMAGE_VALUES; i++) {
    const value = imageValue(image, i);
    if (value != 0) end = encodeValue(chain, end, CHAIN_BYTES, LineageColumn.Executable + i, value);
  }
  end = (end + 7) & ~7;
  store<u32>(at + ImageEntry.Bytes, end - from);
  return end;
}
