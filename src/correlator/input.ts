/** What `push` takes: telling the forms apart, and cutting text into runs of whole lines that the kernel can take. */
import { UsageError } from '../core/errors.js';

/** EventBatch bytes, NDJSON bytes or text, or objects. */
export type PushInput = Uint8Array | ArrayBuffer | string | readonly object[];

export type InputForm = 'batch' | 'ndjson' | 'objects';

export interface PushOptions {
  /** Takes the input as this, whatever it looks like. */
  readonly as?: InputForm;
}

/** Characters 4 to 7 of an EventBatch. */
const batchIdentifier = [0x56, 0x44, 0x54, 0x42];

/** The form of an input. @throws UsageError where it is none, or not the one asked for. */
export function formOf(input: PushInput, as: InputForm | undefined): InputForm {
  const isBytes = input instanceof Uint8Array || input instanceof ArrayBuffer;
  const natural = isBytes ? undefined : typeof input === 'string' ? 'ndjson' : Array.isArray(input) ? 'objects' : null;
  if (natural === null)
    throw new UsageError('USAGE_OPTION', 'push: give EventBatch bytes, NDJSON bytes or text, or an array of objects');
  if (as !== undefined && !['batch', 'ndjson', 'objects'].includes(as)) {
    throw new UsageError('USAGE_OPTION', `push: as: give batch, ndjson or objects, not ${JSON.stringify(as)}`);
  }
  if (as !== undefined && (natural === undefined ? as === 'objects' : as !== natural)) {
    throw new UsageError('USAGE_OPTION', `push: this input cannot be taken as ${as}`);
  }
  if (natural !== undefined) return natural;
  return as ?? (isBatch(bytesOf(input as Uint8Array | ArrayBuffer)) ? 'batch' : 'ndjson');
}

export const bytesOf = (input: Uint8Array | ArrayBuffer): Uint8Array =>
  input instanceof ArrayBuffer ? new Uint8Array(input) : input;

const isBatch = (bytes: Uint8Array): boolean => batchIdentifier.every((byte, index) => bytes[4 + index] === byte);

/** One run of whole lines, or a single line that is longer than `most`. */
export interface LineRun {
  readonly start: number;
  readonly end: number;
  readonly isTooLong: boolean;
}

const newline = 0x0a;

/** Cuts NDJSON into runs of whole lines of at most `most` bytes. The last line may lack its end. */
export function* lineRuns(bytes: Uint8Array, most: number): Generator<LineRun> {
  let start = 0;
  while (start < bytes.length) {
    if (bytes.length - start <= most) {
      yield { start, end: bytes.length, isTooLong: false };
      return;
    }
    const last = bytes.lastIndexOf(newline, start + most - 1);
    if (last >= start) {
      yield { start, end: last + 1, isTooLong: false };
      start = last + 1;
      continue;
    }
    const next = bytes.indexOf(newline, start + most);
    const end = next < 0 ? bytes.length : next + 1;
    yield { start, end, isTooLong: true };
    start = end;
  }
}

/** Objects as NDJSON text, in runs of about `most` characters. What JSON cannot write becomes a line that is no event. */
export function* objectRuns(objects: readonly object[], most: number): Generator<string> {
  let lines: string[] = [];
  let length = 0;
  for (const object of objects) {
    const line = lineOf(object);
    lines.push(line);
    length += line.length + 1;
    if (length < most) continue;
    yield lines.join('\n');
    lines = [];
    length = 0;
  }
  if (lines.length > 0) yield lines.join('\n');
}

function lineOf(object: unknown): string {
  try {
    return JSON.stringify(object, plain) ?? 'undefined';
  } catch {
    return 'unwritable';
  }
}

const plain = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? Number(value) : value);
