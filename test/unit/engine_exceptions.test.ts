/** Exceptions in an engine hide, tell and count what they do in one correlator, wherever behaviour rules are judged. */
import { describe, expect, it } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import { parseExceptions } from '../../src/language/exceptions.js';
import { shippedRule } from '../support/content.js';
import { inProcess } from '../support/engine_runs.js';
import { attack, day, exception } from '../support/exempt_attack.js';

const events = [...attack(day, 'a'), ...attack(9 * day, 'b')];
const options: CorrelatorOptions = {
  rules: [shippedRule('AN0173')],
  exceptions: parseExceptions(JSON.stringify({ exceptions: [exception] })).exceptions,
  memory: '24MiB',
};

const cases: readonly [string, Partial<CorrelatorOptions>][] = [
  ['without a baseline', {}],
  ['with a baseline', { baseline: { mode: 'learn', learnFor: '0s' } }],
];

describe.each(cases)('exceptions %s', (_name, own) => {
  it.each([1, 2])('hide the same in an engine of %d shards, which gives what they hid', async (shards) => {
    const correlator = await createCorrelator({ ...options, ...own });
    const expected = [...correlator.push(events), ...correlator.flush()];
    const hidden = correlator.suppressed();
    const engine = await inProcess({ ...options, ...own, shards });
    const alerts = [...(await engine.push(events)), ...(await engine.flush())];
    expect(hidden).toHaveLength(1);
    expect(alerts).toEqual(expected);
    expect(await engine.suppressed()).toEqual(hidden);
    expect(await engine.suppressed()).toEqual([]);
    expect((await engine.stats()).exceptions).toEqual(correlator.exceptions());
    await engine.close();
  });
});
