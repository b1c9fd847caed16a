/**
 * Lucene regular expressions, which Elasticsearch's `regex` takes, as RE2 patterns for the same language.
 *
 * Both match the whole value. Differences bridged: `"…"` quotes text, `^ $` and `\b` are plain characters, `.` takes line
 * breaks, `a+?` is an optional `a+`, `@` is any text, `#` nothing, `<1-9>` a number. Complement `~` and intersection `&`
 * have no RE2 form and are refused by name.
 */

import { regexDepthMax, regexRepeatMax } from '../../core/limits.js';
import { numberRangeMax, numberRangePattern } from './number_range.js';

export interface RegexProblem {
  readonly message: string;
  /** Offset in the pattern. */
  readonly at: number;
  readonly remedy: string;
}

/** `doubt`: the pattern is valid but hardly what the author meant. */
export type RegexResult =
  | { readonly pattern: string; readonly doubt?: RegexProblem }
  | { readonly problem: RegexProblem };

/** Translates a pattern, or says what in it cannot be translated and where. Never throws. */
export function translateLucene(source: string): RegexResult {
  try {
    const translator = new Translator(source);
    const pattern = `(?s)${translator.run()}`;
    return translator.doubt === undefined ? { pattern } : { pattern, doubt: translator.doubt };
  } catch (error) {
    if (error instanceof Untranslatable) return { problem: error.problem };
    throw error;
  }
}

class Untranslatable extends Error {
  readonly problem: RegexProblem;
  constructor(problem: RegexProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

const classes: Readonly<Record<string, string>> = { d: '0-9', w: 'a-zA-Z0-9_', s: '\\t\\n\\r ' };
const negatedClasses: Readonly<Record<string, string>> = { D: 'd', W: 'w', S: 's' };
const refused: Readonly<Record<string, string>> = {
  '~': 'complement ("~")',
  '&': 'intersection ("&")',
};

class Translator {
  private readonly characters: readonly string[];
  private readonly offsets: readonly number[];
  doubt: RegexProblem | undefined;
  private at = 0;
  private depth = 0;

  constructor(source: string) {
    this.characters = [...source];
    let offset = 0;
    this.offsets = this.characters.map((c) => {
      const start = offset;
      offset += c.length;
      return start;
    });
  }

  run(): string {
    if (this.characters.length === 0) return '';
    this.checkAnchors();
    const pattern = this.alternatives();
    if (this.at < this.characters.length) this.fail('")" closes no group', 'Write \\) for a plain parenthesis.');
    return pattern;
  }

  /** `^` at the start and `$` at the end are plain characters to Lucene. */
  private checkAnchors(): void {
    const last = this.characters.length - 1;
    const isEscaped = this.characters[last - 1] === '\\';
    const at = this.characters[0] === '^' ? 0 : this.characters[last] === '$' && !isEscaped ? last : undefined;
    if (at === undefined) return;
    this.doubt = {
      message: `"${this.characters[at]}" is a plain character here`,
      remedy: 'Leave the anchor out: the pattern always matches the whole value; use .* for the rest.',
      at: this.offsets[at] ?? 0,
    };
  }

  private alternatives(): string {
    const parts = [this.concatenation()];
    while (this.peek() === '|') {
      this.at++;
      parts.push(this.concatenation());
    }
    return parts.join('|');
  }

  private concatenation(): string {
    let pattern = '';
    let c = this.peek();
    if (c === undefined || c === '|' || c === ')')
      this.fail('an alternative is empty', 'Write (…)? for an optional part.');
    while (c !== undefined && c !== '|' && c !== ')') {
      pattern += this.repeated();
      c = this.peek();
    }
    return pattern;
  }

  private repeated(): string {
    let pattern = this.atom();
    for (let count = 0; ; count++) {
      const c = this.peek();
      const isCount = c === '{';
      if (c !== '*' && c !== '+' && c !== '?' && !isCount) return pattern;
      const inner = count === 0 ? pattern : `(?:${pattern})`;
      pattern = inner + (isCount ? this.counted() : c);
      if (!isCount) this.at++;
      if (count > regexDepthMax) this.fail('too many repetitions of repetitions', 'Write one repetition.');
    }
  }

  private counted(): string {
    const rest = this.characters.slice(this.at, this.at + 24).join('');
    const match = /^\{(\d+)(,(\d*))?\}/.exec(rest);
    if (match === null)
      this.fail('"{" starts no repetition count', 'Write {2}, {2,} or {2,5}; write \\{ for a plain brace.');
    const [text, from, comma, to] = match as RegExpExecArray;
    const low = Number(from);
    const high = to === undefined || to === '' ? low : Number(to);
    if (low > regexRepeatMax || high > regexRepeatMax)
      this.fail(`a count above ${regexRepeatMax}`, `Repeat at most ${regexRepeatMax} times.`);
    if (high < low) this.fail('the counts are in the wrong order', 'Write the smaller count first.');
    this.at += text.length;
    return comma === undefined ? `{${low}}` : `{${low},${to}}`;
  }

  private atom(): string {
    const c = this.characters[this.at] as string;
    switch (c) {
      case '(':
        return this.group();
      case '[':
        return this.characterClass();
      case '"':
        return this.quoted();
      case '\\':
        return this.escape(false);
      case '.':
        this.at++;
        return '.';
      case '@':
        this.at++;
        return '(?:.*)';
      case '#':
        this.at++;
        return '[^\\x{0}-\\x{10ffff}]';
      case '*':
      case '+':
      case '?':
      case '{':
        return this.fail(`"${c}" repeats nothing`, `Write \\${c} for a plain "${c}".`);
      case '<':
        return this.numberRange();
      case '~':
      case '&':
        return this.fail(`${refused[c]} cannot be translated`, `Write \\${c} for a plain "${c}".`);
      default:
        this.at++;
        return escapeCharacter(c);
    }
  }

  private group(): string {
    this.at++;
    if (this.peek() === '?')
      this.fail('Lucene has no "(?…)" groups', 'Leave "?:" and flags out; use regex~ to ignore case.');
    if (this.peek() === ')') {
      this.at++;
      return '(?:)';
    }
    if (++this.depth > regexDepthMax)
      this.fail(`groups nested deeper than ${regexDepthMax}`, 'Write a simpler pattern.');
    const inner = this.alternatives();
    this.depth--;
    if (this.peek() !== ')')
      this.fail('a group is not closed', 'Close the group with ")"; write \\( for a plain parenthesis.');
    this.at++;
    return `(?:${inner})`;
  }

  private numberRange(): string {
    const match = /^<(\d{1,10})-(\d{1,10})>/.exec(this.characters.slice(this.at, this.at + 24).join(''));
    const [text, from, to] = match ?? [];
    if (text === undefined || from === undefined || to === undefined)
      return this.fail('"<" begins no number range', 'Write <1-99>; write \\< for a plain "<".');
    if (Math.max(Number(from), Number(to)) > numberRangeMax)
      this.fail(`a number above ${numberRangeMax}`, `Write numbers up to ${numberRangeMax}.`);
    this.at += text.length;
    return numberRangePattern(from, to);
  }

  private quoted(): string {
    const end = this.characters.indexOf('"', this.at + 1);
    if (end < 0) this.fail('a quotation is not closed', 'Close it with a double quote; write \\" for a plain one.');
    const text = this.characters.slice(this.at + 1, end);
    this.at = end + 1;
    return text.length === 0 ? '(?:)' : `(?:${text.map(escapeCharacter).join('')})`;
  }

  /** `\d \w \s` and their negations are classes, in ASCII; before any other character the backslash makes it plain. */
  private escape(inClass: boolean): string {
    const c = this.characters[this.at + 1];
    if (c === undefined) return this.fail('the pattern ends in a backslash', 'Write \\\\ for a plain backslash.');
    this.at += 2;
    const members = classes[c];
    if (members !== undefined) return inClass ? members : `[${members}]`;
    const negated = negatedClasses[c];
    if (negated === undefined) return escapeCharacter(c);
    if (inClass) return `\\${c}`;
    return `[^${classes[negated]}]`;
  }

  private characterClass(): string {
    const start = this.at;
    this.at++;
    const negated = this.peek() === '^';
    if (negated) this.at++;
    let members = '';
    while (this.peek() !== ']') {
      if (this.peek() === undefined)
        this.fail('a character class is not closed', 'Close it with "]"; write \\[ for a plain bracket.', start);
      members += this.member();
    }
    this.at++;
    if (members === '') this.fail('a character class is empty', 'Write at least one character between [ and ].', start);
    return `[${negated ? '^' : ''}${members}]`;
  }

  private member(): string {
    const first = this.single();
    if (first.code === undefined || this.peek() !== '-' || this.characters[this.at + 1] === ']') return first.text;
    this.at++;
    const last = this.single();
    if (last.code === undefined)
      return this.fail('a range ends in a class', 'Write both ends of the range as characters.');
    if (last.code < first.code) this.fail('a range runs backwards', 'Write the lower end first: [a-z].');
    return `${first.text}-${last.text}`;
  }

  private single(): { text: string; code: number | undefined } {
    const c = this.characters[this.at];
    if (c === undefined) return this.fail('a character class is not closed', 'Close it with "]".');
    if (c === '\\') {
      const next = this.characters[this.at + 1] ?? '';
      const isClass = classes[next] !== undefined || negatedClasses[next] !== undefined;
      return { text: this.escape(true), code: isClass ? undefined : next.codePointAt(0) };
    }
    this.at++;
    return { text: escapeCharacter(c), code: c.codePointAt(0) };
  }

  private peek(): string | undefined {
    return this.characters[this.at];
  }

  private fail(message: string, remedy: string, at = this.at): never {
    const last = this.offsets.at(-1) ?? 0;
    throw new Untranslatable({ message, remedy, at: this.offsets[at] ?? last });
  }
}

/** A character as RE2 reads it plainly, inside and outside of classes. */
function escapeCharacter(c: string): string {
  if (/[A-Za-z0-9_ ]/.test(c)) return c;
  const code = c.codePointAt(0) as number;
  if (code < 0x20 || code === 0x7f || code > 0x7e) return `\\x{${code.toString(16)}}`;
  return `\\${c}`;
}
