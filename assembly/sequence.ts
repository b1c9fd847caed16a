/**
 * Sequences, as Elasticsearch matches them. For each (rule, step, key) one partial match waits; an event takes the one
 * that waits at the step before its own, if that is earlier, and replaces what waits at its own.
 *
 * A step is offered the row for every combination of its key. What absence forbids is in `missing.ts`, steps in any
 * order are in `join.ts`.
 */
import { Loss } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { SequenceFlag, SequenceRecord, StateTable, StepFlag, StepRecord } from "../src/core/abi/stateful";
import { evidenceClone, evidenceRelease, evidenceSetNext } from "./evidence";
import { groupKey, groupKeys } from "./group_keys";
import { countLoss } from "./losses";
import { chainMissing, completeSequence, dropPending, forbid, lastForbidden } from "./missing";
import { joinEnd, joinFill } from "./join";
import { lookBackHolds } from "./look_back";
import { rowOrdinal, rowTiebreak, rowTimeUs } from "./rows";
import {
  captureEvidence,
  entryAdd,
  entryRemove,
  entryTake,
  ruleData,
  stateEvictions,
  stateHash,
  stateHost,
  stateTable,
} from "./state_entries";
import { FOREVER, groupFirst, groupHost, groupRule, ruleEntries } from "./state_groups";
import { DEADLINE, HEAD, tableAt, tableEnter, tableFind, tableGive, tableLeave } from "./state_table";

// One record: a partial match, a match that waits for the absence at its end, what a leading absence remembers
// (`missing.ts`), or one filled step of a join.
export const PARTIAL_RULE: usize = HEAD; // u32
export const PARTIAL_FLAGS: usize = HEAD + 4; // u32
export const PARTIAL_START: usize = HEAD + 8; // i64 time of the first event
export const PARTIAL_LAST: usize = HEAD + 16; // i64 time of the last event
export const PARTIAL_KEY: usize = HEAD + 24; // u64
export const PARTIAL_CHAIN: usize = HEAD + 32; // u32 evidence, newest first
export const PARTIAL_NEXT: usize = HEAD + 36; // u32 others that wait for the same absence
export const PARTIAL_BACK: usize = HEAD + 40; // u32
export const PARTIAL_STEP: usize = HEAD + 44; // u32 step of the last event
export const PARTIAL_TIEBREAK: usize = HEAD + 48; // f64 of the last event
export const PARTIAL_ORDINAL: usize = HEAD + 56; // u64 of the last event
export const PARTIAL_FORBIDDEN: usize = HEAD + 64; // i64 earliest event since the last one that absence forbids
export const PARTIAL_LEADING: usize = HEAD + 72; // i64 latest event before the first that absence forbids
export const PARTIAL_BYTES: u32 = 112;

export const FLAG_ENTERED: u32 = 1;
/** An event came that a step between two events forbids: the match goes on, since it hides older ones, to no result. */
export const FLAG_SPOILT: u32 = 2;
export const FLAG_PENDING: u32 = 4;
/** The record remembers what a leading absence forbids. */
export const FLAG_LEADING: u32 = 8;
/** The record is a filled step of a join. */
export const FLAG_JOIN: u32 = 16;

// Roles of records within a rule; steps take the numbers below.
export const ROLE_LEADING: u32 = 0x1000;
export const ROLE_PENDING: u32 = 0x1001;
export const ROLE_JOIN: u32 = 0x2000;

export const NEVER_US: i64 = i64.MIN_VALUE;

// @ts-ignore: decorator
@inline
export function partialAt(record: u32): usize {
  return tableAt(stateTable(StateTable.Sequence), record);
}

export function stepRecord(sequence: usize, step: u32): usize {
  return sequence + SequenceRecord.Bytes + usize(step) * StepRecord.Bytes;
}

/** Whether the row can matter to this step: what a rule has not begun cannot go on. */
export function sequenceWants(rule: u32, step: u32): bool {
  if (ruleEntries(rule) != 0) return true;
  const sequence = ruleData(rule, Section.Steps);
  const opening: u32 = StepFlag.First | StepFlag.Leading;
  return (
    (load<u32>(sequence + SequenceRecord.Flags) & SequenceFlag.Unordered) != 0 ||
    (load<u32>(stepRecord(sequence, step) + StepRecord.Flags) & opening) != 0
  );
}

/** Offers the row to a step. Steps of one rule are offered the same row from the last to the first. */
export function sequenceOffer(rule: u32, step: u32, slot: u32): void {
  const sequence = ruleData(rule, Section.Steps);
  const record = stepRecord(sequence, step);
  const key = load<u32>(record + StepRecord.Key);
  const combinations = groupKeys(key, slot, rule);
  const flags = load<u32>(record + StepRecord.Flags);
  const isJoin = (load<u32>(sequence + SequenceRecord.Flags) & SequenceFlag.Unordered) != 0;
  for (let i: u32 = 0; i < combinations; i++) {
    const keyHash = groupKey(i);
    if (isJoin) joinFill(rule, step, slot, keyHash);
    else if ((flags & StepFlag.Missing) != 0) forbid(rule, step, slot, keyHash);
    else if ((flags & StepFlag.First) != 0) begin(rule, step, slot, keyHash);
    else extend(rule, step, slot, keyHash);
  }
}

/** Drops what the rule holds for the keys of an `until` event, what the event itself has just done included. */
export function sequenceEnd(rule: u32, slot: u32): void {
  const sequence = ruleData(rule, Section.Steps);
  const key = load<u32>(sequence + SequenceRecord.UntilKey);
  const combinations = groupKeys(key, slot, rule);
  const host = stateHost(rule, slot);
  for (let i: u32 = 0; i < combinations; i++) {
    const keyHash = groupKey(i);
    if ((load<u32>(sequence + SequenceRecord.Flags) & SequenceFlag.Unordered) != 0) joinEnd(rule, keyHash, host);
    else dropWaiting(rule, slot, keyHash, host);
  }
}

function dropWaiting(rule: u32, slot: u32, key: u64, host: u32): void {
  const sequence = ruleData(rule, Section.Steps);
  const lookBack = load<u32>(sequence + SequenceRecord.Argument);
  const steps = load<u32>(sequence + SequenceRecord.StepCount);
  for (let step: u32 = 0; step < steps && ruleEntries(rule) != 0; step++) {
    if ((load<u32>(stepRecord(sequence, step) + StepRecord.Flags) & StepFlag.Missing) != 0) continue;
    const record = tableFind(stateTable(StateTable.Sequence), stateHash(rule, step, key, host));
    if (record == 0) continue;
    if (lookBackHolds(lookBack, slot, load<u32>(partialAt(record) + PARTIAL_CHAIN))) dropPartial(record);
  }
}

/** A row of the first step opens a partial match. */
function begin(rule: u32, step: u32, slot: u32, key: u64): void {
  const sequence = ruleData(rule, Section.Steps);
  const host = stateHost(rule, slot);
  const timeUs = rowTimeUs(slot);
  const maxspanUs = load<i64>(sequence + SequenceRecord.MaxspanUs);
  const evidence = captureEvidence(slot, step, rule);
  const record = entryTake(StateTable.Sequence);
  const at = partialAt(record);
  store<u32>(at + PARTIAL_RULE, rule);
  store<i64>(at + PARTIAL_START, timeUs);
  store<u64>(at + PARTIAL_KEY, key);
  store<i64>(at + PARTIAL_LEADING, lastForbidden(rule, key, host, timeUs));
  store<i64>(at + DEADLINE, maxspanUs < 0 ? FOREVER : timeUs + maxspanUs);
  linkEvidence(at, evidence, chainMissing(0, rule, 0, step, timeUs, host));
  entryAdd(StateTable.Sequence, rule, host, record, 1);
  settle(record, sequence, step, slot, host);
}

/** A row of a later step extends the partial match that waits before it. */
function extend(rule: u32, step: u32, slot: u32, key: u64): void {
  const sequence = ruleData(rule, Section.Steps);
  const previous = load<u32>(stepRecord(sequence, step) + StepRecord.Previous);
  const table = stateTable(StateTable.Sequence);
  const host = stateHost(rule, slot);
  const hash = stateHash(rule, previous, key, host);
  let record = tableFind(table, hash);
  if (record == 0 || !isEarlier(partialAt(record), slot)) return;
  // Where the condition does not hold against the match, the event is none of this step, and the match waits on.
  const lookBack = load<u32>(stepRecord(sequence, step) + StepRecord.Source);
  if (!lookBackHolds(lookBack, slot, load<u32>(partialAt(record) + PARTIAL_CHAIN))) return;
  const isFork = (load<u32>(stepRecord(sequence, step) + StepRecord.Flags) & StepFlag.Fork) != 0;
  const maxspanUs = load<i64>(sequence + SequenceRecord.MaxspanUs);
  const timeUs = rowTimeUs(slot);
  if (maxspanUs >= 0 && timeUs - load<i64>(partialAt(record) + PARTIAL_START) > maxspanUs) {
    if (!isFork) dropPartial(record);
    return;
  }
  const evictions = stateEvictions();
  const evidence = captureEvidence(slot, step, rule);
  const copy = isFork ? entryTake(StateTable.Sequence) : 0;
  if (stateEvictions() != evictions) record = tableFind(table, hash);
  if (record == 0) {
    evidenceRelease(evidence);
    if (copy != 0) tableGive(table, copy);
    return;
  }
  if (isFork) {
    copyPartial(record, copy, rule);
    entryAdd(StateTable.Sequence, rule, host, copy, 1);
    record = copy;
  } else {
    tableLeave(table, record);
  }
  const at = partialAt(record);
  const spoilt = load<i64>(at + PARTIAL_FORBIDDEN) < timeUs ? FLAG_SPOILT : 0;
  store<u32>(at + PARTIAL_FLAGS, (load<u32>(at + PARTIAL_FLAGS) & ~FLAG_ENTERED) | spoilt);
  linkEvidence(at, evidence, chainMissing(load<u32>(at + PARTIAL_CHAIN), rule, previous + 1, step, timeUs, host));
  settle(record, sequence, step, slot, host);
}

/** Lets a partial match that has just taken the row wait at its step, or completes it. */
function settle(record: u32, sequence: usize, step: u32, slot: u32, host: u32): void {
  const at = partialAt(record);
  store<i64>(at + PARTIAL_LAST, rowTimeUs(slot));
  store<f64>(at + PARTIAL_TIEBREAK, rowTiebreak(slot));
  store<u64>(at + PARTIAL_ORDINAL, rowOrdinal(slot));
  store<i64>(at + PARTIAL_FORBIDDEN, FOREVER);
  store<u32>(at + PARTIAL_STEP, step);
  if ((load<u32>(stepRecord(sequence, step) + StepRecord.Flags) & StepFlag.Final) != 0) {
    completeSequence(record, sequence, host);
    return;
  }
  const table = stateTable(StateTable.Sequence);
  const hash = stateHash(load<u32>(at + PARTIAL_RULE), step, load<u64>(at + PARTIAL_KEY), host);
  const older = tableFind(table, hash);
  if (older != 0) dropPartial(older);
  tableEnter(table, record, hash);
  store<u32>(at + PARTIAL_FLAGS, load<u32>(at + PARTIAL_FLAGS) | FLAG_ENTERED);
}

function copyPartial(from: u32, to: u32, rule: u32): void {
  const source = partialAt(from);
  const target = partialAt(to);
  store<i64>(target + DEADLINE, load<i64>(source + DEADLINE));
  memory.copy(target + HEAD, source + HEAD, usize(PARTIAL_BYTES) - HEAD);
  store<u32>(target + PARTIAL_CHAIN, evidenceClone(load<u32>(source + PARTIAL_CHAIN), rule));
}

/** Puts a row's evidence before the chain; where there was no room for it, the chain goes on without. */
export function linkEvidence(at: usize, evidence: u32, chain: u32): void {
  evidenceSetNext(evidence, chain);
  store<u32>(at + PARTIAL_CHAIN, evidence == 0 ? chain : evidence);
}

/** Whether the partial match's last event comes before the row: by time, tiebreaker (none last), arrival. */
function isEarlier(at: usize, slot: u32): bool {
  const last = load<i64>(at + PARTIAL_LAST);
  const timeUs = rowTimeUs(slot);
  if (last != timeUs) return last < timeUs;
  const a = load<f64>(at + PARTIAL_TIEBREAK);
  const b = rowTiebreak(slot);
  if (a == a && b == b && a != b) return a < b;
  if ((a == a) != (b == b)) return a == a;
  return load<u64>(at + PARTIAL_ORDINAL) < rowOrdinal(slot);
}

/** Frees a record of the table, whatever it is. */
export function dropPartial(record: u32): void {
  const table = stateTable(StateTable.Sequence);
  const at = partialAt(record);
  const flags = load<u32>(at + PARTIAL_FLAGS);
  if ((flags & FLAG_PENDING) != 0) dropPending(record);
  else if ((flags & FLAG_ENTERED) != 0) tableLeave(table, record);
  entryRemove(StateTable.Sequence, record, 1);
  evidenceRelease(load<u32>(at + PARTIAL_CHAIN));
  store<u32>(at + PARTIAL_FLAGS, 0);
  tableGive(table, record);
}

/** Drops the group's earliest record to make room. */
export function sequenceEvict(group: u32): void {
  countLoss(Loss.SequenceState, groupRule(group), groupHost(group), 1);
  dropPartial(groupFirst(group));
}
