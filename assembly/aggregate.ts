/**
 * Aggregates: one window per (rule, key) over the events of the rule. Each event enters its window as samples and leaves
 * it once; what is judged after each event is kept up to date by them, never counted afresh.
 */
import { Loss } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import {
  Absent,
  AggregateFlag,
  AggregateFunctionCode,
  AggregateRecord,
  FunctionRecord,
  Functions,
  StateTable,
} from "../src/core/abi/stateful";
import { allHold, functionValue, publish } from "./aggregate_judge";
import {
  distinctAdd,
  distinctRemove,
  SAMPLE_BACK,
  SAMPLE_EVENT,
  SAMPLE_EVIDENCE,
  SAMPLE_KIND,
  SAMPLE_NEXT,
  SAMPLE_TIME,
  SAMPLE_VALUE,
  sampleAt,
  sampleGive,
  sampleTake,
} from "./aggregate_samples";
import { evidenceRelease } from "./evidence";
import { groupKey, groupKeys } from "./group_keys";
import { keyAt, keyEvaluate } from "./keys";
import { countLoss } from "./losses";
import { numberOf } from "./number_cell";
import { rankInsert, rankRemove } from "./ranks";
import { rowTimeUs } from "./rows";
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
import { groupAdd, groupFirst, groupHost, groupNoisiest, groupRule } from "./state_groups";
import {
  DEADLINE,
  GROUP,
  HASH,
  HEAD,
  tableAt,
  tableEnter,
  tableFind,
  tableGive,
  tableIsFull,
  tableLeave,
} from "./state_table";
import { alertFired } from "./stateful";

// One window.
export const WINDOW_RULE: usize = HEAD; // u32
export const WINDOW_NEWEST: usize = HEAD + 4; // u32 sample
export const WINDOW_OLDEST: usize = HEAD + 8; // u32 sample
export const WINDOW_EVENTS: usize = HEAD + 12; // u32
export const WINDOW_KEY: usize = HEAD + 16; // u64
export const WINDOW_NEWEST_US: usize = HEAD + 24; // i64 time of the newest event
export const WINDOW_QUIET_US: usize = HEAD + 32; // i64 until then, itself included, a crossing alerts no more
const EVIDENCE_FIRST: usize = HEAD + 40; // u32 oldest sample that has evidence
export const WINDOW_EVIDENCE_COUNT: usize = HEAD + 44; // u32
const SAMPLES: usize = HEAD + 48; // u32
const FUNCTIONS: usize = HEAD + 56;
// One function: f64 sum, f64 what rounding took from it, u32 numbers (or distinct values), u32 root of the ranks.
export const ROUNDED: usize = 8;
export const NUMBERS: usize = 16;
export const RANKS: usize = 20;
const FUNCTION: usize = 24;
export const WINDOW_BYTES: u32 = u32(FUNCTIONS) + Functions.Max * u32(FUNCTION);

const NEVER_US: i64 = i64.MIN_VALUE;
/** Windows of more samples are trimmed by an eighth, not dropped, where room is needed. */
const TRIM_ABOVE: u32 = 64;
/** The window that is being added to: it may be trimmed, never dropped. */
let pinned: u32 = 0;

export function windowAt(window: u32): usize {
  return tableAt(stateTable(StateTable.Aggregate), window);
}

// @ts-ignore: decorator
@inline
export function functionAt(window: u32, index: u32): usize {
  return windowAt(window) + FUNCTIONS + usize(index) * FUNCTION;
}

// @ts-ignore: decorator
@inline
export function functionRecord(aggregate: usize, index: u32): usize {
  return aggregate + AggregateRecord.Bytes + usize(index) * FunctionRecord.Bytes;
}

function isTumbling(aggregate: usize): bool {
  return (load<u32>(aggregate + AggregateRecord.Flags) & AggregateFlag.Tumbling) != 0;
}

/** Books the row in the window of every combination of the rule's key. */
export function aggregateOffer(rule: u32, slot: u32): void {
  const aggregate = ruleData(rule, Section.Aggregates);
  const key = load<u32>(aggregate + AggregateRecord.Key);
  const combinations = groupKeys(key, slot, rule);
  for (let i: u32 = 0; i < combinations; i++) observe(rule, aggregate, slot, groupKey(i));
}

function observe(rule: u32, aggregate: usize, slot: u32, key: u64): void {
  const timeUs = rowTimeUs(slot);
  const windowUs = load<i64>(aggregate + AggregateRecord.WindowUs);
  const window = windowOf(rule, aggregate, slot, key);
  const newestUs = load<i64>(windowAt(window) + WINDOW_NEWEST_US);
  pinned = window;
  if (isTumbling(aggregate)) {
    const start = windowStart(timeUs, windowUs);
    if (newestUs != NEVER_US && windowStart(newestUs, windowUs) > start) return unpin();
    if (newestUs < start) removeBefore(window, aggregate, start);
  } else {
    if (newestUs != NEVER_US && timeUs < newestUs - windowUs) return unpin();
    if (timeUs > newestUs) removeBefore(window, aggregate, timeUs - windowUs);
  }
  addEvent(window, rule, aggregate, slot, timeUs);
  if (timeUs > newestUs) store<i64>(windowAt(window) + WINDOW_NEWEST_US, timeUs);
  judge(window, rule, aggregate);
  unpin();
}

function judge(window: u32, rule: u32, aggregate: usize): void {
  if (!allHold(window, aggregate)) return;
  const isCrossing = (load<u32>(aggregate + AggregateRecord.Flags) & AggregateFlag.Crossing) != 0;
  const timeUs = load<i64>(windowAt(window) + WINDOW_NEWEST_US);
  if (isCrossing) {
    if (timeUs <= load<i64>(windowAt(window) + WINDOW_QUIET_US)) return;
    store<i64>(windowAt(window) + WINDOW_QUIET_US, endOf(window, aggregate));
  }
  publish(window, rule, timeUs, functionValue(window, aggregate, 0));
  alertFired(rule);
}

function unpin(): void {
  pinned = 0;
}

function windowOf(rule: u32, aggregate: usize, slot: u32, key: u64): u32 {
  const host = stateHost(rule, slot);
  const existing = tableFind(stateTable(StateTable.Aggregate), stateHash(rule, 0, key, host));
  if (existing != 0) return existing;
  return windowMake(rule, host, key, rowTimeUs(slot) + load<i64>(aggregate + AggregateRecord.WindowUs));
}

/** An empty window. Its key must have none. */
export function windowMake(rule: u32, host: u32, key: u64, deadlineUs: i64): u32 {
  const window = entryTake(StateTable.Aggregate);
  store<u32>(windowAt(window) + WINDOW_RULE, rule);
  store<u64>(windowAt(window) + WINDOW_KEY, key);
  store<i64>(windowAt(window) + WINDOW_NEWEST_US, NEVER_US);
  store<i64>(windowAt(window) + WINDOW_QUIET_US, NEVER_US);
  store<i64>(windowAt(window) + DEADLINE, deadlineUs);
  entryAdd(StateTable.Aggregate, rule, host, window, 1);
  tableEnter(stateTable(StateTable.Aggregate), window, stateHash(rule, 0, key, host));
  return window;
}

function windowStart(timeUs: i64, windowUs: i64): i64 {
  const rest = timeUs % windowUs;
  return timeUs - (rest < 0 ? rest + windowUs : rest);
}

// -------------------------------------------------------------------------------------------------- samples in

function addEvent(window: u32, rule: u32, aggregate: usize, slot: u32, timeUs: i64): void {
  const isNewest = timeUs >= load<i64>(windowAt(window) + WINDOW_NEWEST_US);
  const evidence = isNewest ? captureEvidence(slot, 0, rule) : 0;
  const event = addSample(window, SAMPLE_EVENT, 0, timeUs);
  store<u32>(windowAt(window) + WINDOW_EVENTS, load<u32>(windowAt(window) + WINDOW_EVENTS) + 1);
  if (evidence != 0) keepEvidence(window, aggregate, event, evidence);
  const count = load<u32>(aggregate + AggregateRecord.FunctionCount);
  for (let i: u32 = 0; i < count; i++) {
    const code = load<u32>(functionRecord(aggregate, i) + FunctionRecord.Code);
    if (code == AggregateFunctionCode.Count) continue;
    if (code == AggregateFunctionCode.Distinct) addDistinct(window, aggregate, i, slot, timeUs);
    else addNumber(window, aggregate, i, slot, timeUs);
  }
}

/** Gives the event evidence; only the newest few events keep theirs. */
function keepEvidence(window: u32, aggregate: usize, event: u32, evidence: u32): void {
  store<u32>(sampleAt(event) + SAMPLE_EVIDENCE, evidence);
  const count = load<u32>(windowAt(window) + WINDOW_EVIDENCE_COUNT) + 1;
  store<u32>(windowAt(window) + WINDOW_EVIDENCE_COUNT, count);
  if (count == 1) store<u32>(windowAt(window) + EVIDENCE_FIRST, event);
  else if (count > load<u32>(aggregate + AggregateRecord.EvidenceMax)) dropEvidence(window);
}

/** Releases the window's oldest evidence. */
function dropEvidence(window: u32): void {
  let sample = load<u32>(windowAt(window) + EVIDENCE_FIRST);
  evidenceRelease(load<u32>(sampleAt(sample) + SAMPLE_EVIDENCE));
  store<u32>(sampleAt(sample) + SAMPLE_EVIDENCE, 0);
  while (sample != 0 && load<u32>(sampleAt(sample) + SAMPLE_EVIDENCE) == 0) {
    sample = load<u32>(sampleAt(sample) + SAMPLE_NEXT);
  }
  store<u32>(windowAt(window) + EVIDENCE_FIRST, sample);
  store<u32>(windowAt(window) + WINDOW_EVIDENCE_COUNT, load<u32>(windowAt(window) + WINDOW_EVIDENCE_COUNT) - 1);
}

function addDistinct(window: u32, aggregate: usize, index: u32, slot: u32, timeUs: i64): void {
  const values = keyEvaluate(load<u32>(functionRecord(aggregate, index) + FunctionRecord.Key), slot);
  for (let i: u32 = 0; i < values; i++) addValue(window, aggregate, index, keyAt(i), timeUs);
}

function addNumber(window: u32, aggregate: usize, index: u32, slot: u32, timeUs: i64): void {
  const record = functionRecord(aggregate, index);
  let value = numberOf(load<u32>(record + FunctionRecord.Column), slot);
  const fallback = load<u32>(record + FunctionRecord.Fallback);
  if (value != value && fallback != Absent.Id) value = numberOf(fallback, slot);
  if (value == value) addValue(window, aggregate, index, reinterpret<u64>(value), timeUs);
}

/** Adds a value (f64 bits, or the hash of a distinct value) to a function of the window. */
function addValue(window: u32, aggregate: usize, index: u32, value: u64, timeUs: i64): void {
  const code = load<u32>(functionRecord(aggregate, index) + FunctionRecord.Code);
  const isNew = code != AggregateFunctionCode.Distinct || distinctAdd(load<u64>(windowAt(window) + HASH), index, value);
  const sample = addSample(window, index, value, timeUs);
  const state = functionAt(window, index);
  if (isNew) store<u32>(state + NUMBERS, load<u32>(state + NUMBERS) + 1);
  if (code == AggregateFunctionCode.Percentile) store<u32>(state + RANKS, rankInsert(load<u32>(state + RANKS), sample));
  else if (code != AggregateFunctionCode.Distinct) addToSum(state, reinterpret<f64>(value));
}

/** Neumaier's sum: what rounding takes is kept beside it, so that large values leave no trace when they go. */
function addToSum(state: usize, value: f64): void {
  const before = load<f64>(state);
  const sum = before + value;
  const lost = abs<f64>(before) >= abs<f64>(value) ? before - sum + value : value - sum + before;
  store<f64>(state, sum);
  store<f64>(state + ROUNDED, load<f64>(state + ROUNDED) + lost);
}

/** Adds a sample in order of time: at the end, but for events out of order. */
function addSample(window: u32, kind: u32, value: u64, timeUs: i64): u32 {
  const sample = sampleTake();
  const s = sampleAt(sample);
  store<u64>(s + SAMPLE_VALUE, value);
  store<i64>(s + SAMPLE_TIME, timeUs);
  store<u32>(s + SAMPLE_KIND, kind);
  let older = load<u32>(windowAt(window) + WINDOW_NEWEST);
  let newer: u32 = 0;
  while (older != 0 && load<i64>(sampleAt(older) + SAMPLE_TIME) > timeUs) {
    newer = older;
    older = load<u32>(sampleAt(older) + SAMPLE_BACK);
  }
  store<u32>(s + SAMPLE_BACK, older);
  store<u32>(s + SAMPLE_NEXT, newer);
  if (older != 0) store<u32>(sampleAt(older) + SAMPLE_NEXT, sample);
  else store<u32>(windowAt(window) + WINDOW_OLDEST, sample);
  if (newer != 0) store<u32>(sampleAt(newer) + SAMPLE_BACK, sample);
  else store<u32>(windowAt(window) + WINDOW_NEWEST, sample);
  store<u32>(windowAt(window) + SAMPLES, load<u32>(windowAt(window) + SAMPLES) + 1);
  groupAdd(load<u32>(windowAt(window) + GROUP), 1);
  return sample;
}

// ------------------------------------------------------------------------------------------------- samples out

function removeBefore(window: u32, aggregate: usize, timeUs: i64): void {
  let sample = load<u32>(windowAt(window) + WINDOW_OLDEST);
  while (sample != 0 && load<i64>(sampleAt(sample) + SAMPLE_TIME) < timeUs) {
    removeOldest(window, aggregate);
    sample = load<u32>(windowAt(window) + WINDOW_OLDEST);
  }
}

function removeOldest(window: u32, aggregate: usize): void {
  const sample = load<u32>(windowAt(window) + WINDOW_OLDEST);
  const s = sampleAt(sample);
  const kind = load<u32>(s + SAMPLE_KIND);
  if (kind == SAMPLE_EVENT) {
    if (load<u32>(s + SAMPLE_EVIDENCE) != 0) dropEvidence(window);
    store<u32>(windowAt(window) + WINDOW_EVENTS, load<u32>(windowAt(window) + WINDOW_EVENTS) - 1);
  } else {
    removeValue(window, aggregate, kind, sample);
  }
  const next = load<u32>(s + SAMPLE_NEXT);
  store<u32>(windowAt(window) + WINDOW_OLDEST, next);
  if (next != 0) store<u32>(sampleAt(next) + SAMPLE_BACK, 0);
  else store<u32>(windowAt(window) + WINDOW_NEWEST, 0);
  store<u32>(windowAt(window) + SAMPLES, load<u32>(windowAt(window) + SAMPLES) - 1);
  groupAdd(load<u32>(windowAt(window) + GROUP), -1);
  sampleGive(sample);
}

function removeValue(window: u32, aggregate: usize, index: u32, sample: u32): void {
  const code = load<u32>(functionRecord(aggregate, index) + FunctionRecord.Code);
  const state = functionAt(window, index);
  const value = load<u64>(sampleAt(sample) + SAMPLE_VALUE);
  const numbers = load<u32>(state + NUMBERS);
  if (code == AggregateFunctionCode.Distinct) {
    if (distinctRemove(load<u64>(windowAt(window) + HASH), index, value)) store<u32>(state + NUMBERS, numbers - 1);
    return;
  }
  store<u32>(state + NUMBERS, numbers - 1);
  if (code == AggregateFunctionCode.Percentile) {
    store<u32>(state + RANKS, rankRemove(load<u32>(state + RANKS), sample));
  } else if (numbers == 1) {
    store<f64>(state, 0);
    store<f64>(state + ROUNDED, 0);
  } else {
    addToSum(state, -reinterpret<f64>(value));
  }
}

// ----------------------------------------------------------------------------------------------- expiry and room

/** Last time at which an event would still share the window with its newest. */
function endOf(window: u32, aggregate: usize): i64 {
  const windowUs = load<i64>(aggregate + AggregateRecord.WindowUs);
  const newestUs = load<i64>(windowAt(window) + WINDOW_NEWEST_US);
  return isTumbling(aggregate) ? windowStart(newestUs, windowUs) + windowUs - 1 : newestUs + windowUs;
}

/** Windows keep the deadline they were made with until it is looked at; this is the earliest as it really is. */
function earliest(group: u32): u32 {
  while (true) {
    const window = groupFirst(group);
    const endUs = max<i64>(endOf(window, ruleData(load<u32>(windowAt(window) + WINDOW_RULE), Section.Aggregates)), load<i64>(windowAt(window) + DEADLINE));
    if (endUs == load<i64>(windowAt(window) + DEADLINE)) return window;
    entrySetDeadline(StateTable.Aggregate, window, endUs);
  }
}

export function aggregateDue(group: u32, beforeUs: i64): void {
  const window = earliest(group);
  if (load<i64>(windowAt(window) + DEADLINE) < beforeUs) drop(window);
}

function drop(window: u32): void {
  const table = stateTable(StateTable.Aggregate);
  const aggregate = ruleData(load<u32>(windowAt(window) + WINDOW_RULE), Section.Aggregates);
  while (load<u32>(windowAt(window) + WINDOW_OLDEST) != 0) removeOldest(window, aggregate);
  tableLeave(table, window);
  entryRemove(StateTable.Aggregate, window, 1);
  tableGive(table, window);
}

/** Makes room in the pools of samples and distinct values. */
export function makeSampleRoom(): void {
  aggregateEvict(groupNoisiest(StateTable.Aggregate));
}

/** Drops the group's earliest window, or the oldest eighth of it when it is large or in use. */
export function aggregateEvict(group: u32): void {
  const window = earliest(group);
  const samples = load<u32>(windowAt(window) + SAMPLES);
  const aggregate = ruleData(load<u32>(windowAt(window) + WINDOW_RULE), Section.Aggregates);
  const isKept = window == pinned || (samples > TRIM_ABOVE && !tableIsFull(stateTable(StateTable.Aggregate)));
  const lost = isKept ? min<u32>(samples, max<u32>(1, samples >> 3)) : samples;
  countLoss(Loss.AggregateState, groupRule(group), groupHost(group), max<u32>(lost, 1));
  if (!isKept) drop(window);
  else for (let i: u32 = 0; i < lost; i++) removeOldest(window, aggregate);
}

// ----------------------------------------------------------------------------------------------------- snapshot

/** Puts a window of a snapshot back, without its samples; 0 when its key has one. */
export function windowRestore(rule: u32, host: u32, key: u64, newestUs: i64, quietUs: i64): u32 {
  if (tableFind(stateTable(StateTable.Aggregate), stateHash(rule, 0, key, host)) != 0) return 0;
  const window = windowMake(rule, host, key, newestUs);
  store<i64>(windowAt(window) + WINDOW_NEWEST_US, newestUs);
  store<i64>(windowAt(window) + WINDOW_QUIET_US, quietUs);
  return window;
}

/** Puts a sample of a snapshot back into a window that has just been restored; takes over its evidence. */
export function windowSampleRestore(window: u32, kind: u32, value: u64, timeUs: i64, evidence: u32): void {
  const aggregate = ruleData(load<u32>(windowAt(window) + WINDOW_RULE), Section.Aggregates);
  pinned = window;
  if (kind == SAMPLE_EVENT) {
    const event = addSample(window, SAMPLE_EVENT, 0, timeUs);
    store<u32>(windowAt(window) + WINDOW_EVENTS, load<u32>(windowAt(window) + WINDOW_EVENTS) + 1);
    if (evidence != 0) keepEvidence(window, aggregate, event, evidence);
  } else {
    evidenceRelease(evidence);
    const code = kind < load<u32>(aggregate + AggregateRecord.FunctionCount)
      ? load<u32>(functionRecord(aggregate, kind) + FunctionRecord.Code)
      : u32(AggregateFunctionCode.Count);
    const isNumber = code == AggregateFunctionCode.Distinct || reinterpret<f64>(value) == reinterpret<f64>(value);
    if (code != AggregateFunctionCode.Count && isNumber) addValue(window, aggregate, kind, value, timeUs);
  }
  pinned = 0;
}
