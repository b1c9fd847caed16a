import type { DiagnosticSeverity, Span } from '../../core/diagnostic.js';
import { nearestName } from '../../core/nearest_name.js';
import type { Problem } from '../../core/source_text.js';
import { type DocumentNode, kindName, type ObjectNode, type StringNode } from './tree.js';

export type Report = (span: Span, problem: Problem) => void;

/** What a value must be, for keys whose value is only carried or has no effect here. */
export type ValueKind = 'string' | 'strings' | 'number' | 'boolean' | 'any';

/**
 * Reads the keys of one table of a rule file. Each wrong type, value outside the allowed ones, missing key and, at
 * {@link finish}, key that nobody asked for becomes a problem at its place. JSON's null is a key left out.
 */
export class ObjectReader {
  readonly node: ObjectNode;
  private readonly name: string;
  private readonly report: Report;
  private readonly known = new Set<string>();
  /** Where a problem of the table as a whole is shown. */
  private readonly place: Span;

  constructor(node: ObjectNode, name: string, report: Report, place: Span = node.span) {
    this.node = node;
    this.name = name;
    this.report = report;
    this.place = { start: place.start, end: Math.min(place.end, place.start + 1) };
  }

  /** The value of a key, or undefined when it is absent. The key counts as known from here on. */
  get(key: string): DocumentNode | undefined {
    this.known.add(key);
    const node = this.node.entries.get(key)?.node;
    return node?.kind === 'null' ? undefined : node;
  }

  /** Whether the key is there; it stays unknown. */
  has(key: string): boolean {
    const node = this.node.entries.get(key)?.node;
    return node !== undefined && node.kind !== 'null';
  }

  /** The place of a key's value, else of the table. */
  span(key: string): Span {
    return this.node.entries.get(key)?.node.span ?? this.place;
  }

  keySpan(key: string): Span {
    return this.node.entries.get(key)?.keySpan ?? this.place;
  }

  stringNode(key: string): StringNode | undefined {
    const node = this.get(key);
    if (node === undefined || node.kind === 'string') return node;
    return this.mismatch(key, node, 'a string');
  }

  string(key: string): string | undefined {
    return this.stringNode(key)?.value;
  }

  requiredString(key: string): string | undefined {
    const value = this.string(key);
    if (value === undefined && !this.has(key)) this.missing(key, 'a string');
    return value;
  }

  /** A number within closed bounds. */
  number(key: string, min: number, max: number): number | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    if (node.kind !== 'number') return this.mismatch(key, node, 'a number');
    const value = node.value as number;
    if (value >= min && value <= max) return value;
    this.report(node.span, {
      code: 'RULE_VALUE',
      message: `"${key}" of ${this.name} is ${value}`,
      expected: [`a number from ${min} to ${max}`],
      remedy: `Write a number from ${min} to ${max}.`,
    });
    return undefined;
  }

  boolean(key: string): boolean | undefined {
    const node = this.get(key);
    if (node === undefined || node.kind === 'boolean') return node?.value as boolean | undefined;
    return this.mismatch(key, node, 'true or false');
  }

  /** A list of strings; a lone string counts as a list of one where `orOne`. */
  strings(key: string, orOne = false): string[] | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    if (orOne && node.kind === 'string') return [node.value];
    if (node.kind !== 'array') return this.mismatch(key, node, 'a list of strings');
    return node.items.flatMap((item) => {
      if (item.kind === 'string') return [item.value];
      this.mismatch(key, item, 'a list of strings');
      return [];
    });
  }

  /** One of a set of words. */
  oneOf<Word extends string>(key: string, words: readonly Word[]): Word | undefined {
    const node = this.stringNode(key);
    if (node === undefined || words.includes(node.value as Word)) return node?.value as Word | undefined;
    const nearest = nearestName(node.value, words);
    this.report(node.span, {
      code: 'RULE_VALUE',
      message: `"${key}" of ${this.name} is "${node.value}"`,
      expected: words,
      remedy: nearest === undefined ? `Write one of: ${words.join(', ')}.` : `Did you mean "${nearest}"?`,
    });
    return undefined;
  }

  /** A table. */
  object(key: string): ObjectReader | undefined {
    const node = this.get(key);
    if (node === undefined) return undefined;
    if (node.kind !== 'object') return this.mismatch(key, node, 'a table');
    return new ObjectReader(node, `"${key}"`, this.report, this.keySpan(key));
  }

  /** A list of tables. */
  objects(key: string): ObjectReader[] {
    const node = this.get(key);
    if (node === undefined) return [];
    if (node.kind !== 'array') {
      this.mismatch(key, node, 'a list of tables');
      return [];
    }
    return node.items.flatMap((item) => {
      if (item.kind === 'object') return [new ObjectReader(item, `"${key}"`, this.report)];
      this.mismatch(key, item, 'a list of tables');
      return [];
    });
  }

  /** Accepts a key whose value has no effect here, checking only its type. */
  accept(key: string, kind: ValueKind): void {
    switch (kind) {
      case 'string':
        this.string(key);
        break;
      case 'strings':
        this.strings(key, true);
        break;
      case 'number':
        this.number(key, -Infinity, Infinity);
        break;
      case 'boolean':
        this.boolean(key);
        break;
      case 'any':
        this.get(key);
        break;
    }
  }

  acceptAll(keys: Readonly<Record<string, ValueKind>>): void {
    for (const [key, kind] of Object.entries(keys)) this.accept(key, kind);
  }

  missing(key: string, kind: string): void {
    this.report(this.place, {
      code: 'RULE_KEY_MISSING',
      message: `${this.name} has no "${key}"`,
      expected: [kind],
      remedy: `Add "${key}".`,
    });
  }

  /** Reports every key that was never asked for, with the nearest known one. A warning where the table decides nothing. */
  finish(severity: DiagnosticSeverity = 'error'): void {
    for (const [key, entry] of this.node.entries) {
      if (this.known.has(key)) continue;
      const nearest = nearestName(key, this.known);
      this.report(entry.keySpan, {
        code: 'RULE_KEY_UNKNOWN',
        severity,
        message: `${this.name} has no key "${key}"`,
        remedy: nearest === undefined ? 'Remove the key.' : `Did you mean "${nearest}"?`,
      });
    }
  }

  private mismatch(key: string, node: DocumentNode, expected: string): undefined {
    const isScalar = node.kind !== 'object' && node.kind !== 'array';
    const shown = isScalar ? String(JSON.stringify(node.value)) : '';
    const value = shown === '' || shown.length > 40 ? '' : `: ${shown}`;
    this.report(node.span, {
      code: 'RULE_TYPE',
      message: `"${key}" of ${this.name} is ${kindName(node)}${value}`,
      expected: [expected],
      remedy: `Write ${expected}.`,
    });
    return undefined;
  }
}
