import { describe, expect, it } from 'vitest';
import type { EqlDialect } from '../../src/language/eql/index.js';
import { conditionOf, truthOf } from '../support/eql.js';

type Row = readonly [condition: string, document: Record<string, unknown>, truth: boolean | null];

const cmd = { process: { name: 'cmd.exe', pid: 12, args: ['a', 'Bc', 'd*'], ok: true, ratio: 0.5 } };

const elasticsearch: readonly Row[] = [
  // equality respects case and takes wildcards literally
  ['process.name == "cmd.exe"', cmd, true],
  ['process.name == "CMD.EXE"', cmd, false],
  ['process.name == "cmd*"', cmd, false],
  ['process.args == "d*"', cmd, true],
  ['process.name != "x"', cmd, true],
  ['process.name != "cmd.exe"', cmd, false],
  ['"cmd.exe" == process.name', cmd, true],
  // ":" and like~ ignore case, like respects it; all take wildcards
  ['process.name : "CMD.*"', cmd, true],
  ['process.name : ("x", "C?D.EXE")', cmd, true],
  ['process.name : "cmd"', cmd, false],
  ['process.name like "cmd*"', cmd, true],
  ['process.name like "CMD*"', cmd, false],
  ['process.name like~ ("x*", "CM?.*")', cmd, true],
  ['process.args : "D*"', cmd, true],
  // in and in~ take no wildcards
  ['process.name in ("a", "cmd.exe")', cmd, true],
  ['process.name in ("CMD.EXE")', cmd, false],
  ['process.name in~ ("CMD.EXE")', cmd, true],
  ['process.name in~ ("CMD*")', cmd, false],
  ['process.name not in ("a", "b")', cmd, true],
  ['process.name not in~ ("CMD.EXE")', cmd, false],
  ['process.pid in (1, 12)', cmd, true],
  ['process.pid in (1, 2, 3 + 9)', cmd, true],
  ['process.ok in (true)', cmd, true],
  // regex matches the whole value
  ['process.name regex "cmd"', cmd, false],
  ['process.name regex "[a-z]+\\\\.exe"', cmd, true],
  ['process.name regex """[a-z]+\\.exe"""', cmd, true],
  ['process.name regex "CMD.*"', cmd, false],
  ['process.name regex~ ("x", "CMD.*")', cmd, true],
  // numbers, booleans and order
  ['process.pid == 12', cmd, true],
  ['process.pid == 12.0', cmd, true],
  ['process.pid > 11 and process.pid <= 12', cmd, true],
  ['12 < process.pid', cmd, false],
  ['13 > process.pid', cmd, true],
  ['process.ratio < .6', cmd, true],
  ['process.ratio == 5e-1', cmd, true],
  ['process.pid == -12 * -1', cmd, true],
  ['process.pid / 5 == 2', cmd, true],
  ['process.pid / 5.0 == 2.4', cmd, true],
  ['-process.pid == -12', cmd, true],
  ['process.pid % 5 == 2 and process.pid * 2 - 1 == 23', cmd, true],
  ['process.name >= "cmd" and process.name < "cme"', cmd, true],
  ['process.name < "D"', cmd, false],
  ['process.ok', cmd, true],
  ['not process.ok', cmd, false],
  ['process.ok == true', cmd, true],
  ['process.ok != true', cmd, false],
  // several values: any satisfies, and the negation says none does
  ['process.args == "a"', cmd, true],
  ['process.args == "a" and process.args == "Bc"', cmd, true],
  ['process.args != "a"', cmd, false],
  ['not process.args == "z"', cmd, true],
  ['process.args : "bC"', cmd, true],
  // missing values: null, which negation keeps and which never matches
  ['missing == "a"', cmd, null],
  ['missing != "a"', cmd, null],
  ['not missing == "a"', cmd, null],
  ['missing > 1', cmd, null],
  ['not (missing in ("a"))', cmd, null],
  ['missing : "*"', cmd, null],
  ['missing == null', cmd, true],
  ['missing != null', cmd, false],
  ['null == missing', cmd, true],
  ['process.name == null', cmd, false],
  ['process.name != null', cmd, true],
  ['not process.name == null', cmd, true],
  ['?missing == null', cmd, true],
  ['?missing == "a" or process.pid == 12', cmd, true],
  ['missing == "a" and process.pid == 12', cmd, null],
  ['missing == "a" and process.pid == 13', cmd, false],
  ['missing > null', cmd, null],
  ['process.pid in (null, 12)', cmd, true],
  ['process.pid in (null, 13)', cmd, null],
  ['length(missing) == null', cmd, true],
  ['indexOf(process.name, "zzz") == null', cmd, true],
  // precedence
  ['true or false and false', cmd, true],
  ['(true or false) and false', cmd, false],
  ['not false and false', cmd, false],
  ['not (false and false)', cmd, true],
  ['not process.name == "x" and process.pid == 12', cmd, true],
  ['not not process.pid == 12', cmd, true],
  ['1 + 2 * 3 == 7 and (1 + 2) * 3 == 9 and 10 - 2 - 3 == 5', cmd, true],
  ['process.pid in (12) == true', cmd, true],
  // functions of one and several fields
  ['startsWith~(process.name, "CMD")', cmd, true],
  ['STARTSWITH(process.name, "CMD")', cmd, false],
  ['endsWith(process.name, ".exe") and stringContains~(process.name, "D.E")', cmd, true],
  ['concat(process.name, ":", process.pid) == "cmd.exe:12"', cmd, true],
  ['concat(process.name, missing) == null', cmd, true],
  ['substring(process.name, -4) == ".exe"', cmd, true],
  ['between~(process.name, "C", ".") == "md"', cmd, true],
  ['string(process.pid) : "1?"', cmd, true],
  ['number("0xc", 16) == process.pid', cmd, true],
  ['cidrMatch(ip, "10.0.0.0/8", "fe80::/10")', { ip: ['192.168.0.1', 'fe80::1'] }, true],
  ['cidrMatch(ip, "10.0.0.0/8") == false', { ip: '11.0.0.1' }, true],
  ['not cidrMatch(ip, "10.0.0.0/8")', {}, null],
  // names
  ['`process`.`name` == "cmd.exe"', cmd, true],
  ['`my-field` == 1', { 'my-field': 1 }, true],
  ['`a``b` == 1', { 'a`b': 1 }, true],
  ['process . name == "cmd.exe" /* blanks */', cmd, true],
  ['@timestamp == "x" // to the end', { '@timestamp': 'x' }, true],
];

const stack = {
  process: {
    pid: 4,
    name: 'A.exe',
    parent: { pid: 4, name: 'a.exe' },
    tags: ['x', 'y'],
    stack: [
      { module: 'ntdll.dll', size: 1, deep: [{ k: 'a' }, { k: 'b' }] },
      { module: 'unbacked', size: 9, deep: [{ k: 'c' }] },
    ],
  },
};

const endpoint: readonly Row[] = [
  ['process.pid == process.parent.pid', stack, true],
  ['process.name == process.parent.name', stack, false],
  ['process.name in ("b.exe", process.parent.name)', stack, false],
  ['_arraysearch(process.stack, $e, $e.module : "NTDLL*" and $e.size == 1)', stack, true],
  ['_arraysearch(process.stack, $e, $e.module : "ntdll*" and $e.size == 9)', stack, false],
  ['process.stack.module : "ntdll*" and process.stack.size == 9', stack, true],
  ['not arraySearch(process.stack, $e, $e.size > 100)', stack, true],
  ['arraysearch(missing, $e, $e.size > 100)', stack, null],
  ['arraysearch(process.stack, $e, $e.size == 9 and arraysearch($e.deep, $d, $d.k == "c"))', stack, true],
  ['arraysearch(process.stack, $e, $e.size == 9 and arraysearch($e.deep, $d, $d.k == "a"))', stack, false],
  ['arraysearch(process.tags, $t, $t == "y")', stack, true],
  ['arraycount(process.stack, $e, $e.size > 0) == 2', stack, true],
  ['1 < arrayCount(process.stack, $e, $e.size > 1)', stack, false],
  ['arraycontains(process.tags, "q", "y")', stack, true],
  ['arraycontains(process.tags, "Y")', stack, false],
  ['arraycontains~(process.tags, "Y")', stack, true],
];

const flat = { name: 'Cmd.exe', pid: 3, zero: 0, empty: '', no: false, list: ['En-US', 'en'], what: 'is it?' };

const python: readonly Row[] = [
  ["name = 'cmd.EXE'", flat, true],
  ['name == "*MD.*"', flat, true],
  ['name != "x*"', flat, true],
  ['missing != "x*"', flat, null],
  ['name == "C?d.exe"', flat, false],
  ['what == "is*?"', flat, true],
  ['what == "is it*t?"', flat, false],
  ['name in ("CMD.EXE")', flat, true],
  ["startsWith(name, 'CMD')", flat, true],
  ['name:length() == 7', flat, true],
  ['name:substring(0, 3) == "cmd"', flat, true],
  ['wildcard(name, "x", "c*d.*")', flat, true],
  ['match(name, ?"c[a-z]d")', flat, true],
  ['match(name, ?"md")', flat, false],
  ['matchLite(name, ?".*\\.exe")', flat, true],
  ['safe(divide(name, name))', flat, null],
  ['arrayContains(list, "en-us")', flat, true],
  ['arraySearch(list, a, a == "en-*")', flat, true],
  ['match(name, null)', flat, null],
  ['wildcard(name, "x", null)', flat, null],
  ['pid', flat, true],
  ['zero', flat, false],
  ['empty', flat, false],
  ['no', flat, false],
  ['not pid', flat, false],
  ['missing', flat, null],
  ['name >= "CMD" and name <= "cmdz"', flat, true],
  ['concat(name, pid, ) == "cmd.exe3"', flat, true],
];

const tables: readonly (readonly [EqlDialect, readonly Row[]])[] = [
  ['elasticsearch', elasticsearch],
  ['endpoint', endpoint],
  ['python-eql', python],
];

describe.each(tables)('what %s means', (dialect, rows) => {
  it.each(rows)('%s', (condition, document, truth) => {
    expect(truthOf(condition, document, { dialect })).toBe(truth);
  });
});

describe('conditions as IR', () => {
  it('keeps the place of every node', () => {
    const text = 'a.b == "x" and length(c) > 3';
    const condition = conditionOf(text);
    const operands = condition.kind === 'and' ? condition.operands : [];
    expect(operands.map(({ span }) => text.slice(span?.start, span?.end))).toEqual(['a.b == "x"', 'length(c) > 3']);
  });

  it('folds what depends on no event', () => {
    expect(conditionOf('pid == 2 * 3 + 1')).toMatchObject({ kind: 'compare', right: { kind: 'literal', value: 7 } });
    expect(conditionOf('false and pid == 1')).toMatchObject({ kind: 'literal', value: false });
    expect(conditionOf('not length("ab") == 3')).toMatchObject({ kind: 'literal', value: true });
  });

  it('tells fractions from whole numbers', () => {
    expect(conditionOf('a / 2.0 > 1')).toMatchObject({ left: { right: { value: 2, float: true } } });
    expect(conditionOf('a / 2 > 1')).toMatchObject({ left: { right: { value: 2 } } });
    expect(conditionOf('a / 2 > 1')).not.toMatchObject({ left: { right: { float: true } } });
  });

  it('lowers a relation to a lineage condition with its own query', () => {
    const condition = conditionOf('not descendant of [process where child of [any where a == 1]]', {
      dialect: 'endpoint',
    });
    const child = { kind: 'lineage', relation: 'child', query: { category: null } };
    expect(condition).toMatchObject({
      kind: 'not',
      missing: 'null',
      operand: { kind: 'lineage', relation: 'descendant', query: { category: 'process', condition: child } },
    });
  });

  it('names positions in arrays by array and index, outermost first', () => {
    const condition = conditionOf('a[0].b[2] == 1', { dialect: 'endpoint' });
    const args = [{ name: 'a.b' }, { value: 'a' }, { value: 0 }, { value: 'a.b' }, { value: 2 }];
    expect(condition).toMatchObject({ kind: 'compare', left: { kind: 'call', name: 'arrayItem', args } });
  });

  it('takes an object for true when a field below it exists, in the python-eql dialect', () => {
    const text = 'outer and outer.inner == 1';
    expect(truthOf(text, { outer: { inner: 1 } }, { dialect: 'python-eql' })).toBe(true);
    const search = 'outer and arraySearch(outer.list, x, true)';
    expect(truthOf(search, { outer: { list: [{ a: 1 }] } }, { dialect: 'python-eql' })).toBe(true);
  });

  it('respects case in the python-eql dialect when asked', () => {
    const options = { dialect: 'python-eql', caseSensitive: true } as const;
    expect(truthOf('name == "cmd.exe"', flat, options)).toBe(false);
    expect(truthOf('startsWith(name, "Cmd")', flat, options)).toBe(true);
  });
});
