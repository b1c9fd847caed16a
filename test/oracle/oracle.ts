/**
 * The oracle: a slow and obvious evaluator of the IR, the judge of the kernel. It keeps everything, precomputes nothing
 * and shares only the value rules of `src/rule/semantics.ts` with what it judges.
 */
import { parseDurationUs } from '../../src/core/duration.js';
import type { EventQuery, Expr, LineageExpr, Rule } from '../../src/rule/ir.js';
import { AggregateJudge } from './aggregate.js';
import type { KeyValue } from './evaluate.js';
import { ecsFieldNames, type FieldNames, type OracleEvent, parseTimeUs, readEvent } from './event.js';
import { JoinedTermsJudge } from './joined_terms.js';
import { type Finding, type Judge, Subject } from './judge.js';
import { Lineage } from './lineage.js';
import { Pipes } from './pipes.js';
import { SampleJudge } from './sample.js';
import { ScheduledTermsJudge } from './schedule.js';
import { JoinJudge, SequenceJudge } from './sequence.js';
import { Stream } from './stream.js';
import { TemporalJudge } from './temporal.js';
import { TermsJudge } from './terms.js';

/** An alert as data that two engines can be compared by. */
export interface PlainAlert {
  readonly rule: string;
  readonly timeUs: number;
  readonly key: readonly KeyValue[] | null;
  /** Stream positions of the evidence, step by step; null for a step satisfied by absence. */
  readonly evidence: readonly (number | null)[];
}

export interface OracleOptions extends Partial<FieldNames> {
  readonly rules: readonly Rule[];
  readonly lateness?: string | number;
  readonly maxSkip?: string | number;
}

export interface Oracle {
  push(events: readonly Record<string, unknown>[]): PlainAlert[];
  advance(time: string | number): PlainAlert[];
  flush(): PlainAlert[];
  readonly counts: { readonly skipped: number; readonly late: number };
}

export function createOracle(options: OracleOptions): Oracle {
  return new RunningOracle(options);
}

/** Whether the oracle can judge a rule; a reason where it cannot. */
export function oracleRefusal(rule: Rule): string | undefined {
  if (rule.timestampField !== undefined) return 'the oracle orders all rules by one time field';
  if (rule.kind === 'behavior') return 'behaviour rules are judged on witnesses, outside the oracle';
  return undefined;
}

function createJudge(rule: Rule): Judge {
  switch (rule.kind) {
    case 'match':
      return {
        observe: (subject) =>
          subject.matches(rule.query) ? [{ timeUs: subject.event.timeUs, key: null, evidence: [subject] }] : [],
        advance: () => [],
        flush: () => [],
      };
    case 'sequence':
      return rule.unordered === true ? new JoinJudge(rule) : new SequenceJudge(rule);
    case 'sample':
      return new SampleJudge(rule);
    case 'newTerms':
      if (rule.mode === 'elasticCompat') return new ScheduledTermsJudge(rule);
      return rule.joins === undefined ? new TermsJudge(rule) : new JoinedTermsJudge(rule);
    case 'aggregate':
      return new AggregateJudge(rule);
    case 'temporal':
      return new TemporalJudge(rule);
    case 'behavior':
      throw new Error(`${rule.id}: ${oracleRefusal(rule)}`);
  }
}

interface RunningRule {
  readonly rule: Rule;
  readonly judge: Judge;
  readonly pipes: Pipes;
}

class RunningOracle implements Oracle {
  readonly counts = { skipped: 0, late: 0 };
  private readonly names: FieldNames;
  private readonly stream: Stream;
  private readonly rules: readonly RunningRule[];
  private readonly lineage = new Lineage();
  private readonly lineageQueries: ReadonlyMap<string, EventQuery>;
  private ordinal = 0;

  constructor(options: OracleOptions) {
    const { rules, lateness = '0s', maxSkip = '1d', ...names } = options;
    this.names = { ...ecsFieldNames, ...names };
    this.stream = new Stream({
      latenessUs: parseDurationUs(lateness, 'lateness'),
      maxSkipUs: parseDurationUs(maxSkip, 'maxSkip'),
    });
    this.rules = rules.map((rule) => ({ rule, judge: createJudge(rule), pipes: new Pipes(rule.pipes ?? []) }));
    this.lineageQueries = new Map(rules.flatMap(lineageExprs).map(({ query }) => [JSON.stringify(query), query]));
  }

  push(events: readonly Record<string, unknown>[]): PlainAlert[] {
    return events.flatMap((source) => {
      const event = readEvent(source, this.ordinal++, this.names);
      if (event === undefined) {
        this.counts.skipped++;
        return [];
      }
      const { ready, late } = this.stream.push(event);
      this.counts.late += late.length;
      return [...ready.flatMap((one) => this.judge(one, false)), ...late.flatMap((one) => this.judge(one, true))];
    });
  }

  advance(time: string | number): PlainAlert[] {
    const timeUs = parseTimeUs(time);
    if (timeUs === undefined) throw new Error(`not a time: ${time}`);
    const judged = this.stream.advance(timeUs).flatMap((event) => this.judge(event, false));
    return [...judged, ...this.publishAll(({ judge }) => judge.advance(timeUs))];
  }

  flush(): PlainAlert[] {
    const judged = this.stream.flush().flatMap((event) => this.judge(event, false));
    return [...judged, ...this.publishAll(({ judge }) => judge.flush(), true)];
  }

  /** A late event is judged by rules without memory only. */
  private judge(event: OracleEvent, isLate: boolean): PlainAlert[] {
    const process = this.lineage.observe(event);
    const lineage = (expr: LineageExpr): boolean | null =>
      this.lineage.holds(process, expr.relation, JSON.stringify(expr.query));
    const subjectFor = (rule?: Rule): Subject =>
      new Subject(event, { categoryField: rule?.eventCategoryField ?? this.names.eventCategoryField, lineage });
    for (const [text, query] of this.lineageQueries) {
      if (process !== undefined && subjectFor().matches(query)) this.lineage.meet(process, text, event.timeUs);
    }
    return this.publishAll(({ rule, judge }) =>
      isLate && rule.kind !== 'match' ? [] : judge.observe(subjectFor(rule)),
    );
  }

  private publishAll(find: (running: RunningRule) => Finding[], isEnd = false): PlainAlert[] {
    const published: { rule: Rule; finding: Finding }[] = [];
    for (const running of this.rules) {
      const findings = running.pipes.pass(find(running), isEnd);
      published.push(...findings.map((finding) => ({ rule: running.rule, finding })));
      for (const finding of findings) {
        for (const other of this.rules) {
          if (!(other.judge instanceof TemporalJudge)) continue;
          const outer = other.pipes.pass(other.judge.hear(running.rule.id, finding), false);
          published.push(...outer.map((one) => ({ rule: other.rule, finding: one })));
        }
      }
    }
    return published.map(({ rule, finding }) => ({
      rule: rule.id,
      timeUs: finding.timeUs,
      key: finding.key,
      evidence: finding.evidence.map((subject) => subject?.event.ordinal ?? null),
    }));
  }
}

/** Every lineage condition anywhere in a rule. */
function lineageExprs(rule: Rule): LineageExpr[] {
  const found: LineageExpr[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    else if (typeof node === 'object' && node !== null) {
      if ((node as Expr).kind === 'lineage') found.push(node as LineageExpr);
      Object.values(node).forEach(visit);
    }
  };
  visit(rule);
  return found;
}
