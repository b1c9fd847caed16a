/** Group keys: the values that join events, as one hash. A list joins by each of its items. */
import { KeyComponent, KeyHeader, KeyRecord, KeyValue } from "../src/core/abi/predicates";
import { ColumnKind } from "../src/core/abi/events";
import { Section } from "../src/core/abi/program";
import { columnKind } from "./columns";
import { sectionPtr } from "./config";
import { hashPair } from "./hash";
import { listItem, listLength, valueIsList } from "./lists";
import { reserve } from "./memory";
import { cellHash, cellText } from "./rows";
import { valueHash } from "./values";
import { vmHasNext, vmNextHash, vmOpenRow } from "./vm";

/** What a missing value of an optional component joins as: equal to nothing but another such. */
const NULL_HASH: u64 = 0x6c62272e07bb0142;
const KEY_SEED: u64 = 0x51ed270b7f5e8a31;

let keys: usize = 0;
let components: usize = 0;
let keyTotal: u32 = 0;
/** Hashes of the combinations so far, and of those with one more component. */
let current: usize = 0;
let next: usize = 0;
let count: u32 = 0;
let nextCount: u32 = 0;

/** Combinations beyond `KeyValue.CombinationsMax` that the last key had and that were dropped. */
export let keyDropped: u32 = 0;

export function keysInit(): void {
  const section = sectionPtr(Section.Keys);
  current = reserve(<usize>KeyValue.CombinationsMax << 3);
  next = reserve(<usize>KeyValue.CombinationsMax << 3);
  if (section == 0) return;
  keyTotal = load<u32>(section, KeyHeader.KeyCount);
  keys = section + load<u32>(section, KeyHeader.Keys);
  components = section + load<u32>(section, KeyHeader.Components);
}

/** Evaluates a key on a row; returns its combinations, read with {@link keyAt}. 0: the row does not join. */
export function keyEvaluate(key: u32, slot: u32): u32 {
  keyDropped = 0;
  if (key >= keyTotal) return 0;
  const record = keys + <usize>key * KeyRecord.Bytes;
  let component = components + <usize>load<u32>(record, KeyRecord.Start) * KeyComponent.Bytes;
  const end = component + <usize>load<u32>(record, KeyRecord.Count) * KeyComponent.Bytes;
  store<u64>(current, KEY_SEED);
  count = 1;
  for (; component < end; component += KeyComponent.Bytes) {
    nextCount = 0;
    extend(component, slot);
    if (nextCount == 0) return 0;
    const swapped = current;
    current = next;
    next = swapped;
    count = nextCount;
  }
  return count;
}

/** Hash of combination `i` of the key evaluated last; never 0. */
@inline
export function keyAt(i: u32): u64 {
  return load<u64>(current + (<usize>i << 3));
}

function extend(component: usize, slot: u32): void {
  const column = load<u32>(component, KeyComponent.Column);
  const isOptional = load<u32>(component, KeyComponent.Optional) != 0;
  if (column == KeyValue.Leaf) extendWithLeaf(load<u32>(component, KeyComponent.Leaf), slot, isOptional);
  else if (columnKind(column) == ColumnKind.Text) extendWithValue(cellText(column, slot), isOptional);
  else extendWith(cellHash(column, slot), isOptional);
}

function extendWithValue(v: u32, isOptional: bool): void {
  if (v == 0 || !valueIsList(v)) {
    extendWith(valueHash(v), isOptional);
    return;
  }
  for (let i: u32 = 0; i < listLength(v); i++) {
    const item = listItem(v, i);
    if (item != 0) extendWithValue(item, false);
  }
}

function extendWithLeaf(leaf: u32, slot: u32, isOptional: bool): void {
  vmOpenRow(leaf, slot);
  for (let left: u32 = KeyValue.CombinationsMax; left > 0 && vmHasNext(); left--) extendWith(vmNextHash(leaf), isOptional);
}

/** Extends every combination so far by one value; 0 is missing. */
function extendWith(hash: u64, isOptional: bool): void {
  if (hash == 0 && !isOptional) return;
  const value = hash == 0 ? NULL_HASH : hash;
  for (let i: u32 = 0; i < count; i++) {
    if (nextCount == KeyValue.CombinationsMax) {
      keyDropped++;
      continue;
    }
    store<u64>(next + (<usize>nextCount << 3), hashPair(load<u64>(current + (<usize>i << 3)), value));
    nextCount++;
  }
}
