/** Engines as parameters: a suite runs the same stream through each and compares plain alerts. */
import type { Rule } from '../../src/rule/ir.js';
import { createOracle, oracleRefusal, type PlainAlert } from '../oracle/oracle.js';
import type { Source } from './generators.js';

export interface EngineOptions {
  readonly rules: readonly Rule[];
  readonly lateness?: string | number;
  readonly eventCategoryField?: string;
  readonly timestampField?: string;
  readonly tiebreakerField?: string;
}

export interface Engine {
  readonly name: string;
  /** Why the engine cannot run a rule, where it cannot. */
  refusal?(rule: Rule): string | undefined;
  /** All alerts of a stream that comes in batches and then ends. */
  run(options: EngineOptions, batches: readonly (readonly Source[])[]): Promise<PlainAlert[]>;
}

export const oracle: Engine = {
  name: 'oracle',
  refusal: oracleRefusal,
  run: async (options, batches) => {
    const engine = createOracle(options);
    return [...batches.flatMap((batch) => engine.push(batch)), ...engine.flush()];
  },
};

/** Alerts as sorted text with events by their position in `events`, for comparing engines and arrival orders. */
export function comparable(alerts: readonly PlainAlert[], pushed: readonly Source[]): string[] {
  const name = (ordinal: number | null): string =>
    ordinal === null ? '-' : String((pushed[ordinal]?.event as Source | undefined)?.id ?? ordinal);
  return alerts.map(({ rule, timeUs, evidence }) => `${rule} @${timeUs} ${evidence.map(name).join(' ')}`).sort();
}
