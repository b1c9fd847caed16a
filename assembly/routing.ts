/**
 * What a kernel that sees only part of a stream is told: which hosts are its own, and where its rows stand in the whole
 * stream. And the other side: a routing kernel sees every row, judges none, and notes for each its line, its host's
 * slot and the time of the rules across hosts.
 */
import { Config } from "../src/core/abi/state";
import { HostSlots, RouteColumn } from "../src/core/abi/routing";
import { configU32 } from "./config";
import { input_capacity } from "./input";
import { reserve } from "./memory";

/** A byte for each slot: 1 where hosts of the slot are another kernel's. */
const FOREIGN: usize = memory.data(HostSlots.Count, 16);

let ordinals: usize = 0;
let ordinalCapacity: u32 = 0;
let ordinalCount: u32 = 0;
let ordinalAt: u32 = 0;
let ordinalBase: u64 = 0;

/** Rows that one call can note; 0 in a kernel that does not route. */
let noteCapacity: u32 = 0;
let notes: usize = 0;
let noteBase: u64 = 0;
let noted: u32 = 0;
let clocked: u32 = 0;
let clock: i64 = i64.MIN_VALUE;
/** Lines in the order of shards, then u32 ordinals of their rows, counted from the call's first. */
let scattered: usize = 0;
let places: usize = 0;
let shardOfSlot: usize = 0;
/** For each shard u32 bytes, u32 rows, and two cursors. */
let shardTable: usize = 0;

export function routingInit(): void {
  ordinalCapacity = configU32(Config.OrdinalCapacity);
  ordinals = reserve(usize(ordinalCapacity) << 2);
  noteCapacity = configU32(Config.RouteCapacity);
  if (noteCapacity == 0) return;
  notes = reserve(usize(noteCapacity) * RouteColumn.RowBytes);
  scattered = reserve(input_capacity() + 64);
  places = reserve(usize(noteCapacity) << 2);
  shardOfSlot = reserve(HostSlots.Count + 16);
  shardTable = reserve(HostSlots.Count * 16);
}

/** The slot of a host: of its name's hash, the same in every kernel with the same seed. */
@inline
export function slotOfHost(hash: u64): u32 {
  return u32(hash >> 40) & (HostSlots.Count - 1);
}

@inline
export function ownsSlot(slot: u32): bool {
  return load<u8>(FOREIGN + slot) == 0;
}

/** Whether some slots are another kernel's. */
export function sharesSlots(): bool {
  let any: u64 = 0;
  for (let at: usize = 0; at < usize(HostSlots.Count); at += 8) any |= load<u64>(FOREIGN + at);
  return any != 0;
}

/** Whether any slot is this kernel's. */
export function ownsSome(): bool {
  for (let slot: u32 = 0; slot < u32(HostSlots.Count); slot++) if (ownsSlot(slot)) return true;
  return false;
}

/** Address of the 256 bytes that say which slots are another kernel's. */
export function foreignSlots(): usize {
  return FOREIGN;
}

// ------------------------------------------------------------------------------------------------ ordinals

/** Where the host writes the ordinals of the next rows, u32 each, counted from a base. */
export function ordinalTable(): usize {
  return ordinals;
}

/** Rows that the table has room for. */
export function ordinalRoom(): u32 {
  return ordinalCapacity;
}

/** The next `count` rows have the ordinals of the table; later ones go on from the last. */
export function ordinalUse(base: f64, count: u32): void {
  ordinalBase = u64(base);
  ordinalCount = min<u32>(count, ordinalCapacity);
  ordinalAt = 0;
}

/** Ordinal of the next row by the table, else `next`. */
@inline
export function tabledOrdinal(next: u64): u64 {
  return ordinalAt < ordinalCount ? ordinalBase + u64(load<u32>(ordinals + (usize(ordinalAt++) << 2))) : next;
}

// -------------------------------------------------------------------------------------------------- routing

export function isRouting(): bool {
  return noteCapacity != 0;
}

function column(which: u32): usize {
  return notes + usize(noteCapacity) * usize(which);
}

/** Starts the notes of one call, whose first row has this ordinal. */
export function routeBegin(ordinal: f64): void {
  noteBase = u64(ordinal);
  noted = 0;
  clocked = 0;
}

/** Notes the host's slot of a row. Rows without a note were skipped. */
export function noteSlot(ordinal: u64, slot: u32): void {
  const i = u32(ordinal - noteBase);
  if (i < noteCapacity) store<u32>(column(RouteColumn.Slot) + (usize(i) << 2), slot);
}

/** Notes the line of the next row, as offsets into the call's input. Before the row is taken. */
export function noteLine(start: u32): void {
  if (noted >= noteCapacity) return;
  store<u32>(column(RouteColumn.Start) + (usize(noted) << 2), start);
  store<u32>(column(RouteColumn.Slot) + (usize(noted) << 2), HostSlots.Skipped);
}

/** Notes where that line ends, its line end included. */
export function noteLineEnd(end: u32): void {
  if (noted >= noteCapacity) return;
  store<u32>(column(RouteColumn.End) + (usize(noted) << 2), end);
  noted++;
}

/** Notes the time of the rules across hosts once a row was applied; rows skipped before it have the time before. */
export function noteClock(ordinal: u64, timeUs: i64): void {
  const i = min<u32>(u32(ordinal - noteBase), noteCapacity);
  const clocks = column(RouteColumn.Clock);
  for (; clocked < i; clocked++) store<i64>(clocks + (usize(clocked) << 3), clock);
  clock = timeUs;
  if (i < noteCapacity) {
    store<i64>(clocks + (usize(i) << 3), clock);
    clocked = i + 1;
  }
}

/** Fills in the clock of rows skipped at the end. Returns the lines noted. */
export function routeEnd(rows: u32): u32 {
  const clocks = column(RouteColumn.Clock);
  const end = min<u32>(rows, noteCapacity);
  for (; clocked < end; clocked++) store<i64>(clocks + (usize(clocked) << 3), clock);
  return noted;
}

/** Address of the i64 clock of each row of the call. */
export function routeClocks(): usize {
  return column(RouteColumn.Clock);
}

/** Address of the lines in shard order. */
export function routeLines(): usize {
  return scattered;
}

/** Address of the u32 place of each of those lines in the call. */
export function routePlaces(): usize {
  return places;
}

/** Where the host writes the shard of each slot, and of skipped rows: `HostSlots.Count + 1` bytes. */
export function routeShards(): usize {
  return shardOfSlot;
}

/**
 * Puts the noted lines of the input region in the order of their shards. Returns the address of u32 bytes, u32 rows and
 * two words of its own for each shard.
 */
export function routeScatter(input: usize, shardCount: u32): usize {
  memory.fill(shardTable, 0, usize(shardCount) * 16);
  for (let i: u32 = 0; i < noted; i++) {
    const entry = shardTable + usize(shardOf(i)) * 16;
    store<u32>(entry, load<u32>(entry) + lengthOf(i));
    store<u32>(entry, load<u32>(entry, 4) + 1, 4);
  }
  let bytes: u32 = 0;
  let rows: u32 = 0;
  for (let shard: u32 = 0; shard < shardCount; shard++) {
    const entry = shardTable + usize(shard) * 16;
    store<u32>(entry, bytes, 8);
    store<u32>(entry, rows, 12);
    bytes += load<u32>(entry);
    rows += load<u32>(entry, 4);
  }
  for (let i: u32 = 0; i < noted; i++) {
    const entry = shardTable + usize(shardOf(i)) * 16;
    const to = load<u32>(entry, 8);
    const place = load<u32>(entry, 12);
    const length = lengthOf(i);
    memory.copy(scattered + to, input + load<u32>(column(RouteColumn.Start) + (usize(i) << 2)), length);
    store<u32>(places + (usize(place) << 2), i);
    store<u32>(entry, to + length, 8);
    store<u32>(entry, place + 1, 12);
  }
  return shardTable;
}

function lengthOf(i: u32): u32 {
  return load<u32>(column(RouteColumn.End) + (usize(i) << 2)) - load<u32>(column(RouteColumn.Start) + (usize(i) << 2));
}

function shardOf(i: u32): u32 {
  return load<u8>(shardOfSlot + load<u32>(column(RouteColumn.Slot) + (usize(i) << 2)));
}
