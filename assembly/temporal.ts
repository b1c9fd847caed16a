/**
 * Temporal rules: all of several rules fired for one key within a window, in any order or in the order of the parts.
 * For each (rule, part, key) one record waits. Unordered: the latest firing of the part. Ordered: of the chains of
 * firings that end at the part, the one that began last.
 */
import { Loss } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { SequenceRecord, StateTable, StepRecord } from "../src/core/abi/stateful";
import { evidenceClone, evidenceRelease, evidenceSetNext } from "./evidence";
import { groupKey, groupKeys, NO_KEY } from "./group_keys";
import { countLoss } from "./losses";
import { emitAlert } from "./output";
import { rowTimeUs } from "./rows";
import { stepRecord } from "./sequence";
import {
  captureEvidence,
  entryAdd,
  entryRemove,
  entrySetDeadline,
  entryTake,
  ruleData,
  stateHash,
  stateHost,
  stateTable,
} from "./state_entries";
import { groupFirst, groupHost, groupRule } from "./state_groups";
import { DEADLINE, HEAD, tableAt, tableEnter, tableFind, tableGive, tableLeave } from "./state_table";
import { alertFired } from "./stateful";

export const TEMPORAL_FROM: usize = HEAD; // i64 time of the firing, or of the chain's first
export const TEMPORAL_CHAIN: usize = HEAD + 8; // u32 evidence, newest first
export const TEMPORAL_PART: usize = HEAD + 12; // u32
export const TEMPORAL_KEY: usize = HEAD + 16; // u64
export const TEMPORAL_BYTES: u32 = 56;

function at(record: u32): usize {
  return tableAt(stateTable(StateTable.Temporal), record);
}

/** Books a firing of a part, for every combination of its key. */
export function temporalOffer(rule: u32, part: u32, slot: u32): void {
  const temporal = ruleData(rule, Section.Steps);
  const key = load<u32>(stepRecord(temporal, part) + StepRecord.Key);
  const combinations = groupKeys(key, slot, rule);
  const isOrdered = load<u32>(temporal + SequenceRecord.Argument) != 0;
  for (let i: u32 = 0; i < combinations; i++) {
    const keyHash = groupKey(i);
    if (isOrdered) observeOrdered(rule, part, slot, keyHash);
    else observeAny(rule, part, slot, keyHash);
  }
}

function observeAny(rule: u32, part: u32, slot: u32, key: u64): void {
  const host = stateHost(rule, slot);
  const timeUs = rowTimeUs(slot);
  temporalKeep(rule, part, key, host, timeUs, captureEvidence(slot, part, rule));
  const temporal = ruleData(rule, Section.Steps);
  const parts = load<u32>(temporal + SequenceRecord.StepCount);
  for (let other: u32 = 0; other < parts; other++) if (waiting(rule, other, key, host, timeUs) == 0) return;
  let chain: u32 = 0;
  for (let other: u32 = 0; other < parts; other++) {
    const link = load<u32>(at(waiting(rule, other, key, host, timeUs)) + TEMPORAL_CHAIN);
    if (link == 0) continue;
    evidenceSetNext(link, chain);
    chain = link;
  }
  emitAlert(rule, host, timeUs, chain, key == NO_KEY ? 0 : key, 0);
  for (let other: u32 = 0; other < parts; other++) {
    evidenceSetNext(load<u32>(at(waiting(rule, other, key, host, timeUs)) + TEMPORAL_CHAIN), 0);
  }
  alertFired(rule);
}

function observeOrdered(rule: u32, part: u32, slot: u32, key: u64): void {
  const host = stateHost(rule, slot);
  const timeUs = rowTimeUs(slot);
  const evidence = captureEvidence(slot, part, rule);
  if (part == 0) {
    temporalKeep(rule, part, key, host, timeUs, evidence);
  } else {
    const before = waiting(rule, part - 1, key, host, timeUs);
    if (before == 0) {
      evidenceRelease(evidence);
    } else {
      const fromUs = load<i64>(at(before) + TEMPORAL_FROM);
      const chain = evidenceClone(load<u32>(at(before) + TEMPORAL_CHAIN), rule);
      evidenceSetNext(evidence, chain);
      temporalKeep(rule, part, key, host, fromUs, evidence == 0 ? chain : evidence);
    }
  }
  const last = load<u32>(ruleData(rule, Section.Steps) + SequenceRecord.StepCount) - 1;
  const complete = waiting(rule, last, key, host, timeUs);
  if (complete == 0) return;
  emitAlert(rule, host, timeUs, load<u32>(at(complete) + TEMPORAL_CHAIN), key == NO_KEY ? 0 : key, 0);
  alertFired(rule);
}

/** The part's record if it lies in the window that ends at `timeUs`, else 0. */
function waiting(rule: u32, part: u32, key: u64, host: u32, timeUs: i64): u32 {
  const record = tableFind(stateTable(StateTable.Temporal), stateHash(rule, part, key, host));
  return record != 0 && load<i64>(at(record) + DEADLINE) >= timeUs ? record : 0;
}

/** Lets a firing or chain wait in place of an older one; takes over its evidence. */
export function temporalKeep(rule: u32, part: u32, key: u64, host: u32, fromUs: i64, chain: u32): void {
  const table = stateTable(StateTable.Temporal);
  const hash = stateHash(rule, part, key, host);
  const deadline = fromUs + load<i64>(ruleData(rule, Section.Steps) + SequenceRecord.MaxspanUs);
  let record = tableFind(table, hash);
  if (record == 0) {
    record = entryTake(StateTable.Temporal);
    store<i64>(at(record) + TEMPORAL_FROM, fromUs);
    store<u32>(at(record) + TEMPORAL_CHAIN, chain);
    store<u32>(at(record) + TEMPORAL_PART, part);
    store<u64>(at(record) + TEMPORAL_KEY, key);
    store<i64>(at(record) + DEADLINE, deadline);
    entryAdd(StateTable.Temporal, rule, host, record, 1);
    tableEnter(table, record, hash);
    return;
  }
  if (fromUs < load<i64>(at(record) + TEMPORAL_FROM)) {
    evidenceRelease(chain);
    return;
  }
  evidenceRelease(load<u32>(at(record) + TEMPORAL_CHAIN));
  store<i64>(at(record) + TEMPORAL_FROM, fromUs);
  store<u32>(at(record) + TEMPORAL_CHAIN, chain);
  entrySetDeadline(StateTable.Temporal, record, deadline);
}

function drop(record: u32): void {
  const table = stateTable(StateTable.Temporal);
  tableLeave(table, record);
  entryRemove(StateTable.Temporal, record, 1);
  evidenceRelease(load<u32>(at(record) + TEMPORAL_CHAIN));
  tableGive(table, record);
}

export function temporalDue(group: u32): void {
  drop(groupFirst(group));
}

export function temporalEvict(group: u32): void {
  countLoss(Loss.TemporalState, groupRule(group), groupHost(group), 1);
  drop(groupFirst(group));
}
