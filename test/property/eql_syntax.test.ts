/** EQL: printing undoes parsing, and no text, however damaged, throws. Seeds are fixed, runs are bounded by count. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventFilter, Node, PipeNode, Statement, Term } from '../../src/language/eql/ast.js';
import {
  type EqlDialect,
  parseEql,
  parseEqlExpression,
  parseEqlSyntax,
  printEql,
} from '../../src/language/eql/index.js';
import { readSharedRows } from '../support/shared.js';

const span = { start: 0, end: 0 };
const runs = { seed: 20261, numRuns: 400 };

const word = fc.constantFrom('a', 'process', 'name', 'x1', '_y', '@timestamp', 'A_b', 'event7x');
const oddName = fc.constantFrom('a-b', 'with space', 'sequence', 'where', 'x`y', '9lives', 'dot.ted', 'ünder');
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }).filter((value) => !value.includes('\u0000')),
  fc.constantFrom('', 'C:\\Windows\\*', 'say "hi"', "it's", '// no comment', 'line\nbreak', '\t', '"""', '*?'),
);

const literal: fc.Arbitrary<Node> = fc.oneof(
  text.map((value): Node => ({ kind: 'literal', value, span })),
  fc.nat().map((value): Node => ({ kind: 'literal', value, span })),
  fc
    .double({ min: 0, max: 1e30, noNaN: true })
    .map((value): Node => ({ kind: 'literal', value: Object.is(value, -0) ? 0 : value, float: true, span })),
  fc.constantFrom(true, false, null).map((value): Node => ({ kind: 'literal', value, span })),
);

const field = (endpoint: boolean): fc.Arbitrary<Node> =>
  fc
    .record({
      first: fc.oneof(word, oddName),
      rest: fc.array(
        fc.oneof(
          fc.oneof(word, oddName).map((name) => ({ name })),
          ...(endpoint ? [fc.nat({ max: 9 }).map((index) => ({ index }))] : []),
        ),
        { maxLength: 3 },
      ),
      optional: fc.boolean(),
      variable: endpoint ? fc.boolean() : fc.constant(false),
    })
    .map(({ first, rest, optional, variable }) => ({
      kind: 'field',
      path: [{ name: variable ? 'entry' : first }, ...rest],
      optional: optional && !variable,
      variable,
      span,
    }));

const patterns = fc.array(
  text.map((value): Node => ({ kind: 'literal', value, span })),
  { minLength: 1, maxLength: 3 },
);

function expression(endpoint: boolean): fc.Arbitrary<Node> {
  const tree = fc.letrec<{ node: Node; filter: EventFilter }>((tie) => {
    const node = tie('node');
    const pair = fc.array(node, { minLength: 2, maxLength: 3 });
    const compound: fc.Arbitrary<Node>[] = [
      fc.record({
        kind: fc.constant('sign' as const),
        op: fc.constantFrom('-' as const, '+' as const),
        operand: node,
        span: fc.constant(span),
      }),
      fc.record({
        kind: fc.constant('arithmetic' as const),
        op: fc.constantFrom('+' as const, '-' as const, '*' as const, '/' as const, '%' as const),
        left: node,
        right: node,
        span: fc.constant(span),
      }),
      fc.record({
        kind: fc.constant('compare' as const),
        op: fc.constantFrom('==' as const, '!=' as const, '<' as const, '<=' as const, '>' as const, '>=' as const),
        left: node,
        right: node,
        span: fc.constant(span),
      }),
      fc.record({
        kind: fc.constant('pattern' as const),
        op: fc.constantFrom(':' as const, 'like' as const, 'like~' as const, 'regex' as const, 'regex~' as const),
        value: node,
        patterns,
        span: fc.constant(span),
      }),
      fc.record({
        kind: fc.constant('in' as const),
        fold: fc.boolean(),
        negated: fc.boolean(),
        value: node,
        items: fc.array(node, { minLength: 1, maxLength: 3 }),
        span: fc.constant(span),
      }),
      node.map((operand): Node => ({ kind: 'not', operand, span })),
      pair.map((operands): Node => ({ kind: 'and', operands, span })),
      pair.map((operands): Node => ({ kind: 'or', operands, span })),
      fc.record({
        kind: fc.constant('call' as const),
        name: fc.constantFrom('length', 'StartsWith', 'myFunction'),
        nameSpan: fc.constant(span),
        fold: fc.boolean(),
        args: fc.array(node, { maxLength: 3 }),
        span: fc.constant(span),
      }),
    ];
    const relation = fc.record({
      kind: fc.constant('relation' as const),
      relation: fc.constantFrom('descendant' as const, 'child' as const, 'event' as const),
      filter: tie('filter'),
      span: fc.constant(span),
    });
    return {
      node: fc.oneof(
        { maxDepth: 5, depthSize: 'small' },
        literal,
        field(endpoint),
        ...compound,
        ...(endpoint ? [relation] : []),
      ),
      filter: fc.record({ category: category, condition: node, span: fc.constant(span) }),
    };
  });
  return tree.node;
}

const category = fc.oneof(fc.constant(null), word, oddName, fc.constant('any'));

const filterOf = (endpoint: boolean): fc.Arbitrary<EventFilter> =>
  fc.record({ category, condition: expression(endpoint), span: fc.constant(span) });

const termOf = (endpoint: boolean, kind: string): fc.Arbitrary<Term> =>
  fc
    .record({
      filter: filterOf(endpoint),
      missing: fc.boolean(),
      by: fc.array(field(endpoint), { maxLength: 2 }),
      runs: fc.integer({ min: 1, max: 100 }),
    })
    .map((term) => ({
      ...term,
      missing: kind === 'sequence' && term.missing,
      runs: kind === 'sequence' && !term.missing ? term.runs : 1,
      fork: false,
      alias: endpoint ? 'event0' : undefined,
      span,
    }));

const pipeOf = (endpoint: boolean): fc.Arbitrary<PipeNode> =>
  fc
    .record({
      name: fc.constantFrom('head', 'tail', 'unique', 'anything'),
      args: fc.array(expression(endpoint), { maxLength: 2 }),
    })
    .map((pipe) => ({ ...pipe, nameSpan: span, span }));

function statementOf(endpoint: boolean): fc.Arbitrary<Statement> {
  const event = filterOf(endpoint).map((filter): Statement['query'] => ({ kind: 'event', filter, span }));
  const multi = fc
    .constantFrom('sequence' as const, 'sample' as const, ...(endpoint ? ['join' as const] : []))
    .chain((kind) =>
      fc.record({
        kind: fc.constant(kind),
        by: fc.array(field(endpoint), { maxLength: 2 }),
        maxspanUs:
          kind === 'sequence'
            ? fc.option(
                fc.integer({ min: 1, max: 1e9 }).map((ms) => ms * 1000),
                { nil: undefined },
              )
            : fc.constant(undefined),
        terms: fc.array(termOf(endpoint, kind), { minLength: 1, maxLength: 3 }),
        until: kind === 'sequence' ? fc.option(termOf(endpoint, 'until'), { nil: undefined }) : fc.constant(undefined),
        span: fc.constant(span),
      }),
    );
  return fc.record({ query: fc.oneof(event, multi), pipes: fc.array(pipeOf(endpoint), { maxLength: 2 }) });
}

const withoutSpans = (statement: Statement | undefined): unknown =>
  statement &&
  JSON.parse(JSON.stringify(statement, (key, value) => (key === 'span' || key === 'nameSpan' ? undefined : value)));

interface Corpus {
  readonly dialect: EqlDialect;
  readonly queries: readonly string[];
}

const own: Corpus = {
  dialect: 'elasticsearch',
  queries: [
    'sequence by host.id with maxspan=5m [process where a : ("x*", "y") and not b == 1] with runs=3 ![file where true] until [any where c regex """d.*"""] | head 5',
    'process where startsWith~(process.name, "a") and (length(x) > 3 or ?y.z in~ ("b", "c")) // end',
    'sample by `a-b` [a where x == 1.5e3] [b where y != null]',
  ],
};

const corpora: readonly Corpus[] = [
  own,
  { dialect: 'endpoint', queries: readQueries('corpus-endpoint-behavior.ndjson') },
  { dialect: 'python-eql', queries: readQueries('cases-python-eql.ndjson') },
];

function readQueries(file: string): string[] {
  return readSharedRows<{ query: string }>(`conformance/eql/${file}`)
    .map(({ query }) => query)
    .filter((query) => query.length < 3_000);
}

const splices = [
  '(',
  ')',
  '[',
  ']',
  '![',
  '"',
  "'",
  '"""',
  '`',
  '/*',
  '*/',
  '//',
  '\\',
  '|',
  '?',
  '$',
  '~',
  ',',
  '.',
  '=',
  ' and ',
  ' not ',
  ' in ',
  ' by ',
  ' of ',
  ' sequence ',
  '\u0000',
  'é',
  '\ud800',
  '1e9',
  '-',
];

/** A text with up to four pieces cut out, doubled, moved or spliced in. */
const damage = fc.array(
  fc.record({
    at: fc.nat(10_000),
    length: fc.nat(12),
    what: fc.constantFrom('cut', 'double', 'splice', 'end'),
    piece: fc.constantFrom(...splices),
  }),
  { minLength: 1, maxLength: 4 },
);

function damaged(
  query: string,
  changes: readonly { at: number; length: number; what: string; piece: string }[],
): string {
  let result = query;
  for (const { at, length, what, piece } of changes) {
    const from = result.length === 0 ? 0 : at % result.length;
    const cut = result.slice(from, from + length);
    if (what === 'cut') result = result.slice(0, from) + result.slice(from + length);
    else if (what === 'double') result = result.slice(0, from) + cut + result.slice(from);
    else if (what === 'splice') result = result.slice(0, from) + piece + result.slice(from);
    else result = result.slice(0, from);
  }
  return result;
}

function checkTotal(query: string, dialect: EqlDialect): void {
  const { query: parsed, problems } = parseEql(query, { dialect });
  const hasErrors = problems.some(({ severity }) => severity === 'error');
  expect(parsed === undefined).toBe(hasErrors);
  for (const { line, column, message, excerpt } of problems) {
    const lineText = query.split(/\r\n|\r|\n/)[line - 1];
    expect(lineText).toBeDefined();
    expect(column).toBeGreaterThan(0);
    expect(column).toBeLessThanOrEqual((lineText ?? '').length + 2);
    expect(message).not.toBe('');
    expect(excerpt).toContain('^');
  }
}

describe('EQL syntax as a whole', () => {
  it.each(['elasticsearch', 'endpoint'] as const)('parses what it prints to the same tree: %s', (dialect) => {
    fc.assert(
      fc.property(statementOf(dialect === 'endpoint'), (statement) => {
        const printed = printEql(statement, dialect);
        expect([printed, withoutSpans(parseEqlSyntax(printed, { dialect }))]).toEqual([
          printed,
          withoutSpans(statement),
        ]);
      }),
      runs,
    );
  });

  it.each(corpora)('prints queries of the $dialect dialect so that they mean the same', ({ dialect, queries }) => {
    for (const query of queries) {
      const statement = parseEqlSyntax(query, { dialect });
      expect([query, statement !== undefined]).toEqual([query, true]);
      const printed = statement === undefined ? '' : printEql(statement, dialect);
      const meaning = (text: string): string =>
        JSON.stringify(parseEql(text, { dialect }).query, (key, value) => (key === 'span' ? undefined : value));
      expect(meaning(printed)).toBe(meaning(query));
    }
  });

  it.each(corpora)('answers for damaged queries of the $dialect dialect', ({ dialect, queries }) => {
    if (queries.length === 0) return;
    const query = fc.constantFrom(...queries);
    fc.assert(
      fc.property(query, damage, (text, changes) => checkTotal(damaged(text, changes), dialect)),
      { ...runs, numRuns: 1_500 },
    );
  });

  it.each(['elasticsearch', 'endpoint', 'python-eql'] as const)('answers for any text: %s', (dialect) => {
    const soup = fc.array(
      fc.oneof(fc.constantFrom(...splices), word, text, fc.constantFrom(' where ', ' like~ ', ' : ', '==', 'any', '5')),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(soup, (pieces) => {
        checkTotal(pieces.join(''), dialect);
        checkTotal(pieces.join(' '), dialect);
        parseEqlExpression(pieces.join(' '), { dialect });
      }),
      { ...runs, numRuns: 1_000 },
    );
  });
});
