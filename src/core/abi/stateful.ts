/**
 * Sections of the stateful rules: sequences, samples, temporal rules, terms and aggregates. `RuleRecord.Data` of such a
 * rule is the byte offset of its record in the section of its kind. Little endian, 8-aligned; numbers only.
 */

/** An id that stands for "none": no key, no column. */
export const enum Absent {
  Id = 0xffffffff,
}

/**
 * Header of a record of `Section.Steps`: sequences, samples and temporal rules. `StepCount` step records follow.
 * Steps are in query order with runs expanded; the `argument` of an action is an index into them.
 */
export const enum SequenceRecord {
  /** Bits of {@link SequenceFlag}. */
  Flags = 0,
  StepCount = 4,
  /** Inclusive, from the first event to the last; negative: no limit. i64. */
  MaxspanUs = 8,
  /** Key of the `until` step, `Absent.Id` where the rule has no key or no `until`. */
  UntilKey = 16,
  /** Samples: results per key. */
  SamplesMax = 20,
  Bytes = 24,
}

export const enum SequenceFlag {
  /** The steps may come in any order, each filled by its first event (`join`). */
  Unordered = 1,
  HasUntil = 2,
  /** Some step is satisfied by absence. */
  HasMissing = 4,
  /** The rule has a group key. */
  Keyed = 8,
}

/** One step of a sequence, a sample or a temporal rule. */
export const enum StepRecord {
  /** Key of the program, `Absent.Id` where the rule has none. */
  Key = 0,
  /** Bits of {@link StepFlag}. */
  Flags = 4,
  Bytes = 8,
}

export const enum StepFlag {
  /** Satisfied by the absence of such an event. */
  Missing = 1,
  /** The partial match it extends stays where it is. */
  Fork = 2,
}

/** A record of `Section.Terms`. */
export const enum TermsRecord {
  /** Key whose combinations are the terms. */
  Key = 0,
  Reserved = 4,
  /** A gap of exactly this is not new. i64. */
  WindowUs = 8,
  /** How far an older first event may move an alert back. i64. */
  LateHorizonUs = 16,
  Bytes = 24,
}

/** Header of a record of `Section.Aggregates`. `FunctionCount` function records follow. */
export const enum AggregateRecord {
  /** Group key, `Absent.Id` where the rule has none. */
  Key = 0,
  /** Bits of {@link AggregateFlag}. */
  Flags = 4,
  /** i64 */
  WindowUs = 8,
  FunctionCount = 16,
  /** Newest events kept as evidence of an alert. */
  EvidenceMax = 20,
  Bytes = 24,
}

export const enum AggregateFlag {
  /** Windows start at whole multiples of their length since the epoch. */
  Tumbling = 1,
  /** One alert when the conditions become true, then again only after the window has passed. */
  Crossing = 2,
}

/** One function and the condition on it. */
export const enum FunctionRecord {
  Function = 0,
  Op = 4,
  /** Distinct: the key whose combinations are counted. Else: `Absent.Id`. */
  Key = 8,
  /** Columns read in turn until one has a number; `Absent.Id` ends the list. Two u32. */
  Column = 12,
  Fallback = 16,
  Reserved = 20,
  /** Right side of the condition. f64. */
  Value = 24,
  /** 0 to 100. f64. */
  Percentile = 32,
  Bytes = 40,
}

export const enum AggregateFunctionCode {
  Count = 0,
  Distinct = 1,
  Sum = 2,
  Avg = 3,
  Percentile = 4,
}

export const enum ConditionOp {
  Equal = 0,
  NotEqual = 1,
  Less = 2,
  LessOrEqual = 3,
  Greater = 4,
  GreaterOrEqual = 5,
}
