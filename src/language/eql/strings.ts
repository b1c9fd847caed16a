import type { Span } from '../../core/diagnostic.js';

const simpleEscapes: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  '"': '"',
  "'": "'",
  '\\': '\\',
};

export interface ScannedString {
  /** Where the text after the closing quote begins; undefined when the string is not closed on its line. */
  readonly end: number | undefined;
  readonly value: string;
  /** Escape sequences that the dialect does not know. */
  readonly faults: readonly Span[];
}

/** Reads a string with escapes from its opening quote. `\u{…}` takes two to eight hex digits, not in the legacy syntax. */
export function scanEscaped(text: string, start: number, legacySyntax: boolean): ScannedString {
  const quote = text[start];
  const faults: Span[] = [];
  let value = '';
  let at = start + 1;
  const plain = quote === '"' ? /[^"\\\r\n]*/y : /[^'\\\r\n]*/y;
  for (;;) {
    plain.lastIndex = at;
    const run = plain.exec(text)?.[0] ?? '';
    value += run;
    at += run.length;
    if (at >= text.length) break;
    const c = text[at];
    if (c === quote) return { end: at + 1, value, faults };
    if (c !== '\\') break;
    const escaped = readEscape(text, at, legacySyntax);
    if (escaped.value === undefined) faults.push({ start: at, end: escaped.end });
    else value += escaped.value;
    at = escaped.end;
  }
  return { end: undefined, value, faults };
}

function readEscape(text: string, at: number, legacySyntax: boolean): { value: string | undefined; end: number } {
  const letter = text[at + 1] ?? '';
  const simple = simpleEscapes[letter];
  if (simple !== undefined) return { value: simple, end: at + 2 };
  const pattern = /\\u\{([0-9a-fA-F]{2,8})\}/y;
  pattern.lastIndex = at;
  const unicode = legacySyntax ? null : pattern.exec(text);
  if (unicode !== null) {
    const code = Number.parseInt(unicode[1] as string, 16);
    const isScalar = code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return { value: isScalar ? String.fromCodePoint(code) : undefined, end: at + unicode[0].length };
  }
  return { value: undefined, end: /[\r\n]/.test(letter) || letter === '' ? at + 1 : at + 2 };
}

/** Reads a raw string of the legacy syntax from its opening quote; only the quote itself can be escaped. */
export function scanRaw(text: string, start: number): { end: number; value: string } | undefined {
  const quote = text[start] as string;
  let value = '';
  for (let at = start + 1; at < text.length; at++) {
    const c = text[at] as string;
    if (c === quote) return { end: at + 1, value };
    if (c === '\r' || c === '\n') return undefined;
    if (c === '\\' && text[at + 1] === quote) {
      value += quote;
      at++;
    } else value += c;
  }
  return undefined;
}

/** The end of a `"""` string that starts at `start`, or undefined. Up to two quotes before the closing three belong to it. */
export function scanTripleQuoted(text: string, start: number): number | undefined {
  const pattern = /"""[^\r\n]*?"""("{0,2})/y;
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  return match === null ? undefined : start + match[0].length;
}
