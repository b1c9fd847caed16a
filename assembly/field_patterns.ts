/**
 * Columns that stand for every field whose dotted name matches a pattern (`*`, `host.*`): fields with wildcards, and
 * values without a field, in queries. Such a column holds the values of all those fields as one list.
 */
import { columnCount, columnNameLength, columnNamePointer } from "./columns";
import { reserve, textEquals } from "./memory";

const STAR: u8 = 0x2a;
const DOT: u8 = 0x2e;
/** Most patterns of a program, so that those of a name fit into one word. */
const PATTERNS: u32 = 64;

let columns: usize = 0;
/** Columns of patterns. Mostly there are none. */
export let patternCount: u32 = 0;

/** Notes which of the program's columns are patterns. */
export function patternsInit(): void {
  columns = reserve(<usize>PATTERNS << 2);
  for (let c: u32 = 0; c < columnCount() && patternCount < PATTERNS; c++) {
    if (!columnIsPattern(c)) continue;
    store<u32>(columns + (<usize>patternCount << 2), c);
    patternCount++;
  }
}

/** Whether the column stands for the fields that match its name. */
export function columnIsPattern(c: u32): bool {
  return starIn(columnNamePointer(c), columnNameLength(c)) < columnNameLength(c);
}

/** Column of pattern `i`. */
@inline
export function patternColumn(i: u32): u32 {
  return load<u32>(columns + (<usize>i << 2));
}

/** The patterns that a field of this name satisfies, as bits. */
export function patternsOf(name: usize, length: u32): u64 {
  let found: u64 = 0;
  for (let i: u32 = 0; i < patternCount; i++) {
    const c = patternColumn(i);
    if (matches(columnNamePointer(c), columnNameLength(c), name, length)) found |= (<u64>1) << i;
  }
  return found;
}

/** Whether fields below this one may satisfy a pattern, as far as its text before the first star tells. */
export function leadsToPattern(name: usize, length: u32): bool {
  for (let i: u32 = 0; i < patternCount; i++) {
    const c = patternColumn(i);
    const pattern = columnNamePointer(c);
    const start = starIn(pattern, columnNameLength(c));
    const shared = min<u32>(start, length);
    if (textEquals(pattern, name, shared) && (start <= length || load<u8>(pattern + length) == DOT)) return true;
  }
  return false;
}

/** Where the first star is; `length` where there is none. */
function starIn(name: usize, length: u32): u32 {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(name + i) == STAR) return i;
  return length;
}

function matches(pattern: usize, patternLength: u32, name: usize, length: u32): bool {
  let p: u32 = 0;
  let n: u32 = 0;
  let star: u32 = patternLength;
  let retry: u32 = 0;
  while (n < length) {
    if (p < patternLength && load<u8>(pattern + p) == STAR) {
      star = p++;
      retry = n;
    } else if (p < patternLength && load<u8>(pattern + p) == load<u8>(name + n)) {
      p++;
      n++;
    } else if (star < patternLength) {
      p = star + 1;
      n = ++retry;
    } else return false;
  }
  while (p < patternLength && load<u8>(pattern + p) == STAR) p++;
  return p == patternLength;
}
