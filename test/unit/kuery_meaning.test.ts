import { describe, expect, it } from 'vitest';
import { type KueryOptions, parseKuery } from '../../src/language/kuery/kuery.js';
import { holds } from '../support/conditions.js';

type Case = readonly [query: string, document: Record<string, unknown>, expected: boolean, options?: KueryOptions];

function judge(query: string, document: Record<string, unknown>, options: KueryOptions = {}): boolean {
  const { condition, problems } = parseKuery(query, options);
  expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
  return condition !== undefined && holds(condition, document);
}

const groups: Readonly<Record<string, readonly Case[]>> = {
  'values compare whole and by case': [
    ['process.name: python', { process: { name: 'python' } }, true],
    ['process.name: python', { process: { name: 'Python' } }, false],
    ['process.name: python', { process: { name: 'Python' } }, true, { caseInsensitive: true }],
    ['process.name: py*', { process: { name: 'Python' } }, false],
    ['process.name: py*', { process: { name: 'Python' } }, true, { caseInsensitive: true }],
    ['process.name: É', { process: { name: 'é' } }, false, { caseInsensitive: true }],
    ['process.name: pyth', { process: { name: 'python' } }, false],
    ['user.name: hello world', { user: { name: 'hello world' } }, true],
    ['"user.name": "hello world"', { 'user.name': 'hello world' }, true],
    ['a: ""', { a: '' }, true],
    ['a: ""', {}, false],
  ],
  'keywords need blanks and take any case': [
    ['a: 1 AND b: 2', { a: 1, b: 2 }, true],
    ['a: 1 Or b: 2', { b: 2 }, true],
    ['NOT a: 1', { a: 2 }, true],
    ['a: band', { a: 'band' }, true],
    ['a: oracle and b: notable', { a: 'oracle', b: 'notable' }, true],
    ['a: this \\or that', { a: 'this or that' }, true],
    ['a: \\and', { a: 'and' }, true],
    ['a: "x or y"', { a: 'x or y' }, true],
    ['a: (cannot open)', { a: 'cannot open' }, true],
  ],
  '"not" binds before "and", and "and" before "or"': [
    ['a: 1 or b: 2 and c: 3', { a: 1 }, true],
    ['a: 1 or b: 2 and c: 3', { b: 2 }, false],
    ['not a: 1 and b: 2', { b: 2 }, true],
    ['not a: 1 and b: 2', { a: 1, b: 2 }, false],
    ['not a: 1 or b: 2', { a: 1, b: 2 }, true],
    ['a: (1 or 2 and 3)', { a: [2, 3] }, true],
    ['a: (not (1 or 2))', { a: 3 }, true],
  ],
  'a negation holds where the field is missing': [
    ['not a: 1', {}, true],
    ['not a > 1', {}, true],
    ['not a: *', {}, true],
    ['a: (* and not 1)', {}, false],
    ['a: (* and not 1)', { a: 2 }, true],
    ['not a: 1', { a: [1, 2] }, false],
  ],
  'a star is any text and a question mark itself': [
    ['a: *b*', { a: 'xby' }, true],
    ['a: b*d', { a: 'bd' }, true],
    ['a: b?d', { a: 'bcd' }, false],
    ['a: b?*', { a: 'b?xy' }, true],
    ['a: b?*', { a: 'bcxy' }, false],
    ['a: x*b?d*z', { a: 'x1b?d2z' }, true],
    ['a: x*b?d*z', { a: 'x1bcd2z' }, false],
    ['a: \\*b', { a: '*b' }, true],
    ['a: \\*b', { a: 'ab' }, false],
    ['a: *\\*', { a: 'b*' }, true],
    ['a: *\\*', { a: 'bc' }, false],
    ['a: "b*"', { a: 'b*' }, true],
    ['a: "b*"', { a: 'bc' }, false],
    ['a: C\\:\\\\Windows\\\\*', { a: 'C:\\Windows\\x' }, true],
    ['a: "C:\\\\x"', { a: 'C:\\x' }, true],
    ['a: "C:\\Users"', { a: 'C:\\Users' }, true],
    ['a: \\u0041', { a: 'A' }, true],
    ['a: "tab\\there"', { a: 'tab\there' }, true],
  ],
  'numbers and booleans match by what they mean': [
    ['a: 80', { a: 80 }, true],
    ['a: "80"', { a: 80 }, true],
    ['a: 80', { a: '80' }, true],
    ['a: 80.0', { a: 80 }, true],
    ['a: 8', { a: 80 }, false],
    ['a: true', { a: true }, true],
    ['a: true', { a: 'true' }, true],
    ['a: false', { a: true }, false],
    ['a >= 10 and a < 20', { a: 9 }, false],
    ['a >= 10 and a < 20', { a: 10 }, true],
    ['a > 9', { a: 10 }, true],
    ['a>9', { a: 9 }, false],
    ['a <= 1.5', { a: 1.5 }, true],
    ['a > 1', {}, false],
    ['a >= "b"', { a: 'c' }, true],
  ],
  'addresses match by block': [
    ['source.ip: 10.0.0.0/8', { source: { ip: '10.1.2.3' } }, true],
    ['source.ip: 10.0.0.0/8', { source: { ip: '11.1.2.3' } }, false],
    ['source.ip: "2001:db8::/32"', { source: { ip: '2001:db8::1' } }, true],
    ['source.ip: "2001:0db8::1"', { source: { ip: '2001:db8:0::1' } }, true],
    ['source.ip: (10.0.0.0/8 or 192.168.0.1)', { source: { ip: '192.168.0.1' } }, true],
    ['dns.resolved_ip: 10.0.0.0/8', { dns: { resolved_ip: ['1.1.1.1', '10.0.0.1'] } }, true],
    ['gateway: 10.0.0.0/8', { gateway: '10.0.0.1' }, false],
    ['gateway: 10.0.0.0/8', { gateway: '10.0.0.1' }, true, { fieldTypes: { gateway: 'ip' } }],
    ['source.ip >= 10.0.0.5', { source: { ip: '10.0.0.5' } }, true],
    ['source.ip > 10.0.0.5', { source: { ip: '10.0.0.5' } }, false],
    ['source.ip < 10.0.0.5', { source: { ip: '9.255.255.255' } }, true],
    ['source.ip <= 10.0.0.5', { source: { ip: '10.0.0.6' } }, false],
  ],
  'dates match by the time they stand for': [
    ['@timestamp >= "2024-01-02"', { '@timestamp': '2024-01-02T00:00:00Z' }, true],
    ['@timestamp >= "2024-01-02"', { '@timestamp': '2024-01-01T23:59:59.999Z' }, false],
    ['@timestamp > "2024-01-02"', { '@timestamp': '2024-01-02T23:59:59.999Z' }, false],
    ['@timestamp > "2024-01-02"', { '@timestamp': '2024-01-03T00:00:00.000Z' }, true],
    ['@timestamp <= "2024-01-02"', { '@timestamp': '2024-01-02T23:59:59.999Z' }, true],
    ['@timestamp < "2024-01-02T10:00:00.500Z"', { '@timestamp': '2024-01-02T10:00:00Z' }, true],
    ['@timestamp >= "2024-01-02T10:00:00.500Z"', { '@timestamp': '2024-01-02T10:00:00Z' }, false],
    ['@timestamp: "2024-01"', { '@timestamp': '2024-01-31T12:00:00Z' }, true],
    ['@timestamp: "2024-01"', { '@timestamp': '2024-02-01T00:00:00Z' }, false],
    ['@timestamp >= "2024-01-01||+1M/d"', { '@timestamp': '2024-02-01T00:00:00Z' }, true],
    ['@timestamp >= "2024-01-01||+1M/d"', { '@timestamp': '2024-01-31T23:00:00Z' }, false],
    ['@timestamp < "2024-01-02T00:00:00+02:00"', { '@timestamp': '2024-01-01T21:59:59Z' }, true],
    ['@timestamp < "2024-01-02T00:00:00+02:00"', { '@timestamp': '2024-01-01T22:00:00Z' }, false],
    ['event.created >= 1704153600000', { event: { created: 1704153600000 } }, true],
    ['event.created >= "2024-01-02"', { event: { created: 1704153599999 } }, false],
    ['seen >= "2024-01-02"', { seen: '2024-01-03T00:00:00Z' }, true],
    ['@timestamp >= now-1d', { '@timestamp': '2024-01-01T12:00:00Z' }, true, { nowMs: Date.UTC(2024, 0, 2) }],
    ['@timestamp >= now-1d/d', { '@timestamp': '2023-12-31T12:00:00Z' }, false, { nowMs: Date.UTC(2024, 0, 2, 9) }],
  ],
  'prose is searched by words, whatever their case': [
    ['message: "Connection refused"', { message: 'ssh: connect: connection refused by peer' }, true],
    ['message: "Connection refused"', { message: 'refused connection' }, false],
    ['message: connection refused', { message: 'refused' }, true],
    ['message: refuse', { message: 'refused' }, false],
    ['message: refuse*', { message: 'was Refused' }, true],
    ['message: *fused', { message: 'was Refused twice' }, true],
    ['message: "System.Net"', { message: 'new System.Net.Sockets' }, false],
    ['message: "System.Net.Sockets"', { message: 'new-object System.Net.Sockets;' }, true],
    ['message: "New-Object"', { message: '(new-object x)' }, true],
    ['message: "a"', { message: 'b' }, false],
    ['note: hello', { note: 'Hello world' }, true, { fieldTypes: { note: 'text' } }],
  ],
  'free text is searched in every field': [
    ['hello', { a: { b: 'hello' } }, true],
    ['hello', { a: { b: 'hello world' } }, false],
    ['"hello world"', { a: [{ b: 'hello world' }] }, true],
    ['hel*', { a: 'x', c: 'hello' }, true],
    ['refused', { message: 'Connection refused' }, true],
    ['*', {}, true],
    ['*: *', {}, true],
    ['', { a: 1 }, true],
    ['process.*: evil', { process: { parent: { name: 'evil' } } }, true],
    ['process.*: evil', { file: { name: 'evil' } }, false],
    ['process.*: *', { file: { name: 'evil' } }, false],
  ],
  'a nested query holds within one element': [
    ['d: { a: 1 and r: 2 }', { d: [{ a: 1, r: 2 }] }, true],
    ['d: { a: 1 and r: 2 }', { d: [{ a: 1 }, { r: 2 }] }, false],
    ['d: { e: { x: 1 } and a: 1 }', { d: [{ a: 1, e: [{ x: 2 }, { x: 1 }] }] }, true],
  ],
};

describe.each(Object.entries(groups))('KQL: %s', (_, cases) => {
  const rows = cases.map(([query, document, expected, options]) => ({ query, document, expected, options }));
  it.each(rows)('$query on $document is $expected', ({ query, document, expected, options }) => {
    expect(judge(query, document, options)).toBe(expected);
  });
});
