/** Conditions that look back at the events of a partial match, judged when an event meets it. */
import { predicateHolds } from "./candidate";
import { stepValuesOf } from "./step_values";

/** Whether the row satisfies a condition against a match's evidence; `condition`: 1 + its predicate, 0 for none. */
export function lookBackHolds(condition: u32, slot: u32, chain: u32): bool {
  if (condition == 0) return true;
  stepValuesOf(chain);
  const holds = predicateHolds(condition - 1, slot);
  stepValuesOf(0);
  return holds;
}
