/**
 * Event files as byte chunks: plain or gzip, a folder's files, or standard input. A file is never read whole.
 */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { concatBytes } from '../core/bytes.js';
import { CommandError } from './io.js';

export interface InputFile {
  /** Path as given, or `-` for standard input. */
  readonly path: string;
  /** Size on disk; 0 for standard input. */
  readonly bytes: number;
}

const eventFile = /\.(ndjson|jsonl|json|log)(\.gz)?$/;

/**
 * Resolves arguments to event files. A folder stands for its files named `.ndjson`, `.jsonl`, `.json` or `.log`
 * (also `.gz`), in name order.
 * @throws CommandError naming the path that cannot be read or holds no events.
 */
export async function resolveInputs(paths: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const path of paths) {
    if (path === '-') {
      files.push({ path, bytes: 0 });
      continue;
    }
    const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new CommandError(`${path}: ${error.code === 'ENOENT' ? 'no such file or folder' : error.message}`);
    });
    if (!info.isDirectory()) {
      files.push({ path, bytes: info.size });
      continue;
    }
    const names = (await readdir(path)).filter((name) => eventFile.test(name)).sort();
    if (names.length === 0)
      throw new CommandError(`${path}: no event files (.ndjson, .jsonl, .json, .log, or these with .gz)`);
    for (const name of names) files.push({ path: join(path, name), bytes: (await stat(join(path, name))).size });
  }
  return files;
}

/**
 * The bytes of one input, in chunks of up to 1 MiB. `onBytes` hears the bytes read from disk, before decompression.
 * @throws CommandError when the file cannot be read or its gzip data is damaged; chunks already yielded stand.
 */
export async function* readChunks(file: InputFile, onBytes?: (count: number) => void): AsyncGenerator<Uint8Array> {
  const raw: Readable = file.path === '-' ? process.stdin : createReadStream(file.path, { highWaterMark: 1 << 20 });
  if (onBytes !== undefined) raw.on('data', (chunk: Uint8Array) => onBytes(chunk.length));
  let stream = raw;
  if (file.path.endsWith('.gz')) {
    const gunzip = createGunzip({ chunkSize: 1 << 20 });
    raw.on('error', (error) => gunzip.destroy(error));
    stream = raw.pipe(gunzip);
  }
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const isPacked = code?.startsWith('Z_') === true;
    throw new CommandError(
      `${file.path}: ${isPacked ? `not a whole gzip file (${message}); fetch or pack it again` : message}`,
    );
  }
}

const lineEnd = Uint8Array.of(10);

/** Longest line, in bytes, that is joined from chunks; of a longer one the beginning is read, and so told of. */
export const lineBytesMax = 16 * 1024 * 1024;

/**
 * Regroups chunks so that each ends at a line end; the last may lack its newline. Lines longer than a chunk are
 * joined, so a chunk may be longer than those read.
 */
export async function* wholeLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let isCut = false;
  for await (let chunk of chunks) {
    if (isCut) {
      const rest = chunk.indexOf(10) + 1;
      if (rest === 0) continue;
      chunk = chunk.subarray(rest);
      isCut = false;
    }
    const end = chunk.lastIndexOf(10) + 1;
    if (end === 0) {
      pending.push(chunk);
      pendingBytes += chunk.length;
      if (pendingBytes <= lineBytesMax) continue;
      yield concatBytes([...pending, lineEnd]);
      pending = [];
      pendingBytes = 0;
      isCut = true;
      continue;
    }
    yield concatBytes([...pending, chunk.subarray(0, end)]);
    pending = end < chunk.length ? [chunk.slice(end)] : [];
    pendingBytes = chunk.length - end;
  }
  if (pending.length > 0) yield concatBytes(pending);
}
