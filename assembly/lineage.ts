/** Process lineage. */

/** Marks (`valueMark`) every value that a process record holds. */
export function lineageMarkValues(): void {}
