/**
 * Every function a rule language may call, with its types. One table for the parsers (arity and type checks), constant
 * folding, the compiler and the oracle; the reference implementations are in `semantics.ts`.
 */

/** What an argument may be. `expression` and `variable` exist only in the array functions. */
export type ParameterType = 'string' | 'number' | 'boolean' | 'any' | 'array' | 'variable' | 'expression';

export interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
  readonly optional?: boolean;
  /** The argument must be a literal: patterns, address blocks, number bases. */
  readonly constant?: boolean;
}

/**
 * Where a call is computed: `kernel` by the expression machine; otherwise it is sugar for another IR node, which the
 * compiler accepts in either form.
 */
export type FunctionForm = 'kernel' | 'arithmetic' | 'match' | 'regex' | 'cidr' | 'nested';

export interface FunctionSignature {
  /** Canonical spelling; languages that ignore case look names up through {@link findFunction}. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** The last parameter repeats, at least once. */
  readonly variadic?: boolean;
  readonly returns: 'string' | 'number' | 'boolean' | 'any';
  /** `propagate`: a null in any argument without a default gives null. `default`: null picks the optional argument's default. */
  readonly nulls: 'propagate' | 'default';
  /** Has a case-insensitive form (`name~`). */
  readonly folds: boolean;
  readonly form: FunctionForm;
}

const text = (name: string): Parameter => ({ name, type: 'string' });
const number = (name: string): Parameter => ({ name, type: 'number' });

function arithmetic(name: string): FunctionSignature {
  return {
    name,
    parameters: [number('left'), number('right')],
    returns: 'number',
    nulls: 'propagate',
    folds: false,
    form: 'arithmetic',
  };
}

function textTest(name: string, part: string): FunctionSignature {
  return {
    name,
    parameters: [text('source'), text(part)],
    returns: 'boolean',
    nulls: 'propagate',
    folds: true,
    form: 'kernel',
  };
}

function patternTest(name: string, parameter: string, form: FunctionForm, folds: boolean): FunctionSignature {
  return {
    name,
    parameters: [text('source'), { name: parameter, type: 'string', constant: true }],
    variadic: true,
    returns: 'boolean',
    nulls: 'propagate',
    folds,
    form,
  };
}

/** All functions, in alphabetical order of their canonical names. */
export const functionSignatures: readonly FunctionSignature[] = [
  arithmetic('add'),
  {
    name: 'arrayContains',
    parameters: [
      { name: 'array', type: 'array' },
      { name: 'value', type: 'any' },
    ],
    variadic: true,
    returns: 'boolean',
    nulls: 'propagate',
    folds: true,
    form: 'match',
  },
  {
    name: 'arrayCount',
    parameters: [
      { name: 'array', type: 'array' },
      { name: 'variable', type: 'variable' },
      { name: 'condition', type: 'expression' },
    ],
    returns: 'number',
    nulls: 'propagate',
    folds: false,
    form: 'nested',
  },
  {
    name: 'arraySearch',
    parameters: [
      { name: 'array', type: 'array' },
      { name: 'variable', type: 'variable' },
      { name: 'condition', type: 'expression' },
    ],
    returns: 'boolean',
    nulls: 'propagate',
    folds: false,
    form: 'nested',
  },
  {
    name: 'between',
    parameters: [text('source'), text('left'), text('right'), { name: 'greedy', type: 'boolean', optional: true }],
    returns: 'string',
    nulls: 'default',
    folds: true,
    form: 'kernel',
  },
  patternTest('cidrMatch', 'block', 'cidr', false),
  {
    name: 'concat',
    parameters: [{ name: 'value', type: 'any' }],
    variadic: true,
    returns: 'string',
    nulls: 'propagate',
    folds: false,
    form: 'kernel',
  },
  arithmetic('divide'),
  textTest('endsWith', 'suffix'),
  {
    name: 'indexOf',
    parameters: [text('source'), text('substring'), { name: 'start', type: 'number', optional: true }],
    returns: 'number',
    nulls: 'default',
    folds: true,
    form: 'kernel',
  },
  {
    name: 'length',
    parameters: [text('source')],
    returns: 'number',
    nulls: 'propagate',
    folds: false,
    form: 'kernel',
  },
  patternTest('match', 'pattern', 'regex', true),
  patternTest('matchLite', 'pattern', 'regex', true),
  arithmetic('modulo'),
  arithmetic('multiply'),
  {
    name: 'number',
    parameters: [text('source'), { name: 'base', type: 'number', optional: true }],
    returns: 'number',
    nulls: 'default',
    folds: false,
    form: 'kernel',
  },
  {
    name: 'pathKey',
    parameters: [text('path'), { name: 'platform', type: 'string', constant: true }],
    returns: 'string',
    nulls: 'propagate',
    folds: false,
    form: 'kernel',
  },
  {
    name: 'safe',
    parameters: [{ name: 'value', type: 'any' }],
    returns: 'any',
    nulls: 'propagate',
    folds: false,
    form: 'kernel',
  },
  textTest('startsWith', 'prefix'),
  {
    name: 'string',
    parameters: [{ name: 'value', type: 'any' }],
    returns: 'string',
    nulls: 'propagate',
    folds: false,
    form: 'kernel',
  },
  textTest('stringContains', 'substring'),
  {
    name: 'substring',
    parameters: [
      text('source'),
      { name: 'start', type: 'number', optional: true },
      { name: 'end', type: 'number', optional: true },
    ],
    returns: 'string',
    nulls: 'default',
    folds: false,
    form: 'kernel',
  },
  arithmetic('subtract'),
  patternTest('wildcard', 'pattern', 'match', true),
];

const byLowerName = new Map(functionSignatures.map((signature) => [signature.name.toLowerCase(), signature]));

/** Finds a function by name, ignoring case, as EQL does. */
export function findFunction(name: string): FunctionSignature | undefined {
  return byLowerName.get(name.toLowerCase());
}
