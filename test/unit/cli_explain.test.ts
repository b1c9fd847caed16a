import { afterAll, describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/correlator/explain/explain.js';
import { createWorkspace, runCli } from '../support/cli.js';

const workspace = createWorkspace();
afterAll(() => workspace.remove());

let files = 0;

async function explain(rule: string, events: readonly object[]): Promise<Explanation & { text: string }> {
  const name = `r${files++}`;
  const args = ['--rules', workspace.file(`${name}.eql`, rule), workspace.file(`${name}.ndjson`, events)];
  const json = await runCli('explain', '--rule', name, '--json', ...args);
  expect(json).toMatchObject({ code: 0, stderr: '' });
  const { stdout } = await runCli('explain', '--rule', name, ...args);
  return { ...(JSON.parse(json.stdout) as Explanation), text: stdout };
}

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 10, 0, seconds)).toISOString();

const start = (seconds: number, name: string, more: object = {}) => ({
  '@timestamp': at(seconds),
  event: { category: 'process', type: 'start', id: `p${seconds}` },
  host: { id: 'h1' },
  process: { name, entity_id: 'e1' },
  ...more,
});

const connect = (seconds: number, port: number, entity = 'e1') => ({
  '@timestamp': at(seconds),
  event: { category: 'network', type: 'start', id: `n${seconds}` },
  host: { id: 'h1' },
  process: { name: 'python3', entity_id: entity },
  destination: { port },
});

describe('a rule on single events', () => {
  const rule = 'process where event.type == "start" and process.name == "python3" and not user.name == "root"';

  test('that fired shows its alerts', async () => {
    const { alertCount, text } = await explain(rule, [start(0, 'python3', { user: { name: 'ada' } })]);
    expect(alertCount).toBe(1);
    expect(text).toContain('fired 1 time on 1 event');
  });

  test('names the condition that failed on the nearest event, in the words of the rule, with the value found', async () => {
    const { parts, text } = await explain(rule, [start(0, 'bash'), start(1, 'python3', { user: { name: 'root' } })]);
    const [nearest] = parts[0]?.nearest ?? [];
    expect(nearest).toMatchObject({
      ordinal: 1,
      eventId: 'p1',
      held: ['event.type == "start"', 'process.name == "python3"'],
    });
    expect(nearest?.failed).toEqual([{ condition: 'not user.name == "root"', values: { 'user.name': 'root' } }]);
    expect(text).toContain('failed  not user.name == "root"');
    expect(text).toContain('user.name is "root"');
  });

  test('says that a category was never seen', async () => {
    const { missingCategories, text } = await explain(rule, [connect(0, 443)]);
    expect(missingCategories).toEqual(['process']);
    expect(text).toContain('Missing telemetry: no event of category "process" was seen.');
  });

  test('says that a field is carried by no event of the category', async () => {
    const { parts } = await explain('process where process.parent.name == "sshd"', [start(0, 'bash')]);
    expect(parts[0]).toMatchObject({ seen: 1, matched: 0, missingFields: ['process.parent.name'] });
  });

  test('looks at the alternatives of a condition one by one', async () => {
    const { parts } = await explain(
      'any where (process.name == "a" and destination.port == 1) or (process.name == "python3" and destination.port == 22)',
      [connect(0, 443)],
    );
    expect(parts[0]?.nearest[0]?.failed).toEqual([
      { condition: 'destination.port == 22', values: { 'destination.port': 443 } },
    ]);
  });
});

describe('a sequence', () => {
  const rule = `sequence by process.entity_id with maxspan=10s
  [process where process.name == "python3"]
  [network where destination.port == 22]`;

  test('tells the step that failed', async () => {
    const { parts } = await explain(rule, [start(0, 'python3'), connect(1, 443)]);
    expect(parts.map(({ name, seen, matched }) => [name, seen, matched])).toEqual([
      ['step 1', 1, 1],
      ['step 2', 1, 0],
    ]);
    expect(parts[1]?.missingFields).toEqual([]);
  });

  test('tells that no key is shared', async () => {
    const { joins } = await explain(rule, [start(0, 'python3'), connect(1, 22, 'e2')]);
    expect(joins.join()).toContain(
      'no value of process.entity_id is shared by all of them: step 1 has e1; step 2 has e2',
    );
  });

  test('tells that the closest chain was longer than maxspan', async () => {
    const { joins } = await explain(rule, [start(0, 'python3'), connect(15, 22)]);
    expect(joins.join()).toContain('the closest chain took 15s, longer than maxspan 10s');
  });

  test('tells that the steps came in another order', async () => {
    const { joins } = await explain(rule, [connect(0, 22), start(1, 'python3')]);
    expect(joins.join()).toContain('never in the order of the rule');
  });

  test('tells that an event of `until` came between', async () => {
    const { joins } = await explain(`${rule}\nuntil [process where event.type == "end"]`, [
      start(0, 'python3'),
      { ...start(1, 'python3'), event: { category: 'process', type: 'end', id: 'end' } },
      connect(2, 22),
    ]);
    expect(joins.join()).toContain('ended by an event of until');
  });
});

describe('a behaviour rule of the shipped content', () => {
  const run = async (events: readonly object[]) => {
    const file = workspace.file(`b${files++}.ndjson`, events);
    const { stdout } = await runCli('explain', '--rule', 'AN0173', '--json', file);
    return JSON.parse(stdout) as Explanation;
  };
  const mac = { host: { id: 'm1', os: { type: 'macos' } } };

  test('tells that its root was never seen, and what failed', async () => {
    const { parts, alertCount } = await run([{ ...start(0, 'bash'), ...mac }]);
    expect(alertCount).toBe(0);
    expect(parts[0]).toMatchObject({ seen: 1, matched: 0 });
  });

  test('tells items that were witnessed under a root from those that were not', async () => {
    const { parts } = await run([
      { ...start(0, 'python3'), ...mac, event: { category: 'process', type: 'start', action: 'exec', id: 'x' } },
    ]);
    expect(parts[0]?.matched).toBe(1);
    expect(parts.filter(({ attributed }) => attributed !== undefined).length).toBeGreaterThan(3);
  });
});

test('a rule that is not there is answered with the nearest id', async () => {
  const { code, stderr } = await runCli('explain', '--rule', 'AN0137', workspace.file('none.ndjson', []));
  expect(code).toBe(2);
  expect(stderr).toMatch(/no rule "AN0137"; did you mean "AN017\d"\?/);
});
