/**
 * Pairing heaps over the records of a table, ordered by deadline: insertion costs one comparison, removal a logarithm,
 * whatever order the deadlines come in. `PREVIOUS` is the left sibling, or the parent for a first child; 0 for a root.
 */
import { CHILD, DEADLINE, PREVIOUS, SIBLING, tableAt } from "./state_table";

/** The heap `root` with `record` added, as its new root. */
export function heapInsert(table: usize, root: u32, record: u32): u32 {
  store<u32>(tableAt(table, record) + CHILD, 0);
  return meld(table, root, record);
}

/** The heap `root` without `record`, which is in it. */
export function heapRemove(table: usize, root: u32, record: u32): u32 {
  const at = tableAt(table, record);
  const rest = mergePairs(table, load<u32>(at + CHILD));
  if (root == record) return rest;
  const before = load<u32>(at + PREVIOUS);
  const previous = tableAt(table, before);
  const sibling = load<u32>(at + SIBLING);
  if (load<u32>(previous + CHILD) == record) store<u32>(previous + CHILD, sibling);
  else store<u32>(previous + SIBLING, sibling);
  if (sibling != 0) store<u32>(tableAt(table, sibling) + PREVIOUS, before);
  return meld(table, root, rest);
}

/** Joins two heaps; the result is a root (no previous, no sibling). Equal deadlines: the lower record first. */
function meld(table: usize, a: u32, b: u32): u32 {
  if (a == 0 || b == 0) {
    const only = a | b;
    if (only != 0) {
      store<u32>(tableAt(table, only) + PREVIOUS, 0);
      store<u32>(tableAt(table, only) + SIBLING, 0);
    }
    return only;
  }
  const ta = load<i64>(tableAt(table, a) + DEADLINE);
  const tb = load<i64>(tableAt(table, b) + DEADLINE);
  if (tb < ta || (tb == ta && b < a)) {
    const swap = a;
    a = b;
    b = swap;
  }
  const top = tableAt(table, a);
  const below = tableAt(table, b);
  const child = load<u32>(top + CHILD);
  store<u32>(below + SIBLING, child);
  store<u32>(below + PREVIOUS, a);
  if (child != 0) store<u32>(tableAt(table, child) + PREVIOUS, b);
  store<u32>(top + CHILD, b);
  store<u32>(top + PREVIOUS, 0);
  store<u32>(top + SIBLING, 0);
  return a;
}

/** The two-pass merge, without recursion: pairs left to right, then folds right to left. */
function mergePairs(table: usize, first: u32): u32 {
  let stack: u32 = 0;
  while (first != 0) {
    const second = load<u32>(tableAt(table, first) + SIBLING);
    const next = second != 0 ? load<u32>(tableAt(table, second) + SIBLING) : 0;
    const pair = meld(table, first, second);
    store<u32>(tableAt(table, pair) + PREVIOUS, stack);
    stack = pair;
    first = next;
  }
  let root: u32 = 0;
  while (stack != 0) {
    const below = load<u32>(tableAt(table, stack) + PREVIOUS);
    root = meld(table, root, stack);
    stack = below;
  }
  return root;
}
