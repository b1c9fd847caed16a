/** The process table is shared by hosts: those that are gone make room, and one that floods makes room for itself. */
import { describe, expect, it } from 'vitest';
import { type Correlator, createCorrelator } from '../../src/correlator/correlator.js';
import { shippedRule } from '../support/content.js';

const startMs = Date.UTC(2026, 0, 1);

/** `count` processes of a host, one a second from `fromMs` on. */
function starts(host: string, count: number, fromMs: number): object[] {
  return Array.from({ length: count }, (_, index) => ({
    '@timestamp': new Date(fromMs + index * 1000).toISOString(),
    event: { category: 'process', type: 'start', action: 'exec' },
    host: { id: host, os: { type: 'macos' } },
    process: { entity_id: `${host}-${index}`, pid: index + 2, executable: '/bin/zsh', name: 'zsh' },
  }));
}

const evictedOf = (correlator: Correlator, host: string): number =>
  correlator
    .stats()
    .losses.filter((loss) => loss.reason === 'process_evicted' && loss.host === host)
    .reduce((sum, { count }) => sum + count, 0);

/** A correlator whose process table is full of hosts with five processes each, and how many records it has. */
async function fullTable() {
  const correlator = await createCorrelator({ rules: [shippedRule('AN0173')], memory: '16MiB' });
  const capacity = correlator.stats().memory.tables.find(({ name }) => name === 'processes')?.capacity ?? 0;
  const hosts = Math.ceil(capacity / 5);
  for (let host = 0; host < hosts; host++) correlator.push(starts(`gone-${host}`, 5, startMs + host * 100));
  return { correlator, capacity };
}

describe('a full process table', () => {
  it('takes from hosts without events for an hour what a host that comes needs', async () => {
    const { correlator, capacity } = await fullTable();
    const count = Math.floor(capacity / 8);
    correlator.push(starts('new', count, startMs + 3 * 3_600_000));
    expect(evictedOf(correlator, 'new')).toBe(0);
    expect(evictedOf(correlator, 'gone-0')).toBeGreaterThan(0);
  });

  it('lets a host that floods make room for itself', async () => {
    const { correlator, capacity } = await fullTable();
    correlator.push(starts('flood', capacity, startMs + 3 * 3_600_000));
    expect(evictedOf(correlator, 'flood')).toBeGreaterThan(capacity / 2);
  });

  it('keeps what hosts hold that were active within the hour', async () => {
    const { correlator, capacity } = await fullTable();
    correlator.push(starts('new', Math.floor(capacity / 8), startMs + 1_800_000));
    expect(evictedOf(correlator, 'gone-0')).toBe(0);
  });
});
