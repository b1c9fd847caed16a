/** Builds and drives the stateful rules of the kernel alone: the host stands in for rows, keys, evidence and output. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Config, type Loss } from '../../src/core/abi/state.js';
import type { StateTable } from '../../src/core/abi/stateful.js';

const root = new URL('../..', import.meta.url).pathname;
const doubles = join(root, 'assembly/stateful_doubles');

let built: object | undefined;

/** The module, compiled once. */
function kernelModule(): object {
  built ??= new WebAssembly.Module(buildKernel());
  return built;
}

/** Compiles `assembly/` with the doubles in place of the neighbours; kept until a source changes. */
function buildKernel(): Uint8Array {
  const hash = createHash('sha256');
  for (const folder of ['assembly', 'src/core/abi', 'assembly/stateful_doubles']) {
    for (const file of readdirSync(join(root, folder)).sort()) {
      if (file.endsWith('.ts')) hash.update(file).update(readFileSync(join(root, folder, file)));
    }
  }
  const target = join(root, 'build', `stateful-${hash.digest('hex').slice(0, 16)}.wasm`);
  if (!existsSync(target)) compile(target);
  return readFileSync(target);
}

function compile(target: string): void {
  const work = `${target}.${process.pid}`;
  mkdirSync(join(work, 'test'), { recursive: true });
  cpSync(join(root, 'assembly'), join(work, 'assembly'), { recursive: true });
  cpSync(join(root, 'src/core/abi'), join(work, 'src/core/abi'), { recursive: true });
  for (const file of readdirSync(doubles)) {
    cpSync(join(doubles, file), join(work, file === 'entry.ts' ? 'test' : 'assembly', file));
  }
  const out = join(work, 'kernel.wasm');
  const options = ['--runtime', 'stub', '--bindings', 'raw', '--enable', 'simd', '-O1', '--disableWarning'];
  execFileSync(join(root, 'node_modules/.bin/asc'), ['test/entry.ts', ...options, '-o', out], {
    cwd: work,
    stdio: 'inherit',
  });
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
  configTable(): number;
  setSection(id: number, pointer: number, bytes: number): void;
  reserve(bytes: number): number;
  keyBuffer(): number;
  stepBuffer(): number;
  rowBuffer(): number;
  setHostCount(hosts: number): void;
  hostsRetained(): number;
  evidenceLinksUsed(): number;
  stateRecordsUsed(table: number): number;
  stateRecordCapacity(table: number): number;
  stateInit(): void;
  sequenceStep(rule: number, step: number, slot: number, entity: number): void;
  sequenceUntil(rule: number, slot: number): void;
  termsObserve(rule: number, slot: number): void;
  aggregateObserve(rule: number, slot: number): void;
  sampleObserve(rule: number, step: number, slot: number): void;
  temporalObserve(rule: number, part: number, slot: number): void;
  stateRowEnd(slot: number): void;
  stateAdvance(host: number, watermarkUs: bigint): void;
  stateFlush(): void;
  stateExportBegin(): void;
  stateExport(to: number, capacity: number): number;
  stateImport(from: number, bytes: number): number;
}

/** An alert as the kernel writes it. `evidence`: stream positions by step, null for absence. */
export interface KernelAlert {
  readonly rule: number;
  readonly host: number;
  readonly timeUs: number;
  readonly key: bigint;
  readonly value: number;
  readonly flags: number;
  readonly evidence: readonly (number | null)[];
}

export interface KernelLoss {
  readonly reason: Loss;
  readonly rule: number;
  readonly host: number;
  readonly count: number;
}

export interface KernelRow {
  readonly timeUs: number;
  readonly ordinal: number;
  readonly tiebreak?: number | undefined;
  readonly host: number;
}

/** What the kernel asks of the row being judged. */
export interface RowAnswers {
  keys(key: number): readonly bigint[];
  number(column: number): number;
}

export interface KernelOptions {
  readonly sections: ReadonlyMap<number, Uint8Array>;
  readonly stateBytes?: number;
  readonly hostCapacity?: number;
  /** Links of evidence. */
  readonly evidence?: number;
}

const noAnswers: RowAnswers = { keys: () => [], number: () => Number.NaN };
const missing = 0xffff_ffff_ffff_ffffn;

export class StatefulKernel {
  readonly alerts: KernelAlert[] = [];
  readonly losses: KernelLoss[] = [];
  readonly exports: Exports;
  answers: RowAnswers = noAnswers;

  constructor(options: KernelOptions) {
    const env = {
      key_evaluate: (key: number) => this.#writeKeys(this.answers.keys(key)),
      number_of: (column: number) => this.answers.number(column),
      count_loss: (reason: number, rule: number, host: number, count: number) => {
        this.losses.push({ reason, rule, host, count });
      },
      alert: (rule: number, host: number, timeUs: number, key: bigint, value: number, flags: number, count: number) => {
        this.alerts.push({
          rule,
          host,
          timeUs,
          key: BigInt.asUintN(64, key),
          value,
          flags,
          evidence: this.#steps(count),
        });
      },
      abort: (_message: number, _file: number, line: number) => {
        throw new Error(`kernel assertion in line ${line}`);
      },
    };
    this.exports = new WebAssembly.Instance(kernelModule(), { env }).exports;
    const { configTable, setSection, reserve, stateInit, setHostCount } = this.exports;
    const hosts = options.hostCapacity ?? 16;
    const words = new Float64Array(this.exports.memory.buffer, configTable(), Config.Count);
    words[Config.StateBytes] = options.stateBytes ?? 1 << 20;
    words[Config.HostCapacity] = hosts;
    words[Config.EvidenceBytes] = options.evidence ?? 10_000;
    setHostCount(hosts + 2);
    for (const [id, bytes] of options.sections) {
      const pointer = reserve(bytes.length);
      new Uint8Array(this.exports.memory.buffer).set(bytes, pointer);
      setSection(id, pointer, bytes.length);
    }
    stateInit();
  }

  /** Makes `row` the row being judged. */
  load(row: KernelRow): void {
    const view = new DataView(this.exports.memory.buffer, this.exports.rowBuffer(), 32);
    view.setBigInt64(0, BigInt(row.timeUs), true);
    view.setBigUint64(8, BigInt(row.ordinal), true);
    view.setFloat64(16, row.tiebreak ?? Number.NaN, true);
    view.setUint32(24, row.host, true);
  }

  advance(host: number, timeUs: number): void {
    this.exports.stateAdvance(host, BigInt(timeUs));
  }

  used(table: StateTable): number {
    return this.exports.stateRecordsUsed(table);
  }

  /** The state as records, written in pieces of `pieceBytes`. */
  snapshot(pieceBytes = 65_536): Uint8Array {
    const { memory, stateExport, stateExportBegin } = this.exports;
    const pieces: Uint8Array[] = [];
    stateExportBegin();
    for (;;) {
      const length = stateExport(this.#buffer(), pieceBytes);
      if (length === 0) return Buffer.concat(pieces);
      pieces.push(new Uint8Array(memory.buffer, this.#buffer(), length).slice());
    }
  }

  /** Takes the records of a snapshot; returns how many fitted. */
  restore(bytes: Uint8Array): number {
    const at = this.exports.reserve(bytes.length);
    new Uint8Array(this.exports.memory.buffer).set(bytes, at);
    return this.exports.stateImport(at, bytes.length);
  }

  #scratch = 0;

  #buffer(): number {
    if (this.#scratch === 0) this.#scratch = this.exports.reserve(65_536);
    return this.#scratch;
  }

  #writeKeys(keys: readonly bigint[]): number {
    const view = new DataView(this.exports.memory.buffer, this.exports.keyBuffer(), 2048);
    for (const [i, key] of keys.entries()) view.setBigUint64(8 * i, key, true);
    return keys.length;
  }

  #steps(count: number): (number | null)[] {
    const view = new DataView(this.exports.memory.buffer, this.exports.stepBuffer(), 16 * count);
    return Array.from({ length: count }, (_, i) => {
      const ordinal = view.getBigUint64(16 * i + 8, true);
      return ordinal === missing ? null : Number(ordinal);
    });
  }
}
