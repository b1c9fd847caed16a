/**
 * A copy of a kernel as it was at one moment: its memory, as far as a snapshot reads it, and its variables. It is taken in
 * a tenth of the time that the snapshot takes to be written; written from the copy, piece by piece, the kernel goes on.
 */
import { KernelTrap } from '../core/errors.js';
import type { KernelSetup } from './kernel.js';
import type { KernelExports } from './kernel_exports.js';
import { type WasmGlobal, type WasmMemory, webAssembly } from './web_assembly.js';

const wasmPageBytes = 65_536;
/** The smallest page of any machine. */
const touchBytes = 4096;
/** Names of the exports that are the module's variables, as `scripts/build.mjs` gives them. */
const variablePrefix = 'state:';

/** An instance of the kernel that nothing has been reserved in yet. */
export async function instantiateKernel(
  { module, imports }: Pick<KernelSetup, 'module' | 'imports'>,
  drain: () => void,
): Promise<KernelExports> {
  const memory = (): WasmMemory => (instance.exports as unknown as KernelExports).memory;
  const env = { abort: () => undefined, ...imports(memory), drain };
  const instance = await webAssembly.instantiate(module, { env });
  return instance.exports as unknown as KernelExports;
}

export class KernelCopy {
  readonly #exports: KernelExports;
  #sink: (records: Uint8Array) => void = () => undefined;
  #copiedBytes = 0;

  private constructor(exports: KernelExports) {
    this.#exports = exports;
  }

  /** Room for copies of `original`; undefined where its code does not show its variables, as code of another build. */
  static async create(
    setup: Pick<KernelSetup, 'module' | 'imports'>,
    original: KernelExports,
  ): Promise<KernelCopy | undefined> {
    if (variablesOf(original).length === 0) return undefined;
    const exports = await instantiateKernel(setup, () => copy.#drain());
    const copy = new KernelCopy(exports);
    copy.#growTo(original.memory);
    return copy;
  }

  /** Bytes of memory that were copied last: about what the snapshot will have. */
  get copiedBytes(): number {
    return this.#copiedBytes;
  }

  /** Has the operating system provide all memory now: the first copy takes several times as long otherwise. */
  touchMemory(): void {
    const bytes = new Uint8Array(this.#exports.memory.buffer);
    for (let at = 0; at < bytes.length; at += touchBytes) bytes[at] = 0;
  }

  /** Becomes what `original` is now. */
  take(original: KernelExports): void {
    this.#growTo(original.memory);
    const from = new Uint8Array(original.memory.buffer);
    const to = new Uint8Array(this.#exports.memory.buffer);
    this.#copiedBytes = 0;
    for (const [start, end] of copiedRegions(original)) {
      to.set(from.subarray(start, end), start);
      this.#copiedBytes += end - start;
    }
    const own = this.#exports as unknown as Record<string, WasmGlobal>;
    for (const [name, { value }] of variablesOf(original)) (own[name] as WasmGlobal).value = value;
    this.#exports.snapshot_begin();
  }

  /**
   * Hands the next records to `sink`, whole ones, about `most` bytes, which are valid during the call; false when all have
   * been. @throws KernelTrap
   */
  write(sink: (records: Uint8Array) => void, most: number): boolean {
    let written = 0;
    this.#sink = (records) => {
      written += records.length;
      sink(records);
    };
    try {
      let isMore = true;
      while (isMore && written < most) {
        isMore = this.#exports.snapshot_next() !== 0;
        this.#drain();
      }
      return isMore;
    } catch (error) {
      if (!(error instanceof webAssembly.RuntimeError)) throw error;
      throw new KernelTrap('KERNEL_TRAP', `a snapshot cannot be written: ${error.message}`, { cause: error });
    }
  }

  #drain(): void {
    const { memory } = this.#exports;
    this.#sink(new Uint8Array(memory.buffer, this.#exports.output_ptr() >>> 0, this.#exports.output_bytes() >>> 0));
    this.#exports.output_clear();
  }

  #growTo({ buffer }: WasmMemory): void {
    const { memory } = this.#exports;
    const missing = (buffer.byteLength - memory.buffer.byteLength) / wasmPageBytes;
    if (missing > 0) memory.grow(missing);
  }
}

function variablesOf(exports: KernelExports): (readonly [string, WasmGlobal])[] {
  return Object.entries(exports as unknown as Record<string, WasmGlobal>).filter(([name]) =>
    name.startsWith(variablePrefix),
  );
}

/** The reserved memory without its holes, as runs of addresses. */
function* copiedRegions(original: KernelExports): Generator<readonly [number, number]> {
  const table = original.snapshot_holes() >>> 0;
  const view = new DataView(original.memory.buffer);
  const holes = Array.from({ length: view.getUint32(table, true) }, (_, index) => [
    view.getUint32(table + 4 + index * 8, true),
    view.getUint32(table + 8 + index * 8, true),
  ]) as [number, number][];
  let at = 0;
  for (const [start, end] of holes.sort(([a], [b]) => a - b)) {
    yield [at, start];
    at = end;
  }
  yield [at, original.memory_reserved() >>> 0];
}
