/** What the predicates of a program ask of JavaScript: regular expressions and Unicode case folding. */
import { HostFunctionRecord, TextSpace } from '../core/abi/predicates.js';
import { Section } from '../core/abi/program.js';
import { pathKey, platforms } from '../core/paths.js';
import { compileRegex } from '../rule/regex.js';
import { fold } from '../rule/semantics.js';

/** Reads `Section.HostFunctions`: one test of a text for each function, by index. */
export function hostFunctionsOf(sections: ReadonlyMap<Section, Uint8Array>): ((text: string) => boolean)[] {
  const section = sections.get(Section.HostFunctions);
  const strings = sections.get(Section.Strings);
  if (section === undefined || strings === undefined) return [];
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const decoder = new TextDecoder();
  return Array.from({ length: view.getUint32(0, true) }, (_, index) => {
    const at = 4 + index * HostFunctionRecord.Bytes;
    const offset = view.getUint32(at + HostFunctionRecord.TextOffset, true);
    const length = view.getUint32(at + HostFunctionRecord.TextLength, true);
    const patterns = JSON.parse(decoder.decode(strings.subarray(offset, offset + length))) as string[];
    const space: TextSpace = view.getUint32(at + HostFunctionRecord.Space, true);
    const isFull = view.getUint32(at + HostFunctionRecord.IsFull, true) === 1;
    return compileRegex({
      patterns,
      case: space === TextSpace.Exact ? 'exact' : space === TextSpace.Ascii ? 'ascii' : 'unicode',
      anchor: isFull ? 'full' : 'partial',
    });
  });
}

/** The kernel's imports for a program. `memory` is asked for at each call, so it may grow. */
export function predicateImports(
  sections: ReadonlyMap<Section, Uint8Array>,
  memory: () => { readonly buffer: ArrayBufferLike },
): {
  host_call: (index: number, pointer: number, length: number) => number;
  fold_text: (pointer: number, length: number, target: number, capacity: number) => number;
  path_key: (pointer: number, length: number, target: number, capacity: number, platform: number) => number;
} {
  const functions = hostFunctionsOf(sections);
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const textAt = (pointer: number, length: number): string =>
    decoder.decode(new Uint8Array(memory().buffer, pointer >>> 0, length));
  return {
    host_call: (index, pointer, length) => (functions[index]?.(textAt(pointer, length)) === true ? 1 : 0),
    fold_text: (pointer, length, target, capacity) => {
      const folded = fold(textAt(pointer, length), 'unicode');
      return encoder.encodeInto(folded, new Uint8Array(memory().buffer, target >>> 0, capacity)).written;
    },
    path_key: (pointer, length, target, capacity, platform) => {
      const key = pathKey(textAt(pointer, length), platforms[platform] ?? 'linux');
      return encoder.encodeInto(key, new Uint8Array(memory().buffer, target >>> 0, capacity)).written;
    },
  };
}
