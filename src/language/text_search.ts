/**
 * Words in prose fields, as Elasticsearch's standard analyzer finds them, written as RE2 patterns.
 *
 * A word is a run of letters, digits and `_`; a single `.`, `'`, `’` or `:` between two letters, and a single `.`, `,`,
 * `'` or `;` between two digits, does not end it (`System.Net` and `1.5` are one word each). Case does not count.
 */

import { escapeRegex, type Glob } from './glob.js';

const letterJoiners = ".'’:";
const digitJoiners = ".,';";
const word = /[\p{L}\p{M}\p{N}_]+/gu;
const inWord = '\\p{L}\\p{M}\\p{N}_';

/** The words of a text, in order, as written. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let end = -1;
  for (const match of text.matchAll(word)) {
    const joined = match.index === end + 1 && joins(text, end);
    if (joined) words.push(`${words.pop()}${text[end]}${match[0]}`);
    else words.push(match[0]);
    end = match.index + match[0].length;
  }
  return words;
}

function joins(text: string, at: number): boolean {
  const before = text[at - 1] as string;
  const after = text[at + 1] as string;
  const isDigit = /\p{N}/u;
  if (isDigit.test(before) && isDigit.test(after)) return digitJoiners.includes(text[at] as string);
  return !isDigit.test(before) && !isDigit.test(after) && letterJoiners.includes(text[at] as string);
}

/** Matches, anywhere in a value, the words in this order with nothing but separators between them. */
export function phrasePattern(words: readonly string[]): string {
  const inner = words.map(escapeRegex).join(`(?:[^${inWord}.'’:,;]|[^${inWord}]{2,})`);
  return `${boundaryBefore(words[0] as string)}${inner}${boundaryAfter(words.at(-1) as string)}`;
}

/** Matches, anywhere in a value, a word that satisfies a pattern whose texts are all parts of words. */
export function wordWildcardPattern(glob: Glob): string {
  const first = glob[0];
  const last = glob.at(-1);
  const before = first?.kind === 'text' ? boundaryBefore(first.text) : '';
  const after = last?.kind === 'text' ? boundaryAfter(last.text) : '';
  const wordCharacter = `[${inWord}.'’:,;]`;
  const inner = glob.map((part) => {
    if (part.kind === 'text') return escapeRegex(part.text);
    return part.kind === 'run' ? `${wordCharacter}*` : wordCharacter;
  });
  return `${before}${inner.join('')}${after}`;
}

/** Whether a text could be part of one word. */
export function isWordText(text: string): boolean {
  return text === '' || wordsOf(text).join('') === text;
}

function boundaryBefore(text: string): string {
  const { joiners, kind } = joinersFor([...text][0] as string);
  return `(?:^|[^${inWord}${joiners}]|(?:^|[^${kind}])[${joiners}])`;
}

function boundaryAfter(text: string): string {
  const { joiners, kind } = joinersFor([...text].at(-1) as string);
  return `(?:$|[^${inWord}${joiners}]|[${joiners}](?:$|[^${kind}]))`;
}

function joinersFor(character: string): { joiners: string; kind: string } {
  return /\p{N}/u.test(character)
    ? { joiners: digitJoiners, kind: '\\p{N}' }
    : { joiners: letterJoiners, kind: '\\p{L}\\p{M}_' };
}
