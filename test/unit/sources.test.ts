import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { splitPosix, splitWindows } from '../../src/source/arguments.js';
import { createSourceReader } from '../../src/source/reader.js';
import { hasShared, listShared, sharedPath } from '../support/shared.js';

type Event = Record<string, unknown>;

interface SourceCase {
  readonly name: string;
  readonly kind: string;
  readonly line?: Event;
  readonly text?: string;
  readonly expect: readonly Event[];
  readonly absent?: readonly string[];
}

const cases = JSON.parse(
  readFileSync(new URL('../cases/sources/classes.json', import.meta.url), 'utf8'),
) as SourceCase[];

function readAll(
  bytes: Uint8Array,
  format = 'auto',
): { events: Event[]; reader: ReturnType<typeof createSourceReader> } {
  const reader = createSourceReader(format);
  const decoder = new TextDecoder();
  const text = decoder.decode(reader.read(bytes)) + decoder.decode(reader.end());
  const events = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event);
  return { events, reader };
}

describe('each source maps its records to canonical events', () => {
  test.each(cases)('$name', ({ kind, line, text, expect: expected, absent }) => {
    const { events, reader } = readAll(new TextEncoder().encode(text ?? JSON.stringify(line)));
    expect([...reader.tally.byKind.keys()]).toEqual([kind]);
    expect(events).toHaveLength(expected.length);
    expected.forEach((fields, index) => void expect(events[index]).toMatchObject(fields));
    for (const name of absent ?? []) expect(events[0]).not.toHaveProperty([name]);
  });
});

describe('auditd text', () => {
  const lines = [
    'type=SYSCALL msg=audit(1604994496.155:1): arch=c000003e syscall=59 success=yes exit=0 ppid=29002 pid=1631 auid=4294967295 uid=33 euid=33 tty=(none) ses=1 comm="python3" exe="/usr/bin/python3.11" key=(null)',
    'type=EXECVE msg=audit(1604994496.155:1): argc=3 a0="python3" a1=2D63 a2="import os"',
    'type=CWD msg=audit(1604994496.155:1): cwd="/var/www"',
    'type=SYSCALL msg=audit(1604994497.000:2): arch=c000003e syscall=42 success=yes exit=0 ppid=1 pid=1631 auid=1000 uid=33 euid=33 exe="/usr/bin/python3.11"',
    'type=SOCKADDR msg=audit(1604994497.000:2): saddr=020001BBCB0071090000000000000000',
    'type=SYSCALL msg=audit(1604994498.000:3): arch=c000003e syscall=257 success=yes pid=1631 ppid=1 uid=33 exe="/usr/bin/python3.11"',
    'type=CWD msg=audit(1604994498.000:3): cwd="/etc"',
    'type=PATH msg=audit(1604994498.000:3): item=0 name="/etc/" nametype=PARENT',
    'type=PATH msg=audit(1604994498.000:3): item=1 name="cron.d/x" nametype=CREATE',
  ];
  const { events } = readAll(new TextEncoder().encode(lines.join('\n')));

  test('records of one serial are one event; hex arguments are decoded; an unset audit id stays unset', () => {
    expect(events[0]).toMatchObject({
      'event.class': 'process_exec',
      'process.args': ['python3', '-c', 'import os'],
      'process.working_directory': '/var/www',
      'x.user.audit_id': 'unset',
    });
    expect(events[0]).not.toHaveProperty(['process.tty']);
  });

  test('a connect reads address and port from the socket address', () => {
    expect(events[1]).toMatchObject({
      'event.class': 'net_connect',
      'destination.ip': '203.0.113.9',
      'destination.port': 443,
    });
  });

  test('a created path is a write, joined to the working directory', () => {
    expect(events[2]).toMatchObject({
      'event.class': 'file_write',
      'file.path': '/etc/cron.d/x',
      'x.file.op': 'create',
    });
  });
});

describe('command lines are split as their platform does', () => {
  test.each([
    ['"C:\\a b\\p.exe" -c "x \\"y\\""', ['C:\\a b\\p.exe', '-c', 'x "y"']],
    ['p.exe a\\\\b "c\\\\" d', ['p.exe', 'a\\\\b', 'c\\', 'd']],
  ])('Windows: %s', (text, args) => {
    expect(splitWindows(text)).toEqual({ args, isBalanced: true });
  });

  test.each([
    ['sh -c \'a "b"\' x\\ y', ['sh', '-c', 'a "b"', 'x y'], true],
    ['a "" b', ['a', '', 'b'], true],
    ['a "open', ['a', 'open'], false],
  ])('POSIX: %s', (text, args, isBalanced) => {
    expect(splitPosix(text)).toEqual({ args, isBalanced });
  });
});

describe('the reader', () => {
  test('passes plain ECS lines as the bytes they were', () => {
    const bytes = new TextEncoder().encode('{"@timestamp":"2026-01-01T00:00:00Z","event":{"category":"process"}}\n');
    expect(createSourceReader('auto').read(bytes)).toBe(bytes);
  });

  test('keeps the order of ECS and mapped lines', () => {
    const ecs = '{"@timestamp":"2026-01-01T00:00:00Z","event":{"category":"process"},"n":1}';
    const falco = JSON.stringify({ rule: 'r', output_fields: { 'evt.type': 'execve' }, n: 2 });
    const { events } = readAll(new TextEncoder().encode([ecs, falco, ecs].join('\n')));
    expect(events.map((event) => event['x.source.kind'] ?? 'ecs')).toEqual(['ecs', 'falco', 'ecs']);
  });

  test('counts what it does not recognise and keeps examples', () => {
    const { reader, events } = readAll(new TextEncoder().encode('hello\n{"a":1}\n{"broken\n\n'));
    expect(events).toEqual([]);
    expect(reader.tally).toMatchObject({
      lines: 3,
      unrecognised: 3,
      unrecognisedExamples: ['hello', '{"a":1}', '{"broken'],
    });
  });

  test('refuses an unknown format and names the nearest', () => {
    expect(() => createSourceReader('esloger')).toThrow(/did you mean "eslogger"/);
  });
});

describe.skipIf(!hasShared('data/otrf'))('recordings from outside', () => {
  const files = [...listShared('data/otrf', '.gz'), ...listShared('data/otrf', '.log')];

  test.each(files)('%s: every line is recognised', (file) => {
    const bytes = readFileSync(sharedPath(file));
    const { reader, events } = readAll(file.endsWith('.gz') ? gunzipSync(bytes) : bytes);
    expect(reader.tally.unrecognised).toBe(0);
    expect(events.length).toBeGreaterThan(0);
    expect(events.every((event) => typeof event['event.class'] === 'string')).toBe(true);
  });

  test.each(listShared('data/ecs-samples', '.ndjson').filter((file) => !file.includes('inventory')))(
    '%s: every document is recognised',
    (file) => {
      const rows = readFileSync(sharedPath(file), 'utf8').trim().split('\n');
      const documents = rows.map((row) => JSON.stringify((JSON.parse(row) as { document: unknown }).document));
      const { reader } = readAll(new TextEncoder().encode(documents.join('\n')));
      expect(reader.tally.unrecognised).toBe(0);
    },
  );
});
