/** Reads the kernel's output records (`abi/state.ts`) into plain values. Knows layouts, no rules. */
import {
  AlertRecord,
  EvidenceEntry,
  EvidenceFlag,
  EvidenceTag,
  ImageEntry,
  LineageColumn,
  Output,
  ProcessEntry,
  ProcessFlag,
  WitnessFlag,
  WitnessRecord,
} from '../core/abi/state.js';
import type { EvidenceFields, EvidenceValue, ProcessImage } from './behavior/witness.js';
import { RecordTexts } from './record_texts.js';

/** One evidence entry. `identity` is empty where the event's own id stands for it. */
export interface RawEvidence {
  readonly step: number;
  readonly timeUs: number;
  readonly ordinal: number;
  readonly host: number;
  readonly identity: string;
  readonly isMissing: boolean;
  readonly isCut: boolean;
  readonly fields: EvidenceFields;
}

export interface RawAlert {
  readonly rule: number;
  /** 0 for a rule across hosts. */
  readonly host: number;
  readonly timeUs: number;
  /** Hash of the group key, 16 hexadecimal digits; empty where the rule has none. */
  readonly keyHash: string;
  /** What the rule's kind defines: an aggregate, a revision. */
  readonly value: number;
  /** Bits of `AlertFlag`. */
  readonly flags: number;
  /** Ordinal of the row whose arrival completed the alert. */
  readonly arrival: number;
  /** Time of the rules across hosts before that row. */
  readonly clockUs: number;
  readonly evidence: readonly RawEvidence[];
}

/** One process of a witness's chain. Equal entries of later witnesses are the same object. Marks are bit sets. */
export interface RawProcess {
  readonly identity: string;
  readonly flags: number;
  readonly link: number;
  readonly own: bigint;
  readonly inherited: bigint;
  readonly startUs: number;
  readonly pid: number | undefined;
  readonly images: readonly ProcessImage[];
}

export interface RawWitness {
  readonly rule: number;
  readonly item: number;
  readonly host: number;
  readonly timeUs: number;
  readonly isLate: boolean;
  readonly isTruncated: boolean;
  readonly chain: readonly RawProcess[];
  readonly evidence: RawEvidence;
}

const hex = (value: bigint): string => value.toString(16).padStart(16, '0');
const hexWord = (value: number): string => value.toString(16).padStart(8, '0');

/** A run of records as bytes, as numbers and as words; every record is 4-aligned. */
interface Source {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** Whole numbers of microseconds and ordinals fit a double exactly. */
const int64 = ({ view }: Source, at: number): number =>
  view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);

/** 64 bits as 16 hexadecimal digits. */
const word64 = ({ view }: Source, at: number): string =>
  hexWord(view.getUint32(at + 4, true)) + hexWord(view.getUint32(at, true));

const nextValue = (view: DataView, at: number): number => at + ((8 + view.getUint32(at + 4, true) + 3) & ~3);

const imageNames: Readonly<Record<number, keyof ProcessImage>> = {
  [LineageColumn.Executable]: 'executable',
  [LineageColumn.Name]: 'name',
  [LineageColumn.CommandLine]: 'commandLine',
  [LineageColumn.Args]: 'args',
  [LineageColumn.User]: 'user',
};

/** A process entry that was read, with the bytes it was read from. */
interface KeptProcess {
  readonly words: Int32Array;
  readonly process: RawProcess;
}

const processSlots = 4096;

/** Reads drained records. Nothing it gave refers to their buffer after. One for a correlator: it remembers what recurs. */
export class RecordReader {
  readonly #texts = new RecordTexts();
  /** Processes of a host are witnessed again and again, themselves or as ancestors: the last entry of each place. */
  readonly #processes: (KeptProcess | undefined)[] = new Array(processSlots).fill(undefined);
  #lastWitness: RawWitness | undefined;

  /** `names` are the evidence fields by index. */
  constructor(private readonly names: readonly string[]) {}

  read(view: DataView, onAlert: (alert: RawAlert) => void, onWitness: (witness: RawWitness) => void): void {
    const { buffer, byteOffset, byteLength } = view;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const source = { view, bytes, words: new Int32Array(buffer, byteOffset, byteLength >> 2) };
    let at = 0;
    while (at < view.byteLength) {
      const kind = view.getUint32(at, true);
      if (kind === Output.Alert) onAlert(this.#alert(source, at));
      else if (kind === Output.Witness) onWitness(this.#witness(source, at));
      at += view.getUint32(at + 4, true);
    }
  }

  #alert(source: Source, at: number): RawAlert {
    const { view } = source;
    const count = view.getUint32(at + AlertRecord.EvidenceCount, true);
    const key = view.getBigUint64(at + AlertRecord.KeyHash, true);
    const evidence: RawEvidence[] = [];
    let entry = at + AlertRecord.Header;
    for (let i = 0; i < count; i++) {
      evidence.push(this.#evidence(source, entry));
      entry += view.getUint32(entry + EvidenceEntry.Bytes, true);
    }
    return {
      rule: view.getUint32(at + AlertRecord.Rule, true),
      host: view.getUint32(at + AlertRecord.Host, true),
      timeUs: int64(source, at + AlertRecord.TimeUs),
      keyHash: key === 0n ? '' : hex(key),
      value: view.getFloat64(at + AlertRecord.Value, true),
      flags: view.getUint32(at + AlertRecord.Flags, true),
      arrival: int64(source, at + AlertRecord.Arrival),
      clockUs: int64(source, at + AlertRecord.ClockUs),
      evidence,
    };
  }

  #evidence(source: Source, at: number): RawEvidence {
    const { view } = source;
    const flags = view.getUint16(at + EvidenceEntry.Flags, true);
    const identity = word64(source, at + EvidenceEntry.IdentityLow) + word64(source, at + EvidenceEntry.IdentityHigh);
    const start = at + EvidenceEntry.Header;
    return {
      step: view.getUint16(at + EvidenceEntry.Step, true),
      timeUs: int64(source, at + EvidenceEntry.TimeUs),
      ordinal: int64(source, at + EvidenceEntry.Ordinal),
      host: view.getUint32(at + EvidenceEntry.Host, true),
      identity: identity === noIdentity ? '' : identity,
      isMissing: (flags & EvidenceFlag.Missing) !== 0,
      isCut: (flags & (EvidenceFlag.Cut | EvidenceFlag.Bare)) !== 0,
      fields: this.#fields(source, start, start + view.getUint32(at + EvidenceEntry.ValueBytes, true)),
    };
  }

  #fields(source: Source, from: number, end: number): EvidenceFields {
    const { view } = source;
    const fields: Record<string, EvidenceValue> = {};
    for (let at = from; at < end; at = nextValue(view, at)) {
      const name = this.names[view.getUint16(at, true)];
      if (name !== undefined) fields[name] = this.#value(source, at);
    }
    return fields;
  }

  #value(source: Source, at: number): EvidenceValue {
    const { view } = source;
    const tag = view.getUint8(at + 2);
    if (tag === EvidenceTag.Float) return view.getFloat64(at + 8, true);
    if (tag !== EvidenceTag.List) return this.#scalar(source, at);
    const end = at + 8 + view.getUint32(at + 4, true);
    const items: (string | number | boolean)[] = [];
    for (let item = at + 8; item < end; item = nextValue(view, item)) items.push(this.#scalar(source, item));
    return items;
  }

  #scalar({ view, bytes }: Source, at: number): string | number | boolean {
    const tag = view.getUint8(at + 2);
    const text = this.#texts.read(bytes, at + 8, view.getUint32(at + 4, true));
    if (tag === EvidenceTag.Number) return Number(text);
    return tag === EvidenceTag.Bool ? text === 'true' : text;
  }

  // --------------------------------------------------------------------------------------------- witnesses

  #witness(source: Source, at: number): RawWitness {
    const { view } = source;
    const flags = view.getUint32(at + WitnessRecord.Flags, true);
    const rule = view.getUint32(at + WitnessRecord.Rule, true);
    const item = view.getUint32(at + WitnessRecord.Item, true);
    if ((flags & WitnessFlag.Repeated) !== 0) return { ...(this.#lastWitness as RawWitness), rule, item };
    const count = view.getUint32(at + WitnessRecord.ProcessCount, true);
    const chain: RawProcess[] = [];
    let entry = at + WitnessRecord.Header;
    for (let i = 0; i < count; i++) {
      const bytes = view.getUint32(entry + ProcessEntry.Bytes, true);
      chain.push(this.#recalled(source, entry, bytes));
      entry += bytes;
    }
    this.#lastWitness = {
      rule,
      item,
      host: view.getUint32(at + WitnessRecord.Host, true),
      timeUs: int64(source, at + WitnessRecord.TimeUs),
      isLate: (flags & WitnessFlag.Late) !== 0,
      isTruncated: (flags & WitnessFlag.ChainTruncated) !== 0,
      chain,
      evidence: this.#evidence(source, entry),
    };
    return this.#lastWitness;
  }

  /** The process of an entry, as it was read before where the entry has not changed since. */
  #recalled(source: Source, at: number, length: number): RawProcess {
    const slot = source.view.getUint32(at + ProcessEntry.Identity, true) & (processSlots - 1);
    const kept = this.#processes[slot];
    const [start, count] = [at >> 2, length >> 2];
    if (kept !== undefined && isSame(kept.words, source.words, start, count)) return kept.process;
    const process = this.#process(source, at);
    this.#processes[slot] = { words: source.words.slice(start, start + count), process };
    return process;
  }

  #process(source: Source, at: number): RawProcess {
    const { view } = source;
    const flags = view.getUint32(at + ProcessEntry.Flags, true);
    const pid = view.getUint32(at + ProcessEntry.Pid, true);
    const count = view.getUint32(at + ProcessEntry.ImageCount, true);
    const images: ProcessImage[] = [];
    let image = at + ProcessEntry.Header;
    for (let i = 0; i < count; i++) {
      images.push(this.#image(source, image));
      image += view.getUint32(image + ImageEntry.Bytes, true);
    }
    return {
      identity: word64(source, at + ProcessEntry.Identity),
      flags: flags & ((1 << ProcessFlag.LinkShift) - 1),
      link: flags >> ProcessFlag.LinkShift,
      own: view.getBigUint64(at + ProcessEntry.Own, true),
      inherited: view.getBigUint64(at + ProcessEntry.Inherited, true),
      startUs: int64(source, at + ProcessEntry.StartUs),
      pid: pid === 0 ? undefined : pid - 1,
      images: images.reverse(),
    };
  }

  #image(source: Source, at: number): ProcessImage {
    const { view } = source;
    const image: Record<string, unknown> = { timeUs: int64(source, at + ImageEntry.TimeUs) };
    const end = at + view.getUint32(at + ImageEntry.Bytes, true);
    for (let value = at + ImageEntry.Header; value + 8 <= end; value = nextValue(view, value)) {
      const name = imageNames[view.getUint16(value, true)];
      if (name === undefined) break;
      const read = this.#value(source, value);
      if (name === 'args') image[name] = (Array.isArray(read) ? read : [read]).map(String);
      else image[name] = Array.isArray(read) ? String(read[0]) : String(read);
    }
    return image as unknown as ProcessImage;
  }
}

const noIdentity = '0'.repeat(32);

function isSame(kept: Int32Array, words: Int32Array, start: number, count: number): boolean {
  if (kept.length !== count) return false;
  for (let i = 0; i < count; i++) if (kept[i] !== words[start + i]) return false;
  return true;
}
