/**
 * Generators of events and rules for the laws. Alphabets are tiny on purpose: values must collide, keys must join and
 * windows must be met for anything to happen.
 */
import fc from 'fast-check';
import type {
  AggregateRule,
  ArithmeticExpr,
  CompareExpr,
  EventQuery,
  Expr,
  FieldExpr,
  MatchRule,
  NewTermsRule,
  Rule,
  SampleRule,
  SequenceRule,
  Step,
  TextPattern,
} from '../../src/rule/ir.js';
import { always, field, literal, ruleBase } from './rules.js';

export type Source = Record<string, unknown>;

const second = 1_000_000;
const startMs = Date.UTC(2026, 0, 1);

// ----------------------------------------------------------------------------------------------------- events

const words = [
  'cmd.exe',
  'CMD.EXE',
  'Cmd.exe',
  'python3',
  'a',
  'ab',
  'abc',
  'straße',
  'b*',
  '',
  '10',
  'ÉCOLE',
  'école',
];
const paths = ['C:\\Windows\\cmd.exe', 'c:\\windows\\CMD.EXE', '/usr/bin/python3', '/tmp/a', '/tmp/ab/cd', '*', '?'];
const addresses = ['10.0.0.1', '10.255.255.255', '192.168.1.7', '::1', 'fe80::1', '::ffff:10.0.0.9', 'host', '1.2.3'];
const hosts = ['h1', 'h2'];
const categories = ['process', 'file', 'network'];

const word = fc.constantFrom(...words);
const smallNumber = fc.constantFrom(-2, 0, 1, 2, 3, 10, 443, 2.5, 65_536);
const sometimes = <T>(value: fc.Arbitrary<T>, freq = 2): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq });

/** A process of a host: `p0` is the root, each later one is a child of an earlier one. Entity ids are unique to a host. */
const parentOf: Readonly<Record<string, string>> = { p1: 'p0', p2: 'p1', p3: 'p1', p4: 'p3' };

const processOf = (host: string) =>
  fc.constantFrom('p0', 'p1', 'p2', 'p3', 'p4').chain((id) =>
    fc.record({
      entity_id: fc.constant(`${host}-${id}`),
      pid: fc.constant(100 + Number(id.slice(1))),
      name: sometimes(word, 5),
      executable: sometimes(fc.constantFrom(...paths)),
      args: sometimes(fc.array(word, { maxLength: 3 })),
      exit_code: sometimes(smallNumber),
      parent: fc.constant(parentOf[id] === undefined ? undefined : { entity_id: `${host}-${parentOf[id]}` }),
    }),
  );

const item = fc.record({ k: sometimes(word, 4), n: sometimes(smallNumber) });

/** One event without its time. */
const eventBodyOf = (host: string): fc.Arbitrary<Source> =>
  fc.record({
    event: fc.record({
      category: fc.oneof(
        fc.constantFrom(...categories),
        fc.uniqueArray(fc.constantFrom(...categories), { minLength: 1 }),
      ),
      action: sometimes(word),
      type: fc.constantFrom('start', 'info', 'change', 'end'),
    }),
    host: fc.constant({ id: host }),
    process: sometimes(processOf(host), 9),
    user: sometimes(fc.record({ name: fc.constantFrom('u1', 'u2') }), 4),
    file: sometimes(fc.record({ path: fc.constantFrom(...paths), size: sometimes(smallNumber) })),
    destination: sometimes(fc.record({ ip: fc.constantFrom(...addresses), port: smallNumber })),
    tags: sometimes(fc.oneof(word, fc.array(fc.option(word), { maxLength: 3 }))),
    items: sometimes(fc.array(item, { maxLength: 3 })),
    flag: sometimes(fc.boolean()),
  });

const eventBody = fc.constantFrom(...hosts).chain(eventBodyOf);

/** Steps between events, in microseconds: ties, neighbours, and gaps of and around the windows of the rules. */
const gapUs = fc.constantFrom(0, 0, 1, 1000, second, second, 2 * second, 3 * second, 3 * second + 1, 7 * second);

export const stamp = (timeUs: number): string =>
  new Date(startMs + Math.floor(timeUs / 1000))
    .toISOString()
    .replace('Z', `${String(timeUs % 1000).padStart(3, '0')}Z`);

/** Events in order of time, each with a tiebreaker in that order. */
export function eventStream(maxLength = 40): fc.Arbitrary<Source[]> {
  return fc.array(fc.tuple(gapUs, eventBody), { minLength: 1, maxLength }).map((rows) => {
    let timeUs = 0;
    return rows.map(([gap, body], index) => {
      timeUs += gap;
      const event = { ...(body.event as Source), id: `e${index}`, sequence: index };
      return dropMissing({ ...body, '@timestamp': stamp(timeUs), event }) as Source;
    });
  });
}

function dropMissing(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(dropMissing);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([name, member]) => [name, dropMissing(member)]));
}

/** Cuts of a stream into batches. */
export function splits<T>(items: readonly T[]): fc.Arbitrary<T[][]> {
  return fc.array(fc.nat(items.length), { maxLength: 6 }).map((cuts) => {
    const ends = [...new Set([...cuts, items.length])].sort((a, b) => a - b);
    return ends
      .map((end, index) => items.slice(index === 0 ? 0 : ends[index - 1], end))
      .filter((batch) => batch.length > 0);
  });
}

/** Arrival orders in which no event comes more than `latenessUs` behind one that is newer. */
export function arrivals(events: readonly Source[], latenessUs: number): fc.Arbitrary<Source[]> {
  return fc.array(fc.nat(latenessUs), { minLength: events.length, maxLength: events.length }).map((delays) =>
    events
      .map((event, index) => ({ event, at: microseconds(event) + (delays[index] as number) }))
      .sort((a, b) => a.at - b.at)
      .map(({ event }) => event),
  );
}

function microseconds(event: Source): number {
  const text = String(event['@timestamp']);
  return (Date.parse(`${text.slice(0, 23)}Z`) - startMs) * 1000 + Number(text.slice(23, 26));
}

// ------------------------------------------------------------------------------------------------ expressions

const textFields = [
  'process.name',
  'process.executable',
  'file.path',
  'event.action',
  'user.name',
  'tags',
  'process.args',
];
const numberFields = ['process.exit_code', 'file.size', 'destination.port', 'process.pid'];
const anyField = fc.constantFrom(...textFields, ...numberFields, 'flag', 'absent.field').map((name) => field(name));
const textField = fc.constantFrom(...textFields).map((name) => field(name));
const numberField = fc.constantFrom(...numberFields).map((name) => field(name));

const compareOp = fc.constantFrom<CompareExpr['op']>('==', '!=', '<', '<=', '>', '>=');
const caseMode = fc.constantFrom('exact', 'ascii', 'unicode' as const);
const text = fc.oneof(word, fc.constantFrom(...paths));

const pattern: fc.Arbitrary<TextPattern> = fc.oneof(
  fc.record({ type: fc.constantFrom('equals', 'prefix', 'suffix', 'contains' as const), text }),
  fc.record({
    type: fc.constant('wildcard' as const),
    text: fc.oneof(text, fc.constantFrom('*', '*.exe', 'c?d*', '*\\cmd.*', '/tmp/*', '??', '*a*b*', '')),
  }),
);

const compare = (left: fc.Arbitrary<Expr>, right: fc.Arbitrary<Expr>): fc.Arbitrary<Expr> =>
  fc.record({ kind: fc.constant('compare' as const), op: compareOp, left, right, case: caseMode });

const call = (name: string, args: fc.Arbitrary<readonly Expr[]>): fc.Arbitrary<Expr> =>
  fc.record({ kind: fc.constant('call' as const), name: fc.constant(name), args, case: caseMode });

const textLiteral = text.map(literal);
const numberLiteral: fc.Arbitrary<Expr> = smallNumber.map(literal);
const index = fc.constantFrom(-3, -1, 0, 1, 2, 5).map(literal);

const arithmeticExpr: fc.Arbitrary<Expr> = fc.record({
  kind: fc.constant('arithmetic' as const),
  op: fc.constantFrom<ArithmeticExpr['op']>('+', '-', '*', '/', '%'),
  left: numberField,
  right: fc.oneof(numberField, numberLiteral),
});

const textCall: fc.Arbitrary<Expr> = fc.oneof(
  call('substring', fc.oneof(fc.tuple(textField, index), fc.tuple(textField, index, index))),
  call('concat', fc.tuple(textField, fc.oneof(textField, textLiteral, numberField))),
  call('between', fc.tuple(textField, textLiteral, textLiteral)),
  call('string', fc.tuple(anyField)),
);

const numberCall: fc.Arbitrary<Expr> = fc.oneof(
  call('length', fc.tuple(textField)),
  call('indexOf', fc.oneof(fc.tuple(textField, textLiteral), fc.tuple(textField, textLiteral, index))),
  call('number', fc.tuple(textField)),
);

const testCall: fc.Arbitrary<Expr> = fc
  .constantFrom('startsWith', 'endsWith', 'stringContains')
  .chain((name) => call(name, fc.tuple(textField, fc.oneof(textLiteral, textField))));

const nestedExpr: fc.Arbitrary<Expr> = fc.record({
  kind: fc.constant('nested' as const),
  path: fc.constant('items'),
  condition: fc.oneof(
    compare(fc.constant(field('items.n')), numberLiteral),
    fc.record({
      kind: fc.constant('and' as const),
      operands: fc.tuple(
        compare(fc.constant(field('items.k')), textLiteral),
        compare(fc.constant(field('items.n')), numberLiteral),
      ),
    }),
  ),
});

/** Conditions that are no logic. */
const leaf: fc.Arbitrary<Expr> = fc.oneof(
  { weight: 4, arbitrary: compare(anyField, fc.oneof(textLiteral, numberLiteral, fc.boolean().map(literal))) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('match' as const),
      value: anyField,
      patterns: fc.array(pattern, { minLength: 1, maxLength: 3 }),
      case: caseMode,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('regex' as const),
      value: textField,
      patterns: fc.constantFrom(['a.*'], ['.*\\.exe', '[0-9]+'], ['c(m|d)+.*']),
      case: fc.constantFrom('exact', 'ascii' as const),
      anchor: fc.constantFrom('full', 'partial' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('cidr' as const),
      value: fc.constant(field('destination.ip')),
      blocks: fc.subarray(['10.0.0.0/8', '192.168.0.0/16', 'fe80::/10', '::1/128'], { minLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('isNull' as const), value: anyField }) },
  { weight: 1, arbitrary: compare(anyField, anyField) },
  { weight: 1, arbitrary: compare(arithmeticExpr, numberLiteral) },
  { weight: 1, arbitrary: compare(textCall, fc.oneof(textLiteral, fc.constant(literal(null)))) },
  { weight: 1, arbitrary: compare(numberCall, numberLiteral) },
  { weight: 1, arbitrary: testCall },
  { weight: 1, arbitrary: nestedExpr },
);

/** A condition on a process's lineage, on a small set of conditions so that marks are shared. */
const lineageExpr: fc.Arbitrary<Expr> = fc.record({
  kind: fc.constant('lineage' as const),
  relation: fc.constantFrom('descendant', 'child', 'event' as const),
  query: fc.record({
    category: fc.constantFrom(null, 'process'),
    condition: fc.constantFrom<Expr>(
      { kind: 'compare', op: '==', left: field('process.name'), right: literal('cmd.exe'), case: 'ascii' },
      { kind: 'compare', op: '==', left: field('event.type'), right: literal('start'), case: 'exact' },
    ),
  }),
});

const logic = (operand: fc.Arbitrary<Expr>): fc.Arbitrary<Expr> =>
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('and', 'or' as const),
      operands: fc.array(operand, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), operand, missing: fc.constantFrom('null', 'true' as const) }),
  );

export const condition: fc.Arbitrary<Expr> = fc.oneof(
  { weight: 4, arbitrary: leaf },
  { weight: 3, arbitrary: logic(leaf) },
  { weight: 2, arbitrary: logic(fc.oneof(leaf, logic(leaf))) },
);

const query = (expr: fc.Arbitrary<Expr>): fc.Arbitrary<EventQuery> =>
  fc.record({ category: fc.constantFrom(null, null, ...categories), condition: expr });

// ------------------------------------------------------------------------------------------------------ rules

/** Conditions that often hold, for the steps of stateful rules. */
const frequent: fc.Arbitrary<Expr> = fc.oneof(
  fc.constant(always),
  fc
    .constantFrom('start', 'info', 'change', 'end')
    .map(
      (value): Expr => ({ kind: 'compare', op: '==', left: field('event.type'), right: literal(value), case: 'exact' }),
    ),
  leaf,
);

const windowUs = fc.constantFrom(second, 3 * second, 10 * second);

/** Keys within a host; the last makes a rule across hosts. */
const keys = fc.constantFrom<readonly FieldExpr[]>(
  [],
  [field('host.id')],
  [field('host.id'), field('user.name', { optional: true })],
  [field('host.id'), field('tags')],
  [field('process.entity_id')],
  [field('user.name')],
);

const stepsOf = (by: readonly FieldExpr[], withAbsence: boolean): fc.Arbitrary<Step[]> => {
  const plain = fc.record({
    query: query(frequent),
    by: fc.constant(by),
    missing: fc.constant(false),
    runs: fc.constantFrom(1, 1, 1, 2),
  });
  const absent = fc.record({
    query: query(leaf),
    by: fc.constant(by),
    missing: fc.constant(true),
    runs: fc.constant(1),
  });
  const inside = fc.array(withAbsence ? fc.oneof({ weight: 3, arbitrary: plain }, absent) : plain, { maxLength: 3 });
  return fc
    .tuple(plain, inside)
    .chain(([first, rest]) => fc.shuffledSubarray([first, ...rest], { minLength: rest.length + 1 }));
};

const sequence = (withAbsence: boolean): fc.Arbitrary<SequenceRule> =>
  keys.chain((by) =>
    fc
      .record({
        steps: stepsOf(by, withAbsence).filter((steps) => steps.length > 1),
        maxspanUs: withAbsence ? windowUs : sometimes(windowUs),
        until: sometimes(query(leaf)),
      })
      .map(({ steps, maxspanUs, until }) => ({
        ...ruleBase('sequence'),
        kind: 'sequence' as const,
        steps,
        ...(maxspanUs === undefined ? {} : { maxspanUs }),
        ...(until === undefined ? {} : { until: { query: until, by, missing: false, runs: 1 } }),
      })),
  );

const join: fc.Arbitrary<SequenceRule> = keys.chain((by) =>
  fc.array(query(frequent), { minLength: 2, maxLength: 3 }).map((queries) => ({
    ...ruleBase('join'),
    kind: 'sequence' as const,
    unordered: true,
    steps: queries.map((one) => ({ query: one, by, missing: false, runs: 1 })),
  })),
);

const sample: fc.Arbitrary<SampleRule> = keys
  .filter((by) => by.length > 0)
  .chain((by) =>
    fc
      .record({ queries: fc.array(query(frequent), { minLength: 2, maxLength: 3 }), max: fc.constantFrom(1, 2, 3) })
      .map(({ queries, max }) => ({
        ...ruleBase('sample'),
        kind: 'sample' as const,
        steps: queries.map((one) => ({ query: one, by, missing: false, runs: 1 })),
        maxSamplesPerKey: max,
      })),
  );

const newTerms: fc.Arbitrary<NewTermsRule> = fc
  .record({
    query: query(frequent),
    fields: fc.uniqueArray(fc.constantFrom('host.id', 'user.name', 'process.name', 'tags'), {
      minLength: 1,
      maxLength: 3,
    }),
    windowUs,
  })
  .map(({ fields, ...rest }) => ({
    ...ruleBase('newTerms'),
    kind: 'newTerms' as const,
    fields: fields.map((name) => field(name)),
    mode: 'eventTime' as const,
    ...rest,
  }));

const aggregateFunction = fc.oneof(
  fc.constant({ kind: 'count' as const }),
  fc.record({
    kind: fc.constantFrom('distinct', 'sum', 'avg', 'median' as const),
    field: fc.constantFrom('destination.port', 'file.size').map((name) => field(name)),
  }),
  fc.record({
    kind: fc.constant('distinct' as const),
    field: fc.constantFrom('tags', 'user.name').map((name) => field(name)),
  }),
);

const aggregate: fc.Arbitrary<AggregateRule> = fc
  .record({
    query: query(frequent),
    by: keys,
    windowUs,
    window: fc.constantFrom('sliding', 'tumbling' as const),
    conditions: fc.array(
      fc.record({ function: aggregateFunction, op: compareOp, value: fc.constantFrom(0, 1, 2, 3, 443) }),
      { minLength: 1, maxLength: 2 },
    ),
    emit: fc.constantFrom('perEvent', 'crossing' as const),
  })
  .map((rule) => ({ ...ruleBase('aggregate'), kind: 'aggregate' as const, ...rule }));

const match = (expr: fc.Arbitrary<Expr>): fc.Arbitrary<MatchRule> =>
  query(expr).map((one) => ({ ...ruleBase('match'), kind: 'match' as const, query: one }));

/** The kinds of rules that a law can be run on, by name. */
export const ruleKinds = {
  match: match(condition),
  lineage: match(fc.oneof(lineageExpr, logic(fc.oneof(lineageExpr, leaf)))),
  sequence: sequence(false),
  absence: sequence(true),
  join,
  sample,
  newTerms,
  aggregate,
} as const satisfies Record<string, fc.Arbitrary<Rule>>;

export type RuleKindName = keyof typeof ruleKinds;

/** Several rules of the kinds, with distinct ids. */
export function ruleSet(kinds: readonly RuleKindName[], maxLength = 6): fc.Arbitrary<Rule[]> {
  const arbitraries: fc.Arbitrary<Rule>[] = kinds.map((kind) => ruleKinds[kind]);
  return fc
    .array(fc.oneof(...arbitraries), { minLength: 1, maxLength })
    .map((rules) => rules.map((rule, position) => ({ ...rule, id: `${rule.kind}-${position}` })));
}
