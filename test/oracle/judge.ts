/**
 * What a rule sees of an event and what it answers. One judge per rule; events come in order of time.
 */
import type { EventQuery, Expr } from '../../src/rule/ir.js';
import type { Truth } from '../../src/rule/semantics.js';
import { evaluateTruth, type KeyValue, keysOf, matchesQuery, valuesOf } from './evaluate.js';
import type { OracleEvent } from './event.js';
import type { Context } from './sources.js';

/** What a match took at a step of its rule, runs not written out; undefined where nothing yet. */
export type StepEvents = (step: number) => Subject | undefined;

/** An event with everything needed to evaluate expressions on it, at the moment it was judged. */
export class Subject {
  readonly event: OracleEvent;
  private readonly context: Context;

  constructor(event: OracleEvent, context: Omit<Context, 'event' | 'elements'>) {
    this.event = event;
    this.context = { ...context, event, elements: [] };
  }

  /** `steps`: the match so far, for conditions that look back at the events it took. */
  matches(query: EventQuery, steps?: StepEvents): boolean {
    return matchesQuery(query, this.lookingBack(steps));
  }

  truth(expr: Expr, steps?: StepEvents): Truth {
    return evaluateTruth(expr, this.lookingBack(steps));
  }

  /** The same event with fields added. */
  withFields(fields: Record<string, unknown>): Subject {
    return new Subject({ ...this.event, source: { ...this.event.source, ...fields } }, this.context);
  }

  private lookingBack(steps: StepEvents | undefined): Context {
    return steps === undefined ? this.context : { ...this.context, stepEvent: (step) => steps(step)?.event };
  }

  keys(exprs: readonly Expr[]): KeyValue[][] {
    return keysOf(exprs, this.context);
  }

  values(expr: Expr) {
    return valuesOf(expr, this.context);
  }
}

/** An alert of a rule before pipes: its evidence step by step, null for a step satisfied by absence. */
export interface Finding {
  readonly timeUs: number;
  readonly key: readonly KeyValue[] | null;
  readonly evidence: readonly (Subject | null)[];
}

export interface Judge {
  observe(subject: Subject): Finding[];
  /** Nothing earlier than this will come: what waited for it is decided. */
  advance(timeUs: number): Finding[];
  flush(): Finding[];
}

export const lastEvent = (finding: Finding): Subject =>
  finding.evidence.findLast((subject) => subject !== null) as Subject;
