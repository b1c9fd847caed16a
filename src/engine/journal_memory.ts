/**
 * Memory for inputs on their way and in the journal. Workers read it in place, so an input is copied once for its shard
 * and the journal together. Snapshots empty the journal, and the same memory is used again: after the first few it stays
 * as large as it is.
 */

const slabBytes = 8 * 1024 * 1024;

export class JournalMemory {
  /** Slabs with inputs since the last cut, the one in hand last; those with inputs before it; those without. */
  #since: SharedArrayBuffer[] = [];
  #before: SharedArrayBuffer[] = [];
  #free: SharedArrayBuffer[] = [];
  /** How much of the slab in hand is taken. */
  #taken = slabBytes;

  /** Room for so many bytes, 8-aligned, until the `release` after the next `cut`. What fits no slab has its own memory. */
  take(bytes: number): Uint8Array<SharedArrayBuffer> {
    if (bytes > slabBytes) return new Uint8Array(new SharedArrayBuffer(bytes));
    if (this.#taken + bytes > slabBytes) {
      this.#since.push(this.#free.pop() ?? new SharedArrayBuffer(slabBytes));
      this.#taken = 0;
    }
    const room = new Uint8Array(this.#since.at(-1) as SharedArrayBuffer, this.#taken, bytes);
    this.#taken = (this.#taken + bytes + 7) & ~7;
    return room;
  }

  /** A snapshot is taken: what was taken before it is needed until it is written. */
  cut(): void {
    this.#before.push(...this.#since);
    this.#since = [];
    this.#taken = slabBytes;
  }

  /** Everything taken before the last cut may be written over. */
  release(): void {
    this.#free.push(...this.#before);
    this.#before = [];
  }
}
