/**
 * Memory for inputs on their way and in the journal. Workers read it in place, so an input is copied once for its shard
 * and the journal together. Snapshots empty the journal, and the same memory is used again: after the first it stays as
 * large as it is.
 */

const slabBytes = 8 * 1024 * 1024;

export class JournalMemory {
  readonly #slabs: SharedArrayBuffer[] = [];
  /** The slab in hand, and how much of it is taken. */
  #slab = 0;
  #taken = 0;

  /** Room for so many bytes, 8-aligned, until `release`. What does not fit a slab has memory of its own. */
  take(bytes: number): Uint8Array<SharedArrayBuffer> {
    if (bytes > slabBytes) return new Uint8Array(new SharedArrayBuffer(bytes));
    if (this.#taken + bytes > slabBytes) {
      this.#slab++;
      this.#taken = 0;
    }
    this.#slabs[this.#slab] ??= new SharedArrayBuffer(slabBytes);
    const room = new Uint8Array(this.#slabs[this.#slab] as SharedArrayBuffer, this.#taken, bytes);
    this.#taken = (this.#taken + bytes + 7) & ~7;
    return room;
  }

  /** Everything taken may be written over. */
  release(): void {
    this.#slab = 0;
    this.#taken = 0;
  }
}
