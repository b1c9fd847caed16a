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
import type { EvidenceFields, EvidenceValue, ProcessImage, ProcessNode } from './behavior/witness.js';
import { FieldShapes } from './field_shapes.js';
import { RecalledProcesses } from './recalled_processes.js';
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

/** One process of a witness's chain. Equal entries of later witnesses are the same object. */
export interface RawProcess {
  readonly identity: string;
  readonly flags: number;
  readonly link: number;
  /** Marks that the process itself carries: those with bits 0 to 31, and those with bits 32 to 63. */
  readonly marksLow: number;
  readonly marksHigh: number;
  readonly startUs: number;
  readonly pid: number | undefined;
  readonly images: readonly ProcessImage[];
  /** What makers of witnesses have made of it. */
  made: MadeNode | undefined;
}

/** A node made of a process: one of a list. `place` tells who made it, and of what. */
export interface MadeNode {
  readonly place: number;
  readonly node: ProcessNode;
  readonly next: MadeNode | undefined;
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

/** A run of records as bytes, as numbers and as words; every record is 4-aligned. */
interface Source {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/** Whole numbers of microseconds and ordinals fit a double exactly. */
const int64 = ({ view }: Source, at: number): number =>
  view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);

const nextValue = (view: DataView, at: number): number => at + ((8 + view.getUint32(at + 4, true) + 3) & ~3);

/** Reads drained records. Nothing it gave refers to their buffer after. One for a correlator: it remembers what recurs. */
export class RecordReader {
  readonly #texts = new RecordTexts();
  readonly #processes = new RecalledProcesses();
  readonly #shapes: FieldShapes;
  /** Indexes of the fields that the record in hand has. */
  readonly #present: Uint16Array;
  #lastWitness: RawWitness | undefined;

  /** `names` are the evidence fields by index; a record has each at most once. */
  constructor(private readonly names: readonly string[]) {
    this.#shapes = new FieldShapes(names);
    this.#present = new Uint16Array(names.length);
  }

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
    const key = at + AlertRecord.KeyHash;
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
      keyHash: isZero(source, key) ? '' : this.#texts.hex(source.bytes, key),
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
    const start = at + EvidenceEntry.Header;
    return {
      step: view.getUint16(at + EvidenceEntry.Step, true),
      timeUs: int64(source, at + EvidenceEntry.TimeUs),
      ordinal: int64(source, at + EvidenceEntry.Ordinal),
      host: view.getUint32(at + EvidenceEntry.Host, true),
      identity: this.#identity(source, at),
      isMissing: (flags & EvidenceFlag.Missing) !== 0,
      isCut: (flags & (EvidenceFlag.Cut | EvidenceFlag.Bare)) !== 0,
      fields: this.#fields(source, start, start + view.getUint32(at + EvidenceEntry.ValueBytes, true)),
    };
  }

  /** 32 hexadecimal digits, or nothing where both words are 0. */
  #identity(source: Source, at: number): string {
    const low = at + EvidenceEntry.IdentityLow;
    const high = at + EvidenceEntry.IdentityHigh;
    if (isZero(source, low) && isZero(source, high)) return '';
    return this.#texts.hex(source.bytes, low) + this.#texts.hex(source.bytes, high);
  }

  #fields(source: Source, from: number, end: number): EvidenceFields {
    const { view } = source;
    let count = 0;
    for (let at = from; at < end; at = nextValue(view, at)) {
      const index = view.getUint16(at, true);
      if (index < this.names.length && count < this.names.length) this.#present[count++] = index;
    }
    const fields = this.#shapes.object(this.#present, count);
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
    let count = 0;
    for (let item = at + 8; item < end; item = nextValue(view, item)) count++;
    // Made for as many as there are: one that grows keeps room for more, for as long as a session does.
    const items = new Array<string | number | boolean>(count);
    count = 0;
    for (let item = at + 8; item < end; item = nextValue(view, item)) items[count++] = this.#scalar(source, item);
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
    const chain = new Array<RawProcess>(count);
    let entry = at + WitnessRecord.Header;
    for (let i = 0; i < count; i++) {
      const bytes = view.getUint32(entry + ProcessEntry.Bytes, true);
      chain[i] = this.#recalled(source, entry, bytes);
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
    const hash = source.view.getUint32(at + ProcessEntry.Identity, true);
    const [start, count] = [at >> 2, length >> 2];
    const known = this.#processes.find(hash, source.words, start, count);
    if (known !== undefined) return known;
    const process = this.#process(source, at);
    this.#processes.keep(hash, source.words, start, count, process);
    return process;
  }

  #process(source: Source, at: number): RawProcess {
    const { view } = source;
    const flags = view.getUint32(at + ProcessEntry.Flags, true);
    const pid = view.getUint32(at + ProcessEntry.Pid, true);
    const count = view.getUint32(at + ProcessEntry.ImageCount, true);
    const images = new Array<ProcessImage>(count);
    let image = at + ProcessEntry.Header;
    // The record has the newest first.
    for (let i = count - 1; i >= 0; i--) {
      images[i] = this.#image(source, image);
      image += view.getUint32(image + ImageEntry.Bytes, true);
    }
    return {
      identity: this.#texts.hex(source.bytes, at + ProcessEntry.Identity),
      flags: flags & ((1 << ProcessFlag.LinkShift) - 1),
      link: flags >> ProcessFlag.LinkShift,
      marksLow: view.getUint32(at + ProcessEntry.Own, true),
      marksHigh: view.getUint32(at + ProcessEntry.Own + 4, true),
      startUs: int64(source, at + ProcessEntry.StartUs),
      pid: pid === 0 ? undefined : pid - 1,
      images,
      made: undefined,
    };
  }

  #image(source: Source, at: number): ProcessImage {
    const { view } = source;
    // With every member from the start, images have one shape, whatever is known of them.
    const image: { -readonly [K in keyof ProcessImage]: ProcessImage[K] } = {
      timeUs: int64(source, at + ImageEntry.TimeUs),
      executable: undefined,
      name: undefined,
      args: undefined,
      commandLine: undefined,
      user: undefined,
    };
    const end = at + view.getUint32(at + ImageEntry.Bytes, true);
    for (let value = at + ImageEntry.Header; value + 8 <= end; value = nextValue(view, value)) {
      const column = view.getUint16(value, true);
      const read = this.#value(source, value);
      if (column === LineageColumn.Executable) image.executable = firstText(read);
      else if (column === LineageColumn.Name) image.name = firstText(read);
      else if (column === LineageColumn.CommandLine) image.commandLine = firstText(read);
      else if (column === LineageColumn.Args) image.args = allTexts(read);
      else if (column === LineageColumn.User) image.user = firstText(read);
      else break;
    }
    return image;
  }
}

const firstText = (value: EvidenceValue): string => String(typeof value === 'object' ? value[0] : value);
const allTexts = (value: EvidenceValue): string[] => (typeof value === 'object' ? value : [value]).map(String);

const isZero = ({ view }: Source, at: number): boolean =>
  view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0;
