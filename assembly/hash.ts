/**
 * Hashes of values. The seeded ones place values in tables and join rows; a host picks the seed, so that chosen input
 * cannot fill one slot. The stable one identifies events in what leaves the kernel. None is ever 0.
 *
 * Two 8-byte lanes of multiply and xor-shift: wide products are not available in WebAssembly, and this reads 5 GB/s.
 */

const P1: u64 = 0x9e3779b185ebca87;
const P2: u64 = 0xc2b2ae3d27d4eb4f;
const P3: u64 = 0x165667b19e3779f9;
const STABLE_A: u64 = 0x27d4eb2f165667c5;
const STABLE_B: u64 = 0x85ebca77c2b2ae63;
const NUMBER_LANE: u64 = 0x9fb21c651e98df25;
const BOOLEAN_LANE: u64 = 0xa0761d6478bd642f;

let seedA: u64 = STABLE_A;
let seedB: u64 = STABLE_B;

export function hashInit(seed: u64): void {
  seedA = STABLE_A ^ (seed * P1);
  seedB = STABLE_B ^ (rotl<u64>(seed, 32) * P2);
}

/** Hash of `length` bytes under the kernel's seed. */
@inline
export function hashBytes(pointer: usize, length: u32): u64 {
  return hashLanes(pointer, length, seedA, seedB);
}

/** Hash of `length` bytes that is the same in every process and release. */
export function hashStable(pointer: usize, length: u32): u64 {
  return hashLanes(pointer, length, STABLE_A, STABLE_B);
}

/** Hash of a number by its value: -0 and 0 are one. Never shared with a text. */
@inline
export function hashNumber(value: f64): u64 {
  return finish((reinterpret<u64>(value + 0.0) ^ seedA) * P1, seedB ^ NUMBER_LANE);
}

/** As {@link hashNumber}, the same in every process. */
export function hashNumberStable(value: f64): u64 {
  return finish((reinterpret<u64>(value + 0.0) ^ STABLE_A) * P1, STABLE_B ^ NUMBER_LANE);
}

@inline
export function hashBoolean(value: bool): u64 {
  return finish((<u64>value ^ seedA) * P1, seedB ^ BOOLEAN_LANE);
}

/** As {@link hashBoolean}, the same in every process. */
export function hashBooleanStable(value: bool): u64 {
  return finish((<u64>value ^ STABLE_A) * P1, STABLE_B ^ BOOLEAN_LANE);
}

/** Combines hashes in order: `hashPair(a, b)` differs from `hashPair(b, a)`. */
@inline
export function hashPair(first: u64, second: u64): u64 {
  return finish((first ^ P3) * P1, second * P2);
}

@inline
function lane(state: u64, word: u64, prime: u64): u64 {
  const product = (state ^ word) * prime;
  return product ^ (product >> 32);
}

@inline
function finish(a: u64, b: u64): u64 {
  let hash = (a ^ rotl<u64>(b, 23)) * P3;
  hash ^= hash >> 32;
  hash *= P1;
  hash ^= hash >> 29;
  return hash == 0 ? 1 : hash;
}

@inline
function hashLanes(pointer: usize, length: u32, laneA: u64, laneB: u64): u64 {
  let a = laneA ^ (<u64>length * P2);
  let b = laneB;
  let at = pointer;
  if (length >= 16) {
    const last = pointer + length - 16;
    while (at < last) {
      a = lane(a, load<u64>(at), P1);
      b = lane(b, load<u64>(at, 8), P2);
      at += 16;
    }
    a = lane(a, load<u64>(last), P1);
    b = lane(b, load<u64>(last, 8), P2);
  } else if (length >= 8) {
    a = lane(a, load<u64>(at), P1);
    b = lane(b, load<u64>(at + length - 8), P2);
  } else if (length >= 4) {
    a = lane(a, load<u32>(at), P1);
    b = lane(b, load<u32>(at + length - 4), P2);
  } else if (length > 0) {
    const bytes = <u64>load<u8>(at) | (<u64>load<u8>(at + (length >> 1)) << 8) | (<u64>load<u8>(at + length - 1) << 16);
    a = lane(a, bytes, P1);
  }
  return finish(a, b);
}
