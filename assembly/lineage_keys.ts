/**
 * How a row names its process and its parent: which columns say so, and the keys they give. A strong key comes from an
 * entity id, or from pid and start (or pid version); a pid alone is a weak key. Keys include the host.
 */
import { ColumnKind } from "../src/core/abi/events";
import { LineageColumn } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { columnCount, columnKind, columnOffset } from "./columns";
import { sectionBytes, sectionPtr } from "./config";
import { hashNumber, hashPair } from "./hash";
import { hostHash } from "./hosts";
import { listItem, listLength, valueIsList } from "./lists";
import { hashOfCell, rowAddress, rowHost } from "./rows";
import { valueHash, valueNumber } from "./values";

export const NO_COLUMN: u32 = 0xffffffff;

const PID_START: u64 = 0x517cc1b727220a95;
const PID_ONLY: u64 = 0x2545f4914f6cdd1d;

/** Column of the program that has a meaning of its own (`LineageColumn`), or `NO_COLUMN`. */
export function wellKnown(which: u32): u32 {
  const section = sectionPtr(Section.Lineage);
  if (section == 0 || (which + 1) * 4 > sectionBytes(Section.Lineage)) return NO_COLUMN;
  const column = load<u32>(section + (usize(which) << 2));
  return column < columnCount() ? column : NO_COLUMN;
}

/** For each `LineageColumn`: offset of its cell in a row, and its `ColumnKind`, 0 where the program has no such column. */
const CELLS: usize = memory.data(LineageColumn.Count * 8, 8);

/** Finds the columns of the loaded program. */
export function lineageKeysInit(): void {
  for (let which: u32 = 0; which < u32(LineageColumn.Count); which++) {
    const column = wellKnown(which);
    const at = CELLS + (usize(which) << 3);
    store<u32>(at, column == NO_COLUMN ? 0 : u32(columnOffset(column)));
    store<u32>(at, column == NO_COLUMN ? 0 : columnKind(column), 4);
  }
}

// @ts-ignore: decorator
@inline
function kindOf(which: u32): u32 {
  return load<u32>(CELLS + (usize(which) << 3), 4);
}

// @ts-ignore: decorator
@inline
function cellOf(which: u32, slot: u32): usize {
  return rowAddress(slot) + load<u32>(CELLS + (usize(which) << 3));
}

function hashOf(which: u32, slot: u32): u64 {
  return hashOfCell(kindOf(which), cellOf(which, slot));
}

/** A pid as a whole number from 1, 0 where missing or not one. */
function pidOf(which: u32, slot: u32): u32 {
  const kind = kindOf(which);
  let number = NaN;
  if (kind == ColumnKind.Number) number = load<f64>(cellOf(which, slot));
  else if (kind == ColumnKind.Text) {
    let value = load<u32>(cellOf(which, slot));
    if (value != 0 && valueIsList(value)) value = listItem(value, 0);
    if (value != 0) number = valueNumber(value);
  }
  return number >= 0 && number < 4294967295 ? u32(number) + 1 : 0;
}

/** The row's process id plus one (pid 0 is a process too), 0 where the row has none. */
export function subjectPid(slot: u32): u32 {
  return pidOf(LineageColumn.Pid, slot);
}

/** As {@link subjectPid}, of the parent. */
export function parentPid(slot: u32): u32 {
  return pidOf(LineageColumn.ParentPid, slot);
}

function entityKey(host: u32, entity: u64): u64 {
  return entity == 0 ? 0 : hashPair(hostHash(host), entity);
}

function startKey(host: u32, pid: u32, start: u64): u64 {
  if (pid == 0 || start == 0) return 0;
  return hashPair(hostHash(host) ^ PID_START, hashPair(hashNumber(pid), start));
}

/** Strong key of the row's process, 0 where the row gives none. */
export function subjectKey(slot: u32): u64 {
  const host = rowHost(slot);
  const entity = hashOf(LineageColumn.EntityId, slot);
  if (entity != 0) return entityKey(host, entity);
  const version = hashOf(LineageColumn.PidVersion, slot);
  if (version != 0) return startKey(host, subjectPid(slot), version);
  return startKey(host, subjectPid(slot), hashOf(LineageColumn.Start, slot));
}

/** Strong key of the parent by its entity id, 0 where the row gives none. */
export function parentEntityKey(slot: u32): u64 {
  return entityKey(rowHost(slot), hashOf(LineageColumn.ParentEntityId, slot));
}

/** Strong key of the parent by pid and start, 0 where the row gives none. */
export function parentStartKey(slot: u32): u64 {
  return startKey(rowHost(slot), parentPid(slot), hashOf(LineageColumn.ParentStart, slot));
}

/** Number of ancestors the row lists (nearest first), at most `most`. */
export function ancestryLength(slot: u32, most: u32): u32 {
  if (kindOf(LineageColumn.Ancestry) != ColumnKind.Text) return hashOf(LineageColumn.Ancestry, slot) != 0 ? 1 : 0;
  const value = wellKnownText(LineageColumn.Ancestry, slot);
  if (value == 0) return 0;
  return valueIsList(value) ? min<u32>(listLength(value), most) : 1;
}

/** Whether entry `i` of the row's list of ancestors names one. */
export function ancestryNames(slot: u32, i: u32): bool {
  const value = wellKnownText(LineageColumn.Ancestry, slot);
  return value == 0 || !valueIsList(value) || listItem(value, i) != 0;
}

/** Strong key of ancestor `i` of the row's list, 0 where that entry is missing. */
export function ancestryKey(slot: u32, i: u32): u64 {
  const value = wellKnownText(LineageColumn.Ancestry, slot);
  if (value == 0 || !valueIsList(value)) return entityKey(rowHost(slot), hashOf(LineageColumn.Ancestry, slot));
  const item = listItem(value, i);
  return item == 0 ? 0 : entityKey(rowHost(slot), valueHash(item));
}

/** Key under which a process without a strong one is known: its host, pid and the time it was first seen. */
export function generationKey(host: u32, pid: u32, timeUs: i64): u64 {
  return hashPair(hostHash(host) ^ PID_ONLY, hashPair(pid, u64(timeUs)));
}

/** Key of a pid on a host, for the index of latest incarnations. */
export function pidKey(host: u32, pid: u32): u64 {
  return hashPair(hostHash(host), pid);
}

/** Value of a well-known Text column in the row, 0 where there is none. */
export function wellKnownText(which: u32, slot: u32): u32 {
  return kindOf(which) == ColumnKind.Text ? load<u32>(cellOf(which, slot)) : 0;
}
