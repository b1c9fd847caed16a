/** Steps of a sequence that read fields of events taken before, through the correlator and against the oracle. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCorrelator } from '../../src/correlator/correlator.js';
import { eqlRule, parseEql } from '../../src/language/eql/index.js';
import type { Expr, Rule, SequenceRule } from '../../src/rule/ir.js';
import { correlator, throughNdjson, withoutPrefilters } from '../support/correlator_engine.js';
import { comparable, type Engine, oracle } from '../support/engines.js';
import { queryOf } from '../support/eql.js';
import type { Source } from '../support/generators.js';

const endpoint = (text: string): SequenceRule => eqlRule('r', queryOf(text, { dialect: 'endpoint' })) as SequenceRule;

/** Events a second apart: category, then fields. */
function stream(...events: readonly (readonly [string, Source])[]): Source[] {
  return events.map(([category, fields], second) => ({
    '@timestamp': new Date(1_700_000_000_000 + second * 1000).toISOString(),
    host: { id: 'h1' },
    event: { category, id: String(second) },
    ...fields,
  }));
}

const file = (path: string, more: Source = {}): readonly [string, Source] => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return ['file', { file: { path, name }, ...more }];
};
const run = (line: unknown, more: Source = {}): readonly [string, Source] => [
  'process',
  { process: { command_line: line }, ...more },
];

async function found(engine: Engine, rules: readonly Rule[], events: readonly Source[]): Promise<string[]> {
  return comparable(await engine.run({ rules }, [events]), events).map((line) => line.replace(/^r @\d+ /, ''));
}

/** A query, its events, and the ids of the events of each alert. */
type Case = readonly [name: string, query: string, events: readonly Source[], alerts: readonly string[]];

const dropped =
  'sequence [file where true] as event0 [process where stringcontains~(process.command_line, event0.file.name)]';
const long = 'x'.repeat(5000);

const cases: readonly Case[] = [
  ['a text within a text', dropped, stream(file('/tmp/a.sh'), run('sh /tmp/A.SH')), ['0 1']],
  [
    'an event that does not fit leaves the partial match, for one that does',
    dropped,
    stream(file('/tmp/a.sh'), run('ls'), run('sh /tmp/a.sh'), run('sh /tmp/a.sh')),
    ['0 2'],
  ],
  ['a missing earlier value is null, so the step is not taken', dropped, stream(['file', {}], run('sh /tmp/a.sh')), []],
  ['a missing own value is null', dropped, stream(file('/tmp/a.sh'), ['process', {}]), []],
  [
    'the last partial match of the key is the one compared',
    dropped,
    stream(file('/tmp/a.sh'), file('/tmp/b.sh'), run('sh a.sh'), run('sh b.sh')),
    ['1 3'],
  ],
  [
    'a negated condition, null where the earlier value is missing',
    'sequence [file where true] as event0 [process where not startswith~(process.command_line, event0.file.name)]',
    stream(file('/tmp/a.sh'), run('a.sh -x'), run('b.sh'), ['file', {}], run('c.sh')),
    ['0 2'],
  ],
  [
    'numbers and booleans compare as such',
    `sequence [file where true] as event0
      [process where process.pid > event0.process.pid and process.trusted == event0.file.trusted and process.score == event0.file.score]`,
    stream(
      ['file', { process: { pid: 9 }, file: { trusted: true, score: 0.5 } }],
      ['process', { process: { pid: 10, trusted: false, score: 0.5 } }],
      ['process', { process: { pid: 8, trusted: true, score: 0.5 } }],
      ['process', { process: { pid: 10, trusted: true, score: 1 } }],
      ['process', { process: { pid: 10, trusted: true, score: 0.5 } }],
    ),
    ['0 4'],
  ],
  [
    'a list of the earlier event: any value will do',
    'sequence [file where true] as event0 [process where process.name == event0.file.names]',
    stream(
      ['file', { file: { names: ['a', 'b', 7, true] } }],
      ['process', { process: { name: 'c' } }],
      ['process', { process: { name: ['x', 'b'] } }],
    ),
    ['0 2'],
  ],
  [
    '!= with a list: none of its values',
    'sequence [file where true] as event0 [process where process.name != event0.file.names]',
    stream(
      ['file', { file: { names: ['a', 'b'] } }],
      ['process', { process: { name: 'b' } }],
      ['process', { process: { name: 'c' } }],
    ),
    ['0 2'],
  ],
  [
    'an alternative that does not look back',
    `sequence [file where true] as event0
      [process where process.name == "x" and (process.command_line == event0.file.name or process.pid == 4)]`,
    stream(
      file('/tmp/a'),
      run('b'),
      ['process', { process: { name: 'x', pid: 5 } }],
      ['process', { process: { name: 'x', pid: 4 } }],
    ),
    ['0 3'],
  ],
  [
    'only the earlier event, and whether it had a value',
    'sequence [file where true] as event0 [process where event0.file.name == "a" and event0.user.name == null]',
    stream(file('/x/a', { user: { name: 'u' } }), run('1'), file('/x/a'), run('2')),
    ['2 3'],
  ],
  [
    'functions over values of both',
    `sequence [file where true] as event0
      [process where stringcontains~(process.command_line, substring(event0.file.name, 0, length(event0.file.name) - 3))]`,
    stream(file('/x/drop.js'), run('node other'), run('node DROP')),
    ['0 2'],
  ],
  [
    'events of two earlier steps',
    `sequence [file where true] as event0 [process where process.command_line == event0.file.name] as event1
      [network where process.entity_id == event1.process.entity_id and url.path == event0.file.path]`,
    stream(
      file('/x/a'),
      ['process', { process: { command_line: 'a', entity_id: 'p1' } }],
      ['network', { process: { entity_id: 'p2' }, url: { path: '/x/a' } }],
      ['network', { process: { entity_id: 'p1' }, url: { path: '/x/b' } }],
      ['network', { process: { entity_id: 'p1' }, url: { path: '/x/a' } }],
    ),
    ['0 1 4'],
  ],
  [
    'the last of the runs of a step',
    `sequence [file where true] with runs=2 as event0 [process where process.command_line == event0.file.name]`,
    stream(file('/x/a'), file('/x/b'), run('a'), run('b')),
    ['0 1 3'],
  ],
  [
    'each run of a step against the same earlier event',
    `sequence [file where true] as event0 [process where process.command_line == event0.file.name] with runs=2`,
    stream(file('/x/a'), run('a'), run('b'), run('a')),
    ['0 1 3'],
  ],
  [
    'its own partial match for each key',
    `sequence by user.name [file where true] as event0 [process where process.command_line == event0.file.name]`,
    stream(
      file('/x/a', { user: { name: 'u' } }),
      file('/x/b', { user: { name: 'v' } }),
      run('a', { user: { name: 'v' } }),
      run('a', { user: { name: 'u' } }),
      run('b', { user: { name: 'v' } }),
    ),
    ['0 3', '1 4'],
  ],
  [
    'an until that ends the partial matches it fits',
    `sequence [file where true] as event0 [process where process.command_line == event0.file.name]
      until [network where url.path == event0.file.path]`,
    stream(
      file('/x/a'),
      ['network', { url: { path: '/x/b' } }],
      run('a'),
      file('/x/c'),
      ['network', { url: { path: '/x/c' } }],
      run('c'),
    ),
    ['0 2'],
  ],
  [
    'elements of an array against an earlier event',
    `sequence [library where true] as event0
      [api where _arraysearch(stack, $entry, $entry.kind == "x" and startswith~($entry.symbol, concat(event0.dll.name, "!run")))]`,
    stream(
      ['library', { dll: { name: 'evil.dll' } }],
      [
        'api',
        {
          stack: [
            { symbol: 'evil.dll!run', kind: 'y' },
            { symbol: 'good.dll!run', kind: 'x' },
          ],
        },
      ],
      [
        'api',
        {
          stack: [
            { symbol: 'good.dll!run', kind: 'x' },
            { symbol: 'EVIL.dll!run+1', kind: 'x' },
          ],
        },
      ],
    ),
    ['0 2'],
  ],
  [
    'no element of an array against an earlier event',
    `sequence [library where true] as event0
      [api where not _arraysearch(stack, $entry, $entry.symbol == event0.dll.name)]`,
    stream(
      ['library', { dll: { name: 'a' } }],
      ['api', { stack: [{ symbol: 'a' }, { symbol: 'b' }] }],
      ['api', { stack: [{ symbol: 'b' }] }],
    ),
    ['0 2'],
  ],
  [
    'values longer than evidence shows',
    'sequence [file where true] as event0 [process where process.command_line == event0.file.path]',
    stream(file(`/${long}`), run(`/${long}y`), run(`/${long}`)),
    ['0 2'],
  ],
  [
    'a value too long to be kept is missing, not its beginning',
    'sequence [file where true] as event0 [process where startswith~(process.command_line, event0.file.path)]',
    stream(file(`/${long}${long}`), run(`/${long}${long}z`)),
    [],
  ],
];

describe('a condition on an event that an earlier step took', () => {
  it.each(cases)('%s', async (name, query, events, alerts) => {
    const rules = [endpoint(query)];
    if (!name.startsWith('a value too long')) expect(await found(oracle, rules, events)).toEqual(alerts);
    for (const engine of [correlator, throughNdjson, withoutPrefilters]) {
      expect(await found(engine, rules, events)).toEqual(alerts);
    }
  });

  it('keeps fields for later steps without showing them in alerts, nor more of shown ones than asked for', async () => {
    const rules = [
      endpoint('sequence [file where true] as event0 [process where process.command_line == event0.file.path]'),
    ];
    const events = stream(file(`/${long}`), run(`/${long}`));
    const evidenceOf = async (evidenceFields: readonly string[]): Promise<unknown[]> => {
      const one = await createCorrelator({ rules, evidenceFields, evidenceValueBytes: 100 });
      const [alert] = [...one.push(events), ...one.flush()];
      one.close();
      return (alert?.evidence ?? []).map((entry) => ('fields' in entry ? [entry.fields, entry.isCut] : []));
    };
    expect(await evidenceOf([])).toEqual([
      [{}, undefined],
      [{}, undefined],
    ]);
    expect(await evidenceOf(['file.path'])).toEqual([
      [{ 'file.path': `/${'x'.repeat(99)}` }, true],
      [{}, undefined],
    ]);
  });

  it('goes on from a snapshot', async () => {
    const rules = [endpoint(dropped)];
    const [first, second] = stream(file('/tmp/a.sh'), run('sh /tmp/a.sh'));
    const before = await createCorrelator({ rules });
    before.push([first as Source]);
    const after = await createCorrelator({ rules });
    after.restore(before.snapshot());
    expect([...after.push([second as Source]), ...after.flush()].length).toBe(1);
  });
});

// ------------------------------------------------------------------------------------------------- generated ones

const text = fc.constantFrom('a', 'b', 'ab', '1', '2');
const value = fc.oneof(
  { weight: 6, arbitrary: text },
  fc.constantFrom<unknown>(1, 2, true),
  fc.array(text, { maxLength: 3 }),
);
const often = fc.option(value, { nil: undefined, freq: 8 });
const fields = fc.record({ x: often, y: often, z: often });
const events = fc
  .array(fc.tuple(fc.constantFrom('file', 'process', 'network'), fields, fc.constantFrom('u', 'v')), {
    maxLength: 30,
    size: 'max',
  })
  .map((rows) => stream(...rows.map(([category, own, name]) => [category, { ...own, user: { name } }] as const)));

const operand = fc.constantFrom('x', 'y', 'z', 'event0.x', 'event0.y', '"a"', '1');
const leaf = fc.oneof(
  fc.tuple(operand, fc.constantFrom('==', '!=', '<', '>='), operand).map((parts) => parts.join(' ')),
  fc
    .tuple(fc.constantFrom('x', 'y', 'event0.x'), fc.constantFrom('event0.y', 'z', '"a"'))
    .map(([whole, part]) => `stringcontains~(${whole}, ${part})`),
  fc.constantFrom('event0.z == null', 'event0.x != null', 'x : "a*"', 'event0.x : "a*"', 'z == null'),
);
const condition = fc.letrec<{ any: string }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.tuple(tie('any'), fc.constantFrom('and', 'or'), tie('any')).map((parts) => `(${parts.join(' ')})`),
    tie('any').map((inner) => `not (${inner})`),
  ),
})).any;
const sequence = fc
  .tuple(condition, condition, fc.boolean(), fc.constantFrom('', ' by user.name'), fc.boolean())
  .map(([second, third, hasThird, by, hasUntil]) => {
    const last = hasThird ? ` [network where ${third}]` : '';
    const until = hasUntil ? ` until [network where ${third}]` : '';
    return `sequence${by} [file where true] as event0 [process where ${second}]${last}${until}`;
  });

describe('generated conditions on earlier events', () => {
  const seed = Number(process.env.VEDETTE_SEED ?? 20_260_101);
  const numRuns = Number(process.env.VEDETTE_RUNS ?? 100);

  it('have the same alerts in the kernel as in the oracle', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sequence, { minLength: 1, maxLength: 6 }), events, async (queries, source) => {
        const sound = queries.filter((query) => parseEql(query, { dialect: 'endpoint' }).problems.length === 0);
        const rules = sound.map((query, index): Rule => ({ ...endpoint(query), id: `r${index}` }));
        fc.pre(rules.length > 0);
        expect(await found(correlator, rules, source)).toEqual(await found(oracle, rules, source));
      }),
      { seed, numRuns },
    );
  });
});

// --------------------------------------------------------------------------------------------------- what is refused

const look = (step: number, field: Expr): Expr => ({
  kind: 'compare',
  op: '==',
  left: { kind: 'field', name: 'a' },
  right: { kind: 'call', name: 'stepField', args: [{ kind: 'literal', value: step }, field], case: 'exact' },
  case: 'exact',
});
const plain: Expr = { kind: 'field', name: 'a' };
const always: Expr = { kind: 'literal', value: true };
const item: Expr = {
  kind: 'call',
  name: 'arrayItem',
  args: [plain, { kind: 'literal', value: 'a' }, { kind: 'literal', value: 0 }],
  case: 'exact',
};
const step = (looking: Expr, missing = false) => ({
  query: { category: null, condition: looking },
  by: [],
  missing,
  runs: 1,
});
const sequenceOf = (...steps: readonly ReturnType<typeof step>[]): SequenceRule => ({
  ...endpoint('sequence with maxspan=1s [a where true] [b where true]'),
  steps,
});

describe('a condition on an earlier event that cannot be judged', () => {
  const refused: readonly [string, Rule, string][] = [
    ['of the step itself', sequenceOf(step(always), step(look(1, plain))), 'it names no step before its own'],
    [
      'of an absent event',
      sequenceOf(step(always), step(always, true), step(look(1, plain))),
      'it names no step before',
    ],
    ['in a step of absence', sequenceOf(step(always), step(look(0, plain), true), step(always)), 'an absent event'],
    ['in a join', { ...sequenceOf(step(always), step(look(0, plain))), unordered: true }, 'the steps of a join'],
    ['at a position', sequenceOf(step(always), step(look(0, item))), 'a position in an array'],
  ];
  it.each(refused)('%s is refused by name', (_, rule, reason) => {
    expect(correlator.refusal?.(rule)).toContain(reason);
  });
});
