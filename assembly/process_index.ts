/** Where processes are found: by key, and by (host, pid) of the latest incarnation. */
import {
  bucketAfter, bucketOf, bucketsFor, indexAdd, indexRemove, indexReplace, indexReserve, numberMaskFor, placesOf, recordIn,
} from "./bucket_index";
import { pidKey } from "./lineage_keys";
import { hole } from "./memory";
import {
  processHasPid, processHost, processKey, processPid, processSetKey, processStorePid,
} from "./process_records";

let byKey: usize = 0;
let byPid: usize = 0;
let buckets: u32 = 0;
let numberMask: u32 = 0;

/** Reserves both indexes for records below `capacity`. */
export function processIndexInit(capacity: u32): void {
  buckets = bucketsFor(capacity);
  numberMask = numberMaskFor(capacity);
  byKey = indexReserve(buckets);
  byPid = indexReserve(buckets);
}

/** What copies of the kernel can do without. */
export function processIndexHoles(): void {
  hole(byKey, byKey + (usize(buckets) << 6));
  hole(byPid, byPid + (usize(buckets) << 6));
}

/** Loads the index place of a key, so that a later search finds it in the cache. Returns a record that may be its, or 0. */
export function processTouchKey(key: u64): u32 {
  const bucket = bucketOf(byKey, buckets, key);
  const places = placesOf(bucket, key, numberMask);
  return places == 0 ? 0 : recordIn(bucket, places, numberMask);
}

/** The incarnation of that key, 0 for none. */
export function processFind(key: u64): u32 {
  let bucket = bucketOf(byKey, buckets, key);
  while (bucket != 0) {
    for (let places = placesOf(bucket, key, numberMask); places != 0; places &= places - 1) {
      const p = recordIn(bucket, places, numberMask);
      if (processKey(p) == key) return p;
    }
    bucket = bucketAfter(byKey, buckets, bucket);
  }
  return 0;
}

/** The latest incarnation of a pid (plus one) on a host, 0 for none. */
export function processFindPid(host: u32, pid: u32): u32 {
  const hash = pidKey(host, pid);
  let bucket = bucketOf(byPid, buckets, hash);
  while (bucket != 0) {
    for (let places = placesOf(bucket, hash, numberMask); places != 0; places &= places - 1) {
      const p = recordIn(bucket, places, numberMask);
      if (processPid(p) == pid && processHost(p) == host) return p;
    }
    bucket = bucketAfter(byPid, buckets, bucket);
  }
  return 0;
}

/** Enters a new record under its key. */
export function processIndexKey(p: u32): void {
  indexAdd(byKey, buckets, numberMask, processKey(p), p);
}

/** Makes `p` the latest incarnation of its pid. */
export function processIndexPid(p: u32): void {
  const host = processHost(p);
  const pid = processPid(p);
  if (pid == 0) return;
  const latest = processFindPid(host, pid);
  if (latest == 0) indexAdd(byPid, buckets, numberMask, pidKey(host, pid), p);
  else if (latest != p) indexReplace(byPid, buckets, numberMask, pidKey(host, pid), latest, p);
}

/** Takes `p` out of both. */
export function processUnindex(p: u32): void {
  indexRemove(byKey, buckets, numberMask, processKey(p), p);
  if (processHasPid(p)) indexRemove(byPid, buckets, numberMask, pidKey(processHost(p), processPid(p)), p);
}

/** Gives the incarnation a better key. */
export function processRekey(p: u32, key: u64): void {
  indexRemove(byKey, buckets, numberMask, processKey(p), p);
  processSetKey(p, key);
  processIndexKey(p);
}

/** Learns the pid (plus one) of an incarnation known without one. */
export function processSetPid(p: u32, pid: u32): void {
  if (pid == 0 || processHasPid(p)) return;
  processStorePid(p, pid);
  processIndexPid(p);
}
