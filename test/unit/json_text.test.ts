import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scalarsAt } from '../oracle/event.js';
import { eventStream } from '../support/generators.js';
import { writeLine, writeLines } from '../support/json_text.js';

const fields = ['@timestamp', 'event.category', 'process.name', 'process.args', 'tags', 'items.k', 'file.size', 'flag'];

it('writes lines that JSON.parse reads as the same event', () => {
  fc.assert(
    fc.property(eventStream(5), fc.nat(), (events, seed) => {
      const lines = events.map((event, index) => writeLine(event, seed + index));
      const read = writeLines(lines, seed)
        .replace(/^\ufeff/, '')
        .split(/\n/);
      const parsed = read.filter((line) => line.trim() !== '').map((line) => JSON.parse(line) as unknown);
      for (const [index, event] of events.entries()) {
        for (const field of fields) expect(scalarsAt(parsed[index], field)).toEqual(scalarsAt(event, field));
      }
    }),
    { seed: 1 },
  );
});
