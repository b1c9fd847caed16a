import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type ExceptionPapers, importExceptionItems } from '../../src/language/elastic/import_exceptions.js';
import { parseExceptions } from '../../src/language/exceptions.js';
import { createWorkspace, runCli } from '../support/cli.js';
import { attack } from '../support/exempt_attack.js';

const papers: ExceptionPapers = {
  owner: 'design-team',
  created: '2026-01-01',
  expires: '2026-03-01',
  rules: ['AN0173'],
};

const entry = (field: string, value: unknown, type = 'match', operator = 'included') => ({
  field,
  type,
  operator,
  ...(value === undefined ? {} : { value }),
});

/** An item as Kibana exports it. */
const item = (entries: readonly object[], change: object = {}) => ({
  item_id: 'a1b2',
  list_id: 'endpoint_list',
  name: 'Munki may ask',
  description: 'Munki asks about the host before it installs anything',
  type: 'simple',
  namespace_type: 'agnostic',
  created_at: '2024-05-01T10:00:00.000Z',
  created_by: 'elastic',
  updated_at: '2024-05-01T10:00:00.000Z',
  updated_by: 'elastic',
  os_types: ['macos'],
  comments: [],
  entries,
  ...change,
});

const anchor = entry('process.parent.executable', '/usr/libexec/xpcproxy');
const read = (one: object, change: Partial<ExceptionPapers> = {}) =>
  importExceptionItems(JSON.stringify(one), { ...papers, ...change }, 'list.ndjson');

describe('an item of a Kibana exception list', () => {
  test('becomes an exception with owner, reason, expiry, scope, audit and anchor', () => {
    const { entries, problems } = read(item([anchor]), { approver: 'security', hosts: ['mac-*'], ticket: 'SEC-1' });
    expect(problems).toEqual([]);
    const { exceptions } = parseExceptions(JSON.stringify({ exceptions: entries }));
    expect(exceptions).toMatchObject([
      {
        id: 'a1b2',
        title: 'Munki may ask',
        owner: 'design-team',
        approver: 'security',
        ticket: 'SEC-1',
        reason: 'Munki asks about the host before it installs anything',
        state: 'active',
        scope: { rules: ['AN0173'], hosts: ['mac-*'], platforms: ['macos'] },
        conditions: [{ field: 'process.parent.executable', operator: 'is', values: ['/usr/libexec/xpcproxy'] }],
        audit: [
          { at: '2024-05-01T10:00:00.000Z', actor: 'elastic', action: 'create' },
          { at: '2026-01-01', actor: 'security', action: 'import', comment: 'from the list endpoint_list of Kibana' },
        ],
      },
    ]);
  });

  test.each([
    ['match', entry('user.name', 'ada'), { operator: 'is', values: ['ada'], isNegated: false }],
    ['match_any', entry('user.name', ['ada', 'bob'], 'match_any'), { operator: 'is', values: ['ada', 'bob'] }],
    ['exclusion', entry('user.name', 'ada', 'match', 'excluded'), { operator: 'is', isNegated: true }],
    ['exists', entry('user.name', undefined, 'exists'), { operator: 'exists' }],
    [
      'wildcard',
      entry('process.executable', 'C:\\\\Tools\\\\*.exe', 'wildcard'),
      { operator: 'matches', values: ['C:\\Tools\\*.exe'] },
    ],
  ])('%s becomes a condition', (_, one, condition) => {
    const { entries, problems } = read(item([anchor, one]));
    expect(problems).toEqual([]);
    expect(parseExceptions(JSON.stringify({ exceptions: entries })).exceptions[0]?.conditions[1]).toMatchObject(
      condition,
    );
  });

  test('with a nested signature is anchored by it', () => {
    const signature = [entry('subject_name', 'Acme'), entry('trusted', 'true')];
    const nested = { field: 'process.Ext.code_signature', type: 'nested', entries: signature };
    const { entries, problems } = read(item([nested]));
    expect(problems).toEqual([]);
    expect(entries[0]?.match).toEqual([
      { field: 'process.code_signature.subject_name', is: 'Acme' },
      { field: 'process.code_signature.trusted', is: 'true' },
    ]);
  });

  test('that expires sooner keeps its own expiry', () => {
    const { entries } = read(item([anchor], { expire_time: '2026-02-01T00:00:00.000Z' }));
    expect(entries[0]?.expires).toBe('2026-02-01T00:00:00.000Z');
    expect(read(item([anchor], { expire_time: '2027-02-01T00:00:00.000Z' })).entries[0]?.expires).toBe('2026-03-01');
  });

  test.each([
    ['only a command-line substring', item([entry('process.command_line', '*munki*', 'wildcard')]), 'EXCEPTION_ANCHOR'],
    ['only a name', item([entry('process.name', 'munki')]), 'EXCEPTION_ANCHOR'],
    [
      'a value list',
      item([anchor, { ...entry('user.name', undefined, 'list'), list: { id: 'x' } }]),
      'UNSUPPORTED_VALUE_LIST',
    ],
    [
      'a nested object',
      item([anchor, { field: 'file.Ext', type: 'nested', entries: [entry('a', 'b')] }]),
      'EXCEPTION_NESTED',
    ],
    ['a star itself', item([anchor, entry('user.name', 'a\\*b*', 'wildcard')]), 'EXCEPTION_PATTERN'],
    ['a pattern that matches everything', item([anchor, entry('user.name', '*', 'wildcard')]), 'EXCEPTION_PATTERN'],
    ['no entries', item([]), 'EXCEPTION_ANCHOR'],
    ['a short description and no reason', item([anchor], { description: 'x' }), 'EXCEPTION_REASON'],
    ['a misspelt key', item([anchor], { os_type: ['macos'] }), 'RULE_KEY_UNKNOWN'],
    ['an expiry that is no date', item([anchor], {}), 'EXCEPTION_TIME', { expires: 'soon' }],
    ['a life of more than a year', item([anchor], {}), 'EXCEPTION_EXPIRY', { expires: '2027-06-01' }],
    ['a text', 'munki', 'EXCEPTION_FILE'],
    ['nothing of a list', { list_id: 'x', type: 'detection' }, 'EXCEPTION_FILE'],
  ] as const)('is refused for %s', (_, one, code, change: Partial<ExceptionPapers> = {}) => {
    const { entries, problems } = read(one as object, change);
    expect(entries).toEqual([]);
    expect(problems.map((problem) => problem.code)).toContain(code);
    expect(problems[0]).toMatchObject({ file: 'list.ndjson', line: 1 });
  });

  test('is refused with the fields that are no anchor', () => {
    const [problem] = read(item([entry('process.command_line', '*munki*', 'wildcard')])).problems;
    expect(problem?.message).toContain('a1b2');
    expect(problem?.message).toContain('process.command_line');
  });

  test('is read from an answer of the API, a list, and an export alike', () => {
    const one = item([anchor]);
    const header = { list_id: 'endpoint_list', type: 'endpoint', name: 'list' };
    const count = { exported_exception_list_count: 1, exported_exception_list_item_count: 1 };
    const texts = [
      JSON.stringify({ data: [one], page: 1, total: 1 }),
      JSON.stringify([one]),
      `${[header, one, count].map((line) => JSON.stringify(line)).join('\n')}\n`,
    ];
    for (const text of texts) expect(importExceptionItems(text, papers)).toMatchObject({ items: 1, problems: [] });
  });
});

describe('vedette exceptions import', () => {
  const workspace = createWorkspace();
  afterAll(() => workspace.remove());
  const script = entry('process.executable', '/opt/homebrew/bin/python3');
  const user = entry('user.name', 'ada');
  const file = workspace.file('list.ndjson', [
    item([script, user], { item_id: 'kept' }),
    item([entry('process.command_line', '*sync*', 'wildcard')], { item_id: 'bare' }),
  ]);
  const asked = ['--owner', 'design-team', '--expires', '2026-03-01', '--created', '2026-01-01', '--rule', 'AN0173'];
  const events = workspace.file('events.ndjson', attack(86_400, 'a'));

  test('writes what hides, and tells what it refused', async () => {
    const out = join(file, '..', 'exceptions.yml');
    const more = ['--hosts', 'm1', '--approver', 'security', '--max-severity', 'critical', '--out', out];
    const { code, stderr } = await runCli('exceptions', 'import', file, ...asked, ...more);
    expect(code).toBe(1);
    expect(stderr).toContain('EXCEPTION_ANCHOR');
    expect(stderr).toContain('bare');
    expect(stderr).toContain('1 of 2 items imported; the others hide nothing');
    expect(readFileSync(out, 'utf8')).toContain('id: kept');
    const { stdout } = await runCli('exceptions', '--exceptions', out, events);
    expect(stdout).toContain('hid 1 detections');
    const again = await runCli('exceptions', 'import', file, ...asked, ...more);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') as string });
  });

  test.each([
    ['no file', asked, 'name one file'],
    ['no owner', [file, '--expires', '2026-03-01', '--rule', 'AN0173'], '--owner WHO'],
    ['no expiry', [file, '--owner', 'x', '--rule', 'AN0173'], '--expires DATE'],
    ['no rule', [file, '--owner', 'x', '--expires', '2026-03-01'], '--rule ID'],
    ['a rule that there is not', [file, ...asked, '--rule', 'AN0177'], 'there is no rule "AN0177"'],
    ['a file that there is not', ['nowhere.ndjson', ...asked], 'nowhere.ndjson: no such file'],
  ])('with %s says so in one line', async (_, args, message) => {
    const { code, stderr } = await runCli('exceptions', 'import', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
