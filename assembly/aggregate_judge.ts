/** What a window of an aggregate comes to: the values of its functions, the conditions on them, and the alert. */
import {
  AggregateFunctionCode,
  AggregateRecord,
  ConditionOp,
  ConditionRecord,
  FunctionRecord,
} from "../src/core/abi/stateful";
import {
  NUMBERS,
  RANKS,
  ROUNDED,
  WINDOW_EVENTS,
  WINDOW_EVIDENCE_COUNT,
  WINDOW_KEY,
  WINDOW_NEWEST,
  functionAt,
  functionRecord,
  windowAt,
} from "./aggregate";
import { SAMPLE_BACK, SAMPLE_EVIDENCE, sampleAt } from "./aggregate_samples";
import { evidenceSetNext } from "./evidence";
import { NO_KEY } from "./group_keys";
import { emitAlert } from "./output";
import { rankValue } from "./ranks";
import { groupHost } from "./state_groups";
import { GROUP } from "./state_table";

/** Whether all conditions of the rule hold in the window. */
export function allHold(window: u32, aggregate: usize): bool {
  const functions = load<u32>(aggregate + AggregateRecord.FunctionCount);
  const conditions = load<u32>(aggregate + AggregateRecord.ConditionCount);
  for (let i: u32 = 0; i < conditions; i++) {
    const condition = functionRecord(aggregate, functions) + usize(i) * ConditionRecord.Bytes;
    const value = functionValue(window, aggregate, load<u32>(condition + ConditionRecord.Function));
    if (!holds(load<u32>(condition + ConditionRecord.Op), value, load<f64>(condition + ConditionRecord.Value))) {
      return false;
    }
  }
  return true;
}

/** A function without a value (NaN: nothing to average) satisfies no condition. */
function holds(op: u32, left: f64, right: f64): bool {
  if (left != left) return false;
  switch (op) {
    case ConditionOp.Equal: return left == right;
    case ConditionOp.NotEqual: return left != right;
    case ConditionOp.Less: return left < right;
    case ConditionOp.LessOrEqual: return left <= right;
    case ConditionOp.Greater: return left > right;
    default: return left >= right;
  }
}

export function functionValue(window: u32, aggregate: usize, index: u32): f64 {
  const record = functionRecord(aggregate, index);
  const code = load<u32>(record + FunctionRecord.Code);
  const state = functionAt(window, index);
  const numbers = f64(load<u32>(state + NUMBERS));
  if (code == AggregateFunctionCode.Count) return f64(load<u32>(windowAt(window) + WINDOW_EVENTS));
  if (code == AggregateFunctionCode.Distinct) return numbers;
  const sum = load<f64>(state) + load<f64>(state + ROUNDED);
  if (code == AggregateFunctionCode.Sum) return sum;
  if (code == AggregateFunctionCode.Avg) return numbers == 0 ? NaN : sum / numbers;
  return rankValue(load<u32>(state + RANKS), (load<f64>(record + FunctionRecord.Percentile) / 100) * (numbers - 1));
}

/** Publishes an alert with the newest events of the window as evidence. */
export function publish(window: u32, rule: u32, timeUs: i64, value: f64): void {
  let first: u32 = 0;
  let last: u32 = 0;
  let left = load<u32>(windowAt(window) + WINDOW_EVIDENCE_COUNT);
  let sample = load<u32>(windowAt(window) + WINDOW_NEWEST);
  for (; left != 0 && sample != 0; sample = load<u32>(sampleAt(sample) + SAMPLE_BACK)) {
    const link = load<u32>(sampleAt(sample) + SAMPLE_EVIDENCE);
    if (link == 0) continue;
    if (last != 0) evidenceSetNext(last, link);
    else first = link;
    last = link;
    left--;
  }
  const key = load<u64>(windowAt(window) + WINDOW_KEY);
  emitAlert(rule, groupHost(load<u32>(windowAt(window) + GROUP)), timeUs, first, key == NO_KEY ? 0 : key, value, 0);
  unlinkEvidence(window);
}

/** Undoes the chain that an alert was written from. */
function unlinkEvidence(window: u32): void {
  let left = load<u32>(windowAt(window) + WINDOW_EVIDENCE_COUNT);
  let sample = load<u32>(windowAt(window) + WINDOW_NEWEST);
  for (; left != 0 && sample != 0; sample = load<u32>(sampleAt(sample) + SAMPLE_BACK)) {
    const link = load<u32>(sampleAt(sample) + SAMPLE_EVIDENCE);
    if (link == 0) continue;
    evidenceSetNext(link, 0);
    left--;
  }
}
