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
 * Reads a TOML file with the place of every key and value, which smol-toml does not keep. The reader here is sure of the
 * plain forms that rule files are written in. Of any other text smol-toml decides whether it is valid TOML, and what is
 * wrong; the reader then walks the valid text for the places.
 */
export function readToml(text: string): ObjectNode | DocumentFault {
  const plain = new TomlReader(text);
  const document = plain.document();
  if (plain.isSure) return document;
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

/** What a text may not hold anywhere, or only where the reader does not look. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const unusual = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufeff\ud800-\udfff]|\r(?!\n)/;
const restOfLine = /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y;
const plainNumber = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/;
const plainEscapes = '"\\btnfr';
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

/** Walks a text, as if it were valid TOML. */
class TomlReader {
  /** Whether the text, as far as it was read, is valid TOML and means what was read. */
  isSure: boolean;
  private readonly text: string;
  private at: number;
  /** Tables that headers made, and those of them that had a header of their own. */
  private readonly open = new Set<ObjectNode>();
  private readonly headed = new Set<ObjectNode>();

  constructor(text: string) {
    this.text = text;
    this.at = text.startsWith('\ufeff') ? 1 : 0;
    this.isSure = !unusual.test(text);
  }

  document(): ObjectNode {
    const root: ObjectNode = { kind: 'object', entries: new Map(), span: { start: 0, end: this.text.length } };
    this.open.add(root);
    let table = root;
    for (this.skipBlanks(true); this.at < this.text.length; this.skipBlanks(true)) {
      if (this.text[this.at] === '[') table = this.header(root);
      else this.entry(table);
      this.require(this.match(restOfLine) !== '' || this.at === this.text.length);
    }
    return root;
  }

  /** What the reader takes for granted; where it is not so, it is not sure. */
  private require(isSo: boolean): void {
    this.isSure &&= isSo;
  }

  private header(root: ObjectNode): ObjectNode {
    const start = this.at;
    const isArray = this.text[this.at + 1] === '[';
    this.at += isArray ? 2 : 1;
    const keys = this.keys();
    this.require(this.text.startsWith(isArray ? ']]' : ']', this.at));
    this.at += isArray ? 2 : 1;
    const last = keys.pop() as Key;
    const parent = keys.reduce((table, key) => this.opened(table, key), root);
    if (!isArray) return this.headTable(parent, last);
    const table: ObjectNode = { kind: 'object', entries: new Map(), span: { start, end: this.at } };
    const list = parent.entries.get(last.name)?.node;
    this.require(list === undefined || (list.kind === 'array' && list.items.every((item) => this.isOpen(item))));
    this.open.add(table);
    this.headed.add(table);
    if (list?.kind === 'array') list.items.push(table);
    else
      parent.entries.set(last.name, { keySpan: last.span, node: { kind: 'array', items: [table], span: last.span } });
    return table;
  }

  /** The table that a key of a header leads to. */
  private opened(parent: ObjectNode, key: Key): ObjectNode {
    const isNew = !parent.entries.has(key.name);
    const table = descend(parent, key);
    if (isNew) this.open.add(table);
    this.require(this.open.has(table));
    return table;
  }

  private headTable(parent: ObjectNode, key: Key): ObjectNode {
    const isList = parent.entries.get(key.name)?.node.kind === 'array';
    const table = this.opened(parent, key);
    this.require(!isList && !this.headed.has(table));
    this.headed.add(table);
    return table;
  }

  private isOpen(node: DocumentNode): boolean {
    return node.kind === 'object' && this.open.has(node);
  }

  private entry(table: ObjectNode): void {
    const keys = this.keys();
    this.require(this.text[this.at] === '=' && keys.length === 1);
    this.at++;
    this.skipBlanks(false);
    const last = keys.pop() as Key;
    this.require(!table.entries.has(last.name));
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
      this.require(false);
      const node = this.string();
      return { name: node.value, span: node.span };
    }
    const bare = this.match(bareKey);
    this.require(bare !== '');
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
    this.require(date === '');
    if (date !== '') return { kind: 'date', value: date, span: { start, end: this.at } };
    const token = this.match(scalarToken);
    if (token === '') this.at++;
    const span = { start, end: this.at };
    this.require(token === 'true' || token === 'false' || plainNumber.test(token));
    if (token === 'true' || token === 'false') return { kind: 'boolean', value: token === 'true', span };
    return { kind: 'number', value: numberOf(token), span };
  }

  private array(): DocumentNode {
    const start = this.at++;
    const items: DocumentNode[] = [];
    let isItemNext = true;
    for (;;) {
      this.skipBlanks(true);
      const character = this.text[this.at];
      if (character === undefined || character === ']') break;
      this.require(isItemNext !== (character === ','));
      isItemNext = character === ',';
      if (isItemNext) this.at++;
      else items.push(this.value());
    }
    this.require(this.at < this.text.length);
    return { kind: 'array', items, span: { start, end: ++this.at } };
  }

  private inlineTable(): DocumentNode {
    const start = this.at++;
    this.require(false);
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
      this.require(isLong || !plain.includes('\n'));
      return verbatimString(plain, { start: open, end }, start);
    }
    const collector = new StringCollector();
    collector.add(plain, start, true);
    let isClosed = false;
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
        this.require(run.length <= 3);
        isClosed = !isLong || run.length >= 3;
        if (isClosed) break;
      } else this.escape(collector);
    }
    this.require(isClosed && (isLong || !this.text.slice(open, this.at).includes('\n')));
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
    this.require(plainEscapes.includes(this.text[start + 1] ?? 'none'));
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
