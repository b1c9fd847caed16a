/** The fuzz targets on a fixed seed, so that they cannot rot; `npm run fuzz` runs them for as long as one likes. */
import { describe, expect, it } from 'vitest';
import { fuzzLoop } from './loop.js';
import { targets } from './targets.js';

describe('fuzzing', () => {
  it.each(targets)('$name keeps its promises', async (target) => {
    let left = 40;
    const isOver = (): boolean => left-- === 0;
    const outcome = await fuzzLoop({ targets: [target], seed: 1, from: 0, isOver, onStart: () => {} });
    expect(outcome.failure).toBeUndefined();
  });
});
