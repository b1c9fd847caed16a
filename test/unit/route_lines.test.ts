/** Lines routed by their host alone come to the shards that reading them whole brings them to. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HostSlots } from '../../src/core/abi/routing.js';
import { type CorrelatorPart, startCorrelator } from '../../src/correlator/correlator.js';

const shards = 251;
const shardOfSlot = Uint8Array.from({ length: HostSlots.Count + 1 }, (_, slot) => slot % shards);
shardOfSlot[HostSlots.Skipped] = shards - 1;

const startRouter = (hostField?: string): Promise<CorrelatorPart> =>
  startCorrelator(
    { rules: [], evidenceFields: [], memory: '64MiB', ...(hostField === undefined ? {} : { hostField }) },
    { routeRows: 4096 },
  );

/** Shard and place of each line, and how many lines there were. */
function routed({ kernel }: CorrelatorPart, text: string, byHost: boolean) {
  const bytes = new TextEncoder().encode(text);
  kernel.routeByHost(byHost);
  kernel.routeBegin();
  kernel.input().set(bytes);
  const rows = kernel.ingestNdjson(bytes.length);
  const found = kernel.routeScatter(shardOfSlot, shards, (length) => new Uint8Array(length));
  const decoder = new TextDecoder();
  return { rows, lines: found.map((one) => ({ places: [...one.places], text: decoder.decode(one.bytes) })) };
}

const time = '"@timestamp":"2026-01-01T00:00:00Z"';
const lines: readonly (readonly [string, string])[] = [
  ['a host in front', `{"host":{"id":"a1"},${time}}`],
  ['a host behind texts with brackets and quotes', `{${time},"a":"{[\\"}]","b":"\\\\","host":{"id":"a2"}}`],
  ['a text that ends in backslashes', `{${time},"p":"C:\\\\dir\\\\","host":{"id":"a3"}}`],
  ['blanks', `{ ${time} ,\t"host" : { "name" : "n" , "id" : "a4" } }`],
  ['a host in an inner object', `{${time},"x":{"host":{"id":"inner"}},"agent":{"id":"a5"}}`],
  ['a host in a list', `{${time},"x":[{"host":{"id":"inner"}}],"agent":{"id":"a6"}}`],
  ['a host in an inner object and one at the top', `{${time},"x":{"host":{"id":"inner"}},"host":{"id":"a7"}}`],
  ['two hosts', `{${time},"host":{"id":"first"},"host":{"id":"last"}}`],
  ['two ids', `{${time},"host":{"id":"first","id":"last"}}`],
  ['a dotted host', `{${time},"host.id":"a8"}`],
  ['a nested host and a dotted one', `{${time},"host":{"id":"nested"},"host.id":"dotted"}`],
  ['an escaped key', `{${time},"h\\u006fst":{"id":"escaped"},"agent":{"id":"agent"}}`],
  ['an escaped inner key', `{${time},"host":{"\\u0069d":"escaped","name":"n"}}`],
  ['an escaped name', `{${time},"host":{"id":"a\\u0062"}}`],
  ['a name with a quote', `{${time},"host":{"id":"a\\"b"}}`],
  ['a name beyond ASCII', `{${time},"host":{"id":"größe"}}`],
  ['a number', `{${time},"host":{"id":17}}`],
  ['a list', `{${time},"host":{"id":["l1","l2"]}}`],
  ['a list of hosts', `{${time},"host":[{"id":"l3"},{"id":"l4"}]}`],
  ['no name', `{${time},"host":{"id":""},"agent":{"id":"a9"}}`],
  ['null', `{${time},"host":{"id":null,"name":"n2"}}`],
  ['an id below something else', `{${time},"host":{"os":{"id":"os"},"name":"n3"}}`],
  ['an id before an inner one', `{${time},"host":{"id":"b1","os":{"id":"os"},"ip":["::1","}"]}}`],
  ['a text that is the key', `{${time},"type":"host","host":{"id":"b2"}}`],
  ['a text that holds the key', `{${time},"say":"\\"host\\":{\\"id\\":\\"no\\"}","host":{"id":"b3"}}`],
  ['a key that begins alike', `{${time},"hostname":"x","host":{"id":"b4","hostname":"y"}}`],
  ['a host that is a text', `{${time},"host":"flat","agent":{"id":"b5"}}`],
  ['no host', `{${time},"user":{"name":"u"}}`],
  ['an empty host', `{${time},"host":{},"agent":{"id":"b6"}}`],
  ['a long name', `{${time},"host":{"id":"${'x'.repeat(300)}"}}`],
  ['a name of 255', `{${time},"host":{"id":"${'y'.repeat(255)}"}}`],
  ['a carriage return', `{${time},"host":{"id":"b7"}}\r`],
];

describe('a line with', () => {
  it.each(lines)('%s comes to the shard that reading it brings it to', async (_name, line) => {
    const [fast, full] = [await startRouter(), await startRouter()];
    const text = `\n${line}\n  \n${line}`;
    expect(routed(fast, text, true)).toEqual(routed(full, text, false));
  });

  it('another host field of two parts does so too', async () => {
    const [fast, full] = [await startRouter('computer.key'), await startRouter('computer.key')];
    const text = ['c1', 'c2', 'c3'].map((id) => `{${time},"computer":{"key":"${id}"},"host":{"id":"h"}}`).join('\n');
    expect(routed(fast, text, true)).toEqual(routed(full, text, false));
  });

  it('a host field of one or three parts is read whole', async () => {
    for (const field of ['computer', 'a.b.c']) {
      const [fast, full] = [await startRouter(field), await startRouter(field)];
      const text = `{${time},"computer":"c","a":{"b":{"c":"d"}}}`;
      expect(routed(fast, text, true)).toEqual(routed(full, text, false));
    }
  });
});

it('sound lines come to the same shards however they are made', async () => {
  const [fast, full] = [await startRouter(), await startRouter()];
  const word = fc.constantFrom(
    'host',
    'id',
    'name',
    'agent',
    'host.id',
    'a',
    '"host"',
    '{',
    '}',
    '\\',
    'hostname',
    'é',
  );
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      word,
      fc.integer(),
      fc.constant(null),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(word, tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  const event = fc.record({
    first: fc.dictionary(word, value, { maxKeys: 5 }),
    id: word,
    last: fc.dictionary(word, value),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 12 }), fc.boolean(), (events, hasHost) => {
      const text = events
        .map(({ first, id, last }) => ({
          ...first,
          '@timestamp': '2026-01-01T00:00:00Z',
          ...(hasHost ? { host: { name: 'n', id } } : {}),
          ...last,
        }))
        .map((one) => JSON.stringify(one))
        .join('\n');
      expect(routed(fast, text, true)).toEqual(routed(full, text, false));
    }),
    { numRuns: 300 },
  );
});
