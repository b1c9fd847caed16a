import { afterAll, describe, expect, test } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CoverageReport, HostCoverage } from '../../src/correlator/coverage/report.js';
import { loadCoverageModel } from '../../src/engine/load_coverage.js';
import { createWorkspace, runCli } from '../support/cli.js';
import { shippedRule } from '../support/content.js';
import { inProcess } from '../support/engine_runs.js';
import { loadScenarios, type Scenario } from '../support/scenario.js';

const workspace = createWorkspace();
afterAll(() => workspace.remove());

const model = await loadCoverageModel();
const all = loadScenarios(new URL('../cases/scenarios', import.meta.url).pathname);
const scenario = (id: string): Scenario => all.find((one) => one.id === id) as Scenario;
const rules = ['AN0172', 'AN0173', 'AN0174', 'AN0175'].map((id) => shippedRule(id));
const options = { rules, coverage: model, lateness: '30d', maxSkip: '30d' };

/** The scenario's events on a host of its own. */
const eventsOf = (id: string): Record<string, unknown>[] =>
  scenario(id)
    .events.filter((event) => event['host.id'] === 'h1')
    .map((event) => ({
      ...event,
      'host.id': id,
      'host.name': id,
      'event.id': `${id} ${event['event.id']}`,
    }));

async function hostOf(id: string): Promise<HostCoverage> {
  const correlator = await createCorrelator(options);
  correlator.push(eventsOf(id));
  correlator.flush();
  return correlator.coverage().hosts[0] as HostCoverage;
}

describe('trees of interpreters in the coverage', () => {
  test.each([
    ['mac-terminal-triad', { P1: 1 }, { interactive_terminal: 1 }],
    ['mac-embedded-app', { P3: 1 }, { embedded_app: 1 }],
    ['win-pyinstaller', { P2: 1 }, {}],
    ['win-venv-pip', { P1L: 1 }, { package_manager: 1 }],
    ['lin-cron-exfil', { P1: 1 }, { cron: 1 }],
    ['esx-ransom', { P1: 1 }, { esxi_shell: 1 }],
  ])('%s has one root, by tier and context', async (id, byTier, contexts) => {
    const { python } = await hostOf(id);
    expect(python).toMatchObject({ roots: 1, byTier });
    expect(python?.contexts).toMatchObject(contexts);
    expect(Object.keys(python?.byTier ?? {})).toEqual(expect.arrayContaining(['P1', 'P1L', 'P2', 'P2R', 'P3', 'PN']));
  });

  test('a launch that two sensors tell is one root, and one launch of the inventory', async () => {
    for (const id of ['win-two-sensors', 'win-two-sensors-reversed']) {
      const file = workspace.file(`${id}.ndjson`, scenario(id).events as object[]);
      const { stdout } = await runCli('coverage', '--json', file);
      const { hosts } = JSON.parse(stdout) as CoverageReport;
      expect(hosts[0]?.python).toMatchObject({ roots: 1, byTier: { P1: 1 }, contexts: { office: 1 } });
      const { stdout: rows } = await runCli('inventory', '--json', file);
      expect(JSON.parse(rows)).toMatchObject({ launches: 1 });
    }
  });

  test('an unknown context says why', async () => {
    const missing = await hostOf('mac-missing-parent');
    expect(missing.python).toMatchObject({ contextKnownRate: 0, contextUnknown: { parentMissing: 1, orphan: 0 } });
    expect(missing.identity).toMatchObject({ brokenLineageRate: 1, implicitRate: 0, orphanFollowOns: 0 });
  });

  test('follow-ons of a process that was never seen to start are orphans', async () => {
    const { python, identity } = await hostOf('mac-double-fork-no-fork-events');
    expect(python).toMatchObject({ roots: 2, contextUnknown: { orphan: 1 } });
    expect(identity.orphanFollowOns).toBeGreaterThan(0);
    expect(identity.orphanRate).toBe(1);
    expect(identity.implicitRate).toBe(0.5);
  });

  test('weak and strong identities of starts add up', async () => {
    const { identity } = await hostOf('mac-double-fork-no-fork-events');
    expect((identity.strongRate ?? 0) + (identity.weakRate ?? 0)).toBe(1);
    expect(identity.weakRate).toBeGreaterThan(0);
  });

  test('are the same for any number of shards, and go on after a snapshot', async () => {
    const ids = [
      'mac-terminal-triad',
      'mac-double-fork-no-fork-events',
      'win-pyinstaller',
      'lin-cron-exfil',
      'esx-ransom',
    ];
    const events = ids.flatMap(eventsOf);
    const whole = await createCorrelator(options);
    whole.push(events);
    whole.flush();
    const expected = whole.coverage().hosts;
    expect(expected.map(({ python }) => python?.roots)).toEqual([1, 1, 2, 1, 1]);
    for (const shards of [1, 2, 4]) {
      const engine = await inProcess({ ...options, shards });
      await engine.push(events);
      await engine.flush();
      expect((await engine.coverage()).hosts).toEqual(expected);
      await engine.close();
    }
    const first = await createCorrelator(options);
    first.push(events.slice(0, 20));
    const second = await createCorrelator(options);
    second.restore(first.snapshot());
    second.push(events.slice(20));
    second.flush();
    expect(second.coverage().hosts).toEqual(expected);
  });
});

describe('the report over hosts', () => {
  const events = ['mac-terminal-triad', 'mac-coverage-blind', 'lin-cron-exfil'].flatMap(eventsOf);

  test('tells period, platforms, severity of gaps and since when what never came is missing', async () => {
    const correlator = await createCorrelator(options);
    correlator.push(events);
    correlator.flush();
    const report = correlator.coverage();
    expect(report.hostsReporting).toBe(3);
    expect(report.period?.fromUs).toBe(Math.min(...report.hosts.map(({ firstSeenUs }) => firstSeenUs)));
    expect(report.platforms.map(({ platform, hosts }) => [platform, hosts])).toEqual([
      ['macos', 2],
      ['linux', 1],
    ]);
    expect(Object.keys(report.platforms[1]?.matrix ?? {})).toEqual(['AN0174']);
    const blind = report.hosts.find(({ host }) => host.id === 'mac-coverage-blind') as HostCoverage;
    const gap = (code: string) => blind.gaps.find((one) => one.code === code);
    expect(gap('G-ES-NO-IP')).toMatchObject({ severity: 'high', sinceUs: blind.firstSeenUs, rules: ['AN0173'] });
    expect(gap('G-FORK')).toMatchObject({ severity: 'medium', sinceUs: blind.firstSeenUs });
    expect(gap('G-HASH')).toMatchObject({ severity: 'low', sinceUs: null, rules: [] });
    expect(report.hosts.find(({ platform }) => platform === 'linux')?.gaps.map(({ code }) => code)).not.toContain(
      'G-SIGN',
    );
  });

  test('does not miss on a platform what only another has', async () => {
    const correlator = await createCorrelator({ ...options, rules: [...rules, shippedRule('DET0063-UNUSUAL')] });
    correlator.push([
      { ...eventsOf('win-person')[0], 'event.action': 'connection_attempted', 'event.category': ['network'] },
    ]);
    correlator.flush();
    const [host] = correlator.coverage().hosts;
    const unusual = host?.rules.find(({ rule }) => rule === 'DET0063-UNUSUAL');
    expect(unusual?.base.gaps.map(({ code }) => code)).toEqual(['G-EXEC-ABSENT']);
  });

  test('names the sources of Windows recordings', async () => {
    const record = { '@timestamp': '2026-03-02T09:00:00Z', Hostname: 'ws1', Channel: 'Security', EventID: 4688 };
    const launch = { ...record, NewProcessId: '0x10', NewProcessName: 'C:\\Windows\\System32\\cmd.exe' };
    const { stdout } = await runCli('coverage', workspace.file('security.ndjson', [launch]));
    expect(stdout).toContain('1 events (Windows Security log 1)');
  });

  test('is Markdown on request, with text of events as text', async () => {
    const strange = { ...events[0], 'host.id': '<b>|x\u202e', 'host.name': 'x', 'event.id': 'strange' };
    const file = workspace.file('events.ndjson', [...events, strange]);
    const { code, stdout } = await runCli('coverage', '--markdown', file);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# Coverage\n/);
    expect(stdout).toContain('| AN0173.NET | blind | G-ES-NO-IP |');
    expect(stdout).toMatch(/\| G-ES-NO-IP \| high \| 1 \| AN0173 \| Endpoint Security has no event/);
    expect(stdout).toContain('&lt;b>\\|x\\u202e');
    const rows = stdout.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.every((line) => line.endsWith('|'))).toBe(true);
  });

  test('as JSON says when, by which version and with which configuration it was made', async () => {
    const file = workspace.file('json.ndjson', events);
    const read = async (...args: string[]) =>
      JSON.parse((await runCli('coverage', '--json', ...args, file)).stdout) as CoverageReport & Record<string, string>;
    const report = await read();
    expect(report).toMatchObject({ libraryVersion: expect.stringMatching(/^\d+\.\d+\.\d+/) as string });
    expect(Number.isNaN(Date.parse(report['generatedAt'] ?? ''))).toBe(false);
    expect((await read())['configHash']).toBe(report['configHash']);
    const config = workspace.file('config.yml', 'correlation.window: 5m\n');
    expect((await read('--config', config))['configHash']).not.toBe(report['configHash']);
  });

  test('is given in one form', async () => {
    const { code, stderr } = await runCli('coverage', '--json', '--markdown', 'x');
    expect([code, stderr]).toEqual([2, 'vedette coverage: give one of --json and --markdown\n']);
  });
});
