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
