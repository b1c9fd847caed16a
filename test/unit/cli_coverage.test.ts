import { afterAll, describe, expect, test } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CoverageReport } from '../../src/correlator/coverage/report.js';
import { loadCoverageModel } from '../../src/engine/load_coverage.js';
import { createWorkspace, runCli } from '../support/cli.js';
import { pythonSession } from '../support/eslogger.js';
import { equals, matchRule } from '../support/rules.js';

const workspace = createWorkspace();
afterAll(() => workspace.remove());

describe('a macOS host that only Endpoint Security reports on', () => {
  const file = workspace.file('mac.ndjson', pythonSession);

  test('is blind to the network leg of AN0173, and to no other', async () => {
    const { stdout } = await runCli('coverage', '--json', file);
    const report = JSON.parse(stdout) as CoverageReport;
    const rule = report.hosts[0]?.rules.find((one) => one.rule === 'AN0173');
    expect(report.hosts[0]).toMatchObject({ platform: 'macos', pythonLaunches: 1 });
    expect(rule?.status).toBe('degraded');
    expect(rule?.legs).toMatchObject({
      NET: { status: 'blind', gaps: [{ code: 'G-ES-NO-IP' }] },
      PERSIST: { status: 'full' },
      ENUM: { status: 'full' },
    });
  });

  test('is told so in words, with the reason and the remedy', async () => {
    const { stdout } = await runCli('coverage', file);
    expect(stdout).toMatch(/AN0173 +degraded/);
    expect(stdout).toMatch(/NET +blind +G-ES-NO-IP/);
    expect(stdout).toMatch(/PERSIST +full\n/);
    expect(stdout).toMatch(/ENUM +full\n/);
    expect(stdout).toContain('Endpoint Security has no event for IP connections');
    expect(stdout).toContain('Add a network source beside it');
    expect(stdout).not.toContain('AN0172');
  });
});

const model = await loadCoverageModel();

const event = (host: string, category: string, second = 0) => ({
  '@timestamp': new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
  event: { category, type: 'start', action: 'start', id: `${host}-${category}-${second}` },
  host: { id: host },
  process: { name: 'python3', pid: 7 },
});

const rules = [matchRule('outbound', equals('process.name', 'python3'), 'network')];

describe('the coverage of a correlator', () => {
  test('asks of a rule that the model does not know that events of its categories come', async () => {
    const correlator = await createCorrelator({ rules, coverage: model });
    correlator.push([event('a', 'process'), event('b', 'process', 1), event('b', 'network', 2)]);
    const { matrix, hosts } = correlator.coverage();
    expect(matrix['outbound']).toMatchObject({ blind: 1, full: 1 });
    expect(hosts[0]?.rules).toMatchObject([
      { rule: 'outbound', status: 'blind', gaps: [{ code: 'G-EVENTS-NETWORK' }] },
    ]);
  });

  test('is carried by each alert for its rule on its host', async () => {
    const correlator = await createCorrelator({ rules, coverage: model });
    const alerts = correlator.push([event('b', 'network', 2)]);
    expect(alerts.map(({ coverage }) => coverage)).toEqual([{ rule: 'full' }]);
  });

  test('counts late events', async () => {
    const correlator = await createCorrelator({ rules, coverage: model });
    correlator.push([event('a', 'process', 9), event('a', 'process', 1)]);
    expect(correlator.stats().rows.late).toBe(1);
    expect(correlator.coverage().hosts[0]).toMatchObject({ events: 2, classes: { process_exec: 2 } });
  });

  test('gives equal counts for any split into pushes, and with lateness', async () => {
    const events = Array.from({ length: 40 }, (_, i) => event(`h${i % 3}`, i % 4 === 0 ? 'network' : 'process', i));
    const whole = await createCorrelator({ rules, coverage: model });
    whole.push(events);
    whole.flush();
    const split = await createCorrelator({ rules, coverage: model, lateness: '5s' });
    for (const one of events) split.push([one]);
    split.flush();
    expect(split.coverage()).toEqual(whole.coverage());
  });

  test('goes on after a snapshot', async () => {
    const before = await createCorrelator({ rules, coverage: model });
    before.push([event('a', 'process'), event('b', 'network', 1)]);
    const after = await createCorrelator({ rules, coverage: model });
    after.restore(before.snapshot());
    after.push([event('a', 'network', 2)]);
    before.push([event('a', 'network', 2)]);
    const { stream: _, ...expected } = before.coverage();
    expect(after.coverage()).toMatchObject(expected);
  });

  test('tells how many hosts were given up for room', async () => {
    const correlator = await createCorrelator({ rules, coverage: model, memory: '10MiB' });
    const hosts = 9000;
    correlator.push(Array.from({ length: hosts }, (_, i) => event(`h${i}`, 'process', i)));
    const { hostsTotal, hostsForgotten } = correlator.coverage();
    expect(hostsForgotten).toBeGreaterThan(0);
    expect(hostsTotal + hostsForgotten).toBe(hosts);
  });

  test('is refused without a model', async () => {
    const correlator = await createCorrelator({ rules });
    expect(() => correlator.coverage()).toThrow(/no coverage model/);
  });
});
