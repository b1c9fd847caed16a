/**
 * Interned values. Equal values of one column have one id ("vid"), 0 is missing; an id is stable for as long as
 * anything holds it. What depends on a value alone (its hash, the atoms that are true of it) is computed once, here.
 *
 * Three tables: records by id, an open-addressed index of (fingerprint, id), and an arena of texts. When a table runs
 * low, `value_collection.ts` frees what nothing holds and closes the gaps of the arena; ids do not move.
 *
 *   record (32 bytes)   0 hash u64 | 8 number f64 (of a list: NaN that carries the bytes of its items' texts) | 16 text u32 | 20 bytes u32 | 24 truth set u32 | 28 key u32
 *   key                 column (16 bits) | tag (8 bits) | flags (8 bits)
 *   arena entry         id u32 | bytes u32 | text, padded to 8
 */
import { ValueTag } from "../src/core/abi/events";
import { atomsClassify } from "./atoms";
import { hashBoolean, hashNumber, hashPair } from "./hash";
import { PADDING, align8, copyText, hole, powerOfTwo, reserve, reserveText, textEquals } from "./memory";
import { number_format } from "./number_host";
import { truthSetUnion } from "./truth_sets";

const RECORD: usize = 32;
const COLUMN_MIX: u64 = 0xc2b2ae3d27d4eb4f;
const KEY_MIX: u64 = 0x9e3779b185ebca87;
const LIST_SEED: u64 = 0x2545f4914f6cdd1d;
const NAN_BITS: u64 = 0x7ff8000000000000;
const IDENTITY_MASK: u32 = 0x00ffffff;
/** Key of what is no value: no column has this number, and there is no tag 0. */
const NO_COLUMN: u32 = 0xffff;

/** Bytes before each text of the arena. */
export const ENTRY_HEADER: usize = 8;
/** Flags of a record's key. */
export const FLAG_RECENT: u32 = 0x01000000;
export const FLAG_MARKED: u32 = 0x02000000;
/** `recordKey` of a free id. */
export const KEY_FREE: u32 = 0;

export let recordsBase: usize = 0;
export let recordCapacity: u32 = 0;
/** Ids ever used; ids from here on are fresh. */
export let recordTop: u32 = 1;
/** First free id below `recordTop`, chained through the records' text words; 0 for none. */
export let recordFree: u32 = 0;
export let recordsUsed: u32 = 0;
export let slotsBase: usize = 0;
export let slotMask: u32 = 0;
export let arenaBase: usize = 0;
export let arenaTop: usize = 0;
export let arenaEnd: usize = 0;

/** Values that no room was left for. */
export let valuesLost: u64 = 0;

let scratch: usize = 0;

/** Typical bytes of a value's text, by which the budget is divided. */
const TYPICAL_TEXT: usize = 64;

/** Divides `budgetBytes` among records, index and texts. */
export function valuesInit(budgetBytes: usize): void {
  // One value costs a record, two to four index slots of 8 bytes, and its text.
  const perValue = RECORD + 24 + ENTRY_HEADER + TYPICAL_TEXT;
  recordCapacity = <u32>max<usize>(budgetBytes / perValue, 256);
  const slots = powerOfTwo(recordCapacity * 2);
  recordsBase = reserve(<usize>recordCapacity * RECORD);
  slotsBase = reserve(<usize>slots << 3);
  slotMask = slots - 1;
  const fixed = <usize>recordCapacity * RECORD + (<usize>slots << 3);
  const arenaBytes = budgetBytes > fixed + 65536 ? budgetBytes - fixed : 65536;
  arenaBase = reserveText(arenaBytes);
  arenaTop = arenaBase;
  arenaEnd = arenaBase + arenaBytes;
  scratch = reserve(64);
  store<u32>(scratch, 0x65757274); // "true"
  store<u64>(scratch, 0x00000065736c6166, 8); // "false"
}

/** What copies of the kernel can do without. */
export function valuesHoles(): void {
  hole(record(recordTop), recordsBase + <usize>recordCapacity * RECORD);
  hole(slotsBase, slotsBase + ((<usize>slotMask + 1) << 3));
  hole(arenaTop + PADDING, arenaEnd);
}

@inline
export function record(v: u32): usize {
  return recordsBase + <usize>v * RECORD;
}

@inline
export function recordKey(v: u32): u32 {
  return load<u32>(record(v), 28);
}

/** Address of the value's text (canonical text of numbers and booleans, item ids of lists). 64 bytes of it may be over-read. */
@inline
export function valuePtr(v: u32): usize {
  return <usize>load<u32>(record(v), 16);
}

/** Bytes of the value's text. */
@inline
export function valueLength(v: u32): u32 {
  return load<u32>(record(v), 20);
}

/** Bytes of the value's text, or of those of all items of a list together. */
@inline
export function valueTextBytes(v: u32): u32 {
  return valueTag(v) == ValueTag.List ? load<u32>(record(v), 8) : valueLength(v);
}

/** `ValueTag` of the value. */
@inline
export function valueTag(v: u32): u32 {
  return <u32>load<u8>(record(v), 30);
}

/** Hash of the value, the same in every column; never 0 except for the missing value. */
@inline
export function valueHash(v: u32): u64 {
  return load<u64>(record(v));
}

/** The number, or NaN where the value is not one. */
@inline
export function valueNumber(v: u32): f64 {
  return load<f64>(record(v), 8);
}

@inline
export function valueColumn(v: u32): u32 {
  return <u32>load<u16>(record(v), 28);
}

/** Id of the set of atoms that are true of the value; of a list, the union over its items. */
@inline
export function valueSet(v: u32): u32 {
  return load<u32>(record(v), 24);
}

/** Notes that `v` was used since the last collection. */
@inline
export function valueUse(v: u32): void {
  const key = recordKey(v);
  if ((key & FLAG_RECENT) == 0) store<u32>(record(v), key | FLAG_RECENT, 28);
}

/** Marks `v`, and the items of a list, as held. Only while a collection asks for marks. */
export function valueMark(v: u32): void {
  if (v == 0) return;
  const key = recordKey(v);
  if ((key & FLAG_MARKED) != 0) return;
  store<u32>(record(v), key | FLAG_MARKED, 28);
  if (valueTag(v) != ValueTag.List) return;
  const items = valuePtr(v);
  const end = items + valueLength(v);
  for (let at = items; at < end; at += 4) valueMark(load<u32>(at));
}

/** Where the search for (column, hash) starts, in the high bits, and its fingerprint, in the low 32. */
@inline
export function placeOf(column: u32, hash: u64): u64 {
  const mixed = (hash ^ (<u64>(column + 1) * COLUMN_MIX)) * KEY_MIX;
  return mixed ^ (mixed >> 32);
}

@inline
export function slotOf(place: u64): u32 {
  return <u32>(place >> 32) & slotMask;
}

/** Loads the index slot of (column, hash), so that a later search finds it in the cache. */
@inline
export function touchSlot(place: u64): u64 {
  return load<u64>(slotsBase + (<usize>slotOf(place) << 3));
}

/** Interns text. `hash` is its `hashBytes`. Returns 0 where no room is left. */
export function internText(column: u32, pointer: usize, length: u32, hash: u64): u32 {
  return intern(column, ValueTag.String, pointer, length, hash, NaN);
}

/** Interns a number; its text is what JavaScript prints for it. */
export function internNumber(column: u32, value: f64): u32 {
  const hash = hashNumber(value);
  const place = placeOf(column, hash);
  const found = find(place, column | (<u32>ValueTag.Number << 16), hash, 0, 0, value);
  if (found != 0) return found;
  const text = scratch + 16;
  const length = formatNumber(value, text);
  return insert(place, column, ValueTag.Number, text, length, hash, value);
}

export function internBoolean(column: u32, value: bool): u32 {
  const pointer = value ? scratch : scratch + 8;
  return intern(column, ValueTag.Boolean, pointer, value ? 4 : 5, hashBoolean(value), NaN);
}

/** Interns a list of `count` value ids at `items`. One item is that item; none, or only missing ones, is 0. */
export function internList(column: u32, items: usize, count: u32): u32 {
  return count == 1 ? load<u32>(items) : internItems(column, items, count);
}

/** As {@link internList} for elements of a nested path: a sole element that is a list stays a list in a list. */
export function internNested(column: u32, items: usize, count: u32): u32 {
  const isPlain = count == 1 && (load<u32>(items) == 0 || valueTag(load<u32>(items)) != ValueTag.List);
  return isPlain ? load<u32>(items) : internItems(column, items, count);
}

/** Where the search for a list of these items starts, as {@link placeOf}. */
export function listPlace(column: u32, items: usize, count: u32): u64 {
  let hash = LIST_SEED;
  for (let i: u32 = 0; i < count; i++) hash = hashPair(hash, valueHash(load<u32>(items + (<usize>i << 2))));
  return placeOf(column, hash);
}

function internItems(column: u32, items: usize, count: u32): u32 {
  let hash = LIST_SEED;
  let present: u32 = 0;
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const v = load<u32>(items + (<usize>i << 2));
    present |= v;
    hash = hashPair(hash, valueHash(v));
    if (v != 0) bytes += valueTextBytes(v);
  }
  if (present == 0) return 0;
  return intern(column, ValueTag.List, items, count << 2, hash, reinterpret<f64>(NAN_BITS | <u64>bytes));
}

@inline
function intern(column: u32, tag: u32, pointer: usize, length: u32, hash: u64, number: f64): u32 {
  const place = placeOf(column, hash);
  const found = find(place, column | (tag << 16), hash, pointer, length, NaN);
  return found != 0 ? found : insert(place, column, tag, pointer, length, hash, number);
}

/** The id of an equal value, or 0. A number is compared by its value, anything else by its bytes. */
@inline
function find(place: u64, identity: u32, hash: u64, pointer: usize, length: u32, number: f64): u32 {
  const fingerprint = <u32>place;
  let i = slotOf(place);
  for (;;) {
    const slot = load<u64>(slotsBase + (<usize>i << 3));
    if (slot == 0) return 0;
    if (<u32>(slot >> 32) == fingerprint) {
      const at = record(<u32>slot);
      const key = load<u32>(at, 28);
      if ((key & IDENTITY_MASK) == identity && load<u64>(at) == hash) {
        const isSame =
          pointer == 0
            ? load<f64>(at, 8) == number || (isNaN(number) && isNaN(load<f64>(at, 8)))
            : load<u32>(at, 20) == length && textEquals(load<u32>(at, 16), pointer, length);
        if (isSame) {
          if ((key & FLAG_RECENT) == 0) store<u32>(at, key | FLAG_RECENT, 28);
          return <u32>slot;
        }
      }
    }
    i = (i + 1) & slotMask;
  }
  return 0;
}

function insert(place: u64, column: u32, tag: u32, pointer: usize, length: u32, hash: u64, number: f64): u32 {
  const v = takeEntry(length);
  if (v == 0) return 0;
  const text = valuePtr(v);
  copyText(text, pointer, length);
  const at = record(v);
  store<u64>(at, hash);
  store<f64>(at, number, 8);
  store<u32>(at, column | (tag << 16) | FLAG_RECENT, 28);
  store<u32>(at, classify(v, column, tag, text, length, number), 24);
  indexInsert(place, v);
  return v;
}

/**
 * Room for bytes that are no value but move and go with them: held while they are marked, never found by a search.
 * Returns an id for `valuePtr`, 0 where no room is left.
 */
export function keepBytes(length: u32): u32 {
  const v = takeEntry(length);
  if (v == 0) return 0;
  const at = record(v);
  store<u64>(at, 0);
  store<f64>(at, NaN, 8);
  store<u32>(at, 0, 24);
  store<u32>(at, NO_COLUMN, 28);
  return v;
}

/** A record with room for `length` bytes in the arena; 0, counted, where either is full. */
function takeEntry(length: u32): u32 {
  const entry = arenaTop;
  const next = entry + ENTRY_HEADER + align8(length);
  if (next > arenaEnd || valuesFree() == 0) {
    valuesLost++;
    return 0;
  }
  const v = takeRecord();
  arenaTop = next;
  store<u32>(entry, v);
  store<u32>(entry, length, 4);
  const at = record(v);
  store<u32>(at, <u32>(entry + ENTRY_HEADER), 16);
  store<u32>(at, length, 20);
  return v;
}

function classify(v: u32, column: u32, tag: u32, text: usize, length: u32, number: f64): u32 {
  if (tag != ValueTag.List) return atomsClassify(column, tag, text, length, number);
  let set: u32 = 0;
  let isFirst = true;
  for (let at = text; at < text + length; at += 4) {
    const item = load<u32>(at);
    if (item == 0) continue;
    set = isFirst ? valueSet(item) : truthSetUnion(set, valueSet(item));
    isFirst = false;
  }
  return set;
}

function takeRecord(): u32 {
  recordsUsed++;
  if (recordFree == 0) return recordTop++;
  const v = recordFree;
  recordFree = load<u32>(record(v), 16);
  return v;
}

/** Gives the id back. Its place in the index and in the arena is cleared by the collection that calls this. */
export function releaseRecord(v: u32): void {
  const at = record(v);
  store<u64>(at, 0);
  store<u32>(at, KEY_FREE, 28);
  store<u32>(at, recordFree, 16);
  recordFree = v;
  recordsUsed--;
}

/** Puts `v` into the index at its place. The index is never full: it has two slots for each record. */
export function indexInsert(place: u64, v: u32): void {
  let i = slotOf(place);
  while (load<u64>(slotsBase + (<usize>i << 3)) != 0) i = (i + 1) & slotMask;
  store<u64>(slotsBase + (<usize>i << 3), (<u64>(<u32>place) << 32) | <u64>v);
}

export function setArenaTop(top: usize): void {
  arenaTop = top;
}

/** Ids that can still be given out before a collection. */
export function valuesFree(): u32 {
  return recordCapacity - 1 - recordsUsed;
}

/** Bytes of text that still fit before a collection. */
export function valueBytesFree(): usize {
  return arenaEnd - arenaTop;
}

/** Writes the text of `value` as JavaScript prints it and returns its length, at most 32. */
export function formatNumber(value: f64, target: usize): u32 {
  const whole = <i64>value;
  if (<f64>whole != value || whole > 9007199254740991 || whole < -9007199254740991) return number_format(value, target);
  let digits = <u64>(whole < 0 ? -whole : whole);
  let length: u32 = whole < 0 ? 1 : 0;
  let rest = digits;
  do {
    length++;
    rest /= 10;
  } while (rest != 0);
  let at = target + length;
  do {
    at--;
    store<u8>(at, <u8>(48 + (digits % 10)));
    digits /= 10;
  } while (digits != 0);
  if (whole < 0) store<u8>(target, 45);
  return length;
}
