/** Event batches: what is encoded comes back, and damage is refused by a BatchError and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BatchError } from '../../src/core/errors.js';
import { createDecoder, decodeEvents } from '../../src/event/decoder.js';
import { createEncoder, encodeEvents } from '../../src/event/encoder.js';
import type { FieldSpec } from '../../src/event/fields.js';
import { mutateBytes } from '../fuzz/mutate.js';
import { Random } from '../fuzz/random.js';
import { scalarsAt } from '../oracle/event.js';
import { eventStream, type Source, splits } from '../support/generators.js';

const seed = Number(process.env.VEDETTE_SEED ?? 20_260_101);
const fields: readonly (string | FieldSpec)[] = [
  'event.id',
  'event.category',
  'host.id',
  'process.name',
  'process.args',
  'process.exit_code',
  'file.path',
  'destination.port',
  'tags',
  'flag',
  'items.k',
  { name: 'process.entity_id', kind: 'id' },
];
const names = fields.map((field) => (typeof field === 'string' ? field : field.name));

const check = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void): void =>
  fc.assert(fc.property(arbitrary, property), { seed, numRuns: 100 });

const scalars = (event: Source, name: string): unknown[] => scalarsAt(event, name);

describe('event batches', () => {
  it('give back the values that were encoded', () => {
    check(eventStream(), (events) => {
      const decoded = decodeEvents(encodeEvents(events, { fields }));
      expect(decoded).toHaveLength(events.length);
      for (const [index, event] of events.entries()) {
        for (const name of names) expect(scalars(decoded[index] as Source, name)).toEqual(scalars(event, name));
      }
    });
  });

  it('are equal bytes after decoding and encoding again', () => {
    check(eventStream(), (events) => {
      const bytes = encodeEvents(events, { fields });
      expect(encodeEvents(decodeEvents(bytes), { fields })).toEqual(bytes);
    });
  });

  it('give the same events in a session as on their own', () => {
    check(
      eventStream().chain((events) => fc.tuple(fc.constant(events), splits(events))),
      ([events, batches]) => {
        const encoder = createEncoder({ fields });
        const decoder = createDecoder();
        const decoded = batches.flatMap((batch) => decoder.decode(encoder.encode(batch)));
        expect(decoded).toEqual(decodeEvents(encodeEvents(events, { fields })));
      },
    );
  });

  it('are refused by a BatchError when damaged, or read', () => {
    check(fc.tuple(eventStream(8), fc.nat()), ([events, damage]) => {
      const bytes = mutateBytes(new Random(damage), encodeEvents(events, { fields }));
      try {
        decodeEvents(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(BatchError);
      }
    });
  });
});
