import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { distributionOf, versionOf } from '../../src/correlator/inventory/distribution.js';
import { redact } from '../../src/correlator/inventory/redact.js';
import { createWorkspace, runCli } from '../support/cli.js';
import { pythonSession } from '../support/eslogger.js';

const workspace = createWorkspace();
afterAll(() => workspace.remove());

describe('secrets in command lines', () => {
  test.each([
    ['tool --password hunter2 run', 'tool --password *** run'],
    ['tool --api-key=abc123 run', 'tool --api-key=*** run'],
    ['curl https://ada:pw@example.com/x', 'curl https://***@example.com/x'],
    ['curl https://example.com/?token=abc&x=1', 'curl https://example.com/?token=***&x=1'],
    ['AWS_SECRET_ACCESS_KEY=xyz python3 a.py', 'AWS_SECRET_ACCESS_KEY=*** python3 a.py'],
    ['python3 a.py AKIAABCDEFGHIJKLMNOP', 'python3 a.py ***'],
    ['curl -H "Authorization: Bearer abcdefgh1234"', 'curl -H "Authorization: Bearer ***"'],
    ['python3 /opt/passwords/check.py --verbose', 'python3 /opt/passwords/check.py --verbose'],
  ])('%s', (line, safe) => {
    expect(redact(line)).toBe(safe);
    expect(redact(safe)).toBe(safe);
  });
});

describe('the distribution of an interpreter', () => {
  test.each([
    ['/usr/bin/python3', 'system', undefined],
    ['/opt/homebrew/Cellar/python@3.12/3.12.8/bin/python3.12', 'Homebrew', '3.12.8'],
    ['/Library/Frameworks/Python.framework/Versions/3.11/bin/python3', 'python.org', '3.11'],
    ['/Users/ada/project/.venv/bin/python', 'virtual environment', undefined],
    ['C:\\Users\\ada\\AppData\\Local\\Programs\\Python\\Python312\\python.exe', 'python.org', '3.12'],
    ['C:\\Program Files\\Vendor\\python.exe', 'bundled with an application', undefined],
    ['/tmp/.x/python3', 'temporary folder', undefined],
    ['/home/ada/miniconda3/bin/python', 'conda', undefined],
    ['python3', 'unknown', undefined],
  ])('%s', (path, distribution, version) => {
    expect(distributionOf(path)).toBe(distribution);
    expect(versionOf(path)).toBe(version);
  });
});

describe('vedette inventory', () => {
  const file = workspace.file('mac.ndjson', pythonSession);

  test('tells where an interpreter runs, who started it and what it runs', async () => {
    const { stdout } = await runCli('inventory', '--json', file);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object),
    ).toMatchObject([
      {
        interpreter: '/opt/homebrew/bin/python3',
        distribution: 'Homebrew',
        launches: 1,
        users: { 501: 1 },
        parents: { '/bin/zsh': 1 },
        scripts: { '~/agent.py': 1 },
        commands: ['python3 /Users/ada/agent.py'],
      },
    ]);
  });

  test('tells what the tree of an interpreter connected to and had started, and what is not expected', async () => {
    const expect_ = workspace.file(
      'expect.json',
      JSON.stringify({ roles: { m: 'mac' }, expect: { mac: { python: false } } }),
    );
    const event = (second: number, category: string, action: string, fields: object) => ({
      '@timestamp': new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
      event: { category, type: category === 'file' ? 'change' : 'start', action, id: `e${second}` },
      host: { id: 'm', os: { type: 'macos' } },
      user: { name: 'ada' },
      ...fields,
    });
    const python = {
      name: 'python3',
      executable: '/usr/bin/python3',
      entity_id: 'p',
      args: ['python3', '/a.py'],
      pid: 5,
    };
    const curl = { name: 'curl', executable: '/usr/bin/curl', entity_id: 'c', pid: 6, args: ['curl'] };
    const events = [
      event(0, 'process', 'exec', { process: python }),
      event(1, 'process', 'exec', { process: { ...curl, parent: { entity_id: 'p', pid: 5 } } }),
      event(2, 'network', 'connection_attempted', {
        process: curl,
        destination: { ip: '203.0.113.9', port: 443, domain: 'api.example.com' },
      }),
      event(3, 'network', 'connection_attempted', { process: curl, destination: { ip: '203.0.113.9', port: 443 } }),
      event(4, 'file', 'modification', { process: python, file: { path: '/Users/ada/Library/LaunchAgents/a.plist' } }),
      event(5, 'file', 'modification', { process: python, file: { path: '/Users/ada/notes.txt' } }),
    ];
    const { stdout } = await runCli('inventory', '--json', '--expect', expect_, workspace.file('tree.ndjson', events));
    expect(JSON.parse(stdout)).toMatchObject({
      destinations: { 'api.example.com:443': 1, '203.0.113.9:443': 1 },
      persistence: { '/Users/ada/Library/LaunchAgents/a.plist': 1 },
      expected: 'no',
      role: 'mac',
    });
    const { stdout: words } = await runCli('inventory', '--expect', expect_, workspace.file('tree.ndjson', events));
    expect(words).toContain('not expected on 1: m');
    expect(words).toContain('to      203.0.113.9:443 1, api.example.com:443 1');
  });

  test('names jobs, hashes, who answers for the host, and the exceptions that its launches meet', async () => {
    const event = (second: number, host: string, process: object) => ({
      '@timestamp': new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
      event: { category: 'process', type: 'start', action: 'exec', id: `${host}${second}` },
      host: { id: host, os: { type: 'macos' } },
      user: { name: 'root' },
      process: {
        entity_id: 'p',
        pid: 5,
        parent: { entity_id: 'launchd', pid: 1, executable: '/sbin/launchd' },
        ...process,
      },
    });
    const stub = { executable: '/usr/libexec/xpcproxy', args: ['xpcproxy', 'com.example.agent'] };
    const python = {
      executable: '/opt/agent/.venv/bin/python3',
      args: ['python3', '/opt/agent/a.py'],
      hash: { sha256: 'aa' },
      Ext: { script: { hash: { sha256: 'bb' } } },
    };
    const events = workspace.file('jobs.ndjson', [
      event(0, 'm1', stub),
      event(1, 'm1', python),
      event(2, 'm2', python),
    ]);
    const declared = workspace.file('owners.yml', "owners: { 'm1': it-operations, 'm*': somebody }\n");
    const approved = {
      title: 'The agent',
      owner: 'it-operations',
      reason: 'The agent of operations asks about hosts',
      created: '2026-01-01',
      expires: '2026-03-01',
      scope: { rules: ['AN0173'], hosts: ['m1'] },
      match: [
        { field: 'user.name', is: 'root' },
        { field: 'script_id', matches: '/opt/agent/*' },
      ],
    };
    const deed = [...approved.match, { field: 'item.path', matches: '/etc/cron.d/*' }];
    const scope = { rules: ['AN0173'], hosts: ['m2'] };
    const exceptions = workspace.file(
      'exceptions.json',
      JSON.stringify({
        exceptions: [
          { ...approved, id: 'X1' },
          { ...approved, id: 'X2', match: deed },
          { ...approved, id: 'X3', scope },
        ],
      }),
    );
    const options = ['--expect', declared, '--exceptions', exceptions];
    const { stdout } = await runCli('inventory', '--json', ...options, events);
    const rows = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(rows).toMatchObject([
      {
        host: 'm1',
        owner: 'it-operations',
        jobs: { 'com.example.agent': 1 },
        hashes: { aa: 1 },
        scriptHashes: { '/opt/agent/a.py bb': 1 },
        exceptions: { X1: 1, X2: 1 },
      },
      { host: 'm2', owner: 'somebody', jobs: {}, exceptions: { X3: 1 } },
    ]);
    const { stdout: words } = await runCli('inventory', ...options, events);
    expect(words).toContain('host m1  macos, owner it-operations');
    expect(words).toContain('as an administrator, from no package: /opt/agent/.venv/bin/python3 on m1');
    expect(words).toContain('launches by context: launchd_job');
    expect(words).toMatch(/except +X1 1, X2 1/);
    const out = workspace.file('kept.json', '');
    await runCli('inventory', ...options, '--export', out, events);
    const { stdout: kept } = await runCli('inventory', '--json', '--import', out);
    expect(kept).toBe(stdout);
  });

  test('goes out and comes in as JSON: what is added twice is there twice, and nothing else changes', async () => {
    const out = workspace.file('inventory.json', '');
    const twice = workspace.file('twice.json', '');
    await runCli('inventory', '--export', out, file);
    const { stdout: alone } = await runCli('inventory', '--json', '--import', out);
    const { stdout: first } = await runCli('inventory', '--json', file);
    expect(alone).toBe(first);
    await runCli('inventory', '--import', out, '--export', twice, file);
    const [once, both] = [out, twice].map(
      (path) => JSON.parse(readFileSync(path, 'utf8')) as { rows: { launches: number }[] },
    );
    expect(both?.rows.map(({ launches }) => launches)).toEqual(once?.rows.map(({ launches }) => launches * 2));
  });

  test('refuses what is no inventory, and declarations of another form', async () => {
    const other = workspace.file('other.json', '{"format":"vedette-baseline"}');
    expect(await runCli('inventory', '--import', other)).toMatchObject({ code: 2 });
    const wrong = workspace.file('wrong.json', '{"expects":{}}');
    const { code, stderr } = await runCli('inventory', '--expect', wrong, file);
    expect(code).toBe(2);
    expect(stderr).toContain('there is no key "expects"');
  });

  test('reads in words, and as a table whose cells are no formulas', async () => {
    const { stdout } = await runCli('inventory', file);
    expect(stdout).toContain('/opt/homebrew/bin/python3  Homebrew');
    expect(stdout).toContain('from    /bin/zsh 1');
    const { stdout: csv } = await runCli('inventory', '--csv', file);
    const [header, row] = csv.split('\r\n');
    expect(header).toMatch(/^host,platform,interpreter/);
    expect(row).toContain('/opt/homebrew/bin/python3,Homebrew');
  });
});
