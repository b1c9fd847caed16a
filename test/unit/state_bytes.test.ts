/** What live entities take of the budget is what `docs/architecture.md` says. */
import { describe, expect, it } from 'vitest';
import { stateBytesWork } from '../../bench/state_bytes.js';
import { createCorrelator, startCorrelator } from '../../src/correlator/correlator.js';
import { lineage, plain, stateful } from '../support/correlator_rules.js';

describe('the bytes of state', () => {
  it('are at most 64 a process and 32 a term, indexes included, where all are live and none is lost', async () => {
    const options = { seed: 1, hosts: 50, eventsPerSlice: 0, slices: 4, warmupSlices: 0, terms: 40_000 };
    const work = await stateBytesWork(options);
    for (let slice = 0; slice < work.slices; slice++) await work.run(slice);
    const told = /^40,000 live processes at ([\d.]+) bytes.*; 40,000 live terms at ([\d.]+) bytes.*; 0 losses$/;
    const [processBytes, termBytes] = told.exec(work.summary())?.slice(1).map(Number) ?? [];
    expect(processBytes).toBeLessThanOrEqual(64);
    expect(termBytes).toBeLessThanOrEqual(32);
    await work.close?.();
  });

  it.each(['32MiB', '128MiB', '512MiB'])('of processes stay within their part of a budget of %s', async (memory) => {
    const part = await startCorrelator({ rules: [lineage], memory }, {});
    const { processBytes } = part.kernel.counts();
    const { tables } = part.stats().memory;
    // The least set of marks is the same for all budgets: 22 KiB.
    expect(processBytes).toBeLessThanOrEqual((tables.find(({ name }) => name === 'processes')?.bytes ?? 0) + 24 * 1024);
    part.close();
  });

  it('are told table by table, and sum up to no more than the budget', async () => {
    const memory = 64 * 2 ** 20;
    const correlator = await createCorrelator({ rules: [plain, lineage, ...stateful], memory });
    const { tables } = correlator.stats().memory;
    expect(tables.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['sequences', 'terms', 'windows', 'samples', 'temporal', 'state', 'processes']),
    );
    expect(tables.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(memory);
    correlator.close();
  });
});
