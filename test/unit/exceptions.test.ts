import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ExceptionSet, type ExceptionSubject } from '../../src/correlator/exceptions.js';
import { parseExceptions } from '../../src/language/exceptions.js';

const good = {
  id: 'X1',
  title: 'Ansible writes cron entries',
  owner: 'platform-team',
  reason: 'Configuration management writes cron.d from the controller',
  created: '2026-01-01',
  expires: '2026-03-01T12:00:00Z',
  scope: { rules: ['AN0174'], classes: ['PERSIST'], hosts: ['web-*'] },
  match: [
    { field: 'ancestor.executable', is: '/usr/sbin/sshd' },
    { field: 'user.name', is: 'ansible' },
    { field: 'script_id', matches: '~/.ansible/tmp/ansible-tmp-*/AnsiballZ_*.py' },
  ],
};

function parse(change: Record<string, unknown> = {}) {
  return parseExceptions(JSON.stringify({ exceptions: [{ ...good, ...change }] }, null, 1), 'x.json');
}

function subject(timeUs: number, values: Record<string, string> = {}): ExceptionSubject {
  const fields: Record<string, string> = {
    'ancestor.executable': '/usr/sbin/sshd',
    'user.name': 'ansible',
    script_id: '~/.ansible/tmp/ansible-tmp-1/AnsiballZ_copy.py',
    ...values,
  };
  return {
    ruleId: 'AN0174',
    class: 'PERSIST',
    host: { id: 'web-1' },
    timeUs,
    values: (field) => (fields[field] === undefined ? [] : [fields[field]]),
  };
}

const expiryUs = Date.parse('2026-03-01T12:00:00Z') * 1000;

describe('an exception file', () => {
  test('reads a whole exception without a problem', () => {
    expect(parse()).toMatchObject({
      problems: [],
      exceptions: [{ id: 'X1', maxSeverity: 'medium', expiresUs: expiryUs }],
    });
  });

  test.each([
    ['no owner', { owner: '' }, 'EXCEPTION_OWNER'],
    ['a short reason', { reason: 'because' }, 'EXCEPTION_REASON'],
    ['no expiry', { expires: undefined }, 'RULE_KEY_MISSING'],
    ['a life of more than a year', { expires: '2027-06-01' }, 'EXCEPTION_EXPIRY'],
    ['an expiry before its start', { valid_from: '2026-04-01' }, 'EXCEPTION_EXPIRY'],
    ['a date that is none', { expires: 'soon' }, 'EXCEPTION_TIME'],
    ['no rule in its scope', { scope: { rules: [] } }, 'EXCEPTION_SCOPE'],
    [
      'only a command-line substring',
      { match: [{ field: 'process.command_line', matches: '*ansible*' }] },
      'EXCEPTION_ANCHOR',
    ],
    [
      'an ancestor in a directory anyone writes',
      { match: [{ field: 'ancestor.executable', is: '/tmp/sshd' }] },
      'EXCEPTION_ANCHOR',
    ],
    [
      'an ancestor pattern with a leading wildcard',
      { match: [{ field: 'ancestor.executable', matches: '*/sshd' }] },
      'EXCEPTION_ANCHOR',
    ],
    [
      'a pattern that matches everything',
      { match: [...good.match, { field: 'user.name', matches: '*' }] },
      'EXCEPTION_PATTERN',
    ],
    ['high detections hidden by one person', { max_severity: 'high' }, 'EXCEPTION_APPROVER'],
    ['a misspelt key', { ownr: 'x' }, 'RULE_KEY_UNKNOWN'],
  ])('with %s is refused', (_what, change, code) => {
    const { exceptions, problems } = parse(change);
    expect(exceptions).toEqual([]);
    expect(problems.map((problem) => problem.code)).toContain(code);
    expect(problems.every(({ line, remedy }) => line > 1 && remedy !== undefined)).toBe(true);
  });

  test('accepts hosts together with a user as anchor', () => {
    expect(parse({ match: [{ field: 'user.name', is: 'ansible' }] }).problems).toEqual([]);
  });

  test('keeps the good exceptions beside a refused one', () => {
    const { exceptions } = parseExceptions(JSON.stringify({ exceptions: [good, { ...good, id: 'X2', owner: '' }] }));
    expect(exceptions.map(({ id }) => id)).toEqual(['X1']);
  });
});

describe('an exception at work', () => {
  const set = () => new ExceptionSet(parse().exceptions);

  test('covers event times up to its expiry and not the expiry itself', () => {
    expect(set().judge(subject(expiryUs - 1)).matched).toEqual({ id: 'X1', effect: 'suppress' });
    expect(set().judge(subject(expiryUs))).toEqual({ expired: [{ id: 'X1', expiresUs: expiryUs }], nearMisses: [] });
  });

  test('is forgotten thirty days after its expiry', () => {
    expect(set().judge(subject(expiryUs + 30 * 86_400_000_000)).expired).toEqual([]);
  });

  test('tells of the one condition that failed', () => {
    expect(set().judge(subject(expiryUs - 1, { 'user.name': 'www-data' }))).toEqual({
      expired: [],
      nearMisses: [{ id: 'X1', failed: 'user.name' }],
    });
  });

  test.each([
    ['another rule', { ruleId: 'AN0173' }],
    ['another class', { class: 'NET' }],
    ['another host', { host: { id: 'db-1' } }],
    ['no host', { host: null }],
  ])('does not cover %s', (_what, change) => {
    expect(set().judge({ ...subject(expiryUs - 1), ...change })).toEqual({ expired: [], nearMisses: [] });
  });

  test('hides up to its highest severity and no more', () => {
    expect(set().mayHide('X1', 'medium')).toBe(true);
    expect(set().mayHide('X1', 'high')).toBe(false);
  });

  test('is counted by host, with what came back after the expiry', () => {
    const exceptions = set();
    exceptions.count('X1', 'web-1', 5);
    exceptions.count('X1', 'web-1', 3);
    exceptions.count('X1', 'web-2', 9);
    exceptions.count('X1', 'web-1', 10, true);
    expect(exceptions.audit()).toMatchObject([
      {
        matched: 3,
        matchedByHost: { 'web-1': 2, 'web-2': 1 },
        firstMatchedUs: 3,
        lastMatchedUs: 9,
        matchedAfterExpiry: 1,
      },
    ]);
  });
});

test('the example of the documentation is a proper exception', () => {
  const page = readFileSync(new URL('../../docs/exceptions.md', import.meta.url), 'utf8');
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
  expect(parseExceptions(example)).toMatchObject({ problems: [], exceptions: [{ id: 'X-0142' }] });
});
