/** Builds and drives the ingest half of the kernel alone: the host stands in for everything behind `applyChunk`. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { IngestConfig, type IngestCounter, SkipExample, type SkipReason, ValueTag } from '../../src/core/abi/events.js';
import { Config } from '../../src/core/abi/state.js';
import { BatchReceiver, placeView, viewOffsetOf } from '../../src/event/batch_receiver.js';
import { type ColumnSpec, encodeColumnTable } from '../../src/event/column_table.js';
import { numberImports } from '../../src/event/number_imports.js';

const root = new URL('../..', import.meta.url).pathname;
const doubles = join(root, 'assembly/test_doubles');

/** Compiles `assembly/` with the doubles in place of the neighbours of ingest; kept until a source changes. */
export function buildIngestKernel(): Uint8Array {
  const folders = ['assembly', 'src/core/abi', 'assembly/test_doubles'];
  const hash = createHash('sha256');
  for (const folder of folders) {
    for (const file of readdirSync(join(root, folder)).sort()) {
      if (file.endsWith('.ts')) hash.update(file).update(readFileSync(join(root, folder, file)));
    }
  }
  const target = join(root, 'build', `ingest-${hash.digest('hex').slice(0, 16)}.wasm`);
  if (!existsSync(target)) compile(target);
  return readFileSync(target);
}

function compile(target: string): void {
  const work = `${target}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  cpSync(join(root, 'assembly'), join(work, 'assembly'), { recursive: true });
  cpSync(join(root, 'src/core/abi'), join(work, 'src/core/abi'), { recursive: true });
  for (const file of readdirSync(doubles)) {
    cpSync(join(doubles, file), join(work, file === 'entry.ts' ? 'test' : 'assembly', file), { recursive: true });
  }
  const out = join(work, 'kernel.wasm');
  const options = ['--runtime', 'stub', '--bindings', 'raw', '--enable', 'simd', '-O3', '--noAssert'];
  const args = ['test/entry.ts', ...options, '--uncheckedBehavior', 'always', '-o', out];
  execFileSync(join(root, 'node_modules/.bin/asc'), args, { cwd: work, stdio: 'inherit' });
  renameSync(out, target);
  rmSync(work, { recursive: true });
}

interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
}

/** The library compiles without the types of any platform, so the test names what it uses. */
const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(bytes: number): number;
  reservedBytes(): number;
  ingestInit(config: number): void;
  input_ptr(): number;
  input_capacity(): number;
  ingest_ndjson(pointer: number, length: number): number;
  ingest_batch(view: number): number;
  ingest_batch_check(view: number): number;
  ingest_counters(): number;
  ingest_examples(): number;
  ingest_example_count(): number;
  ingest_skip(reason: number, offset: number): void;
  chunkSlot(i: number): number;
  rowFree(slot: number): void;
  rowsFree(): number;
  rowTimeUs(slot: number): bigint;
  rowOrdinal(slot: number): bigint;
  rowHost(slot: number): number;
  rowTiebreak(slot: number): number;
  rowStableHash(slot: number): bigint;
  cellText(c: number, slot: number): number;
  cellNumber(c: number, slot: number): number;
  cellIdHash(c: number, slot: number): bigint;
  cellIdPtr(c: number, slot: number): number;
  cellIdLength(c: number, slot: number): number;
  cellHash(c: number, slot: number): bigint;
  touchedCount(): number;
  touchedColumn(i: number): number;
  ordinalNext(): bigint;
  valueTag(v: number): number;
  valuePtr(v: number): number;
  valueLength(v: number): number;
  valueNumber(v: number): number;
  valueHash(v: number): bigint;
  valueColumn(v: number): number;
  valueSet(v: number): number;
  valueMark(v: number): void;
  listItem(v: number, i: number): number;
  listLength(v: number): number;
  valuesFree(): number;
  valueBytesFree(): number;
  readonly valueGeneration: { readonly value: number };
}

/** A cell as JavaScript sees it; undefined is missing. */
export type Cell = string | number | boolean | undefined | readonly Cell[];

/** One staged row, read back. */
export interface Row {
  readonly timeUs: bigint;
  readonly ordinal: number;
  readonly host: string;
  readonly tiebreak: number;
  readonly cells: Readonly<Record<string, Cell>>;
  readonly identity: bigint;
}

export interface IngestOptions {
  readonly config?: Partial<Record<number, number>>;
  readonly defaultHost?: string;
  /** Called with each staged chunk in place of reading its rows and freeing them. */
  readonly onChunk?: (kernel: IngestKernel, rows: number) => void;
  readonly markValues?: (kernel: IngestKernel) => void;
}

/** One instance. `rows` collects what was staged. */
export class IngestKernel {
  readonly exports: Exports;
  readonly rows: Row[] = [];
  readonly hosts: string[] = [''];
  readonly columns: readonly ColumnSpec[];
  readonly receiver: BatchReceiver;

  constructor(wasm: Uint8Array, columns: readonly ColumnSpec[], options: IngestOptions = {}) {
    this.columns = columns;
    this.receiver = new BatchReceiver(columns);
    const env = {
      ...numberImports(() => this.exports.memory),
      abort: () => {
        throw new Error('kernel abort');
      },
      apply_chunk: (n: number) => (options.onChunk ?? readAndFree)(this, n),
      host_intern: (_hash: bigint, pointer: number, length: number) => this.#internHost(this.text(pointer, length)),
      mark_values: () => options.markValues?.(this),
    };
    this.exports = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env }).exports;
    this.#init(options);
  }

  #init(options: IngestOptions): void {
    const table = encodeColumnTable(this.columns);
    const host = new TextEncoder().encode(options.defaultHost ?? 'unknown');
    const tablePointer = this.exports.reserve(table.length);
    const hostPointer = this.exports.reserve(host.length + 64);
    const configPointer = this.exports.reserve(Config.Count * 8);
    new Uint8Array(this.exports.memory.buffer).set(table, tablePointer);
    new Uint8Array(this.exports.memory.buffer).set(host, hostPointer);
    const config: Record<number, number> = {
      [Config.RowCapacity]: 4096,
      [Config.ValueBytes]: 16 << 20,
      [Config.MaxValueBytes]: 32768,
      [Config.InputBytes]: 4 << 20,
      [IngestConfig.SessionCodes]: 65536,
      [IngestConfig.SessionIds]: 65536,
      [IngestConfig.SessionIdBytes]: 4 << 20,
      [IngestConfig.HeldIdBytes]: 1 << 20,
      [IngestConfig.ColumnsPointer]: tablePointer,
      [IngestConfig.ColumnsBytes]: table.length,
      [IngestConfig.DefaultHostPointer]: hostPointer,
      [IngestConfig.DefaultHostBytes]: host.length,
      ...options.config,
    };
    const words = new Float64Array(this.exports.memory.buffer, configPointer, Config.Count);
    for (const [index, value] of Object.entries(config)) words[Number(index)] = value as number;
    this.exports.ingestInit(configPointer);
  }

  #internHost(name: string): number {
    const known = this.hosts.indexOf(name);
    return known > 0 ? known : this.hosts.push(name) - 1;
  }

  text(pointer: number, length: number): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      new Uint8Array(this.exports.memory.buffer, pointer, length),
    );
  }

  /** Pushes lines and returns how many rows they held. */
  push(lines: string | Uint8Array): number {
    const bytes = typeof lines === 'string' ? new TextEncoder().encode(lines) : lines;
    const pointer = this.exports.input_ptr();
    new Uint8Array(this.exports.memory.buffer).set(bytes, pointer);
    return this.exports.ingest_ndjson(pointer, bytes.length);
  }

  /** Pushes an EventBatch as a correlator does. */
  pushBatch(bytes: Uint8Array): number {
    const input = this.exports.input_ptr();
    const prepared = this.receiver.prepare(bytes, this.exports.input_capacity());
    const view = placeView(prepared.view, input);
    const viewOffset = viewOffsetOf(bytes.length);
    const memory = new Uint8Array(this.exports.memory.buffer);
    memory.set(bytes, input);
    memory.set(new Uint8Array(view.buffer), input + viewOffset);
    const fault = this.exports.ingest_batch_check(input + viewOffset);
    if (fault !== 0) throw this.receiver.refuse(fault);
    const rows = this.exports.ingest_batch(input + viewOffset);
    this.receiver.accept();
    return rows;
  }

  value(v: number): Cell {
    const { exports } = this;
    if (v === 0) return undefined;
    const tag = exports.valueTag(v);
    if (tag === ValueTag.Number) return exports.valueNumber(v);
    if (tag === ValueTag.List) {
      return Array.from({ length: exports.listLength(v) }, (_, i) => this.value(exports.listItem(v, i)));
    }
    const text = this.text(exports.valuePtr(v), exports.valueLength(v));
    return tag === ValueTag.Boolean ? text === 'true' : text;
  }

  cell(c: number, slot: number): Cell {
    const { exports } = this;
    const kind = this.columns[c]?.kind;
    if (kind === 'text') return this.value(exports.cellText(c, slot));
    if (kind === 'number') {
      const number = exports.cellNumber(c, slot);
      return Number.isNaN(number) ? undefined : number;
    }
    if (exports.cellIdHash(c, slot) === 0n) return undefined;
    return this.text(exports.cellIdPtr(c, slot), exports.cellIdLength(c, slot));
  }

  row(slot: number): Row {
    const { exports } = this;
    const cells: Record<string, Cell> = {};
    for (const [c, column] of this.columns.entries()) {
      if (column.kind === 'time') continue;
      const cell = this.cell(c, slot);
      if (cell !== undefined) cells[column.name] = cell;
    }
    return {
      timeUs: exports.rowTimeUs(slot),
      ordinal: Number(exports.rowOrdinal(slot)),
      host: this.hosts[exports.rowHost(slot)] ?? '',
      tiebreak: exports.rowTiebreak(slot),
      cells,
      identity: exports.rowStableHash(slot),
    };
  }

  counter(counter: IngestCounter | SkipReason): number {
    const at = this.exports.ingest_counters() + counter * 8;
    return Number(new DataView(this.exports.memory.buffer).getBigUint64(at, true));
  }

  examples(): { ordinal: number; offset: number; reason: SkipReason }[] {
    const at = this.exports.ingest_examples() >>> 2;
    const words = new Uint32Array(this.exports.memory.buffer);
    return Array.from({ length: this.exports.ingest_example_count() }, (_, i) => {
      const word = (name: SkipExample) => words[at + i * SkipExample.Count + name] ?? 0;
      return {
        ordinal: word(SkipExample.OrdinalLow),
        offset: word(SkipExample.Offset),
        reason: word(SkipExample.Reason),
      };
    });
  }
}

function readAndFree(kernel: IngestKernel, rows: number): void {
  for (let i = 0; i < rows; i++) {
    const slot = kernel.exports.chunkSlot(i);
    kernel.rows.push(kernel.row(slot));
    kernel.exports.rowFree(slot);
  }
}
