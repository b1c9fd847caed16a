/**
 * Judging one row: which predicates are true of it, and what each of them does. The row's process is looked up when the
 * first predicate that is not about process events is true, or when a condition asks about lineage: by then those
 * predicates, which have the lowest ids, have said what the row is.
 */
import { Action, ActionRecord, Loss, RuleFlag, RuleRecord } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { RowPlace } from "../src/core/abi/snapshot";
import { rowPlace } from "./apply";
import { attributionInit } from "./attribution";
import { sectionPtr } from "./config";
import { coverageCount, coverageSee } from "./coverage";
import {
  defer, deferredAction, deferredArgument, deferredClear, deferredFirst, deferredInit, deferredNext, deferredRule,
} from "./deferred";
import { lineageEnabled, lineageFind, lineageHolds, lineageMark, lineageMarks, lineageObserve } from "./lineage";
import { countLoss } from "./losses";
import { healthCount, healthInit, healthSee } from "./health";
import { reserve } from "./memory";
import { emitRowAlert } from "./output";
import { evaluateRow } from "./candidate";
import { rowHost, rowTimeUs } from "./rows";
import {
  aggregateObserve, sampleObserve, sequenceStep, sequenceUntil, stateRowEnd, temporalObserve, termsObserve,
} from "./stateful";
import { emitWitness } from "./witness";

/** Which rules judge the row: those within a host, those across hosts, those that judge rows as they arrive. */
export const JUDGE_HOST: u32 = 1;
export const JUDGE_GLOBAL: u32 = 2;
export const JUDGE_EARLY: u32 = 4;
export const JUDGE_ALL: u32 = 7;

let actionStarts: usize = 0;
let actions: usize = 0;
let predicateCount: u32 = 0;
let rules: usize = 0;
let ruleCount: u32 = 0;
/** u64 for each rule: rows of which one of its predicates was true, counted per predicate; where a behaviour rule asks for a marked process, of such rows alone. */
let matched: usize = 0;

let who: u32 = 0;
let current: u32 = 0;
let roles: u32 = 0;
let entity: u32 = 0;
let isEntityKnown: bool = false;
/** The predicate in hand has asked about lineage. */
let hasAsked: bool = false;

export function dispatchInit(): void {
  const section = sectionPtr(Section.Actions);
  predicateCount = section != 0 ? load<u32>(section) : 0;
  actionStarts = section + 4;
  actions = actionStarts + (usize(predicateCount) + 1) * 4;
  const ruleSection = sectionPtr(Section.Rules);
  ruleCount = ruleSection != 0 ? load<u32>(ruleSection) : 0;
  rules = ruleSection + 4;
  matched = reserve(usize(ruleCount) << 3);
  deferredInit(rules, ruleCount);
  healthInit();
  attributionInit(predicateCount, actionStarts, actions, rules, ruleCount);
}

/** Judges the row for the rules named by `judges`. */
export function judge(slot: u32, judges: u32): void {
  who = judges;
  current = slot;
  roles = 0;
  entity = 0;
  isEntityKnown = false;
  if ((judges & JUDGE_HOST) != 0) {
    coverageSee(rowHost(slot), rowTimeUs(slot));
    healthSee(slot);
  }
  evaluateRow(slot, 0);
  if ((judges & JUDGE_HOST) != 0) currentEntity();
  const isItsTurn = (judges & JUDGE_GLOBAL) != 0 || (rowPlace(slot) & RowPlace.Global) == 0;
  if (isItsTurn && deferredFirst(slot) != 0) runDeferred(slot);
  stateRowEnd(slot);
}

/** The process of the row being judged, 0 for none. */
export function currentEntity(): u32 {
  if (isEntityKnown) return entity;
  isEntityKnown = true;
  if (lineageEnabled()) entity = (who & JUDGE_HOST) != 0 ? lineageObserve(current, roles) : lineageFind(current);
  return entity;
}

/** Whether the process of the row being judged, its parent or an ancestor carries the mark. */
export function currentLineageHolds(mark: u32, relation: u32): bool {
  hasAsked = true;
  return lineageHolds(currentEntity(), mark, relation);
}

/** Marks of that process and its ancestors. */
export function currentMarks(): u64 {
  return lineageMarks(currentEntity());
}

/** The next predicate begins. */
export function forgetLineageAsked(): void {
  hasAsked = false;
}

/** Does what predicate `p` is there for; called for each true predicate of a row, lowest id first. */
export function dispatchPredicate(p: u32, slot: u32, _entity: u32): void {
  if (p >= predicateCount) return;
  const starts = actionStarts + (usize(p) << 2);
  const end = load<u32>(starts, 4);
  for (let i = load<u32>(starts); i < end; i++) {
    const action = actions + usize(i) * ActionRecord.Bytes;
    run(load<u32>(action), load<u32>(action + ActionRecord.Rule), load<u32>(action + ActionRecord.Argument), slot);
  }
}

function run(action: u32, rule: u32, argument: u32, slot: u32): void {
  if (action == Action.System) {
    roles |= 1 << argument;
    return;
  }
  if (action == Action.Mark) {
    if ((who & JUDGE_HOST) != 0) lineageMark(currentEntity(), argument, rowTimeUs(slot));
    return;
  }
  if (action == Action.Count) {
    if ((who & JUDGE_HOST) == 0) return;
    coverageCount(rowHost(slot), argument);
    healthCount(slot, argument);
    return;
  }
  if (rule >= ruleCount) return;
  const flags = load<u32>(rules + usize(rule) * RuleRecord.Bytes + RuleRecord.Flags);
  const judgedBy = (flags & RuleFlag.Global) != 0 ? JUDGE_GLOBAL : (flags & RuleFlag.Early) != 0 ? JUDGE_EARLY : JUDGE_HOST;
  const isDeferred = hasAsked && (flags & RuleFlag.Global) != 0 && who != JUDGE_ALL;
  if ((who & (isDeferred ? JUDGE_HOST : judgedBy)) == 0) return;
  if (isDeferred && defer(slot, action, rule, argument)) return;
  act(action, rule, argument, slot);
}

/** Takes over an action of a snapshot's row. */
export function restoreDeferred(slot: u32, action: u32, rule: u32, argument: u32): void {
  const both: u32 = RuleFlag.Global | RuleFlag.Lineage;
  if (rule >= ruleCount) return;
  const flags = load<u32>(rules + usize(rule) * RuleRecord.Bytes + RuleRecord.Flags);
  if ((flags & both) == both && isActionOf(action, rule, argument)) defer(slot, action, rule, argument);
}

/** Whether some predicate of the program does just that. */
function isActionOf(action: u32, rule: u32, argument: u32): bool {
  const count = load<u32>(actionStarts + (usize(predicateCount) << 2));
  for (let i: u32 = 0; i < count; i++) {
    const at = actions + usize(i) * ActionRecord.Bytes;
    const isSame = load<u32>(at) == action && load<u32>(at + ActionRecord.Rule) == rule;
    if (isSame && load<u32>(at + ActionRecord.Argument) == argument) return true;
  }
  return false;
}

/** Does what was found true at the row's first turn, once it is both turns' time. */
function runDeferred(slot: u32): void {
  const isLate = (who & JUDGE_GLOBAL) == 0;
  for (let entry = deferredFirst(slot); entry != 0; entry = deferredNext(entry)) {
    // The host lags the others: its turn came after that of the rules across hosts.
    if (isLate) countLoss(Loss.LateGlobal, deferredRule(entry), rowHost(slot), 1);
    act(deferredAction(entry), deferredRule(entry), deferredArgument(entry), slot);
  }
  deferredClear(slot);
}

function act(action: u32, rule: u32, argument: u32, slot: u32): void {
  store<u64>(matched + (usize(rule) << 3), load<u64>(matched + (usize(rule) << 3)) + 1);
  switch (action) {
    case Action.Match: emitRowAlert(rule, slot); break;
    case Action.SequenceStep: sequenceStep(rule, argument, slot, currentEntity()); break;
    case Action.SequenceUntil: sequenceUntil(rule, slot); break;
    case Action.Terms: termsObserve(rule, slot); break;
    case Action.Aggregate: aggregateObserve(rule, slot); break;
    case Action.Sample: sampleObserve(rule, argument, slot); break;
    case Action.Temporal: temporalObserve(rule, argument, slot); break;
    case Action.Witness:
      emitWitness(rule, load<u32>(rules + usize(rule) * RuleRecord.Bytes + RuleRecord.Data), argument, slot, currentEntity());
      break;
    default: break;
  }
}

/** Address of the u64 count of rule `rule`'s true predicates. */
export function matchedCounts(): usize {
  return matched;
}
