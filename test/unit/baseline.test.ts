import { describe, expect, test } from 'vitest';
import { EndpointHost, type Process } from '../../examples/generator/endpoint.js';
import { Random } from '../../examples/generator/random.js';
import { Baseline } from '../../src/correlator/behavior/baseline.js';
import { approveBaseline, type BaselineData, sealBaseline } from '../../src/correlator/behavior/baseline_data.js';
import { registeredDomain, type Tuple } from '../../src/correlator/behavior/tuples.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { BaselineChoice } from '../../src/correlator/options.js';
import { loadCoverageModel } from '../../src/engine/load_coverage.js';
import { shippedRule } from '../support/content.js';
import { inProcess, MemoryStore } from '../support/engine_runs.js';

const coverage = await loadCoverageModel();

const dayUs = 86_400_000_000;
const dayMs = dayUs / 1000;
const startMs = Date.UTC(2026, 1, 2, 9);
const host = { id: 'h1' };
const rule = 'AN0174';
const tuple: Tuple = {
  kind: 'network',
  parts: ['dev', 'person', 'ssh', '/usr/bin/python3.<v>', '~/a.py', 'example.com:443'],
};
const learn = (data?: BaselineData) =>
  new Baseline({ mode: 'learn', learnForUs: 14 * dayUs, hostRoles: { '*': 'dev' }, ...(data && { data }) });
const at = (day: number): number => startMs * 1000 + day * dayUs;

describe('a baseline', () => {
  test('knows what it saw on three days', () => {
    const baseline = learn();
    for (const day of [0, 0, 1]) baseline.saw(host, tuple, at(day), rule);
    expect(baseline.knows(host, tuple, at(2))).toBe(false);
    baseline.saw(host, tuple, at(2), rule);
    expect(baseline.knows(host, tuple, at(15))).toBe(true);
  });

  test('knows what it saw in five launches of one day', () => {
    const baseline = learn();
    for (let i = 0; i < 5; i++) baseline.saw(host, tuple, at(0) + i, rule);
    expect(baseline.knows(host, tuple, at(1))).toBe(true);
  });

  test('knows for a host what three hosts of its role showed, when they are a fifth of it', () => {
    const baseline = learn();
    for (const id of ['a', 'b', 'c']) baseline.saw({ id }, tuple, at(0), rule);
    expect(baseline.knows({ id: 'd' }, tuple, at(1))).toBe(true);
    for (let i = 0; i < 20; i++) baseline.isLearning({ id: `x${i}` }, at(0), rule);
    expect(baseline.knows({ id: 'd' }, tuple, at(1))).toBe(false);
  });

  test('gives hosts without a role nothing of others', () => {
    const baseline = new Baseline({ mode: 'learn', learnForUs: 14 * dayUs });
    const unassigned: Tuple = { ...tuple, parts: ['unassigned', ...tuple.parts.slice(1)] };
    for (const id of ['a', 'b', 'c']) baseline.saw({ id }, unassigned, at(0), rule);
    expect(baseline.knows({ id: 'd' }, unassigned, at(1))).toBe(false);
  });

  test('forgets what it did not see for thirty days, and learns nothing once it is in force', () => {
    const baseline = learn();
    for (const day of [0, 1, 2]) baseline.saw(host, tuple, at(day), rule);
    expect(baseline.knows(host, tuple, at(32))).toBe(true);
    expect(baseline.knows(host, tuple, at(33))).toBe(false);
    for (const day of [33, 34, 35]) baseline.saw(host, tuple, at(day), rule);
    expect(baseline.knows(host, tuple, at(35))).toBe(false);
  });

  test('goes out and comes in as the same JSON', () => {
    const baseline = learn();
    for (const day of [0, 1, 2]) baseline.saw(host, tuple, at(day), rule);
    const data: BaselineData = JSON.parse(JSON.stringify(baseline.export()));
    expect(learn(data).export()).toEqual(data);
    expect(learn(data).knows(host, tuple, at(3))).toBe(true);
  });

  test('of data that was changed and not sealed again knows nothing, and says so', () => {
    const baseline = learn();
    for (const day of [0, 1, 2]) baseline.saw(host, tuple, at(day), rule);
    const data = baseline.export();
    const changed = { ...data, hosts: [] };
    expect(learn(changed).knows(host, tuple, at(3))).toBe(false);
    expect(learn(changed).stats(at(3)).refused).toMatch(/sealed/);
    expect(learn({ ...data, generalisation: 0 }).stats(at(3)).refused).toMatch(/learn anew/);
    expect(learn(sealBaseline(changed)).stats(at(3)).refused).toBeUndefined();
  });

  test('knows a persistence item by approval only', () => {
    const item: Tuple = { kind: 'persistence', parts: ['dev', '/etc/cron.d/backup', '/opt/b.py'] };
    const baseline = learn();
    for (const day of [0, 1, 2, 3]) baseline.saw(host, item, at(day), rule);
    expect(baseline.knows(host, item, at(4))).toBe(false);
    const approved = [{ role: 'dev', path: '/etc/cron.d/backup', program: '/opt/b.py', by: 'lead', at: '2026-02-01' }];
    expect(learn(sealBaseline({ ...learn().export(), approved })).knows(host, item, at(4))).toBe(true);
  });
});

describe('the states of a host', () => {
  const learned = (): BaselineData => {
    const baseline = learn();
    for (const day of [0, 1, 2]) baseline.saw(host, tuple, at(day), rule);
    return baseline.export();
  };
  const reviewing = (data: BaselineData) => new Baseline({ mode: 'enforce', learnForUs: 0, isReviewed: true, data });

  test('a rule that is loaded later learns from then on', () => {
    const baseline = learn();
    baseline.saw(host, tuple, at(0), rule);
    expect(baseline.stateOf(host, at(15), rule)).toBe('enforced');
    expect(baseline.stateOf(host, at(15), 'AN0173')).toBe('learning');
    expect(learn(baseline.export()).stateOf(host, at(28), 'AN0173')).toBe('learning');
  });

  test('where a review is required, what was learned is a proposal until somebody approves it', () => {
    const proposal = learned();
    expect(reviewing(proposal).stateOf(host, at(15), rule)).toBe('review');
    expect(reviewing(proposal).knows(host, tuple, at(15))).toBe(false);
    const approved = approveBaseline(proposal, { by: 'lead', at: '2026-02-20T00:00:00Z' });
    expect(reviewing(approved).stateOf(host, at(19), rule)).toBe('enforced');
    expect(reviewing(approved).knows(host, tuple, at(19))).toBe(true);
    expect(approved.audit).toEqual([
      { at: '2026-02-20T00:00:00Z', by: 'lead', action: 'approve', hosts: ['h1'], reviewed: proposal.hash },
    ]);
  });

  test('an approval counts for the hosts that it names', () => {
    const approved = approveBaseline(learned(), { by: 'lead', at: '2026-02-20T00:00:00Z', hosts: ['web-*'] });
    expect(reviewing(approved).knows(host, tuple, at(19))).toBe(false);
  });

  test('an approval ends the learning of a host before its time', () => {
    const approved = approveBaseline(learned(), { by: 'lead', at: '2026-02-04T12:00:00Z' });
    expect(learn(learned()).stateOf(host, at(3), rule)).toBe('learning');
    expect(learn(approved).stateOf(host, at(3), rule)).toBe('enforced');
  });

  test('what is frozen neither ages nor changes', () => {
    const frozen = learn(approveBaseline(learned(), { by: 'lead', at: '2026-02-20T00:00:00Z', state: 'frozen' }));
    const before = frozen.export().tuples;
    frozen.saw(host, tuple, at(40), rule);
    expect(frozen.export().tuples).toEqual(before);
    expect(frozen.knows(host, tuple, at(100))).toBe(true);
    expect(frozen.stats(at(100)).hosts).toEqual({ learning: 0, review: 0, enforced: 0, frozen: 1 });
  });
});

test.each([
  ['a.example.com', 'example.com'],
  ['example.com', 'example.com'],
  ['x.y.example.co.uk', 'example.co.uk'],
  ['localhost', 'localhost'],
])('the registered domain of %s is %s', (name, expected) => {
  expect(registeredDomain(name)).toBe(expected);
});

/** A developer's host whose script reads keys and connects, once a day. */
class Habit {
  readonly endpoint: EndpointHost;
  readonly terminal: Process;
  readonly cron: Process;

  constructor(id = 'dev-1') {
    const { name, ...linux } = { name: id, platform: 'linux', osName: 'Ubuntu', osVersion: '24.04' } as const;
    this.endpoint = new EndpointHost({ id, name, ...linux, ip: '10.0.0.9', agentId: 'a1' }, new Random(1));
    const before = startMs - dayMs;
    this.terminal = this.endpoint.spawn(before, undefined, ['/usr/bin/gnome-terminal-server'], { user: 'al' });
    this.cron = this.endpoint.spawn(before, undefined, ['/usr/sbin/cron'], { user: 'root' });
  }

  run(day: number, domain: string, address: string, parent: Process = this.terminal, script = '/home/al/proj/s.py') {
    const timeMs = startMs + day * dayMs;
    const { endpoint } = this;
    const root = endpoint.spawn(timeMs, parent, ['/usr/bin/python3', script], {
      path: '/usr/bin/python3.12',
      user: 'al',
    });
    endpoint.file(timeMs + 100, root, '/home/al/.aws/credentials', 'open');
    endpoint.visit(timeMs + 200, root, domain, address);
    return endpoint.documents.splice(0).map(({ document }) => document);
  }
}

async function correlator(baseline?: BaselineChoice) {
  return createCorrelator({ rules: [shippedRule('AN0174')], ...(baseline === undefined ? {} : { baseline }) });
}

describe('a correlator with a baseline', () => {
  test('holds back while it learns, then leaves out what is known and tells the rest', async () => {
    const habit = new Habit();
    const running = await correlator({ mode: 'learn', learnFor: '7d' });
    const told: string[] = [];
    const push = (events: readonly object[]) => running.push(events).map((alert) => `${alert.rule.severity}`);
    for (let day = 0; day < 6; day++)
      told.push(...push(habit.run(day, 's3.eu-central-1.amazonaws.com', '198.51.100.1')));
    expect(told).toEqual([]);
    expect(running.stats().baseline?.heldBack).toBe(6);
    expect(push(habit.run(8, 's3.eu-central-1.amazonaws.com', '198.51.100.1'))).toEqual([]);
    expect(push(habit.run(9, 'other.s3.amazonaws.com', '198.51.100.2'))).toEqual(['medium']);
    expect(
      push(habit.run(10, 's3.eu-central-1.amazonaws.com', '198.51.100.1', habit.terminal, '/home/al/new.py')),
    ).toEqual(['medium']);
  });

  test('tells high and critical while it learns, and learns nothing of them', async () => {
    const habit = new Habit();
    const running = await correlator({ mode: 'learn', learnFor: '7d' });
    const severities: string[] = [];
    for (let day = 0; day < 7; day++) {
      for (const alert of running.push(habit.run(day, 'c2.example.com', '203.0.113.9', habit.cron)))
        severities.push(alert.rule.severity);
    }
    expect(severities).toEqual(Array(7).fill('high'));
    const networks = running.baseline().tuples.filter(({ kind }) => kind === 'network');
    expect(networks).toEqual([]);
  });

  test('enforces what another learned, and keeps it over a snapshot', async () => {
    const habit = new Habit();
    const learner = await correlator({ mode: 'learn', learnFor: '7d' });
    for (let day = 0; day < 6; day++) learner.push(habit.run(day, 'api.example.com', '198.51.100.1'));
    learner.push(habit.run(7, 'api.example.com', '198.51.100.1'));
    const data = JSON.parse(JSON.stringify(learner.baseline())) as BaselineData;
    const enforcing = await correlator({ mode: 'enforce', data });
    expect(enforcing.push(habit.run(8, 'api.example.com', '198.51.100.1'))).toEqual([]);
    const resumed = await correlator({
      mode: 'enforce',
      data: sealBaseline({ hosts: [], tuples: [], approved: [], heldBack: [], audit: [] }),
    });
    resumed.restore(enforcing.snapshot());
    expect(resumed.push(habit.run(9, 'api.example.com', '198.51.100.1'))).toEqual([]);
    const refused = await correlator({ mode: 'enforce', data: { ...data, hosts: [] } });
    expect(refused.push(habit.run(8, 'api.example.com', '198.51.100.1'))).toHaveLength(1);
    expect(refused.stats().baseline?.refused).toMatch(/sealed/);
  });

  test('learns the same of a stream that comes at once', async () => {
    const habit = new Habit();
    const days = [0, 1, 2, 3, 4, 8, 9].map((day) => habit.run(day, 'api.example.com', '198.51.100.1'));
    const choice: BaselineChoice = { mode: 'learn', learnFor: '7d' };
    const [whole, parted] = [await correlator(choice), await correlator(choice)];
    const told = days.flatMap((events) => parted.push(events));
    expect(told).toEqual([]);
    expect([...whole.push(days.flat()), ...whole.flush()]).toEqual([...told, ...parted.flush()]);
    expect(whole.baseline()).toEqual(parted.baseline());
  });

  test('learns after a snapshot what sessions showed before it', async () => {
    const choice: BaselineChoice = { mode: 'learn', learnFor: '7d' };
    const days = (habit: Habit) => [0, 1, 2, 3].map((day) => habit.run(day, 'api.example.com', '198.51.100.1'));
    const whole = await correlator(choice);
    for (const events of days(new Habit())) whole.push(events);
    let running = await correlator(choice);
    for (const events of days(new Habit())) {
      running.push(events);
      const next = await correlator(choice);
      next.restore(running.snapshot());
      running = next;
    }
    for (const one of [whole, running]) one.flush();
    expect(running.baseline().tuples.filter(({ kind }) => kind === 'network')).toHaveLength(1);
    expect(running.baseline()).toEqual(whole.baseline());
  });

  test('keeps what it leaves out as evidence, with the reason', async () => {
    const habit = new Habit();
    const running = await correlator({ mode: 'learn', learnFor: '5d' });
    for (let day = 0; day < 5; day++) running.push(habit.run(day, 'api.example.com', '198.51.100.1'));
    const events = habit.run(7, 'api.example.com', '198.51.100.1');
    const root = habit.endpoint.spawn(startMs + 8 * dayMs, habit.terminal, ['/usr/bin/python3', '/home/al/proj/s.py'], {
      path: '/usr/bin/python3.12',
      user: 'al',
    });
    habit.endpoint.file(startMs + 8 * dayMs + 50, root, '/home/al/.aws/credentials', 'open');
    habit.endpoint.visit(startMs + 8 * dayMs + 100, root, 'api.example.com', '198.51.100.1');
    habit.endpoint.visit(startMs + 8 * dayMs + 400, root, 'evil.example.net', '198.51.100.7');
    events.push(...habit.endpoint.documents.splice(0).map(({ document }) => document));
    const [alert] = running.push(events);
    expect(alert?.behavior?.removed.map(({ reason }) => reason)).toEqual(['baseline']);
    expect(alert?.behavior?.classes.NET?.instances).toBe(1);
  });

  test('without the option tells everything and has no baseline to give', async () => {
    const habit = new Habit();
    const running = await correlator();
    for (let day = 0; day < 4; day++)
      expect(running.push(habit.run(day, 'api.example.com', '198.51.100.1'))).toHaveLength(1);
    expect(() => running.baseline()).toThrow(/mode: 'learn'/);
  });

  test.each([
    [{ mode: 'guess' }, /baseline.mode/],
    [{ mode: 'enforce' }, /baseline.data/],
    [{ mode: 'learn', learnfor: '1d' }, /learnFor/],
  ])('refuses %j by name', async (baseline, message) => {
    await expect(correlator(baseline as BaselineChoice)).rejects.toThrow(message);
  });
});

describe('an engine with a baseline', () => {
  const rules = [shippedRule('AN0174'), shippedRule('DET0063-UNUSUAL')];
  const choice: BaselineChoice = { mode: 'learn', learnFor: '7d', roles: { hosts: (name) => name.slice(0, 3) } };
  const options = { rules, baseline: choice, coverage, memory: '32MiB', lateness: '1m' } as const;

  /** Seven hosts of one role have a habit; the last begins it when the others know it. One does something new. */
  function batches(): object[][] {
    const hosts = Array.from({ length: 7 }, (_, i) => new Habit(`dev-${i + 1}`));
    const days = [0, 1, 2, 3, 4, 8, 9].map((day) =>
      hosts.slice(0, 6).flatMap((habit) => habit.run(day, 'api.example.com', '198.51.100.1')),
    );
    const [first, last] = [hosts[0], hosts[6]] as [Habit, Habit];
    const attack = first.run(9.2, 'c2.example.net', '203.0.113.9', first.cron);
    const newcomer = [9.5, 17].map((day) => last.run(day, 'api.example.com', '198.51.100.1'));
    const other = hosts[2]?.run(17.1, 'api.example.com', '198.51.100.1', undefined, '/tmp/x.py') ?? [];
    return [...days, attack, ...newcomer, other];
  }

  test('tells, learns and covers what one correlator does, for any number of shards', async () => {
    const single = await createCorrelator(options);
    const expected = batches().map((events) => single.push(events));
    expected.push(single.flush());
    expect(expected.flat().map(({ rule, host }) => `${host?.id} ${rule.id} ${rule.severity}`)).toContain(
      'dev-1 AN0174 high',
    );
    for (const shards of [1, 2, 4]) {
      const engine = await inProcess({ ...options, shards });
      const told = [];
      for (const events of batches()) told.push(await engine.push(events));
      told.push(await engine.flush());
      expect(told).toEqual(expected);
      expect(await engine.baseline()).toEqual(single.baseline());
      expect((await engine.coverage()).hosts).toEqual(single.coverage().hosts);
      const { baseline, rules: counts } = await engine.stats();
      expect(baseline).toEqual(single.stats().baseline);
      expect(counts.map(({ id, alerts }) => [id, alerts])).toEqual(
        single.stats().rules.map(({ id, alerts }) => [id, alerts]),
      );
      await engine.close();
    }
  });

  test('goes on where it was stopped, with another number of shards', async () => {
    const single = await createCorrelator(options);
    const expected = batches().flatMap((events) => single.push(events));
    const store = new MemoryStore();
    const told = [];
    for (const [index, events] of batches().entries()) {
      const engine = await inProcess({ ...options, shards: 1 + (index % 3), state: { store } });
      told.push(...(await engine.push(events)));
      await engine.close();
    }
    expect(told).toEqual(expected);
    const last = await inProcess({ ...options, shards: 2, state: { store } });
    expect(await last.baseline()).toEqual(single.baseline());
    await last.close();
  });

  test('without the option has none to give', async () => {
    const engine = await inProcess({ rules, shards: 1, memory: '32MiB' });
    await expect(engine.baseline()).rejects.toThrow(/mode: 'learn'/);
    await engine.close();
  });
});
