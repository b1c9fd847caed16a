/**
 * First-seen terms, in event time. A combination of values is new unless it was seen within the window before, both
 * ends included. 24 bytes a term, and five and a third for its place in the index.
 *
 * A term keeps its last time; the terms of a group form a list from the least to the most recently seen. A new term's
 * first time, and the evidence it alerted with, are kept apart for as long as an older event may yet turn up and move
 * the alert back.
 */
import { Host, Loss } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { AlertFlag, StateTable, TermsRecord } from "../src/core/abi/stateful";
import {
  bucketAfter,
  bucketOf,
  bucketsFor,
  indexAdd,
  indexRemove,
  indexReserve,
  numberMaskFor,
  placesOf,
  recordIn,
} from "./bucket_index";
import { evidenceCapture, evidenceRelease, evidenceSetNext } from "./evidence";
import { groupKey, groupKeys } from "./group_keys";
import { hashPair } from "./hash";
import { hostHash, hostSerial } from "./hosts";
import { countLoss } from "./losses";
import { reserve } from "./memory";
import { emitAlert } from "./output";
import { rowTimeUs } from "./rows";
import { captureEvidence, entryGroup, ruleData, stateHost, stateTable } from "./state_entries";
import {
  groupAdd,
  groupCount,
  groupFind,
  groupFirst,
  groupFree,
  groupHost,
  groupLast,
  groupNoisiest,
  groupRule,
  groupSetDeadline,
  groupSetFirst,
  groupSetLast,
} from "./state_groups";
import {
  tableAt,
  tableEnter,
  tableFind,
  tableGive,
  tableLeave,
  tableTake,
} from "./state_table";
import { alertFired, evictOldest } from "./stateful";

// A term: the hash of a record, then
const LAST: usize = 8; // i64 last time << 8, flags in the low byte
const OLDER: usize = 16; // u32
const NEWER: usize = 20; // u32
export const TERM_BYTES: u32 = 24;
/** Seen again since it took its place in the list. */
const SEEN_AGAIN: u32 = 1;
/** It has a recent alert. */
const HAS_RECENT: u32 = 2;

// A recent alert: u32 term, u32 revision, i64 first time, i64 last time before that, u32 evidence, u32 group. They form a
// ring, with an index by term.
export const RECENT_REVISION: usize = 4;
export const RECENT_FIRST: usize = 8;
export const RECENT_PRIOR: usize = 16;
export const RECENT_CHAIN: usize = 24;
const RECENT_GROUP: usize = 28;
export const RECENT_BYTES: usize = 32;

const NEVER_US: i64 = i64.MIN_VALUE;
/** A term moves in its list when its time moves by more than this share of the window. */
const MOVE_SHIFT: i64 = 12;
/** How far a term may be out of place in its list. */
const PLACE_STEPS: u32 = 64;

let recents: usize = 0;
let recentCapacity: u32 = 0;
let recentNext: u32 = 1;
let recentIndex: usize = 0;
let recentBuckets: u32 = 0;
let recentMask: u32 = 0;
/** By host: time of its first row, i64; time until which it has lost terms, i64; which host it is, u32. */
let hostTimes: usize = 0;
const HOST_LOST: usize = 8;
const HOST_SERIAL: usize = 16;
const HOST_TIMES: usize = 24;

export function termsInit(hostCapacity: u32, recentMax: u32): void {
  recentCapacity = recentMax + 1;
  recents = reserve(usize(recentCapacity) * RECENT_BYTES);
  recentNext = 1;
  recentBuckets = bucketsFor(recentCapacity);
  recentMask = numberMaskFor(recentCapacity);
  recentIndex = indexReserve(recentBuckets);
  hostTimes = reserve(usize(hostCapacity) * HOST_TIMES);
  for (let host: u32 = 0; host < hostCapacity; host++) {
    store<i64>(hostTimesAt(host), NEVER_US);
    store<i64>(hostTimesAt(host) + HOST_LOST, NEVER_US);
  }
}

// @ts-ignore: decorator
@inline
function at(term: u32): usize {
  return tableAt(stateTable(StateTable.Terms), term);
}

function lastUs(term: u32): i64 {
  return load<i64>(at(term) + LAST) >> 8;
}

/** Sets the last time, the flags as they were. */
function setLastUs(term: u32, timeUs: i64): void {
  store<i64>(at(term) + LAST, (timeUs << 8) | i64(load<u8>(at(term) + LAST)));
}

function hasFlag(term: u32, flag: u32): bool {
  return (load<u8>(at(term) + LAST) & flag) != 0;
}

function setFlag(term: u32, flag: u32): void {
  store<u8>(at(term) + LAST, u8(load<u8>(at(term) + LAST) | flag));
}

function clearFlag(term: u32, flag: u32): void {
  store<u8>(at(term) + LAST, u8(load<u8>(at(term) + LAST) & ~flag));
}

function hostTimesAt(host: u32): usize {
  return hostTimes + usize(host) * HOST_TIMES;
}

/** Notes the first time known of a host; history is incomplete until a window has passed since. */
export function termsHostSeen(host: u32, timeUs: i64): void {
  if (hostTimes == 0) return;
  const times = hostTimesAt(host);
  if (load<u32>(times + HOST_SERIAL) != hostSerial(host)) {
    store<u32>(times + HOST_SERIAL, hostSerial(host));
    store<i64>(times + HOST_LOST, NEVER_US);
    store<i64>(times, NEVER_US);
  }
  if (load<i64>(times) == NEVER_US) store<i64>(times, timeUs);
}

/** The first time known of a host; `i64.MIN_VALUE` where there is none. */
export function hostKnownSinceUs(host: u32): i64 {
  if (hostTimes == 0 || load<u32>(hostTimesAt(host) + HOST_SERIAL) != hostSerial(host)) return NEVER_US;
  return load<i64>(hostTimesAt(host));
}

/** Books the row for every combination of the rule's fields. */
export function termsOffer(rule: u32, slot: u32): void {
  const terms = ruleData(rule, Section.Terms);
  const combinations = groupKeys(load<u32>(terms + TermsRecord.Key), slot, rule);
  const host = stateHost(rule, slot);
  const owner = termOwner(terms, host);
  for (let i: u32 = 0; i < combinations; i++) {
    const key = groupKey(i);
    const hash = termHash(terms, key, host) ^ owner;
    const term = tableFind(stateTable(StateTable.Terms), hash);
    if (term == 0) beginTerm(rule, terms, slot, host, key, hash);
    else if (rowTimeUs(slot) >= lastUs(term)) seeAgain(rule, terms, slot, host, key, term);
    else seeEarlier(rule, terms, slot, host, key, term);
  }
}

/** Identity of a term; unlike that of other state it outlives a change of the rule's place in the program. */
function termHash(terms: usize, key: u64, host: u32): u64 {
  return hashPair(load<u64>(terms + TermsRecord.Identity), host == Host.None ? key : hashPair(hostHash(host), key));
}

/**
 * What the rule and host add to the hash under which a term is kept, so that a damaged snapshot that files it under others
 * has it found by nobody.
 */
function termOwner(terms: usize, host: u32): u64 {
  return hashPair(load<u64>(terms + TermsRecord.Identity), host == Host.None ? 0 : hostHash(host));
}

function beginTerm(rule: u32, terms: usize, slot: u32, host: u32, key: u64, hash: u64): void {
  const table = stateTable(StateTable.Terms);
  const term = takeTerm();
  const group = entryGroup(StateTable.Terms, rule, host);
  const timeUs = rowTimeUs(slot);
  setLastUs(term, timeUs);
  tableEnter(table, term, hash);
  place(group, term);
  groupAdd(group, 1);
  if (groupCount(group) == 1) setDue(group, terms);
  alertNew(rule, terms, slot, host, key, term, group, NEVER_US);
}

/** A zeroed term; the least recently seen of the noisiest gives way if need be. */
function takeTerm(): u32 {
  const table = stateTable(StateTable.Terms);
  let term = tableTake(table);
  while (term == 0) {
    evictOldest(groupNoisiest(StateTable.Terms));
    term = tableTake(table);
  }
  return term;
}

/** In order of time: new when the window has passed since the term was last seen. */
function seeAgain(rule: u32, terms: usize, slot: u32, host: u32, key: u64, term: u32): void {
  const timeUs = rowTimeUs(slot);
  const priorUs = lastUs(term);
  const windowUs = load<i64>(terms + TermsRecord.WindowUs);
  const movedUs = timeUs - priorUs;
  if (movedUs == 0) return;
  setLastUs(term, timeUs);
  if (movedUs <= windowUs >> MOVE_SHIFT) {
    setFlag(term, SEEN_AGAIN);
    return;
  }
  const group = groupFind(StateTable.Terms, rule, host);
  if (groupLast(group) != term) {
    unlink(group, term);
    place(group, term);
  }
  clearFlag(term, SEEN_AGAIN);
  if (movedUs > windowUs) alertNew(rule, terms, slot, host, key, term, group, priorUs);
}

/**
 * An event older than the last. Between the first and last times of a run no gap exceeds the window, so there it is
 * never new; before the first it is, unless the run before reaches it.
 */
function seeEarlier(rule: u32, terms: usize, slot: u32, host: u32, key: u64, term: u32): void {
  const index = recentOf(term);
  if (index == 0) return;
  const recent = recentAt(index);
  const timeUs = rowTimeUs(slot);
  const firstUs = load<i64>(recent + RECENT_FIRST);
  const priorUs = load<i64>(recent + RECENT_PRIOR);
  if (timeUs >= firstUs) return;
  if (priorUs != NEVER_US && timeUs - priorUs <= load<i64>(terms + TermsRecord.WindowUs)) {
    store<i64>(recent + RECENT_PRIOR, max<i64>(priorUs, timeUs));
    return;
  }
  if (firstUs - timeUs <= load<i64>(terms + TermsRecord.LateHorizonUs)) {
    moveBack(rule, terms, slot, host, key, recent);
  } else {
    store<i64>(recent + RECENT_PRIOR, timeUs);
    const evidence = evidenceCapture(slot, 0, rule);
    emitAlert(rule, host, timeUs, evidence, key, 1, historyFlag(terms, host, timeUs) | AlertFlag.Late);
    evidenceRelease(evidence);
    alertFired(rule);
  }
}

function alertNew(
  rule: u32, terms: usize, slot: u32, host: u32, key: u64, term: u32, group: u32, priorUs: i64,
): void {
  const evidence = captureEvidence(slot, 0, rule);
  const timeUs = rowTimeUs(slot);
  emitAlert(rule, host, timeUs, evidence, key, 1, historyFlag(terms, host, timeUs));
  remember(term, group, evidence, timeUs, priorUs);
  alertFired(rule);
}

/** An older first event: the same alert in a new revision, whose evidence is that event, then the one first published. */
function moveBack(rule: u32, terms: usize, slot: u32, host: u32, key: u64, recent: usize): void {
  const timeUs = rowTimeUs(slot);
  const revision = load<u32>(recent + RECENT_REVISION) + 1;
  store<u32>(recent + RECENT_REVISION, revision);
  store<i64>(recent + RECENT_FIRST, timeUs);
  const evidence = evidenceCapture(slot, 0, rule);
  const published = load<u32>(recent + RECENT_CHAIN);
  evidenceSetNext(published, evidence);
  const flags = historyFlag(terms, host, timeUs) | AlertFlag.Revised;
  emitAlert(rule, host, timeUs, published == 0 ? evidence : published, key, revision, flags);
  evidenceSetNext(published, 0);
  evidenceRelease(evidence);
}

/** Keeps what a later revision of the alert needs, in place of the oldest such record. */
function remember(term: u32, group: u32, evidence: u32, firstUs: i64, priorUs: i64): void {
  forgetRecent(recentOf(term));
  if (recentCapacity <= 1) {
    evidenceRelease(evidence);
    return;
  }
  const index = recentNext;
  recentNext = index + 1 < recentCapacity ? index + 1 : 1;
  forgetRecent(index);
  const recent = recentAt(index);
  store<u32>(recent, term);
  store<u32>(recent + RECENT_REVISION, 1);
  store<i64>(recent + RECENT_FIRST, firstUs);
  store<i64>(recent + RECENT_PRIOR, priorUs);
  store<u32>(recent + RECENT_CHAIN, evidence);
  store<u32>(recent + RECENT_GROUP, group);
  setFlag(term, HAS_RECENT);
  indexAdd(recentIndex, recentBuckets, recentMask, recentHash(term), index);
}

function recentHash(term: u32): u64 {
  return hashPair(u64(term), 0);
}

/** The recent alert of a term, 0 for none. */
function recentOf(term: u32): u32 {
  if (!hasFlag(term, HAS_RECENT)) return 0;
  const hash = recentHash(term);
  let bucket = bucketOf(recentIndex, recentBuckets, hash);
  while (bucket != 0) {
    for (let places = placesOf(bucket, hash, recentMask); places != 0; places &= places - 1) {
      const index = recordIn(bucket, places, recentMask);
      if (load<u32>(recentAt(index)) == term) return index;
    }
    bucket = bucketAfter(recentIndex, recentBuckets, bucket);
  }
  return 0;
}

function forgetRecent(index: u32): void {
  if (index == 0) return;
  const recent = recentAt(index);
  const term = load<u32>(recent);
  if (term == 0) return;
  clearFlag(term, HAS_RECENT);
  indexRemove(recentIndex, recentBuckets, recentMask, recentHash(term), index);
  evidenceRelease(load<u32>(recent + RECENT_CHAIN));
  memory.fill(recent, 0, RECENT_BYTES);
}

/** Gives back the evidence of the older half of the recent alerts, where evidence is short. */
export function termsReleaseEvidence(): void {
  let index = recentNext;
  for (let i: u32 = 0; i < recentCapacity >> 1; i++) {
    forgetRecent(index);
    index = index + 1 < recentCapacity ? index + 1 : 1;
  }
}

/** Whether the host has been known for less than a window, or has lost terms within it. */
function historyFlag(terms: usize, host: u32, timeUs: i64): u32 {
  const windowUs = load<i64>(terms + TermsRecord.WindowUs);
  const firstUs = load<i64>(hostTimesAt(host));
  const lostUs = load<i64>(hostTimesAt(host) + HOST_LOST);
  const isShort = firstUs == NEVER_US || timeUs - firstUs < windowUs;
  const hasLost = lostUs != NEVER_US && timeUs - lostUs <= windowUs;
  return isShort || hasLost ? AlertFlag.HistoryIncomplete : 0;
}

// ------------------------------------------------------------------------------------------------ order, expiry

/** Puts a term into its group's list by its last time; it is the newest but for events out of order. */
function place(group: u32, term: u32): void {
  const timeUs = lastUs(term);
  let older = groupLast(group);
  let newer: u32 = 0;
  for (let i: u32 = 0; i < PLACE_STEPS && older != 0 && lastUs(older) > timeUs; i++) {
    newer = older;
    older = load<u32>(at(older) + OLDER);
  }
  store<u32>(at(term) + OLDER, older);
  store<u32>(at(term) + NEWER, newer);
  if (older != 0) store<u32>(at(older) + NEWER, term);
  else groupSetFirst(group, term);
  if (newer != 0) store<u32>(at(newer) + OLDER, term);
  else groupSetLast(group, term);
}

function unlink(group: u32, term: u32): void {
  const older = load<u32>(at(term) + OLDER);
  const newer = load<u32>(at(term) + NEWER);
  if (older != 0) store<u32>(at(older) + NEWER, newer);
  else groupSetFirst(group, newer);
  if (newer != 0) store<u32>(at(newer) + OLDER, older);
  else groupSetLast(group, older);
}

/** The least recently seen term, after those seen again since they took their place have taken a new one. */
function oldestTerm(group: u32): u32 {
  let term = groupFirst(group);
  while (hasFlag(term, SEEN_AGAIN)) {
    clearFlag(term, SEEN_AGAIN);
    unlink(group, term);
    place(group, term);
    term = groupFirst(group);
  }
  return term;
}

function keptUs(terms: usize): i64 {
  return load<i64>(terms + TermsRecord.WindowUs) + load<i64>(terms + TermsRecord.LateHorizonUs);
}

function setDue(group: u32, terms: usize): void {
  groupSetDeadline(group, lastUs(groupFirst(group)) + keptUs(terms));
}

function drop(group: u32, term: u32): void {
  const table = stateTable(StateTable.Terms);
  forgetRecent(recentOf(term));
  unlink(group, term);
  tableLeave(table, term);
  tableGive(table, term);
  groupAdd(group, -1);
  if (groupCount(group) == 0) groupFree(group);
}

/** Frees the group's terms that can no longer make anything old, as of `beforeUs`. */
export function termsDue(group: u32, beforeUs: i64): void {
  const terms = ruleData(groupRule(group), Section.Terms);
  while (true) {
    const term = oldestTerm(group);
    if (lastUs(term) + keptUs(terms) >= beforeUs) {
      setDue(group, terms);
      return;
    }
    const isLast = groupCount(group) == 1;
    drop(group, term);
    if (isLast) return;
  }
}

/** Drops the group's least recently seen term to make room; the host's history is incomplete from here on. */
export function termsEvict(group: u32): void {
  const host = groupHost(group);
  const term = oldestTerm(group);
  const lostUs = hostTimesAt(host) + HOST_LOST;
  // What is lost matters until a window after the newest time known: that of the most recently seen term.
  store<i64>(lostUs, max<i64>(load<i64>(lostUs), lastUs(groupLast(group))));
  countLoss(Loss.TermsState, groupRule(group), host, 1);
  drop(group, term);
}

// ----------------------------------------------------------------------------------------------------- snapshot

/** The next term of its group in order of last times. */
export function termNewer(term: u32): u32 {
  return load<u32>(at(term) + NEWER);
}

/** Identity of the term, whatever kernel it is in; `group` is its own. */
export function termIdentity(term: u32, group: u32): u64 {
  return load<u64>(at(term)) ^ termOwner(ruleData(groupRule(group), Section.Terms), groupHost(group));
}

/** When the term was last seen. */
export function termLastUs(term: u32): i64 {
  return lastUs(term);
}

/** Puts a term of a snapshot back; terms of one group come from the least to the most recently seen. */
export function termRestore(rule: u32, host: u32, identity: u64, timeUs: i64): void {
  const table = stateTable(StateTable.Terms);
  const hash = identity ^ termOwner(ruleData(rule, Section.Terms), host);
  if (tableFind(table, hash) != 0) return;
  const term = takeTerm();
  const group = entryGroup(StateTable.Terms, rule, host);
  setLastUs(term, timeUs);
  tableEnter(table, term, hash);
  place(group, term);
  groupAdd(group, 1);
  setDue(group, ruleData(rule, Section.Terms));
}

/** One past the highest recent alert; those whose term is 0 are free. */
export function recentEnd(): u32 {
  return recents == 0 ? 0 : recentCapacity;
}

/** The group of a recent alert's term. */
export function recentGroup(index: u32): u32 {
  return load<u32>(recentAt(index) + RECENT_GROUP);
}

export function recentAt(index: u32): usize {
  return recents + usize(index) * RECENT_BYTES;
}

/** Puts a recent alert of a snapshot back; takes over its evidence. */
export function recentRestore(
  rule: u32, host: u32, identity: u64, firstUs: i64, priorUs: i64, revision: u32, evidence: u32,
): void {
  const term = tableFind(stateTable(StateTable.Terms), identity ^ termOwner(ruleData(rule, Section.Terms), host));
  const group = term == 0 ? 0 : groupFind(StateTable.Terms, rule, host);
  if (group == 0) {
    evidenceRelease(evidence);
    return;
  }
  remember(term, group, evidence, firstUs, priorUs);
  const index = recentOf(term);
  if (index != 0) store<u32>(recentAt(index) + RECENT_REVISION, revision);
}

/** First time of a host, `NEVER_US` when unknown; the time until which it has lost terms lies 8 bytes on. */
export function hostTimesOf(host: u32): usize {
  return hostTimes == 0 ? 0 : hostTimesAt(host);
}

export function hostTimesRestore(host: u32, firstUs: i64, lostUs: i64): void {
  if (hostTimes == 0) return;
  const times = hostTimesAt(host);
  store<u32>(times + HOST_SERIAL, hostSerial(host));
  store<i64>(times, firstUs);
  store<i64>(times + HOST_LOST, lostUs);
}
