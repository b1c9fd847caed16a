import { jsonDepthMax } from '../../core/limits.js';
import {
  type DocumentFault,
  type DocumentNode,
  type Entry,
  StringCollector,
  type StringNode,
  verbatimString,
} from './tree.js';

class Fault extends Error {
  readonly fault: DocumentFault;
  constructor(message: string, start: number, end = start + 1) {
    super(message);
    this.fault = { message, span: { start, end } };
  }
}

/**
 * Reads the JSON values of a text: one value over any number of lines, or one value a line (NDJSON). As strict as
 * `JSON.parse`, except that duplicate keys are refused. A line that cannot be read costs that line only.
 */
export function readJsonValues(text: string): { values: DocumentNode[]; faults: DocumentFault[] } {
  const values: DocumentNode[] = [];
  const faults: DocumentFault[] = [];
  const read = (from: number, to: number): boolean => {
    const result = readValue(text, from, to);
    if (result === undefined) return true;
    if ('message' in result) faults.push(result);
    else values.push(result);
    return !('message' in result);
  };
  const start = text.startsWith('\ufeff') ? 1 : 0;
  const isLines = firstLineIsWhole(text, start);
  if (!isLines) {
    read(start, text.length);
    return { values, faults };
  }
  for (let from = start; from < text.length; ) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    read(from, to);
    from = to + 1;
  }
  return { values, faults };
}

/** NDJSON: the first line that is not blank is a whole value, or cannot be continued by the next line. */
function firstLineIsWhole(text: string, start: number): boolean {
  const body = text.slice(start).trimStart();
  const lineEnd = body.indexOf('\n');
  if (!body.startsWith('{') || lineEnd < 0 || body.slice(lineEnd).trim() === '') return false;
  const first = readValue(body, 0, lineEnd);
  return first !== undefined && (!('message' in first) || body.slice(lineEnd).trimStart().startsWith('{'));
}

function readValue(text: string, from: number, to: number): DocumentNode | DocumentFault | undefined {
  const reader = new JsonReader(text, from, to);
  try {
    return reader.document();
  } catch (error) {
    if (error instanceof Fault) return error.fault;
    throw error;
  }
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters end a string
const plainText = /[^"\\\x00-\x1f]*/y;

class JsonReader {
  private readonly text: string;
  private at: number;
  private readonly end: number;
  private depth = 0;

  constructor(text: string, from: number, to: number) {
    this.text = text;
    this.at = from;
    this.end = to;
  }

  /** The one value of the range; undefined when it is blank. */
  document(): DocumentNode | undefined {
    this.skipBlanks();
    if (this.at >= this.end) return undefined;
    const node = this.value();
    this.skipBlanks();
    if (this.at < this.end) throw new Fault('nothing may follow the value', this.at);
    return node;
  }

  private value(): DocumentNode {
    const start = this.at;
    const character = this.peek();
    if (character === '{' || character === '[') {
      if (++this.depth > jsonDepthMax) throw new Fault(`values nest more than ${jsonDepthMax} levels`, start);
      const node = character === '{' ? this.object() : this.array();
      this.depth--;
      return node;
    }
    if (character === '"') return this.string();
    const token = /^[-+.\w]+/.exec(this.text.slice(start, Math.min(this.end, start + 400)))?.[0] ?? '';
    this.at = start + token.length;
    const span = { start, end: this.at };
    if (token === 'true' || token === 'false') return { kind: 'boolean', value: token === 'true', span };
    if (token === 'null') return { kind: 'null', value: null, span };
    if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(token))
      return { kind: 'number', value: Number(token), span };
    throw new Fault(
      this.at >= this.end && token === '' ? 'the text ends too early' : 'a JSON value must stand here',
      start,
    );
  }

  private object(): DocumentNode {
    const start = this.at++;
    const entries = new Map<string, Entry>();
    for (let isFirst = true; !this.closes('}', isFirst); isFirst = false) {
      if (this.peek() !== '"') throw new Fault('a key in double quotes must stand here', this.at);
      const key = this.string();
      this.skipBlanks();
      if (this.peek() !== ':') throw new Fault('":" must follow the key', this.at);
      this.at++;
      this.skipBlanks();
      if (entries.has(key.value))
        throw new Fault(`the key "${key.value}" is given twice`, key.span.start, key.span.end);
      entries.set(key.value, { keySpan: key.span, node: this.value() });
    }
    return { kind: 'object', entries, span: { start, end: this.at } };
  }

  private array(): DocumentNode {
    const start = this.at++;
    const items: DocumentNode[] = [];
    for (let isFirst = true; !this.closes(']', isFirst); isFirst = false) items.push(this.value());
    return { kind: 'array', items, span: { start, end: this.at } };
  }

  /** Takes the closing bracket, or else the comma before the next item. */
  private closes(bracket: '}' | ']', isFirst: boolean): boolean {
    this.skipBlanks();
    if (this.peek() === bracket) {
      this.at++;
      return true;
    }
    if (isFirst) return false;
    if (this.peek() !== ',') throw new Fault(`"," or "${bracket}" must stand here`, this.at);
    this.at++;
    this.skipBlanks();
    return false;
  }

  private string(): StringNode {
    const start = this.at++;
    const first = this.plain();
    if (this.text[this.at + first.length] === '"' && this.at + first.length < this.end) {
      this.at += first.length + 1;
      return verbatimString(first, { start, end: this.at }, start + 1);
    }
    const collector = new StringCollector();
    for (;;) {
      const plain = this.plain();
      if (plain !== '') {
        collector.add(plain, this.at, true);
        this.at += plain.length;
      }
      const character = this.peek();
      if (character === '"') break;
      if (character !== '\\') throw new Fault('this string has no closing quote', start);
      this.escape(collector);
    }
    return collector.finish({ start, end: ++this.at }, this.at - 1);
  }

  /** The text up to the next quote, escape, or character that no string has. */
  private plain(): string {
    plainText.lastIndex = this.at;
    const text = plainText.exec(this.text)?.[0] ?? '';
    return text.slice(0, this.end - this.at);
  }

  private escape(collector: StringCollector): void {
    const { at } = this;
    const next = this.text[at + 1] ?? '';
    const hex = /^u([0-9a-fA-F]{4})/.exec(this.text.slice(at + 1, at + 6))?.[1];
    const value = hex === undefined ? escapes[next] : String.fromCharCode(Number.parseInt(hex, 16));
    if (value === undefined) throw new Fault(`"\\${next}" is not an escape of JSON`, at, at + 2);
    collector.add(value, at, false);
    this.at += hex === undefined ? 2 : 6;
  }

  private peek(): string | undefined {
    return this.at < this.end ? this.text[this.at] : undefined;
  }

  private skipBlanks(): void {
    while (this.at < this.end && ' \t\r\n'.includes(this.text[this.at] as string)) this.at++;
  }
}
