/** Cutting NDJSON at line ends. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineJoiner, sliceLines } from '../../src/event/ndjson.js';

const text = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 60 });
const encode = (value: string): Uint8Array => new TextEncoder().encode(value);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('sliceLines', () => {
  it('covers the bytes in slices of whole lines within the capacity, or single lines that are longer', () => {
    const property = fc.property(text, fc.integer({ min: 1, max: 20 }), (value, capacity) => {
      const slices = [...sliceLines(encode(value), capacity)];
      const parts = slices.map(({ start, end }) => value.slice(start, end));
      expect(parts.join('')).toBe(value);
      for (const [i, part] of parts.entries()) {
        if (i < parts.length - 1) expect(part.endsWith('\n')).toBe(true);
        if (slices[i]?.isTooLong) expect(part.slice(0, -1)).not.toContain('\n');
        else expect(part.length).toBeLessThanOrEqual(capacity);
      }
    });
    fc.assert(property, { numRuns: 500, seed: 5 });
  });
});

describe('LineJoiner', () => {
  it('gives the stream back in pieces that end with a line', () => {
    const property = fc.property(fc.array(text, { maxLength: 8 }), (chunks) => {
      const joiner = new LineJoiner();
      const pieces = chunks.map((chunk) => decode(joiner.push(encode(chunk))));
      for (const piece of pieces) expect(piece === '' || piece.endsWith('\n')).toBe(true);
      expect(pieces.join('') + decode(joiner.finish())).toBe(chunks.join(''));
    });
    fc.assert(property, { numRuns: 500, seed: 6 });
  });
});
