/**
 * The columns of the loaded program, and where their cells lie in a row.
 *
 * A row is one record: a header, then its cells, widest first. A row is judged as a whole and often long after it
 * came in, so its cells share cache lines instead of each column having its own array.
 *
 *   0       8        16     20     24        32
 *   time    ordinal  host   flags  tiebreak  f64 cells, id cells (hash, pointer, length), u32 text cells
 */
import { ColumnKind, ColumnRole, ColumnWord } from "../src/core/abi/events";
import { align16, reserve } from "./memory";

export const ROW_HEADER: usize = 32;
const ID_CELL: usize = 16;
const NONE: u32 = 0xffffffff;

let section: usize = 0;
let count: u32 = 0;
let offsets: usize = 0;
let kinds: usize = 0;

/** Bytes of one row. */
export let rowStride: usize = 0;
/** Where the id cells start in a row, and how many a row has. */
export let idCellsOffset: usize = 0;
export let idCellCount: u32 = 0;

/** Columns with a role; 0xffffffff where the program has none. */
export let tiebreakColumn: u32 = NONE;
export let hostIdColumn: u32 = NONE;
export let hostNameColumn: u32 = NONE;
export let agentIdColumn: u32 = NONE;
export let timeColumn: u32 = NONE;

/** Reads `Section.Columns` at `pointer`, which must stay in place, and lays out the row. */
export function columnsInit(pointer: usize): void {
  section = pointer;
  count = pointer == 0 ? 0 : load<u32>(pointer);
  offsets = reserve(<usize>count << 2);
  kinds = reserve(count);
  let at = layOut(ColumnKind.Number, ROW_HEADER, 8);
  idCellsOffset = at;
  at = layOut(ColumnKind.Id, at, ID_CELL);
  idCellCount = <u32>((at - idCellsOffset) / ID_CELL);
  at = layOut(ColumnKind.Text, at, 4);
  rowStride = align16(at);
  for (let c: u32 = 0; c < count; c++) noteRole(c);
}

function layOut(kind: u32, start: usize, bytes: usize): usize {
  let at = start;
  for (let c: u32 = 0; c < count; c++) {
    if (columnWord(c, ColumnWord.Kind) != kind) continue;
    store<u8>(kinds + c, <u8>kind);
    store<u32>(offsets + (<usize>c << 2), <u32>at);
    at += bytes;
  }
  return at;
}

function noteRole(c: u32): void {
  if (columnWord(c, ColumnWord.Kind) == ColumnKind.Time) {
    store<u8>(kinds + c, <u8>ColumnKind.Time);
    timeColumn = c;
  }
  const role = columnWord(c, ColumnWord.Role);
  if (role == ColumnRole.Tiebreak) tiebreakColumn = c;
  else if (role == ColumnRole.HostId) hostIdColumn = c;
  else if (role == ColumnRole.HostName) hostNameColumn = c;
  else if (role == ColumnRole.AgentId) agentIdColumn = c;
}

function columnWord(c: u32, word: u32): u32 {
  return load<u32>(section + 4 + ((<usize>c * ColumnWord.Count + word) << 2));
}

@inline
export function columnCount(): u32 {
  return count;
}

/** `ColumnKind` of column `c`. */
@inline
export function columnKind(c: u32): u32 {
  return load<u8>(kinds + c);
}

/** Byte offset of the cell of column `c` in a row. */
@inline
export function columnOffset(c: u32): usize {
  return load<u32>(offsets + (<usize>c << 2));
}

export function columnNamePointer(c: u32): usize {
  return section + columnWord(c, ColumnWord.NameOffset);
}

export function columnNameLength(c: u32): u32 {
  return columnWord(c, ColumnWord.NameBytes);
}

/** Bytes of the name's prefix that is the nested path; 0 where the column is below none. */
export function columnNestedLength(c: u32): u32 {
  return columnWord(c, ColumnWord.NestedBytes);
}
