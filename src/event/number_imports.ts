/** What the kernel asks JavaScript for: exact conversions between numbers and their text. */

/** The two imports of the kernel's `env`. `memory` is asked for at each call, so it may grow. */
export function numberImports(memory: () => { readonly buffer: ArrayBufferLike }): {
  number_parse: (pointer: number, length: number) => number;
  number_format: (value: number, target: number) => number;
} {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  return {
    number_parse: (pointer, length) => Number(decoder.decode(new Uint8Array(memory().buffer, pointer >>> 0, length))),
    number_format: (value, target) =>
      encoder.encodeInto(String(value), new Uint8Array(memory().buffer, target >>> 0, 32)).written,
  };
}
