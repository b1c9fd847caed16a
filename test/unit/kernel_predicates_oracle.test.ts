/**
 * Generated conditions over generated events: the kernel and the oracle agree on every pair. Hundreds of conditions are
 * loaded together, so that they share atoms, truth sets and candidate lists.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateTruth } from '../oracle/evaluate.js';
import { condition, eventStream, type Source } from '../support/generators.js';
import { matchRule, PredicateKernel, type PredicateKernelOptions } from '../support/predicate_kernel.js';

const seed = Number(process.env.VEDETTE_SEED ?? 20_260_102);
const conditions = fc.sample(condition, { seed, numRuns: 300 });
const events: readonly Source[] = fc.sample(eventStream(), { seed, numRuns: 12 }).flat();

function expected(event: Source): number[] {
  const context = {
    event: { ordinal: 0, timeUs: 0, tiebreak: undefined, host: 'h', source: event },
    categoryField: 'event.category',
    lineage: () => false,
    elements: [],
  };
  return conditions.flatMap((expr, index) => (evaluateTruth(expr, context) === true ? [index] : []));
}

async function compareAll(options: PredicateKernelOptions): Promise<void> {
  const kernel = await PredicateKernel.create(
    conditions.map((expr, index) => matchRule(expr, index)),
    options,
  );
  for (const event of events) {
    const found = new Set(kernel.match(event));
    const wanted = new Set(expected(event));
    const wrong = conditions.flatMap((expr, index) =>
      found.has(index) === wanted.has(index) ? [] : [{ expr: JSON.stringify(expr), kernel: found.has(index) }],
    );
    expect(wrong, JSON.stringify(event)).toEqual([]);
  }
}

describe('generated conditions', () => {
  it('are decided as the oracle decides them', () => compareAll({}));
  it('are decided so without candidate lists', () => compareAll({ prefilter: 'off' }));
  it('are decided so when no truth set can be kept', () => compareAll({ truthBytes: 1 }));
});
