import { expressionDepthMax } from '../../core/limits.js';
import type { EventFilter, Node, PipeNode, Statement } from './ast.js';
import { isTooDeep } from './depth.js';
import type { DialectTraits } from './dialect.js';
import { tokenize } from './lexer.js';
import { type ProblemList, Recovery } from './problems.js';
import { SequenceParser } from './sequences.js';
import { spanOf } from './token_stream.js';

/** Parses a query. The tree may contain faults; use it only when `problems` has no errors. Undefined: nothing to go on with. */
export function parseStatement(text: string, traits: DialectTraits, problems: ProblemList): Statement | undefined {
  return parseTree(text, traits, problems, (parser) => parser.statement());
}

/** Parses a lone expression, as in `filter` and in tests of conditions. */
export function parseLoneExpression(text: string, traits: DialectTraits, problems: ProblemList): Node | undefined {
  return parseTree(text, traits, problems, (parser) => parser.loneExpression());
}

/** Levels of a tree that stand for no token of their own. */
const tokenlessLevels = 16;

/** Undefined too where the tree is too deep. No tree is deeper than its text has tokens, so short ones are not measured. */
function parseTree<T extends Statement | Node>(
  text: string,
  traits: DialectTraits,
  problems: ProblemList,
  parse: (parser: Parser) => T,
): T | undefined {
  const tokens = tokenize(text, traits, problems);
  const tree = guarded(() => parse(new Parser(tokens, traits, problems)));
  const mayBeDeep = tokens.length + tokenlessLevels > expressionDepthMax;
  return tree !== undefined && mayBeDeep && isTooDeep(tree, problems) ? undefined : tree;
}

function guarded<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof Recovery) return undefined;
    throw error;
  }
}

class Parser extends SequenceParser {
  loneExpression(): Node {
    const node = this.condition([]);
    if (!this.atEnd()) this.unexpected(['the end']);
    return node;
  }

  statement(): Statement {
    const query = this.query();
    const pipes: PipeNode[] = [];
    while (!this.atEnd()) {
      if (!this.takeSymbol('|')) {
        this.unexpected(['|', 'the end of the query']);
        this.skipTo(['|']);
        continue;
      }
      const pipe = this.pipe();
      if (pipe !== undefined) pipes.push(pipe);
    }
    return { query, pipes };
  }

  private query(): Statement['query'] {
    const start = this.peek().start;
    const second = this.peek(1);
    const opensTerms =
      (second.kind === 'symbol' && /^!?\[$/.test(second.text)) ||
      (second.kind === 'word' && /^(by|with)$/.test(second.text));
    if (this.atWord('sequence', 'join')) return this.multi(this.peek().text as 'sequence' | 'join');
    if (this.atWord('sample') && (this.traits.modernSequences || opensTerms)) return this.multi('sample');
    if (opensTerms) {
      this.unexpected(['sequence', 'sample', 'join']);
      this.skipTo(['|']);
      throw new Recovery();
    }
    const filter = this.eventFilter(['|']);
    return { kind: 'event', filter, span: { start, end: this.lastEnd } };
  }

  protected eventFilter(stops: readonly string[]): EventFilter {
    const start = this.peek().start;
    const category = this.category();
    if (!this.takeWord('where')) {
      this.unexpected(['where'], this.whereHint());
      const skipsWord =
        this.peek().kind === 'word' && ['word', 'quoted', 'string', 'number'].includes(this.peek(1).kind);
      if (!skipsWord) {
        this.skip(stops);
        while (this.atWord('and', 'or') || (this.atSymbol(')') && !stops.includes(')'))) {
          this.advance();
          this.skip(stops);
        }
        return {
          category,
          condition: { kind: 'fault', span: { start, end: this.lastEnd } },
          span: { start, end: this.lastEnd },
        };
      }
      this.advance();
    }
    const condition = this.condition(stops);
    return { category, condition, span: { start, end: this.lastEnd } };
  }

  private whereHint(): string | undefined {
    const token = this.peek();
    if (token.kind === 'word' && token.text !== 'where' && /^w/i.test(token.text)) return 'Did you mean "where"?';
    return 'A query is a category, "where" and a condition: process where process.name == "a". Use "any" for all events.';
  }

  private category(): string | null {
    const token = this.peek();
    const isModern = !this.traits.legacySyntax;
    if (token.kind === 'word' && token.text === 'any') {
      this.advance();
      return null;
    }
    if (token.kind === 'word' && !this.isReserved(token)) return this.advance().text;
    if (isModern && token.kind === 'string') return this.advance().value as string;
    if (isModern && token.kind === 'quoted') return this.advance().text;
    const remedy = this.isReserved(token)
      ? `"${token.text}" is a keyword; write the category in double quotes.`
      : undefined;
    return this.fail(['an event category', 'any', 'sequence', 'sample'], remedy);
  }

  // ------------------------------------------------------------------------------------------------ pipes

  private pipe(): PipeNode | undefined {
    const name = this.peek();
    if (name.kind !== 'word') {
      this.unexpected(this.traits.pipes);
      if (this.atSymbol('|')) this.advance();
      this.skipTo(['|']);
      return undefined;
    }
    this.advance();
    const args: Node[] = [];
    try {
      while (!this.atSymbol('|') && !this.atEnd()) {
        args.push(this.expression([',', '|']));
        if (this.takeSymbol(',')) {
          if (this.atSymbol('|') || this.atEnd()) this.fail(['a value'], 'Leave out the last comma.');
        } else if (!this.mayFollow()) this.fail([',', '|', 'the end of the query']);
      }
    } catch (error) {
      if (!(error instanceof Recovery)) throw error;
      this.skipTo(['|']);
    }
    return { name: name.text, args, nameSpan: spanOf(name), span: { start: name.start, end: this.lastEnd } };
  }

  /** The arguments of `unique`, `sort` and `count` may stand side by side without commas. */
  private mayFollow(): boolean {
    if (this.atSymbol('|') || this.atEnd()) return true;
    const token = this.peek();
    return (
      this.traits.pipes.length > 2 && (token.kind === 'word' || token.kind === 'quoted') && !this.isReserved(token)
    );
  }
}
