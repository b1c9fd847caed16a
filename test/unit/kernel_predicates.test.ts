import { describe, expect, it } from 'vitest';
import type { CaseMode, Expr, FieldExpr, TextPattern } from '../../src/rule/ir.js';
import { matchRule, PredicateKernel, type PredicateKernelOptions } from '../support/predicate_kernel.js';

const f = (name: string, ...fallback: string[]): FieldExpr =>
  fallback.length === 0 ? { kind: 'field', name } : { kind: 'field', name, fallback };
const lit = (value: string | number | boolean | null, float?: true): Expr =>
  float === undefined ? { kind: 'literal', value } : { kind: 'literal', value, float };
const match = (name: string, mode: CaseMode, ...patterns: [TextPattern['type'], string][]): Expr => ({
  kind: 'match',
  value: f(name),
  patterns: patterns.map(([type, text]) => ({ type, text })),
  case: mode,
});
const cmp = (left: Expr, op: '==' | '!=' | '<' | '<=' | '>' | '>=', right: Expr, mode: CaseMode = 'exact'): Expr => ({
  kind: 'compare',
  op,
  left,
  right,
  case: mode,
});
const not = (operand: Expr, missing: 'null' | 'true' = 'null'): Expr => ({ kind: 'not', operand, missing });
const and = (...operands: Expr[]): Expr => ({ kind: 'and', operands });
const or = (...operands: Expr[]): Expr => ({ kind: 'or', operands });
const call = (name: string, ...args: Expr[]): Expr => ({ kind: 'call', name, args, case: 'exact' });
const isNull = (value: Expr): Expr => ({ kind: 'isNull', value });
const re = (name: string, pattern: string, mode: CaseMode = 'exact', anchor: 'full' | 'partial' = 'full'): Expr => ({
  kind: 'regex',
  value: f(name),
  patterns: [pattern],
  case: mode,
  anchor,
});
const cidr = (name: string, ...blocks: string[]): Expr => ({ kind: 'cidr', value: f(name), blocks });

type Event = Readonly<Record<string, unknown>>;

/** Name of the fact, condition, events that match, events that do not. */
const cases: readonly [string, Expr, readonly Event[], readonly Event[]][] = [
  [
    'equal text',
    match('a', 'exact', ['equals', 'cmd.exe']),
    [{ a: 'cmd.exe' }],
    [{ a: 'CMD.exe' }, { a: 'cmd.exe2' }, {}, { a: null }],
  ],
  [
    'equal text, folded',
    match('a', 'ascii', ['equals', 'Cmd.EXE']),
    [{ a: 'cmd.exe' }, { a: 'CMD.EXE' }],
    [{ a: 'md.exe' }],
  ],
  ['ASCII folding leaves other letters alone', match('a', 'ascii', ['equals', 'É']), [{ a: 'É' }], [{ a: 'é' }]],
  [
    'Unicode folding',
    match('a', 'unicode', ['equals', 'Straße'], ['contains', 'ÜBER']),
    [{ a: 'STRAßE' }, { a: 'xxüber' }],
    [{ a: 'strasse' }],
  ],
  [
    'a Kelvin sign folds to k',
    match('a', 'unicode', ['equals', 'kelvin']),
    [{ a: '\u212aelvin' }, { a: 'KELVIN' }],
    [{ a: 'elvin' }],
  ],
  [
    'any of a list',
    match('a', 'exact', ['equals', 'x'], ['equals', 'y']),
    [{ a: 'y' }, { a: ['q', 'x'] }],
    [{ a: 'z' }, { a: ['q'] }],
  ],
  [
    'long prefix',
    match('a', 'ascii', ['prefix', 'C:\\Windows\\']),
    [{ a: 'c:\\windows\\x' }, { a: 'C:\\WINDOWS\\' }],
    [{ a: 'xc:\\windows\\' }, { a: 'c:\\window' }],
  ],
  ['short prefix', match('a', 'exact', ['prefix', 'py']), [{ a: 'py' }, { a: 'python' }], [{ a: 'p' }, { a: 'xpy' }]],
  [
    'long suffix',
    match('a', 'exact', ['suffix', '\\cmd.exe']),
    [{ a: 'C:\\x\\cmd.exe' }],
    [{ a: '\\cmd.exe ' }, { a: 'cmd.exe' }],
  ],
  [
    'short suffix',
    match('a', 'ascii', ['suffix', '.PY']),
    [{ a: 'x.py' }, { a: '.PY' }],
    [{ a: 'x.pyc' }, { a: 'py' }],
  ],
  ['contains', match('a', 'ascii', ['contains', 'Mimikatz']), [{ a: 'run MIMIKATZ now' }], [{ a: 'mimi katz' }]],
  ['contains, short', match('a', 'exact', ['contains', ' -e']), [{ a: 'bash -e x' }], [{ a: 'bash - e' }, { a: '-e' }]],
  ['contains one byte', match('a', 'exact', ['contains', '@']), [{ a: 'a@b' }, { a: '@' }], [{ a: 'ab' }, { a: '' }]],
  [
    'wildcard',
    match('a', 'ascii', ['wildcard', '*power*shell*-enc*']),
    [{ a: 'PowerShell.exe -ENC x' }],
    [{ a: 'powershell -en' }, { a: 'shellpower-enc' }],
  ],
  [
    '? is one code point',
    match('a', 'exact', ['wildcard', 'a?c']),
    [{ a: 'abc' }, { a: 'aéc' }, { a: 'a😀c' }],
    [{ a: 'ac' }, { a: 'abbc' }],
  ],
  [
    '? within a wildcard',
    match('a', 'exact', ['wildcard', '*long?literal*end']),
    [{ a: 'xx long literal end' }],
    [{ a: 'longliteral end' }],
  ],
  [
    'a wildcard without literals',
    match('a', 'exact', ['wildcard', '??']),
    [{ a: 'ab' }, { a: 'é😀' }],
    [{ a: 'a' }, { a: 'abc' }],
  ],
  [
    '* is anything that exists',
    match('a', 'exact', ['wildcard', '*']),
    [{ a: '' }, { a: 'x' }, { a: 0 }, { a: false }],
    [{}, { a: null }, { a: [] }],
  ],
  [
    'numbers and booleans match by their text',
    match('a', 'exact', ['equals', '4'], ['equals', 'true']),
    [{ a: 4 }, { a: 4.0 }, { a: true }],
    [{ a: 4.5 }, { a: 'True' }],
  ],
  [
    'number comparison on any field',
    cmp(f('a'), '>', lit(5)),
    [{ a: 6 }, { a: '5.5' }, { a: [1, 9] }],
    [{ a: 5 }, { a: 'x' }, {}],
  ],
  [
    'text equals a number it writes',
    cmp(f('a'), '==', lit(443)),
    [{ a: 443 }, { a: '443' }, { a: '4.43e2' }],
    [{ a: '0443' }, { a: '443 ' }, { a: true }],
  ],
  [
    'a number equals a text that writes it',
    cmp(f('a'), '==', lit('4.0')),
    [{ a: 4 }, { a: '4.0' }],
    [{ a: '4' }, { a: 5 }],
  ],
  [
    '!= of a list means no value',
    cmp(f('a'), '!=', lit('x')),
    [{ a: ['y', 'z'] }, { a: 'y' }, { a: 5 }],
    [{ a: ['x', 'y'] }, { a: 'x' }, {}],
  ],
  [
    'text order by bytes',
    cmp(f('a'), '<', lit('b')),
    [{ a: 'a' }, { a: 'B' }, { a: '' }],
    [{ a: 'b' }, { a: 'ba' }, { a: 'é' }, { a: 5 }, { a: true }],
  ],
  ['text order, folded', cmp(f('a'), '>=', lit('M'), 'ascii'), [{ a: 'm' }, { a: 'Z' }], [{ a: 'L' }, { a: 'a' }]],
  [
    'a boolean',
    cmp(f('a'), '==', lit(true)),
    [{ a: true }, { a: 'true' }, { a: [false, true] }],
    [{ a: false }, { a: 1 }, { a: 'TRUE' }],
  ],
  ['a field as condition', f('a'), [{ a: true }], [{ a: false }, {}, { a: 'x' }]],
  [
    'a known number field',
    cmp(f('process.pid'), '>=', lit(10)),
    [{ process: { pid: 10 } }, { 'process.pid': '11' }],
    [{ process: { pid: 9 } }, {}, { process: { pid: 'x' } }],
  ],
  [
    'a number field in a list',
    match('destination.port', 'exact', ['equals', '80'], ['equals', '443']),
    [{ destination: { port: 443 } }],
    [{ destination: { port: 8080 } }, {}],
  ],
  [
    'not equal on a number field',
    cmp(f('process.pid'), '!=', lit(4)),
    [{ process: { pid: 5 } }],
    [{ process: { pid: 4 } }, {}],
  ],
  [
    'an identity equals a constant',
    cmp(f('host.id'), '==', lit('abc')),
    [{ host: { id: 'abc' } }],
    [{ host: { id: 'abd' } }, {}],
  ],
  ['an identity is missing', isNull(f('process.entity_id')), [{}], [{ process: { entity_id: 'x' } }]],
  ['missing', isNull(f('a')), [{}, { a: null }, { a: [] }], [{ a: '' }, { a: 0 }]],
  ['exists', not(isNull(f('a'))), [{ a: '' }, { a: false }], [{}, { a: null }]],
  ['missing with fallback', isNull(f('a', 'b')), [{ c: 1 }], [{ a: 1 }, { b: 1 }]],
  [
    'the first present fallback counts',
    cmp(f('a', 'b'), '==', lit('x')),
    [{ a: 'x', b: 'y' }, { b: 'x' }],
    [{ a: 'y', b: 'x' }, {}],
  ],
  ['not keeps null', not(cmp(f('a'), '==', lit('x'))), [{ a: 'y' }], [{}, { a: 'x' }]],
  ['must_not is true for missing', not(cmp(f('a'), '==', lit('x')), 'true'), [{ a: 'y' }, {}], [{ a: 'x' }]],
  [
    'and with null is not false',
    not(and(cmp(f('a'), '==', lit('x')), cmp(f('b'), '==', lit('y')))),
    [{ a: 'q' }, { b: 'q', a: 'x' }, { b: 'q' }],
    [{}, { a: 'x' }, { a: 'x', b: 'y' }],
  ],
  [
    'or with null',
    or(cmp(f('a'), '==', lit('x')), cmp(f('b'), '==', lit('y'))),
    [{ a: 'x' }, { b: 'y' }],
    [{}, { a: 'q' }],
  ],
  ['null == (missing > 1)', isNull(cmp(f('a'), '>', lit(1))), [{}], [{ a: 0 }, { a: 2 }]],
  ['a constant null matches nothing', lit(null), [], [{}, { a: 1 }]],
  ['a constant true matches all', lit(true), [{}], []],
  ['regular expression, whole', re('a', '[a-c]+x?'), [{ a: 'abc' }, { a: 'cx' }], [{ a: 'abcd' }, { a: '' }, {}]],
  [
    'regular expression, within',
    re('a', 'b+c', 'ascii', 'partial'),
    [{ a: 'aBBCd' }, { a: ['x', 'bc'] }],
    [{ a: 'acb' }],
  ],
  ['not a regular expression', not(re('a', 'x.*')), [{ a: 'y' }], [{ a: 'xy' }, {}]],
  [
    'address blocks',
    cidr('a', '10.0.0.0/8', '192.168.1.7'),
    [{ a: '10.255.0.1' }, { a: ['x', '192.168.1.7'] }],
    [{ a: '11.0.0.1' }, { a: '192.168.1.8' }, { a: '10.0.0' }, { a: '10.0.0.256' }, {}],
  ],
  [
    'IPv6 blocks',
    cidr('a', 'fe80::/10', '2001:db8::1/128'),
    [{ a: 'FE80::1' }, { a: 'febf:ffff::' }, { a: '2001:db8:0:0:0:0:0:1' }],
    [{ a: 'fec0::1' }, { a: '2001:db8::2' }, { a: '::' }, { a: ':::' }],
  ],
  [
    'every IPv4 address',
    cidr('a', '0.0.0.0/0'),
    [{ a: '1.2.3.4' }, { a: '::ffff:9.9.9.9' }],
    [{ a: '::1' }, { a: '1.2.3.04' }],
  ],
  ['not in a block', not(cidr('a', '10.0.0.0/8')), [{ a: '9.9.9.9' }, { a: 'x' }], [{ a: '10.0.0.1' }, {}]],
  [
    'a function of one field',
    cmp(call('length', f('a')), '>', lit(3)),
    [{ a: 'éééé' }, { a: ['a', 'abcd'] }],
    [{ a: 'ééé' }, {}],
  ],
  [
    'a negative substring',
    cmp(call('substring', f('a'), lit(-4)), '==', lit('.exe')),
    [{ a: 'x.exe' }, { a: '.exe' }],
    [{ a: 'exe' }, { a: 'x.exe2' }],
  ],
  [
    'a function that may find nothing',
    cmp(call('indexOf', f('a'), lit('plore')), '==', lit(null)),
    [{ a: 'x' }, {}],
    [{ a: 'explorer' }],
  ],
  [
    'a position',
    cmp(call('indexOf', f('a'), lit('o'), lit(2)), '==', lit(4)),
    [{ a: 'foxxo' }],
    [{ a: 'foxx' }, { a: 'fooo' }],
  ],
  [
    'between',
    cmp(call('between', f('a'), lit('s'), lit('e')), '==', lit('yst')),
    [{ a: 'system' }],
    [{ a: 'stem' }, { a: 'xyz' }],
  ],
  [
    'greedy between',
    cmp(call('between', f('a'), lit('dev'), lit('.json'), lit(true)), '==', lit('x.json.y')),
    [{ a: '/dev' + 'x.json.y.json' }],
    [{ a: 'devx' }],
  ],
  [
    'concat over two fields',
    cmp(call('concat', f('a'), lit(':'), f('b')), '==', lit('1:x')),
    [
      { a: 1, b: 'x' },
      { a: '1', b: ['q', 'x'] },
    ],
    [{ a: 1 }, { a: 1, b: 'y' }],
  ],
  [
    'two fields compare',
    cmp(f('a'), '==', f('b')),
    [
      { a: 'x', b: 'x' },
      { a: 1, b: '1' },
      { a: ['p', 'q'], b: ['z', 'q'] },
    ],
    [{ a: 'x', b: 'X' }, { a: 'x' }, {}, { a: [1, 2], b: [3] }],
  ],
  ['two fields compare, folded', cmp(f('a'), '==', f('b'), 'ascii'), [{ a: 'x', b: 'X' }], [{ a: 'x', b: 'y' }]],
  [
    'two fields differ',
    cmp(f('a'), '!=', f('b')),
    [
      { a: 'x', b: 'y' },
      { a: [1, 2], b: [3] },
    ],
    [{ a: 'x', b: 'x' }, { a: 'x' }, { a: [1, 2], b: [2] }],
  ],
  [
    'integer division',
    cmp({ kind: 'arithmetic', op: '/', left: f('a'), right: lit(2) }, '==', lit(3)),
    [{ a: 7 }, { a: 6 }],
    [{ a: 7.5 }, { a: '7' }, {}],
  ],
  [
    'float division',
    cmp({ kind: 'arithmetic', op: '/', left: f('a'), right: lit(2, true) }, '==', lit(3.5)),
    [{ a: 7 }],
    [{ a: 6 }],
  ],
  [
    'division by zero is null',
    isNull({ kind: 'arithmetic', op: '/', left: f('a'), right: lit(0) }),
    [{ a: 1 }, {}],
    [],
  ],
  [
    'arithmetic over number fields',
    cmp({ kind: 'arithmetic', op: '+', left: f('process.pid'), right: f('destination.port') }, '==', lit(100)),
    [{ process: { pid: 20 }, destination: { port: 80 } }],
    [{ process: { pid: 20 } }, { process: { pid: 21 }, destination: { port: 80 } }],
  ],
  [
    'endsWith another field',
    call('endsWith', f('a'), f('b')),
    [{ a: 'x.exe', b: '.exe' }],
    [{ a: 'x', b: 'xx' }, { a: 'x' }],
  ],
  [
    'number in a base',
    cmp(call('number', f('a'), lit(16)), '==', lit(0x1337)),
    [{ a: '0x1337' }, { a: '1337' }],
    [{ a: '0x1338' }, { a: 'zz' }],
  ],
  ['text of a number', match('a', 'exact', ['equals', '5']), [{ a: 5 }], [{ a: 6 }]],
  ['startsWith with a constant', call('startsWith', f('a'), lit('ab')), [{ a: 'abc' }], [{ a: 'b' }, {}]],
  [
    'startsWith is false',
    cmp(call('startsWith', f('a'), lit('ab')), '==', lit(false)),
    [{ a: 'b' }],
    [{ a: 'abc' }, {}],
  ],
  [
    'one element satisfies all',
    { kind: 'nested', path: 'l', condition: and(cmp(f('l.x'), '==', lit(1)), cmp(f('l.y'), '==', lit(2))) },
    [{ l: [{ x: 1, y: 2 }] }, { l: [{ x: 3 }, { x: 1, y: 2 }] }, { l: { x: 1, y: 2 } }],
    [
      {
        l: [
          { x: 1, y: 3 },
          { x: 3, y: 2 },
        ],
      },
      {},
      { l: [] },
    ],
  ],
  [
    'an element lacks a field',
    { kind: 'nested', path: 'l', condition: and(cmp(f('l.x'), '==', lit(1)), isNull(f('l.y'))) },
    [{ l: [{ x: 1, y: 2 }, { x: 1 }] }],
    [{ l: [{ x: 1, y: 2 }, { x: 2 }] }],
  ],
  [
    'two elements satisfy',
    { kind: 'nested', path: 'l', condition: cmp(f('l.x'), '>', lit(1)), count: { op: '==', value: 2 } },
    [{ l: [{ x: 2 }, { x: 3 }, { x: 0 }] }],
    [{ l: [{ x: 2 }] }, { l: [{ x: 2 }, { x: 2 }, { x: 2 }] }, {}],
  ],
  [
    'no element satisfies',
    not({ kind: 'nested', path: 'l', condition: cmp(f('l.x'), '==', lit(1)) }),
    [{ l: [{ x: 2 }] }],
    [{ l: [{ x: 1 }] }, {}],
  ],
  [
    'elements that are values',
    {
      kind: 'nested',
      path: 'v',
      condition: and(match('v', 'exact', ['prefix', 'a']), match('v', 'exact', ['suffix', 'z'])),
    },
    [{ v: ['b', 'axz'] }, { v: 'az' }],
    [{ v: ['a1', '1z'] }, {}],
  ],
  [
    'an expression on an element',
    { kind: 'nested', path: 'l', condition: cmp(f('l.x'), '==', f('l.y')) },
    [
      {
        l: [
          { x: 1, y: 2 },
          { x: 3, y: 3 },
        ],
      },
    ],
    [
      {
        l: [
          { x: 1, y: 2 },
          { x: 2, y: 1 },
        ],
      },
    ],
  ],
  [
    'a position in an array',
    cmp(call('arrayItem', f('v'), lit('v'), lit(1)), '==', lit('b')),
    [{ v: ['a', 'b'] }],
    [{ v: ['b'] }, { v: 'b' }, {}],
  ],
];

async function run(options: PredicateKernelOptions): Promise<void> {
  const kernel = await PredicateKernel.create(
    cases.map(([, condition], index) => matchRule(condition, index)),
    options,
  );
  const wrong: string[] = [];
  cases.forEach(([name, , yes, no], index) => {
    for (const event of yes)
      if (!kernel.match(event).includes(index)) wrong.push(`${name}: missed ${JSON.stringify(event)}`);
    for (const event of no)
      if (kernel.match(event).includes(index)) wrong.push(`${name}: took ${JSON.stringify(event)}`);
  });
  expect(wrong).toEqual([]);
}

describe('predicates in the kernel', () => {
  it('decide every construct alone and together with all others', () => run({}));
  it('decide the same without candidate lists', () => run({ prefilter: 'off' }));
  it('decide the same when no truth set can be kept', () => run({ truthBytes: 1 }));

  it.each(cases)('%s', async (_name, condition, yes, no) => {
    const kernel = await PredicateKernel.create([matchRule(condition)]);
    for (const event of yes) expect(kernel.match(event), JSON.stringify(event)).toEqual([0]);
    for (const event of no) expect(kernel.match(event), JSON.stringify(event)).toEqual([]);
  });
});
