import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The corpora and cases from outside, which live beside the repository and may be absent. */
const sharedRoot = fileURLToPath(new URL('../../../shared/', import.meta.url));

/** The absolute path of a file or folder below the shared folder; existing or not. */
export function sharedPath(path: string): string {
  return join(sharedRoot, path);
}

/**
 * Whether a shared file or folder is present. When it is not, the reason for skipping is printed once per path:
 * `describe.skipIf(!hasShared('conformance/kql'))(…)`.
 */
export function hasShared(path: string): boolean {
  const isPresent = existsSync(sharedPath(path));
  if (!isPresent && !reported.has(path)) {
    reported.add(path);
    console.log(`skipped: ../shared/${path} is not here`);
  }
  return isPresent;
}

const reported = new Set<string>();

export function readShared(path: string): string {
  return readFileSync(sharedPath(path), 'utf8');
}

/** The rows of a shared NDJSON file; none when the file is absent. */
export function readSharedRows<Row>(path: string): Row[] {
  if (!hasShared(path)) return [];
  return readShared(path)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => JSON.parse(line) as Row);
}

/** Paths (relative to the shared folder, sorted) of the files below a shared folder that end in `extension`. */
export function listShared(folder: string, extension: string): string[] {
  if (!hasShared(folder)) return [];
  return readdirSync(sharedPath(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension))
    .map((entry) => relative(sharedRoot, join(entry.parentPath, entry.name)))
    .sort();
}
