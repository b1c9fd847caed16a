import type { Span } from '../../core/diagnostic.js';

/** A value of a rule file with its place in the file. Object entries keep the order of the file. */
export type DocumentNode = StringNode | ScalarNode | ArrayNode | ObjectNode;

export interface StringNode {
  readonly kind: 'string';
  readonly value: string;
  readonly span: Span;
  /** The offset in the file of an offset in `value`: escapes and indentation make them differ. */
  offsetInFile(offset: number): number;
}

export interface ScalarNode {
  readonly kind: 'number' | 'boolean' | 'null' | 'date';
  /** Dates keep their text. */
  readonly value: number | boolean | null | string;
  readonly span: Span;
}

export interface ArrayNode {
  readonly kind: 'array';
  readonly items: DocumentNode[];
  readonly span: Span;
}

export interface ObjectNode {
  readonly kind: 'object';
  readonly entries: Map<string, Entry>;
  readonly span: Span;
}

export interface Entry {
  readonly keySpan: Span;
  readonly node: DocumentNode;
}

/** A file that is not of its format: what is wrong and where. */
export interface DocumentFault {
  readonly message: string;
  readonly span: Span;
}

/** The value alone, without places. */
export function plainValue(node: DocumentNode): unknown {
  switch (node.kind) {
    case 'array':
      return node.items.map(plainValue);
    case 'object':
      return Object.fromEntries([...node.entries].map(([name, entry]) => [name, plainValue(entry.node)]));
    default:
      return node.value;
  }
}

/** What an author calls the kind of a value. */
export function kindName(node: DocumentNode): string {
  const names = {
    string: 'a string',
    number: 'a number',
    boolean: 'true or false',
    null: 'null',
    date: 'a date',
    array: 'a list',
    object: 'a table',
  } as const;
  return names[node.kind];
}

/** Collects the text of a string together with where each part of it came from. */
export class StringCollector {
  private text = '';
  /** Where parts begin that do not stand in the file right behind the part before them. */
  private readonly valueOffsets: number[] = [];
  private readonly fileOffsets: number[] = [];

  /** Adds text that stands at `fileOffset` in the file; `isVerbatim` when the file has it character by character. */
  add(text: string, fileOffset: number, isVerbatim: boolean): void {
    const last = this.valueOffsets.length - 1;
    const continues =
      isVerbatim &&
      last >= 0 &&
      fileOffset - (this.fileOffsets[last] as number) === this.text.length - (this.valueOffsets[last] as number);
    if (!continues) {
      this.valueOffsets.push(this.text.length);
      this.fileOffsets.push(fileOffset);
    }
    this.text += text;
  }

  /** The string that ends at `end` in the file. */
  finish(span: Span, end: number): StringNode {
    this.valueOffsets.push(this.text.length);
    this.fileOffsets.push(end);
    return new CollectedString(this.text, span, this.valueOffsets, this.fileOffsets);
  }
}

/** The string whose text stands in the file as it is, from `start` on. */
export function verbatimString(value: string, span: Span, start: number): StringNode {
  return new VerbatimString(value, span, start);
}

class VerbatimString implements StringNode {
  readonly kind = 'string';
  readonly value: string;
  readonly span: Span;
  private readonly start: number;

  constructor(value: string, span: Span, start: number) {
    this.value = value;
    this.span = span;
    this.start = start;
  }

  offsetInFile(offset: number): number {
    return this.start + offset;
  }
}

class CollectedString implements StringNode {
  readonly kind = 'string';
  readonly value: string;
  readonly span: Span;
  private readonly valueOffsets: readonly number[];
  private readonly fileOffsets: readonly number[];

  constructor(value: string, span: Span, valueOffsets: readonly number[], fileOffsets: readonly number[]) {
    this.value = value;
    this.span = span;
    this.valueOffsets = valueOffsets;
    this.fileOffsets = fileOffsets;
  }

  offsetInFile(offset: number): number {
    const { valueOffsets, fileOffsets } = this;
    let low = 0;
    let high = valueOffsets.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((valueOffsets[middle] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    return (fileOffsets[low] as number) + Math.max(0, offset - (valueOffsets[low] as number));
  }
}
