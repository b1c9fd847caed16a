import type { EventQuery, RuleBase, TermJoin } from '../../rule/ir.js';
import type { ObjectReader, Report } from '../document/reader.js';
import type { Extensions } from './extensions.js';
import type { Schedule } from './rule.js';

/** What the rule types that count over time are made from. */
export interface TimedInput {
  readonly base: RuleBase;
  /** Undefined when the query has problems; the other keys are checked all the same. */
  readonly query: EventQuery | undefined;
  readonly schedule: Schedule;
  readonly extensions: Extensions;
  readonly rule: ObjectReader;
  readonly report: Report;
  /** Where `[metadata.vedette.join]` is, and has no problems. */
  readonly joins?: TermJoin;
}
