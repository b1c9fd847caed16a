import { afterAll, describe, expect, test } from 'vitest';
import { createWorkspace, runCli } from '../support/cli.js';

const workspace = createWorkspace();
afterAll(() => workspace.remove());

const event = (second: number) => ({
  '@timestamp': new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(),
  event: { category: 'process', type: 'start', action: 'exec', id: `e${second}` },
  host: { id: 'h', os: { type: 'linux' } },
  process: { entity_id: `p${second}`, executable: '/bin/ls' },
});

describe('vedette scan', () => {
  test('says what helps where a file is not in order', async () => {
    const file = workspace.file('parts.ndjson', [event(900), event(0), event(1)]);
    const { stderr } = await runCli('scan', file);
    expect(stderr).toContain('rows: late 2');
    expect(stderr).toContain('--lateness');
    const { stderr: ordered } = await runCli('scan', '--lateness', '30m', file);
    expect(ordered).not.toContain('late');
  });

  test.each([
    ['a file that there is not', ['nowhere.ndjson'], 'nowhere.ndjson'],
    ['no file', [], 'no event files given'],
    ['a flag that there is not', ['--jsn', 'x'], '--jsn'],
    ['a severity that there is not', ['--min-severity', 'urgent', 'x'], '--min-severity: "urgent" is not a severity'],
    ['a lateness that is none', ['--lateness', 'soon', 'FILE'], 'lateness'],
    ['a memory that is none', ['--memory', 'much', 'FILE'], 'memory'],
    ['a format that there is not', ['--format', 'sysmonn', 'FILE'], 'sysmon'],
    ['a number of shards that is none', ['--shards', 'two', 'FILE'], '--shards: "two" is not a number of threads'],
    ['exceptions that there are not', ['--exceptions', 'none.yml', 'FILE'], 'none.yml'],
    ['rules that there are not', ['--rules', 'none', 'FILE'], 'none'],
  ])('with %s ends in one line and exit code 2', async (_, args, message) => {
    const file = workspace.file('one.ndjson', [event(0)]);
    const { code, stdout, stderr } = await runCli('scan', ...args.map((arg) => (arg === 'FILE' ? file : arg)));
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});
