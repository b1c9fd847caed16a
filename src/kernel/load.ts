/** Getting the kernel's code: inline by default, or given by the caller where inline code is not allowed. */
import { base64Bytes } from '../core/base64.js';
import { kernelBase64 } from './kernel_binary.js';
import { type WasmModule, webAssembly } from './web_assembly.js';

/** A compiled kernel (`WebAssembly.Module`), or the bytes of `vedette/kernel.wasm`. */
export type KernelSource = WasmModule | ArrayBuffer | Uint8Array;

let inline: Promise<WasmModule> | undefined;

/** The compiled kernel. The inline one is decoded and compiled once in a process. */
export function loadKernelModule(source?: KernelSource): Promise<WasmModule> {
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return webAssembly.compile(source);
  if (source !== undefined) return Promise.resolve(source);
  inline ??= webAssembly.compile(base64Bytes(kernelBase64));
  return inline;
}
