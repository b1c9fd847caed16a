/** What tells the terms of a first-seen rule apart. */
import type { Expr, NewTermsRule } from './ir.js';

/** The rule's fields as key components: a field of paths by the form in which they compare. */
export function termKey({ fields }: NewTermsRule): readonly Expr[] {
  return fields.map((field): Expr => {
    if (field.path === undefined) return field;
    const { path, ...plain } = field;
    return { kind: 'call', name: 'pathKey', args: [plain, { kind: 'literal', value: path }], case: 'exact' };
  });
}
