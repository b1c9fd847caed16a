/**
 * Stop, snapshot, restore: a stream cut at every place, going on in a new correlator, gives the alerts of the whole.
 */
import { describe, expect, it } from 'vitest';
import { takeWorkload } from '../../bench/workload.js';
import type { Alert } from '../../src/correlator/alert.js';
import { createCorrelator, startCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import { decodeSnapshot, encodeSnapshot } from '../../src/correlator/snapshot.js';
import { loadRules, shippedContent } from '../../src/node.js';
import type { Rule } from '../../src/rule/ir.js';
import { lineage, plain, scheduled, stateful, step, stream } from '../support/correlator_rules.js';

async function whole(options: CorrelatorOptions, events: readonly object[]): Promise<Alert[]> {
  const correlator = await createCorrelator(options);
  return [...correlator.push(events), ...correlator.flush()];
}

async function cutAt(options: CorrelatorOptions, events: readonly object[], cuts: readonly number[]): Promise<Alert[]> {
  let correlator = await createCorrelator(options);
  const alerts: Alert[] = [];
  let from = 0;
  for (const cut of cuts) {
    alerts.push(...correlator.push(events.slice(from, cut)));
    const bytes = correlator.snapshot();
    correlator.close();
    correlator = await createCorrelator(options);
    const report = correlator.restore(bytes);
    expect(report.dropped).toEqual([]);
    from = cut;
  }
  return [...alerts, ...correlator.push(events.slice(from)), ...correlator.flush()];
}

/** The state after `before` written at once, and written later in the smallest pieces while `after` is pushed. */
async function writtenBothWays(options: CorrelatorOptions, before: readonly object[], after: readonly object[]) {
  const part = await startCorrelator(options, { isCopied: true });
  part.push(before);
  const atOnce = part.unsealedSnapshot().slice();
  const job = part.beginSnapshot(new ArrayBuffer(0));
  const rest = [...after];
  let later = job.step(1);
  while (later === undefined || rest.length > 0) {
    part.push(rest.splice(0, 5));
    later = job.step(1);
  }
  const changed = part.unsealedSnapshot().slice();
  part.close();
  return { atOnce, later, changed };
}

const sorted = (alerts: readonly Alert[]) => alerts.map((alert) => JSON.stringify(alert)).sort();

const laws: readonly (readonly [name: string, rules: readonly Rule[], lateness: string])[] = [
  ['match and lineage', [plain, lineage], '0s'],
  ['match and lineage, held', [plain, lineage], '4s'],
  ...stateful.map((rule) => [rule.id, [plain, lineage, rule], '4s'] as const),
  ['scheduled', [scheduled], '4s'],
  ['all rules', [plain, lineage, ...stateful], '0s'],
];

describe('stopping and going on', () => {
  it.each(laws)('changes nothing: %s', async (_, rules, lateness) => {
    const options = { rules, lateness, memory: '16MiB' };
    const events = stream(7, 120);
    const expected = sorted(await whole(options, events));
    expect(expected.length).toBeGreaterThan(0);
    expect(sorted(await cutAt(options, events, [30, 31, 75]))).toEqual(expected);
  });

  it.each(laws)('from what was written while events went on changes nothing: %s', async (_, rules, lateness) => {
    const events = stream(7, 120);
    const options = { rules, lateness, memory: '16MiB' };
    const { atOnce, later, changed } = await writtenBothWays(options, events.slice(0, 60), events.slice(60));
    expect(later).toEqual(atOnce);
    expect(changed).not.toEqual(atOnce);
  });

  it('from what was written while behaviour rules went on judging changes nothing', async () => {
    const { rules } = await loadRules([shippedContent()]);
    const events = takeWorkload({ seed: 5, hosts: 3, pythonShare: 0.5 }, 400);
    const options = { rules, memory: '32MiB' };
    const { atOnce, later, changed } = await writtenBothWays(options, events.slice(0, 200), events.slice(200));
    expect(later).toEqual(atOnce);
    expect(changed).not.toEqual(atOnce);
  });

  it('needs a kernel that shows its variables, as the one of the package does', async () => {
    const part = await startCorrelator({ rules: [plain], memory: '16MiB' }, {});
    expect(await part.kernel.createCopy()).toBeDefined();
  });

  it('keeps alerts that wait for their order, and what pipes and suppression remember', async () => {
    const rule: Rule = {
      ...plain,
      pipes: [{ kind: 'unique', by: [{ kind: 'field', name: 'process.name' }] }],
      suppression: { by: ['user.name'], windowUs: 60_000_000, missingFields: 'suppress' },
    };
    const options = { rules: [rule], lateness: '4s', memory: '16MiB' };
    const events = stream(3, 60);
    expect(sorted(await cutAt(options, events, [10, 30]))).toEqual(sorted(await whole(options, events)));
  });

  it('goes on with the ordinals', async () => {
    const options = { rules: [plain], memory: '16MiB' };
    const first = await createCorrelator(options);
    first.push('not JSON\n{}\n');
    const next = await createCorrelator(options);
    next.restore(first.snapshot());
    const [alert] = next.push([{ '@timestamp': 1, kind: 'a' }]);
    expect(alert?.evidence[0]).toMatchObject({ ordinal: 2 });
  });
});

describe('restoring under other rules', () => {
  const events = stream(5, 40);

  it('keeps the state of unchanged rules and reports the others', async () => {
    const changed: Rule = { ...(stateful[1] as Rule), riskScore: 51 };
    const sequence = stateful[0] as Rule;
    const first = await createCorrelator({ rules: [plain, sequence, stateful[1] as Rule], memory: '16MiB' });
    first.push(events);
    const next = await createCorrelator({
      rules: [lineage, sequence, { ...changed, steps: [step('a'), step('c')] } as Rule],
      memory: '16MiB',
    });
    expect(next.restore(first.snapshot())).toEqual({
      kept: ['sequence'],
      dropped: [
        { rule: 'match', reason: 'the rule is not loaded' },
        { rule: 'forked', reason: 'the rule has changed' },
      ],
      added: ['lineage'],
    });
    const rest = stream(6, 40).map((event, index) => ({ ...event, '@timestamp': 1_767_225_630_000 + index * 700 }));
    const together = await createCorrelator({ rules: [plain, sequence], memory: '16MiB' });
    together.push(events);
    const ofSequence = (alerts: readonly Alert[]) => sorted(alerts.filter(({ rule }) => rule.id === 'sequence'));
    expect(ofSequence(next.push(rest))).toEqual(ofSequence(together.push(rest)));
  });
});

describe('a snapshot that cannot be used', () => {
  it.each([
    ['no snapshot at all', (_: Uint8Array) => new TextEncoder().encode('something else'), 'SNAPSHOT_FORMAT'],
    ['nothing', () => new Uint8Array(0), 'SNAPSHOT_FORMAT'],
    ['cut short', (bytes: Uint8Array) => bytes.slice(0, bytes.length / 2), 'SNAPSHOT_DAMAGED'],
    [
      'with a bit changed',
      (bytes: Uint8Array) => bytes.with(bytes.length - 9, (bytes.at(-9) as number) ^ 1),
      'SNAPSHOT_DAMAGED',
    ],
  ])('%s is refused, and the correlator goes on', async (_, damage, code) => {
    const options = { rules: [plain], memory: '16MiB' };
    const first = await createCorrelator(options);
    first.push(stream(1, 20));
    const next = await createCorrelator(options);
    expect(() => next.restore(damage(first.snapshot()))).toThrow(expect.objectContaining({ code }));
    expect(next.push([{ '@timestamp': 1, kind: 'a' }])).toHaveLength(1);
    expect(() => next.restore(first.snapshot())).toThrow(/restore into a new correlator/);
  });
});

describe('records that lie', () => {
  /** Changes `count` bytes of the records, and makes the container sound again. */
  function forge(bytes: Uint8Array, seed: number, count: number): Uint8Array {
    const snapshot = decodeSnapshot(bytes);
    const records = snapshot.records.slice();
    let state = seed;
    for (let i = 0; i < count; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const at = state % records.length;
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      records[at] = [0, 0xff, state >>> 24, (records[at] as number) ^ (1 << (state >>> 29))][
        (state >>> 8) & 3
      ] as number;
    }
    return encodeSnapshot({ ...snapshot, records });
  }

  it('never trap the kernel, which goes on', async () => {
    const options = { rules: [plain, lineage, ...stateful], lateness: '4s', memory: '12MiB' };
    const first = await createCorrelator(options);
    first.push(stream(9, 120));
    const bytes = first.snapshot();
    const more = stream(10, 60).map((event, index) => ({ ...event, '@timestamp': 1_767_225_690_000 + index * 500 }));
    for (let seed = 1; seed <= 150; seed++) {
      const next = await createCorrelator(options);
      next.restore(forge(bytes, seed, 1 + (seed % 12)));
      next.push(more);
      next.snapshot();
      next.flush();
      next.close();
    }
  });
});
