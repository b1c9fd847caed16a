/** Records of a snapshot on their way into a kernel: in runs that fit its input, and what their indexes become there. */
import { HostState, RestoreMaps, SnapshotRecord } from '../core/abi/snapshot.js';
import { marksMax } from '../core/limits.js';

/** New place of what a snapshot's records name by index; 0xffff (marks: 0xff) where there is none. */
export interface RestoreIndexes {
  readonly columns: readonly number[];
  readonly rules: readonly number[];
  readonly fields: readonly number[];
  readonly marks: readonly number[];
}

const listsOf = ({ columns, rules, fields }: RestoreIndexes) => [columns, rules, fields] as const;

/** Bytes of the maps for records that name `hosts` hosts. */
export function restoreMapBytes(maps: RestoreIndexes, hosts: number): number {
  return RestoreMaps.First + 2 * (listsOf(maps).reduce((sum, list) => sum + list.length, 0) + hosts);
}

/** Writes the maps at `at`; those of hosts are the kernel's to fill in. */
export function writeRestoreMaps(view: DataView, at: number, maps: RestoreIndexes, hosts: number): void {
  const lists = listsOf(maps);
  [...lists.map((list) => list.length), hosts].forEach((count, index) => {
    view.setUint32(at + RestoreMaps.Columns + 4 * index, count, true);
  });
  for (let bit = 0; bit < marksMax; bit++) view.setUint8(at + RestoreMaps.Marks + bit, maps.marks[bit] ?? 0xff);
  lists.flat().forEach((to, index) => {
    view.setUint16(at + RestoreMaps.First + 2 * index, to, true);
  });
}

/** One more than the highest index of a host record. */
export function hostIndexes(records: Uint8Array): number {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  let count = 0;
  for (let at = 0; at + HostState.Name <= records.length; ) {
    const bytes = view.getUint32(at + 4, true);
    if (bytes < 8) break;
    if (view.getUint32(at, true) === SnapshotRecord.Host) {
      count = Math.max(count, Math.min(view.getUint32(at + HostState.Host, true), 0xffff) + 1);
    }
    at += bytes;
  }
  return count;
}

/** Runs of whole records of at most `most` bytes. What is no record ends the last run. */
export function* recordRuns(records: Uint8Array, most: number): Generator<readonly [number, number]> {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  let start = 0;
  let at = 0;
  while (at + 8 <= records.length) {
    const bytes = view.getUint32(at + 4, true);
    if (bytes < 8 || bytes % 8 !== 0 || bytes > most || at + bytes > records.length) break;
    if (at + bytes - start > most) {
      yield [start, at];
      start = at;
    }
    at += bytes;
  }
  if (at > start) yield [start, at];
}
