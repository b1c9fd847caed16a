/**
 * The values that columns held lately, found without hashing them. Most fields of events take few values, so most texts
 * are recognised by their length and ends, and one comparison confirms it.
 *
 *   entry (16 bytes)  0 signature u64 | 8 value id u32; 64 entries for each column
 */
import { columnCount } from "./columns";
import { reserve, textEquals } from "./memory";
import { valueGeneration } from "./value_collection";
import { valueLength, valuePtr, valueTag, valueUse } from "./values";

const ENTRY: usize = 16;
const ENTRIES_LOG2: u32 = 6;
const MIX_A: u64 = 0x9e3779b185ebca87;
const MIX_B: u64 = 0xc2b2ae3d27d4eb4f;

let entries: usize = 0;
let bytes: usize = 0;
let generation: u32 = 0;

export function memoInit(): void {
  bytes = (<usize>columnCount() << ENTRIES_LOG2) * ENTRY;
  entries = reserve(bytes);
}

/** Forgets everything if values were collected since: their ids may mean others by now. */
export function memoRefresh(): void {
  if (generation == valueGeneration) return;
  generation = valueGeneration;
  memory.fill(entries, 0, bytes);
}

/** What tells texts apart cheaply: length, first and last eight bytes. */
@inline
export function signatureOf(text: usize, length: u32): u64 {
  const head = load<u64>(text);
  if (length < 8) return ((head & (((<u64>1) << (<u64>length << 3)) - 1)) ^ (<u64>length << 59)) * MIX_A;
  return (head ^ rotl<u64>(load<u64>(text + length - 8), 27) ^ (<u64>length * MIX_B)) * MIX_A;
}

@inline
function entryOf(c: u32, signature: u64): usize {
  return entries + ((<usize>c << ENTRIES_LOG2) + <usize>(signature >> (64 - ENTRIES_LOG2))) * ENTRY;
}

/** The id of the value of these bytes (text, or item ids of a list) in column `c`, or 0 where it is not remembered. */
@inline
export function memoFind(c: u32, tag: u32, signature: u64, text: usize, length: u32): u32 {
  const entry = entryOf(c, signature);
  if (load<u64>(entry) != signature) return 0;
  const v = load<u32>(entry, 8);
  if (v == 0 || valueLength(v) != length || valueTag(v) != tag || !textEquals(valuePtr(v), text, length)) return 0;
  valueUse(v);
  return v;
}

@inline
export function memoStore(c: u32, signature: u64, v: u32): void {
  const entry = entryOf(c, signature);
  store<u64>(entry, signature);
  store<u32>(entry, v, 8);
}
