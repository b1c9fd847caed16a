/**
 * Numbers of a sliding window in order of rank: a treap over the samples of one window and function. Insertion, removal
 * and the k-th smallest cost a logarithm, so a median costs the same for ten events or a million.
 */
import { sampleAt } from "./aggregate_samples";
import { CHILD, GROUP, HASH, SIBLING } from "./state_table";

// Words of a sample: its value is the head's first word.
const LEFT: usize = GROUP;
const RIGHT: usize = CHILD;
const SIZE: usize = SIBLING;

let lower: u32 = 0;
let upper: u32 = 0;

/** The treap `root` with `sample` added. */
export function rankInsert(root: u32, sample: u32): u32 {
  const at = sampleAt(sample);
  store<u32>(at + LEFT, 0);
  store<u32>(at + RIGHT, 0);
  store<u32>(at + SIZE, 1);
  split(root, sample);
  const above = upper;
  return merge(merge(lower, sample), above);
}

/** The treap `root` without `sample`, which is in it. */
export function rankRemove(root: u32, sample: u32): u32 {
  const at = sampleAt(sample);
  if (root == sample) return merge(load<u32>(at + LEFT), load<u32>(at + RIGHT));
  const here = sampleAt(root);
  if (isBefore(sample, root)) store<u32>(here + LEFT, rankRemove(load<u32>(here + LEFT), sample));
  else store<u32>(here + RIGHT, rankRemove(load<u32>(here + RIGHT), sample));
  store<u32>(here + SIZE, load<u32>(here + SIZE) - 1);
  return root;
}

export function rankCount(root: u32): u32 {
  return root == 0 ? 0 : load<u32>(sampleAt(root) + SIZE);
}

/** The value with `rank` smaller ones, by linear interpolation between the two nearest; NaN for an empty treap. */
export function rankValue(root: u32, rank: f64): f64 {
  if (root == 0) return NaN;
  const below = Math.floor(rank);
  const low = kth(root, u32(below));
  return rank == below ? low : low + (kth(root, u32(below) + 1) - low) * (rank - below);
}

function kth(root: u32, k: u32): f64 {
  while (true) {
    const at = sampleAt(root);
    const left = rankCount(load<u32>(at + LEFT));
    if (k == left) return load<f64>(at + HASH);
    if (k < left) {
      root = load<u32>(at + LEFT);
    } else {
      k -= left + 1;
      root = load<u32>(at + RIGHT);
    }
  }
}

/** By value, then by record, so that equal values have one order. */
function isBefore(a: u32, b: u32): bool {
  const x = load<f64>(sampleAt(a) + HASH);
  const y = load<f64>(sampleAt(b) + HASH);
  return x != y ? x < y : a < b;
}

/** Leaves what comes before `sample` in `lower` and the rest in `upper`. */
function split(root: u32, sample: u32): void {
  if (root == 0) {
    lower = 0;
    upper = 0;
    return;
  }
  const at = sampleAt(root);
  if (isBefore(root, sample)) {
    split(load<u32>(at + RIGHT), sample);
    store<u32>(at + RIGHT, lower);
    lower = root;
  } else {
    split(load<u32>(at + LEFT), sample);
    store<u32>(at + LEFT, upper);
    upper = root;
  }
  resize(at);
}

/** Joins two treaps, all of `a` before all of `b`. */
function merge(a: u32, b: u32): u32 {
  if (a == 0) return b;
  if (b == 0) return a;
  if (priority(a) > priority(b)) {
    const at = sampleAt(a);
    store<u32>(at + RIGHT, merge(load<u32>(at + RIGHT), b));
    resize(at);
    return a;
  }
  const at = sampleAt(b);
  store<u32>(at + LEFT, merge(a, load<u32>(at + LEFT)));
  resize(at);
  return b;
}

function resize(at: usize): void {
  store<u32>(at + SIZE, 1 + rankCount(load<u32>(at + LEFT)) + rankCount(load<u32>(at + RIGHT)));
}

/** Scrambles the record number: one to one, so priorities are all different. */
function priority(sample: u32): u32 {
  let x = sample * 0x9e3779b1;
  x ^= x >> 15;
  return x * 0x85ebca6b;
}
