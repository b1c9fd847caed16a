/**
 * Sections of the stateful rules: sequences, samples, temporal rules, terms and aggregates. `RuleRecord.Data` of such a
 * rule is the byte offset of its record in the section of its kind. Little endian, 8-aligned; numbers only.
 */

/** An id that stands for "none": no key, no column. */
export const enum Absent {
  Id = 0xffffffff,
}

/** Tables that share the state budget. */
export const enum StateTable {
  Sequence = 1,
  Terms = 2,
  Aggregate = 3,
  Sample = 4,
  Temporal = 5,
  Count = 6,
}

/** Bits of `flags` of an alert record. */
export const enum AlertFlag {
  /** New terms: the host has been known for less than the window, or has lost terms within it. */
  HistoryIncomplete = 1,
  /** New terms: an event older than the horizon would have been new at its time. */
  Late = 2,
  /**
   * New terms: the alert moves back to an older first event. Evidence: that event (step 0), then the one first
   * published, which the alert's id stays with. `Value` is the revision.
   */
  Revised = 4,
}

/**
 * Header of a record of `Section.Steps`: sequences, samples and temporal rules. `StepCount` step records follow.
 * Steps are in query order with runs expanded; the `argument` of an action is an index into them.
 */
export const enum SequenceRecord {
  /** Bits of {@link SequenceFlag}. */
  Flags = 0,
  StepCount = 4,
  /** Inclusive, from the first event to the last; negative: no limit. i64. Temporal: the window. */
  MaxspanUs = 8,
  /** Key of the `until` step, `Absent.Id` where the rule has no key or no `until`. */
  UntilKey = 16,
  /**
   * Sequences: 1 + the predicate that an `until` event must also satisfy against the partial match, 0 for none.
   * Samples: results per key. Temporal: 1 when the parts must come in order.
   */
  Argument = 20,
  Bytes = 24,
}

export const enum SequenceFlag {
  /** The steps may come in any order, each filled by its first event (`join`). */
  Unordered = 1,
  HasUntil = 2,
  /** The first step is satisfied by absence. */
  HasLeading = 8,
  /** The last step is satisfied by absence. */
  HasTrailing = 16,
}

/** One step of a sequence or a sample, or one part of a temporal rule. */
export const enum StepRecord {
  /** Key of the program, `Absent.Id` where the rule has none. */
  Key = 0,
  /** Bits of {@link StepFlag}. */
  Flags = 4,
  /** Nearest step before this one that takes an event, `Absent.Id` where there is none. */
  Previous = 8,
  /**
   * Sequences: 1 + the predicate that an event must also satisfy against the partial match it would extend, 0 for none.
   * Temporal: 1 + the rule whose alerts are the part, 0 where a predicate offers its events.
   */
  Source = 12,
  Bytes = 16,
}

export const enum StepFlag {
  /** Satisfied by the absence of such an event. */
  Missing = 1,
  /** The partial match it extends stays where it is. */
  Fork = 2,
  /** The first step that takes an event. */
  First = 4,
  /** The last step that takes an event. */
  Final = 8,
  /** Missing, before the first event. */
  Leading = 16,
  /** Missing, after the last event. */
  Trailing = 32,
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
  /** What stands for the rule in the hashes of its terms: the same wherever in a program the rule is. u64. */
  Identity = 24,
  Bytes = 32,
}

/** Header of a record of `Section.Aggregates`: function records follow, then condition records. */
export const enum AggregateRecord {
  /** Group key, `Absent.Id` where the rule has none. */
  Key = 0,
  /** Bits of {@link AggregateFlag}. */
  Flags = 4,
  /** i64 */
  WindowUs = 8,
  /** At most `Functions.Max`. */
  FunctionCount = 16,
  ConditionCount = 20,
  /** Newest events kept as evidence of an alert, at least 1. */
  EvidenceMax = 24,
  Reserved = 28,
  Bytes = 32,
}

export const enum AggregateFlag {
  /** Windows start at whole multiples of their length since the epoch. */
  Tumbling = 1,
  /** One alert when the conditions become true, then again only after the window has passed. */
  Crossing = 2,
}

/** Different functions that one aggregate rule can have. */
export const enum Functions {
  Max = 4,
}

export const enum FunctionRecord {
  /** {@link AggregateFunctionCode} */
  Code = 0,
  /** Distinct: the key whose combinations are counted. Else: `Absent.Id`. */
  Key = 4,
  /** Columns read in turn until one has a number; `Absent.Id` ends the list. Two u32. */
  Column = 8,
  Fallback = 12,
  /** 0 to 100. f64. */
  Percentile = 16,
  Bytes = 24,
}

export const enum AggregateFunctionCode {
  Count = 0,
  Distinct = 1,
  Sum = 2,
  Avg = 3,
  Percentile = 4,
}

/** One condition; all must hold. */
export const enum ConditionRecord {
  /** Index of the function. */
  Function = 0,
  /** {@link ConditionOp} */
  Op = 4,
  /** Right side. f64. */
  Value = 8,
  Bytes = 16,
}

export const enum ConditionOp {
  Equal = 0,
  NotEqual = 1,
  Less = 2,
  LessOrEqual = 3,
  Greater = 4,
  GreaterOrEqual = 5,
}

/**
 * A snapshot of state is records one after another, each 8-aligned: this header, then fields of its kind, then evidence
 * (a u32 count, four bytes unused, and as many `EvidenceEntry`, newest first) where the kind has some. Rules and hosts
 * are numbered as in the kernel that wrote it; whoever moves a snapshot numbers them anew.
 */
export const enum StateRecord {
  /** {@link StateKind} */
  Kind = 0,
  /** Of the whole record. */
  Bytes = 4,
  Rule = 8,
  Host = 12,
  Header = 16,
}

export const enum StateKind {
  /** Partial matches, matches that wait for absence, filled steps of joins. Evidence. */
  Partial = 1,
  /** A term: u64 hash, i64 last time. */
  Term = 2,
  /** What may move a new-terms alert back: u64 hash of its term, i64 first time, i64 time before, u32 revision. Evidence. */
  Recent = 3,
  /** What a host's terms go by: i64 first time, i64 time until which terms were lost. No rule. */
  HostTimes = 4,
  /** A window without its samples: u64 key, i64 newest time, i64 quiet until. */
  Window = 5,
  /** One sample of the window written last: i64 time, u64 value, u32 kind. Evidence. */
  Sample = 6,
  /** One kept event of a sample: u64 key, u64 ordinal, i64 time, u32 step. Evidence. */
  Kept = 7,
  /** A firing or chain of a temporal rule: u64 key, i64 time, u32 part. Evidence. */
  Temporal = 8,
}

/** Fields of a `Partial` record after the header. */
export const enum PartialRecord {
  Key = 16,
  StartUs = 24,
  LastUs = 32,
  Tiebreak = 40,
  Ordinal = 48,
  ForbiddenUs = 56,
  LeadingUs = 64,
  DeadlineUs = 72,
  Step = 80,
  Flags = 84,
  Evidence = 88,
}
