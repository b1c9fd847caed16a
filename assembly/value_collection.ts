/**
 * Collection of interned values: frees the ids that nothing holds and closes the gaps in the arena of texts.
 *
 * Held are the values of rows that live, of the current session and batch, of process records, and, while enough room
 * is left without them, those used since the last collection. Ids do not move; texts do, so an address of a value's
 * text is good only until the next chunk.
 */
import { ColumnKind, ValueTag } from "../src/core/abi/events";
import { markSessionValues } from "./dictionary";
import { columnCount, columnKind, columnOffset } from "./columns";
import { lineageMarkValues } from "./lineage";
import { align8 } from "./memory";
import { rowAddress, rowCapacity, rowIsLive } from "./rows";
import {
  ENTRY_HEADER,
  FLAG_MARKED,
  FLAG_RECENT,
  KEY_FREE,
  arenaBase,
  arenaTop,
  indexInsert,
  placeOf,
  record,
  recordCapacity,
  recordKey,
  recordTop,
  releaseRecord,
  setArenaTop,
  slotMask,
  slotsBase,
  valueBytesFree,
  valueColumn,
  valueHash,
  valueMark,
  valuesFree,
} from "./values";
import { arenaEnd } from "./values";

/** Counts collections. What is remembered by value id outside of marked places is void when it changes. */
export let valueGeneration: u32 = 0;

/** Makes room for `values` new ids and `bytes` of text, if it can be had. Only between chunks. */
export function valuesMakeRoom(values: u32, bytes: usize): void {
  if (valuesFree() >= values && valueBytesFree() >= bytes) return;
  collect(true);
  const isTight =
    valuesFree() < max<u32>(values, recordCapacity >> 2) || valueBytesFree() < max<usize>(bytes, (arenaEnd - arenaBase) >> 2);
  if (isTight) collect(false);
}

function collect(keepRecent: bool): void {
  valueGeneration++;
  markHeld();
  slideArena(keepRecent);
  rebuildIndex();
}

function markHeld(): void {
  for (let slot: u32 = 0; slot < rowCapacity(); slot++) {
    if (rowIsLive(slot)) markRow(rowAddress(slot));
  }
  markSessionValues();
  lineageMarkValues();
}

function markRow(at: usize): void {
  for (let c: u32 = 0; c < columnCount(); c++) {
    if (columnKind(c) == ColumnKind.Text) valueMark(load<u32>(at + columnOffset(c)));
  }
}

/** Walks the arena once, oldest text first: keeps what is held, frees the rest. */
function slideArena(keepRecent: bool): void {
  if (keepRecent) markItemsOfRecentLists();
  const keepMask = keepRecent ? FLAG_MARKED | FLAG_RECENT : FLAG_MARKED;
  let target = arenaBase;
  let entry = arenaBase;
  const end = arenaTop;
  while (entry < end) {
    const v = load<u32>(entry);
    const bytes = ENTRY_HEADER + align8(load<u32>(entry, 4));
    const key = recordKey(v);
    if ((key & keepMask) != 0) {
      if (target != entry) memory.copy(target, entry, bytes);
      store<u32>(record(v), <u32>(target + ENTRY_HEADER), 16);
      store<u32>(record(v), key & ~(FLAG_MARKED | FLAG_RECENT), 28);
      target += bytes;
    } else {
      releaseRecord(v);
    }
    entry += bytes;
  }
  setArenaTop(target);
}

/** A list kept for being recent keeps its items. */
function markItemsOfRecentLists(): void {
  for (let v: u32 = 1; v < recordTop; v++) {
    const key = recordKey(v);
    if (key != KEY_FREE && (key & FLAG_RECENT) != 0 && ((key >> 16) & 0xff) == ValueTag.List) valueMark(v);
  }
}

function rebuildIndex(): void {
  memory.fill(slotsBase, 0, (<usize>slotMask + 1) << 3);
  for (let v: u32 = 1; v < recordTop; v++) {
    if (recordKey(v) != KEY_FREE) indexInsert(placeOf(valueColumn(v), valueHash(v)), v);
  }
}
