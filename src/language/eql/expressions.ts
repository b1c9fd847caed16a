import type { CompareOperator, EventFilter, Node, PathPart, PatternOperator, Relation } from './ast.js';
import { Recovery } from './problems.js';
import { spanOf, TokenStream } from './token_stream.js';
import type { Token } from './tokens.js';

const compareOperators: readonly string[] = ['==', '!=', '<', '<=', '>', '>='];
const relations: readonly string[] = ['descendant', 'child', 'event'];
const constantWords: readonly string[] = ['true', 'false', 'null'];
const sumOperators: readonly string[] = ['+', '-'];
const productOperators: readonly string[] = ['*', '/', '%'];
const itemEnds: readonly string[] = [',', ')'];
const operandNames = ['a field', 'a value', 'a function', '('];

/**
 * Parses expressions by recursive descent. From weak to strong: `or`, `and`, `not`, comparison and pattern operators
 * (which do not chain), `+ -`, `* / %`, sign. A faulty operand becomes a `fault` node and parsing goes on behind it.
 */
export abstract class ExpressionParser extends TokenStream {
  protected abstract eventFilter(stops: readonly string[]): EventFilter;

  /** A whole condition up to one of `stops`; text that does not fit is told and skipped. */
  protected condition(stops: readonly string[]): Node {
    const first = this.disjunction(stops);
    if (this.atSymbol(...stops) || this.atEnd()) return first;
    const parts = [first];
    while (!this.atSymbol(...stops) && !this.atEnd()) {
      this.unexpected(['and', 'or', ...stops]);
      this.skipStray(stops);
      if (!this.atWord('and', 'or')) break;
      this.advance();
      parts.push(this.disjunction(stops));
    }
    return { kind: 'fault', parts, span: { start: first.span.start, end: this.lastEnd } };
  }

  /** Skips to the next operand or stop, over closing brackets that close nothing here. */
  private skipStray(stops: readonly string[]): void {
    this.skip(stops);
    while (this.atSymbol(')', ']', '|') && !this.atSymbol(...stops)) {
      this.advance();
      this.skip(stops);
    }
  }

  /** An expression with nothing told about what follows it. */
  protected expression(stops: readonly string[]): Node {
    return this.disjunction(stops);
  }

  private disjunction(stops: readonly string[]): Node {
    const first = this.conjunction(stops);
    if (!this.atWord('or')) return first;
    const operands = [first];
    while (this.takeWord('or')) operands.push(this.conjunction(stops));
    return { kind: 'or', operands, span: { start: first.span.start, end: this.lastEnd } };
  }

  private conjunction(stops: readonly string[]): Node {
    const first = this.operand(stops);
    if (!this.atWord('and')) return first;
    const operands = [first];
    while (this.takeWord('and')) operands.push(this.operand(stops));
    return { kind: 'and', operands, span: { start: first.span.start, end: this.lastEnd } };
  }

  private operand(stops: readonly string[]): Node {
    const start = this.peek().start;
    try {
      return this.negation(stops);
    } catch (error) {
      if (!(error instanceof Recovery)) throw error;
      this.skip(stops);
      return { kind: 'fault', span: { start, end: Math.max(start, this.lastEnd) } };
    }
  }

  private negation(stops: readonly string[]): Node {
    const token = this.peek();
    if (!this.takeWord('not')) return this.comparison();
    const operand = this.nested(() => this.negation(stops));
    return { kind: 'not', operand, span: { start: token.start, end: this.lastEnd } };
  }

  private comparison(): Node {
    const left = this.predicate();
    const token = this.peek();
    const op = this.compareOperator(token);
    if (op === undefined) return left;
    this.advance();
    const right = this.predicate();
    return { kind: 'compare', op, left, right, span: { start: left.span.start, end: this.lastEnd } };
  }

  private compareOperator(token: Token): CompareOperator | undefined {
    if (token.kind !== 'symbol') return undefined;
    if (compareOperators.includes(token.text)) return token.text as CompareOperator;
    if (token.text !== '=') return undefined;
    if (!this.traits.legacySyntax) {
      this.problems.add(spanOf(token), {
        code: 'EQL_OPERATOR',
        message: `the ${this.traits.name} dialect has no operator "="`,
        expected: ['==', ':'],
        remedy: 'Did you mean "=="? Use ":" to ignore case and to match wildcards.',
      });
    }
    return '==';
  }

  /** An operand with its pattern operator or `in` list. */
  private predicate(): Node {
    const value = this.sum();
    const token = this.peek();
    const start = value.span.start;
    const pattern = this.patternOperator(token);
    if (pattern !== undefined) {
      this.advance();
      const patterns = this.atSymbol('(') ? this.parenthesized() : [this.constant(`"${pattern}"`)];
      return { kind: 'pattern', op: pattern, value, patterns, span: { start, end: this.lastEnd } };
    }
    const negated = this.atWord('not');
    const word = this.peek(negated ? 1 : 0);
    if ((word.kind !== 'word' && word.kind !== 'folded') || word.text !== 'in') {
      if (negated) this.misplacedNot(word);
      return value;
    }
    if (negated) this.advance();
    this.advance();
    const items = this.parenthesized();
    return { kind: 'in', fold: word.kind === 'folded', negated, value, items, span: { start, end: this.lastEnd } };
  }

  private misplacedNot(next: Token): never {
    const isPattern = this.patternOperator(next) !== undefined;
    if (isPattern) return this.fail(['in', 'and', 'or'], `Write "not" before the field: not field ${next.text} ….`);
    return this.fail(['and', 'or'], 'Write "and not" or "or not".');
  }

  private patternOperator(token: Token): PatternOperator | undefined {
    if (token.kind === 'symbol' && token.text === ':')
      return this.traits.modernOperators ? ':' : this.missingOperator(token);
    if (token.kind !== 'word' && token.kind !== 'folded') return undefined;
    if (token.text !== 'like' && token.text !== 'regex') return undefined;
    if (!this.traits.modernOperators) return this.missingOperator(token);
    return token.kind === 'folded' ? `${token.text}~` : token.text;
  }

  private missingOperator(token: Token): never {
    this.problems.add(spanOf(token), {
      code: 'EQL_DIALECT',
      message: `the ${this.traits.name} dialect has no operator "${token.text}"`,
      remedy: 'Write == with "*" in the text, wildcard() or match(); or choose the elasticsearch dialect.',
    });
    throw new Recovery();
  }

  private constant(after: string): Node {
    const token = this.peek();
    const node = token.kind === 'word' && !constantWords.includes(token.text) ? undefined : this.literal();
    if (node !== undefined) return node;
    return this.fail(['a string', '('], `Write a string, or a list of strings in parentheses, after ${after}.`);
  }

  /** `( a, b, … )`, at least one. */
  private parenthesized(): readonly Node[] {
    const remedy = 'Write the values in parentheses: ("a", "b").';
    if (this.peek().kind === 'string' || this.peek().kind === 'number') return this.bareList(remedy);
    const open = this.expectSymbol('(', remedy);
    return this.nested(() => this.items(operandNames, open));
  }

  /** Values that lack their parentheses: told once, read as the list they were meant to be. */
  private bareList(remedy: string): readonly Node[] {
    this.unexpected(['('], remedy);
    const start = this.peek().start;
    do this.literal();
    while (['string', 'number'].includes(this.peek(1).kind) && this.takeSymbol(','));
    this.takeSymbol(')');
    return [{ kind: 'fault', span: { start, end: this.lastEnd } }];
  }

  /** Expressions up to `)`, which is read. A comma before the `)` is allowed in the legacy syntax. */
  private items(expected: readonly string[], open: Token): readonly Node[] {
    const items: Node[] = [];
    if (this.atSymbol(')')) this.unexpected(expected);
    while (!this.atSymbol(')') && !this.atEnd()) {
      items.push(this.loneLiteral() ?? this.condition(itemEnds));
      if (!this.takeSymbol(',')) break;
      if (this.atSymbol(')') && !this.traits.legacySyntax) this.unexpected(['a value'], 'Leave out the last comma.');
    }
    this.expectClosing(open);
    return items;
  }

  /** A literal that is an item by itself: most lists are long, and hold nothing else. */
  private loneLiteral(): Node | undefined {
    const next = this.peek(1);
    return next.kind === 'symbol' && itemEnds.includes(next.text) ? this.literal() : undefined;
  }

  private sum(): Node {
    return this.binary(sumOperators, this.product);
  }

  private readonly product = (): Node => this.binary(productOperators, this.factor);
  private readonly factor = (): Node => this.signed();

  private binary(operators: readonly string[], operand: () => Node): Node {
    let left = operand();
    while (this.peek().kind === 'symbol' && operators.includes(this.peek().text)) {
      const op = this.advance().text as '+' | '-' | '*' | '/' | '%';
      const right = operand();
      left = { kind: 'arithmetic', op, left, right, span: { start: left.span.start, end: this.lastEnd } };
    }
    return left;
  }

  private signed(): Node {
    if (!this.atSymbol('-', '+')) return this.postfix();
    const token = this.advance();
    if (this.traits.legacySyntax && this.atSymbol('-', '+')) this.fail(operandNames, 'Write one sign only.');
    const operand = this.nested(() => this.signed());
    return { kind: 'sign', op: token.text as '-' | '+', operand, span: { start: token.start, end: this.lastEnd } };
  }

  /** An operand, and the legacy syntax's method calls on it: `name:length()` is `length(name)`. */
  private postfix(): Node {
    let node = this.primary();
    while (this.traits.legacySyntax && this.atSymbol(':') && this.isMethod()) {
      this.advance();
      const name = this.advance();
      const args = this.arguments();
      const span = { start: node.span.start, end: this.lastEnd };
      node = { kind: 'call', name: name.text, nameSpan: spanOf(name), fold: false, args: [node, ...args], span };
    }
    return node;
  }

  private isMethod(): boolean {
    const [name, open] = [this.peek(1), this.peek(2)];
    return name.kind === 'word' && !name.spaced && open.kind === 'symbol' && open.text === '(' && !open.spaced;
  }

  private primary(): Node {
    const token = this.peek();
    if (token.kind === 'symbol' && token.text === '(') return this.group();
    const literal = this.literal();
    if (literal !== undefined) return literal;
    const next = this.peek(1);
    const opens = next.kind === 'symbol' && next.text === '(';
    if (token.kind === 'folded' && !['in', 'like', 'regex'].includes(token.text)) {
      if (opens) return this.call(token);
      this.advance();
      return this.fail(['('], `"~" stands only behind a function name, "in", "like" and "regex".`);
    }
    if (token.kind === 'word' && !this.isReserved(token)) {
      if (opens) return this.call(token);
      if (next.kind === 'word' && next.text === 'of') return this.relation(token);
    }
    if (token.kind === 'bad') {
      this.advance();
      throw new Recovery();
    }
    return this.field();
  }

  private group(): Node {
    const open = this.advance();
    return this.nested(() => {
      if (this.atSymbol(')')) this.fail(operandNames);
      const node = this.condition([')']);
      this.expectClosing(open);
      return node;
    });
  }

  private literal(): Node | undefined {
    const token = this.peek();
    const span = { start: token.start, end: token.end };
    if (token.faulty === true) {
      this.advance();
      return { kind: 'fault', span };
    }
    if (token.kind === 'string') {
      this.advance();
      return { kind: 'literal', value: token.value as string, span };
    }
    if (token.kind === 'number') {
      this.advance();
      const value = token.value as number;
      return token.float === true ? { kind: 'literal', value, float: true, span } : { kind: 'literal', value, span };
    }
    if (token.kind !== 'word' || !constantWords.includes(token.text)) return undefined;
    this.advance();
    return { kind: 'literal', value: token.text === 'null' ? null : token.text === 'true', span };
  }

  private call(name: Token): Node {
    this.advance();
    const args = this.arguments();
    const span = { start: name.start, end: this.lastEnd };
    return { kind: 'call', name: name.text, nameSpan: spanOf(name), fold: name.kind === 'folded', args, span };
  }

  private arguments(): readonly Node[] {
    const open = this.advance();
    return this.takeSymbol(')') ? [] : this.nested(() => this.items(['an argument'], open));
  }

  private relation(token: Token): Node {
    if (!this.traits.lineage) {
      this.problems.add(spanOf(token), {
        code: 'EQL_DIALECT',
        message: `"${token.text} of" is not part of the ${this.traits.name} dialect`,
        remedy: 'Choose the endpoint dialect: dialect = "endpoint" in [metadata.vedette].',
      });
    } else if (!relations.includes(token.text)) {
      this.fail(['descendant', 'child', 'event']);
    }
    this.advance();
    this.advance();
    this.expectSymbol('[');
    const filter = this.nested(() => this.eventFilter([']']));
    this.expectSymbol(']');
    return {
      kind: 'relation',
      relation: token.text as Relation,
      filter,
      span: { start: token.start, end: this.lastEnd },
    };
  }

  private field(): Node {
    const first = this.peek();
    const optional = this.atSymbol('?');
    if (optional) {
      this.advance();
      if (!this.traits.modernOperators) {
        this.problems.add(spanOf(first), {
          code: 'EQL_DIALECT',
          message: `the ${this.traits.name} dialect has no optional fields`,
          remedy: 'Leave out the "?"; a missing field is null.',
        });
      }
    }
    const variable = this.peek().kind === 'variable';
    const path: PathPart[] = [{ name: this.fieldName(optional ? ['a field'] : operandNames) }];
    for (;;) {
      if (this.atSymbol('.')) {
        this.advance();
        path.push({ name: this.fieldName(['a field name']) });
      } else if (this.isIndex()) path.push({ index: this.index() });
      else break;
    }
    return { kind: 'field', path, optional, variable, span: { start: first.start, end: this.lastEnd } };
  }

  private fieldName(expected: readonly string[]): string {
    const token = this.peek();
    if (this.isReserved(token)) {
      const isOperator = ['and', 'or', 'in', 'like', 'regex', 'where', 'by', 'with'].includes(token.text);
      const remedy =
        isOperator && expected === operandNames
          ? `Something is missing before "${token.text}".`
          : `"${token.text}" is a keyword; write \`${token.text}\` in backticks to name a field.`;
      return this.fail(expected, remedy);
    }
    if (token.kind !== 'word' && token.kind !== 'quoted' && token.kind !== 'variable') return this.fail(expected);
    return this.advance().text;
  }

  /** An index follows its name without a blank, which tells it from the next `[ … ]` of a sequence. */
  private isIndex(): boolean {
    const [open, number, close] = [this.peek(), this.peek(1), this.peek(2)];
    const isOpen = open.kind === 'symbol' && open.text === '[' && !open.spaced;
    return isOpen && number.kind === 'number' && number.float !== true && close.kind === 'symbol' && close.text === ']';
  }

  private index(): number {
    const open = this.advance();
    const number = this.advance();
    this.advance();
    if (!this.traits.arrayIndex) {
      this.problems.add(
        { start: open.start, end: this.lastEnd },
        {
          code: 'EQL_DIALECT',
          message: `array positions are not part of the ${this.traits.name} dialect`,
          remedy: 'Compare the field itself: a condition holds when any of its values satisfies it.',
        },
      );
    }
    return number.value as number;
  }
}
