/**
 * Prints a syntax tree as EQL text that parses back to the same tree. Brackets only where precedence asks for them.
 */
import type { EventFilter, Node, PathPart, Statement, Term } from './ast.js';
import { type DialectTraits, type EqlDialect, traitsOf } from './dialect.js';
import { reservedWords } from './tokens.js';

/** How tightly a node binds; an operand that binds less than its place asks for gets brackets. */
const strength = { or: 1, and: 2, not: 3, compare: 4, predicate: 5, sum: 6, product: 7, sign: 8, primary: 9 } as const;

const unitsUs = [
  ['d', 86_400_000_000],
  ['h', 3_600_000_000],
  ['m', 60_000_000],
  ['s', 1_000_000],
  ['ms', 1_000],
] as const;

/** The text of a query in the given dialect; the dialect must know what the query uses. */
export function printEql(statement: Statement, dialect: EqlDialect = 'elasticsearch'): string {
  return new Printer(traitsOf(dialect)).statement(statement);
}

class Printer {
  private readonly traits: DialectTraits;
  private readonly reserved: ReadonlySet<string>;

  constructor(traits: DialectTraits) {
    this.traits = traits;
    this.reserved = reservedWords(traits.legacySyntax);
  }

  statement({ query, pipes }: Statement): string {
    const parts = [query.kind === 'event' ? this.filter(query.filter) : this.multi(query)];
    for (const pipe of pipes) {
      const args = pipe.args.map((arg) => this.node(arg, strength.or)).join(', ');
      parts.push(`| ${pipe.name}${args === '' ? '' : ` ${args}`}`);
    }
    return parts.join('\n');
  }

  private multi(query: Exclude<Statement['query'], { kind: 'event' }>): string {
    const span = query.maxspanUs === undefined ? '' : ` with maxspan=${printSpan(query.maxspanUs)}`;
    const lines = [`${query.kind}${this.keys(query.by)}${span}`, ...query.terms.map((term) => `  ${this.term(term)}`)];
    if (query.until !== undefined) lines.push(`until ${this.term(query.until)}`);
    return lines.join('\n');
  }

  private term(term: Term): string {
    const fork = term.fork ? ' fork=true' : '';
    const runs = term.runs === 1 ? '' : ` with runs=${term.runs}`;
    const alias = term.alias === undefined ? '' : ` as ${term.alias}`;
    return `${term.missing ? '!' : ''}[${this.filter(term.filter)}]${fork}${this.keys(term.by)}${runs}${alias}`;
  }

  private keys(by: readonly Node[]): string {
    return by.length === 0 ? '' : ` by ${by.map((key) => this.node(key, strength.or)).join(', ')}`;
  }

  private filter({ category, condition }: EventFilter): string {
    return `${this.category(category)} where ${this.node(condition, strength.or)}`;
  }

  private category(category: string | null): string {
    if (category === null) return 'any';
    const isPlain = /^[A-Za-z_@][A-Za-z0-9_@]*$/.test(category) && !this.reserved.has(category) && category !== 'any';
    return isPlain ? category : printString(category);
  }

  /** The text of a node, in brackets when it binds less than `least`. */
  private node(node: Node, least: number): string {
    const text = this.bare(node);
    return strengthOf(node) < least ? `(${text})` : text;
  }

  private bare(node: Node): string {
    switch (node.kind) {
      case 'literal':
        return printLiteral(node.value, node.float === true);
      case 'field':
        return `${node.optional ? '?' : ''}${node.variable ? '$' : ''}${this.path(node.path, node.variable)}`;
      case 'sign':
        return `${node.op}${this.node(node.operand, this.traits.legacySyntax ? strength.primary : strength.sign)}`;
      case 'arithmetic': {
        const own = strengthOf(node);
        return `${this.node(node.left, own)} ${node.op} ${this.node(node.right, own + 1)}`;
      }
      case 'compare':
        return `${this.node(node.left, strength.predicate)} ${node.op} ${this.node(node.right, strength.predicate)}`;
      case 'pattern':
        return `${this.node(node.value, strength.sum)} ${node.op} ${this.patterns(node.patterns)}`;
      case 'in':
        return `${this.node(node.value, strength.sum)}${node.negated ? ' not' : ''} in${node.fold ? '~' : ''} ${this.list(node.items)}`;
      case 'not':
        return `not ${this.node(node.operand, strength.not)}`;
      case 'and':
      case 'or':
        return node.operands.map((operand) => this.node(operand, strength[node.kind] + 1)).join(` ${node.kind} `);
      case 'call':
        return `${node.name}${node.fold ? '~' : ''}${this.list(node.args)}`;
      case 'relation':
        return `${node.relation} of [${this.filter(node.filter)}]`;
      case 'fault':
        return 'null';
    }
  }

  private patterns(patterns: readonly Node[]): string {
    const [first] = patterns;
    return patterns.length === 1 && first !== undefined ? this.bare(first) : this.list(patterns);
  }

  private list(items: readonly Node[]): string {
    return `(${items.map((item) => this.node(item, strength.or)).join(', ')})`;
  }

  private path(path: readonly PathPart[], isVariable: boolean): string {
    let text = '';
    path.forEach((part, i) => {
      if ('index' in part) text += `[${part.index}]`;
      else text += `${i === 0 ? '' : '.'}${isVariable && i === 0 ? part.name : this.name(part.name)}`;
    });
    return text;
  }

  private name(name: string): string {
    const isPlain = /^[A-Za-z_@][A-Za-z0-9_@]*$/.test(name) && !this.reserved.has(name);
    return isPlain ? name : `\`${name.replaceAll('`', '``')}\``;
  }
}

function strengthOf(node: Node): number {
  switch (node.kind) {
    case 'or':
    case 'and':
    case 'not':
    case 'compare':
    case 'sign':
      return strength[node.kind];
    case 'pattern':
    case 'in':
      return strength.predicate;
    case 'arithmetic':
      return node.op === '+' || node.op === '-' ? strength.sum : strength.product;
    default:
      return strength.primary;
  }
}

function printLiteral(value: string | number | boolean | null, isFloat: boolean): string {
  if (typeof value === 'string') return printString(value);
  if (typeof value !== 'number') return String(value);
  if (!Number.isInteger(value)) return String(value);
  return isFloat ? `${value}${Math.abs(value) < 1e21 ? '.0' : ''}` : BigInt(value).toString();
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '"': '\\"',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

/** A string literal in double quotes. */
export function printString(text: string): string {
  return `"${text.replace(/[\\"\n\r\t\b\f]/g, (c) => escapes[c] as string)}"`;
}

function printSpan(us: number): string {
  const [unit, unitUs] = unitsUs.find(([, size]) => us % size === 0) ?? ['ms', 1_000];
  return `${us / unitUs}${unit}`;
}
