/** The parts of WebAssembly's JavaScript interface that are used, typed here so that no DOM library is asked for. */

/** A compiled module: `WebAssembly.Module`. */
export interface WasmModule {
  readonly __wasmModule?: never;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** A variable of a module: `WebAssembly.Global`. */
export interface WasmGlobal {
  value: number | bigint;
}

type WasmFunction = (...args: never[]) => unknown;

interface WebAssemblyApi {
  readonly Module: abstract new (...args: never[]) => WasmModule;
  readonly RuntimeError: abstract new (...args: never[]) => Error;
  compile(bytes: ArrayBuffer | ArrayBufferView): Promise<WasmModule>;
  instantiate(
    module: WasmModule,
    imports: Record<string, Record<string, WasmFunction>>,
  ): Promise<{ readonly exports: Record<string, unknown> }>;
}

/** Functions of the import module `env`. */
export type WasmImports = Record<string, WasmFunction>;

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: WebAssemblyApi }).WebAssembly;
