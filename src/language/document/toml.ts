import { parse, TomlError } from 'smol-toml';
import type { Span } from '../../core/diagnostic.js';
import {
  type DocumentFault,
  type DocumentNode,
  type Entry,
  type ObjectNode,
  StringCollector,
  type StringNode,
  verbatimString,
} from './tree.js';

/**
 * Reads a TOML file with the place of every key and value. smol-toml decides what is valid TOML; the reader here walks
 * the valid text once more for the places, which smol-toml does not keep.
 */
export function readToml(text: string): ObjectNode | DocumentFault {
  try {
    parse(text, { integersAsBigInt: 'asNeeded' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    return faultOf(error, text);
  }
  return new TomlReader(text).document();
}

function faultOf(error: TomlError, text: string): DocumentFault {
  const lines = text.split('\n').slice(0, error.line - 1);
  const start = lines.reduce((offset, line) => offset + line.length + 1, 0) + error.column - 1;
  const message = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
  return { message, span: { start, end: start + 1 } };
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\x1b',
  '"': '"',
  '\\': '\\',
};

const bareKey = /[A-Za-z0-9_-]*/y;
const scalarToken = /[^\s,#\]}]+/y;
const lineEnd = /\r?\n/y;
const continuedLine = /\\[ \t]*\r?\n\s*/y;
const hexEscape = /\\(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2})/y;
const blanksAndComments = /(?:[ \t\r\n]+|#[^\n]*)+/y;
const blanks = /[ \t]+/y;
const plainBasic = /[^"\\]+/y;
const plainLiteral = /[^']+/y;
const basicQuotes = /"{1,5}/y;
const literalQuotes = /'{1,5}/y;
const dateOrTime =
  /\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)?)?|\d\d:\d\d(?::\d\d(?:\.\d+)?)?/y;

interface Key {
  readonly name: string;
  readonly span: Span;
}

/** Walks a text that is known to be valid TOML. */
class TomlReader {
  private readonly text: string;
  private at: number;

  constructor(text: string) {
    this.text = text;
    this.at = text.startsWith('\ufeff') ? 1 : 0;
  }

  document(): ObjectNode {
    const root: ObjectNode = { kind: 'object', entries: new Map(), span: { start: 0, end: this.text.length } };
    let table = root;
    for (this.skipBlanks(true); this.at < this.text.length; this.skipBlanks(true)) {
      if (this.text[this.at] === '[') table = this.header(root);
      else this.entry(table);
    }
    return root;
  }

  private header(root: ObjectNode): ObjectNode {
    const start = this.at;
    const isArray = this.text[this.at + 1] === '[';
    this.at += isArray ? 2 : 1;
    const keys = this.keys();
    this.at += isArray ? 2 : 1;
    const last = keys.pop() as Key;
    const parent = keys.reduce((table, key) => descend(table, key), root);
    if (!isArray) return descend(parent, last);
    const table: ObjectNode = { kind: 'object', entries: new Map(), span: { start, end: this.at } };
    const list = parent.entries.get(last.name)?.node;
    if (list?.kind === 'array') list.items.push(table);
    else
      parent.entries.set(last.name, { keySpan: last.span, node: { kind: 'array', items: [table], span: last.span } });
    return table;
  }

  private entry(table: ObjectNode): void {
    const keys = this.keys();
    this.at++;
    this.skipBlanks(false);
    const last = keys.pop() as Key;
    const parent = keys.reduce((owner, key) => descend(owner, key), table);
    parent.entries.set(last.name, { keySpan: last.span, node: this.value() });
  }

  /** A dotted key, up to the `=` or `]` after it. */
  private keys(): Key[] {
    const keys: Key[] = [];
    do {
      if (keys.length > 0) this.at++;
      this.skipBlanks(false);
      keys.push(this.key());
      this.skipBlanks(false);
    } while (this.text[this.at] === '.');
    return keys;
  }

  private key(): Key {
    const start = this.at;
    const quote = this.text[start];
    if (quote === '"' || quote === "'") {
      const node = this.string();
      return { name: node.value, span: node.span };
    }
    const bare = this.match(bareKey);
    if (bare === '') this.at++;
    return { name: bare, span: { start, end: this.at } };
  }

  private value(): DocumentNode {
    const start = this.at;
    switch (this.text[start]) {
      case '"':
      case "'":
        return this.string();
      case '[':
        return this.array();
      case '{':
        return this.inlineTable();
      default:
        return this.scalar();
    }
  }

  private scalar(): DocumentNode {
    const start = this.at;
    const date = this.match(dateOrTime);
    if (date !== '') return { kind: 'date', value: date, span: { start, end: this.at } };
    const token = this.match(scalarToken);
    if (token === '') this.at++;
    const span = { start, end: this.at };
    if (token === 'true' || token === 'false') return { kind: 'boolean', value: token === 'true', span };
    return { kind: 'number', value: numberOf(token), span };
  }

  private array(): DocumentNode {
    const start = this.at++;
    const items: DocumentNode[] = [];
    for (;;) {
      this.skipBlanks(true);
      const character = this.text[this.at];
      if (character === undefined || character === ']') break;
      if (character === ',') this.at++;
      else items.push(this.value());
    }
    return { kind: 'array', items, span: { start, end: ++this.at } };
  }

  private inlineTable(): DocumentNode {
    const start = this.at++;
    const entries = new Map<string, Entry>();
    const table: ObjectNode = { kind: 'object', entries, span: { start, end: start } };
    for (;;) {
      this.skipBlanks(true);
      const character = this.text[this.at];
      if (character === undefined || character === '}') break;
      if (character === ',') this.at++;
      else this.entry(table);
    }
    return { kind: 'object', entries, span: { start, end: ++this.at } };
  }

  private string(): StringNode {
    const open = this.at;
    const quote = this.text[open] as '"' | "'";
    const isLong = this.text.startsWith(quote === '"' ? '"""' : "'''", open);
    this.at += isLong ? 3 : 1;
    if (isLong) this.match(lineEnd);
    const start = this.at;
    const plain = this.match(quote === '"' ? plainBasic : plainLiteral);
    if (this.closes(quote, isLong)) {
      const end = this.at + (isLong ? 3 : 1);
      this.at = end;
      return verbatimString(plain, { start: open, end }, start);
    }
    const collector = new StringCollector();
    collector.add(plain, start, true);
    while (this.at < this.text.length) {
      const from = this.at;
      const plain = this.match(quote === '"' ? plainBasic : plainLiteral);
      if (plain !== '') {
        collector.add(plain, from, true);
        continue;
      }
      if (this.text[this.at] === quote) {
        const run = isLong ? this.match(quote === '"' ? basicQuotes : literalQuotes) : quote;
        const content = isLong ? (run.length >= 3 ? run.length - 3 : run.length) : 0;
        if (content > 0) collector.add(run.slice(0, content), this.at - run.length, true);
        if (!isLong) this.at++;
        if (!isLong || run.length >= 3) break;
      } else this.escape(collector);
    }
    return collector.finish({ start: open, end: this.at }, this.at - (isLong ? 3 : 1));
  }

  /** Whether the string ends here: up to two quotes before the closing three belong to a long one. */
  private closes(quote: string, isLong: boolean): boolean {
    if (this.text[this.at] !== quote) return false;
    if (!isLong) return true;
    const { text, at } = this;
    return text[at + 1] === quote && text[at + 2] === quote && text[at + 3] !== quote;
  }

  private escape(collector: StringCollector): void {
    const start = this.at;
    if (this.match(continuedLine) !== '') return;
    const hex = this.match(hexEscape);
    if (hex !== '') {
      collector.add(String.fromCodePoint(Number.parseInt(hex.slice(2), 16)), start, false);
      return;
    }
    collector.add(escapes[this.text[start + 1] ?? ''] ?? '', start, false);
    this.at += 2;
  }

  /** Moves over blanks and comments, and over line ends where they may stand. */
  private skipBlanks(overLines: boolean): void {
    const pattern = overLines ? blanksAndComments : blanks;
    pattern.lastIndex = this.at;
    if (pattern.test(this.text)) this.at = pattern.lastIndex;
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.text)) return '';
    const start = this.at;
    this.at = pattern.lastIndex;
    return this.text.slice(start, this.at);
  }
}

/** The table that a key leads to: the last one where it names an array of tables. */
function descend(table: ObjectNode, key: Key): ObjectNode {
  const found = table.entries.get(key.name)?.node;
  if (found?.kind === 'object') return found;
  const last = found?.kind === 'array' ? found.items.at(-1) : undefined;
  if (last?.kind === 'object') return last;
  const made: ObjectNode = { kind: 'object', entries: new Map(), span: key.span };
  table.entries.set(key.name, { keySpan: key.span, node: made });
  return made;
}

function numberOf(token: string): number {
  const plain = token.replaceAll('_', '');
  const special = /^([+-]?)(inf|nan)$/.exec(plain);
  if (special?.[2] === 'nan') return Number.NaN;
  if (special?.[2] === 'inf') return special[1] === '-' ? -Infinity : Infinity;
  return Number(plain);
}
