/**
 * What leads from a value to the patterns of its column that may hold: a hash table of equal texts, anchor grams with
 * their bitmap, and a list of the rest with bits of the digest. Read by `assembly/pattern.ts`, which says how.
 */
import { AtomTable, Digest, GramEntry, PatternType } from '../core/abi/predicates.js';
import type { Pattern } from './atom_table.js';
import type { SectionWriter } from './section_writer.js';
import { type LiteralRun, literalRuns } from './wildcard.js';

const hashMultiplier = 0x9e3779b1;
const tailMultiplier = 0x85ebca6b;
/** Bytes of a gram. A literal needs one more: grams are looked up at every second offset. */
const gramBytes = 4;
/** A gram of these is held back: they are in most values of some column. */
const commonTexts = [
  'windows\\system32\\',
  'c:\\program files (x86)\\',
  '\\users\\',
  '\\appdata\\local\\temp\\',
  '\\appdata\\roaming\\',
  'microsoft',
  'powershell.exe',
  'cmd.exe /c',
  'svchost.exe',
  '.exe" ',
  'https://www.',
  '/usr/local/bin/',
  '/usr/sbin/',
  '/home/',
  '/library/',
  'applications',
  'currentversion',
  '\\registry\\machine\\software\\',
  'currentcontrolset\\services',
  'python',
  '.com/',
  'hklm\\',
  'admin',
];
const commonPenalty = 40;

export interface PatternIndex {
  /** The literal run that holds each anchored pattern's gram. */
  readonly anchors: ReadonlyMap<Pattern, LiteralRun>;
  write(writer: SectionWriter, set: (field: AtomTable, value: number) => void): void;
}

interface Gram {
  readonly gram: number;
  readonly pattern: number;
  readonly offset: number;
}

/** Decides how each pattern is found. */
export function buildPatternIndex(patterns: readonly Pattern[]): PatternIndex {
  const folded = patterns.map((pattern) => foldBytes(pattern.bytes));
  const rarity = countGrams(patterns, folded);
  const anchors = new Map<Pattern, LiteralRun>();
  const grams: Gram[] = [];
  const scans: number[] = [];
  patterns.forEach((pattern, index) => {
    if (pattern.type === PatternType.Equals) return;
    const bytes = folded[index] as Uint8Array;
    const anchor = rarestAnchor(bytes, runsOf(pattern), rarity);
    if (anchor === undefined) {
      scans.push(index);
      return;
    }
    anchors.set(pattern, anchor.run);
    for (const at of [anchor.at, anchor.at + 1]) {
      grams.push({ gram: gramAt(bytes, at), pattern: index, offset: at - anchor.run.start });
    }
  });
  return {
    anchors,
    write(writer, set) {
      writeGrams(writer, set, grams);
      writeEquals(writer, set, patterns);
      set(AtomTable.Scans, writer.length);
      set(AtomTable.ScanCount, scans.length);
      for (const index of scans) writeScan(writer, patterns[index] as Pattern, folded[index] as Uint8Array, index);
    },
  };
}

function foldBytes(bytes: Uint8Array): Uint8Array {
  if (!bytes.some(isUpper)) return bytes;
  return bytes.map((byte) => (isUpper(byte) ? byte | 0x20 : byte));
}

const isUpper = (byte: number): boolean => byte >= 0x41 && byte <= 0x5a;

function runsOf(pattern: Pattern): LiteralRun[] {
  return pattern.type === PatternType.Wildcard
    ? literalRuns(pattern.bytes)
    : [{ start: 0, length: pattern.bytes.length }];
}

function gramAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/** How often each gram occurs in the patterns; grams of common texts count extra. */
function countGrams(patterns: readonly Pattern[], folded: readonly Uint8Array[]): Map<number, number> {
  const counts = new Map<number, number>();
  const add = (gram: number, weight: number): void => void counts.set(gram, (counts.get(gram) ?? 0) + weight);
  const encoder = new TextEncoder();
  for (const text of commonTexts) {
    const bytes = encoder.encode(text);
    for (let at = 0; at + gramBytes <= bytes.length; at++) add(gramAt(bytes, at), commonPenalty);
  }
  patterns.forEach((pattern, index) => {
    if (pattern.type === PatternType.Equals) return;
    const bytes = folded[index] as Uint8Array;
    for (const run of runsOf(pattern)) {
      for (let at = run.start; at + gramBytes <= run.start + run.length; at++) add(gramAt(bytes, at), 1);
    }
  });
  return counts;
}

/** The place in a literal run whose two overlapping grams are rarest, or undefined where no run is long enough. */
function rarestAnchor(
  bytes: Uint8Array,
  runs: readonly LiteralRun[],
  counts: ReadonlyMap<number, number>,
): { readonly run: LiteralRun; readonly at: number } | undefined {
  let best: { readonly run: LiteralRun; readonly at: number } | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const run of runs) {
    for (let at = run.start; at + gramBytes + 1 <= run.start + run.length; at++) {
      const cost = (counts.get(gramAt(bytes, at)) ?? 0) + (counts.get(gramAt(bytes, at + 1)) ?? 0);
      if (cost >= bestCost) continue;
      best = { run, at };
      bestCost = cost;
    }
  }
  return best;
}

const bitsFor = (count: number, least: number, most: number): number =>
  Math.min(most, Math.max(least, Math.ceil(Math.log2(Math.max(1, count)))));

function writeGrams(
  writer: SectionWriter,
  set: (field: AtomTable, value: number) => void,
  grams: readonly Gram[],
): void {
  if (grams.length === 0) return;
  const bitmapBits = bitsFor(grams.length * 16, 8, 18);
  const headBits = bitsFor(grams.length * 2, 4, 16);
  const bitmap = new Uint8Array(2 ** bitmapBits / 8);
  const heads = new Uint32Array(2 ** headBits);
  const next = grams.map(({ gram }, index) => {
    const hash = Math.imul(gram, hashMultiplier) >>> 0;
    const bit = hash >>> (32 - bitmapBits);
    bitmap[bit >> 3] = (bitmap[bit >> 3] as number) | (1 << (bit & 7));
    const head = hash >>> (32 - headBits);
    const before = heads[head] as number;
    heads[head] = index + 1;
    return before;
  });
  writer.align(16);
  set(AtomTable.Bitmap, writer.length);
  set(AtomTable.BitmapBits, bitmapBits);
  writer.bytes(bitmap);
  set(AtomTable.Heads, writer.length);
  set(AtomTable.HeadBits, headBits);
  writer.words(heads);
  set(AtomTable.Grams, writer.length);
  grams.forEach(({ gram, pattern, offset }, index) => {
    const start = writer.length;
    writer.zeros(GramEntry.Bytes);
    writer.patch(start + GramEntry.Gram, gram);
    writer.patch(start + GramEntry.Next, next[index] as number);
    writer.patch(start + GramEntry.Pattern, pattern);
    writer.patch(start + GramEntry.Offset, offset);
  });
}

/** Hash of a text in the table of equal texts. */
function textHash(bytes: Uint8Array): number {
  let hash = Math.imul(bytes.length, tailMultiplier);
  for (let at = 0; at < bytes.length; at += 4) {
    let word = 0;
    for (let i = 0; i < 4 && at + i < bytes.length; i++) word |= (bytes[at + i] as number) << (8 * i);
    hash = Math.imul(hash ^ word, hashMultiplier);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

function writeEquals(
  writer: SectionWriter,
  set: (field: AtomTable, value: number) => void,
  patterns: readonly Pattern[],
): void {
  const equal = patterns.flatMap((pattern, index) => (pattern.type === PatternType.Equals ? [{ pattern, index }] : []));
  if (equal.length === 0) return;
  const bits = bitsFor(equal.length * 2, 1, 24);
  const slots = new Uint32Array(2 ** bits);
  for (const { pattern, index } of equal) {
    let slot = textHash(pattern.bytes) & (slots.length - 1);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    slots[slot] = index + 1;
  }
  set(AtomTable.EqualsBits, bits);
  set(AtomTable.EqualsLongest, Math.max(...equal.map(({ pattern }) => pattern.bytes.length)));
  set(AtomTable.Equals, writer.length);
  writer.words(slots);
}

const noBit = 0xffff;
const digestShift = 32 - Math.log2(Digest.Bits);
const digestBit = (value: number): number => Math.imul(value, Digest.Multiplier) >>> digestShift;

/** Two bits that the digest of every matching value has: of byte pairs where the literals have them. */
function writeScan(writer: SectionWriter, pattern: Pattern, bytes: Uint8Array, index: number): void {
  const runs = runsOf(pattern).filter((run) => run.length > 0);
  const pairs = runs.flatMap(({ start, length }) =>
    Array.from(
      { length: length - 1 },
      (_, i) => ((bytes[start + i] as number) << 8) | (bytes[start + i + 1] as number),
    ),
  );
  const singles = runs.map(({ start }) => bytes[start] as number);
  const bits = [...pairs.map((pair) => digestBit(pair + 0x100)), ...singles.map((byte) => digestBit(byte))];
  writer.u16(bits[0] ?? noBit);
  writer.u16((pairs.length > 1 ? bits[pairs.length - 1] : bits[1]) ?? noBit);
  writer.u32(index);
}
