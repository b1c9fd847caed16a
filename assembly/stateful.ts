/**
 * The stateful rules as the rest of the kernel sees them: rows in, time in. Each rule kind lives in its own file.
 *
 * `dispatchPredicate` offers a row to the rules whose predicates it satisfies, in any order; `stateRowEnd` then judges
 * the row once for all of them, so that one event never advances two steps of one partial match.
 */
import { Section } from "../src/core/abi/program";
import { SequenceFlag, SequenceRecord, StateTable, StepRecord } from "../src/core/abi/stateful";
import { Config, Host, RuleKind, RuleRecord } from "../src/core/abi/state";
import { aggregateDue, aggregateEvict, aggregateOffer } from "./aggregate";
import { configU32, sectionPtr } from "./config";
import { hostCount } from "./hosts";
import { reserve } from "./memory";
import { sampleEvict, sampleFlush, sampleOffer } from "./sample";
import { sequenceDue } from "./missing";
import { sequenceEnd, sequenceEvict, sequenceOffer, sequenceWants, stepRecord } from "./sequence";
import { ruleData } from "./state_entries";
import { groupDue, groupTable } from "./state_groups";
import { stateTablesInit } from "./state_budget";
import { temporalDue, temporalEvict, temporalOffer } from "./temporal";
import { termsDue, termsEvict, termsHostSeen, termsOffer } from "./terms";

// What a row is offered to is queued as one word: rule in the upper half, then the order in which the rule takes it: a
// sequence from its last step to its first, all else from first to last, `until` at the end.
const KIND_SHIFT: u32 = 28;
const KIND_STEP_DOWN: u32 = 1;
const KIND_STEP_UP: u32 = 2;
const KIND_UNTIL: u32 = 3;
const KIND_TERMS: u32 = 4;
const KIND_AGGREGATE: u32 = 5;
const KIND_SAMPLE: u32 = 6;
const KIND_TEMPORAL: u32 = 7;
const ARGUMENT_MASK: u32 = (1 << KIND_SHIFT) - 1;

const NO_ROW: u32 = 0xffffffff;

let queue: usize = 0;
let queueMax: u32 = 0;
let queued: u32 = 0;
/** The row being judged. */
let row: u32 = NO_ROW;

/** Parts of temporal rules that are the alerts of stateful rules: u32 source rule, temporal rule, part. */
let sources: usize = 0;
let sourceCount: u32 = 0;

/** Builds the tables from `Config.StateBytes` and the sections of the program. Once, before the first row. */
export function stateInit(): void {
  const section = sectionPtr(Section.Rules);
  const ruleCount: u32 = section == 0 ? 0 : load<u32>(section);
  const actions = sectionPtr(Section.Actions);
  const predicates: u32 = actions == 0 ? 0 : load<u32>(actions);
  const actionCount: u32 = actions == 0 ? 0 : load<u32>(actions + 4 + (usize(predicates) << 2));
  sources = reserve(usize(countSources(ruleCount)) * 12);
  sourceCount = 0;
  for (let rule: u32 = 0; rule < ruleCount; rule++) if (ruleKind(rule) == RuleKind.Temporal) addSources(rule);
  queueMax = actionCount + sourceCount;
  queue = reserve(usize(queueMax) << 3);
  queued = 0;
  row = NO_ROW;
  stateTablesInit(ruleCount, configU32(Config.StateBytes));
}

export function ruleKind(rule: u32): u32 {
  return load<u32>(sectionPtr(Section.Rules) + 4 + usize(rule) * RuleRecord.Bytes + RuleRecord.Kind);
}

function countSources(ruleCount: u32): u32 {
  let count: u32 = 0;
  for (let rule: u32 = 0; rule < ruleCount; rule++) {
    if (ruleKind(rule) == RuleKind.Temporal) {
      count += load<u32>(ruleData(rule, Section.Steps) + SequenceRecord.StepCount);
    }
  }
  return count;
}

function addSources(rule: u32): void {
  const temporal = ruleData(rule, Section.Steps);
  const parts = load<u32>(temporal + SequenceRecord.StepCount);
  for (let part: u32 = 0; part < parts; part++) {
    const source = load<u32>(stepRecord(temporal, part) + StepRecord.Source);
    if (source == 0) continue;
    const at = sources + usize(sourceCount++) * 12;
    store<u32>(at, source - 1);
    store<u32>(at, rule, 4);
    store<u32>(at, part, 8);
  }
}

// ------------------------------------------------------------------------------------------------------- rows

/** Offers the row to step `step` of sequence `rule`. Takes effect at `stateRowEnd`. */
export function sequenceStep(rule: u32, step: u32, _slot: u32, _entity: u32): void {
  if (!sequenceWants(rule, step)) return;
  const flags = load<u32>(ruleData(rule, Section.Steps) + SequenceRecord.Flags);
  if ((flags & SequenceFlag.Unordered) != 0) enqueue(rule, KIND_STEP_UP, step);
  else enqueue(rule, KIND_STEP_DOWN, ARGUMENT_MASK - step);
}

/** Says that the row ends partial matches of its key. Takes effect at `stateRowEnd`, after the steps. */
export function sequenceUntil(rule: u32, _slot: u32): void {
  enqueue(rule, KIND_UNTIL, 0);
}

export function termsObserve(rule: u32, _slot: u32): void {
  enqueue(rule, KIND_TERMS, 0);
}

export function aggregateObserve(rule: u32, _slot: u32): void {
  enqueue(rule, KIND_AGGREGATE, 0);
}

export function sampleObserve(rule: u32, step: u32, _slot: u32): void {
  enqueue(rule, KIND_SAMPLE, step);
}

/** Offers the row to part `part` of temporal rule `rule`. */
export function temporalObserve(rule: u32, part: u32, _slot: u32): void {
  enqueue(rule, KIND_TEMPORAL, part);
}

/** Judges what the calls above collected for the row. Called once a row, after `evaluateRow`, before `rowFree`. */
export function stateRowEnd(slot: u32): void {
  if (queued == 0) return;
  row = slot;
  sortQueue();
  // Alerts of rules append parts of temporal rules while this runs.
  for (let i: u32 = 0; i < queued; i++) judge(load<u64>(queue + (usize(i) << 3)), slot);
  queued = 0;
  row = NO_ROW;
}

function enqueue(rule: u32, kind: u32, order: u32): void {
  const word = (u64(rule) << 32) | u64((kind << KIND_SHIFT) | order);
  for (let i: u32 = queued; i > 0; i--) if (load<u64>(queue + (usize(i - 1) << 3)) == word) return;
  if (queued < queueMax) store<u64>(queue + (usize(queued++) << 3), word);
}

/** Shell's sort: the queue is short, and mostly in order. */
function sortQueue(): void {
  let gap: u32 = 1;
  while (gap < queued / 3) gap = gap * 3 + 1;
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < queued; i++) {
      const word = load<u64>(queue + (usize(i) << 3));
      let j = i;
      while (j >= gap && load<u64>(queue + (usize(j - gap) << 3)) > word) {
        store<u64>(queue + (usize(j) << 3), load<u64>(queue + (usize(j - gap) << 3)));
        j -= gap;
      }
      store<u64>(queue + (usize(j) << 3), word);
    }
  }
}

function judge(word: u64, slot: u32): void {
  const rule = u32(word >> 32);
  const argument = u32(word) & ARGUMENT_MASK;
  switch (u32(word) >> KIND_SHIFT) {
    case KIND_STEP_DOWN: sequenceOffer(rule, ARGUMENT_MASK - argument, slot); break;
    case KIND_STEP_UP: sequenceOffer(rule, argument, slot); break;
    case KIND_UNTIL: sequenceEnd(rule, slot); break;
    case KIND_TERMS: termsOffer(rule, slot); break;
    case KIND_AGGREGATE: aggregateOffer(rule, slot); break;
    case KIND_SAMPLE: sampleOffer(rule, argument, slot); break;
    default: temporalOffer(rule, argument, slot); break;
  }
}

/** A stateful rule has published an alert on the row being judged: temporal rules over it hear of it. */
export function alertFired(rule: u32): void {
  if (row == NO_ROW) return;
  for (let i: u32 = 0; i < sourceCount; i++) {
    const at = sources + usize(i) * 12;
    if (load<u32>(at) == rule) enqueue(load<u32>(at, 4), KIND_TEMPORAL, load<u32>(at, 8));
  }
}

// ------------------------------------------------------------------------------------------------------- time

/**
 * No event of `host` earlier than `watermarkUs` will come: absence fires, partial matches and windows expire.
 * `Host.None` moves the rules across hosts.
 */
export function stateAdvance(host: u32, watermarkUs: i64): void {
  termsHostSeen(host, watermarkUs);
  let group = groupDue(host, watermarkUs);
  while (group != 0) {
    switch (groupTable(group)) {
      case StateTable.Sequence: sequenceDue(group); break;
      case StateTable.Terms: termsDue(group, watermarkUs); break;
      case StateTable.Aggregate: aggregateDue(group, watermarkUs); break;
      default: temporalDue(group); break;
    }
    group = groupDue(host, watermarkUs);
  }
}

/** The stream has ended: deadlines ahead fire, samples are judged. */
export function stateFlush(): void {
  for (let host: u32 = Host.None; host < hostCount(); host++) stateAdvance(host, i64.MAX_VALUE);
  sampleFlush();
}

// ----------------------------------------------------------------------------------------------------- pressure

/** Drops the group's entry that is due first. Counted. */
export function evictOldest(group: u32): void {
  switch (groupTable(group)) {
    case StateTable.Sequence: sequenceEvict(group); break;
    case StateTable.Terms: termsEvict(group); break;
    case StateTable.Aggregate: aggregateEvict(group); break;
    case StateTable.Sample: sampleEvict(group); break;
    default: temporalEvict(group); break;
  }
}
