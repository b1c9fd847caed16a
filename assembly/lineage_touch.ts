/**
 * Fetches the processes of rows that are about to be judged. A table of processes is larger than any cache: row by row,
 * each would wait for its place in the index, its record and its parent in turn. Loaded for a group of rows at once, the
 * waits overlap. Nothing depends on what is loaded.
 */
import { lineageEnabled } from "./lineage";
import { subjectKey } from "./lineage_keys";
import { reserve } from "./memory";
import { processTouchKey } from "./process_index";
import { processParent, processRecordTouch } from "./process_records";
import { chunkSlot } from "./rows";

/** Rows fetched for at once, at most. A power of two. */
export const TOUCHED_ROWS: u32 = 16;

let records: usize = 0;
/** Keeps the loads alive. */
export let touched: u64 = 0;

export function lineageTouchInit(): void {
  records = reserve(TOUCHED_ROWS << 2);
}

/** Fetches for `count` rows of the chunk from row `first` on. */
export function lineageTouch(first: u32, count: u32): void {
  if (!lineageEnabled()) return;
  for (let i: u32 = 0; i < count; i++) {
    const key = subjectKey(chunkSlot(first + i));
    store<u32>(records + (usize(i) << 2), key == 0 ? 0 : processTouchKey(key));
  }
  let sum: u64 = 0;
  for (let i: u32 = 0; i < count; i++) sum += processRecordTouch(load<u32>(records + (usize(i) << 2)));
  for (let i: u32 = 0; i < count; i++) {
    const p = load<u32>(records + (usize(i) << 2));
    if (p != 0) sum += processRecordTouch(processParent(p));
  }
  touched += sum;
}
