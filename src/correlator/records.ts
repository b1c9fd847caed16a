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

/** One process of a witness's chain. Marks are bit sets. */
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

const decoder = new TextDecoder();
const hex = (value: bigint): string => value.toString(16).padStart(16, '0');

/** Reads a drained run of records. `names` are the evidence fields by index. Nothing read refers to the buffer after. */
export function readRecords(
  view: DataView,
  names: readonly string[],
  onAlert: (alert: RawAlert) => void,
  onWitness: (witness: RawWitness) => void,
): void {
  let at = 0;
  while (at < view.byteLength) {
    const kind = view.getUint32(at, true);
    if (kind === Output.Alert) onAlert(readAlert(view, at, names));
    else if (kind === Output.Witness) onWitness(readWitness(view, at, names));
    at += view.getUint32(at + 4, true);
  }
}

function readAlert(view: DataView, at: number, names: readonly string[]): RawAlert {
  const count = view.getUint32(at + AlertRecord.EvidenceCount, true);
  const key = view.getBigUint64(at + AlertRecord.KeyHash, true);
  const evidence: RawEvidence[] = [];
  let entry = at + AlertRecord.Header;
  for (let i = 0; i < count; i++) {
    evidence.push(readEvidence(view, entry, names));
    entry += view.getUint32(entry + EvidenceEntry.Bytes, true);
  }
  return {
    rule: view.getUint32(at + AlertRecord.Rule, true),
    host: view.getUint32(at + AlertRecord.Host, true),
    timeUs: Number(view.getBigInt64(at + AlertRecord.TimeUs, true)),
    keyHash: key === 0n ? '' : hex(key),
    value: view.getFloat64(at + AlertRecord.Value, true),
    flags: view.getUint32(at + AlertRecord.Flags, true),
    arrival: Number(view.getBigUint64(at + AlertRecord.Arrival, true)),
    clockUs: Number(view.getBigInt64(at + AlertRecord.ClockUs, true)),
    evidence,
  };
}

function readEvidence(view: DataView, at: number, names: readonly string[]): RawEvidence {
  const flags = view.getUint16(at + EvidenceEntry.Flags, true);
  const low = view.getBigUint64(at + EvidenceEntry.IdentityLow, true);
  const high = view.getBigUint64(at + EvidenceEntry.IdentityHigh, true);
  const start = at + EvidenceEntry.Header;
  return {
    step: view.getUint16(at + EvidenceEntry.Step, true),
    timeUs: Number(view.getBigInt64(at + EvidenceEntry.TimeUs, true)),
    ordinal: Number(view.getBigUint64(at + EvidenceEntry.Ordinal, true)),
    host: view.getUint32(at + EvidenceEntry.Host, true),
    identity: (low | high) === 0n ? '' : hex(low) + hex(high),
    isMissing: (flags & EvidenceFlag.Missing) !== 0,
    isCut: (flags & (EvidenceFlag.Cut | EvidenceFlag.Bare)) !== 0,
    fields: readFields(view, start, start + view.getUint32(at + EvidenceEntry.ValueBytes, true), names),
  };
}

function readFields(view: DataView, from: number, end: number, names: readonly string[]): EvidenceFields {
  const fields: Record<string, EvidenceValue> = {};
  let at = from;
  while (at < end) {
    const name = names[view.getUint16(at, true)];
    const value = readValue(view, at);
    if (name !== undefined && value !== undefined) fields[name] = value;
    at = nextValue(view, at);
  }
  return fields;
}

const nextValue = (view: DataView, at: number): number => at + ((8 + view.getUint32(at + 4, true) + 3) & ~3);

function readValue(view: DataView, at: number): EvidenceValue | undefined {
  const tag = view.getUint8(at + 2);
  const bytes = view.getUint32(at + 4, true);
  if (tag === EvidenceTag.Float) return view.getFloat64(at + 8, true);
  if (tag !== EvidenceTag.List) return readScalar(view, at, tag, bytes);
  const items: (string | number | boolean)[] = [];
  for (let item = at + 8; item < at + 8 + bytes; item = nextValue(view, item)) {
    items.push(readScalar(view, item, view.getUint8(item + 2), view.getUint32(item + 4, true)));
  }
  return items;
}

function readScalar(view: DataView, at: number, tag: number, bytes: number): string | number | boolean {
  const text = decoder.decode(new Uint8Array(view.buffer, view.byteOffset + at + 8, bytes));
  if (tag === EvidenceTag.Number) return Number(text);
  return tag === EvidenceTag.Bool ? text === 'true' : text;
}

// ----------------------------------------------------------------------------------------------- witnesses

function readWitness(view: DataView, at: number, names: readonly string[]): RawWitness {
  const flags = view.getUint32(at + WitnessRecord.Flags, true);
  const chain: RawProcess[] = [];
  let entry = at + WitnessRecord.Header;
  for (let i = 0; i < view.getUint32(at + WitnessRecord.ProcessCount, true); i++) {
    chain.push(readProcess(view, entry));
    entry += view.getUint32(entry + ProcessEntry.Bytes, true);
  }
  return {
    rule: view.getUint32(at + WitnessRecord.Rule, true),
    item: view.getUint32(at + WitnessRecord.Item, true),
    host: view.getUint32(at + WitnessRecord.Host, true),
    timeUs: Number(view.getBigInt64(at + WitnessRecord.TimeUs, true)),
    isLate: (flags & WitnessFlag.Late) !== 0,
    isTruncated: (flags & WitnessFlag.ChainTruncated) !== 0,
    chain,
    evidence: readEvidence(view, entry, names),
  };
}

function readProcess(view: DataView, at: number): RawProcess {
  const flags = view.getUint32(at + ProcessEntry.Flags, true);
  const pid = view.getUint32(at + ProcessEntry.Pid, true);
  const images: ProcessImage[] = [];
  let image = at + ProcessEntry.Header;
  for (let i = 0; i < view.getUint32(at + ProcessEntry.ImageCount, true); i++) {
    images.push(readImage(view, image));
    image += view.getUint32(image + ImageEntry.Bytes, true);
  }
  return {
    identity: hex(view.getBigUint64(at + ProcessEntry.Identity, true)),
    flags: flags & ((1 << ProcessFlag.LinkShift) - 1),
    link: flags >> ProcessFlag.LinkShift,
    own: view.getBigUint64(at + ProcessEntry.Own, true),
    inherited: view.getBigUint64(at + ProcessEntry.Inherited, true),
    startUs: Number(view.getBigInt64(at + ProcessEntry.StartUs, true)),
    pid: pid === 0 ? undefined : pid - 1,
    images: images.reverse(),
  };
}

const imageNames: Readonly<Record<number, keyof ProcessImage>> = {
  [LineageColumn.Executable]: 'executable',
  [LineageColumn.Name]: 'name',
  [LineageColumn.CommandLine]: 'commandLine',
  [LineageColumn.Args]: 'args',
  [LineageColumn.User]: 'user',
};

function readImage(view: DataView, at: number): ProcessImage {
  const image: Record<string, unknown> = { timeUs: Number(view.getBigInt64(at + ImageEntry.TimeUs, true)) };
  const end = at + view.getUint32(at + ImageEntry.Bytes, true);
  for (let value = at + ImageEntry.Header; value + 8 <= end; value = nextValue(view, value)) {
    const name = imageNames[view.getUint16(value, true)];
    if (name === undefined) break;
    const read = readValue(view, value);
    if (name === 'args') image[name] = (Array.isArray(read) ? read : [read]).map(String);
    else image[name] = Array.isArray(read) ? String(read[0]) : String(read);
  }
  return image as unknown as ProcessImage;
}
