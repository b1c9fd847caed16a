import type { Span } from '../../core/diagnostic.js';
import { expressionDepthMax } from '../../core/limits.js';
import { nearestName } from '../../core/nearest_name.js';
import { tooDeep } from './depth.js';
import type { DialectTraits } from './dialect.js';
import { type ProblemList, Recovery } from './problems.js';
import { describe, reservedWords, type Token } from './tokens.js';

/** What the parsers share: reading tokens, telling what was expected, finding the next place to go on, the depth limit. */
export class TokenStream {
  readonly traits: DialectTraits;
  readonly problems: ProblemList;
  readonly reserved: ReadonlySet<string>;
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(tokens: readonly Token[], traits: DialectTraits, problems: ProblemList) {
    this.tokens = tokens;
    this.traits = traits;
    this.problems = problems;
    this.reserved = reservedWords(traits.legacySyntax);
  }

  peek(ahead = 0): Token {
    return (this.tokens[this.at + ahead] ?? this.tokens.at(-1)) as Token;
  }

  advance(): Token {
    const token = this.peek();
    if (this.at < this.tokens.length - 1) this.at++;
    return token;
  }

  /** The end offset of the last token read. */
  get lastEnd(): number {
    return this.at === 0 ? 0 : (this.tokens[this.at - 1] as Token).end;
  }

  atSymbol(...texts: readonly string[]): boolean {
    const token = this.peek();
    return token.kind === 'symbol' && texts.includes(token.text);
  }

  atWord(...texts: readonly string[]): boolean {
    const token = this.peek();
    return token.kind === 'word' && texts.includes(token.text);
  }

  atEnd(): boolean {
    return this.peek().kind === 'end';
  }

  takeSymbol(text: string): boolean {
    const token = this.peek();
    const found = token.kind === 'symbol' && token.text === text;
    if (found) this.advance();
    return found;
  }

  takeWord(text: string): boolean {
    const token = this.peek();
    const found = token.kind === 'word' && token.text === text;
    if (found) this.advance();
    return found;
  }

  /** Reads the symbol or tells that it is missing and goes to the next point of recovery. */
  expectSymbol(text: string, remedy?: string): Token {
    if (this.atSymbol(text)) return this.advance();
    return this.fail([text], remedy);
  }

  isReserved(token: Token): boolean {
    return token.kind === 'word' && this.reserved.has(token.text);
  }

  /** Tells that the next token does not belong here. */
  unexpected(expected: readonly string[], remedy?: string): void {
    const token = this.peek();
    if (token.kind === 'bad') return;
    const hint = remedy ?? this.hint(token, expected);
    this.problems.add(spanOf(token), {
      code: 'EQL_SYNTAX',
      message: `unexpected ${describe(token)}, expected ${list(expected)}`,
      expected,
      ...(hint === undefined ? {} : { remedy: hint }),
    });
  }

  fail(expected: readonly string[], remedy?: string): never {
    this.unexpected(expected, remedy);
    throw new Recovery();
  }

  private hint(token: Token, expected: readonly string[]): string | undefined {
    if (token.kind === 'symbol') return this.symbolHint(token);
    if (token.kind !== 'word' && token.kind !== 'folded') return undefined;
    const before = this.tokens[this.at - 1];
    if (before?.kind === 'string' && !token.spaced)
      return 'A double quote before it ends the string; write \\" for a quote inside.';
    const lower = token.text.toLowerCase();
    if (lower !== token.text && this.reserved.has(lower)) return `Keywords are written in lower case: ${lower}.`;
    if (expected.includes('and') && foreignOperators[lower] !== undefined) return foreignOperators[lower];
    const near = nearestName(
      token.text,
      expected.filter((name) => /^[a-z]/.test(name)),
    );
    return near === undefined ? undefined : `Did you mean "${near}"?`;
  }

  private symbolHint(token: Token): string | undefined {
    const before = this.tokens[this.at - 1];
    if (token.text === '>' && before?.text === '<') return 'Write != for "differs from".';
    if (token.text === '=' && before?.text === '==') return 'Write == for "equals".';
    if (token.text === '|' && before?.text === '|') return 'Write "or" for alternatives.';
    if (token.text === '=' && !this.traits.legacySyntax) return 'Did you mean "=="? One "=" compares nothing.';
    return undefined;
  }

  /** Reads the `)` that closes a bracket opened before, or tells where that was. */
  expectClosing(open: Token): void {
    if (this.atSymbol(')')) this.advance();
    else this.fail([')'], `Close the "(" of ${this.problems.placeName(spanOf(open))}.`);
  }

  /**
   * Skips to the next `and`, `or`, pipe or closing bracket of this level (or any of `stops`), over nested brackets.
   */
  skip(stops: readonly string[]): void {
    let depth = 0;
    while (!this.atEnd()) {
      const token = this.peek();
      const text = token.kind === 'symbol' || token.kind === 'word' ? token.text : '';
      if (depth === 0 && (text === '|' || text === ')' || text === ']' || stops.includes(text))) return;
      if (depth === 0 && token.kind === 'word' && (text === 'and' || text === 'or')) return;
      if (token.kind === 'symbol' && (text === '(' || text === '[' || text === '![')) depth++;
      else if (token.kind === 'symbol' && (text === ')' || text === ']')) depth--;
      this.advance();
    }
  }

  /** Skips to any of the symbols or words, whatever lies between. */
  skipTo(texts: readonly string[]): void {
    while (!this.atEnd() && !this.atSymbol(...texts) && !this.atWord(...texts)) this.advance();
  }

  /** Runs `parse` one level deeper. Beyond the limit the rest of the query is not read. */
  nested<T>(parse: () => T): T {
    if (this.depth >= expressionDepthMax) {
      tooDeep(spanOf(this.peek()), this.problems);
      this.at = this.tokens.length - 1;
      throw new Recovery();
    }
    this.depth++;
    try {
      return parse();
    } finally {
      this.depth--;
    }
  }
}

/** What authors write who know another language, by the word. */
const foreignOperators: Readonly<Record<string, string>> = {
  is: 'Write == null for "has no value" and != null for "has one".',
  contains: 'Write field : "*text*", or stringContains(field, "text").',
  startswith: 'Write startsWith(field, "text"), or field : "text*".',
  endswith: 'Write endsWith(field, "text"), or field : "*text".',
  matches: 'Write field regex "pattern", or field : "text*" for wildcards.',
  equals: 'Write == for "equals".',
};

export function spanOf(token: Token): Span {
  return { start: token.start, end: Math.max(token.end, token.start + 1) };
}

/** Names for a message: `a`, `a or b`, `a, b or c`. */
export function list(names: readonly string[]): string {
  const quoted = names.map((name) =>
    /^[^a-z]|^(?:and|or|not|by|where|in|as|of|with)$/.test(name) ? `"${name}"` : name,
  );
  const last = quoted.at(-1) ?? '';
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(', ')} or ${last}`;
}
