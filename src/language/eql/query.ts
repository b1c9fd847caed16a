import type { EventQuery, Pipe, Step } from '../../rule/ir.js';

/** A parsed query as pieces of the IR. */
export type EqlQuery = EqlEventQuery | EqlSequenceQuery | EqlSampleQuery | EqlJoinQuery;

interface EqlQueryBase {
  readonly pipes: readonly Pipe[];
}

export interface EqlEventQuery extends EqlQueryBase {
  readonly kind: 'event';
  readonly query: EventQuery;
}

export interface EqlSequenceQuery extends EqlQueryBase {
  readonly kind: 'sequence';
  readonly steps: readonly Step[];
  readonly maxspanUs?: number;
  readonly until?: Step;
}

export interface EqlSampleQuery extends EqlQueryBase {
  readonly kind: 'sample';
  readonly steps: readonly Step[];
}

/** Steps in any order. */
export interface EqlJoinQuery extends EqlQueryBase {
  readonly kind: 'join';
  readonly steps: readonly Step[];
  readonly until?: Step;
}
