/** Interned sets of true atoms. */

/** The union of two sets. */
export function truthSetUnion(a: u32, b: u32): u32 {
  return a | b;
}
