/**
 * The values that evidence keeps of a row, encoded as the entries of `EvidenceTag`: of the row at hand, or of an entry
 * that a snapshot brought.
 */
import { Config, EvidenceEntry, EvidenceFlag, EvidenceTag, EvidenceWord, LineageColumn } from "../src/core/abi/state";
import { ColumnKind, ValueTag } from "../src/core/abi/events";
import { Section } from "../src/core/abi/program";
import { columnKind } from "./columns";
import { configU32, sectionBytes, sectionPtr } from "./config";
import { hashPair, hashStable } from "./hash";
import { hostNameLength, hostNamePtr } from "./hosts";
import { NO_COLUMN, wellKnown } from "./lineage_keys";
import { listItem, listLength, valueIsList } from "./lists";
import { reserve } from "./memory";
import { restoredField } from "./restore";
import {
  cellHash, cellIdHash, cellIdLength, cellIdPtr, cellNumber, cellText, rowHost, rowOrdinal, rowStableHash, rowTimeUs,
} from "./rows";
import { valueLength, valuePtr, valueTag } from "./values";

const VALUE_HEADER: usize = 8;
/** Bytes of values kept of one row at most. */
const ROW_BYTES: u32 = 16 * 1024;
/** Longest value of a field that later steps of a sequence read. */
const KEPT_MAX: u32 = 8 * 1024;
const LIST_ITEMS_MAX: u32 = 64;

export const EVIDENCE_VALUE_HEADER: usize = VALUE_HEADER;
export const EVIDENCE_ROW_BYTES: u32 = ROW_BYTES;

let fields: usize = 0;
let fieldCount: u32 = 0;
let valueMax: u32 = 0;
/** Longest value of the field in hand. */
let longest: u32 = 0;

/** The values of the row or entry at hand. */
export let encoded: usize = 0;
export let encodedBytes: u32 = 0;
/** Bits of `EvidenceFlag`. */
export let encodedFlags: u32 = 0;
/** Ordinal of the row at hand; `u64.MAX_VALUE` where it is an entry or nothing. */
export let encodedOrdinal: u64 = u64.MAX_VALUE;
/** Identity of its event; 0, 0 where `event.id` stands for it. */
export let encodedLow: u64 = 0;
export let encodedHigh: u64 = 0;

export function evidenceRowInit(): void {
  const section = sectionPtr(Section.Evidence);
  fieldCount = section != 0 ? min<u32>(load<u32>(section), (sectionBytes(Section.Evidence) >> 2) - 1) : 0;
  fields = section + 4;
  valueMax = min<u32>(max<u32>(configU32(Config.EvidenceValueBytes), 64), ROW_BYTES - 64);
  longest = valueMax;
  encoded = reserve(ROW_BYTES + 64);
}

/** Whether later steps of sequences read what is kept of events. Such fields come first. */
export function evidenceKeepsValues(): bool {
  return fieldCount != 0 && (load<u32>(fields) & u32(EvidenceWord.Kept)) != 0;
}

/** Bytes of the output entry of a row that needs no link: an alert or witness that is written at once. */
export function evidenceRowBytes(slot: u32): u32 {
  encodeRow(slot);
  return (EvidenceEntry.Header + encodedBytes + 7) & ~7;
}

/** Writes the output entry of a row and returns its bytes. */
export function evidenceWriteRow(slot: u32, step: u32, to: usize): u32 {
  encodeRow(slot);
  const total = (EvidenceEntry.Header + encodedBytes + 7) & ~7;
  store<u32>(to + EvidenceEntry.Bytes, total);
  store<u16>(to + EvidenceEntry.Step, u16(step));
  store<u16>(to + EvidenceEntry.Flags, u16(encodedFlags));
  store<i64>(to + EvidenceEntry.TimeUs, rowTimeUs(slot));
  store<u64>(to + EvidenceEntry.Ordinal, encodedOrdinal);
  store<u64>(to + EvidenceEntry.IdentityLow, encodedLow);
  store<u64>(to + EvidenceEntry.IdentityHigh, encodedHigh);
  store<u32>(to + EvidenceEntry.Host, rowHost(slot));
  store<u32>(to + EvidenceEntry.ValueBytes, encodedBytes);
  memory.copy(to + EvidenceEntry.Header, encoded, encodedBytes);
  return total;
}

/** Makes the values of an output entry, `bytes` from its header on, the ones at hand. */
export function encodeEntry(from: usize, bytes: u32): void {
  encodedBytes = copyFields(from + EvidenceEntry.Header, bytes);
  encodedFlags = u32(load<u16>(from + EvidenceEntry.Flags)) & EvidenceFlag.Cut;
  encodedLow = load<u64>(from + EvidenceEntry.IdentityLow);
  encodedHigh = load<u64>(from + EvidenceEntry.IdentityHigh);
  // It is no row: the next one is encoded afresh.
  encodedOrdinal = u64.MAX_VALUE;
}

/** Copies values under the fields' new numbers, those of fields that are no more left out; returns the bytes. */
function copyFields(from: usize, bytes: u32): u32 {
  const end = from + bytes;
  let to: u32 = 0;
  while (from + VALUE_HEADER <= end) {
    const size = u32(VALUE_HEADER) + ((load<u32>(from, 4) + 3) & ~3);
    if (size < u32(VALUE_HEADER) || size > u32(end - from)) break;
    const field = restoredField(load<u16>(from));
    if (field < fieldCount) {
      memory.copy(encoded + to, from, size);
      store<u16>(encoded + to, u16(field));
      to += size;
    }
    from += size;
  }
  return to;
}

/** Makes the row the one at hand, unless it is already: `encodedBytes` and the others tell of it. */
export function encodeRow(slot: u32): void {
  const ordinal = rowOrdinal(slot);
  if (ordinal == encodedOrdinal) return;
  encodedOrdinal = ordinal;
  encodedBytes = 0;
  encodedFlags = 0;
  for (let i: u32 = 0; i < fieldCount; i++) {
    const word = load<u32>(fields + (usize(i) << 2));
    const column = word & EvidenceWord.Column;
    longest = (word & u32(EvidenceWord.Kept)) != 0 ? max<u32>(valueMax, KEPT_MAX) : valueMax;
    const kind = columnKind(column);
    if (kind == ColumnKind.Text) {
      const value = cellText(column, slot);
      if (value != 0) encodedBytes = encodeValue(encoded, encodedBytes, ROW_BYTES, i, value);
    } else if (kind == ColumnKind.Number) {
      const number = cellNumber(column, slot);
      if (number == number) encodeNumber(i, number);
    } else if (cellIdHash(column, slot) != 0) {
      encodedBytes = encodeText(
        encoded, encodedBytes, ROW_BYTES, i, EvidenceTag.String, cellIdPtr(column, slot), cellIdLength(column, slot),
      );
    }
  }
  longest = valueMax;
  identify(slot);
}

function encodeNumber(field: u32, number: f64): void {
  if (encodedBytes + 16 > ROW_BYTES) {
    encodedFlags |= EvidenceFlag.Cut;
    return;
  }
  const at = encoded + encodedBytes;
  writeHeader(at, field, EvidenceTag.Float, 0, 8);
  store<f64>(at + VALUE_HEADER, number);
  encodedBytes += 16;
}

/**
 * Appends a value to `base` at `from`, never past `end`, cut at the longest evidence value; returns the new end.
 */
export function encodeValue(base: usize, from: u32, end: u32, field: u32, value: u32): u32 {
  if (!valueIsList(value)) {
    return encodeText(base, from, end, field, tagOf(value), valuePtr(value), valueLength(value));
  }
  if (from + u32(VALUE_HEADER) > end) {
    encodedFlags |= EvidenceFlag.Cut;
    return from;
  }
  const start = from + u32(VALUE_HEADER);
  const items = listLength(value);
  let at = start;
  const limit = min<u32>(end, start + longest);
  const flags = encodedFlags;
  if (items > LIST_ITEMS_MAX) encodedFlags |= EvidenceFlag.Cut;
  else encodedFlags &= ~u32(EvidenceFlag.Cut);
  for (let i: u32 = 0; i < min<u32>(items, LIST_ITEMS_MAX); i++) {
    const item = listItem(value, i);
    if (item != 0 && !valueIsList(item)) {
      at = encodeText(base, at, limit, field, tagOf(item), valuePtr(item), valueLength(item));
    }
  }
  const isCut: u32 = (encodedFlags & EvidenceFlag.Cut) != 0 ? 1 : 0;
  encodedFlags |= flags;
  writeHeader(base + from, field, EvidenceTag.List, isCut, at - start);
  return at;
}

function tagOf(value: u32): u32 {
  const tag = valueTag(value);
  return tag == ValueTag.Number ? EvidenceTag.Number : tag == ValueTag.Boolean ? EvidenceTag.Bool : EvidenceTag.String;
}

function encodeText(base: usize, from: u32, end: u32, field: u32, tag: u32, ptr: usize, length: u32): u32 {
  if (from + u32(VALUE_HEADER) + 4 > end) {
    encodedFlags |= EvidenceFlag.Cut;
    return from;
  }
  let kept = min<u32>(length, min<u32>(longest, (end - from - u32(VALUE_HEADER)) & ~3));
  let isCut: u32 = 0;
  if (kept < length) {
    isCut = 1;
    encodedFlags |= EvidenceFlag.Cut;
    // Not inside a UTF-8 sequence.
    while (kept > 0 && (load<u8>(ptr + kept) & 0xc0) == 0x80) kept--;
  }
  const at = base + from;
  writeHeader(at, field, tag, isCut, kept);
  memory.copy(at + VALUE_HEADER, ptr, kept);
  return (from + u32(VALUE_HEADER) + kept + 3) & ~3;
}

function writeHeader(at: usize, field: u32, tag: u32, flags: u32, bytes: u32): void {
  store<u16>(at, u16(field));
  store<u8>(at, u8(tag), 2);
  store<u8>(at, u8(flags), 3);
  store<u32>(at, bytes, 4);
}

/** The identity of an event without `event.id`: a hash of its host, time and encoded fields. */
function identify(slot: u32): void {
  encodedLow = 0;
  encodedHigh = 0;
  const id = wellKnown(LineageColumn.EventId);
  // The text of a held identity may have been given up: the hash stands for the event then.
  const isReadable = id != NO_COLUMN && cellHash(id, slot) != 0 &&
    (columnKind(id) != ColumnKind.Id || cellIdLength(id, slot) != 0);
  if (isReadable) return;
  const host = rowHost(slot);
  const name = hashStable(hostNamePtr(host), hostNameLength(host));
  encodedLow = hashPair(name, rowStableHash(slot));
  encodedHigh = hashPair(encodedLow, name);
}
