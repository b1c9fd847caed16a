/** What `ingest` takes, as the inputs that `push` takes: chunks of bytes may cut lines, which are put together here. */
import { concatBytes } from '../core/bytes.js';
import { UsageError } from '../core/errors.js';
import { formOf, type InputForm, type PushInput } from '../correlator/input.js';

/** Chunks of NDJSON bytes, EventBatch messages, arrays of objects, or single objects. */
export type Chunk = Uint8Array | string | readonly object[] | object;

/** An async or plain iterable, a Node stream, or a web stream. */
export type IngestSource = AsyncIterable<Chunk> | Iterable<Chunk> | ReadableStream<Chunk>;

interface ReadableStream<T> {
  getReader(): { read(): Promise<{ done: boolean; value?: T }>; cancel(reason?: unknown): Promise<void> };
}

/** Bytes of lines that are pushed at once where the source is fast. */
const pushBytes = 256 * 1024;
/** How long lines wait for more, in milliseconds, where it is not. */
const gatherMs = 2;
const newline = 0x0a;
const paused = Symbol('paused');

/**
 * The inputs to push. Bytes are cut at line ends; EventBatches and objects pass as they are. Of a line that no kernel
 * takes, as it has `lineBytesMax` bytes or more, no more than these are kept: it is passed on, to be counted as too long.
 */
export async function* inputsOf(
  source: IngestSource,
  as: InputForm | undefined,
  lineBytesMax: number,
): AsyncGenerator<PushInput> {
  const lines = new LineCutter(lineBytesMax);
  const chunks = chunksOf(source);
  try {
    let next = chunks.next();
    // A source that fails while lines are being pushed is asked again, and told, in its turn.
    next.catch(() => undefined);
    for (;;) {
      const result = lines.hasLines ? await Promise.race([next, pause()]) : await next;
      if (result === paused) {
        yield lines.take();
        continue;
      }
      if (result.done === true) break;
      const chunk = typeof result.value === 'string' ? encoder.encode(result.value) : result.value;
      if (!(chunk instanceof Uint8Array)) {
        if (!lines.isEmpty) yield lines.takeAll();
        yield Array.isArray(chunk) ? (chunk as readonly object[]) : [chunk];
      } else if (lines.isEmpty && formOf(chunk, as) === 'batch') {
        yield chunk;
      } else {
        lines.add(chunk);
        if (lines.isMany) yield lines.take();
      }
      next = chunks.next();
      next.catch(() => undefined);
    }
    if (!lines.isEmpty) yield lines.takeAll();
  } finally {
    void chunks.return(undefined).catch(() => undefined);
  }
}

const pause = (): Promise<typeof paused> => new Promise((resolve) => setTimeout(resolve, gatherMs, paused));

const encoder = new TextEncoder();

async function* chunksOf(source: IngestSource): AsyncGenerator<Chunk> {
  if (Symbol.asyncIterator in source || Symbol.iterator in source) {
    yield* source as AsyncIterable<Chunk>;
    return;
  }
  if (typeof (source as ReadableStream<Chunk>).getReader !== 'function') {
    throw new UsageError('USAGE_OPTION', 'ingest: give an async iterable, a Node stream or a web stream');
  }
  const reader = (source as ReadableStream<Chunk>).getReader();
  let isDone = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      isDone = done;
      if (done) return;
      if (value !== undefined) yield value;
    }
  } finally {
    if (!isDone) await reader.cancel();
  }
}

/** Gathers bytes and gives out whole lines. */
class LineCutter {
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** Bytes up to the last line end. */
  #whole = 0;
  readonly #lineBytesMax: number;
  /** The rest of a line that is too long is dropped. */
  #isDropping = false;

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  get hasLines(): boolean {
    return this.#whole > 0;
  }

  get isMany(): boolean {
    return this.#whole >= pushBytes;
  }

  add(chunk: Uint8Array): void {
    const from = this.#isDropping ? chunk.indexOf(newline) : 0;
    if (from < 0) return;
    this.#isDropping = false;
    const bytes = chunk.subarray(from);
    const end = bytes.lastIndexOf(newline) + 1;
    const begun = end > 0 ? bytes.length - end : this.#bytes - this.#whole + bytes.length;
    this.#isDropping = begun > this.#lineBytesMax;
    this.#append(this.#isDropping ? bytes.subarray(0, bytes.length - (begun - this.#lineBytesMax)) : bytes, end);
  }

  #append(bytes: Uint8Array, end: number): void {
    if (end > 0) this.#whole = this.#bytes + end;
    this.#parts.push(bytes.slice());
    this.#bytes += bytes.length;
  }

  /** The whole lines; what follows the last line end stays. */
  take(): Uint8Array {
    const whole = this.#whole;
    const all = this.takeAll();
    if (whole < all.length) this.#append(all.subarray(whole), 0);
    return all.subarray(0, whole);
  }

  takeAll(): Uint8Array {
    const all = concatBytes(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#whole = 0;
    return all;
  }
}
