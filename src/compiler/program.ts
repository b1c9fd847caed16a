/**
 * The container of a rule program (`schemas/rule_program.fbs`): magic, format version, fingerprint and length, then the
 * sections. Written and read here; what the sections hold is defined in `src/core/abi/`.
 */
import { Builder } from 'flatbuffers';
import { Section } from '../core/abi/program.js';
import { ProgramError } from '../core/errors.js';
import { FlatFormatError, FlatReader } from '../core/flat_reader.js';
import { programBytesMax } from '../core/limits.js';

const identifier = 'VDTP';
/** Format of the container and of all sections. Programs of another version are refused. */
export const programVersion = 1;

/** Fields of the tables of the schema, in declaration order. */
const enum ProgramField {
  Version = 0,
  Fingerprint = 1,
  Length = 2,
  Sections = 3,
  Count = 4,
}

const enum SectionField {
  Id = 0,
  Bytes = 1,
  Count = 2,
}

/** A decoded program. The section bytes are views of the program's bytes. */
export interface Program {
  /** Equal for equal sections, whatever rules order or file they came from. */
  readonly fingerprint: bigint;
  readonly sections: ReadonlyMap<Section, Uint8Array>;
}

const prime = 0x9e3779b185ebca87n;
const mask64 = 0xffff_ffff_ffff_ffffn;

/** A 64-bit hash of the sections: two 32-bit lanes, good enough to tell damage and change. */
export function fingerprintOf(sections: ReadonlyMap<Section, Uint8Array>): bigint {
  let a = 0x811c9dc5;
  let b = 0x27d4eb2f;
  for (const [id, bytes] of [...sections].sort((x, y) => x[0] - y[0])) {
    if (bytes.length === 0) continue;
    a = Math.imul(a ^ id, 0x85ebca6b);
    b = Math.imul(b ^ bytes.length, 0xc2b2ae35);
    const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const whole = bytes.length & ~3;
    for (let at = 0; at < whole; at += 4) {
      const word = words.getUint32(at, true);
      a = Math.imul(a ^ word, 0x9e3779b1);
      a ^= a >>> 15;
      b = Math.imul((b << 5) ^ (b >>> 27) ^ word, 0x85ebca6b);
    }
    for (let at = whole; at < bytes.length; at++) {
      a = Math.imul(a ^ (bytes[at] as number), 0x01000193);
      b = Math.imul((b << 5) ^ (b >>> 27) ^ (bytes[at] as number), 0x9e3779b1);
    }
  }
  const joined = (BigInt(a >>> 0) << 32n) | BigInt(b >>> 0);
  const mixed = (joined * prime) & mask64;
  return mixed ^ (mixed >> 29n);
}

/** Writes the sections into one program. Deterministic: equal sections give equal bytes. */
export function encodeProgram(
  sections: ReadonlyMap<Section, Uint8Array>,
  fingerprint: bigint = fingerprintOf(sections),
): Uint8Array {
  const ordered = [...sections].filter(([, bytes]) => bytes.length > 0).sort((x, y) => x[0] - y[0]);
  const length = ordered.reduce((sum, [, bytes]) => sum + bytes.length, 0);
  const builder = new Builder(length + 64 * ordered.length + 1024);
  const tables = ordered.map(([id, bytes]) => {
    const vector = appendBytes(builder, bytes);
    builder.startObject(SectionField.Count);
    builder.addFieldInt32(SectionField.Id, id, 0);
    builder.addFieldOffset(SectionField.Bytes, vector, 0);
    return builder.endObject();
  });
  builder.startVector(4, tables.length, 4);
  for (const table of tables.reverse()) builder.addOffset(table);
  const vector = builder.endVector();
  builder.startObject(ProgramField.Count);
  builder.addFieldInt32(ProgramField.Version, programVersion, 0);
  builder.addFieldInt64(ProgramField.Fingerprint, BigInt.asIntN(64, fingerprint), 0n);
  builder.addFieldInt32(ProgramField.Length, length, 0);
  builder.addFieldOffset(ProgramField.Sections, vector, 0);
  builder.finish(builder.endObject(), identifier);
  return builder.asUint8Array().slice();
}

function appendBytes(builder: Builder, bytes: Uint8Array): number {
  builder.prep(16, bytes.length);
  return builder.createByteVector(bytes);
}

/**
 * Reads a program and checks it against its own header.
 * @throws ProgramError `PROGRAM_FORMAT`, naming what is wrong, before any section is looked at.
 */
export function decodeProgram(bytes: Uint8Array): Program {
  const reader = new FlatReader(bytes);
  if (bytes.length > programBytesMax) refuse(`it has ${bytes.length} bytes, more than ${programBytesMax}`);
  if (reader.identifier() !== identifier) refuse(`it does not start with the identifier ${identifier}`);
  try {
    return readProgram(reader);
  } catch (error) {
    if (error instanceof FlatFormatError) refuse(error.message);
    throw error;
  }
}

function refuse(reason: string): never {
  throw new ProgramError('PROGRAM_FORMAT', `not a rule program: ${reason}; compile the rules again`);
}

function readProgram(reader: FlatReader): Program {
  const root = reader.root();
  const version = reader.u32(root, ProgramField.Version, 'the version');
  if (version !== programVersion) refuse(`its format version is ${version}, this release reads ${programVersion}`);
  const fingerprint = reader.u64(root, ProgramField.Fingerprint, 'the fingerprint') ?? 0n;
  const length = reader.u32(root, ProgramField.Length, 'the length') ?? 0;
  const vector = reader.vector(root, ProgramField.Sections, 4, 'the section list');
  const sections = new Map<Section, Uint8Array>();
  for (let i = 0; i < (vector?.length ?? 0); i++) {
    const table = reader.tableAt(vector as NonNullable<typeof vector>, i, `section entry ${i}`);
    const id = reader.u32(table, SectionField.Id, 'a section id') ?? 0;
    const content = reader.vector(table, SectionField.Bytes, 1, `section ${id}`);
    if (id === 0 || id >= Section.Count || sections.has(id) || content === undefined)
      refuse(`section ${id} is not one`);
    sections.set(id, reader.slice(content));
  }
  const total = [...sections.values()].reduce((sum, part) => sum + part.length, 0);
  if (total !== length) refuse(`its sections have ${total} bytes, its header says ${length}`);
  if (fingerprintOf(sections) !== fingerprint) refuse('its fingerprint is that of other contents');
  return { fingerprint, sections };
}
