/**
 * Heaps of held rows, ordered by (time, tiebreaker, ordinal): pairing heaps linked through arrays indexed by row slot.
 * A row may be in two at once: its host's, and the one of the rules across hosts. A root is a slot plus one.
 */
import { reserve } from "./memory";
import { rowCapacity, rowOrdinal, rowTiebreak, rowTimeUs } from "./rows";

/** Which of a row's two places a heap uses. */
export const HOST_HEAP: u32 = 0;
export const GLOBAL_HEAP: u32 = 1;

// u32 child, u32 sibling for each slot and place.
let links: usize = 0;

export function holdInit(places: u32): void {
  links = reserve(usize(rowCapacity()) * places * 8);
}

function linkOf(place: u32, slot: u32): usize {
  return links + ((usize(place) * rowCapacity() + slot) << 3);
}

/** Whether row `a` comes before row `b`. A missing tiebreaker comes after any other. */
export function rowIsBefore(a: u32, b: u32): bool {
  const ta = rowTimeUs(a);
  const tb = rowTimeUs(b);
  if (ta != tb) return ta < tb;
  const ka = rowTiebreak(a);
  const kb = rowTiebreak(b);
  if (ka < kb) return true;
  if (kb < ka) return false;
  const hasA = ka == ka;
  if (hasA != (kb == kb)) return hasA;
  return rowOrdinal(a) < rowOrdinal(b);
}

/** Adds a row to the heap whose root is stored at `root`. */
export function heapPush(place: u32, root: usize, slot: u32): void {
  store<u64>(linkOf(place, slot), 0);
  store<u32>(root, meld(place, load<u32>(root), slot + 1));
}

/** Takes the first row out of a heap that is not empty. */
export function heapPop(place: u32, root: usize): u32 {
  const slot = load<u32>(root) - 1;
  store<u32>(root, mergePairs(place, load<u32>(linkOf(place, slot))));
  return slot;
}

function meld(place: u32, a: u32, b: u32): u32 {
  if (a == 0) return b;
  if (b == 0) return a;
  if (rowIsBefore(b - 1, a - 1)) {
    const swap = a;
    a = b;
    b = swap;
  }
  const parent = linkOf(place, a - 1);
  store<u32>(linkOf(place, b - 1), load<u32>(parent), 4);
  store<u32>(parent, b);
  return a;
}

/** The two-pass merge of a pairing heap without recursion: pairs left to right, then folds right to left. */
function mergePairs(place: u32, first: u32): u32 {
  let done: u32 = 0;
  while (first != 0) {
    const second = load<u32>(linkOf(place, first - 1), 4);
    const next = second != 0 ? load<u32>(linkOf(place, second - 1), 4) : 0;
    store<u32>(linkOf(place, first - 1), 0, 4);
    const pair = meld(place, first, second);
    store<u32>(linkOf(place, pair - 1), done, 4);
    done = pair;
    first = next;
  }
  let root: u32 = 0;
  while (done != 0) {
    const next = load<u32>(linkOf(place, done - 1), 4);
    store<u32>(linkOf(place, done - 1), 0, 4);
    root = meld(place, root, done);
    done = next;
  }
  return root;
}
