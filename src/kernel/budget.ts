/** Divides a memory budget among the kernel's tables, before anything is reserved. */

import { Health } from '../core/abi/coverage.js';
import { IngestConfig } from '../core/abi/events.js';
import { Config } from '../core/abi/state.js';
import { chunkRows } from '../core/limits.js';
import { divideSession, type SessionLimits } from '../event/session_limits.js';

/** What a program needs, which decides who gets how much. */
export interface BudgetNeeds {
  readonly budgetBytes: number;
  /** Bytes of the program's sections. */
  readonly programBytes: number;
  readonly rowBytes: number;
  /** Rows are held: the row store gets a share. */
  readonly holdsRows: boolean;
  readonly usesLineage: boolean;
  /** Counters kept of each host for the coverage report. */
  readonly coverageCounters: number;
  readonly usesImages: boolean;
  /** Some rule keeps partial matches, windows or terms, and evidence with them. */
  readonly usesState: boolean;
  readonly maxValueBytes: number;
}

/** One part of the budget, for `stats`. */
export interface BudgetPart {
  readonly name: string;
  readonly bytes: number;
}

export interface Budget {
  /** Words of the configuration table. */
  readonly config: ReadonlyMap<number, number>;
  readonly parts: readonly BudgetPart[];
  /** The largest session of delta batches that the kernel takes beside everything else it keeps. */
  readonly session: SessionLimits;
}

const mebibyte = 1024 * 1024;
const kibibyte = 1024;

/** The input region at most: 4,096 rows of a self-contained batch, several at once. */
const inputMost = 4 * mebibyte;
const hostBytes = (needs: BudgetNeeds): number =>
  208 + 8 + (needs.coverageCounters === 0 ? 0 : 32 + 4 * needs.coverageCounters + Health.Bytes);
/** A record, its places in the two indexes, and its share of the sets of marks. */
const processBytes = 64;
const imageBytes = 32;
/** Typical bytes of the values that one image is the only one to hold. */
const imageValueBytes = 256;
const lossBytes = 24;
/** One part in so many of the values' memory is what a session may hold on to. */
const sessionValueShare = 5;
/** Static data and tables that no option changes: the data segment, keys and shapes of the scanner, heaps' roots. */
const fixedBytes = 1.75 * mebibyte;

interface Share {
  readonly name: string;
  readonly weight: number;
  readonly least: number;
}

interface Shares {
  readonly input: number;
  readonly shares: readonly Share[];
  /** Bytes below which some part would not run. */
  readonly least: number;
}

function sharesOf(needs: BudgetNeeds): Shares {
  const input = Math.max(256 * kibibyte, Math.min(inputMost, needs.budgetBytes / 32), 4 * needs.maxValueBytes);
  const shares: Share[] = [
    { name: 'values', weight: 34, least: mebibyte },
    { name: 'truth', weight: 6, least: 256 * kibibyte },
    { name: 'ids', weight: 6, least: 256 * kibibyte },
    { name: 'hosts', weight: needs.coverageCounters === 0 ? 3 : 6, least: 64 * hostBytes(needs) },
    { name: 'rows', weight: needs.holdsRows ? 20 : 0, least: 2 * chunkRows * (needs.rowBytes + 20) },
    { name: 'state', weight: needs.usesState ? 24 : 0, least: needs.usesState ? 512 * kibibyte : 64 * kibibyte },
    { name: 'evidence', weight: needs.usesState ? 12 : 0, least: needs.usesState ? 256 * kibibyte : 16 * kibibyte },
    { name: 'processes', weight: needs.usesLineage ? 12 : 0, least: needs.usesLineage ? 256 * processBytes : 0 },
    { name: 'images', weight: needs.usesImages ? 6 : 0, least: needs.usesImages ? 384 * imageBytes : 0 },
    { name: 'held ids', weight: needs.holdsRows ? 8 : 0, least: needs.holdsRows ? 128 * kibibyte : 0 },
  ];
  // The input region, its scratch of the same size, and the scanner's index of a quarter of it in words.
  const fixed = fixedBytes + needs.programBytes + 3 * input + needs.maxValueBytes + 512 * kibibyte + 4096 * lossBytes;
  return { input, shares, least: Math.ceil(fixed + shares.reduce((sum, share) => sum + share.least, 0)) };
}

/** Bytes below which the budget is not divided any further; tables may round up from there. */
export const leastBudget = (needs: BudgetNeeds): number => sharesOf({ ...needs, budgetBytes: 0 }).least;

/** Divides the budget by weight among the parts that the program uses; no part gets less than it needs to run. */
export function divideBudget(needs: BudgetNeeds): Budget {
  const { input, shares, least } = sharesOf(needs);
  const weights = shares.reduce((sum, share) => sum + share.weight, 0);
  const spare = Math.max(0, needs.budgetBytes - least);
  const part = new Map(shares.map((share) => [share.name, Math.floor(share.least + (spare * share.weight) / weights)]));
  const bytes = (name: string): number => part.get(name) ?? 0;
  const session = divideSession(bytes('ids'));
  // Images hold values: at a typical size they take at most half of what values have.
  const images = Math.floor(Math.min(bytes('images') / imageBytes, bytes('values') / 2 / imageValueBytes));
  const processes = Math.floor(bytes('processes') / processBytes);
  const words: [number, number][] = [
    [Config.RowCapacity, Math.floor(bytes('rows') / (needs.rowBytes + 20))],
    [Config.HostCapacity, Math.min(65000, Math.floor(bytes('hosts') / hostBytes(needs)))],
    // Most processes have one image, few have several: the record goes before its image would find no place.
    [Config.ProcessCapacity, needs.usesImages ? Math.min(processes, Math.floor((images * 2) / 3)) : processes],
    [Config.ImageCapacity, images],
    [Config.EvidenceBytes, bytes('evidence')],
    [Config.OutputBytes, 256 * kibibyte],
    [Config.LossCapacity, 4096],
    [Config.ValueBytes, bytes('values')],
    [Config.MaxValueBytes, needs.maxValueBytes],
    [Config.InputBytes, input],
    [Config.TruthBytes, bytes('truth')],
    [Config.StateBytes, bytes('state')],
    [IngestConfig.SessionCodes, session.codes],
    [IngestConfig.SessionIds, session.ids],
    [IngestConfig.SessionIdBytes, session.idBytes],
    [IngestConfig.HeldIdBytes, session.heldIdBytes + bytes('held ids')],
  ];
  const parts = [...part].filter(([, size]) => size > 0).map(([name, size]) => ({ name, bytes: size }));
  return {
    config: new Map(words.map(([word, value]) => [word, Math.floor(value)])),
    parts: [{ name: 'input', bytes: Math.floor(3 * input) }, { name: 'program', bytes: needs.programBytes }, ...parts],
    session: {
      codes: session.codes,
      ids: session.ids,
      textBytes: Math.floor(bytes('values') / sessionValueShare),
      idBytes: session.idBytes,
    },
  };
}
