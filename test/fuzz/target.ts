/** What can be fuzzed: an input made from random numbers, and a check that throws when a promise is broken. */
import type { Random } from './random.js';

export interface FuzzTarget {
  readonly name: string;
  generate(random: Random): Uint8Array;
  /** Throws, or rejects, when the input breaks a promise. */
  check(input: Uint8Array): void | Promise<void>;
}

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A promise the input broke. */
export class BrokenPromise extends Error {}

export function promise(condition: boolean, what: string): void {
  if (!condition) throw new BrokenPromise(what);
}
