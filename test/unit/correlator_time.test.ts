/** Event time: order within the lateness, late rows, times far ahead, advance and flush. */
import { describe, expect, it } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import type { Expr, MatchRule, SequenceRule } from '../../src/rule/ir.js';

const is = (name: string, text: string): Expr => ({
  kind: 'match',
  value: { kind: 'field', name },
  patterns: [{ type: 'equals', text }],
  case: 'exact',
});

const base = { name: 'r', severity: 'medium', riskScore: 50, threat: [] } as const;
const any: MatchRule = { ...base, kind: 'match', id: 'any', query: { category: null, condition: is('kind', 'x') } };
const pair: SequenceRule = {
  ...base,
  kind: 'sequence',
  id: 'pair',
  maxspanUs: 10_000_000,
  steps: ['a', 'b'].map((kind) => ({
    query: { category: null, condition: is('kind', kind) },
    by: [{ kind: 'field', name: 'host.id' }],
    missing: false,
    runs: 1,
  })),
};

const at = (second: number, kind: string, host = 'h', id = `${host}${second}${kind}`) => ({
  '@timestamp': 1_767_225_600_000 + second * 1000,
  host: { id: host },
  event: { id },
  kind,
});

const create = (options: Partial<CorrelatorOptions> = {}) =>
  createCorrelator({ rules: [any, pair], lateness: '0s', memory: '16MiB', ...options });

const evidence = (alerts: readonly { readonly evidence: readonly object[] }[]) =>
  alerts.map((alert) => alert.evidence.map((entry) => ('eventId' in entry ? entry.eventId : '-')).join(' '));

describe('without lateness', () => {
  it('a row is judged as it is pushed, and one out of order is counted late', async () => {
    const correlator = await create();
    expect(evidence(correlator.push([at(10, 'x')]))).toEqual(['h10x']);
    expect(evidence(correlator.push([at(5, 'x')]))).toEqual(['h5x']);
    expect(correlator.stats().rows.late).toBe(1);
    expect(correlator.stats().losses).toEqual([{ reason: 'late', rule: null, host: 'h', count: 1 }]);
  });
});

describe('within the lateness', () => {
  it('rows are judged in order of time, whatever order they came in', async () => {
    const correlator = await create({ lateness: '30s' });
    const alerts = correlator.push([at(8, 'b'), at(3, 'a'), at(20, 'x')]);
    expect(alerts).toEqual([]);
    expect(correlator.stats().rows.held).toBe(3);
    expect(evidence(correlator.flush())).toEqual(['h3a h8b', 'h20x']);
    expect(correlator.stats().rows).toMatchObject({ late: 0, held: 0 });
  });

  it('stats tell the newest event, and the watermark that lies behind it by the lateness', async () => {
    const correlator = await create({ lateness: '30s' });
    expect(correlator.stats()).toMatchObject({ newestUs: null, watermarkUs: null });
    correlator.push([at(8, 'b'), at(20, 'x')]);
    const { newestUs, watermarkUs } = correlator.stats();
    expect((newestUs ?? 0) - (watermarkUs ?? 0)).toBe(30_000_000);
  });

  it('a row waits while another of its very time may come, and is judged once none can', async () => {
    const correlator = await create({ lateness: '10s' });
    expect(correlator.push([at(0, 'x'), at(10, 'y')])).toEqual([]);
    expect(evidence(correlator.push([at(11, 'y')]))).toEqual(['h0x']);
  });

  it('hosts do not wait for one another', async () => {
    const correlator = await create({ lateness: '10s' });
    correlator.push([at(0, 'x', 'slow')]);
    expect(evidence(correlator.push([at(0, 'x', 'fast'), at(60, 'y', 'fast')]))).toEqual(['fast0x']);
  });

  it('equal times are ordered by the tiebreaker', async () => {
    const correlator = await create({ lateness: '10s' });
    const tied = (kind: string, sequence: number) => ({ ...at(1, kind), event: { id: kind, sequence } });
    correlator.push([tied('b', 2), tied('a', 1)]);
    expect(evidence(correlator.flush())).toEqual(['a b']);
  });
});

describe('a time far ahead', () => {
  it('waits, moves nothing, and is judged at the end', async () => {
    const correlator = await create();
    correlator.push([at(0, 'a'), { ...at(1, 'x'), '@timestamp': '2099-01-01T00:00:00Z' }]);
    expect(evidence(correlator.push([at(5, 'b')]))).toEqual(['h0a h5b']);
    expect(correlator.stats().rows).toMatchObject({ future: 1, late: 0 });
    expect(evidence(correlator.flush())).toEqual(['h1x']);
  });

  it('is believed when a second event agrees, and both are judged in order', async () => {
    const correlator = await create();
    const day = 86_400;
    correlator.push([at(0, 'y'), at(3 * day + 1, 'a')]);
    expect(evidence(correlator.push([at(3 * day + 5, 'b')]))).toEqual([`h${3 * day + 1}a h${3 * day + 5}b`]);
    expect(correlator.stats().rows.late).toBe(0);
  });

  it('is reached by advance', async () => {
    const correlator = await create();
    correlator.push([at(0, 'y'), at(3 * 86_400, 'x')]);
    expect(evidence(correlator.advance('2026-02-01T00:00:00Z'))).toEqual([`h${3 * 86_400}x`]);
  });
});

describe('advance', () => {
  it('judges what is held before that time and makes earlier rows late', async () => {
    const correlator = await create({ lateness: '60s' });
    correlator.push([at(0, 'x'), at(10, 'x')]);
    expect(evidence(correlator.advance('2026-01-01T00:00:10Z'))).toEqual(['h0x']);
    expect(evidence(correlator.push([at(9, 'x')]))).toEqual(['h9x']);
    expect(correlator.stats().rows.late).toBe(1);
  });

  it('refuses what is no time', async () => {
    const correlator = await create();
    expect(() => correlator.advance('tomorrow')).toThrow(/is not a time/);
  });
});

describe('misuse', () => {
  it('is refused by name: push after flush, anything after close', async () => {
    const correlator = await create();
    correlator.flush();
    expect(() => correlator.push([])).toThrow(expect.objectContaining({ code: 'USAGE_FLUSHED' }));
    expect(correlator.flush()).toEqual([]);
    correlator.close();
    expect(() => correlator.stats()).toThrow(expect.objectContaining({ code: 'USAGE_CLOSED' }));
  });

  it('too little memory names the bytes needed, and that many are enough', async () => {
    const error = await create({ memory: '1MiB' }).catch((reason: Error) => reason);
    const bytes = Number(/at least (\d+)/.exec((error as Error).message)?.[1]);
    expect(bytes).toBeGreaterThan(1024 * 1024);
    const correlator = await create({ memory: bytes });
    expect(correlator.stats().memory.usedBytes).toBeLessThanOrEqual(bytes);
  });

  it('no kernel takes more than its budget', async () => {
    for (const memory of ['8MiB', '16MiB', '64MiB', '200MiB']) {
      const { usedBytes, budgetBytes } = (await create({ memory })).stats().memory;
      expect(usedBytes).toBeLessThanOrEqual(budgetBytes);
    }
  });
});

describe('a full row store', () => {
  it('judges the oldest held rows early, and counts them', async () => {
    const correlator = await create({ lateness: '1d', memory: '8MiB' });
    const rows = Array.from({ length: 40_000 }, (_, index) => at(index, 'x', `h${index % 3}`));
    const alerts = correlator.push(rows);
    const early = correlator.stats().losses.filter((loss) => loss.reason === 'row_store_full');
    expect(alerts.length).toBeGreaterThan(0);
    expect(early.reduce((sum, loss) => sum + loss.count, 0)).toBe(alerts.length);
    expect(alerts.length + correlator.flush().length).toBe(40_000);
  });
});
