/** Lanes of state: what it costs to take a snapshot of a shard and to restore it, and what a live entity takes. */
import { SnapshotRecord } from '../src/core/abi/snapshot.js';
import { StateKind } from '../src/core/abi/stateful.js';
import { type CorrelatorPart, startCorrelator } from '../src/correlator/correlator.js';
import { decodeSnapshot } from '../src/correlator/snapshot.js';
import type { Correlator, Rule } from '../src/index.js';
import type { Lane, LaneOptions, LaneWork } from './lane.js';
import { generateWorkload, toNdjson, type WorkloadEvent } from './workload.js';

const memory = '512MiB';
/** Bytes of a snapshot that are written at a time, as a shard does between two inputs. */
const pieceBytes = 2 * 1024 * 1024;
/** Events between two snapshots, so that each finds a state that has changed. */
const eventsBetween = 1024;

/** Puts the live terms into a correlator. */
export type PrimeTerms = (correlator: Correlator, options: LaneOptions) => void;

interface Filled {
  readonly part: CorrelatorPart;
  /** The events that come next. */
  readonly next: (count: number) => Buffer;
}

/** A shard with all live terms, and processes and sessions of five slices. */
async function filled(options: LaneOptions, rules: readonly Rule[], prime: PrimeTerms): Promise<Filled> {
  const part = await startCorrelator({ rules, memory, pretouch: true }, { isCopied: true });
  prime(part, options);
  const workload = generateWorkload(options);
  const take = (): WorkloadEvent => workload.next().value;
  const next = (count: number): Buffer => Buffer.from(toNdjson(Array.from({ length: count }, take)));
  for (let slice = 0; slice < 5; slice++) part.push(next(options.eventsPerSlice));
  return { part, next };
}

const spread = (samples: readonly number[]): string => {
  const sorted = [...samples].sort((x, y) => x - y);
  return `${(sorted[sorted.length >> 1] ?? 0).toFixed(1)} ms, most ${(sorted.at(-1) ?? 0).toFixed(1)} ms`;
};

/** A snapshot in each slice: taken in a moment, for which the shard stands still, then written piece by piece. */
async function snapshotWork(options: LaneOptions, rules: readonly Rule[], prime: PrimeTerms): Promise<LaneWork> {
  const { part, next } = await filled(options, rules, prime);
  const pausesMs: number[] = [];
  const piecesMs: number[] = [];
  let bytes = new Uint8Array(0);
  return {
    eventsPerSlice: options.eventsPerSlice * 5 + options.terms,
    slices: options.slices,
    run(slice) {
      part.push(next(eventsBetween));
      let startMs = performance.now();
      const told = (into: number[]): void => {
        if (slice >= options.warmupSlices) into.push(performance.now() - startMs);
        startMs = performance.now();
      };
      const job = part.beginSnapshot(bytes.buffer);
      told(pausesMs);
      for (let whole = job.step(pieceBytes); ; whole = job.step(pieceBytes)) {
        told(piecesMs);
        if (whole === undefined) continue;
        bytes = whole;
        return;
      }
    },
    summary() {
      const median = [...pausesMs].sort((x, y) => x - y)[pausesMs.length >> 1] ?? Number.NaN;
      return [
        `${(bytes.length / 1e6).toFixed(1)} MB`,
        `pause ${spread(pausesMs)}, ${((median * 1e8) / bytes.length).toFixed(1)} ms per 100 MB`,
        `pieces ${spread(piecesMs)}`,
        bytesByEntity(bytes),
      ].join('; ');
    },
    close: () => part.close(),
  };
}

/** Snapshot bytes of each kind of entity. */
function bytesByEntity(snapshot: Uint8Array): string {
  const { header, records } = decodeSnapshot(snapshot, true);
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  const kinds = new Map<number, { count: number; bytes: number }>();
  for (let at = 0; at < records.length; at += view.getUint32(at + 4, true)) {
    const kind = view.getUint32(at, true);
    const { count, bytes } = kinds.get(kind) ?? { count: 0, bytes: 0 };
    kinds.set(kind, { count: count + 1, bytes: bytes + view.getUint32(at + 4, true) });
  }
  const told = (name: string, kind: number): string => {
    const { count, bytes } = kinds.get(kind) ?? { count: 0, bytes: 0 };
    return `${count.toLocaleString('en')} ${name} of ${count === 0 ? 0 : (bytes / count).toFixed(0)} bytes`;
  };
  const json = snapshot.length - records.length;
  const sessions = JSON.stringify(header.behaviors).split('"rootIdentity"').length - 1;
  return [
    told('terms', StateKind.Term),
    told('processes', SnapshotRecord.Process),
    told('hosts', SnapshotRecord.Host),
    `${sessions.toLocaleString('en')} sessions in ${(json / 1e6).toFixed(1)} MB of JSON`,
  ].join(', ');
}

async function restoreWork(options: LaneOptions, rules: readonly Rule[], prime: PrimeTerms): Promise<LaneWork> {
  const { part } = await filled(options, rules, prime);
  const bytes = part.unsealedSnapshot();
  part.close();
  const samplesMs: number[] = [];
  return {
    isAsync: true,
    eventsPerSlice: options.eventsPerSlice * 5 + options.terms,
    slices: options.slices,
    async run() {
      const other = await startCorrelator({ rules, memory }, {});
      const startMs = performance.now();
      other.restoreParts([bytes]);
      samplesMs.push(performance.now() - startMs);
      other.close();
    },
    summary: () => `${(bytes.length / 1e6).toFixed(1)} MB, ${spread(samplesMs)}`,
  };
}

/** The lanes of state for a rule set whose terms `prime` makes. */
export function stateLanes(rules: () => Promise<readonly Rule[]>, prime: PrimeTerms): readonly Lane[] {
  return [
    {
      name: 'snapshot',
      describes: 'a shard as bytes, after a few more events; events/s = events whose state is written',
      prepare: async (options) => snapshotWork(options, await rules(), prime),
    },
    {
      name: 'restore',
      describes: 'a new correlator from those bytes, compilation included',
      prepare: async (options) => restoreWork(options, await rules(), prime),
    },
  ];
}
