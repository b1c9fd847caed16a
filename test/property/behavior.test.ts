/** Laws of the behaviour judge, over generated witnesses of one session. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createBehaviorJudge } from '../../src/correlator/behavior/judge.js';
import type { Witness } from '../../src/correlator/behavior/witness.js';
import { contentRule } from '../support/content.js';
import { connect, run, write } from '../support/witnesses.js';

const seconds = fc.integer({ min: 1, max: 1200 });
const anyWitness: fc.Arbitrary<Witness> = fc.oneof(
  fc
    .tuple(seconds, fc.integer({ min: 1, max: 12 }))
    .map(([at, host]) => connect(at, `203.0.113.${host}`, 443, { id: `c${at}-${host}` })),
  fc
    .tuple(seconds, fc.constantFrom('a', 'b'))
    .map(([at, name]) => write(at, `/Users/alice/Library/LaunchAgents/${name}.plist`, { id: `w${at}-${name}` })),
  fc
    .tuple(
      seconds,
      fc.constantFrom('whoami', 'id', 'sw_vers', 'ifconfig', 'csrutil status', 'curl x', 'osascript -e x'),
    )
    .map(([at, command]) => run(at, command.split(' '), { id: `r${at}-${command}` })),
);
const anyStream = fc.array(anyWitness, { minLength: 1, maxLength: 14 });

const unsuppressed = { 'correlation.suppress_for': '0s' };
const rule = contentRule('AN0173', unsuppressed);
const byTime = (stream: readonly Witness[]): Witness[] => [...stream].sort((a, b) => a.timeUs - b.timeUs);

/** The last revision of every detection that no later case took over, without what depends on the order of arrival. */
function outcome(stream: readonly Witness[], judged = rule) {
  const judge = createBehaviorJudge(judged, { minSeverity: 'informational' });
  for (const [ordinal, one] of stream.entries()) judge.observe({ ...one, ordinal });
  judge.flush();
  const latest = new Map(judge.drain().map((alert) => [alert.id, alert]));
  const merged = new Set([...latest.values()].flatMap((alert) => alert.detail.merged));
  return [...latest.values()]
    .filter((alert) => !merged.has(alert.id))
    .map((alert) => ({
      severity: alert.severity,
      classes: Object.entries(alert.detail.classes)
        .filter(([, value]) => value.level !== '')
        .map(([name]) => name),
      modifiers: alert.detail.modifiers,
      evidence: alert.timeUs,
    }))
    .sort((a, b) => a.evidence - b.evidence || a.severity.localeCompare(b.severity));
}

const rank = ['informational', 'low', 'medium', 'high', 'critical'];
const worst = (stream: readonly Witness[], judged = rule): number =>
  Math.max(-1, ...outcome(stream, judged).map((one) => rank.indexOf(one.severity)));

describe('the judge', () => {
  test('gives the same severities for every order of arrival', () => {
    fc.assert(
      fc.property(anyStream, fc.infiniteStream(fc.nat()), (stream, dice) => {
        const keyed = stream.map((one) => ({ one, key: dice.next().value as number }));
        const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ one }) => one);
        const severities = (of: readonly Witness[]) =>
          outcome(of).map(({ severity, classes }) => ({ severity, classes }));
        expect(severities(shuffled)).toEqual(severities(byTime(stream)));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('is not changed by witnesses that come twice', () => {
    fc.assert(
      fc.property(anyStream, (stream) => {
        const sorted = byTime(stream);
        expect(outcome(sorted.flatMap((one) => [one, one]))).toEqual(outcome(sorted));
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  test('never says less when it sees more', () => {
    fc.assert(
      fc.property(anyStream, anyWitness, (stream, more) => {
        expect(worst(byTime([...stream, more]))).toBeGreaterThanOrEqual(worst(byTime(stream)));
      }),
      { numRuns: 300, seed: 3 },
    );
  });

  test('never says less in a wider window', () => {
    const wide = contentRule('AN0173', { ...unsuppressed, 'correlation.window': '15m' });
    fc.assert(
      fc.property(anyStream, (stream) => {
        const sorted = byTime(stream);
        expect(worst(sorted, wide)).toBeGreaterThanOrEqual(worst(sorted));
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});
