/**
 * Multi-valued cells. A list is an interned value whose bytes are the ids of its items; item 0 is a missing element,
 * which only lists below a nested path have: they keep one item for each element.
 */
import { ValueTag } from "../src/core/abi/events";
import { valueLength, valuePtr, valueTag } from "./values";

@inline
export function valueIsList(v: u32): bool {
  return valueTag(v) == ValueTag.List;
}

/** Items of list `v`. */
@inline
export function listLength(v: u32): u32 {
  return valueLength(v) >> 2;
}

/** Value id of item `i` of list `v`; `i` must be below its length. An item may itself be a list, below a nested path. */
@inline
export function listItem(v: u32, i: u32): u32 {
  return load<u32>(valuePtr(v) + (<usize>i << 2));
}
