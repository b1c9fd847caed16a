import type { Span } from '../../core/diagnostic.js';
import type { CaseMode, Expr } from '../../rule/ir.js';
import type { ObjectReader, Report } from '../document/reader.js';
import { translateLucene } from '../eql/lucene_regex.js';
import { never } from '../field_query.js';

/** Lowers a `regexp` query: a Lucene pattern over the whole value. `flags` that change the syntax are refused. */
export function regexpQuery(
  name: string,
  text: string,
  span: Span,
  scope: { readonly report: Report },
  mode: CaseMode | undefined,
  reader: ObjectReader | undefined,
): Expr {
  if (reader?.has('flags') === true) reader.oneOf('flags', ['ALL']);
  const result = translateLucene(text);
  if ('pattern' in result) {
    const value: Expr = { kind: 'field', name };
    return { kind: 'regex', value, patterns: [result.pattern], case: mode ?? 'exact', anchor: 'full', span };
  }
  const { message, remedy } = result.problem;
  scope.report(span, { code: 'REGEX_SYNTAX', message, remedy });
  return never;
}
