/**
 * The three dialects of EQL, as data: what one accepts and another refuses, and where the same text means another thing.
 */

/** `elasticsearch`: as its EQL API. `endpoint`: the above and what Elastic's endpoint rules use. `python-eql`: Endgame's. */
export type EqlDialect = 'elasticsearch' | 'endpoint' | 'python-eql';

export interface DialectTraits {
  readonly name: EqlDialect;
  /** `=` compares, `'…'` and `?'…'` are strings, `==` takes wildcards, `x:length()` calls. */
  readonly legacySyntax: boolean;
  /** `:`, `like`, `regex`, `in~`, `name~(…)`, `?field`. */
  readonly modernOperators: boolean;
  /** `descendant of`, `child of`, `event of`. */
  readonly lineage: boolean;
  /** `$name` variables and `[…] as name`. */
  readonly aliases: boolean;
  /** `join`, and `fork` on a subquery. */
  readonly join: boolean;
  /** `sample`, `with runs`, `![ ]`. */
  readonly modernSequences: boolean;
  /** Two operands that both depend on the event may be compared, and may stand in an `in` list. */
  readonly fieldComparison: boolean;
  /** A join key may be any expression. */
  readonly keyExpressions: boolean;
  readonly arrayIndex: boolean;
  readonly pipes: readonly string[];
  /** Functions by lower-case name that this dialect knows. */
  readonly functions: ReadonlySet<string>;
}

const elasticFunctions = [
  'add',
  'between',
  'cidrmatch',
  'concat',
  'divide',
  'endswith',
  'indexof',
  'length',
  'modulo',
  'multiply',
  'number',
  'startswith',
  'string',
  'stringcontains',
  'substring',
  'subtract',
];
const arrayFunctions = ['arraycontains', 'arraycount', 'arraysearch'];
const legacyFunctions = ['match', 'matchlite', 'safe', 'wildcard'];
const allPipes = ['count', 'filter', 'head', 'sort', 'tail', 'unique', 'unique_count'];

const dialects: Readonly<Record<EqlDialect, DialectTraits>> = {
  elasticsearch: {
    name: 'elasticsearch',
    legacySyntax: false,
    modernOperators: true,
    lineage: false,
    aliases: false,
    join: false,
    modernSequences: true,
    fieldComparison: false,
    keyExpressions: false,
    arrayIndex: false,
    pipes: ['head', 'tail'],
    functions: new Set(elasticFunctions),
  },
  endpoint: {
    name: 'endpoint',
    legacySyntax: false,
    modernOperators: true,
    lineage: true,
    aliases: true,
    join: true,
    modernSequences: true,
    fieldComparison: true,
    keyExpressions: true,
    arrayIndex: true,
    pipes: allPipes,
    functions: new Set([...elasticFunctions, ...arrayFunctions, ...legacyFunctions, '_arraysearch']),
  },
  'python-eql': {
    name: 'python-eql',
    legacySyntax: true,
    modernOperators: false,
    lineage: true,
    aliases: false,
    join: true,
    modernSequences: false,
    fieldComparison: true,
    keyExpressions: true,
    arrayIndex: true,
    pipes: allPipes,
    functions: new Set([...elasticFunctions, ...arrayFunctions, ...legacyFunctions]),
  },
};

/** The traits of a dialect. */
export function traitsOf(dialect: EqlDialect): DialectTraits {
  return dialects[dialect];
}

/** Every pipe of any dialect, to tell an unknown pipe from one that the dialect lacks. */
export const pipeNames: readonly string[] = allPipes;

/** The name in the function table for a name as an author wrote it. */
export function canonicalFunctionName(name: string): string {
  const lower = name.toLowerCase();
  return lower === '_arraysearch' ? 'arraysearch' : lower;
}
