/**
 * One linear memory, reserved once. Every table of the kernel takes its region here while the kernel is created; after
 * that nothing is allocated, so the memory that a budget allows is all that is ever used.
 */

const PAGE_BYTES_LOG2: usize = 16;

/** The smallest page of any machine. */
const TOUCH_BYTES: usize = 4096;

let top: usize = 0;

/** Readable bytes after every text region, so that vector loads may run past its end. */
export const PADDING: usize = 64;

/** Reserves `bytes` zeroed bytes, 16-aligned, for the life of the kernel. Traps where the engine has no memory left. */
export function reserve(bytes: usize): usize {
  if (top == 0) top = align16(__heap_base);
  const start = top;
  top = align16(start + bytes);
  const pages = <i32>((top + ((<usize>1 << PAGE_BYTES_LOG2) - 1)) >> PAGE_BYTES_LOG2);
  const missing = pages - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
  return start;
}

/** Never anything but 0; keeps the compiler from seeing that {@link memoryTouch} changes nothing. */
let nothing: u8 = 0;

/** Writes to every page that is reserved, contents as they are, so that the operating system provides them all now. */
export function memoryTouch(): void {
  for (let at: usize = 0; at < top; at += TOUCH_BYTES) store<u8>(at, load<u8>(at) | nothing);
}

/** Reserves a region of text: `bytes` and the padding after it. */
export function reserveText(bytes: usize): usize {
  return reserve(bytes + PADDING);
}

/** Bytes reserved so far, the data segment included. */
export function reservedBytes(): usize {
  return top;
}

const HOLES_MAX: u32 = 64;
/** Smaller holes are copied along. */
const HOLE_MIN: usize = 4096;
/** u32 count, then u32 start and u32 end of each hole. */
const HOLES: usize = memory.data(4 + 64 * 8, 8);

/** Begins a list of holes: parts of memory that a copy of the kernel can do without. Returns its address. */
export function holesBegin(): usize {
  store<u32>(HOLES, 0);
  return HOLES;
}

/** Leaves `[start, end)` out of copies. Holes do not overlap. */
export function hole(start: usize, end: usize): void {
  const count = load<u32>(HOLES);
  if (end < start + HOLE_MIN || count == HOLES_MAX) return;
  const at = HOLES + 4 + (usize(count) << 3);
  store<u32>(at, u32(start));
  store<u32>(at, u32(end), 4);
  store<u32>(HOLES, count + 1);
}

@inline
export function align16(bytes: usize): usize {
  return (bytes + 15) & ~(<usize>15);
}

@inline
export function align8(bytes: usize): usize {
  return (bytes + 7) & ~(<usize>7);
}

/** Copies `length` bytes in vectors. May write up to 15 bytes past the end of the target: keep padding there. */
@inline
export function copyText(target: usize, source: usize, length: u32): void {
  for (let i: usize = 0; i < length; i += 16) v128.store(target + i, v128.load(source + i));
}

/** True when two texts of `length` bytes are equal. Reads up to 15 bytes past their ends. */
@inline
export function textEquals(a: usize, b: usize, length: u32): bool {
  if (length < 16) {
    const mask = (<u32>1 << length) - 1;
    return (<u32>i8x16.bitmask(i8x16.eq(v128.load(a), v128.load(b))) & mask) == mask;
  }
  const last = <usize>(length - 16);
  for (let i: usize = 0; i < last; i += 16) {
    if (i8x16.bitmask(i8x16.eq(v128.load(a + i), v128.load(b + i))) != 0xffff) return false;
  }
  return i8x16.bitmask(i8x16.eq(v128.load(a + last), v128.load(b + last))) == 0xffff;
}

/** Smallest power of two that is at least `count`. */
export function powerOfTwo(count: u32): u32 {
  return count <= 1 ? 1 : <u32>1 << (32 - clz<u32>(count - 1));
}
