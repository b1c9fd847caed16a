import { afterAll, describe, expect, test } from 'vitest';
import { type Correlator, createCorrelator } from '../../src/correlator/correlator.js';
import { attentionOf } from '../../src/correlator/exception_report.js';
import type { ExceptionUse } from '../../src/correlator/exceptions.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import { parseExceptions } from '../../src/language/exceptions.js';
import { createWorkspace, runCli } from '../support/cli.js';
import { shippedRule } from '../support/content.js';
import { attack, day, exception } from '../support/exempt_attack.js';
import { equals, matchRule } from '../support/rules.js';

const workspace = createWorkspace();
afterAll(() => workspace.remove());

function exceptionsOf(change: object = {}) {
  const { exceptions, problems } = parseExceptions(JSON.stringify({ exceptions: [{ ...exception, ...change }] }));
  expect(problems).toEqual([]);
  return exceptions;
}

async function run(change: object, events: readonly object[], options: Partial<CorrelatorOptions> = {}) {
  const correlator = await createCorrelator({
    rules: [shippedRule('AN0173')],
    exceptions: exceptionsOf(change),
    ...options,
  });
  const alerts = [...correlator.push(events), ...correlator.flush()];
  return { correlator, alerts };
}

const severities = (alerts: readonly { rule: { severity: string } }[]) => alerts.map(({ rule }) => rule.severity);

describe('an exception to a behaviour rule', () => {
  test('that expires between two equal attacks hides the first and not the second, and the audit shows both', async () => {
    const { correlator, alerts } = await run({}, [...attack(day, 'a'), ...attack(9 * day, 'b')]);
    expect(alerts.length).toBeGreaterThan(0);
    expect(alerts.every(({ key }) => key?.['process.entity_id'] === alerts[0]?.key?.['process.entity_id'])).toBe(true);
    expect(alerts[0]?.time).toMatch(/^2026-01-10/);
    expect(alerts[0]?.exceptions).toEqual([{ id: 'X1', result: 'expired', expiresUs: Date.UTC(2026, 0, 5) * 1000 }]);
    expect(correlator.suppressed()).toMatchObject([{ time: expect.stringMatching(/^2026-01-02/), hiddenBy: ['X1'] }]);
    expect(correlator.exceptions()).toMatchObject([
      { matched: 1, witnesses: 2, matchedByHost: { m1: 1 }, matchedAfterExpiry: 1 },
    ]);
  });

  test('with a limit a day hides so many detections of a host, and tells the rest', async () => {
    const events = [1, 2, 3].flatMap((hour) => attack(day + hour * 7200, `a${hour}`)).concat(attack(2 * day, 'b'));
    const { correlator, alerts } = await run({ limits: { max_matches_per_day: 2 } }, events);
    expect(correlator.exceptions()[0]?.matched).toBe(3);
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(1);
  });

  test('with business hours covers what happens within them', async () => {
    const hours = (from: string, to: string) => ({
      limits: { business_hours: { intervals: [{ days: ['fri'], from, to }] } },
    });
    // 2026-01-02 is a Friday; the attack comes at midnight UTC.
    expect((await run(hours('00:00', '04:00'), attack(day, 'a'))).alerts).toEqual([]);
    const { alerts } = await run(hours('08:00', '18:00'), attack(day, 'a'));
    expect(alerts.at(-1)?.exceptions).toEqual([{ id: 'X1', result: 'near_miss', failed: 'business_hours' }]);
  });

  test.each([
    [['m*'], 0],
    [['w*'], 1],
  ])('for a group of the hosts %j leaves %i detections', async (hosts, expected) => {
    const match = [...exception.match, { field: 'host.group', is: 'design' }];
    const text = JSON.stringify({
      host_groups: { design: hosts },
      exceptions: [{ ...exception, match, scope: { rules: ['AN0173'] } }],
    });
    const { exceptions, problems } = parseExceptions(text);
    expect(problems).toEqual([]);
    const correlator = await createCorrelator({ rules: [shippedRule('AN0173')], exceptions });
    const alerts = [...correlator.push(attack(day, 'a')), ...correlator.flush()];
    expect(new Set(alerts.map(({ id }) => id)).size).toBe(expected);
  });

  test('that names a group nobody defined is refused', () => {
    const match = [...exception.match, { field: 'host.group', is: 'desing' }];
    const { exceptions, problems } = parseExceptions(JSON.stringify({ exceptions: [{ ...exception, match }] }));
    expect(exceptions).toEqual([]);
    expect(problems[0]?.code).toBe('EXCEPTION_GROUP');
  });

  test('hides no detection above its severity', async () => {
    const plain = await createCorrelator({ rules: [shippedRule('AN0173')] });
    const expected = [...plain.push(attack(day, 'a')), ...plain.flush()];
    const { correlator, alerts } = await run({ max_severity: 'low', approver: undefined }, attack(day, 'a'));
    expect(severities(alerts).at(-1)).toBe(severities(expected).at(-1));
    expect(alerts.at(-1)?.exceptions).toEqual([{ id: 'X1', result: 'set_aside' }]);
    expect(correlator.suppressed()).toEqual([]);
  });

  test('of one class leaves the others: the case is judged by what is left', async () => {
    const { alerts, correlator } = await run(
      { scope: { rules: ['AN0173'], hosts: ['m1'], classes: ['NET'] } },
      attack(day, 'a'),
      { minSeverity: 'informational' },
    );
    const last = alerts.at(-1);
    expect(Object.keys(last?.behavior?.classes ?? {})).toEqual(['PERSIST']);
    expect(last?.behavior?.removed).toMatchObject([{ class: 'NET', reason: 'exception', id: 'X1' }]);
    expect(correlator.exceptions()[0]?.matched).toBe(0);
  });

  test('covers the witnesses before its expiry and not those after, within one case', async () => {
    const { alerts } = await run({ expires: '2026-01-02T00:00:07Z' }, attack(day, 'a'), {
      minSeverity: 'informational',
    });
    const last = alerts.at(-1);
    expect(Object.keys(last?.behavior?.classes ?? {})).toEqual(['PERSIST']);
    expect(last?.exceptions?.map(({ result }) => result)).toEqual(['matched', 'expired']);
  });

  test('that asks to observe lets the detection through at the lowest severity', async () => {
    const { alerts } = await run({ effect: 'observe' }, attack(day, 'a'), { minSeverity: 'informational' });
    expect(new Set(severities(alerts))).toEqual(new Set(['informational']));
  });

  test('that nearly matches is told with the condition that failed', async () => {
    const { alerts } = await run({}, attack(day, 'a', '/Users/ada/Downloads/other.py'));
    expect(alerts.at(-1)?.exceptions).toEqual([{ id: 'X1', result: 'near_miss', failed: 'script_id' }]);
  });

  test('tells how much of what runs it would cover, and is broad beyond one launch in twenty', async () => {
    const others = Array.from({ length: 39 }, (_, i) => attack(day + i * 60, `o${i}`, '/Users/ada/other.py')).flat();
    const correlator = await createCorrelator({ rules: [shippedRule('AN0173')], exceptions: exceptionsOf() });
    correlator.push([...attack(day - 60, 'a'), ...others]);
    const [use] = correlator.exceptions();
    expect(use).toMatchObject({ launches: 40, launchesCovered: 1 });
    const kinds = (share: object) =>
      (attentionOf([{ ...(use as ExceptionUse), ...share }], day * 1e6).get('X1') ?? []).map(({ kind }) => kind);
    expect(kinds({})).not.toContain('broad');
    expect(kinds({ launchesCovered: 2 })).not.toContain('broad');
    expect(kinds({ launchesCovered: 3 })).toContain('broad');
    expect(kinds({ launches: 19, launchesCovered: 19 })).not.toContain('broad');
    const restored = await createCorrelator({ rules: [shippedRule('AN0173')], exceptions: exceptionsOf() });
    restored.restore(correlator.snapshot());
    expect(restored.exceptions()[0]).toMatchObject({ launches: 40, launchesCovered: 1 });
  });

  test('keeps its counts over a snapshot', async () => {
    const options = { rules: [shippedRule('AN0173')], exceptions: exceptionsOf() };
    const before = await createCorrelator(options);
    before.push(attack(day, 'a'));
    before.advance('2026-01-03T00:00:00Z');
    const after: Correlator = await createCorrelator(options);
    after.restore(before.snapshot());
    expect(after.exceptions()).toEqual(before.exceptions());
    expect(before.exceptions()[0]?.matched).toBe(1);
  });
});

describe('an exception to a rule on events', () => {
  const rules = [matchRule('R1', equals('process.name', 'python3'), 'network')];
  const change = {
    scope: { rules: ['R1'] },
    match: [{ field: 'process.hash.sha256', is: 'abc' }],
  };
  const events = (hash: string) =>
    attack(day, 'a').map((one) => {
      const { process, ...rest } = one as { process?: object };
      return { ...rest, process: { ...process, hash: { sha256: hash } } };
    });

  test('reads fields that no rule reads, and hides by the time of the alert', async () => {
    const { correlator, alerts } = await run(change, events('abc'), { rules });
    expect(alerts).toEqual([]);
    expect(correlator.suppressed()).toMatchObject([{ rule: { id: 'R1' }, hiddenBy: ['X1'] }]);
    expect(correlator.exceptions()).toMatchObject([{ matched: 1 }]);
  });

  test('lets others through', async () => {
    const { alerts } = await run(change, events('def'), { rules });
    expect(alerts).toMatchObject([{ rule: { id: 'R1' } }]);
  });

  test('that is no proper exception is refused by name', async () => {
    const [good] = exceptionsOf(change);
    const bad = { ...good, owner: '' } as NonNullable<typeof good>;
    await expect(createCorrelator({ rules, exceptions: [bad] })).rejects.toThrow(/exception X1 has no owner/);
  });
});

describe('the command line', () => {
  const file = workspace.file('x.json', JSON.stringify({ exceptions: [exception] }));
  const events = workspace.file('two.ndjson', [...attack(day, 'a'), ...attack(9 * day, 'b')]);

  test('scan leaves out what an exception covers, and says so', async () => {
    const { stdout, stderr } = await runCli('scan', '--exceptions', file, events);
    expect(stdout).toContain('X1 would have hidden it, but expired 2026-01-05T00:00:00');
    expect(stderr).toContain('hidden by exceptions: X1 1');
  });

  test('exceptions lists what each hid and what came back', async () => {
    const { stdout } = await runCli('exceptions', '--exceptions', file, events);
    expect(stdout).toContain('hid 1 detections');
    expect(stdout).toContain('expired and still matching: 1 detections came back');
    const { stdout: json } = await runCli('exceptions', '--json', '--exceptions', file, events);
    expect(JSON.parse(json)).toMatchObject({ matched: 1, matchedAfterExpiry: 1, exception: { id: 'X1' } });
  });

  test('exceptions says which ask for attention, as of the newest event', async () => {
    const more = [
      exception,
      { ...exception, id: 'X2', state: 'draft' },
      { ...exception, id: 'X3', expires: '2026-01-12', review_every: '7d' },
      {
        ...exception,
        id: 'X4',
        expires: '2026-03-01',
        match: [...exception.match, { field: 'root.executable', is: '/usr/bin/python3' }],
        audit: [{ at: '2026-01-09', actor: 'security', action: 'review' }],
        review_every: '7d',
      },
    ];
    const several = workspace.file('several.json', JSON.stringify({ exceptions: more }));
    const { stdout } = await runCli('exceptions', '--json', '--exceptions', several, events);
    const kinds = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { attention: { kind: string }[] })
      .map(({ attention }) => attention.map(({ kind }) => kind));
    expect(kinds).toEqual([
      ['expired', 'overlaps'],
      ['inactive'],
      ['renew', 'review', 'overlaps'],
      ['never_matched', 'overlaps', 'overlaps'],
    ]);
  });

  test('exceptions says which hid most, and how much of what runs each would cover', async () => {
    const more = [
      { ...exception, id: 'X0', match: [...exception.match, { field: 'user.name', is: 'bob' }] },
      exception,
    ];
    const both = workspace.file('both.json', JSON.stringify({ exceptions: more }));
    const { stdout } = await runCli('exceptions', '--exceptions', both, events);
    expect(stdout).toContain('2 of 2 launches meet what it says of a launch');
    expect(stdout.trim().split('\n').at(-1)).toBe('hid most: X1 1');
  });

  test('an exception to a rule that is not loaded is told', async () => {
    const other = { ...exception, scope: { ...exception.scope, rules: ['AN0173', 'AN0177'] } };
    const misspelt = workspace.file('misspelt.json', JSON.stringify({ exceptions: [other] }));
    const { stderr } = await runCli('exceptions', '--exceptions', misspelt, events);
    expect(stderr).toContain('exception X1 names the rule "AN0177", which is not loaded');
  });

  test('a wrong exception hides nothing and is told at its place', async () => {
    const wrong = workspace.file('w.json', JSON.stringify({ exceptions: [{ ...exception, owner: '' }] }));
    const { stdout, stderr } = await runCli('exceptions', '--exceptions', wrong);
    expect(stdout).toBe('');
    expect(stderr).toContain('EXCEPTION_OWNER');
  });
});
