/** The bench lanes run, and those that judge the same events find the same. */
import { describe, expect, it } from 'vitest';
import { type LaneOptions, measureLane } from '../../bench/lane.js';
import { lanes } from '../../bench/lanes.js';

const options: LaneOptions = { seed: 1, hosts: 20, eventsPerSlice: 500, slices: 4, terms: 2_000 };
const inProcess = ['json-parse', 'plain-js', 'kernel-batch', 'kernel-delta', 'ndjson'];

async function measure(name: string) {
  const lane = lanes.find((candidate) => candidate.name === name);
  if (lane === undefined) throw new Error(`there is no lane ${name}`);
  return measureLane(lane, options);
}

describe('bench lanes', () => {
  it.each(inProcess)('%s measures all slices but those that warm up', async (name) => {
    const result = await measure(name);
    expect(result).toMatchObject({ lane: name, events: 1_000, seed: 1, node: process.version });
    const { median, min, max } = result.eventsPerSecond;
    expect(min).toBeGreaterThan(0);
    expect(median).toBeGreaterThanOrEqual(min);
    expect(max).toBeGreaterThanOrEqual(median);
  });

  it('give the same alerts and losses from lines, self-contained batches and session batches', async () => {
    const [lines, batches, sessions] = await Promise.all(['ndjson', 'kernel-batch', 'kernel-delta'].map(measure));
    expect(batches?.summary).toBe(lines?.summary);
    expect(sessions?.summary).toBe(lines?.summary);
  });
});
