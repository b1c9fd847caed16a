/** Divides the state budget among the tables that the program's rules need. */
import { StateTable } from "../src/core/abi/stateful";
import { Config, RuleKind } from "../src/core/abi/state";
import { DISTINCT_BYTES, SAMPLE_BYTES, samplesHoles, samplesInit } from "./aggregate_samples";
import { WINDOW_BYTES } from "./aggregate";
import { configU32 } from "./config";
import { groupKeysInit } from "./group_keys";
import { reservedBytes } from "./memory";
import { SAMPLE_BYTES as KEPT_BYTES, sampleInit } from "./sample";
import { PARTIAL_BYTES } from "./sequence";
import { isGlobal, stateTable } from "./state_entries";
import { GROUP_BYTES, groupsFixedBytes, groupsHoles, groupsInit } from "./state_groups";
import { tableCapacity, tableHoles, tableInit, tableRecordsIn, tableUsed } from "./state_table";
import { ruleKind } from "./stateful";
import { TEMPORAL_BYTES } from "./temporal";
import { RECENT_BYTES, TERM_BYTES, termsInit } from "./terms";

/** A table that some rule needs has room for so many records, whatever the budget. */
const RECORDS_MIN: u32 = 64;
/** At most one group to so many records: a host has several entries of a rule, or several rules. */
const RECORDS_PER_GROUP: u32 = 3;
/** Bytes of a group, its place in the index included. */
const GROUP_COST: u32 = GROUP_BYTES + 6;
/** Recent alerts of terms at most, and the bytes of one, its place in the index included. */
const RECENTS_MAX: u32 = 4096;
const RECENT_COST: u32 = u32(RECENT_BYTES) + 6;

/** Weights of the tables among those that are needed. */
function weightOf(table: u32): u32 {
  if (table == StateTable.Sequence) return 8;
  if (table == StateTable.Terms || table == StateTable.Aggregate) return 6;
  return 2;
}

function tableOf(kind: u32): u32 {
  switch (kind) {
    case RuleKind.Sequence: return StateTable.Sequence;
    case RuleKind.Sample: return StateTable.Sample;
    case RuleKind.NewTerms: return StateTable.Terms;
    case RuleKind.Aggregate: return StateTable.Aggregate;
    case RuleKind.Temporal: return StateTable.Temporal;
    default: return 0;
  }
}

/** Reserves all tables of the stateful rules. */
export function stateTablesInit(ruleCount: u32, bytes: u32): void {
  let needed: u32 = 0;
  for (let rule: u32 = 0; rule < ruleCount; rule++) needed |= 1 << tableOf(ruleKind(rule));
  needed &= ~1;
  let weights: u32 = 0;
  for (let table: u32 = 1; table < u32(StateTable.Count); table++) {
    if ((needed & (1 << table)) != 0) weights += weightOf(table);
  }
  const hosts = max<u32>(configU32(Config.HostCapacity), 2) + 4;
  const fixed = groupsFixedBytes(ruleCount, hosts);
  const free = bytes > u32(fixed) ? bytes - u32(fixed) : 0;
  groupKeysInit();
  groups = RECORDS_MIN;
  for (let table: u32 = 1; table < u32(StateTable.Count); table++) {
    if ((needed & (1 << table)) == 0) continue;
    const share = u32(u64(free) * u64(weightOf(table)) / u64(weights));
    const before = reservedBytes();
    initTable(table, share, ruleCount, hosts);
    store<u32>(BYTES + (usize(table) << 2), u32(reservedBytes() - before));
  }
  groupsInit(ruleCount, hosts, groups);
}

/** Bytes reserved for each table, u32. */
const BYTES: usize = memory.data(StateTable.Count * 4, 4);

/** Groups that the tables so far may need. */
let groups: u32 = 0;

function initTable(table: u32, bytes: u32, ruleCount: u32, hosts: u32): void {
  const groupsMost = groupsOf(table, ruleCount, hosts);
  switch (table) {
    case StateTable.Sequence: return initPlain(table, bytes, PARTIAL_BYTES, groupsMost);
    case StateTable.Temporal: return initPlain(table, bytes, TEMPORAL_BYTES, groupsMost);
    case StateTable.Sample:
      sampleInit();
      return initPlain(table, bytes, KEPT_BYTES, groupsMost);
    case StateTable.Terms: {
      // A sixteenth for what moves alerts back.
      const recents = min<u32>(max<u32>((bytes >> 4) / RECENT_COST, RECORDS_MIN), RECENTS_MAX);
      termsInit(hosts, recents);
      const recentBytes = min<u32>(recents * RECENT_COST, bytes);
      return initPlain(table, bytes - recentBytes, TERM_BYTES, groupsMost);
    }
    default: {
      // Samples are the bulk: half to them, a quarter each to windows and to distinct values.
      const quarter = bytes >> 2;
      const distinct = max<u32>(tableRecordsIn(quarter, DISTINCT_BYTES), RECORDS_MIN);
      samplesInit(max<u32>((quarter << 1) / SAMPLE_BYTES, RECORDS_MIN), distinct);
      return initPlain(table, quarter, WINDOW_BYTES, groupsMost);
    }
  }
}

/** A table whose share of the budget also pays for its groups: no more of them than its rules and the hosts can make. */
function initPlain(table: u32, bytes: u32, stride: u32, groupsMost: u32): void {
  let records = bytes / (stride + 6 + GROUP_COST / RECORDS_PER_GROUP);
  if (records / RECORDS_PER_GROUP > groupsMost) records = tableRecordsIn(bytes - groupsMost * GROUP_COST, stride);
  records = max<u32>(records, RECORDS_MIN);
  tableInit(stateTable(table), stride, records);
  groups += min<u32>(records / RECORDS_PER_GROUP + 1, groupsMost);
}

/** Groups that a table's rules can make: one for each host, or one where a rule joins across hosts. */
function groupsOf(table: u32, ruleCount: u32, hosts: u32): u32 {
  let count: u32 = 0;
  for (let rule: u32 = 0; rule < ruleCount; rule++) {
    if (tableOf(ruleKind(rule)) == table) count = min<u32>(count + (isGlobal(rule) ? 1 : hosts), 0x1000000);
  }
  return count;
}

/** What copies of the kernel can do without. */
export function stateHoles(): void {
  for (let table: u32 = 1; table < u32(StateTable.Count); table++) tableHoles(stateTable(table));
  samplesHoles();
  groupsHoles();
}

/** Records in use in a table, for `stats`. */
export function stateRecordsUsed(table: u32): u32 {
  return tableUsed(stateTable(table));
}

/** Bytes that a table takes, its index and what goes with its records included, the groups not. */
export function stateTableBytes(table: u32): u32 {
  return load<u32>(BYTES + (usize(table) << 2));
}

/** Records a table can hold; 0 when no rule needs it. */
export function stateRecordCapacity(table: u32): u32 {
  return tableCapacity(stateTable(table));
}
