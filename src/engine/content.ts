/** Where the content that ships with the package lies on disk. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VedetteError } from '../core/errors.js';

/**
 * The folder of the shipped rules, for `loadRules`.
 * @throws VedetteError `INPUT_UNREADABLE` when the package was installed without its content.
 */
export function shippedContent(): string {
  return contentPath('rules');
}

/** The version of this package. */
export function packageVersion(): string {
  const file = join(contentPath('rules'), '..', '..', 'package.json');
  return String((JSON.parse(readFileSync(file, 'utf8')) as { readonly version?: unknown }).version ?? 'unknown');
}

/** A file or folder of the shipped content. */
export function contentPath(name: string): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'content', name);
    if (existsSync(path) && existsSync(join(folder, 'package.json'))) return path;
  }
  throw new VedetteError('INPUT_UNREADABLE', `the package has no content/${name}; install it again`);
}
