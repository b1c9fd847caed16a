/** What a first-seen rule hears, and what tells its terms apart. */
import type { EventQuery, Expr, NewTermsRule } from './ir.js';

/** Events that the rule must be shown: those of its query, and of both sides of its join. */
export function heardQuery({ query, joins }: NewTermsRule): EventQuery {
  if (joins === undefined) return query;
  const operands = [query, joins.items, joins.writers].map(({ condition }) => condition);
  return { category: null, condition: { kind: 'or', operands } };
}

/** The rule's fields as key components: a field of paths by the form in which they compare. */
export function termKey({ fields }: NewTermsRule): readonly Expr[] {
  return fields.map((field): Expr => {
    if (field.path === undefined) return field;
    const { path, ...plain } = field;
    return { kind: 'call', name: 'pathKey', args: [plain, { kind: 'literal', value: path }], case: 'exact' };
  });
}
