/** The judge of behaviour rules: windows, cases, attribution, bounds and snapshots. */
import { describe, expect, test } from 'vitest';
import { keepTime } from '../../src/correlator/behavior/case.js';
import { type BehaviorAlert, createBehaviorJudge } from '../../src/correlator/behavior/judge.js';
import type { Witness } from '../../src/correlator/behavior/witness.js';
import { contentRule, shippedRule } from '../support/content.js';
import { connect, interpreter, node, run, terminal, witness, write } from '../support/witnesses.js';

const rule = shippedRule('AN0173');
const agent = '/Users/alice/Library/LaunchAgents/a.plist';

function judge(witnesses: readonly Witness[], options = {}): readonly BehaviorAlert[] {
  const judging = createBehaviorJudge(rule, options);
  for (const one of witnesses) judging.observe(one);
  judging.flush();
  return judging.drain();
}

const last = (alerts: readonly BehaviorAlert[]): BehaviorAlert | undefined => alerts.at(-1);

describe('times of one instance', () => {
  test('keep what windows can tell apart and nothing more', () => {
    const times: number[] = [];
    for (let at = 0; at <= 100; at++) keepTime(times, at, 10);
    expect(times.length).toBeLessThan(25);
    for (let from = -12; from <= 110; from++) {
      const isInside = (at: number): boolean => at >= from && at <= from + 10;
      const all = Array.from({ length: 101 }, (_, at) => at).some(isInside);
      expect(times.some(isInside)).toBe(all);
    }
  });

  test('a repeated time is kept once', () => {
    const times = [1, 5];
    keepTime(times, 5, 1);
    expect(times).toEqual([1, 5]);
  });
});

describe('evidence', () => {
  test('names the class and item of each instance, and bears the values it was witnessed with', () => {
    const [alert] = judge([write(1, agent)]);
    expect(alert?.evidence.map((one) => one.step)).toEqual(['PERSIST.file_write']);
    expect(alert?.evidence[0]?.fields['file.path']).toBe(agent);
  });

  test('of a flood stays bounded, and what was dropped is counted', () => {
    const judging = createBehaviorJudge(rule);
    for (let i = 0; i < 1000; i++) judging.observe(connect(i / 10, `203.0.113.${i % 250}`, 443 + i));
    const alert = last(judging.drain());
    expect(alert?.evidence.length).toBeLessThanOrEqual(200);
    expect(judging.losses()).toEqual([{ reason: 'evidence', host: 'h1', count: 800 }]);
  });

  test('of a case that goes on is told again after ten new instances', () => {
    const alerts = judge([
      write(0, agent),
      ...Array.from({ length: 25 }, (_, i) => write(i + 1, `${agent}${i}.plist`)),
    ]);
    expect(alerts.map((alert) => alert.revision)).toEqual([1, 2, 3]);
  });
});

describe('levels', () => {
  test('ten hosts inside the own network are notable, nine are not', () => {
    const inside = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        witness({
          item: 'connection_internal',
          at: i,
          fields: { 'destination.ip': `10.0.0.${i}`, 'destination.port': 445 },
        }),
      );
    expect(judge(inside(9))).toEqual([]);
    expect(last(judge(inside(10)))?.severity).toBe('low');
  });

  test('a name that anyone can take is notable', () => {
    const named = connect(1, '203.0.113.1', 443, {
      fields: { 'destination.ip': '203.0.113.1', 'destination.port': 443, 'destination.domain': 'x.ngrok.io.' },
    });
    expect(last(judge([named]))?.severity).toBe('low');
  });

  test('no name counts only where the source would have reported lookups', () => {
    const bare = (module: string) =>
      connect(1, '203.0.113.1', 443, {
        fields: { 'event.module': module, 'destination.ip': '203.0.113.1', 'destination.port': 443 },
      });
    expect(last(judge([bare('endpoint')]))?.severity).toBe('low');
    expect(judge([bare('other')])).toEqual([]);
  });

  test('a lookup by the session names the address for five minutes', () => {
    const lookup = witness({
      item: 'lookup',
      at: 0,
      fields: { 'dns.question.name': 'a.example', 'dns.resolved_ip': ['203.0.113.1'] },
    });
    const bare = (at: number) =>
      connect(at, '203.0.113.1', 443, {
        fields: { 'event.module': 'endpoint', 'destination.ip': '203.0.113.1', 'destination.port': 443 },
      });
    expect(judge([lookup, bare(300)])).toEqual([]);
    expect(last(judge([lookup, bare(301)]))?.severity).toBe('low');
  });
});

describe('attribution', () => {
  const item = (at: number, more = {}) =>
    witness({ item: 'launch_item', at, chain: [], fields: { 'Persistence.path': agent }, ...more });

  test('an item that the system reports belongs to the session that wrote its path within a minute', () => {
    const [alert] = judge([write(1, agent), item(61)]);
    expect(alert?.detail.classes.PERSIST).toMatchObject({ instances: 1 });
    expect(last(judge([item(1), write(50, agent)]))?.detail.classes.PERSIST).toMatchObject({ count: 2 });
  });

  test('and to nobody when no session did', () => {
    expect(judge([item(1)])).toEqual([]);
    expect(last(judge([item(1), write(62, agent)]))?.detail.classes.PERSIST).toMatchObject({ count: 1 });
  });

  test('the root is the topmost interpreter, whatever runs between', () => {
    const chain = [interpreter('e30'), node('e29', ['/bin/bash']), interpreter('e20'), terminal];
    expect(judge([write(1, agent, { chain })])[0]?.detail.session.root).toBe('e20');
  });

  test('below a service host each script is a session of its own', () => {
    const host = node('e5', ['/opt/homebrew/bin/python3', '/usr/bin/supervisord'], { marks: ['python'] });
    const chain = [interpreter('e30'), host, terminal];
    expect(judge([write(1, agent, { chain })])[0]?.detail.session.root).toBe('e30');
    expect(judge([write(1, agent, { chain: [host, terminal] })])[0]?.detail.session.root).toBe('e5');
  });

  test('a late event from before the launch is not of the session', () => {
    expect(judge([write(-5, agent, { late: true })])).toEqual([]);
  });
});

describe('what is known of the session', () => {
  test('a persistence command inside a shell string counts', () => {
    const [alert] = judge([run(1, ['/bin/sh', '-c', 'true && sudo launchctl load /tmp/x.plist'])]);
    expect(alert?.evidence.map((one) => one.step)).toContain('PERSIST.launchctl_load');
  });

  test('a command and the shell that ran it count once', () => {
    const alerts = judge([
      run(1, ['/bin/sh', '-c', 'whoami; id']),
      run(2, ['/usr/bin/whoami']),
      run(3, ['/usr/bin/sw_vers']),
    ]);
    expect(last(alerts)?.detail.classes.ENUM).toMatchObject({ instances: 3, count: 4 });
  });

  test('a program that the session wrote and then ran is a chain', () => {
    const witnesses = [
      witness({ item: 'program_write', at: 1, fields: { 'file.path': '/tmp/.a' } }),
      witness({ item: 'execution', at: 30, fields: { 'process.executable': '/private/tmp/.a' } }),
      write(40, agent),
    ];
    expect(last(judge(witnesses))).toMatchObject({ severity: 'high', detail: { modifiers: ['M3'] } });
  });

  test('confidence falls with every reason to doubt', () => {
    const bare = { ...interpreter('e20'), link: 'none' as const };
    expect(judge([write(1, agent)])[0]?.detail).toMatchObject({ dataQuality: [] });
    expect(judge([write(1, agent, { chain: [bare] })])[0]?.detail).toMatchObject({
      dataQuality: ['lineage_broken', 'parent_missing'],
      session: { context: 'unknown', contextReasons: ['parent_missing'] },
    });
  });
});

describe('configuration', () => {
  test('a wider list of suspicious directories raises what lies there', () => {
    const wider = contentRule('AN0173', { 'an0173.suspicious_dirs': ['~/proj/*'] });
    const judging = createBehaviorJudge(wider);
    judging.observe(write(1, agent));
    expect(judging.drain()[0]?.severity).toBe('high');
  });

  test('outside business hours is a weak modifier', () => {
    const hours = { utc_offset_minutes: 0, intervals: [{ days: [2, 3, 4, 5], from: '08:00', to: '18:00' }] };
    const judging = createBehaviorJudge(contentRule('AN0173', { 'an0173.business_hours': hours }));
    judging.observe(write(1, agent));
    expect(judging.drain()[0]?.detail.weak).toContain('business_hours');
  });
});

describe('state', () => {
  const stream = [
    write(1, agent),
    connect(30, '203.0.113.9', 4444),
    run(200, ['/usr/bin/csrutil', 'status']),
    connect(2000, '203.0.113.9', 4444),
    write(2100, agent),
  ];

  test('stopping and restoring anywhere changes nothing', () => {
    const whole = judge(stream);
    for (let cut = 0; cut <= stream.length; cut++) {
      const first = createBehaviorJudge(rule);
      for (const one of stream.slice(0, cut)) first.observe(one);
      const before = first.drain();
      const second = createBehaviorJudge(rule);
      second.restore(JSON.parse(JSON.stringify(first.snapshot())));
      for (const one of stream.slice(cut)) second.observe(one);
      second.flush();
      expect([...before, ...second.drain()]).toEqual(whole);
    }
  });

  test('sessions are bounded; dropping an open one is a loss of its host', () => {
    const judging = createBehaviorJudge(rule, { sessionsMax: 10 });
    for (let i = 0; i < 25; i++) judging.observe(write(i, agent, { chain: [interpreter(`e${i}`), terminal] }));
    expect(judging.losses()).toEqual([{ reason: 'session', host: 'h1', count: 15 }]);
  });

  test('detections below the minimum are counted and not told', () => {
    const judging = createBehaviorJudge(rule, { minSeverity: 'high' });
    judging.observe(write(1, agent));
    expect(judging.drain()).toEqual([]);
    expect(judging.belowMinimum).toBe(1);
  });
});
