/**
 * Builds everything that runs: the kernel (asc), its inline form, and the JavaScript (tsc).
 * `--kernel` builds only the kernel. Steps whose inputs did not change are skipped.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import binaryen from 'assemblyscript/binaryen';

const root = new URL('..', import.meta.url).pathname;
const bin = (name) => join(root, 'node_modules', '.bin', name);
const run = (name, args) => execFileSync(bin(name), args, { cwd: root, stdio: 'inherit' });

const kernelInputs = ['assembly', 'src/core/abi']
  .flatMap((folder) => readdirSync(join(root, folder)).map((file) => join(folder, file)))
  .filter((file) => file.endsWith('.ts'))
  .sort();

function buildKernel() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'asconfig.json')));
  hash.update(readFileSync(new URL(import.meta.url)));
  for (const file of kernelInputs) hash.update(file).update(readFileSync(join(root, file)));
  const fingerprint = hash.digest('hex').slice(0, 16);
  const inline = join(root, 'src/kernel/kernel_binary.ts');
  const wasm = join(root, 'build/kernel.wasm');
  const isCurrent = existsSync(inline) && existsSync(wasm) && readFileSync(inline, 'utf8').includes(fingerprint);
  if (isCurrent) return;
  for (const folder of ['build', 'src/kernel']) mkdirSync(join(root, folder), { recursive: true });
  run('asc', ['--target', 'release']);
  const bytes = withStateExports(readFileSync(wasm));
  writeFileSync(wasm, bytes);
  const text = [
    '/** The compiled kernel, inline so that every bundler and runtime can load it. Written by `scripts/build.mjs`. */',
    `export const kernelFingerprint = '${fingerprint}';`,
    `export const kernelBase64 =\n  '${bytes.toString('base64')}';`,
    '',
  ].join('\n');
  writeFileSync(inline, text);
  console.log(`kernel ${bytes.length} bytes, ${fingerprint}`);
}

/** Exports every variable of the kernel as `state:N`: with its memory they are all that a copy of it is made of. */
function withStateExports(bytes) {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(binaryen.Features.All);
  for (let index = 0, count = module.getNumGlobals(); index < count; index++) {
    const { name, mutable } = binaryen.getGlobalInfo(module.getGlobalByIndex(index));
    if (mutable) module.addGlobalExport(name, `state:${index}`);
  }
  const exported = Buffer.from(module.emitBinary());
  module.dispose();
  return exported;
}

buildKernel();
if (!process.argv.includes('--kernel')) {
  run('tsc', ['-p', 'tsconfig.build.json']);
  cpSync(join(root, 'build/kernel.wasm'), join(root, 'dist/kernel.wasm'));
}
