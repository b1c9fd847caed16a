import type { Span } from '../../core/diagnostic.js';
import { sampleStepsMax, sequenceStepsMax } from '../../core/limits.js';
import { nearestName } from '../../core/nearest_name.js';
import type { Expr, KeyExpr, Pipe, Step } from '../../rule/ir.js';
import type { MultiQuery, Node, PipeNode, Statement, Term } from './ast.js';
import { pipeNames } from './dialect.js';
import { Lowering } from './lower.js';
import { emptyScope, isLiteral, type LoweringContext, type Scope } from './lowering.js';
import type { EqlQuery } from './query.js';

/** What `head` and `tail` take in the legacy syntax when no number is given. */
const defaultCount = 50;

/** Lowers a whole statement and checks what holds between its parts. Use the result only when no error was told. */
export function lowerStatement(statement: Statement, context: LoweringContext): EqlQuery {
  return new QueryLowering(context).statement(statement);
}

class QueryLowering {
  private readonly context: LoweringContext;
  private readonly expressions: Lowering;
  /** Syntax errors may have hidden steps and keys: what holds between the parts is then not judged. */
  private readonly isWhole: boolean;

  constructor(context: LoweringContext) {
    this.context = context;
    this.expressions = new Lowering(context);
    this.isWhole = !context.problems.hasErrors;
  }

  statement({ query, pipes }: Statement): EqlQuery {
    if (query.kind === 'event') {
      const lowered = this.expressions.filter(query.filter);
      return { kind: 'event', query: lowered, pipes: this.pipes(pipes, { ...emptyScope, events: 1 }) };
    }
    return this.multi(query, pipes);
  }

  // ------------------------------------------------------------------------------------ multi-event queries

  private multi(query: MultiQuery, pipeNodes: readonly PipeNode[]): EqlQuery {
    const { kind } = query;
    const scopes = this.scopes(query);
    const steps = query.terms.map((term, i) => this.step(term, query, scopes[i] ?? emptyScope));
    const last = scopes.at(-1) ?? emptyScope;
    const until = query.until === undefined ? undefined : this.step(query.until, query, last);
    if (this.isWhole) this.checkWhole(query, pipeNodes);
    const pipes = this.pipes(pipeNodes, { ...last, events: query.terms.length });
    const ending = until === undefined ? {} : { until };
    if (kind === 'sample') return { kind, steps, pipes };
    if (kind === 'join') return { kind, steps, ...ending, pipes };
    const span = query.maxspanUs === undefined ? {} : { maxspanUs: query.maxspanUs };
    return { kind, steps, ...span, ...ending, pipes };
  }

  private checkWhole(query: MultiQuery, pipes: readonly PipeNode[]): void {
    this.checkCounts(query);
    this.checkKeys(query);
    this.checkForks(query);
    if (query.kind === 'sequence') this.checkMissing(query);
    if (query.kind === 'sample') this.checkSample(query, pipes);
  }

  /** For each step, and last for what follows all steps: the aliases of the steps before it. */
  private scopes(query: MultiQuery): Scope[] {
    const aliases = new Map<string, number>();
    const scopes: Scope[] = [emptyScope];
    query.terms.forEach((term, i) => {
      if (term.alias !== undefined) {
        if (aliases.has(term.alias)) {
          this.context.fault(
            term.span,
            'EQL_ALIAS',
            `two events are named ${term.alias}`,
            'Give each event its own name.',
          );
        }
        if (term.missing) {
          this.context.fault(term.span, 'EQL_ALIAS', 'a missing event has no fields to refer to', 'Leave "as" out.');
        }
        aliases.set(term.alias, i);
      }
      scopes.push({ ...emptyScope, aliases: new Map(aliases) });
    });
    return scopes;
  }

  private step(term: Term, query: MultiQuery, scope: Scope): Step {
    const by = [...query.by, ...term.by].map((key) => this.key(key));
    return {
      query: this.expressions.filter(term.filter, scope),
      by,
      missing: term.missing,
      runs: term.runs,
      ...(term.fork ? { fork: true } : {}),
      ...(term.alias === undefined ? {} : { alias: term.alias }),
    };
  }

  private key(node: Node): KeyExpr {
    const key = this.expressions.value(node, emptyScope);
    if (node.kind === 'fault') return key;
    if (isLiteral(key)) return this.context.fault(node.span, 'EQL_KEYS', 'a join key is a constant', 'Name a field.');
    if (key.kind !== 'field' && !this.context.traits.keyExpressions) {
      return this.context.fault(
        node.span,
        'EQL_KEYS',
        `a join key of the ${this.context.traits.name} dialect is a field`,
        'Name a field.',
      );
    }
    return key;
  }

  private checkCounts({ kind, terms, span }: MultiQuery): void {
    const counted = this.context.traits.legacySyntax ? terms.length : terms.reduce((sum, term) => sum + term.runs, 0);
    if (counted < 2) {
      const message = `a ${kind} needs at least two events, found ${counted}`;
      this.context.fault(
        { start: span.start, end: span.start + kind.length },
        'EQL_STEPS',
        message,
        'Add an event, or write a plain event query.',
      );
    }
    const limit = kind === 'sample' ? sampleStepsMax : sequenceStepsMax;
    if (counted > limit) {
      const message = `a ${kind} of ${counted} events is longer than the limit of ${limit}`;
      this.context.fault(
        { start: span.start, end: span.start + kind.length },
        'EQL_LIMIT_STEPS',
        message,
        'Use fewer events or runs.',
      );
    }
  }

  private checkKeys(query: MultiQuery): void {
    const terms = query.until === undefined ? query.terms : [...query.terms, query.until];
    const expected = terms[0]?.by.length ?? 0;
    for (const term of terms) {
      if (term.by.length === expected) continue;
      this.context.fault(
        term.by[0]?.span ?? term.span,
        'EQL_KEYS',
        `this event has ${term.by.length} join keys of its own, the first has ${expected}`,
        'Give every event, "until" too, the same number of keys in the same order.',
      );
    }
  }

  private checkForks({ kind, terms }: MultiQuery): void {
    terms.forEach((term, i) => {
      if (!term.fork || (kind === 'sequence' && i > 0)) return;
      const message = kind === 'sequence' ? 'the first event has nothing to fork from' : `a ${kind} cannot fork`;
      this.context.fault(term.span, 'EQL_FORK', message, 'Leave "fork" out here.');
    });
  }

  private checkMissing({ terms, maxspanUs }: MultiQuery): void {
    const missing = terms.find((term) => term.missing);
    if (missing === undefined) return;
    const at: Span = { start: missing.span.start, end: missing.span.start + 2 };
    if (maxspanUs === undefined) {
      this.context.fault(
        at,
        'EQL_MISSING_EVENTS',
        'a sequence with a missing event needs maxspan',
        'Write "with maxspan=5m" after the keys.',
      );
    }
    if (terms.every((term) => term.missing)) {
      this.context.fault(
        at,
        'EQL_MISSING_EVENTS',
        'a sequence needs at least one event that occurs',
        'Leave out one "!".',
      );
    }
  }

  private checkSample(query: MultiQuery, pipes: readonly PipeNode[]): void {
    const at: Span = { start: query.span.start, end: query.span.start + 'sample'.length };
    if (query.by.length + (query.terms[0]?.by.length ?? 0) === 0) {
      this.context.fault(at, 'EQL_SAMPLE', 'a sample needs a join key', 'Write "sample by field".');
    }
    const pipe = pipes[0];
    if (pipe !== undefined)
      this.context.fault(pipe.nameSpan, 'EQL_SAMPLE', 'a sample takes no pipes', 'Leave the pipe out.');
  }

  // ------------------------------------------------------------------------------------------------- pipes

  private pipes(nodes: readonly PipeNode[], scope: Scope): Pipe[] {
    return nodes.flatMap((node) => this.pipe(node, scope) ?? []);
  }

  private pipe(node: PipeNode, scope: Scope): Pipe | undefined {
    const { traits } = this.context;
    if (!traits.pipes.includes(node.name)) {
      this.unknownPipe(node);
      return undefined;
    }
    switch (node.name) {
      case 'head':
      case 'tail':
        return this.limit(node, node.name);
      case 'filter':
        return this.filterPipe(node, scope);
      case 'count':
        return { kind: 'count', by: this.pipeValues(node, scope, 0) };
      case 'sort':
        return { kind: 'sort', by: this.pipeValues(node, scope, 1) };
      case 'unique':
        return { kind: 'unique', by: this.pipeValues(node, scope, 1) };
      default:
        return { kind: 'uniqueCount', by: this.pipeValues(node, scope, 1) };
    }
  }

  private unknownPipe(node: PipeNode): void {
    const { traits } = this.context;
    const isKnown = pipeNames.includes(node.name);
    const near = nearestName(node.name, traits.pipes);
    const message = isKnown ? `the ${traits.name} dialect has no pipe ${node.name}` : `there is no pipe ${node.name}`;
    const remedy =
      near !== undefined && !isKnown ? `Did you mean ${near}?` : `The pipes are ${traits.pipes.join(', ')}.`;
    this.context.fault(node.nameSpan, 'EQL_PIPE', message, remedy, traits.pipes);
  }

  private limit(node: PipeNode, kind: 'head' | 'tail'): Pipe {
    if (node.args.length === 0 && this.context.traits.legacySyntax) return { kind, count: defaultCount };
    const arg = node.args[0];
    const value = arg === undefined ? undefined : this.expressions.value(arg, emptyScope);
    const count = value !== undefined && isLiteral(value) && value.float !== true ? value.value : undefined;
    const isGood = typeof count === 'number' && Number.isInteger(count) && count >= 0 && node.args.length === 1;
    if (!isGood && arg?.kind !== 'fault') {
      const span = node.args.length > 1 ? (node.args[1] as Node).span : (arg?.span ?? node.nameSpan);
      this.context.fault(span, 'EQL_PIPE', `${kind} takes one whole number from 0`, `Write | ${kind} 10.`);
    }
    return { kind, count: typeof count === 'number' ? count : 0 };
  }

  private filterPipe(node: PipeNode, scope: Scope): Pipe {
    const arg = node.args[0];
    if (arg === undefined || node.args.length > 1) {
      this.context.fault(node.nameSpan, 'EQL_PIPE', 'filter takes one condition', 'Write | filter field == "value".');
    }
    const condition: Expr =
      arg === undefined ? { kind: 'literal', value: null } : this.expressions.condition(arg, scope);
    return { kind: 'filter', condition };
  }

  private pipeValues(node: PipeNode, scope: Scope, least: number): Expr[] {
    if (node.args.length < least) {
      this.context.fault(
        node.nameSpan,
        'EQL_PIPE',
        `${node.name} takes at least one field`,
        `Write | ${node.name} field.`,
      );
    }
    return node.args.map((arg) => {
      const value = this.expressions.value(arg, scope);
      const isConstant = isLiteral(value) && arg.kind !== 'fault';
      if (!isConstant) return value;
      return this.context.fault(arg.span, 'EQL_PIPE', `${node.name} takes fields, not constants`, 'Name a field.');
    });
  }
}
