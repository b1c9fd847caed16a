/** Judges or holds the rows of a chunk. */
import { chunkSlot, rowFree } from "./rows";

/** Takes the `n` rows of the chunk. `n` = 0 asks for held rows to be judged early: the row store is full. */
export function applyChunk(n: u32): void {
  for (let i: u32 = 0; i < n; i++) rowFree(chunkSlot(i));
}
