/**
 * What the codes of a dictionary stand for: per column, code to entry. Columns grow at their own pace during a session,
 * so entries live in pages from one pool, found through a small table for each column. Code 0 is missing: its entry is
 * zero.
 *
 *   space  0 page tables | 4 pages | 8 pages taken | 12 pages in the pool | 16 pages a column may have
 *          20 bytes of an entry | 24 entries of each column
 */
import { columnCount } from "./columns";
import { reserve } from "./memory";

const PAGE_ENTRIES_LOG2: u32 = 9;
const PAGE_ENTRIES: u32 = 1 << PAGE_ENTRIES_LOG2;
const SPACE: usize = 28;

/** Reserves a space for `codes` codes over all columns, of `entryBytes` each. */
export function pagesCreate(codes: u32, entryBytes: u32): usize {
  const space = reserve(SPACE);
  const columnPages = (codes >> PAGE_ENTRIES_LOG2) + 1;
  // A column's last page may be nearly empty.
  const poolPages = columnPages + columnCount();
  store<u32>(space, <u32>reserve((<usize>columnCount() * columnPages) << 2));
  store<u32>(space, <u32>reserve(<usize>poolPages * PAGE_ENTRIES * entryBytes), 4);
  store<u32>(space, 0, 8);
  store<u32>(space, poolPages, 12);
  store<u32>(space, columnPages, 16);
  store<u32>(space, entryBytes, 20);
  store<u32>(space, <u32>reserve(<usize>columnCount() << 2), 24);
  return space;
}

/** Forgets every code. */
export function pagesReset(space: usize): void {
  store<u32>(space, 0, 8);
  memory.fill(<usize>load<u32>(space, 24), 0, <usize>columnCount() << 2);
}

/** Codes that column `c` has. */
@inline
export function pagesCodes(space: usize, c: u32): u32 {
  return load<u32>(<usize>load<u32>(space, 24) + (<usize>c << 2));
}

/** Adds the next code of column `c` and returns the address of its entry. The caller has seen that it fits. */
export function pagesAdd(space: usize, c: u32): usize {
  const counts = <usize>load<u32>(space, 24) + (<usize>c << 2);
  const code = load<u32>(counts) + 1;
  store<u32>(counts, code);
  const table = tableOf(space, c);
  const isNewPage = (code & (PAGE_ENTRIES - 1)) == 0 || code == 1;
  if (isNewPage) {
    const page = load<u32>(space, 8);
    store<u32>(space, page + 1, 8);
    store<u32>(table + (<usize>(code >> PAGE_ENTRIES_LOG2) << 2), page);
    if (code == 1) memory.fill(pagesEntry(space, table, 0), 0, load<u32>(space, 20));
  }
  return pagesEntry(space, table, code);
}

/** Page table of column `c`, for {@link pagesEntry}. */
@inline
export function tableOf(space: usize, c: u32): usize {
  return <usize>load<u32>(space) + ((<usize>c * load<u32>(space, 16)) << 2);
}

/** Address of the space's entries, for {@link placeOfCode}. */
@inline
export function entriesOf(space: usize): usize {
  return <usize>load<u32>(space, 4);
}

/** Place among the entries of `code`, which must be from 0 to the codes of a column that has at least one. */
@inline
export function placeOfCode(table: usize, code: u32): u32 {
  const page = load<u32>(table + (<usize>(code >> PAGE_ENTRIES_LOG2) << 2));
  return (page << PAGE_ENTRIES_LOG2) + (code & (PAGE_ENTRIES - 1));
}

/** Address of the entry of `code`, which must be from 0 to the codes of a column that has at least one. */
@inline
export function pagesEntry(space: usize, table: usize, code: u32): usize {
  return entriesOf(space) + <usize>placeOfCode(table, code) * load<u32>(space, 20);
}
