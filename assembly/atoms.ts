/** Atoms: conditions on one value. */

/** Truth set of the atoms of `column` that are true of a value. */
export function atomsClassify(column: u32, tag: u32, pointer: usize, length: u32, number: f64): u32 {
  return 0;
}
