/**
 * Memory for inputs on their way and in the journal. Workers read it in place, so an input is copied once for its shards
 * and the journal together. Snapshots empty the journal, and the same memory is used again: after the first few it stays
 * as large as it is. Batches of a session of delta batches are kept beyond the journal, until the session ends.
 */

const slabBytes = 8 * 1024 * 1024;
/** The smallest page of any machine. */
const pageBytes = 4096;

/** Slabs that are filled one after the other, the one in hand last. */
class Pile {
  slabs: SharedArrayBuffer[] = [];
  /** How much of the slab in hand is taken. */
  #taken = slabBytes;

  take(bytes: number, free: SharedArrayBuffer[]): Uint8Array<SharedArrayBuffer> {
    if (bytes > slabBytes) return new Uint8Array(new SharedArrayBuffer(bytes));
    if (this.#taken + bytes > slabBytes) {
      this.slabs.push(free.pop() ?? new SharedArrayBuffer(slabBytes));
      this.#taken = 0;
    }
    const room = new Uint8Array(this.slabs.at(-1) as SharedArrayBuffer, this.#taken, bytes);
    this.#taken = (this.#taken + bytes + 15) & ~15;
    return room;
  }

  /** The slabs, of which nothing more will be taken. */
  end(): SharedArrayBuffer[] {
    const { slabs } = this;
    this.slabs = [];
    this.#taken = slabBytes;
    return slabs;
  }
}

export class JournalMemory {
  readonly #since = new Pile();
  readonly #session = new Pile();
  /** Slabs of sessions that have ended since the last cut; slabs with inputs before it; those without. */
  #ended: SharedArrayBuffer[] = [];
  #before: SharedArrayBuffer[] = [];
  #free: SharedArrayBuffer[] = [];
  #bytes = 0;

  /** Bytes taken since the last cut. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Has the operating system provide so many bytes now: new pages cost more than what is written to them. */
  touch(bytes: number): void {
    for (let total = 0; total < bytes; total += slabBytes) {
      const slab = new SharedArrayBuffer(slabBytes);
      const view = new Uint8Array(slab);
      for (let at = 0; at < slabBytes; at += pageBytes) view[at] = 0;
      this.#free.push(slab);
    }
  }

  /** Room for so many bytes, 16-aligned, until the `release` after the next `cut`. What fits no slab has its own memory. */
  take(bytes: number): Uint8Array<SharedArrayBuffer> {
    this.#bytes += bytes;
    return this.#since.take(bytes, this.#free);
  }

  /** As {@link take}, for a batch of the session in hand: until the `release` after the next `cut` after its end. */
  takeForSession(bytes: number): Uint8Array<SharedArrayBuffer> {
    this.#bytes += bytes;
    return this.#session.take(bytes, this.#free);
  }

  /** The session in hand has ended. */
  endSession(): void {
    this.#ended.push(...this.#session.end());
  }

  /** A snapshot is taken: what was taken before it is needed until it is written. */
  cut(): void {
    this.#before.push(...this.#since.end(), ...this.#ended);
    this.#ended = [];
    this.#bytes = 0;
  }

  /** Everything taken before the last cut may be written over, but for the session in hand. */
  release(): void {
    this.#free.push(...this.#before);
    this.#before = [];
  }
}
