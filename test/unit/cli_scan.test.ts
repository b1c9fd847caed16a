import { writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { Alert } from '../../src/correlator/alert.js';
import { createWorkspace, runCli } from '../support/cli.js';
import { attack, exception } from '../support/exempt_attack.js';

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

  test('tells what was run, why this severity, and by which techniques', async () => {
    const file = workspace.file('attack.ndjson', attack(0, 'a'));
    const { stdout: json } = await runCli('scan', '--json', file);
    const alert = JSON.parse(json.trim().split('\n').at(-1) ?? '') as Alert;
    expect(alert.behavior?.session).toMatchObject({
      distribution: 'Homebrew',
      scriptId: '~/tools/sync.py',
      scriptPath: '/Users/ada/tools/sync.py',
    });
    const { stdout } = await runCli('scan', file);
    expect(stdout).toContain('runs     ~/tools/sync.py (Homebrew, P1)');
    expect(stdout).toMatch(/because {2}context unknown; .*PERSIST \(plain\); confidence high/);
    expect(stdout).toMatch(/att&ck {3}T1059\.006, .*T1543/);
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

describe('files that hold no events', () => {
  const bytes = workspace.file('noise.dat', 'neither JSON\nnor a log\n');
  const exceptions = workspace.file('none.yml', '');

  test.each([
    ['scan', [bytes]],
    ['inventory', [bytes]],
    ['exceptions', ['--exceptions', exceptions, bytes]],
  ])('%s says that nothing was recognised', async (command, args) => {
    const { code, stderr } = await runCli(command, ...args);
    expect(code).toBe(0);
    expect(stderr).toContain('none recognised');
    expect(stderr).toContain('2 lines were not recognised, such as: neither JSON');
  });

  test.each(['scan', 'coverage', 'inventory'])(
    '%s refuses a gzip file that is none, with a remedy',
    async (command) => {
      const broken = workspace.file('broken.ndjson.gz', '\u001f\u008b\u0008broken');
      const cut = workspace.file('cut.ndjson.gz', '');
      writeFileSync(broken, Uint8Array.of(0x1f, 0x8b, 8, 98, 114));
      writeFileSync(cut, gzipSync('{"a":1}\n'.repeat(1000)).subarray(0, 30));
      for (const file of [broken, cut]) {
        const { code, stderr } = await runCli(command, file);
        expect(code).toBe(2);
        expect(stderr).toContain('not a whole gzip file');
        expect(stderr.trim().split('\n')).toHaveLength(1);
      }
    },
  );

  test('exceptions says that there are none, and ends with 1 where one was refused', async () => {
    expect((await runCli('exceptions', '--exceptions', exceptions)).stderr).toContain('none.yml: holds no exceptions');
    const wrong = workspace.file('wrong.json', JSON.stringify({ exceptions: [{ ...exception, owner: '' }] }));
    expect((await runCli('exceptions', '--exceptions', wrong)).code).toBe(1);
  });
});
