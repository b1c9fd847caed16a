/**
 * Steps satisfied by absence. Absence is judged by time alone, over open intervals, once the events of a match are all
 * there: between two events nothing forbidden may lie; at the ends some window of `maxspan` around the match must be
 * free of what they forbid. Where the window is not over yet the match waits for its end.
 */
import { Section } from "../src/core/abi/program";
import { SequenceFlag, SequenceRecord, StateTable, StepFlag, StepRecord } from "../src/core/abi/stateful";
import { evidenceMissing, evidenceSetNext } from "./evidence";
import { NO_KEY } from "./group_keys";
import { emitAlert } from "./output";
import { rowTimeUs } from "./rows";
import {
  dropPartial,
  FLAG_ENTERED,
  FLAG_LEADING,
  FLAG_PENDING,
  FLAG_SPOILT,
  NEVER_US,
  PARTIAL_BACK,
  PARTIAL_CHAIN,
  PARTIAL_FLAGS,
  PARTIAL_FORBIDDEN,
  PARTIAL_KEY,
  PARTIAL_LAST,
  PARTIAL_LEADING,
  PARTIAL_NEXT,
  PARTIAL_RULE,
  PARTIAL_START,
  PARTIAL_STEP,
  partialAt,
  ROLE_LEADING,
  ROLE_PENDING,
  stepRecord,
} from "./sequence";
import { entryAdd, entrySetDeadline, entryTake, ruleData, stateHash, stateHost, stateTable } from "./state_entries";
import { groupFirst, groupHost } from "./state_groups";
import { DEADLINE, tableEnter, tableFind, tableLeave, tableReplace } from "./state_table";
import { alertFired } from "./stateful";

/** Takes note of an event that a missing step forbids. */
export function forbid(rule: u32, step: u32, slot: u32, key: u64): void {
  const sequence = ruleData(rule, Section.Steps);
  const record = stepRecord(sequence, step);
  const flags = load<u32>(record + StepRecord.Flags);
  const host = stateHost(rule, slot);
  const timeUs = rowTimeUs(slot);
  if ((flags & StepFlag.Leading) != 0) {
    rememberLeading(rule, sequence, key, host, timeUs);
  } else if ((flags & StepFlag.Trailing) != 0) {
    dropForbidden(rule, key, host, timeUs);
  } else {
    const previous = load<u32>(record + StepRecord.Previous);
    const waiting = tableFind(stateTable(StateTable.Sequence), stateHash(rule, previous, key, host));
    if (waiting == 0) return;
    const at = partialAt(waiting);
    if (timeUs <= load<i64>(at + PARTIAL_LAST)) return;
    if (timeUs < load<i64>(at + PARTIAL_FORBIDDEN)) store<i64>(at + PARTIAL_FORBIDDEN, timeUs);
  }
}

// ---------------------------------------------------------------------------------------------- before the match

/** Keeps the latest forbidden time of the key, and the latest before it, for a first event at that very time. */
function rememberLeading(rule: u32, sequence: usize, key: u64, host: u32, timeUs: i64): void {
  const table = stateTable(StateTable.Sequence);
  const deadline = timeUs + load<i64>(sequence + SequenceRecord.MaxspanUs);
  const hash = stateHash(rule, ROLE_LEADING, key, host);
  let record = tableFind(table, hash);
  if (record == 0) {
    record = entryTake(StateTable.Sequence);
    const fresh = partialAt(record);
    store<u32>(fresh + PARTIAL_RULE, rule);
    store<u32>(fresh + PARTIAL_FLAGS, FLAG_ENTERED | FLAG_LEADING);
    store<u64>(fresh + PARTIAL_KEY, key);
    store<i64>(fresh + PARTIAL_LAST, timeUs);
    store<i64>(fresh + PARTIAL_START, NEVER_US);
    store<i64>(fresh + DEADLINE, deadline);
    entryAdd(StateTable.Sequence, rule, host, record, 1);
    tableEnter(table, record, hash);
    return;
  }
  const at = partialAt(record);
  const last = load<i64>(at + PARTIAL_LAST);
  if (timeUs > last) {
    store<i64>(at + PARTIAL_START, last);
    store<i64>(at + PARTIAL_LAST, timeUs);
    entrySetDeadline(StateTable.Sequence, record, deadline);
  } else if (timeUs < last && timeUs > load<i64>(at + PARTIAL_START)) {
    store<i64>(at + PARTIAL_START, timeUs);
  }
}

/** Latest time before `beforeUs` that the missing steps at the start forbid, `NEVER_US` when none is remembered. */
export function lastForbidden(rule: u32, key: u64, host: u32, beforeUs: i64): i64 {
  const sequence = ruleData(rule, Section.Steps);
  if ((load<u32>(sequence + SequenceRecord.Flags) & SequenceFlag.HasLeading) == 0) return NEVER_US;
  const record = tableFind(stateTable(StateTable.Sequence), stateHash(rule, ROLE_LEADING, key, host));
  if (record == 0) return NEVER_US;
  const at = partialAt(record);
  const last = load<i64>(at + PARTIAL_LAST);
  return last < beforeUs ? last : load<i64>(at + PARTIAL_START);
}

// ------------------------------------------------------------------------------------------- all events are there

/** Judges the absences of a match whose events are all there: no result, a result, or a wait for the window's end. */
export function completeSequence(record: u32, sequence: usize, host: u32): void {
  const at = partialAt(record);
  const flags = load<u32>(sequence + SequenceRecord.Flags);
  const lastUs = load<i64>(at + PARTIAL_LAST);
  const hasLeading = (flags & SequenceFlag.HasLeading) != 0;
  const leadingUs = load<i64>(at + PARTIAL_LEADING);
  const fromUs = hasLeading ? leadingUs : load<i64>(at + PARTIAL_START);
  const endUs = fromUs == NEVER_US ? NEVER_US : fromUs + load<i64>(sequence + SequenceRecord.MaxspanUs);
  if ((load<u32>(at + PARTIAL_FLAGS) & FLAG_SPOILT) != 0) dropPartial(record);
  else if ((flags & SequenceFlag.HasTrailing) != 0 && endUs >= lastUs) waitForAbsence(record, endUs, host);
  else if (hasLeading && endUs >= lastUs) dropPartial(record);
  else finish(record, lastUs, host);
}

/** Publishes a match and frees it. */
function finish(record: u32, timeUs: i64, host: u32): void {
  const at = partialAt(record);
  const rule = load<u32>(at + PARTIAL_RULE);
  const sequence = ruleData(rule, Section.Steps);
  const steps = load<u32>(sequence + SequenceRecord.StepCount);
  const chain = chainMissing(load<u32>(at + PARTIAL_CHAIN), rule, load<u32>(at + PARTIAL_STEP) + 1, steps, timeUs, host);
  store<u32>(at + PARTIAL_CHAIN, chain);
  const key = load<u64>(at + PARTIAL_KEY);
  emitAlert(rule, host, timeUs, chain, key == NO_KEY ? 0 : key, 0);
  dropPartial(record);
  alertFired(rule);
}

/** The chain with an entry before it for each step in `[from, to)`, which absence satisfied until `timeUs`. */
export function chainMissing(chain: u32, rule: u32, from: u32, to: u32, timeUs: i64, host: u32): u32 {
  for (let step = from; step < to; step++) {
    const link = evidenceMissing(step, timeUs, host, rule);
    if (link == 0) break;
    evidenceSetNext(link, chain);
    chain = link;
  }
  return chain;
}

// ------------------------------------------------------------------------------------------------ after the match

/** Lets a match wait until `endUs` for what its missing end forbids. Those of one key form a list. */
export function waitForAbsence(record: u32, endUs: i64, host: u32): void {
  const table = stateTable(StateTable.Sequence);
  const at = partialAt(record);
  const hash = stateHash(load<u32>(at + PARTIAL_RULE), ROLE_PENDING, load<u64>(at + PARTIAL_KEY), host);
  const first = tableFind(table, hash);
  store<u32>(at + PARTIAL_FLAGS, load<u32>(at + PARTIAL_FLAGS) | FLAG_PENDING);
  store<u32>(at + PARTIAL_NEXT, first);
  store<u32>(at + PARTIAL_BACK, 0);
  if (first == 0) {
    tableEnter(table, record, hash);
  } else {
    tableReplace(table, first, record);
    store<u32>(partialAt(first) + PARTIAL_BACK, record);
  }
  entrySetDeadline(StateTable.Sequence, record, endUs);
}

/** Takes a waiting match out of its key's list. */
export function dropPending(record: u32): void {
  const table = stateTable(StateTable.Sequence);
  const at = partialAt(record);
  const next = load<u32>(at + PARTIAL_NEXT);
  const back = load<u32>(at + PARTIAL_BACK);
  if (next != 0) store<u32>(partialAt(next) + PARTIAL_BACK, back);
  if (back != 0) store<u32>(partialAt(back) + PARTIAL_NEXT, next);
  else if (next != 0) tableReplace(table, record, next);
  else tableLeave(table, record);
}

function dropForbidden(rule: u32, key: u64, host: u32, timeUs: i64): void {
  let record = tableFind(stateTable(StateTable.Sequence), stateHash(rule, ROLE_PENDING, key, host));
  while (record != 0) {
    const at = partialAt(record);
    const next = load<u32>(at + PARTIAL_NEXT);
    if (timeUs > load<i64>(at + PARTIAL_LAST) && timeUs <= load<i64>(at + DEADLINE)) dropPartial(record);
    record = next;
  }
}

/** Handles the group's earliest record, whose deadline has passed: a waiting match is a result, the rest is over. */
export function sequenceDue(group: u32): void {
  const record = groupFirst(group);
  const at = partialAt(record);
  if ((load<u32>(at + PARTIAL_FLAGS) & FLAG_PENDING) != 0) finish(record, load<i64>(at + DEADLINE), groupHost(group));
  else dropPartial(record);
}
