/**
 * Open-addressed indexes of record numbers in buckets of one cache line: fifteen places and a count of the records that
 * found no place here and lie further on. A search looks at a bucket at once, and goes on only where that count says so;
 * taking a record out moves nothing. The bits of a place that no number needs hold bits of the record's hash, which tell
 * others apart without a look at their records.
 *
 * Five and a third bytes a record: an index has room for a fifth more than it is made for. Whose record a place names,
 * whoever searches must see: `placesOf` gives those whose bits of the hash are the same. Record 0 is "none"; a search may
 * be told of it, so its identity must be that of nothing.
 */
import { reserve } from "./memory";

const BUCKET_LOG2: usize = 6;
const PLACES: u32 = 15;
const FILLED: u32 = 12;
const ALL_PLACES: u32 = (1 << PLACES) - 1;
const BEYOND: usize = usize(PLACES) << 2;

/** Bytes that an index for `capacity` records takes. */
export function indexBytes(capacity: u32): usize {
  return usize(bucketsFor(capacity)) << BUCKET_LOG2;
}

/** Buckets for `capacity` records. */
export function bucketsFor(capacity: u32): u32 {
  return capacity / FILLED + 1;
}

/** Reserves an index of `buckets`, in whole cache lines. */
export function indexReserve(buckets: u32): usize {
  const bytes = usize(buckets) << BUCKET_LOG2;
  return (reserve(bytes + 48) + 63) & ~63;
}

/** The bits of a place that are the number of one of `capacity` records. */
export function numberMaskFor(capacity: u32): u32 {
  return (1 << (32 - clz<u32>(capacity))) - 1;
}

/** Address of the bucket where the search for `hash` starts. */
// @ts-ignore: decorator
@inline
export function bucketOf(index: usize, buckets: u32, hash: u64): usize {
  return index + (usize(((hash >> 32) * u64(buckets)) >> 32) << BUCKET_LOG2);
}

/** Where the search goes on; 0 where it ends. */
// @ts-ignore: decorator
@inline
export function bucketAfter(index: usize, buckets: u32, bucket: usize): usize {
  return load<u32>(bucket + BEYOND) == 0 ? 0 : following(index, buckets, bucket);
}

// @ts-ignore: decorator
@inline
function following(index: usize, buckets: u32, bucket: usize): usize {
  const next = bucket + (1 << BUCKET_LOG2);
  return next == index + (usize(buckets) << BUCKET_LOG2) ? index : next;
}

/** The places of a bucket, a bit each, whose bits of the hash are those of `hash`. */
// @ts-ignore: decorator
@inline
export function placesOf(bucket: usize, hash: u64, numberMask: u32): u32 {
  const tagMask = i32x4.splat(i32(~numberMask));
  return placesWith(bucket, tagMask, i32x4.splat(i32(u32(hash) & ~numberMask)));
}

// @ts-ignore: decorator
@inline
function placesWith(bucket: usize, mask: v128, word: v128): u32 {
  const a = i32x4.eq(v128.and(v128.load(bucket), mask), word);
  const b = i32x4.eq(v128.and(v128.load(bucket, 16), mask), word);
  const c = i32x4.eq(v128.and(v128.load(bucket, 32), mask), word);
  const d = i32x4.eq(v128.and(v128.load(bucket, 48), mask), word);
  const low = i16x8.narrow_i32x4_s(a, b);
  const high = i16x8.narrow_i32x4_s(c, d);
  return u32(i8x16.bitmask(i8x16.narrow_i16x8_s(low, high))) & ALL_PLACES;
}

/** The record that the lowest of `places` names. */
// @ts-ignore: decorator
@inline
export function recordIn(bucket: usize, places: u32, numberMask: u32): u32 {
  return load<u32>(bucket + (usize(ctz<u32>(places)) << 2)) & numberMask;
}

/** Enters a record. */
export function indexAdd(index: usize, buckets: u32, numberMask: u32, hash: u64, record: u32): void {
  let bucket = bucketOf(index, buckets, hash);
  const none = i32x4.splat(0);
  const all = i32x4.splat(-1);
  let free = placesWith(bucket, all, none);
  while (free == 0) {
    store<u32>(bucket + BEYOND, load<u32>(bucket + BEYOND) + 1);
    bucket = following(index, buckets, bucket);
    free = placesWith(bucket, all, none);
  }
  store<u32>(bucket + (usize(ctz<u32>(free)) << 2), record | (u32(hash) & ~numberMask));
}

/** Takes out a record; nothing happens where it is not there under `hash`. */
export function indexRemove(index: usize, buckets: u32, numberMask: u32, hash: u64, record: u32): void {
  const word = i32x4.splat(i32(record | (u32(hash) & ~numberMask)));
  const all = i32x4.splat(-1);
  const home = bucketOf(index, buckets, hash);
  let bucket = home;
  let places = placesWith(bucket, all, word);
  while (places == 0) {
    bucket = bucketAfter(index, buckets, bucket);
    if (bucket == 0) return;
    places = placesWith(bucket, all, word);
  }
  store<u32>(bucket + (usize(ctz<u32>(places)) << 2), 0);
  for (let passed = home; passed != bucket; passed = following(index, buckets, passed)) {
    store<u32>(passed + BEYOND, load<u32>(passed + BEYOND) - 1);
  }
}

/** Lets `record` take the place of `old`, which is there under `hash`. */
export function indexReplace(index: usize, buckets: u32, numberMask: u32, hash: u64, old: u32, record: u32): void {
  const tag = u32(hash) & ~numberMask;
  const word = i32x4.splat(i32(old | tag));
  const all = i32x4.splat(-1);
  let bucket = bucketOf(index, buckets, hash);
  let places = placesWith(bucket, all, word);
  while (places == 0) {
    bucket = following(index, buckets, bucket);
    places = placesWith(bucket, all, word);
  }
  store<u32>(bucket + (usize(ctz<u32>(places)) << 2), record | tag);
}
