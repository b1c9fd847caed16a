/**
 * A kernel that shares its stream moves its own rows of a batch to the front of every column, before anything is read of
 * the others: what follows sees a batch of those rows alone, and their ordinals lie in the table.
 */
import { BatchKind, ColumnKind, ViewColumn, ViewWord } from "../src/core/abi/events";
import { isOfSession, viewColumn } from "./batch_check";
import { pagesCodes, pagesEntry, tableOf } from "./code_pages";
import { columnCount, columnKind, hostIdColumn } from "./columns";
import { spaceOf } from "./dictionary";
import { hashBytes } from "./hash";
import { valueIsList } from "./lists";
import { ordinalNext } from "./rows";
import { ordinalRoom, ordinalTable, ordinalUse, ownsSlot, ownsSome, slotOfHost } from "./routing";
import { valueHash } from "./values";

/** Codes of the rows' host ids and where they lead; 0 codes where the batch does not tell hosts so. */
let hostCodes: usize = 0;
let hostSpace: usize = 0;
let hostTable: usize = 0;
/** Whether rows without a code of their own may be this kernel's. */
let takesUnnamed: bool = true;

/**
 * Moves the rows that may be this kernel's to the front and returns how many there are. Rows whose host is told by other
 * fields than its id stay in, and so does every row of a batch too long for the table: staging knows whose they are.
 */
export function ownRows(view: usize, rows: u32): u32 {
  if (!ownsSome()) return 0;
  if (rows > ordinalRoom() || !findHosts(view)) return rows;
  const places = ordinalTable();
  let taken: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    store<u32>(places + (<usize>taken << 2), row);
    taken += u32(mayOwn(row));
  }
  if (taken == rows) return rows;
  for (let c: u32 = 0; c < columnCount(); c++) moveColumn(viewColumn(view, c), places, taken);
  moveWords64(<usize>load<u32>(view, ViewWord.TimePointer * 4), places, taken);
  ordinalUse(<f64>ordinalNext(), taken);
  return taken;
}

function findHosts(view: usize): bool {
  if (hostIdColumn == 0xffffffff || columnKind(hostIdColumn) == ColumnKind.Number) return false;
  const column = viewColumn(view, hostIdColumn);
  const kind = load<u32>(column, ViewColumn.Kind * 4);
  if (kind == BatchKind.Number || load<u32>(column, ViewColumn.ListOffsets * 4) != 0) return false;
  hostSpace = spaceOf(isOfSession(view, column), hostIdColumn);
  hostTable = tableOf(hostSpace, hostIdColumn);
  // Without entries every code is 0, and leads nowhere.
  hostCodes = kind == 0 || pagesCodes(hostSpace, hostIdColumn) == 0 ? 0 : <usize>load<u32>(column, ViewColumn.Codes * 4);
  const bytes = load<u32>(view, ViewWord.HostBytes * 4);
  const host = <usize>load<u32>(view, ViewWord.HostPointer * 4);
  takesUnnamed = bytes == 0 || ownsSlot(slotOfHost(hashBytes(host, bytes)));
  return hostCodes != 0 || !takesUnnamed;
}

@inline
function mayOwn(row: u32): bool {
  const code: u32 = hostCodes == 0 ? 0 : load<u32>(hostCodes + (<usize>row << 2));
  if (code == 0) return takesUnnamed;
  const entry = pagesEntry(hostSpace, hostTable, code);
  if (columnKind(hostIdColumn) == ColumnKind.Id) {
    const hash = load<u64>(entry);
    return hash == 0 ? takesUnnamed : ownsSlot(slotOfHost(hash));
  }
  const v = load<u32>(entry);
  if (v == 0) return takesUnnamed;
  return valueIsList(v) || ownsSlot(slotOfHost(valueHash(v)));
}

function moveColumn(column: usize, rows: usize, taken: u32): void {
  const kind = load<u32>(column, ViewColumn.Kind * 4);
  if (kind == 0) return;
  if (kind == BatchKind.Number) {
    moveWords64(<usize>load<u32>(column, ViewColumn.Numbers * 4), rows, taken);
    const validity = <usize>load<u32>(column, ViewColumn.Validity * 4);
    if (validity != 0) moveBits(validity, rows, taken);
    return;
  }
  const codes = <usize>load<u32>(column, ViewColumn.Codes * 4);
  const listOffsets = <usize>load<u32>(column, ViewColumn.ListOffsets * 4);
  const total = listOffsets == 0 ? moveWords32(codes, rows, taken) : moveLists(codes, listOffsets, rows, taken);
  store<u32>(column, total, ViewColumn.CodeCount * 4);
}

function moveWords32(words: usize, rows: usize, taken: u32): u32 {
  for (let i: usize = 0; i < <usize>taken; i++) {
    store<u32>(words + (i << 2), load<u32>(words + (<usize>load<u32>(rows + (i << 2)) << 2)));
  }
  return taken;
}

function moveWords64(words: usize, rows: usize, taken: u32): void {
  for (let i: usize = 0; i < <usize>taken; i++) {
    store<u64>(words + (i << 3), load<u64>(words + (<usize>load<u32>(rows + (i << 2)) << 3)));
  }
}

function moveBits(bits: usize, rows: usize, taken: u32): void {
  for (let i: u32 = 0; i < taken; i++) {
    const row = load<u32>(rows + (<usize>i << 2));
    const bit = (<u32>load<u8>(bits + (row >> 3)) >> (row & 7)) & 1;
    const at = bits + (i >> 3);
    const others = <u32>load<u8>(at) & ~(<u32>1 << (i & 7));
    store<u8>(at, <u8>(others | (bit << (i & 7))));
  }
}

/** The offsets of rows not yet moved are above those written, but for the one where the row before ends. */
function moveLists(codes: usize, offsets: usize, rows: usize, taken: u32): u32 {
  let total: u32 = 0;
  let before: u32 = 0xffffffff;
  let end: u32 = 0;
  for (let i: usize = 0; i < <usize>taken; i++) {
    const row = load<u32>(rows + (i << 2));
    const first = row == before + 1 && before != 0xffffffff ? end : load<u32>(offsets + (<usize>row << 2));
    end = load<u32>(offsets + (<usize>row << 2), 4);
    before = row;
    store<u32>(offsets + (i << 2), total);
    const items = end - first;
    memory.copy(codes + (<usize>total << 2), codes + (<usize>first << 2), <usize>items << 2);
    total += items;
  }
  store<u32>(offsets + (<usize>taken << 2), total);
  return total;
}
