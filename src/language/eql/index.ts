/**
 * EQL: text to the rule IR, in three dialects.
 */
import type { Diagnostic } from '../../core/diagnostic.js';
import { ruleTextMax } from '../../core/limits.js';
import { type SourceLocator, SourceText } from '../../core/source_text.js';
import type { CaseMode, Expr, Rule, RuleBase } from '../../rule/ir.js';
import type { FieldTypes } from '../field_types.js';
import type { Node, Statement } from './ast.js';
import { type DialectTraits, type EqlDialect, traitsOf } from './dialect.js';
import { Lowering } from './lower.js';
import { lowerStatement } from './lower_query.js';
import { emptyScope, LoweringContext } from './lowering.js';
import { parseLoneExpression, parseStatement } from './parser.js';
import { ProblemList } from './problems.js';
import type { EqlQuery } from './query.js';

export type { EqlDialect } from './dialect.js';
export { printEql } from './print.js';
export type { EqlEventQuery, EqlJoinQuery, EqlQuery, EqlSampleQuery, EqlSequenceQuery } from './query.js';

export interface EqlOptions {
  /** `elasticsearch` unless given. */
  readonly dialect?: EqlDialect;
  /** Whether text compares by case in the python-eql dialect; there it does not unless asked. */
  readonly caseSensitive?: boolean;
  /** Types of fields that ECS does not name: addresses and dates compare as such. */
  readonly fieldTypes?: FieldTypes;
  readonly file?: string;
  /** Put into the problems. */
  readonly ruleId?: string;
  /** Where the text lies in a larger file; places in problems are of that file. */
  readonly source?: SourceLocator;
}

/**
 * Parses, checks and lowers a query. With any problem of severity `error` there is no query.
 * Never throws, whatever the text. Longer than `ruleTextMax` or nested deeper than `expressionDepthMax`: refused.
 */
export function parseEql(
  text: string,
  options: EqlOptions = {},
): { readonly query: EqlQuery | undefined; readonly problems: readonly Diagnostic[] } {
  const { problems, traits, isTooLong } = begin(text, options);
  const statement = isTooLong ? undefined : parseStatement(text, traits, problems);
  if (statement === undefined) return { query: undefined, problems: problems.diagnostics };
  const lowered = lowerTwice(traits, problems, options, (context) => lowerStatement(statement, context));
  return { query: problems.hasErrors ? undefined : lowered, problems: problems.diagnostics };
}

/** Parses a lone expression, such as a condition of a behaviour rule, `as` a condition unless a value is asked for. */
export function parseEqlExpression(
  text: string,
  options: EqlOptions & { readonly as?: 'condition' | 'value' } = {},
): { readonly expr: Expr | undefined; readonly problems: readonly Diagnostic[] } {
  const { problems, traits, isTooLong } = begin(text, options);
  const node = isTooLong ? undefined : parseLoneExpression(text, traits, problems);
  if (node === undefined) return { expr: undefined, problems: problems.diagnostics };
  const lowered = lowerTwice(traits, problems, options, (context) => {
    const lowering = new Lowering(context);
    return options.as === 'value' ? lowering.value(node, emptyScope) : lowering.condition(node, emptyScope);
  });
  return { expr: problems.hasErrors ? undefined : lowered, problems: problems.diagnostics };
}

/** The syntax tree of a query, or undefined when it has errors. For tools that print or transform queries. */
export function parseEqlSyntax(text: string, options: EqlOptions = {}): Statement | undefined {
  const { problems, traits, isTooLong } = begin(text, options);
  const statement = isTooLong ? undefined : parseStatement(text, traits, problems);
  return problems.hasErrors ? undefined : statement;
}

export type { Node as EqlNode, Statement as EqlStatement };

function begin(
  text: string,
  options: EqlOptions,
): { problems: ProblemList; traits: DialectTraits; isTooLong: boolean } {
  const source = options.source ?? new SourceText(text, options.file);
  const problems = new ProblemList(source, options.ruleId);
  const isTooLong = text.length > ruleTextMax;
  if (isTooLong) {
    problems.add(
      { start: 0, end: 1 },
      {
        code: 'EQL_LIMIT_LENGTH',
        message: `the query has ${text.length} characters, more than the limit of ${ruleTextMax}`,
        remedy: 'Split the rule.',
      },
    );
  }
  return { problems, traits: traitsOf(options.dialect ?? 'elasticsearch'), isTooLong };
}

/**
 * Where truth of an object depends on the fields below it, a first pass learns which fields the query names. Its result
 * stands where nothing asked for them and nothing was wrong.
 */
function lowerTwice<T>(
  traits: DialectTraits,
  problems: ProblemList,
  options: EqlOptions,
  lower: (context: LoweringContext) => T,
): T {
  const textCase: CaseMode = traits.legacySyntax && options.caseSensitive !== true ? 'ascii' : 'exact';
  const context = new LoweringContext(traits, problems, textCase, options.fieldTypes);
  if (traits.legacySyntax) {
    const names = new LoweringContext(traits, new ProblemList(new SourceText('')), textCase, options.fieldTypes);
    const lowered = lower(names);
    if (!names.asksNames && names.problems.diagnostics.length === 0) return lowered;
    for (const name of names.fieldNames) context.fieldNames.add(name);
    for (const path of names.arrayPaths) context.arrayPaths.add(path);
  }
  return lower(context);
}

/** What a rule carries besides its query. */
export type EqlRuleMetadata = Partial<Omit<RuleBase, 'id' | 'pipes'>> & {
  /** For samples: results per key; 1 unless given. */
  readonly maxSamplesPerKey?: number;
};

/** The rule of a query. Severity `low` and risk score 21 unless the metadata says otherwise. */
export function eqlRule(id: string, query: EqlQuery, metadata: EqlRuleMetadata = {}): Rule {
  const { maxSamplesPerKey, ...given } = metadata;
  const pipes = query.pipes.length === 0 ? {} : { pipes: query.pipes };
  const base = { name: id, severity: 'low', riskScore: 21, threat: [], ...given, id, ...pipes } as const;
  switch (query.kind) {
    case 'event':
      return { ...base, kind: 'match', query: query.query };
    case 'sample':
      return { ...base, kind: 'sample', steps: query.steps, maxSamplesPerKey: maxSamplesPerKey ?? 1 };
    case 'join': {
      const until = query.until === undefined ? {} : { until: query.until };
      return { ...base, kind: 'sequence', steps: query.steps, unordered: true, ...until };
    }
    case 'sequence': {
      const maxspan = query.maxspanUs === undefined ? {} : { maxspanUs: query.maxspanUs };
      const until = query.until === undefined ? {} : { until: query.until };
      return { ...base, kind: 'sequence', steps: query.steps, ...maxspan, ...until };
    }
  }
}
