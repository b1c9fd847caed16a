/** The bench lanes run, and those that judge the same events find the same. */
import { describe, expect, it } from 'vitest';
import { type LaneOptions, measureLanes } from '../../bench/lane.js';
import { lanes } from '../../bench/lanes.js';

const options: LaneOptions = { seed: 1, hosts: 20, eventsPerSlice: 500, slices: 4, warmupSlices: 2, terms: 2_000 };
const inProcess = ['json-parse', 'plain-js', 'ndjson', 'kernel-batch', 'kernel-delta'];

async function measure(names: readonly string[]) {
  const asked = lanes.filter(({ name }) => names.includes(name));
  const results = [];
  for await (const result of measureLanes(asked, options)) results.push(result);
  return results;
}

describe('bench lanes', () => {
  it('that take turns measure all slices but those that warm up', async () => {
    const results = await measure(inProcess);
    expect(results.map(({ lane }) => lane)).toEqual(inProcess);
    for (const result of results) {
      expect(result).toMatchObject({ events: 1_000, seed: 1, node: process.version });
      const { median, min, max } = result.eventsPerSecond;
      expect(min).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(min);
      expect(max).toBeGreaterThanOrEqual(median);
    }
  });

  it('give the same alerts and losses from lines, self-contained batches and session batches', async () => {
    const [lines, batches, sessions] = await measure(['ndjson', 'kernel-batch', 'kernel-delta']);
    expect(batches?.summary).toBe(lines?.summary);
    expect(sessions?.summary).toBe(lines?.summary);
  });
});
