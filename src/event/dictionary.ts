/** The dictionary of one column while batches are encoded: value to code, and the entries not sent yet. */
import { ValueTag } from '../core/abi/events.js';
import type { Scalar } from './flatten.js';

/** The new entries of a batch, as its vectors hold them. */
export interface EncodedEntries {
  readonly offsets: Uint32Array;
  readonly bytes: Uint8Array;
  /** Undefined where all entries are strings. */
  readonly tags: Uint8Array | undefined;
}

type Entry = string | number | boolean | readonly number[];

const encoder = new TextEncoder();

/** Codes are 1, 2, … in order of first appearance. */
export class ColumnDictionary {
  readonly #codes = new Map<Scalar, number>();
  readonly #lists = new Map<string, number>();
  #pending: Entry[] = [];
  /** Codes that earlier batches of the session have sent. */
  base = 0;

  /** The code of a value; new values become entries. */
  code(value: Scalar): number {
    const known = this.#codes.get(value);
    if (known !== undefined) return known;
    const code = this.#add(value);
    this.#codes.set(value, code);
    return code;
  }

  /** The code of the several values of one element of a nested path. */
  listCode(values: readonly Scalar[]): number {
    const codes = values.map((value) => this.code(value));
    const key = codes.join();
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const code = this.#add(codes);
    this.#lists.set(key, code);
    return code;
  }

  #add(entry: Entry): number {
    this.#pending.push(entry);
    return this.base + this.#pending.length;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  /** The entries that no batch has sent; they count as sent from now on. */
  takeEntries(): EncodedEntries {
    const entries = this.#pending;
    this.#pending = [];
    this.base += entries.length;
    const isAllText = entries.every((entry) => typeof entry === 'string');
    return isAllText ? encodeTexts(entries as string[]) : encodeTagged(entries);
  }
}

/** Joins ASCII texts and encodes them at once, which is several times faster than one by one. */
function encodeTexts(texts: readonly string[]): EncodedEntries {
  const joined = texts.join('');
  const bytes = encoder.encode(joined);
  const isAscii = bytes.length === joined.length;
  return isAscii
    ? { offsets: offsetsOf(texts), bytes, tags: undefined }
    : { ...concatenate(texts.map((text) => encoder.encode(text))), tags: undefined };
}

function encodeTagged(entries: readonly Entry[]): EncodedEntries {
  const parts = entries.map((entry) =>
    typeof entry === 'object' ? new Uint8Array(littleEndian(entry)) : encoder.encode(String(entry)),
  );
  return { ...concatenate(parts), tags: Uint8Array.from(entries, tagOf) };
}

function tagOf(entry: Entry): ValueTag {
  if (typeof entry === 'string') return ValueTag.String;
  if (typeof entry === 'number') return ValueTag.Number;
  return typeof entry === 'boolean' ? ValueTag.Boolean : ValueTag.List;
}

function littleEndian(codes: readonly number[]): ArrayBuffer {
  const view = new DataView(new ArrayBuffer(codes.length * 4));
  for (const [index, code] of codes.entries()) view.setUint32(index * 4, code, true);
  return view.buffer;
}

function offsetsOf(parts: readonly { readonly length: number }[]): Uint32Array {
  const offsets = new Uint32Array(parts.length + 1);
  let offset = 0;
  for (let i = 0; i < parts.length; i++) {
    offset += (parts[i] as { length: number }).length;
    offsets[i + 1] = offset;
  }
  return offsets;
}

function concatenate(parts: readonly Uint8Array[]): { offsets: Uint32Array; bytes: Uint8Array } {
  const offsets = offsetsOf(parts);
  const bytes = new Uint8Array(offsets[parts.length] as number);
  for (let i = 0; i < parts.length; i++) bytes.set(parts[i] as Uint8Array, offsets[i]);
  return { offsets, bytes };
}
