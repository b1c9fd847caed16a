import type { Diagnostic, Span } from '../../core/diagnostic.js';
import { expressionDepthMax } from '../../core/limits.js';
import { diagnosticAt, type Problem, type SourceLocator } from '../../core/source_text.js';
import type { KueryLiteral, KueryNode, RangeOperator } from './ast.js';
import { KueryScanner, type ScanFault } from './scanner.js';

/** A value list before its field is known. */
type Values = (field: KueryLiteral | null) => KueryNode;

const remedies: Readonly<Record<ScanFault['code'], Problem>> = {
  KQL_UNTERMINATED: {
    code: 'KQL_UNTERMINATED',
    message: 'this quoted value has no closing quote',
    expected: ['"'],
    remedy: 'Close the quote, or write \\" for a quote inside the value.',
  },
  KQL_ESCAPE: {
    code: 'KQL_ESCAPE',
    message: 'a backslash in an unquoted value must escape a special character or a keyword',
    expected: ['\\\\ \\( \\) \\: \\< \\> \\" \\* \\{ \\}', '\\t \\r \\n', '\\uXXXX', '\\and \\or \\not'],
    remedy: 'Write \\\\ for a backslash, or quote the value.',
  },
};

/** Thrown and caught inside the parser: the operand at hand cannot be read, its problem is recorded. */
class Unreadable extends Error {}

/**
 * Reads a KQL text by Kibana's grammar. Every operand that cannot be read is a problem at its place, and reading goes on
 * after it; the node is undefined when there was any problem. Precedence: `not`, `and`, `or`.
 */
export class KueryParser {
  readonly problems: Diagnostic[] = [];
  private readonly scanner: KueryScanner;
  private readonly source: SourceLocator;
  private readonly told = new Set<number>();
  private depth = 0;

  constructor(text: string, source: SourceLocator) {
    this.scanner = new KueryScanner(text);
    this.source = source;
  }

  /** The query; null for a text without one, which matches everything. */
  parse(): KueryNode | null | undefined {
    const { scanner } = this;
    scanner.skipSpaces();
    if (scanner.isAtEnd) return null;
    let node: KueryNode | undefined;
    try {
      node = this.or(() => this.subquery());
      for (scanner.skipSpaces(); !scanner.isAtEnd; scanner.skipSpaces()) {
        this.report(this.here(), { code: 'KQL_SYNTAX', ...this.unexpected(['and', 'or', 'the end of the query']) });
        scanner.at++;
        this.skipOperand();
        if (scanner.takeConjunction('or') || scanner.takeConjunction('and')) this.or(() => this.subquery());
      }
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
    return this.problems.length > 0 ? undefined : node;
  }

  private or<T extends KueryNode | Values>(operand: () => T): T {
    return this.chain('or', () => this.chain('and', () => this.negation(operand)));
  }

  private chain<T extends KueryNode | Values>(kind: 'and' | 'or', operand: () => T): T {
    const first = this.recovering(operand);
    const operands = [first];
    while (this.scanner.takeConjunction(kind)) operands.push(this.recovering(operand));
    const read = operands.filter((item) => item !== undefined);
    if (read.length === 0) throw new Unreadable();
    return read.length === 1 ? (read[0] as T) : combine(kind, read);
  }

  /** The operand, or undefined after an unreadable one, with the scanner before what may follow it. */
  private recovering<T>(operand: () => T): T | undefined {
    const { depth } = this;
    try {
      return operand();
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.depth = depth;
      this.skipOperand();
      return undefined;
    }
  }

  private negation<T extends KueryNode | Values>(operand: () => T): T {
    const start = this.scanner.at;
    if (!this.scanner.takeNot()) return operand();
    return this.nested(() => negate(this.negation(operand), start));
  }

  private subquery(): KueryNode {
    const { scanner } = this;
    const start = scanner.at;
    if (scanner.take('(')) return this.enclosed(')', start, () => this.or(() => this.subquery()));
    const conjunction = scanner.leadingConjunction();
    if (conjunction !== undefined) {
      this.fail(this.here(conjunction.length), {
        code: 'KQL_SYNTAX',
        message: `"${conjunction}" has nothing before it to join`,
        expected: ['a field', 'a value', '(', 'not'],
        remedy: `Remove the "${conjunction}", or quote it if it is a value.`,
      });
    }
    const literal = this.literal(['a field', 'a value', '(', 'not']);
    const end = scanner.at;
    scanner.skipSpaces();
    if (scanner.take(':')) return this.afterColon(literal, start);
    const op = this.rangeOperator();
    if (op !== undefined) {
      scanner.skipSpaces();
      const value = this.literal(['a value']);
      return { kind: 'range', field: literal, op, value, span: { start, end: value.span.end } };
    }
    scanner.at = end;
    return { kind: 'is', field: null, value: literal, span: literal.span };
  }

  private afterColon(field: KueryLiteral, start: number): KueryNode {
    const { scanner } = this;
    scanner.skipSpaces();
    if (scanner.take('{')) {
      const operand = this.enclosed('}', start, () => this.or(() => this.subquery()));
      return { kind: 'nested', path: field, operand, span: { start, end: scanner.at } };
    }
    const place = this.here();
    const op = this.rangeOperator();
    if (op !== undefined) {
      this.fail(place, {
        code: 'KQL_SYNTAX',
        message: `a range has no colon before "${op}"`,
        expected: ['a value', '(', '{'],
        remedy: `Write the field, then "${op}", then the bound, without the colon.`,
      });
    }
    return this.values()(field);
  }

  private values(): Values {
    const { scanner } = this;
    const start = scanner.at;
    if (scanner.take('(')) return this.enclosed(')', start, () => this.or(() => this.values()));
    const value = this.literal(['a value', '(', '{']);
    return (field) => ({
      kind: 'is',
      field,
      value,
      span: { start: field?.span.start ?? value.span.start, end: value.span.end },
    });
  }

  private enclosed<T>(close: ')' | '}', start: number, content: () => T): T {
    const { scanner } = this;
    scanner.skipSpaces();
    return this.nested(() => {
      const inside = content();
      scanner.skipSpaces();
      if (scanner.take(close)) return inside;
      if (scanner.isAtEnd) {
        this.fail(
          { start, end: start + 1 },
          {
            code: 'KQL_SYNTAX',
            message: `nothing closes this ${close === ')' ? 'parenthesis' : 'brace'}`,
            expected: [close],
            remedy: `Add "${close}".`,
          },
        );
      }
      return this.fail(this.here(), { code: 'KQL_SYNTAX', ...this.unexpected(['and', 'or', close]) });
    });
  }

  private nested<T>(content: () => T): T {
    if (++this.depth > expressionDepthMax) {
      this.scanner.at = this.scanner.text.length;
      this.fail(this.here(), {
        code: 'RULE_TOO_DEEP',
        message: `the query nests more than ${expressionDepthMax} levels`,
        remedy: 'Write values of one field as one list, or split the rule.',
      });
    }
    const result = content();
    this.depth--;
    return result;
  }

  private literal(expected: readonly string[]): KueryLiteral {
    const literal = this.scanner.literal();
    if (literal === undefined) return this.fail(this.here(), { code: 'KQL_SYNTAX', ...this.unexpected(expected) });
    if ('code' in literal) return this.fail(literal, remedies[literal.code]);
    return literal;
  }

  private rangeOperator(): RangeOperator | undefined {
    const { scanner } = this;
    for (const sign of ['<', '>'] as const) if (scanner.take(sign)) return scanner.take('=') ? `${sign}=` : sign;
    return undefined;
  }

  private unexpected(expected: readonly string[]): Pick<Problem, 'message' | 'expected' | 'remedy'> {
    const { scanner } = this;
    const character = scanner.text[scanner.at];
    if (character === undefined) return { message: 'the query ends too early', expected, remedy: 'Complete it.' };
    const isSpecial = '<>:{}()'.includes(character);
    return {
      message: `"${character}" cannot stand here`,
      expected,
      remedy: isSpecial
        ? `Write \\${character} or quote the value if the character belongs to it.`
        : 'Put "and" or "or", with blanks around it, between conditions; quote values that hold keywords.',
    };
  }

  private here(length = 1): Span {
    return { start: this.scanner.at, end: this.scanner.at + length };
  }

  /** One message for one place: what follows from a mistake already told is left out. */
  private report(span: Span, problem: Problem): void {
    if (this.told.has(span.start)) return;
    this.told.add(span.start);
    this.problems.push(diagnosticAt(this.source, span, problem));
  }

  private fail(span: Span, problem: Problem): never {
    this.report(span, problem);
    throw new Unreadable();
  }

  /** Moves to the next conjunction, closing bracket or the end, over whole brackets and quoted values. */
  private skipOperand(): void {
    const { scanner } = this;
    let open = 0;
    while (!scanner.isAtEnd) {
      const character = scanner.text[scanner.at] as string;
      if (character === '(' || character === '{') open++;
      else if (character === ')' || character === '}') {
        if (open === 0) return;
        open--;
      } else if (open === 0) {
        const { at } = scanner;
        const joins = scanner.takeConjunction('and') || scanner.takeConjunction('or');
        scanner.at = at;
        if (joins) return;
      }
      if (character === '"') {
        const close = /"(?:[^"\\]|\\[\s\S])*"/y;
        close.lastIndex = scanner.at;
        scanner.at = close.test(scanner.text) ? close.lastIndex : scanner.text.length;
      } else scanner.at += character === '\\' ? 2 : 1;
    }
  }
}

function combine<T extends KueryNode | Values>(kind: 'and' | 'or', operands: readonly T[]): T {
  const join = (nodes: readonly KueryNode[]): KueryNode => ({
    kind,
    operands: nodes,
    span: { start: (nodes[0] as KueryNode).span.start, end: (nodes.at(-1) as KueryNode).span.end },
  });
  if (typeof operands[0] === 'function') {
    const values = operands as readonly Values[];
    return ((field: KueryLiteral | null) => join(values.map((value) => value(field)))) as T;
  }
  return join(operands as readonly KueryNode[]) as T;
}

function negate<T extends KueryNode | Values>(operand: T, start: number): T {
  const wrap = (node: KueryNode): KueryNode => ({ kind: 'not', operand: node, span: { start, end: node.span.end } });
  if (typeof operand === 'function') return ((field: KueryLiteral | null) => wrap(operand(field))) as T;
  return wrap(operand) as T;
}
