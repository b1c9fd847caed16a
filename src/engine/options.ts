/** The options of an engine, beside those of its correlators. */
import { parseDurationUs } from '../core/duration.js';
import { UsageError } from '../core/errors.js';
import { nearestName } from '../core/nearest_name.js';
import { type CorrelatorOptions, isOption, parseMemoryBytes, readOptions } from '../correlator/options.js';
import type { SnapshotStore } from './snapshot_store.js';

export interface StateOptions {
  /** Directory of the snapshots, created if need be. */
  readonly dir?: string;
  /** Where snapshots are kept instead of a directory. */
  readonly store?: SnapshotStore;
  /** How often one is taken: wall-clock time, or a number of events. Default `30s`. */
  readonly every?: string | number | { readonly events: number };
}

export interface EngineOptions extends CorrelatorOptions {
  /** Worker threads, each with a kernel of `memory` bytes; 0 runs one kernel in the caller's thread. Default 1. */
  readonly shards?: number;
  /** Durable state: snapshots that a later engine goes on from. */
  readonly state?: StateOptions;
  /** Bytes of input kept to rebuild a shard that dies; when they are full a snapshot is taken. Default 256 MiB. */
  readonly journal?: string | number;
  /** The worker file, where a bundler has moved it: `dist/src/engine/worker.js` of this package. */
  readonly workerUrl?: string | URL;
}

/** How often a snapshot is taken. */
export type Every = { readonly ms: number } | { readonly events: number };

export interface EngineSettings {
  readonly correlator: CorrelatorOptions;
  readonly latenessUs: number;
  readonly memoryBytes: number;
  readonly shards: number;
  readonly dir: string | undefined;
  readonly store: SnapshotStore | undefined;
  readonly every: Every;
  readonly journalBytes: number;
  readonly workerUrl: string | URL | undefined;
}

const shardsMax = 64;
const own = ['shards', 'state', 'journal', 'workerUrl'];

/** Fills in defaults. @throws UsageError that names the option and what it takes. */
export function readEngineOptions(options: EngineOptions): EngineSettings {
  if (typeof options !== 'object' || options === null) refuse('options', 'give an object with `rules`');
  const { shards = 1, state, journal, workerUrl, ...correlator } = options;
  for (const name of Object.keys(correlator)) {
    const near = isOption(name) ? undefined : nearestName(name, own);
    if (near !== undefined) refuse(name, `there is no such option; did you mean ${near}?`);
  }
  const { latenessUs, memoryBytes } = readOptions(correlator);
  if (!Number.isInteger(shards) || shards < 0 || shards > shardsMax) {
    refuse('shards', `give a whole number from 0 (in process) to ${shardsMax}`);
  }
  if (state !== undefined) checkState(state);
  return {
    correlator,
    latenessUs,
    memoryBytes,
    shards,
    dir: state?.dir,
    store: state?.store,
    every: readEvery(state?.every ?? '30s'),
    journalBytes: parseMemoryBytes(journal ?? 256 * 1024 * 1024),
    workerUrl,
  };
}

function checkState(state: StateOptions): void {
  for (const name of Object.keys(state)) {
    if (!['dir', 'store', 'every'].includes(name)) {
      const near = nearestName(name, ['dir', 'store', 'every', ...own]);
      refuse(`state.${name}`, near === undefined ? 'there are dir, store and every' : `did you mean ${near}?`);
    }
  }
  if ((state.dir === undefined) === (state.store === undefined)) refuse('state', 'give either dir or store');
}

function readEvery(every: NonNullable<StateOptions['every']>): Every {
  if (typeof every !== 'object') return { ms: parseDurationUs(every, 'state.every') / 1000 };
  if (Number.isInteger(every.events) && every.events > 0) return { events: every.events };
  return refuse('state.every', 'give a duration such as "30s", or { events } with a positive whole number');
}

function refuse(name: string, remedy: string): never {
  throw new UsageError('USAGE_OPTION', `${name}: ${remedy}`);
}
