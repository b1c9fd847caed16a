/** Divides the state budget among the tables that the program's rules need. */
import { StateTable } from "../src/core/abi/stateful";
import { Config, RuleKind } from "../src/core/abi/state";
import { DISTINCT_BYTES, SAMPLE_BYTES, samplesHoles, samplesInit } from "./aggregate_samples";
import { WINDOW_BYTES } from "./aggregate";
import { configU32 } from "./config";
import { groupKeysInit } from "./group_keys";
import { SAMPLE_BYTES as KEPT_BYTES, sampleInit } from "./sample";
import { PARTIAL_BYTES } from "./sequence";
import { stateTable } from "./state_entries";
import { GROUP_BYTES, groupsFixedBytes, groupsHoles, groupsInit } from "./state_groups";
import { tableCapacity, tableHoles, tableInit, tableRecordBytes, tableUsed } from "./state_table";
import { ruleKind } from "./stateful";
import { TEMPORAL_BYTES } from "./temporal";
import { RECENT_BYTES, TERM_BYTES, termsInit } from "./terms";

/** A table that some rule needs has room for so many records, whatever the budget. */
const RECORDS_MIN: u32 = 64;
/** One group to so many records: a host has several entries of a rule, or several rules. */
const RECORDS_PER_GROUP: u32 = 3;

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
  let records: u32 = 0;
  for (let table: u32 = 1; table < u32(StateTable.Count); table++) {
    if ((needed & (1 << table)) == 0) continue;
    const share = u32(u64(free) * u64(weightOf(table)) / u64(weights));
    records += initTable(table, share, hosts);
  }
  groupsInit(ruleCount, hosts, max<u32>(records / RECORDS_PER_GROUP, RECORDS_MIN));
}

/** Records of a table whose share of the budget also pays for its groups. */
function recordsIn(bytes: u32, stride: u32): u32 {
  return max<u32>(bytes / (tableRecordBytes(stride) + tableRecordBytes(GROUP_BYTES) / RECORDS_PER_GROUP), RECORDS_MIN);
}

function initTable(table: u32, bytes: u32, hosts: u32): u32 {
  switch (table) {
    case StateTable.Sequence: return initPlain(table, bytes, PARTIAL_BYTES);
    case StateTable.Temporal: return initPlain(table, bytes, TEMPORAL_BYTES);
    case StateTable.Sample:
      sampleInit();
      return initPlain(table, bytes, KEPT_BYTES);
    case StateTable.Terms: {
      // A sixteenth for what moves alerts back.
      const recents = max<u32>((bytes >> 4) / u32(RECENT_BYTES), RECORDS_MIN);
      termsInit(hosts, min<u32>(recents, 4096));
      return initPlain(table, bytes - (bytes >> 4), TERM_BYTES);
    }
    default: {
      // Samples are the bulk: half to them, a quarter each to windows and to distinct values.
      const quarter = bytes >> 2;
      const distinct = max<u32>(quarter / tableRecordBytes(DISTINCT_BYTES), RECORDS_MIN);
      samplesInit(max<u32>((quarter << 1) / SAMPLE_BYTES, RECORDS_MIN), distinct);
      return initPlain(table, quarter, WINDOW_BYTES);
    }
  }
}

function initPlain(table: u32, bytes: u32, stride: u32): u32 {
  const records = recordsIn(bytes, stride);
  tableInit(stateTable(table), stride, records);
  return records;
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

/** Records a table can hold; 0 when no rule needs it. */
export function stateRecordCapacity(table: u32): u32 {
  return tableCapacity(stateTable(table));
}
