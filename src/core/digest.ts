/** A stable 128-bit digest of text, for identities that must be equal in every replay. Not cryptographic. */

/** Digest of the parts in order, as 32 hexadecimal digits. Parts are told apart: `['ab']` and `['a', 'b']` differ. */
export function digest(...parts: readonly string[]): string {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = 0xdeadbeef;
  const mix = (unit: number): void => {
    a = Math.imul(a ^ unit, 0x85ebca6b);
    b = Math.imul(b ^ unit ^ (a >>> 15), 0xc2b2ae35);
    c = Math.imul(c ^ unit ^ (b >>> 13), 0x27d4eb2f);
    d = Math.imul(d ^ unit ^ (c >>> 16), 0x165667b1);
  };
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) mix(part.charCodeAt(i));
    mix(0x10000 + part.length);
  }
  for (let i = 0; i < 4; i++) {
    mix(0x20000 + i);
    a ^= d >>> 14;
  }
  return [a, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}
