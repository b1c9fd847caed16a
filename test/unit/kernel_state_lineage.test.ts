/**
 * Process lineage as rules see it: `event`, `child` and `descendant` conditions over streams of process events.
 * One case is a list of events and the ids of those that must match.
 */
import { describe, expect, it } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import type { Expr, LineageExpr, MatchRule } from '../../src/rule/ir.js';

const is = (name: string, text: string): Expr => ({
  kind: 'match',
  value: { kind: 'field', name },
  patterns: [{ type: 'equals', text }],
  case: 'exact',
});

const rule = (relation: LineageExpr['relation']): MatchRule => ({
  kind: 'match',
  id: relation,
  name: relation,
  severity: 'low',
  riskScore: 1,
  threat: [],
  query: {
    category: null,
    condition: {
      kind: 'and',
      operands: [
        is('probe', 'yes'),
        { kind: 'lineage', relation, query: { category: 'process', condition: is('process.name', 'python') } },
      ],
    },
  },
});

interface Step {
  readonly id: string;
  readonly at: number;
  /** What the event says of its process: fork, start, end, or nothing. */
  readonly says?: 'fork' | 'start' | 'end' | 'already_running';
  readonly host?: string;
  readonly process: object;
}

function eventOf({ id, at, says, host = 'h', process }: Step): object {
  return {
    '@timestamp': 1_767_225_600_000 + at * 1000,
    host: { id: host },
    event: {
      id,
      category: says === undefined ? 'file' : 'process',
      ...(says === undefined
        ? {}
        : { type: says === 'end' ? 'end' : 'start', action: says === 'start' ? 'exec' : says }),
    },
    probe: 'yes',
    process,
  };
}

async function matched(steps: readonly Step[], options: Partial<CorrelatorOptions> = {}) {
  const rules = (['event', 'child', 'descendant'] as const).map(rule);
  const correlator = await createCorrelator({ rules, memory: '16MiB', ...options });
  const alerts = [...correlator.push(steps.map(eventOf)), ...correlator.flush()];
  const ids = (relation: string) =>
    alerts
      .filter((alert) => alert.rule.id === relation)
      .flatMap((alert) => alert.evidence.map((entry) => ('eventId' in entry ? entry.eventId : '')))
      .sort();
  return { event: ids('event'), child: ids('child'), descendant: ids('descendant'), stats: correlator.stats() };
}

const strong = (entity: string, parent?: string, name?: string, more: object = {}) => ({
  entity_id: entity,
  ...(name === undefined ? {} : { name }),
  ...(parent === undefined ? {} : { parent: { entity_id: parent } }),
  ...more,
});

const weak = (pid: number, parent?: number, name?: string) => ({
  pid,
  ...(name === undefined ? {} : { name }),
  ...(parent === undefined ? {} : { parent: { pid: parent } }),
});

describe('relations', () => {
  const steps: Step[] = [
    { id: 'root', at: 0, says: 'start', process: strong('p', 'init', 'python') },
    { id: 'child', at: 1, says: 'start', process: strong('c', 'p', 'sh') },
    { id: 'grandchild', at: 2, says: 'start', process: strong('g', 'c', 'curl') },
    { id: 'write', at: 3, process: strong('g') },
    { id: 'other', at: 4, says: 'start', process: strong('x', 'init', 'sh') },
  ];

  it('event: the process itself; child: its parent; descendant: any ancestor', async () => {
    const { event, child, descendant } = await matched(steps);
    expect(event).toEqual(['root']);
    expect(child).toEqual(['child']);
    expect(descendant).toEqual(['child', 'grandchild', 'write']);
  });

  it('hold on each host for itself', async () => {
    const { descendant } = await matched([...steps, { id: 'elsewhere', at: 5, host: 'h2', process: strong('g') }]);
    expect(descendant).not.toContain('elsewhere');
  });

  it('hold for events that come out of order within the lateness', async () => {
    const shuffled = [steps[3], steps[1], steps[4], steps[0], steps[2]] as Step[];
    const { descendant } = await matched(shuffled, { lateness: '60s' });
    expect(descendant).toEqual(['child', 'grandchild', 'write']);
  });

  it('hold after the ancestors have exited', async () => {
    const exits: Step[] = [
      { id: 'root-exit', at: 3, says: 'end', process: strong('p') },
      { id: 'late-write', at: 100, process: strong('g') },
    ];
    const { descendant } = await matched([...steps.slice(0, 3), ...exits]);
    expect(descendant).toContain('late-write');
  });
});

describe('a life of a process', () => {
  it('exec in place gives another image and no child', async () => {
    const { event, child } = await matched([
      { id: 'sh', at: 0, says: 'start', process: strong('p', 'init', 'sh') },
      { id: 'before', at: 1, process: strong('p') },
      { id: 'python', at: 2, says: 'start', process: strong('p', 'init', 'python') },
      { id: 'after', at: 3, process: strong('p') },
    ]);
    expect(event).toEqual(['after', 'python']);
    expect(child).toEqual([]);
  });

  it('children from before a mark do not inherit it', async () => {
    const { descendant } = await matched([
      { id: 'sh', at: 0, says: 'start', process: strong('p', 'init', 'sh') },
      { id: 'early', at: 1, says: 'start', process: strong('early', 'p', 'sh') },
      { id: 'python', at: 2, says: 'start', process: strong('p', 'init', 'python') },
      { id: 'late', at: 3, says: 'start', process: strong('late', 'p', 'sh') },
      { id: 'early-write', at: 4, process: strong('early') },
    ]);
    expect(descendant).toEqual(['late']);
  });

  it('a recorded fork parent outlives re-parenting to init', async () => {
    const { descendant } = await matched([
      { id: 'python', at: 0, says: 'start', process: strong('p', 'init', 'python') },
      { id: 'fork', at: 1, says: 'fork', process: strong('d', 'p', 'daemon') },
      { id: 'exec', at: 2, says: 'start', process: strong('d', 'init', 'daemon') },
    ]);
    expect(descendant).toEqual(['exec', 'fork']);
  });

  it('an event that comes before its parent was ever seen is joined to it', async () => {
    const { descendant } = await matched([
      { id: 'orphan', at: 1, says: 'start', process: strong('c', 'p', 'sh') },
      { id: 'python', at: 0, says: 'start', process: strong('p', 'init', 'python') },
      { id: 'write', at: 2, process: strong('c') },
    ]);
    expect(descendant).toEqual(['write']);
  });

  it('ancestry links processes that never were seen', async () => {
    const { descendant } = await matched([
      { id: 'python', at: 0, says: 'start', process: strong('p', 'init', 'python') },
      { id: 'write', at: 1, process: strong('c', undefined, 'sh', { Ext: { ancestry: ['b', 'p', 'init'] } }) },
    ]);
    expect(descendant).toEqual(['write']);
  });

  it('a circle of parents ends', async () => {
    const { event } = await matched([
      { id: 'a', at: 0, says: 'start', process: strong('a', 'b', 'python') },
      { id: 'b', at: 1, says: 'start', process: strong('b', 'a', 'sh') },
      { id: 'self', at: 2, says: 'start', process: strong('s', 's', 'sh') },
    ]);
    expect(event).toEqual(['a']);
  });
});

describe('processes known by pid alone', () => {
  it('a start after an exit is another life', async () => {
    const { event, descendant } = await matched([
      { id: 'python', at: 0, says: 'start', process: weak(7, 1, 'python') },
      { id: 'child', at: 1, says: 'start', process: weak(8, 7, 'sh') },
      { id: 'exit', at: 2, says: 'end', process: weak(7, 1) },
      { id: 'reused', at: 3, says: 'start', process: weak(7, 1, 'sh') },
      { id: 'write', at: 4, process: weak(7) },
      { id: 'child-write', at: 5, process: weak(8) },
    ]);
    expect(event).toEqual(['exit', 'python']);
    expect(descendant).toEqual(['child', 'child-write']);
  });

  it('a start under another parent is another life, under the same parent an exec in place', async () => {
    const { event } = await matched([
      { id: 'python', at: 0, says: 'start', process: weak(7, 1, 'python') },
      { id: 'exec', at: 1, says: 'start', process: weak(7, 1, 'sh') },
      { id: 'reused', at: 2, says: 'start', process: weak(7, 9, 'sh') },
    ]);
    expect(event).toEqual(['exec', 'python']);
  });

  it('an event long after the exit is not that process', async () => {
    const { event } = await matched([
      { id: 'python', at: 0, says: 'start', process: weak(7, 1, 'python') },
      { id: 'exit', at: 1, says: 'end', process: weak(7, 1) },
      { id: 'soon', at: 4, process: weak(7) },
      { id: 'later', at: 60, process: weak(7) },
    ]);
    expect(event).toEqual(['exit', 'python', 'soon']);
  });

  it('pid and start together are a strong identity', async () => {
    const started = (start: string) => ({ pid: 7, start });
    const { event } = await matched([
      { id: 'python', at: 0, says: 'start', process: { ...started('A'), name: 'python' } },
      { id: 'reused', at: 1, says: 'start', process: { ...started('B'), name: 'sh' } },
      { id: 'first', at: 2, process: started('A') },
    ]);
    expect(event).toEqual(['first', 'python']);
  });

  it('fields of another schema can be named', async () => {
    const { descendant } = await matched(
      [
        { id: 'python', at: 0, says: 'start', process: { unique: 1, name: 'python' } },
        { id: 'child', at: 1, says: 'start', process: { unique: 2, unique_parent: 1, name: 'sh' } },
      ],
      { processFields: { entityId: 'process.unique', parentEntityId: 'process.unique_parent' } },
    );
    expect(descendant).toEqual(['child']);
  });
});

describe('bounds', () => {
  it('more processes than fit: the idlest go, counted, and the kernel goes on', async () => {
    const steps = Array.from(
      { length: 12_000 },
      (_, index): Step => ({
        id: `s${index}`,
        at: index,
        says: 'start',
        process: strong(`p${index}`, index === 0 ? 'init' : `p${index - 1}`, index === 0 ? 'python' : 'sh'),
      }),
    );
    const { stats } = await matched(steps, { memory: '8MiB' });
    expect(stats.losses.find((loss) => loss.reason === 'process_evicted')?.count).toBeGreaterThan(0);
    const table = stats.memory.tables.find(({ name }) => name === 'processes');
    expect(table?.used).toBeLessThanOrEqual(table?.capacity ?? 0);
  });

  it('more hosts than fit: hosts without state give way', async () => {
    const correlator = await createCorrelator({ rules: [rule('event')], memory: '8MiB' });
    correlator.push(
      Array.from({ length: 25_000 }, (_, index) =>
        eventOf({ id: `e${index}`, at: index, host: `h${index}`, says: 'start', process: strong('p', 'q', 'python') }),
      ),
    );
    const { losses, hosts } = correlator.stats();
    expect(losses.find((loss) => loss.reason === 'host_evicted')?.count).toBeGreaterThan(0);
    expect(hosts).toBeLessThan(25_000);
  });
});
