/**
 * Samples: for each key, one event per step, all different, in any order of time. The first events of each (rule, step,
 * key) are kept, as many as the results asked for can need, and combined when the stream ends.
 */
import { Loss } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { SequenceRecord, StateTable, StepRecord } from "../src/core/abi/stateful";
import { evidenceRelease, evidenceSetNext } from "./evidence";
import { groupKey, groupKeys, NO_KEY } from "./group_keys";
import { countLoss } from "./losses";
import { reserve } from "./memory";
import { emitAlert } from "./output";
import { rowOrdinal, rowTimeUs } from "./rows";
import { stepRecord } from "./sequence";
import {
  captureEvidence,
  entryAdd,
  entryRemove,
  entryTake,
  ruleData,
  stateHash,
  stateHost,
  stateTable,
} from "./state_entries";
import { FOREVER, groupAdd, groupFirst, groupHost, groupRule } from "./state_groups";
import { DEADLINE, GROUP, HEAD, tableAt, tableEnd, tableEnter, tableFind, tableGive, tableLeave } from "./state_table";

// One kept event. The first of a (rule, step, key) is in the index and in its group; the others hang on it.
export const KEPT_RULE: usize = HEAD; // u32
export const KEPT_STEP: usize = HEAD + 4; // u32
export const KEPT_KEY: usize = HEAD + 8; // u64
export const KEPT_ORDINAL: usize = HEAD + 16; // u64
export const KEPT_TIME: usize = HEAD + 24; // i64
export const KEPT_CHAIN: usize = HEAD + 32; // u32 evidence
export const KEPT_NEXT: usize = HEAD + 36; // u32
const TAIL: usize = HEAD + 40; // u32 first record: the last one
export const KEPT_COUNT: usize = HEAD + 44; // u32 first record: how many; 0 in the others
export const SAMPLE_BYTES: u32 = 80;

/** Steps of a sample. */
const STEPS_MAX: u32 = 256;
let chosen: usize = 0;
let results: u32 = 0;

export function sampleInit(): void {
  chosen = reserve(usize(STEPS_MAX) << 2);
}

function at(record: u32): usize {
  return tableAt(stateTable(StateTable.Sample), record);
}

export function sampleOffer(rule: u32, step: u32, slot: u32): void {
  const sample = ruleData(rule, Section.Steps);
  const key = load<u32>(stepRecord(sample, step) + StepRecord.Key);
  const combinations = groupKeys(key, slot, rule);
  for (let i: u32 = 0; i < combinations; i++) keep(rule, step, slot, groupKey(i));
}

function keep(rule: u32, step: u32, slot: u32, key: u64): void {
  const table = stateTable(StateTable.Sample);
  const sample = ruleData(rule, Section.Steps);
  const host = stateHost(rule, slot);
  const hash = stateHash(rule, step, key, host);
  const steps = load<u32>(sample + SequenceRecord.StepCount);
  // An event that others use is no choice: `steps` squared covers all that can be spoken for.
  const most = load<u32>(sample + SequenceRecord.Argument) + steps * steps;
  const first = tableFind(table, hash);
  if (first != 0 && load<u32>(at(first) + KEPT_COUNT) >= most) return;
  const evidence = captureEvidence(slot, step, rule);
  sampleKeep(rule, step, host, key, rowOrdinal(slot), rowTimeUs(slot), evidence);
}

/** Keeps an event as the last of its (rule, step, key); takes over its evidence. */
export function sampleKeep(rule: u32, step: u32, host: u32, key: u64, ordinal: u64, timeUs: i64, evidence: u32): void {
  const table = stateTable(StateTable.Sample);
  const hash = stateHash(rule, step, key, host);
  const record = entryTake(StateTable.Sample);
  const first = tableFind(table, hash);
  store<u32>(at(record) + KEPT_RULE, rule);
  store<u32>(at(record) + KEPT_STEP, step);
  store<u64>(at(record) + KEPT_KEY, key);
  store<u64>(at(record) + KEPT_ORDINAL, ordinal);
  store<i64>(at(record) + KEPT_TIME, timeUs);
  store<u32>(at(record) + KEPT_CHAIN, evidence);
  store<i64>(at(record) + DEADLINE, FOREVER);
  if (first == 0) {
    store<u32>(at(record) + TAIL, record);
    store<u32>(at(record) + KEPT_COUNT, 1);
    entryAdd(StateTable.Sample, rule, host, record, 1);
    tableEnter(table, record, hash);
    return;
  }
  store<u32>(at(load<u32>(at(first) + TAIL)) + KEPT_NEXT, record);
  store<u32>(at(first) + TAIL, record);
  store<u32>(at(first) + KEPT_COUNT, load<u32>(at(first) + KEPT_COUNT) + 1);
  groupAdd(load<u32>(at(first) + GROUP), 1);
}

/** Publishes the samples of every key. */
export function sampleFlush(): void {
  const table = stateTable(StateTable.Sample);
  const end = tableEnd(table);
  for (let record: u32 = 1; record < end; record++) {
    const isHead = load<u64>(at(record)) != 0 && load<u32>(at(record) + KEPT_COUNT) != 0;
    if (!isHead || load<u32>(at(record) + KEPT_STEP) != 0) continue;
    results = 0;
    choose(record, 0);
  }
}

/** Chooses events for the steps from `step` on, in order of arrival; `head` is the first step's first record. */
function choose(head: u32, step: u32): void {
  const rule = load<u32>(at(head) + KEPT_RULE);
  const sample = ruleData(rule, Section.Steps);
  if (step == load<u32>(sample + SequenceRecord.StepCount)) {
    publish(head, step);
    return;
  }
  const host = groupHost(load<u32>(at(head) + GROUP));
  const hash = stateHash(rule, step, load<u64>(at(head) + KEPT_KEY), host);
  const most = load<u32>(sample + SequenceRecord.Argument);
  let option = tableFind(stateTable(StateTable.Sample), hash);
  for (; option != 0 && results < most; option = load<u32>(at(option) + KEPT_NEXT)) {
    if (isChosen(option, step)) continue;
    store<u32>(chosen + (usize(step) << 2), option);
    choose(head, step + 1);
  }
}

function isChosen(option: u32, steps: u32): bool {
  const ordinal = load<u64>(at(option) + KEPT_ORDINAL);
  for (let step: u32 = 0; step < steps; step++) {
    if (load<u64>(at(load<u32>(chosen + (usize(step) << 2))) + KEPT_ORDINAL) == ordinal) return true;
  }
  return false;
}

function publish(head: u32, steps: u32): void {
  results++;
  let chain: u32 = 0;
  let timeUs: i64 = i64.MIN_VALUE;
  for (let step: u32 = 0; step < steps; step++) {
    const record = at(load<u32>(chosen + (usize(step) << 2)));
    timeUs = max<i64>(timeUs, load<i64>(record + KEPT_TIME));
    const link = load<u32>(record + KEPT_CHAIN);
    if (link == 0) continue;
    evidenceSetNext(link, chain);
    chain = link;
  }
  const key = load<u64>(at(head) + KEPT_KEY);
  const host = groupHost(load<u32>(at(head) + GROUP));
  emitAlert(load<u32>(at(head) + KEPT_RULE), host, timeUs, chain, key == NO_KEY ? 0 : key, 0);
  for (let step: u32 = 0; step < steps; step++) {
    evidenceSetNext(load<u32>(at(load<u32>(chosen + (usize(step) << 2))) + KEPT_CHAIN), 0);
  }
}

/** Drops all that is kept of the group's first (step, key) to make room. */
export function sampleEvict(group: u32): void {
  const table = stateTable(StateTable.Sample);
  const first = groupFirst(group);
  const count = load<u32>(at(first) + KEPT_COUNT);
  countLoss(Loss.SampleState, groupRule(group), groupHost(group), count);
  tableLeave(table, first);
  entryRemove(StateTable.Sample, first, count);
  let record = first;
  while (record != 0) {
    const next = load<u32>(at(record) + KEPT_NEXT);
    evidenceRelease(load<u32>(at(record) + KEPT_CHAIN));
    tableGive(table, record);
    record = next;
  }
}
