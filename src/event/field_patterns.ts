/** Names of columns that stand for several fields: `*` is any run of characters of a dotted name. */

interface Pattern {
  readonly column: number;
  readonly matches: RegExp;
  /** The text before the first `*`. */
  readonly start: string;
}

const none: readonly number[] = [];
const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** The patterns among the names of columns. */
export class FieldPatterns {
  readonly #patterns: readonly Pattern[];

  /** `names` by column. */
  constructor(names: readonly string[]) {
    this.#patterns = names.flatMap((name, column): Pattern[] => {
      const parts = name.split('*');
      if (parts.length === 1) return [];
      return [{ column, matches: new RegExp(`^${parts.map(literal).join('.*')}$`, 's'), start: parts[0] as string }];
    });
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Whether the column's name is a pattern. */
  has(column: number): boolean {
    return this.#patterns.some((pattern) => pattern.column === column);
  }

  /** Columns whose patterns the name of a field satisfies. */
  matching(name: string): readonly number[] {
    const found = this.#patterns.filter(({ matches }) => matches.test(name));
    return found.length === 0 ? none : found.map(({ column }) => column);
  }

  /** Whether fields below this one may satisfy a pattern, as far as its text before the first `*` tells. */
  canLead(name: string): boolean {
    return this.#patterns.some(({ start }) => `${name}.`.startsWith(start) || start.startsWith(`${name}.`));
  }
}
