import type { Span } from '../../core/diagnostic.js';

/**
 * `word`: an unquoted name or keyword. `quoted`: a name in backticks. `folded`: `name~`. `variable`: `$name`.
 * `bad`: text that is no token; its problem is already told.
 */
export type TokenKind = 'word' | 'quoted' | 'folded' | 'variable' | 'number' | 'string' | 'symbol' | 'bad' | 'end';

export interface Token extends Span {
  readonly kind: TokenKind;
  /** The name without quotes, the symbol, or the text as written. */
  readonly text: string;
  /** The value of a string or number. */
  readonly value?: string | number;
  /** A number written with a fraction or exponent. */
  readonly float?: boolean;
  /** A string or number with a fault in it, told already; its value is not meant. */
  readonly faulty?: boolean;
  /** True when white space or a comment stands before the token. */
  readonly spaced: boolean;
}

const commonWords = [
  'and',
  'by',
  'false',
  'in',
  'join',
  'not',
  'null',
  'of',
  'or',
  'sequence',
  'true',
  'until',
  'where',
  'with',
];

const modernWords: ReadonlySet<string> = new Set([...commonWords, 'any', 'like', 'maxspan', 'regex', 'sample']);
const legacyWords: ReadonlySet<string> = new Set([...commonWords, 'const', 'macro']);

/** Words that are no field names unless in backticks. */
export function reservedWords(legacySyntax: boolean): ReadonlySet<string> {
  return legacySyntax ? legacyWords : modernWords;
}

/** A token as a message shows it. */
export function describe(token: Token): string {
  if (token.kind === 'end') return 'the end of the query';
  if (token.kind === 'string') return 'a string';
  if (token.kind === 'number') return `the number ${token.text}`;
  return `"${token.text}"`;
}
