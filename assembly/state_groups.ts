/**
 * Who holds how much: one group for each (table, rule, host) with live entries, and the order in which they give way.
 *
 * A group has its entries in deadline order (a heap or a list; the table decides) and lies in its host's heap of groups,
 * so that event time finds what is due without looking at anything else. Groups and rules also lie in lists by the
 * power of two of their size: when a table is full, the victim is the largest group of the largest rule, to within a
 * factor of two, so a noisy rule pays with its own entries and a noisy host with its own.
 */
import { StateTable } from "../src/core/abi/stateful";
import { hashPair } from "./hash";
import { hostRelease, hostRetain } from "./hosts";
import { reserve } from "./memory";
import { heapInsert, heapRemove } from "./state_heap";
import {
  DEADLINE,
  HEAD,
  TABLE_BYTES,
  tableAt,
  tableEnd,
  tableEnter,
  tableFind,
  tableGive,
  tableHoles,
  tableInit,
  tableLeave,
  tableTake,
} from "./state_table";

/** No deadline: never due. */
export const FOREVER: i64 = i64.MAX_VALUE;

// One group: the head of a record (`DEADLINE`: its earliest entry's), then
const RULE: usize = HEAD; // u32
const HOST: usize = HEAD + 4; // u32
const COUNT: usize = HEAD + 8; // u32 entries
const FIRST: usize = HEAD + 12; // u32 root of the heap, or head of the list
const LAST: usize = HEAD + 16; // u32 tail of the list
const TABLE: usize = HEAD + 20; // u32 StateTable
const SIZE_CLASS: usize = HEAD + 24; // u32
const SIZE_NEXT: usize = HEAD + 28; // u32
const SIZE_PREVIOUS: usize = HEAD + 32; // u32
export const GROUP_BYTES: u32 = 72;

// One rule: u32 count, class, next, previous, then the heads of its groups by class.
const SIZE_CLASSES: u32 = 28;
const RULE_HEADS: usize = 16;
const RULE_BYTES: usize = RULE_HEADS + usize(SIZE_CLASSES) * 4;

const GROUPS: usize = memory.data(i32(TABLE_BYTES), 8);
/** Rules by table and size class. */
const RULE_LISTS: usize = memory.data(StateTable.Count * SIZE_CLASSES * 4, 8);

let rules: usize = 0;
let hostRoots: usize = 0;

/** Bytes the ledger takes for each rule and each host. */
export function groupsFixedBytes(ruleCount: u32, hostCapacity: u32): usize {
  return usize(ruleCount) * RULE_BYTES + (usize(hostCapacity) << 2);
}

/** `hostCapacity` is one past the highest host number. */
export function groupsInit(ruleCount: u32, hostCapacity: u32, capacity: u32): void {
  rules = reserve(usize(ruleCount) * RULE_BYTES);
  hostRoots = reserve(usize(hostCapacity) << 2);
  memory.fill(RULE_LISTS, 0, StateTable.Count * SIZE_CLASSES * 4);
  tableInit(GROUPS, GROUP_BYTES, capacity);
}

/** What copies of the kernel can do without. */
export function groupsHoles(): void {
  tableHoles(GROUPS);
}

// @ts-ignore: decorator
@inline
export function groupAt(group: u32): usize {
  return tableAt(GROUPS, group);
}

export function groupRule(group: u32): u32 {
  return load<u32>(groupAt(group) + RULE);
}

export function groupHost(group: u32): u32 {
  return load<u32>(groupAt(group) + HOST);
}

export function groupTable(group: u32): u32 {
  return load<u32>(groupAt(group) + TABLE);
}

export function groupCount(group: u32): u32 {
  return load<u32>(groupAt(group) + COUNT);
}

/** Root of the group's heap, or head of its list. */
export function groupFirst(group: u32): u32 {
  return load<u32>(groupAt(group) + FIRST);
}

export function groupSetFirst(group: u32, record: u32): void {
  store<u32>(groupAt(group) + FIRST, record);
}

export function groupLast(group: u32): u32 {
  return load<u32>(groupAt(group) + LAST);
}

export function groupSetLast(group: u32, record: u32): void {
  store<u32>(groupAt(group) + LAST, record);
}

function groupHash(table: u32, rule: u32, host: u32): u64 {
  return hashPair((u64(table) << 32) | u64(rule), u64(host));
}

/** The group, 0 where there is none. */
export function groupFind(table: u32, rule: u32, host: u32): u32 {
  return tableFind(GROUPS, groupHash(table, rule, host));
}

/** The group, created if need be; 0 when there is no room for another. An empty group must be added to or freed. */
export function groupOf(table: u32, rule: u32, host: u32): u32 {
  const hash = groupHash(table, rule, host);
  let group = tableFind(GROUPS, hash);
  if (group != 0) return group;
  group = tableTake(GROUPS);
  if (group == 0) return 0;
  tableEnter(GROUPS, group, hash);
  const at = groupAt(group);
  store<u32>(at + RULE, rule);
  store<u32>(at + HOST, host);
  store<u32>(at + TABLE, table);
  store<i64>(at + DEADLINE, FOREVER);
  hostRetain(host);
  linkGroup(group);
  const root = hostRoots + (usize(host) << 2);
  store<u32>(root, heapInsert(GROUPS, load<u32>(root), group));
  return group;
}

/** Frees the group; it must hold no entries. */
export function groupFree(group: u32): void {
  const at = groupAt(group);
  const host = load<u32>(at + HOST);
  const root = hostRoots + (usize(host) << 2);
  store<u32>(root, heapRemove(GROUPS, load<u32>(root), group));
  unlinkGroup(group);
  tableLeave(GROUPS, group);
  store<u32>(at + TABLE, 0);
  tableGive(GROUPS, group);
  hostRelease(host);
}

/** Says when the group's earliest entry is due. */
export function groupSetDeadline(group: u32, atUs: i64): void {
  const at = groupAt(group);
  if (load<i64>(at + DEADLINE) == atUs) return;
  const root = hostRoots + (usize(load<u32>(at + HOST)) << 2);
  const rest = heapRemove(GROUPS, load<u32>(root), group);
  store<i64>(at + DEADLINE, atUs);
  store<u32>(root, heapInsert(GROUPS, rest, group));
}

/** The host's group whose earliest entry was due before `beforeUs`; 0 when nothing of the host is due. */
export function groupDue(host: u32, beforeUs: i64): u32 {
  const group = load<u32>(hostRoots + (usize(host) << 2));
  return group != 0 && load<i64>(groupAt(group) + DEADLINE) < beforeUs ? group : 0;
}

/** Counts entries in (`change` > 0) or out. The group stays when it becomes empty. */
export function groupAdd(group: u32, change: i32): void {
  const at = groupAt(group);
  const count = load<u32>(at + COUNT) + change;
  store<u32>(at + COUNT, count);
  if (sizeClass(count) != load<u32>(at + SIZE_CLASS)) {
    unlinkGroup(group);
    linkGroup(group);
  }
  addToRule(load<u32>(at + TABLE), load<u32>(at + RULE), change);
}

/** One past the highest group; those below whose table is 0 are free. */
export function groupsEnd(): u32 {
  return tableEnd(GROUPS);
}

/** Entries that the rule holds over all hosts. */
export function ruleEntries(rule: u32): u32 {
  return load<u32>(ruleAt(rule));
}

/** The group that gives way when the table is full: the noisiest host of the noisiest rule; 0 when it is empty. */
export function groupNoisiest(table: u32): u32 {
  const rule = noisiestRule(table);
  if (rule == 0) return 0;
  for (let size: i32 = SIZE_CLASSES - 1; size > 0; size--) {
    const group = load<u32>(groupHead(rule - 1, size));
    if (group != 0) return group;
  }
  return 0;
}

/** A smallest group of the noisiest rule that has entries: what gives way when there is no room for a group. */
export function groupQuietest(): u32 {
  let rule: u32 = 0;
  for (let table: u32 = 1; table < u32(StateTable.Count); table++) {
    const other = noisiestRule(table);
    if (other != 0 && (rule == 0 || ruleEntries(other - 1) > ruleEntries(rule - 1))) rule = other;
  }
  if (rule == 0) return 0;
  for (let size: u32 = 1; size < SIZE_CLASSES; size++) {
    const group = load<u32>(groupHead(rule - 1, size));
    if (group != 0) return group;
  }
  return 0;
}

/** Rule + 1. */
function noisiestRule(table: u32): u32 {
  for (let size: i32 = SIZE_CLASSES - 1; size > 0; size--) {
    const rule = load<u32>(ruleList(table, size));
    if (rule != 0) return rule;
  }
  return 0;
}

/** 0 for none, else 1 + the base-two logarithm. */
function sizeClass(count: u32): u32 {
  return min<u32>(32 - clz<u32>(count), SIZE_CLASSES - 1);
}

function ruleAt(rule: u32): usize {
  return rules + usize(rule) * RULE_BYTES;
}

function groupHead(rule: u32, size: u32): usize {
  return ruleAt(rule) + RULE_HEADS + (usize(size) << 2);
}

function ruleList(table: u32, size: u32): usize {
  return RULE_LISTS + ((usize(table) * usize(SIZE_CLASSES) + usize(size)) << 2);
}

function linkGroup(group: u32): void {
  const at = groupAt(group);
  const size = sizeClass(load<u32>(at + COUNT));
  const head = groupHead(load<u32>(at + RULE), size);
  const next = load<u32>(head);
  store<u32>(at + SIZE_CLASS, size);
  store<u32>(at + SIZE_NEXT, next);
  store<u32>(at + SIZE_PREVIOUS, 0);
  if (next != 0) store<u32>(groupAt(next) + SIZE_PREVIOUS, group);
  store<u32>(head, group);
}

function unlinkGroup(group: u32): void {
  const at = groupAt(group);
  const next = load<u32>(at + SIZE_NEXT);
  const previous = load<u32>(at + SIZE_PREVIOUS);
  if (next != 0) store<u32>(groupAt(next) + SIZE_PREVIOUS, previous);
  if (previous != 0) store<u32>(groupAt(previous) + SIZE_NEXT, next);
  else store<u32>(groupHead(load<u32>(at + RULE), load<u32>(at + SIZE_CLASS)), next);
}

/** Rules are linked as rule + 1, so that 0 ends a list; a rule without entries is in none. */
function addToRule(table: u32, rule: u32, change: i32): void {
  const at = ruleAt(rule);
  const before = load<u32>(at);
  const count = before + change;
  store<u32>(at, count);
  const from = sizeClass(before);
  const to = sizeClass(count);
  if (from == to) return;
  if (from != 0) {
    const next = load<u32>(at, 8);
    const previous = load<u32>(at, 12);
    if (next != 0) store<u32>(ruleAt(next - 1), previous, 12);
    if (previous != 0) store<u32>(ruleAt(previous - 1), next, 8);
    else store<u32>(ruleList(table, from), next);
  }
  if (to != 0) {
    const head = ruleList(table, to);
    const next = load<u32>(head);
    store<u32>(at, next, 8);
    store<u32>(at, 0, 12);
    if (next != 0) store<u32>(ruleAt(next - 1), rule + 1, 12);
    store<u32>(head, rule + 1);
  }
}
