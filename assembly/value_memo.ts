/**
 * The values that columns held lately, found without hashing them. Most fields of events take few values, so most texts
 * are recognised by their length and ends, and one comparison confirms it.
 *
 * Sets of two entries, a cache line each; 64 sets for each column.
 *
 *   entry (32 bytes)  0 signature u64 | 8 value id | 12 text | 16 bytes | 20 tag
 */
import { columnCount } from "./columns";
import { reserve, textEquals } from "./memory";
import { valueGeneration } from "./value_collection";
import { valueLength, valuePtr, valueTag } from "./values";

const ENTRY: usize = 32;
const SET: usize = 64;
const SETS_LOG2: u32 = 6;
const MIX_A: u64 = 0x9e3779b185ebca87;
const MIX_B: u64 = 0xc2b2ae3d27d4eb4f;

let entries: usize = 0;
let bytes: usize = 0;
let generation: u32 = 0;
/** Which entry of its set the next value takes: they take turns. */
let turn: usize = 0;

export function memoInit(): void {
  bytes = (<usize>columnCount() << SETS_LOG2) * SET;
  entries = (reserve(bytes + SET) + SET - 1) & ~(SET - 1);
}

/** Forgets everything if values were collected since: their ids may mean others by now, and texts have moved. */
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
function setOf(c: u32, signature: u64): usize {
  return entries + ((<usize>c << SETS_LOG2) + <usize>(signature >> (64 - SETS_LOG2))) * SET;
}

/** The id of the value of these bytes (text, or item ids of a list) in column `c`, or 0 where it is not remembered. */
@inline
export function memoFind(c: u32, tag: u32, signature: u64, text: usize, length: u32): u32 {
  let entry = setOf(c, signature);
  if (load<u64>(entry) != signature) {
    entry += ENTRY;
    if (load<u64>(entry) != signature) return 0;
  }
  const v = load<u32>(entry, 8);
  if (v == 0 || load<u32>(entry, 16) != length || load<u32>(entry, 20) != tag) return 0;
  return textEquals(load<u32>(entry, 12), text, length) ? v : 0;
}

/** Remembers a value that was found or made since the last collection: it needs no mark of being used again. */
@inline
export function memoStore(c: u32, signature: u64, v: u32): void {
  const set = setOf(c, signature);
  if (load<u64>(set) == signature) turn = 0;
  else if (load<u64>(set, ENTRY) == signature) turn = ENTRY;
  else turn ^= ENTRY;
  const entry = set + turn;
  store<u64>(entry, signature);
  store<u32>(entry, v, 8);
  store<u32>(entry, <u32>valuePtr(v), 12);
  store<u32>(entry, valueLength(v), 16);
  store<u32>(entry, valueTag(v), 20);
}
