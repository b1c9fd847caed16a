/**
 * Writes the example events: `node dist/examples/generate.js [folder]`. Seeded: the same files on every machine.
 * Every document is made up; names, addresses and hashes belong to nobody.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EndpointHost } from './generator/endpoint.js';
import { esxiDay } from './generator/esxi.js';
import { linuxDay } from './generator/linux.js';
import { macosDay } from './generator/macos.js';
import { windowsDay } from './generator/windows.js';

type Entry = { readonly timeMs: number; readonly document: Readonly<Record<string, unknown>> };

const seed = 20_260_303;

/** The example files by name, each as NDJSON in order of time. */
export function exampleFiles(): ReadonlyMap<string, string> {
  const merged = (hosts: readonly EndpointHost[]): readonly Entry[] =>
    hosts.flatMap((host) => host.documents).sort((a, b) => a.timeMs - b.timeMs);
  const days: Readonly<Record<string, readonly Entry[]>> = {
    'macos.ndjson': merged(macosDay(seed)),
    'linux.ndjson': merged(linuxDay(seed + 1)),
    'windows.ndjson': merged(windowsDay(seed + 2)),
    'esxi.ndjson': esxiDay(seed + 3),
  };
  return new Map(
    Object.entries(days).map(([name, entries]) => [
      name,
      entries.map((entry) => `${JSON.stringify(entry.document)}\n`).join(''),
    ]),
  );
}

function main(folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of exampleFiles()) {
    writeFileSync(join(folder, name), text);
    console.log(`${name}: ${text.split('\n').length - 1} events, ${Buffer.byteLength(text)} bytes`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2] ?? 'examples/events');
