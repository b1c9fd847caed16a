import type { Span } from '../../core/diagnostic.js';
import { sequenceRunsMax } from '../../core/limits.js';
import type { EventFilter, MultiQuery, Node, Term } from './ast.js';
import { ExpressionParser } from './expressions.js';
import { Recovery } from './problems.js';
import { spanOf } from './token_stream.js';

const unitsUs: Readonly<Record<string, number>> = {
  ms: 1_000,
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};
const termStarts = ['[', '![', 'until', '|'];

/** Parses queries over several events: sequences, samples and joins, with what stands behind each `[ … ]`. */
export abstract class SequenceParser extends ExpressionParser {
  protected multi(kind: MultiQuery['kind']): MultiQuery {
    const token = this.advance();
    this.checkKind(kind, spanOf(token));
    const { by, maxspanUs } = this.header(kind);
    const terms: Term[] = [];
    let until: Term | undefined;
    while (!this.atEnd() && !this.atSymbol('|')) {
      if (this.atWord('until')) {
        const word = this.advance();
        const term = this.term(kind, spanOf(word));
        if (until !== undefined)
          this.problems.add(spanOf(word), { code: 'EQL_UNTIL', message: 'a second "until"', remedy: 'Keep one.' });
        if (kind === 'sample')
          this.problems.add(spanOf(word), {
            code: 'EQL_SAMPLE',
            message: 'a sample has no "until"',
            remedy: 'Leave "until" out, or write a sequence.',
          });
        until = term;
      } else if (this.atSymbol('[', '![')) {
        if (until !== undefined) this.unexpected(['|', 'the end of the query'], '"until" comes last.');
        const term = this.term(kind);
        if (term !== undefined) terms.push(term);
      } else {
        this.unexpected(until === undefined ? ['[', 'by', 'with', 'until', '|'] : ['by', '|', 'the end of the query']);
        this.advance();
        this.skipTo(termStarts);
      }
    }
    return { kind, by, maxspanUs, terms, until, span: { start: token.start, end: this.lastEnd } };
  }

  private checkKind(kind: MultiQuery['kind'], span: Span): void {
    const isKnown = kind === 'sequence' || (kind === 'join' ? this.traits.join : this.traits.modernSequences);
    if (isKnown) return;
    this.problems.add(span, {
      code: 'EQL_DIALECT',
      message: `"${kind}" is not part of the ${this.traits.name} dialect`,
      remedy:
        kind === 'join'
          ? 'Write a sequence, a sample, or choose the endpoint dialect.'
          : 'Choose the elasticsearch dialect.',
    });
  }

  private header(kind: MultiQuery['kind']): { by: readonly Node[]; maxspanUs: number | undefined } {
    let by: readonly Node[] = [];
    let maxspanUs: number | undefined;
    let sawWith = false;
    for (;;) {
      const token = this.peek();
      if (this.atWord('by') && by.length === 0) {
        if (sawWith && !this.traits.legacySyntax) {
          this.problems.add(spanOf(token), {
            code: 'EQL_KEYS',
            message: '"by" stands behind "with"',
            remedy: `Write "by" before "with": ${kind} by field with maxspan=1m.`,
          });
        }
        by = this.keys();
      } else if (this.atWord('with') && !sawWith) {
        sawWith = true;
        maxspanUs = this.maxspan(kind);
      } else return { by, maxspanUs };
    }
  }

  private keys(): readonly Node[] {
    this.advance();
    const keys: Node[] = [];
    try {
      do keys.push(this.expression([',', ...termStarts]));
      while (this.takeSymbol(','));
    } catch (error) {
      if (!(error instanceof Recovery)) throw error;
      this.skipTo(termStarts);
    }
    return keys;
  }

  private maxspan(kind: MultiQuery['kind']): number | undefined {
    const start = this.advance();
    try {
      if (!this.atWord('maxspan'))
        this.fail(
          ['maxspan'],
          this.atWord('runs') ? 'Write "with runs" behind the event: [ … ] with runs=3.' : undefined,
        );
      this.advance();
      if (!this.atSymbol('=', '==')) this.fail(['=']);
      this.advance();
      if (kind !== 'sequence') {
        this.problems.add(spanOf(start), {
          code: 'EQL_MAXSPAN',
          message: `a ${kind} has no maxspan`,
          remedy: 'Leave "with maxspan" out, or write a sequence.',
        });
      }
      return this.timeSpan();
    } catch (error) {
      if (!(error instanceof Recovery)) throw error;
      this.skipTo(['by', ...termStarts]);
      return undefined;
    }
  }

  private timeSpan(): number | undefined {
    const number = this.peek();
    if (number.kind !== 'number')
      this.fail(['a whole number and a unit'], 'Write a positive whole number and a unit: maxspan=5m.');
    this.advance();
    const unit = this.peek();
    const isUnit = unit.kind === 'word' && !this.isReserved(unit) && !(unit.spaced && this.peek(1).kind === 'word');
    if (isUnit) this.advance();
    const unitUs = isUnit ? unitsUs[unit.text] : undefined;
    const fault = (message: string, remedy: string, at = number): undefined => {
      this.problems.add(spanOf(at), { code: 'EQL_MAXSPAN', message, expected: Object.keys(unitsUs), remedy });
      return undefined;
    };
    if (number.float === true)
      return fault(`maxspan takes whole numbers, not ${number.text}`, 'Use a smaller unit: 1500ms for 1.5s.');
    if (!isUnit) return fault('maxspan has no unit', `Did you mean ${number.text}s? The units are ms, s, m, h and d.`);
    if (unitUs === undefined)
      return fault(`"${unit.text}" is no unit of time`, 'The units are ms, s, m, h and d.', unit);
    if ((number.value as number) <= 0) return fault('maxspan must be positive', 'Write at least 1ms.');
    return (number.value as number) * unitUs;
  }

  /** One `[ … ]` with what follows it. Undefined when there is none; the problem is told. */
  private term(kind: MultiQuery['kind'], until?: Span): Term | undefined {
    const open = this.peek();
    if (!this.atSymbol('[', '![')) {
      this.unexpected(['[']);
      this.skipTo(['|']);
      return undefined;
    }
    const missing = this.advance().text === '![';
    this.checkMissing(kind, missing, spanOf(open), until);
    const filter = this.bracketed();
    const modifiers = this.modifiers(kind, missing || until !== undefined);
    return { filter, missing, ...modifiers, span: { start: open.start, end: this.lastEnd } };
  }

  private checkMissing(kind: MultiQuery['kind'], missing: boolean, span: Span, until: Span | undefined): void {
    if (!missing) return;
    const fault = (message: string, remedy: string): void =>
      this.problems.add(span, { code: 'EQL_MISSING_EVENTS', message, remedy });
    if (!this.traits.modernSequences)
      fault(`missing events are not part of the ${this.traits.name} dialect`, 'Choose the elasticsearch dialect.');
    else if (kind !== 'sequence')
      fault(`a ${kind} cannot ask for missing events`, 'Write a sequence, or leave the "!" out.');
    else if (until !== undefined) fault('"until" cannot be a missing event', 'Leave the "!" out.');
  }

  private bracketed(): EventFilter {
    const start = this.peek().start;
    try {
      const filter = this.nested(() => this.eventFilter([']']));
      this.expectSymbol(']');
      return filter;
    } catch (error) {
      if (!(error instanceof Recovery)) throw error;
      this.skipTo([']', '|']);
      this.takeSymbol(']');
      const span = { start, end: this.lastEnd };
      return { category: null, condition: { kind: 'fault', span }, span };
    }
  }

  private modifiers(kind: MultiQuery['kind'], single: boolean): Pick<Term, 'by' | 'runs' | 'fork' | 'alias'> {
    let by: readonly Node[] = [];
    let runs: number | undefined;
    let fork: boolean | undefined;
    let alias: string | undefined;
    for (;;) {
      if (this.atWord('by') && by.length === 0) by = this.keys();
      else if (this.atWord('with') && runs === undefined) runs = this.runs(kind, single);
      else if (this.atWord('fork') && fork === undefined) fork = this.fork();
      else if (this.atWord('as') && alias === undefined) alias = this.alias();
      else return { by, runs: runs ?? 1, fork: fork ?? false, alias };
    }
  }

  private runs(kind: MultiQuery['kind'], single: boolean): number {
    const remedy = `Write a number from 1 to ${sequenceRunsMax}: with runs=3.`;
    const start = this.advance();
    const fault = (message: string, remedy: string, span: Span): number => {
      this.problems.add(span, { code: 'EQL_RUNS', message, expected: [`runs=1 to runs=${sequenceRunsMax}`], remedy });
      return 1;
    };
    try {
      if (!this.atWord('runs'))
        this.fail(['runs'], this.atWord('maxspan') ? 'Write "with maxspan" before the first event.' : undefined);
      this.advance();
      if (!this.atSymbol('=', '==')) this.fail(['=']);
      this.advance();
      const number = this.peek();
      if (number.kind !== 'number') this.fail(['a whole number'], remedy);
      this.advance();
      const value = number.value as number;
      const span = spanOf(number);
      if (!this.traits.modernSequences)
        return fault(`"with runs" is not part of the ${this.traits.name} dialect`, 'Repeat the event.', spanOf(start));
      if (kind !== 'sequence')
        return fault(`a ${kind} has no "with runs"`, 'Write a sequence, or leave "with runs" out.', spanOf(start));
      if (number.float === true) return fault('runs takes a whole number', remedy, span);
      if (value < 1 || value > sequenceRunsMax)
        return fault(`runs is not between 1 and ${sequenceRunsMax}`, remedy, span);
      if (single && value > 1)
        return fault('a missing event and "until" cannot be repeated', 'Leave "with runs" out.', spanOf(start));
      return value;
    } catch (error) {
      if (!(error instanceof Recovery)) throw error;
      this.skipTo(['by', ...termStarts]);
      return 1;
    }
  }

  private fork(): boolean {
    const word = this.advance();
    if (!this.traits.join) {
      this.problems.add(spanOf(word), {
        code: 'EQL_DIALECT',
        message: `"fork" is not part of the ${this.traits.name} dialect`,
        remedy: 'Choose the endpoint dialect.',
      });
    }
    if (!this.atSymbol('=', '==')) return true;
    this.advance();
    if (this.atWord('true', 'false')) return this.advance().text === 'true';
    this.unexpected(['true', 'false'], 'Write fork=true.');
    this.advance();
    return false;
  }

  private alias(): string | undefined {
    const word = this.advance();
    if (!this.traits.aliases) {
      this.problems.add(spanOf(word), {
        code: 'EQL_DIALECT',
        message: `"as" is not part of the ${this.traits.name} dialect`,
        remedy: 'Choose the endpoint dialect.',
      });
    }
    if (this.peek().kind === 'word' && !this.isReserved(this.peek())) return this.advance().text;
    this.unexpected(['a name'], 'Name the event: [ … ] as event0.');
    return undefined;
  }
}
