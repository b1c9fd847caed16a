import type { KueryLiteral } from './ast.js';

const spaces = ' \t\r\n\u00a0';
const specials = '\\():<>"*{}';
const escapedWhitespace: Readonly<Record<string, string>> = { t: '\t', r: '\r', n: '\n' };

/** A mistake in the characters of a query; the parser turns it into a diagnostic. */
export interface ScanFault {
  readonly code: 'KQL_UNTERMINATED' | 'KQL_ESCAPE';
  readonly start: number;
  readonly end: number;
}

/**
 * Reads names, values and keywords of a KQL text. KQL has no tokens of its own: blanks belong to an unquoted value until
 * a keyword or a special character ends it, so everything is read by position.
 */
export class KueryScanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  skipSpaces(): void {
    while (!this.isAtEnd && this.isSpaceAt(this.at)) this.at++;
  }

  /** Takes one character if it is next. */
  take(character: string): boolean {
    if (this.text[this.at] !== character) return false;
    this.at++;
    return true;
  }

  /** Takes `and` or `or` with the blanks around it. A keyword at the very end of the text counts: its operand is missing. */
  takeConjunction(word: 'and' | 'or'): boolean {
    const end = this.conjunctionEnd(this.at, word);
    if (end < 0) return false;
    this.at = end;
    return true;
  }

  /** Takes `not` and the blanks after it. */
  takeNot(): boolean {
    const end = this.notEnd(this.at);
    if (end < 0) return false;
    this.at = end;
    return true;
  }

  /** Whether a word stands here that is `and` or `or` where a value should be. */
  leadingConjunction(): string | undefined {
    return /^(?:and|or)(?=[\s\u00a0)}]|$)/i.exec(this.text.slice(this.at, this.at + 5))?.[0];
  }

  /** Reads a quoted or unquoted literal; undefined when no character of one is here. */
  literal(): KueryLiteral | ScanFault | undefined {
    return this.text[this.at] === '"' ? this.quoted() : this.unquoted();
  }

  private quoted(): KueryLiteral | ScanFault {
    const start = this.at++;
    let value = '';
    while (!this.isAtEnd) {
      const character = this.text[this.at] as string;
      if (character === '"') {
        this.at++;
        return { parts: [value], quoted: true, span: { start, end: this.at } };
      }
      const escaped = character === '\\' ? this.escape('\\"') : undefined;
      value += escaped ?? character;
      if (escaped === undefined) this.at++;
    }
    return { code: 'KQL_UNTERMINATED', start, end: start + 1 };
  }

  private unquoted(): KueryLiteral | ScanFault | undefined {
    const start = this.at;
    const parts = [''];
    while (!this.isAtEnd && !this.isKeywordAt(this.at, start)) {
      const character = this.text[this.at] as string;
      if (character === '*') parts.push('');
      else if (character === '\\') {
        const escaped = this.escape(specials) ?? this.escapedKeyword();
        if (escaped === undefined) return { code: 'KQL_ESCAPE', start: this.at, end: this.at + 2 };
        parts.push((parts.pop() as string) + escaped);
        continue;
      } else if (specials.includes(character)) break;
      else parts.push((parts.pop() as string) + character);
      this.at++;
    }
    if (this.at === start) return undefined;
    let end = this.at;
    while (end > start && this.isSpaceAt(end - 1)) end--;
    return { parts: trimOuter(parts), quoted: false, span: { start, end } };
  }

  /** Takes an escape that both literals know, or one of `plain` after the backslash. */
  private escape(plain: string): string | undefined {
    const next = this.text[this.at + 1] ?? '';
    const blank = escapedWhitespace[next];
    const unicode = /^u([0-9a-fA-F]{4})/.exec(this.text.slice(this.at + 1, this.at + 6))?.[1];
    const value =
      blank ??
      (unicode === undefined ? undefined : String.fromCharCode(Number.parseInt(unicode, 16))) ??
      (next !== '' && plain.includes(next) ? next : undefined);
    if (value !== undefined) this.at += unicode === undefined ? 2 : 6;
    return value;
  }

  private escapedKeyword(): string | undefined {
    const word = /^(?:and|or|not)/i.exec(this.text.slice(this.at + 1, this.at + 4))?.[0];
    if (word !== undefined) this.at += 1 + word.length;
    return word;
  }

  private isKeywordAt(at: number, start: number): boolean {
    if (this.isSpaceAt(at)) return this.conjunctionEnd(at, 'and') >= 0 || this.conjunctionEnd(at, 'or') >= 0;
    return (at === start || this.isSpaceAt(at - 1)) && this.notEnd(at) >= 0;
  }

  private conjunctionEnd(at: number, word: 'and' | 'or'): number {
    let from = at;
    while (this.isSpaceAt(from)) from++;
    if (from === at || !this.isWordAt(from, word)) return -1;
    return this.endOfBlanks(from + word.length, true);
  }

  private notEnd(at: number): number {
    return this.isWordAt(at, 'not') ? this.endOfBlanks(at + 3, false) : -1;
  }

  private isWordAt(at: number, word: string): boolean {
    return this.text.substr(at, word.length).toLowerCase() === word;
  }

  private endOfBlanks(from: number, orEnd: boolean): number {
    let end = from;
    while (this.isSpaceAt(end)) end++;
    return end > from || (orEnd && end === this.text.length) ? end : -1;
  }

  private isSpaceAt(at: number): boolean {
    return at < this.text.length && spaces.includes(this.text[at] as string);
  }
}

/** Blanks around an unquoted value are not part of it; blanks beside its wildcards are. */
function trimOuter(parts: readonly string[]): string[] {
  const trimmed = [...parts];
  trimmed[0] = (trimmed[0] as string).replace(/^[\s\u00a0]+/, '');
  const last = trimmed.length - 1;
  trimmed[last] = (trimmed[last] as string).replace(/[\s\u00a0]+$/, '');
  return trimmed;
}
