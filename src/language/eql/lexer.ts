import type { Span } from '../../core/diagnostic.js';
import type { DialectTraits } from './dialect.js';
import type { ProblemList } from './problems.js';
import { scanEscaped, scanRaw, scanTripleQuoted } from './strings.js';
import type { Token, TokenKind } from './tokens.js';

const symbolPattern = /!\[|[=!<>]=|[<>=:+\-*/%.,[\]()|?]/y;
const wordPattern = /[A-Za-z_@][A-Za-z0-9_@]*/y;
const numberPattern = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
/** A point is followed by digits. */
const legacyNumberPattern = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?/y;
/** Without escapes. Followed by a third quote it may be the beginning of another kind. */
const plainString = /"[^"\\\r\n]*"/y;
const blankPattern = /(?:[ \t\r\n\f\v\u00a0\ufeff]+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\/)+/y;

/** Cuts a query into tokens, ending with one of kind `end`. Text that is no token is told once and skipped. */
export function tokenize(text: string, traits: DialectTraits, problems: ProblemList): Token[] {
  return new Lexer(text, traits, problems).run();
}

class Lexer {
  private readonly text: string;
  private readonly traits: DialectTraits;
  private readonly problems: ProblemList;
  private readonly tokens: Token[] = [];
  private at = 0;
  private spaced = false;

  constructor(text: string, traits: DialectTraits, problems: ProblemList) {
    this.text = text;
    this.traits = traits;
    this.problems = problems;
  }

  run(): Token[] {
    for (;;) {
      this.spaced = this.moveOver(blankPattern);
      if (this.at >= this.text.length) break;
      const token = this.next();
      if (token !== undefined) this.tokens.push(token);
    }
    this.tokens.push(this.token('end', this.at, ''));
    return this.tokens;
  }

  /** The next token, or undefined where text was told and skipped. */
  private next(): Token | undefined {
    const c = this.text[this.at] as string;
    if (isWordStart(c)) return this.word();
    if (c === '"' || c === "'") return this.string();
    const next = this.text[this.at + 1] ?? '';
    if (c === '/' && next === '*') return this.openComment();
    if (c === '?' && (next === '"' || next === "'")) return this.legacyRaw();
    if (c === '`') return this.quotedName();
    if (c === '$') return this.variable();
    if (isDigit(c) || (c === '.' && isDigit(next))) return this.number();
    const end = this.endOf(symbolPattern);
    return end === undefined ? this.stray() : this.token('symbol', end, this.text.slice(this.at, end));
  }

  private string(): Token {
    const plainEnd = this.endOf(plainString);
    if (plainEnd !== undefined && this.text[plainEnd] !== '"') {
      const text = this.text.slice(this.at, plainEnd);
      return { ...this.token('string', plainEnd, text), value: text.slice(1, -1) };
    }
    const quote = this.text[this.at] as string;
    if (this.text.startsWith('"""', this.at)) {
      const end = scanTripleQuoted(this.text, this.at);
      if (end === undefined) return this.unterminated('"""');
      const value = this.text.slice(this.at + 3, end - 3);
      return { ...this.token('string', end, this.text.slice(this.at, end)), value };
    }
    if (quote === "'" && !this.traits.legacySyntax) {
      this.problems.add(this.span(this.at + 1), {
        code: 'EQL_QUOTES',
        message: `the ${this.traits.name} dialect has no strings in single quotes`,
        remedy: 'Write the string in double quotes.',
      });
    }
    const scanned = scanEscaped(this.text, this.at, this.traits.legacySyntax);
    for (const fault of scanned.faults) this.badEscape(fault);
    if (scanned.end === undefined) return this.unterminated(quote);
    const faulty = scanned.faults.length > 0 ? { faulty: true } : {};
    const token = this.token('string', scanned.end, this.text.slice(this.at, scanned.end));
    return { ...token, value: scanned.value, ...faulty };
  }

  private badEscape(fault: Span): void {
    const written = this.text.slice(fault.start, fault.end);
    this.problems.add(fault, {
      code: 'EQL_ESCAPE',
      message: `"${written}" is no escape sequence`,
      expected: this.traits.legacySyntax
        ? ['\\\\', '\\"', "\\'", '\\n', '\\r', '\\t', '\\b', '\\f']
        : ['\\\\', '\\"', "\\'", '\\n', '\\r', '\\t', '\\b', '\\f', '\\u{hex}'],
      remedy: 'Write a backslash as \\\\, or use a raw string in triple quotes: """…""".',
    });
  }

  private legacyRaw(): Token {
    if (!this.traits.legacySyntax) {
      this.problems.add(this.span(this.at + 2), {
        code: 'EQL_QUOTES',
        message: `the ${this.traits.name} dialect has no raw strings of the form ?"…"`,
        remedy: 'Write raw text in triple quotes: """…""".',
      });
    }
    const scanned = scanRaw(this.text, this.at + 1);
    if (scanned === undefined) return this.unterminated(this.text[this.at + 1] as string);
    return { ...this.token('string', scanned.end, this.text.slice(this.at, scanned.end)), value: scanned.value };
  }

  /** The string is taken to end before the brackets, commas and the operator that close its line. */
  private unterminated(quote: string): Token {
    const line = (this.match(/[^\r\n]*/y) as RegExpExecArray)[0];
    const closing = /[\s)\],]*(?:\b(?:and|or)\s*)?$/.exec(line) as RegExpExecArray;
    const end = this.at + Math.max(quote.length, closing.index);
    this.problems.add(this.span(end), {
      code: 'EQL_STRING',
      message: 'the string is not closed on its line',
      expected: [quote],
      remedy: `Close the string with ${quote}; a string cannot span lines.`,
    });
    return { ...this.token('string', end, this.text.slice(this.at, end)), value: '', faulty: true };
  }

  private quotedName(): Token {
    const match = this.match(/`((?:[^`\r\n]|``)+)`/y);
    if (match !== undefined) {
      return this.token('quoted', this.at + match[0].length, (match[1] as string).replaceAll('``', '`'));
    }
    const rest = this.match(/`[^\r\n]*/y) as RegExpExecArray;
    this.problems.add(this.span(this.at + rest[0].length), {
      code: 'EQL_NAME',
      message: 'the name in backticks is empty or not closed on its line',
      expected: ['`'],
      remedy: 'Close the name with a backtick on the same line.',
    });
    return this.token('bad', this.at + rest[0].length, rest[0]);
  }

  private variable(): Token {
    const match = this.match(/\$([A-Za-z_][A-Za-z0-9_]*)/y);
    if (match === undefined) return this.stray();
    if (!this.traits.aliases) {
      this.problems.add(this.span(this.at + match[0].length), {
        code: 'EQL_DIALECT',
        message: `variables such as ${match[0]} are not part of the ${this.traits.name} dialect`,
        remedy: 'Choose the endpoint dialect, or write the field name without "$".',
      });
      return this.token('bad', this.at + match[0].length, match[0]);
    }
    return this.token('variable', this.at + match[0].length, match[1] as string);
  }

  private word(): Token {
    const end = this.endOf(wordPattern) as number;
    const name = this.text.slice(this.at, end);
    if (this.text[end] === '~' && this.traits.modernOperators) return this.token('folded', end + 1, name);
    return this.token('word', end, name);
  }

  private number(): Token {
    const match = this.match(this.traits.legacySyntax ? legacyNumberPattern : numberPattern) as RegExpExecArray;
    const float = /[.eE]/.test(match[0]);
    const value = Number(match[0]);
    if (!Number.isFinite(value)) {
      this.problems.add(this.span(this.at + match[0].length), {
        code: 'EQL_NUMBER',
        message: `the number ${match[0]} is too large`,
        remedy: 'Write a number below 1.8e308.',
      });
    }
    const faulty = Number.isFinite(value) ? {} : { faulty: true };
    return { ...this.token('number', this.at + match[0].length, match[0]), value, float, ...faulty };
  }

  private openComment(): undefined {
    this.problems.add(this.span(this.at + 2), {
      code: 'EQL_COMMENT',
      message: 'the comment is not closed',
      expected: ['*/'],
      remedy: 'Close the comment with */.',
    });
    this.at = this.text.length;
    return undefined;
  }

  /** A run of characters that start no token. */
  private stray(): Token {
    const match = this.match(/[^\s\w"'`$()[\]|,.:=<>!+\-*/%?@]+|[\s\S]/y) as RegExpExecArray;
    const bad = match[0];
    this.problems.add(this.span(this.at + bad.length), {
      code: 'EQL_CHARACTER',
      message: `${JSON.stringify(bad)} is not part of the language`,
      remedy: strayRemedies[bad] ?? 'Put text in double quotes and unusual field names in backticks.',
    });
    return this.token('bad', this.at + bad.length, bad);
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text) ?? undefined;
  }

  /** Moves behind the pattern, if it stands here. */
  private moveOver(pattern: RegExp): boolean {
    const end = this.endOf(pattern);
    if (end === undefined) return false;
    this.at = end;
    return true;
  }

  /** Where the pattern ends that stands here, if it does. */
  private endOf(pattern: RegExp): number | undefined {
    pattern.lastIndex = this.at;
    return pattern.test(this.text) ? pattern.lastIndex : undefined;
  }

  private span(end: number): Span {
    return { start: this.at, end };
  }

  private token(kind: TokenKind, end: number, text: string): Token {
    const start = this.at;
    this.at = end;
    return { kind, text, start, end, spaced: this.spaced };
  }
}

const isWordStart = (c: string): boolean => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c === '_' || c === '@';
const isDigit = (c: string): boolean => c >= '0' && c <= '9';

const strayRemedies: Readonly<Record<string, string>> = {
  '!': 'Write "not" for negation, or "!=" for "differs from".',
  '&': 'Write "and".',
  '&&': 'Write "and".',
  '~': 'Write "~" directly after "like", "in", "regex" or a function name.',
  ';': 'Leave the semicolon out; a query needs no end mark.',
};
