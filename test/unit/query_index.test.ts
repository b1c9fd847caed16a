import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QueryIndex } from '../../src/compiler/query_index.js';
import type { EventQuery, Expr } from '../../src/rule/ir.js';

const leaf: fc.Arbitrary<Expr> = fc.oneof(
  fc.record({
    kind: fc.constant('literal' as const),
    value: fc.oneof(
      fc.constantFrom('a', 'b', 'C:\\\\windows\\\\system32', 0, 1, true, false, null),
      fc.string({ maxLength: 20 }),
    ),
  }),
  fc.record({ kind: fc.constant('field' as const), name: fc.constantFrom('a', 'ab', 'process.name') }),
);
const { expr } = fc.letrec<{ expr: Expr }>((tie) => ({
  expr: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      operands: fc.array(tie('expr'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      kind: fc.constant('not' as const),
      operand: tie('expr'),
      missing: fc.constantFrom('null' as const, 'true' as const),
    }),
  ),
}));
const query: fc.Arbitrary<EventQuery> = fc.record({
  category: fc.constantFrom('process', 'file', null),
  condition: expr,
});

const textOf = (value: unknown): string =>
  JSON.stringify(value, (key, part: unknown) => (key === 'span' ? undefined : part));

/** The same query written elsewhere: new objects, with places. */
const moved = (item: EventQuery): EventQuery =>
  JSON.parse(textOf(item), (_key, part: unknown) =>
    typeof part === 'object' && part !== null && 'kind' in part ? { ...part, span: { start: 4, end: 5 } } : part,
  ) as EventQuery;

describe('the index of queries', () => {
  it('finds a query wherever it was written, and no other', () => {
    fc.assert(
      fc.property(query, query, (known, other) => {
        const index = new QueryIndex();
        index.set('ordinary', known, 'event.category', 7);
        expect(index.get('ordinary', moved(known), 'event.category')).toBe(7);
        expect(index.get('mark', known, 'event.category')).toBeUndefined();
        expect(index.get('ordinary', known, 'category')).toBeUndefined();
        const isSame = textOf(known) === textOf(other);
        expect(index.get('ordinary', other, 'event.category')).toBe(isSame ? 7 : undefined);
      }),
    );
  });
});
