/** Which predicates a row satisfies. */

/** Reserves the tables of the predicate half and finds its sections. */
export function predicatesInit(): void {}

/** Calls `dispatchPredicate` for each predicate that is true of the row, lowest id first. */
export function evaluateRow(slot: u32, entity: u32): void {}
