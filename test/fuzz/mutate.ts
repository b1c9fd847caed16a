/** Damages texts and bytes in the ways that break parsers. */
import type { Random } from './random.js';

const oddTexts = [
  '"',
  "'",
  '"""',
  '\\',
  '\\u',
  '\\ud800',
  '\u0000',
  '\u202e',
  '\ufeff',
  '\ud83d',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '![',
  '*',
  '?',
  '$x',
  '`',
  '/*',
  '//',
  '|',
  ',',
  ':',
  '::',
  '..',
  '-',
  '--1',
  '0x',
  '1e999',
  '99999999999999999999',
  '.5',
  'not not not not',
  'null',
  'true',
  'sequence by a',
  'until [',
  'with maxspan=0s',
  'with runs=4294967296',
  'descendant of [',
  '\n',
  '\r\n',
  '\t',
  'é',
  '\u{10ffff}',
  '((((((((((',
  '[[[[[[[[[[',
  '{"a":{"a":{"a":',
];

/** One to eight edits: cut, repeat, swap, insert, or splice with another text. */
export function mutateText(random: Random, text: string, others: readonly string[]): string {
  let mutated = text;
  for (let edits = 1 + random.below(8); edits > 0; edits--) mutated = editText(random, mutated, others);
  return mutated.slice(0, 20_000);
}

function editText(random: Random, text: string, others: readonly string[]): string {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + random.below(1 + random.pick([4, 40, text.length + 1])));
  switch (random.below(6)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, end) + text.slice(at, end).repeat(1 + random.below(random.pick([2, 200]))) + text.slice(end);
    case 2:
      return text.slice(0, at) + random.pick(oddTexts) + text.slice(at);
    case 3:
      return text.slice(0, at) + String.fromCharCode(random.below(random.pick([128, 65_536]))) + text.slice(at + 1);
    case 4: {
      const other = random.pick(others);
      const from = random.below(other.length + 1);
      return text.slice(0, at) + other.slice(from, from + random.below(80)) + text.slice(at);
    }
    default:
      return text.slice(0, at) + text.slice(at, end).split('').reverse().join('') + text.slice(end);
  }
}

const oddWords = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];

/** One to sixteen edits: bit flips, odd words, cuts, copies, and a changed end. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let mutated: Uint8Array = Uint8Array.from(bytes);
  for (let edits = 1 + random.below(16); edits > 0 && mutated.length > 0; edits--) mutated = editBytes(random, mutated);
  return mutated;
}

function editBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length);
  const length = Math.min(bytes.length - at, random.below(random.pick([4, 64, bytes.length + 1])));
  switch (random.below(7)) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      return bytes;
    case 1:
      bytes[at] = random.below(256);
      return bytes;
    case 2: {
      const word = random.pick(oddWords);
      const aligned = at & ~3;
      for (let i = 0; i < 4 && aligned + i < bytes.length; i++) bytes[aligned + i] = (word >>> (8 * i)) & 0xff;
      return bytes;
    }
    case 3:
      return bytes.slice(0, bytes.length - length);
    case 4:
      bytes.copyWithin(random.below(bytes.length), at, at + length);
      return bytes;
    case 5:
      bytes.fill(random.pick([0, 0xff]), at, at + length);
      return bytes;
    default:
      return Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
  }
}
