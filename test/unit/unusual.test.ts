/** DET0063-UNUSUAL: what a host or its role has not shown after learning. */
import { describe, expect, test } from 'vitest';
import { EndpointHost, type Process } from '../../examples/generator/endpoint.js';
import { Random } from '../../examples/generator/random.js';
import type { Alert } from '../../src/correlator/alert.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import { parseExceptions } from '../../src/language/exceptions.js';
import { shippedRule } from '../support/content.js';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 1, 2, 9);
const rules = [shippedRule('AN0174'), shippedRule('DET0063-UNUSUAL')];

class Server {
  readonly endpoint: EndpointHost;
  readonly ssh: Process;
  readonly cron: Process;

  constructor(readonly id = 'srv-1') {
    this.endpoint = new EndpointHost(
      { id, name: id, platform: 'linux', osName: 'Ubuntu', osVersion: '24.04', ip: '10.0.0.9', agentId: `a-${id}` },
      new Random(1),
    );
    this.ssh = this.endpoint.spawn(startMs - dayMs, undefined, ['/usr/sbin/sshd'], { user: 'root' });
    this.cron = this.endpoint.spawn(startMs - dayMs, undefined, ['/usr/sbin/cron'], { user: 'root' });
  }

  launch(day: number, options: { path?: string; parent?: Process; user?: string; library?: string } = {}) {
    const timeMs = startMs + day * dayMs;
    const { path = '/usr/bin/python3.12', parent = this.ssh, user = 'al', library } = options;
    const run = this.endpoint.spawn(timeMs, parent, [path, '/home/al/proj/s.py'], { path, user });
    if (library !== undefined) this.endpoint.library(timeMs + 10, run, library);
    this.endpoint.end(timeMs + 900_000, run);
    return this.endpoint.documents.splice(0).map(({ document }) => document);
  }
}

type Baseline = NonNullable<CorrelatorOptions['baseline']>;
const start = (baseline?: Partial<Baseline>, more: Partial<CorrelatorOptions> = {}) =>
  createCorrelator({
    rules,
    ...(baseline === undefined ? {} : { baseline: { mode: 'learn', learnFor: '7d', ...baseline } as Baseline }),
    ...more,
  });

const told = (alerts: readonly Alert[]) => alerts.map(({ rule }) => `${rule.id} ${rule.severity}`);

/** A correlator that has learned a week of launches over SSH. */
async function learned(server: Server, baseline: Partial<Baseline> = {}, more: Partial<CorrelatorOptions> = {}) {
  const running = await start(baseline, more);
  const during = [0, 1, 2, 3, 4, 5].flatMap((day) => running.push(server.launch(day)));
  expect(told(during)).toEqual([]);
  return running;
}

describe('after learning', () => {
  test('what is known is not told, and a new context is told once in seven days', async () => {
    const server = new Server();
    const running = await learned(server);
    expect(told(running.push(server.launch(8)))).toEqual([]);
    const [first, ...others] = running.push(server.launch(9, { parent: server.cron }));
    expect(others).toEqual([]);
    expect(first?.rule).toMatchObject({ id: 'DET0063-UNUSUAL', severity: 'low' });
    expect(first?.behavior?.runtime).toEqual({
      hostRole: 'unassigned',
      interpreter: 'system',
      context: 'cron',
      userRole: 'user:al',
      hasAgedOut: false,
    });
    expect(told(running.push(server.launch(12, { parent: server.cron })))).toEqual([]);
    const later = running.push(server.launch(17, { parent: server.cron }));
    expect(later.map(({ revision, suppressed }) => [revision, suppressed ?? 0])).toEqual(
      expect.arrayContaining([
        [2, 1],
        [1, 0],
      ]),
    );
  });

  test.each([
    ['an interpreter from another place', { path: '/srv/app/python3' }, ['DET0063-UNUSUAL low']],
    ['another user', { user: 'eve' }, ['DET0063-UNUSUAL low']],
    [
      'an interpreter under another name',
      { path: '/opt/job/worker', library: '/usr/lib/x86_64-linux-gnu/libpython3.12.so.1.0' },
      ['DET0063-UNUSUAL medium'],
    ],
  ])('%s is told', async (_, launch, expected) => {
    const server = new Server();
    const running = await learned(server);
    expect(told([...running.push(server.launch(9, launch)), ...running.flush()])).toEqual(expected);
  });

  test('a host takes over what three hosts of its role showed, and an unassigned host does not', async () => {
    const fleet = ['a', 'b', 'c'].map((id) => new Server(id));
    const newcomer = new Server('d');
    for (const [hosts, expected] of [
      [{ '*': 'web' }, []],
      [{ a: 'web', b: 'web', c: 'web' }, ['DET0063-UNUSUAL low']],
    ] as const) {
      const learner = await start({ roles: { hosts, users: { '*': 'staff' } } });
      for (const day of [0, 1, 2, 3]) for (const server of fleet) learner.push(server.launch(day));
      const enforcing = await start({
        mode: 'enforce',
        data: learner.baseline(),
        roles: { hosts, users: { '*': 'staff' } },
      });
      expect(told([...enforcing.push(newcomer.launch(9)), ...enforcing.flush()])).toEqual(expected);
    }
  });
});

test('while a host learns nothing is told, nor without a baseline', async () => {
  const server = new Server();
  const renamed = { path: '/opt/job/worker', library: '/usr/lib/x86_64-linux-gnu/libpython3.12.so.1.0' };
  for (const running of [await start({}), await start()])
    expect(told([...running.push(server.launch(1, renamed)), ...running.flush()])).toEqual([]);
});

describe('expectations', () => {
  test.each([
    ['normal', 'DET0063-UNUSUAL low'],
    ['high', 'DET0063-UNUSUAL medium'],
  ] as const)('Python on a role of %s criticality that runs none is %s', async (criticality, expected) => {
    const server = new Server();
    const expect_ = { db: { python: false, criticality } };
    const running = await learned(server, { roles: { hosts: { '*': 'db' } }, expect: expect_ });
    expect(told([...running.push(server.launch(8)), ...running.flush()])).toEqual([expected]);
  });

  test('a distribution that the role does not list is told', async () => {
    const server = new Server();
    const expect_ = { db: { distributions: ['conda'] } };
    const running = await learned(server, { roles: { hosts: { '*': 'db' } }, expect: expect_ });
    expect(told([...running.push(server.launch(8)), ...running.flush()])).toEqual(['DET0063-UNUSUAL low']);
  });

  test('a misspelt expectation is refused by name', async () => {
    const expect_ = { db: { pyton: false } } as unknown as NonNullable<Baseline['expect']>;
    await expect(start({ expect: expect_ })).rejects.toThrow(/did you mean python/);
  });
});

test('an exception hides it and is counted', async () => {
  const server = new Server();
  const { exceptions } = parseExceptions(
    JSON.stringify({
      exceptions: [
        {
          id: 'X1',
          title: 'nightly job',
          owner: 'ops',
          reason: 'the nightly job was moved to cron on purpose',
          created: '2026-02-01',
          expires: '2026-04-01',
          scope: { rules: ['DET0063-UNUSUAL'] },
          match: [{ field: 'ancestor.executable', is: '/usr/sbin/cron' }],
        },
      ],
    }),
  );
  const running = await learned(server, {}, { exceptions });
  expect(told(running.push(server.launch(9, { parent: server.cron })))).toEqual([]);
  running.flush();
  expect(running.exceptions().map(({ matched }) => matched)).toEqual([1]);
});

test('a snapshot between the launch and the alert changes nothing', async () => {
  const server = new Server();
  const running = await learned(server);
  const events = server.launch(9, { parent: server.cron });
  const early = running.push(events.slice(0, 1));
  const resumed = await start({ mode: 'learn', learnFor: '7d' });
  resumed.restore(running.snapshot());
  expect(told([...early, ...resumed.push(events.slice(1)), ...resumed.flush()])).toEqual(['DET0063-UNUSUAL low']);
});
