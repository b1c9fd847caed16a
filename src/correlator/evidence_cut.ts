/** Values of evidence as alerts show them: the kernel keeps those that later steps of a sequence read longer than asked. */
import type { EvidenceValue } from './behavior/witness.js';

const encoder = new TextEncoder();

/** The value cut to `bytes` of UTF-8, a list as a whole; the very same value where it is short enough. */
export function cutValue(value: EvidenceValue, bytes: number): EvidenceValue {
  if (typeof value === 'string') return cutText(value, bytes);
  if (typeof value !== 'object') return value;
  const items: (string | number | boolean)[] = [];
  let left = bytes;
  for (const item of value) {
    const kept = typeof item === 'string' ? cutText(item, Math.max(0, left)) : item;
    left -= String(item).length;
    items.push(kept);
    if (left < 0 || kept !== item) return items;
  }
  return value;
}

function cutText(text: string, bytes: number): string {
  // A UTF-16 unit takes at most three bytes.
  if (text.length * 3 <= bytes) return text;
  const { read } = encoder.encodeInto(text, new Uint8Array(bytes));
  return read === text.length ? text : text.slice(0, read);
}
