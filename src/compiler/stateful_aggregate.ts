/** Aggregate rules to records of `Section.Aggregates`. */
import { Absent, AggregateFlag, AggregateFunctionCode, ConditionOp } from '../core/abi/stateful.js';
import { aggregateEvidenceMax } from '../core/limits.js';
import type { AggregateFunction, AggregateRule } from '../rule/ir.js';
import type { SectionWriter } from './section_writer.js';
import { type PredicateSource, writeI64 } from './stateful_source.js';

const operators = {
  '==': ConditionOp.Equal,
  '!=': ConditionOp.NotEqual,
  '<': ConditionOp.Less,
  '<=': ConditionOp.LessOrEqual,
  '>': ConditionOp.Greater,
  '>=': ConditionOp.GreaterOrEqual,
} as const;

/** Appends the rule's record and returns its offset. Conditions on one function share it. */
export function writeAggregate(writer: SectionWriter, rule: AggregateRule, predicates: PredicateSource): number {
  const offset = writer.length;
  const functions = distinctFunctions(rule);
  writer.u32(rule.by.length === 0 ? Absent.Id : predicates.key(rule.by));
  writer.u32(
    (rule.window === 'tumbling' ? AggregateFlag.Tumbling : 0) | (rule.emit === 'crossing' ? AggregateFlag.Crossing : 0),
  );
  writeI64(writer, rule.windowUs);
  writer.u32(functions.length);
  writer.u32(rule.conditions.length);
  writer.u32(aggregateEvidenceMax);
  writer.u32(0);
  for (const one of functions) writeFunction(writer, one, predicates);
  for (const condition of rule.conditions) {
    writer.u32(functions.findIndex((one) => identityOf(one) === identityOf(condition.function)));
    writer.u32(operators[condition.op]);
    writer.f64(condition.value);
  }
  return offset;
}

/** The different functions of a rule, in the order of its conditions. */
export function distinctFunctions(rule: AggregateRule): AggregateFunction[] {
  const byIdentity = new Map(rule.conditions.map((condition) => [identityOf(condition.function), condition.function]));
  return [...byIdentity.values()];
}

function identityOf(one: AggregateFunction): string {
  const field = one.kind === 'count' ? [] : [one.field.name, ...(one.field.fallback ?? [])];
  return JSON.stringify([one.kind, field, one.kind === 'percentile' ? one.percentile : null]);
}

function writeFunction(writer: SectionWriter, one: AggregateFunction, predicates: PredicateSource): void {
  const isNumeric = one.kind !== 'count' && one.kind !== 'distinct';
  const [fallback] = isNumeric ? (one.field.fallback ?? []) : [];
  writer.u32(codeOf(one));
  writer.u32(one.kind === 'distinct' ? predicates.key([one.field]) : Absent.Id);
  writer.u32(isNumeric ? predicates.column(one.field.name, 'number') : Absent.Id);
  writer.u32(fallback === undefined ? Absent.Id : predicates.column(fallback, 'number'));
  writer.f64(one.kind === 'percentile' ? one.percentile : 50);
}

function codeOf(one: AggregateFunction): AggregateFunctionCode {
  switch (one.kind) {
    case 'count':
      return AggregateFunctionCode.Count;
    case 'distinct':
      return AggregateFunctionCode.Distinct;
    case 'sum':
      return AggregateFunctionCode.Sum;
    case 'avg':
      return AggregateFunctionCode.Avg;
    default:
      return AggregateFunctionCode.Percentile;
  }
}
