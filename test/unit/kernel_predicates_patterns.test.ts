/**
 * Thousands of generated patterns on one column, tried on generated values: the multi-pattern pass finds exactly the
 * patterns that hold one by one. Small alphabets make near misses, overlaps and repeated grams common.
 */
import { describe, expect, it } from 'vitest';
import type { CaseMode, Expr, TextPattern } from '../../src/rule/ir.js';
import { matchesPattern } from '../../src/rule/semantics.js';
import { matchRule, PredicateKernel } from '../support/predicate_kernel.js';

/** A small deterministic generator (mulberry32). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const alphabets = [
  ['a', 'b'],
  ['a', 'B', 'c', '\\', '.'],
  ['k', 'K', '\u212a', 's', 'ſ', 'é', 'É'],
  ['x', 'ß', 'ẞ', '日', '😀', 'Σ', 'ς', 'σ', 'ı', 'I', 'İ'],
];
const types: readonly TextPattern['type'][] = ['equals', 'prefix', 'suffix', 'contains', 'wildcard'];
const modes: readonly CaseMode[] = ['exact', 'ascii', 'unicode'];

function textOf(random: (below: number) => number, alphabet: readonly string[], longest: number): string {
  return Array.from({ length: random(longest + 1) }, () => alphabet[random(alphabet.length)]).join('');
}

function patternOf(random: (below: number) => number, alphabet: readonly string[]): TextPattern {
  const type = types[random(types.length)] as TextPattern['type'];
  if (type !== 'wildcard') return { type, text: textOf(random, alphabet, random(3) === 0 ? 24 : 8) };
  const parts = Array.from({ length: 1 + random(4) }, () => textOf(random, alphabet, 7));
  const joints = ['*', '*', '*', '?', '??', '*?'];
  let text = random(2) === 0 ? '' : '*';
  for (const part of parts) text += part + (joints[random(joints.length)] as string);
  return { type, text: random(2) === 0 ? text : text.slice(0, -1) };
}

async function compareAll(seed: number, patternCount: number, valueCount: number): Promise<void> {
  const random = generator(seed);
  const tests = Array.from({ length: patternCount }, () => ({
    pattern: patternOf(random, alphabets[random(alphabets.length)] as string[]),
    mode: modes[random(modes.length)] as CaseMode,
  }));
  const conditions = tests.map(
    ({ pattern, mode }): Expr => ({
      kind: 'match',
      value: { kind: 'field', name: 'v' },
      patterns: [pattern],
      case: mode,
    }),
  );
  const kernel = await PredicateKernel.create(conditions.map((expr, index) => matchRule(expr, index)));
  for (let i = 0; i < valueCount; i++) {
    const value = textOf(random, alphabets[random(alphabets.length)] as string[], random(4) === 0 ? 200 : 20);
    const found = kernel.match({ v: value }).map((index) => JSON.stringify(tests[index]));
    const wanted = tests.filter(({ pattern, mode }) => matchesPattern(value, pattern, mode) === true);
    expect(found, JSON.stringify(value)).toEqual(wanted.map((test) => JSON.stringify(test)));
  }
}

describe('many patterns on one column', () => {
  it.each([1, 2, 3, 4])('hold together exactly as they hold alone (seed %i)', (seed) => compareAll(seed, 1000, 100));

  it('take time linear in a value made to repeat their grams', async () => {
    const patterns = Array.from({ length: 50 }, (_, i) => `*aaaaa${'a'.repeat(i)}*b*aaaaac`);
    const kernel = await PredicateKernel.create(
      patterns.map((text, index) =>
        matchRule(
          { kind: 'match', value: { kind: 'field', name: 'v' }, patterns: [{ type: 'wildcard', text }], case: 'ascii' },
          index,
        ),
      ),
    );
    expect(kernel.match({ v: 'a'.repeat(32_000) })).toEqual([]);
    expect(kernel.match({ v: `${'a'.repeat(16_000)}b${'a'.repeat(15_000)}c` })).toHaveLength(50);
  });
});
