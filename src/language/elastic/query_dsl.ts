import type { Span } from '../../core/diagnostic.js';
import { expressionDepthMax } from '../../core/limits.js';
import { nearestName } from '../../core/nearest_name.js';
import type { CaseMode, Expr } from '../../rule/ir.js';
import { ObjectReader, type Report } from '../document/reader.js';
import { type DocumentNode, kindName, type ObjectNode } from '../document/tree.js';
import { allOf, always, anyOf, type FieldQueries, never, noneOf } from '../field_query.js';
import { parseGlob } from '../glob.js';
import { countOf } from './minimum_should_match.js';
import { regexpQuery } from './regexp_query.js';

/** What a clause is lowered with, and how many clauses it stands in. */
interface Scope {
  readonly fields: FieldQueries;
  readonly report: Report;
  readonly depth: number;
}

type Clause = (node: ObjectNode, span: Span, scope: Scope) => Expr;

/**
 * Lowers one query of Elasticsearch's query DSL, as Kibana's filters hold it. Clauses that need an index, a script or a
 * relevance score are refused by name.
 */
export function lowerQueryDsl(node: DocumentNode, fields: FieldQueries, report: Report): Expr {
  return lowerClause(node, { fields, report, depth: 0 });
}

function lowerClause(node: DocumentNode, around: Scope): Expr {
  const scope = { ...around, depth: around.depth + 1 };
  if (scope.depth > expressionDepthMax) {
    scope.report(node.span, {
      code: 'RULE_TOO_DEEP',
      message: `the filter nests more than ${expressionDepthMax} queries`,
      remedy: 'Flatten the filter, or split the rule.',
    });
    return never;
  }
  if (node.kind !== 'object' || node.entries.size !== 1) {
    const found = node.kind === 'object' ? `a table of ${node.entries.size} keys` : kindName(node);
    return refuse(scope, node.span, `a query is a table with one key, its kind; this is ${found}`, clauseNames());
  }
  const [[name, entry]] = [...node.entries] as [[string, { keySpan: Span; node: DocumentNode }]];
  const clause = Object.hasOwn(clauses, name) ? clauses[name] : undefined;
  if (clause === undefined) {
    const nearest = nearestName(name, clauseNames());
    scope.report(entry.keySpan, {
      code: 'UNSUPPORTED_QUERY',
      message: `queries of kind "${name}" are not supported`,
      expected: clauseNames(),
      remedy: nearest === undefined ? 'Write the filter with the supported kinds.' : `Did you mean "${nearest}"?`,
    });
    return never;
  }
  if (entry.node.kind !== 'object') {
    return refuse(scope, entry.node.span, `"${name}" holds a table, not ${kindName(entry.node)}`, ['a table']);
  }
  return clause(entry.node, entry.keySpan, scope);
}

function clauseNames(): string[] {
  return Object.keys(clauses);
}

const clauses: Readonly<Record<string, Clause>> = {
  match_all: (node, span, scope) => options(node, 'match_all', span, scope, () => always),
  match_none: (node, span, scope) => options(node, 'match_none', span, scope, () => never),
  bool: lowerBool,
  constant_score: (node, span, scope) =>
    options(node, 'constant_score', span, scope, (reader) => required(reader, 'filter', scope)),
  exists: (node, span, scope) =>
    options(node, 'exists', span, scope, (reader) => {
      const name = reader.requiredString('field');
      return name === undefined ? never : scope.fields.exists(name, span);
    }),
  nested: (node, span, scope) =>
    options(node, 'nested', span, scope, (reader) => {
      reader.acceptAll({ ignore_unmapped: 'boolean', score_mode: 'string' });
      const path = reader.requiredString('path');
      const condition = required(reader, 'query', scope);
      return path === undefined ? never : { kind: 'nested', path, condition, span };
    }),
  term: fieldClause('term', 'value', {}, (name, text, span, { fields }, mode) =>
    fields.equals(name, text, true, span, mode),
  ),
  prefix: fieldClause('prefix', 'value', { rewrite: 'string' }, (name, text, span, { fields }, mode) =>
    fields.prefix(name, text, span, mode),
  ),
  wildcard: fieldClause('wildcard', 'value', { rewrite: 'string' }, (name, text, span, { fields }, mode) =>
    fields.wildcard(name, parseGlob(text), span, mode),
  ),
  regexp: fieldClause('regexp', 'value', { rewrite: 'string', max_determinized_states: 'number' }, regexpQuery),
  match_phrase: fieldClause('match_phrase', 'query', { zero_terms_query: 'string' }, (name, text, span, { fields }) =>
    fields.equals(name, text, true, span),
  ),
  match: fieldClause('match', 'query', {}, lowerMatch),
  multi_match: lowerMultiMatch,
  terms: lowerTerms,
  range: lowerRange,
};

function lowerBool(node: ObjectNode, span: Span, scope: Scope): Expr {
  return options(node, 'bool', span, scope, (reader) => {
    const must = [...many(reader, 'must', scope), ...many(reader, 'filter', scope)];
    const should = many(reader, 'should', scope);
    const mustNot = many(reader, 'must_not', scope);
    const least = reader.get('minimum_should_match');
    const byDefault = must.length > 0 ? 0 : 1;
    const needed = least === undefined ? byDefault : countOf(least, should.length, scope.report);
    const parts = [...must];
    if (should.length > 0 && needed > 0) parts.push(atLeast(needed, should, span, scope));
    if (mustNot.length > 0) parts.push(noneOf(anyOf(mustNot, span), span));
    return parts.length === 0 ? always : allOf(parts, span);
  });
}

/** Combinations of alternatives that a minimum above one may spell out. */
const combinationsMax = 256;

function atLeast(needed: number, operands: readonly Expr[], span: Span, scope: Scope): Expr {
  if (needed > operands.length) return never;
  if (needed === operands.length) return allOf(operands, span);
  if (needed === 1) return anyOf(operands, span);
  let combinations: Expr[][] = [[]];
  operands.forEach((operand, i) => {
    const left = operands.length - i - 1;
    combinations = combinations.flatMap((chosen) => {
      const taken = chosen.length < needed ? [[...chosen, operand]] : [];
      return chosen.length + left >= needed ? [...taken, chosen] : taken;
    });
    if (combinations.length > combinationsMax) combinations.length = combinationsMax + 1;
  });
  if (combinations.length > combinationsMax) {
    return refuse(scope, span, `"minimum_should_match" has more than ${combinationsMax} ways to hold`, []);
  }
  return anyOf(
    combinations.map((chosen) => allOf(chosen, span)),
    span,
  );
}

function many(reader: ObjectReader, key: string, scope: Scope): Expr[] {
  const node = reader.get(key);
  if (node === undefined) return [];
  return (node.kind === 'array' ? node.items : [node]).map((item) => lowerClause(item, scope));
}

function required(reader: ObjectReader, key: string, scope: Scope): Expr {
  const node = reader.get(key);
  if (node !== undefined) return lowerClause(node, scope);
  reader.missing(key, 'a query');
  return never;
}

/** Reads a clause's own keys; every clause may carry a boost and a name, which only relevance scores use. */
function options(
  node: ObjectNode,
  name: string,
  span: Span,
  scope: Scope,
  lower: (reader: ObjectReader) => Expr,
): Expr {
  const reader = new ObjectReader(node, `"${name}"`, scope.report, span);
  reader.acceptAll({ boost: 'number', _name: 'string' });
  const lowered = lower(reader);
  reader.finish();
  return lowered;
}

type FieldQuery = (
  name: string,
  text: string,
  span: Span,
  scope: Scope,
  mode: CaseMode | undefined,
  reader: ObjectReader | undefined,
) => Expr;

/** A clause on one field, whose value is written alone or in a table under `valueKey`. */
function fieldClause(
  clause: string,
  valueKey: string,
  accepted: Parameters<ObjectReader['acceptAll']>[0],
  query: FieldQuery,
): Clause {
  return (node, span, scope) => {
    const found = oneField(node, clause, span, scope);
    if (found === undefined) return never;
    const [name, value, place] = found;
    if (value.kind !== 'object') {
      const text = textOf(value, scope);
      return text === undefined ? never : query(name, text, place, scope, undefined, undefined);
    }
    return options(value, clause, place, scope, (reader) => {
      reader.acceptAll(accepted);
      const key = reader.has(valueKey) || clause !== 'wildcard' ? valueKey : 'wildcard';
      const node = reader.get(key);
      if (node === undefined) reader.missing(valueKey, 'a value');
      const text = node === undefined ? undefined : textOf(node, scope);
      const mode = valueKey === 'value' && reader.boolean('case_insensitive') === true ? 'ascii' : undefined;
      return text === undefined ? never : query(name, text, place, scope, mode, reader);
    });
  };
}

function lowerMatch(
  name: string,
  text: string,
  span: Span,
  { fields }: Scope,
  _mode: CaseMode | undefined,
  reader: ObjectReader | undefined,
): Expr {
  reader?.acceptAll({ lenient: 'boolean', zero_terms_query: 'string' });
  const isPhrase = reader?.has('type') === true && reader.oneOf('type', ['phrase']) !== undefined;
  const operator = reader?.oneOf('operator', ['or', 'and', 'OR', 'AND'])?.toLowerCase();
  return operator === 'and' ? fields.allWords(name, text, span) : fields.equals(name, text, isPhrase, span);
}

function lowerMultiMatch(node: ObjectNode, span: Span, scope: Scope): Expr {
  return options(node, 'multi_match', span, scope, (reader) => {
    reader.acceptAll({ lenient: 'boolean', tie_breaker: 'number', zero_terms_query: 'string' });
    const names = reader.strings('fields', true) ?? ['*'];
    const isPhrase = reader.has('type') && reader.oneOf('type', ['best_fields', 'most_fields', 'phrase']) === 'phrase';
    const value = reader.get('query');
    if (value === undefined) reader.missing('query', 'a value');
    const text = value === undefined ? undefined : textOf(value, scope);
    if (text === undefined) return never;
    return anyOf(
      names.map((name) => scope.fields.equals(name.replace(/\^[\d.]+$/, ''), text, isPhrase, span)),
      span,
    );
  });
}

function lowerTerms(node: ObjectNode, span: Span, scope: Scope): Expr {
  const found = oneField(node, 'terms', span, scope);
  if (found === undefined) return never;
  const [name, value, place] = found;
  if (value.kind !== 'array') return refuse(scope, value.span, 'a terms query takes a list of values', ['a list']);
  const texts = value.items.map((item) => textOf(item, scope)).filter((text) => text !== undefined);
  if (texts.length === 0) return never;
  return anyOf(
    texts.map((text) => scope.fields.equals(name, text, true, place)),
    span,
  );
}

const bounds = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

function lowerRange(node: ObjectNode, span: Span, scope: Scope): Expr {
  const found = oneField(node, 'range', span, scope);
  if (found === undefined) return never;
  const [name, value, place] = found;
  if (value.kind !== 'object')
    return refuse(scope, value.span, 'a range query takes a table of bounds', Object.keys(bounds));
  return options(value, 'range', place, scope, (reader) => {
    reader.acceptAll({ relation: 'string' });
    if (reader.has('format'))
      reader.oneOf('format', ['strict_date_optional_time', 'date_optional_time', 'epoch_millis']);
    const parts = Object.entries(bounds).flatMap(([key, op]) => {
      const bound = reader.get(key);
      const text = bound === undefined ? undefined : textOf(bound, scope);
      return text === undefined || bound === undefined ? [] : [scope.fields.range(name, op, text, bound.span)];
    });
    return parts.length === 0 ? scope.fields.exists(name, place) : allOf(parts, place);
  });
}

/** The one field of a clause, beside the keys that every clause may carry. */
function oneField(
  node: ObjectNode,
  clause: string,
  span: Span,
  scope: Scope,
): [string, DocumentNode, Span] | undefined {
  const fields = [...node.entries].filter(([name]) => name !== 'boost' && name !== '_name');
  const [first] = fields;
  if (first !== undefined && fields.length === 1) return [first[0], first[1].node, first[1].node.span];
  refuse(scope, span, `"${clause}" names one field; this names ${fields.length}`, ['a field']);
  return undefined;
}

function textOf(node: DocumentNode, scope: Scope): string | undefined {
  if (node.kind === 'string' || node.kind === 'number' || node.kind === 'boolean') return String(node.value);
  refuse(scope, node.span, `a value must stand here, not ${kindName(node)}`, ['a string', 'a number', 'true or false']);
  return undefined;
}

function refuse(scope: Scope, span: Span, message: string, expected: readonly string[]): Expr {
  const remedy = 'Correct the query; its parts are those of the query DSL.';
  scope.report(span, { code: 'QUERY_DSL', message, expected, remedy });
  return never;
}
