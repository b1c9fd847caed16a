/**
 * Entries of the stateful tables: records in groups, in order of deadline. What is full makes room here, and only here.
 */
import { StateTable } from "../src/core/abi/stateful";
import { Host, RuleFlag, RuleRecord } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { sectionPtr } from "./config";
import { evidenceBlockCapacity, evidenceBlocksUsed, evidenceCapture } from "./evidence";
import { hashPair } from "./hash";
import { hostHash } from "./hosts";
import { rowHost } from "./rows";
import {
  FOREVER,
  groupAdd,
  groupCount,
  groupFirst,
  groupFree,
  groupNoisiest,
  groupOf,
  groupQuietest,
  groupSetDeadline,
  groupSetFirst,
} from "./state_groups";
import { heapInsert, heapRemove } from "./state_heap";
import { DEADLINE, GROUP, TABLE_BYTES, tableAt, tableTake } from "./state_table";
import { evictOldest } from "./stateful";
import { termsReleaseEvidence } from "./terms";

const TABLES: usize = memory.data(StateTable.Count * i32(TABLE_BYTES), 8);

/** Blocks of evidence that one row may take. */
const EVIDENCE_SPARE: u32 = 136;
const EVIDENCE_TRIES: u32 = 64;

/** Entries evicted so far: what was found before it changed may be gone. */
let evictions: u32 = 0;

/** Descriptor of a table. */
// @ts-ignore: decorator
@inline
export function stateTable(id: u32): usize {
  return TABLES + usize(id) * TABLE_BYTES;
}

export function stateEvictions(): u32 {
  return evictions;
}

// ------------------------------------------------------------------------------------------------------ rules

/** The rule's record in the section of its kind. */
export function ruleData(rule: u32, section: u32): usize {
  const record = sectionPtr(Section.Rules) + 4 + usize(rule) * RuleRecord.Bytes;
  return sectionPtr(section) + usize(load<u32>(record + RuleRecord.Data));
}

/** Whether the rule joins across hosts. */
export function isGlobal(rule: u32): bool {
  const record = sectionPtr(Section.Rules) + 4 + usize(rule) * RuleRecord.Bytes;
  return (load<u32>(record + RuleRecord.Flags) & RuleFlag.Global) != 0;
}

/** The host whose time moves the rule's state that a row makes: the row's own, or none for a rule across hosts. */
export function stateHost(rule: u32, slot: u32): u32 {
  return isGlobal(rule) ? Host.None : rowHost(slot);
}

/**
 * Identity of a piece of state: rule, role within the rule, group key, and the host unless the rule joins across hosts:
 * equal keys of two hosts never meet, so that it does not matter which of them share a kernel.
 */
export function stateHash(rule: u32, role: u32, key: u64, host: u32): u64 {
  const scoped = host == Host.None ? key : hashPair(hostHash(host), key);
  return hashPair((u64(rule) << 32) | u64(role), scoped);
}

// ---------------------------------------------------------------------------------------------------- entries

/** A zeroed record; makes room if need be. In no group and not in the index yet. */
export function entryTake(id: u32): u32 {
  const table = stateTable(id);
  let record = tableTake(table);
  while (record == 0) {
    evict(groupNoisiest(id));
    record = tableTake(table);
  }
  return record;
}

/** Puts a record, whose deadline is set, into its group. `weight` is how many entries it counts for. */
export function entryAdd(id: u32, rule: u32, host: u32, record: u32, weight: i32): void {
  const group = entryGroup(id, rule, host);
  const table = stateTable(id);
  store<u32>(tableAt(table, record) + GROUP, group);
  groupAdd(group, weight);
  setFirst(table, group, heapInsert(table, groupFirst(group), record));
}

/** Takes a record out of its group, which is freed when nothing is left in it. */
export function entryRemove(id: u32, record: u32, weight: i32): void {
  const table = stateTable(id);
  const group = load<u32>(tableAt(table, record) + GROUP);
  const first = heapRemove(table, groupFirst(group), record);
  groupAdd(group, -weight);
  if (groupCount(group) == 0) groupFree(group);
  else setFirst(table, group, first);
}

/** Moves a record to another deadline. */
export function entrySetDeadline(id: u32, record: u32, atUs: i64): void {
  const table = stateTable(id);
  const at = tableAt(table, record);
  if (load<i64>(at + DEADLINE) == atUs) return;
  const group = load<u32>(at + GROUP);
  const rest = heapRemove(table, groupFirst(group), record);
  store<i64>(at + DEADLINE, atUs);
  setFirst(table, group, heapInsert(table, rest, record));
}

/** The group, with room made for it if need be. */
export function entryGroup(id: u32, rule: u32, host: u32): u32 {
  let group = groupOf(id, rule, host);
  while (group == 0) {
    evict(groupQuietest());
    group = groupOf(id, rule, host);
  }
  return group;
}

function setFirst(table: usize, group: u32, record: u32): void {
  groupSetFirst(group, record);
  groupSetDeadline(group, record == 0 ? FOREVER : load<i64>(tableAt(table, record) + DEADLINE));
}

// --------------------------------------------------------------------------------------------------- evidence

/**
 * Keeps the row as evidence of `step`; entries give way where evidence is short, so records found before the call must
 * be looked up again when `stateEvictions` changed. 0 when there is still no link, counted.
 */
export function captureEvidence(slot: u32, step: u32, rule: u32): u32 {
  if (isEvidenceShort()) termsReleaseEvidence();
  for (let i: u32 = 0; i < EVIDENCE_TRIES && isEvidenceShort(); i++) {
    const group = holderOfEvidence();
    if (group == 0) break;
    evict(group);
  }
  return evidenceCapture(slot, step, rule);
}

function isEvidenceShort(): bool {
  const capacity = evidenceBlockCapacity();
  return evidenceBlocksUsed() + min<u32>(EVIDENCE_SPARE, capacity >> 3) > capacity;
}

/** The noisiest group among those whose entries hold evidence. */
function holderOfEvidence(): u32 {
  let found: u32 = 0;
  for (let id: u32 = StateTable.Sequence; id < u32(StateTable.Count); id++) {
    if (id == StateTable.Terms) continue;
    const group = groupNoisiest(id);
    if (group != 0 && (found == 0 || groupCount(group) > groupCount(found))) found = group;
  }
  return found;
}

function evict(group: u32): void {
  evictions++;
  evictOldest(group);
}
