/**
 * The process entries read last, with what was read from them: processes of a host are witnessed again and again,
 * themselves or as ancestors. Everything lies in memory taken once, so that a stream of new processes leaves no garbage.
 */
import type { RawProcess } from './records.js';

const slots = 4096;
/** Longest entry kept, in words: a process with a few images and arguments. Longer ones are read each time. */
const entryWords = 192;

export class RecalledProcesses {
  readonly #words = new Int32Array(slots * entryWords);
  readonly #lengths = new Uint16Array(slots);
  readonly #processes: (RawProcess | undefined)[] = new Array(slots).fill(undefined);

  /** The process that was read from an entry of these words before; `hash` is the same whenever the words are. */
  find(hash: number, words: Int32Array, start: number, count: number): RawProcess | undefined {
    const slot = hash & (slots - 1);
    if (this.#lengths[slot] !== count) return undefined;
    const kept = this.#words;
    const at = slot * entryWords;
    for (let i = 0; i < count; i++) if (kept[at + i] !== words[start + i]) return undefined;
    return this.#processes[slot];
  }

  /** Keeps what was read from an entry, in place of another. */
  keep(hash: number, words: Int32Array, start: number, count: number, process: RawProcess): void {
    if (count > entryWords) return;
    const slot = hash & (slots - 1);
    const at = slot * entryWords;
    for (let i = 0; i < count; i++) this.#words[at + i] = words[start + i] as number;
    this.#lengths[slot] = count;
    this.#processes[slot] = process;
  }
}
