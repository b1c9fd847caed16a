/** Generated JSON lines: every way to nest and dot the tested fields, with every spelling JSON allows. */
import fc from 'fast-check';

const keys = [
  'process',
  'process.name',
  'name',
  'parent',
  'parent.name',
  'process.parent',
  'process.parent.name',
  'args',
  'pid',
  'process.pid',
  'process.args',
  'process.entity_id',
  'entity_id',
  '@timestamp',
  'event',
  'sequence',
  'event.sequence',
  'host',
  'host.id',
  'id',
  'agent',
  'dll',
  'dll.path',
  'path',
  'hash',
  'md5',
  'hash.md5',
  'labels',
  'other',
  '',
];

const times = fc.constantFrom<unknown>(
  '2026-01-01T00:00:00Z',
  '2026-01-01 10:20:30.123456789+05:30',
  '9999-12-31T23:59:59.999999Z',
  '0001-01-01',
  1767225600,
  1767225600123,
  -1.5,
  '1767225600.25',
  1.7e18,
  'not a time',
  '2026-02-30T00:00:00Z',
  1e300,
  ['2026-05-05T05:05:05Z'],
);

const scalars = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom('a', 'cmd.exe', 'C:\\Windows\\"x"', '12', '-0', '1e999', '\u0000\u001f\u007f', 'é'.repeat(20)),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);

const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    { weight: 4, arbitrary: scalars },
    { weight: 1, arbitrary: times },
    { weight: 2, arbitrary: fc.array(tie('value'), { maxLength: 4 }) },
    { weight: 3, arbitrary: fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 6 }) },
  ),
})).value;

/** An event as an object; most have a readable time. */
export const eventArbitrary: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(fc.dictionary(fc.constantFrom(...keys), tree, { maxKeys: 8 }), fc.option(times, { freq: 8 }))
  .map(([event, time]) => (time === null ? event : { ...event, '@timestamp': time }));

/** A way to write JSON: blanks between tokens, and characters escaped, as the random numbers say. */
export function writeJson(value: unknown, random: () => number): string {
  const blank = (): string => (random() < 0.9 ? '' : ([' ', '\t', '\r', '  '][Math.floor(random() * 4)] as string));
  const text = (chars: string): string => {
    const body = [...JSON.stringify(chars).slice(1, -1)].map((c) => (c === '/' && random() < 0.5 ? '\\/' : c)).join('');
    return `"${random() < 0.8 ? body : [...Array(chars.length).keys()].map((i) => escapeUnit(chars, i)).join('')}"`;
  };
  const number = (n: number): string => {
    const plain = JSON.stringify(n);
    return random() < 0.8 || !Number.isFinite(n)
      ? plain
      : n.toExponential(20).replace('e+', random() < 0.5 ? 'E+' : 'e');
  };
  const write = (item: unknown): string => {
    if (typeof item === 'string') return text(item);
    if (typeof item === 'number') return number(item);
    if (Array.isArray(item))
      return `[${item.map((x) => blank() + write(x) + blank()).join(',')}${item.length ? '' : blank()}]`;
    if (typeof item !== 'object' || item === null) return JSON.stringify(item);
    const members = Object.entries(item).map(
      ([k, v]) => `${blank()}${text(k)}${blank()}:${blank()}${write(v)}${blank()}`,
    );
    return `{${members.join(',')}${members.length ? '' : blank()}}`;
  };
  return blank() + write(value) + blank();
}

type Member = readonly [key: string, value: unknown];

const usual: readonly Record<string, unknown>[] = [
  {
    '@timestamp': '2026-01-01T00:00:00Z',
    agent: { id: 'a1', type: 'endpoint' },
    process: { parent: { name: 'sh' }, name: 'ls', args: ['ls', '-l', '/tmp'], pid: 12, entity_id: 'e1' },
    host: { id: 'h1', name: 'mac-1' },
    labels: 'x',
  },
  {
    '@timestamp': 1767225600123,
    dll: { path: 'C:\\x.dll', hash: { md5: 'm' } },
    process: { entity_id: 'e2', name: 'cmd.exe', pid: 7 },
    event: { sequence: 5, kind: [], other: {} },
    host: { id: 'h1' },
  },
  {
    '@timestamp': '2026-01-01T00:00:00.5Z',
    dll: [{ path: 'a' }, { hash: { md5: 'b' } }],
    threats: [{ name: 'a', tags: [1, [2]] }, { name: 'b' }],
    'process.name': 'zsh',
    process: { pid: -1.5 },
    labels: [true, null, 'y'],
  },
  { '@timestamp': '2026-01-01', other: { a: 1, b: { c: [] } }, host: { id: 'h2' } },
];

/**
 * A line of one of a few usual shapes, its values changed, and now and then the shape too: members left out, moved,
 * repeated, dotted, or of another type. `isPlain`: without repeated keys, whose order JSON.parse does not keep.
 */
export function driftingLine(random: () => number, isPlain: boolean): string {
  const once = (share: number): boolean => random() < share;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const texts = [
    '',
    'ls',
    'a longer text than one vector',
    'é',
    'C:\\a\\b',
    '"q"',
    '\u0007',
    'x'.repeat(70),
    '12',
    'true',
  ];
  const others: readonly unknown[] = [null, true, 0, 'b', [], {}, ['c'], [['d'], {}], { name: 'e' }, [{ name: 'f' }]];
  const change = (value: unknown): unknown => {
    if (once(0.005)) return pick(others);
    if (typeof value === 'string') return once(0.4) && !value.startsWith('2026') ? pick(texts) : value;
    if (typeof value === 'number') return once(0.5) && value < 1e9 ? pick([0, -1, 1.25, 1e22, 65535]) : value;
    if (Array.isArray(value)) return value.slice(0, once(0.3) ? 1 : 9).map(change);
    if (typeof value !== 'object' || value === null) return value;
    return value;
  };
  const write = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    return `{${drift(Object.entries(value))
      .map(([key, item]) => `${JSON.stringify(key)}:${write(change(item))}`)
      .join(',')}}`;
  };
  const drift = (members: readonly Member[]): readonly Member[] => {
    const kept = members.filter(() => !once(0.005));
    if (once(0.005)) kept.reverse();
    if (once(0.005) && !isPlain) kept.push(...kept.slice(0, 2));
    if (once(0.005)) kept.push([pick(['process.name', 'host.id', 'dll.path', 'unknown', 'n\u00e4me']), pick(texts)]);
    return isPlain ? kept.filter(([key], i) => kept.findIndex(([other]) => other === key) === i) : kept;
  };
  return write(pick(usual));
}

function escapeUnit(chars: string, i: number): string {
  return `\\u${chars.charCodeAt(i).toString(16).padStart(4, '0')}`;
}

/** A seeded source of numbers from 0 to 1 (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Damages bytes in a few places. */
export function damage(bytes: Uint8Array, random: () => number): Uint8Array {
  const result = [...bytes];
  const pool = [
    0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x0a, 0x20, 0x00, 0x75, 0x30, 0x2d, 0x80, 0xc3, 0xed, 0xff,
  ];
  for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) {
    const at = Math.floor(random() * (result.length + 1));
    const byte = random() < 0.8 ? (pool[Math.floor(random() * pool.length)] as number) : Math.floor(random() * 256);
    result.splice(at, random() < 0.5 ? 1 : 0, ...(random() < 0.7 ? [byte] : []));
  }
  return Uint8Array.from(result);
}
