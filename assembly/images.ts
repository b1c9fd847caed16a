/**
 * Image segments of processes: which program a process ran from when on. Values are interned ones, kept alive through
 * `imagesMarkValues`. One bounded pool; a segment that finds no place is counted.
 *
 *   0 executable u32 | 4 name u32 | 8 command line u32 | 12 args u32 | 16 user u32 | 20 older u32 | 24 from us i64
 */
import { Config, Host, Loss, LossRule } from "../src/core/abi/state";
import { configU32 } from "./config";
import { countLoss } from "./losses";
import { hole, reserve } from "./memory";
import { valueMark, valueTextBytes } from "./values";

export const IMAGE_VALUES: u32 = 5;
const SEGMENT_LOG2: usize = 5;
/** Segments kept of one process; older ones are let go. */
export const IMAGES_PER_PROCESS: u32 = 8;

let pool: usize = 0;
let capacity: u32 = 0;
let made: u32 = 1;
let free: u32 = 0;
/** Bytes of long texts that segments hold, each mention counted, and how many they may before these are left out. */
let heldBytes: usize = 0;
let heldBytesMax: usize = 0;
/** Segments released since `heldBytes` was true, of which one in 16 makes counting anew worth while. */
let released: u32 = 0;
const RECOUNT_SHIFT: u32 = 4;
/** Values from here on (command line, args, user) mostly are a process's own; programs are shared by many. */
const FIRST_LONG_VALUE: u32 = 2;

function at(image: u32): usize {
  return pool + (usize(image) << SEGMENT_LOG2);
}

export function imagesInit(): void {
  capacity = configU32(Config.ImageCapacity);
  if (capacity == 0) return;
  capacity++;
  pool = reserve(usize(capacity) << SEGMENT_LOG2);
  heldBytes = 0;
  released = 0;
  heldBytesMax = usize(configU32(Config.ValueBytes)) >> 1;
}

/** What copies of the kernel can do without. */
export function imagesHoles(): void {
  if (capacity != 0) hole(at(made), at(capacity));
}

/** Some rule of the program reads images. */
export function imagesKept(): bool {
  return capacity != 0;
}

/** Value `i` (0 executable, 1 name, 2 command line, 3 args, 4 user) of a segment; 0 is missing. */
export function imageValue(image: u32, i: u32): u32 {
  return load<u32>(at(image) + (usize(i) << 2));
}

/** Sets a value, which the segment holds from now on. A long one is left out, counted, where segments hold too much. */
export function imageSetValue(image: u32, i: u32, value: u32): void {
  if (value == 0) return;
  if (i >= FIRST_LONG_VALUE) {
    const bytes = valueTextBytes(value);
    if (heldBytes + bytes > heldBytesMax) recount();
    if (heldBytes + bytes > heldBytesMax) {
      countLoss(Loss.Image, LossRule.None, Host.None, 1);
      return;
    }
    heldBytes += bytes;
  }
  store<u32>(at(image) + (usize(i) << 2), value);
}

/** Finds what is held in truth: segments that were released still count, as to look at their values then costs more. */
function recount(): void {
  if (released < made >> RECOUNT_SHIFT) return;
  released = 0;
  heldBytes = 0;
  for (let image: u32 = 1; image < made; image++) {
    for (let i: u32 = FIRST_LONG_VALUE; i < IMAGE_VALUES; i++) {
      const value = imageValue(image, i);
      if (value != 0) heldBytes += valueTextBytes(value);
    }
  }
}

/** The segment before, 0 for none. */
export function imageOlder(image: u32): u32 {
  return load<u32>(at(image), 20);
}

export function imageSetOlder(image: u32, older: u32): void {
  store<u32>(at(image), older, 20);
}

export function imageTimeUs(image: u32): i64 {
  return load<i64>(at(image), 24);
}

/** A new empty segment; 0 when the pool is full, counted on `host`. */
export function imageCreate(timeUs: i64, host: u32): u32 {
  let image = free;
  if (image != 0) free = load<u32>(at(image), 20);
  else if (made < capacity) image = made++;
  else {
    countLoss(Loss.Image, LossRule.None, host, 1);
    return 0;
  }
  memory.fill(at(image), 0, 1 << SEGMENT_LOG2);
  store<i64>(at(image), timeUs, 24);
  return image;
}

/** Gives a chain of segments back. */
export function imagesRelease(image: u32): void {
  while (image != 0) {
    const older = imageOlder(image);
    released++;
    memory.fill(at(image), 0, 20);
    store<u32>(at(image), free, 20);
    free = image;
    image = older;
  }
}

/** Tells the value store which values the segments hold. Free segments hold none. */
export function imagesMarkValues(): void {
  for (let image: u32 = 1; image < made; image++) {
    for (let i: u32 = 0; i < IMAGE_VALUES; i++) {
      const value = imageValue(image, i);
      if (value != 0) valueMark(value);
    }
  }
}
