/** Cutting NDJSON bytes at line ends: into slices the kernel takes, and out of streams whose chunks cut lines. */
import { concatBytes } from '../core/bytes.js';

const NEWLINE = 10;

/** Whole lines `[start, end)` of the bytes; `isTooLong` for one line that is larger than the capacity. */
export interface LineSlice {
  readonly start: number;
  readonly end: number;
  readonly isTooLong: boolean;
}

/**
 * Cuts `bytes` into slices of whole lines, each at most `capacity` bytes. The last line may lack its end. A line that is
 * too long by itself is a slice of its own.
 */
export function* sliceLines(bytes: Uint8Array, capacity: number): Generator<LineSlice> {
  let start = 0;
  while (start < bytes.length) {
    const limit = Math.min(start + capacity, bytes.length);
    if (limit === bytes.length) {
      yield { start, end: limit, isTooLong: false };
      return;
    }
    const lastEnd = bytes.lastIndexOf(NEWLINE, limit - 1);
    if (lastEnd >= start) {
      yield { start, end: lastEnd + 1, isTooLong: false };
      start = lastEnd + 1;
      continue;
    }
    const nextEnd = bytes.indexOf(NEWLINE, limit);
    const end = nextEnd < 0 ? bytes.length : nextEnd + 1;
    yield { start, end, isTooLong: true };
    start = end;
  }
}

/** Joins the chunks of a stream into pieces that end with a line. Memory is bounded by the longest line. */
export class LineJoiner {
  #rest: Uint8Array[] = [];

  /** The complete lines that `chunk` brings; empty while a line is still open. The bytes are a copy or the chunk itself. */
  push(chunk: Uint8Array): Uint8Array {
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end === 0) {
      if (chunk.length > 0) this.#rest.push(chunk.slice());
      return new Uint8Array(0);
    }
    const complete =
      this.#rest.length === 0 ? chunk.subarray(0, end) : concatBytes([...this.#rest, chunk.subarray(0, end)]);
    this.#rest = end === chunk.length ? [] : [chunk.slice(end)];
    return complete;
  }

  /** The last line of the stream, where it lacked its end. */
  finish(): Uint8Array {
    const rest = concatBytes(this.#rest);
    this.#rest = [];
    return rest;
  }
}
