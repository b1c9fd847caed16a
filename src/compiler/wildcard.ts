/** Wildcard patterns on the compiler's side: their plainest equivalent, their bytes, their literal runs. */
import { WildcardByte } from '../core/abi/predicates.js';
import type { TextPattern } from '../rule/ir.js';

const encoder = new TextEncoder();

/** The UTF-8 bytes of a text. Most are short and ASCII, which costs less to write here than to have encoded. */
export function utf8Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) return encoder.encode(text);
    bytes[at] = unit;
  }
  return bytes;
}

/** A wildcard's UTF-8 bytes, with bytes that UTF-8 never has in place of `*` and `?`; runs of `*` are one. */
export function wildcardBytes(text: string): Uint8Array {
  const bytes = utf8Bytes(text.includes('**') ? text.replace(/\*+/g, '*') : text);
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x2a) bytes[at] = WildcardByte.AnyRun;
    else if (bytes[at] === 0x3f) bytes[at] = WildcardByte.AnyOne;
  }
  return bytes;
}

/** The plainest pattern that means the same: `*x*` is `contains x`. */
export function simplifyPattern(pattern: TextPattern): TextPattern {
  if (pattern.type !== 'wildcard') return pattern;
  const text = pattern.text.includes('**') ? pattern.text.replace(/\*+/g, '*') : pattern.text;
  if (text === '*') return { type: 'contains', text: '' };
  const opens = text.startsWith('*');
  const closes = text.endsWith('*');
  const literal = text.slice(opens ? 1 : 0, closes ? -1 : text.length);
  if (literal.includes('*') || literal.includes('?')) return { type: 'wildcard', text };
  if (opens) return { type: closes ? 'contains' : 'suffix', text: literal };
  return { type: closes ? 'prefix' : 'equals', text: literal };
}

/** True when every value satisfies the pattern. */
export function matchesAll(pattern: TextPattern): boolean {
  return pattern.type !== 'equals' && pattern.type !== 'wildcard' && pattern.text === '';
}

/** A literal run of a pattern's bytes. */
export interface LiteralRun {
  readonly start: number;
  readonly length: number;
}

/** The runs of bytes between wildcards. */
export function literalRuns(bytes: Uint8Array): LiteralRun[] {
  const runs: LiteralRun[] = [];
  let start = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== undefined && byte !== WildcardByte.AnyRun && byte !== WildcardByte.AnyOne) continue;
    if (at > start) runs.push({ start, length: at - start });
    start = at + 1;
  }
  return runs;
}
