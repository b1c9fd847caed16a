/**
 * The rule IR: what every rule language lowers to, and all that the compiler and the oracle read.
 *
 * Lossless: case, wildcards, quantifiers and source spans are kept; nothing is optimised here. The IR is public: a
 * product may build rules in code. It knows no language and no kernel.
 */
import type { Span } from '../core/diagnostic.js';
import type { Platform } from '../core/paths.js';
import type { Judgement } from './behavior.js';

// ---------------------------------------------------------------------------------------------- expressions

/** A value a literal can hold. Numbers keep whether the author wrote an integer, for EQL's integer division. */
export type LiteralValue = string | number | boolean | null;

/** How text is compared: `exact`, ASCII-folded (EQL `~`, KQL option) or folded by Unicode simple case folding (Sigma). */
export type CaseMode = 'exact' | 'ascii' | 'unicode';

/**
 * An expression over one event. Logic is three-valued: a comparison with a missing value is null; only true matches.
 * On a multi-valued field a comparison is true when it is true for any value.
 */
export type Expr =
  | LiteralExpr
  | FieldExpr
  | LogicExpr
  | NotExpr
  | CompareExpr
  | MatchExpr
  | RegexExpr
  | CidrExpr
  | IsNullExpr
  | ArithmeticExpr
  | CallExpr
  | NestedExpr
  | LineageExpr;

export interface LiteralExpr {
  readonly kind: 'literal';
  readonly value: LiteralValue;
  /** True for a number written with a fraction or exponent: `5.0` divides as a float, `5` as an integer. */
  readonly float?: boolean;
  readonly span?: Span;
}

/**
 * The value of an ECS field (dotted name). `fallback` fields are tried in order when the field is missing.
 * A name with `*` (KQL's free text and field patterns) stands for every field of the event that it matches, and has the
 * values of all of them; it is missing when none has a value. Other characters stand for themselves.
 */
export interface FieldExpr {
  readonly kind: 'field';
  readonly name: string;
  readonly fallback?: readonly string[];
  /** As a term: values are paths, told apart in the form in which those of the platform compare. */
  readonly path?: Platform;
  /** `?field` of EQL: a missing field is null without complaint, and null joins null as a key. */
  readonly optional?: boolean;
  readonly span?: Span;
}

export interface LogicExpr {
  readonly kind: 'and' | 'or';
  readonly operands: readonly Expr[];
  readonly span?: Span;
}

/**
 * Negation. `missing` decides a null operand: `null` keeps it null (EQL, three-valued), `true` makes it true
 * (a `must_not` of Elasticsearch: KQL, Kibana filters, Sigma).
 */
export interface NotExpr {
  readonly kind: 'not';
  readonly operand: Expr;
  readonly missing: 'null' | 'true';
  readonly span?: Span;
}

/**
 * A comparison of two values, as `compareValues` of `semantics.ts` defines it. Strings order by UTF-8 bytes; text meets a
 * number through the number it writes; values that cannot be compared are unequal and unordered. `!=` is the negation of
 * `==`, so on a multi-valued field it says that no value equals. `==` and `!=` with the literal null test for missing.
 */
export interface CompareExpr {
  readonly kind: 'compare';
  readonly op: '==' | '!=' | '<' | '<=' | '>' | '>=';
  readonly left: Expr;
  readonly right: Expr;
  readonly case: CaseMode;
  readonly span?: Span;
}

/** One text pattern. `wildcard` takes `*` (any run) and `?` (one code point); the others take their text literally. */
export interface TextPattern {
  readonly type: 'equals' | 'wildcard' | 'prefix' | 'suffix' | 'contains';
  readonly text: string;
}

/** True when the value as text satisfies any pattern. Numbers and booleans match by their canonical text. */
export interface MatchExpr {
  readonly kind: 'match';
  readonly value: Expr;
  readonly patterns: readonly TextPattern[];
  readonly case: CaseMode;
  readonly span?: Span;
}

/** True when the value matches any pattern as a whole. Patterns are in RE2 syntax, already translated and checked. */
export interface RegexExpr {
  readonly kind: 'regex';
  readonly value: Expr;
  readonly patterns: readonly string[];
  readonly case: CaseMode;
  /** `full`: the whole value must match (EQL, Lucene). `partial`: anywhere (Sigma `re`). */
  readonly anchor: 'full' | 'partial';
  readonly span?: Span;
}

/** True when the value is an IP address inside any block (CIDR text, IPv4 or IPv6). Not an address: false. */
export interface CidrExpr {
  readonly kind: 'cidr';
  readonly value: Expr;
  readonly blocks: readonly string[];
  readonly span?: Span;
}

/** True when the value is missing. Never null itself. `not isNull(x)` is "x exists". */
export interface IsNullExpr {
  readonly kind: 'isNull';
  readonly value: Expr;
  readonly span?: Span;
}

export interface ArithmeticExpr {
  readonly kind: 'arithmetic';
  readonly op: '+' | '-' | '*' | '/' | '%';
  readonly left: Expr;
  readonly right: Expr;
  readonly span?: Span;
}

/**
 * A function of `functions.ts`, by its canonical name. `case` applies to the `~` form.
 *
 * Two names are no functions of any language: `stepField(k, field)` is the field of the event that the partial match
 * took at step `k` (from 0, the last of its runs), within later steps, `until` and pipes of a sequence;
 * `arrayItem(field, path, i, …)` is the value of `field` under element `i` of the array at `path`, for one or more
 * pairs of path and index, outermost first.
 */
export interface CallExpr {
  readonly kind: 'call';
  readonly name: string;
  readonly args: readonly Expr[];
  readonly case: CaseMode;
  readonly span?: Span;
}

/**
 * A condition on one and the same element of an array of objects: KQL `path:{ … }`, `arraysearch(path, $v, …)`.
 * Field names inside `condition` are full paths below `path`; `path` itself names an element that is a plain value.
 * `count`: how many elements must satisfy it; absent, at least one. An array that is missing gives null.
 */
export interface NestedExpr {
  readonly kind: 'nested';
  readonly path: string;
  readonly condition: Expr;
  readonly count?: { readonly op: CompareExpr['op']; readonly value: number };
  readonly span?: Span;
}

/**
 * A condition on the event's process lineage: `descendant`: a strict ancestor had an event that matches `query`, before
 * or when the process (and each one between them) came to be; `child`: the direct parent had; `event`: the process
 * itself had.
 */
export interface LineageExpr {
  readonly kind: 'lineage';
  readonly relation: 'descendant' | 'child' | 'event';
  readonly query: EventQuery;
  readonly span?: Span;
}

// ---------------------------------------------------------------------------------------------------- queries

/** Events of a category (`null`: any) for which `condition` is true. */
export interface EventQuery {
  readonly category: string | null;
  readonly condition: Expr;
  readonly span?: Span;
}

/** One component of a group key. A missing value never joins unless the field is `optional` (then null joins null). */
export type KeyExpr = Expr;

/** One step of a sequence. `by` holds this step's key components, all steps in the same order. */
export interface Step {
  readonly query: EventQuery;
  readonly by: readonly KeyExpr[];
  /** `![ … ]`: the step is satisfied by the absence of such an event. */
  readonly missing: boolean;
  /** How many events in a row the step takes (`with runs=n`), at least 1. */
  readonly runs: number;
  /** Python EQL's `fork=true`: the event does not consume the partial match it extends. */
  readonly fork?: boolean;
  /** `[ … ] as name` of the endpoint dialect. */
  readonly alias?: string;
}

/** A pipe over results, applied in order. `head`, `unique` and `filter` act as results come; the others at `flush`. */
export type Pipe =
  | { readonly kind: 'head' | 'tail'; readonly count: number }
  | { readonly kind: 'unique'; readonly by: readonly Expr[] }
  | { readonly kind: 'uniqueCount'; readonly by: readonly Expr[] }
  | { readonly kind: 'filter'; readonly condition: Expr }
  | { readonly kind: 'count'; readonly by: readonly Expr[] }
  | { readonly kind: 'sort'; readonly by: readonly Expr[] };

// ------------------------------------------------------------------------------------------------------ rules

/** From the least to the worst. */
export const severities = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** One ATT&CK reference carried into alerts. */
export interface Threat {
  readonly framework: string;
  readonly tactic?: { readonly id: string; readonly name: string };
  readonly techniques: readonly { readonly id: string; readonly name: string }[];
}

/** Raises or sets severity or risk from the event: Elastic's `severity_mapping`, `risk_score_mapping`. */
export interface AlertOverride {
  readonly target: 'severity' | 'riskScore' | 'name' | 'timestamp';
  readonly field: string;
  readonly equals?: string;
  readonly severity?: Severity;
  readonly riskScore?: number;
}

/** Folds alerts of one rule that share the values of `by` within `windowUs` into the first (Elastic `alert_suppression`). */
export interface Suppression {
  readonly by: readonly string[];
  readonly windowUs: number;
  readonly missingFields: 'suppress' | 'doNotSuppress';
}

export interface RuleBase {
  /** Stable; state, alerts and snapshots refer to the rule by it. */
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly severity: Severity;
  /** 0 to 100. */
  readonly riskScore: number;
  readonly threat: readonly Threat[];
  readonly tags?: readonly string[];
  readonly references?: readonly string[];
  /** At most this many alerts in a run of the rule; applied only where caps are asked for (`caps: 'rule'`). */
  readonly maxSignals?: number;
  readonly overrides?: readonly AlertOverride[];
  readonly suppression?: Suppression;
  /** A building block: its alerts feed other rules and are not published by default. */
  readonly buildingBlock?: boolean;
  /**
   * Where the rule's text came from, for diagnostics and `explain`. Spans in the rule are offsets in `text`, which begins
   * on `line` of the file (1 unless given) and keeps its lines.
   */
  readonly source?: {
    readonly file?: string;
    readonly language: string;
    readonly text?: string;
    readonly line?: number;
  };
  /** Field names that replace `event.category`, `@timestamp` and the tiebreaker for this rule only. */
  readonly eventCategoryField?: string;
  readonly timestampField?: string;
  readonly tiebreakerField?: string;
  readonly pipes?: readonly Pipe[];
}

/** Alerts on every event that matches. */
export interface MatchRule extends RuleBase {
  readonly kind: 'match';
  readonly query: EventQuery;
}

/**
 * EQL's sequence. Matching is Elasticsearch's: a step takes the latest partial match of the step before, of the same
 * key, that is strictly earlier in (time, tiebreaker) order; older ones of that step are dropped.
 */
export interface SequenceRule extends RuleBase {
  readonly kind: 'sequence';
  readonly steps: readonly Step[];
  /** Inclusive, from the first event to the last. Absent: no limit. */
  readonly maxspanUs?: number;
  readonly until?: Step;
  /** `join` of Python EQL: the steps may come in any order. */
  readonly unordered?: boolean;
}

/** EQL's sample: one event per step, any order, no time limit, same key. Judged at `flush`. */
export interface SampleRule extends RuleBase {
  readonly kind: 'sample';
  readonly steps: readonly Step[];
  readonly maxSamplesPerKey: number;
}

/**
 * First occurrence of a combination of values within a history window. Event time: a gap of exactly `windowUs` is not
 * new. `elasticCompat` reproduces Kibana's schedule instead (`intervalUs`, `lookbackUs`).
 */
export interface NewTermsRule extends RuleBase {
  readonly kind: 'newTerms';
  readonly query: EventQuery;
  /** One to three fields. */
  readonly fields: readonly FieldExpr[];
  readonly windowUs: number;
  readonly mode: 'eventTime' | 'elasticCompat';
  readonly intervalUs?: number;
  readonly lookbackUs?: number;
  /** In event time: events that match through another event of the same term. No query of the rule has a category. */
  readonly joins?: TermJoin;
}

/**
 * What a system service reports on behalf of a program it does not name. An event of `items` counts as one of the rule's
 * query, at its own time, where an event of `writers` of the same term lies within `withinUs` before or after it, ends
 * included. An event of the query itself needs no other; one of `items` is none of `writers`.
 */
export interface TermJoin {
  readonly items: EventQuery;
  readonly writers: EventQuery;
  readonly withinUs: number;
}

export type AggregateFunction =
  | { readonly kind: 'count' }
  | { readonly kind: 'distinct' | 'sum' | 'avg' | 'median'; readonly field: FieldExpr }
  | { readonly kind: 'percentile'; readonly field: FieldExpr; readonly percentile: number };

/** Alerts when an aggregate over a window of matching events, per key, satisfies a condition. */
export interface AggregateRule extends RuleBase {
  readonly kind: 'aggregate';
  readonly query: EventQuery;
  readonly by: readonly KeyExpr[];
  readonly windowUs: number;
  readonly window: 'sliding' | 'tumbling';
  /** All must hold. */
  readonly conditions: readonly {
    readonly function: AggregateFunction;
    readonly op: '==' | '!=' | '<' | '<=' | '>' | '>=';
    readonly value: number;
  }[];
  /** `perEvent`: a result for each event while the condition holds. `crossing`: once, then again after the window. */
  readonly emit: 'perEvent' | 'crossing';
}

/** Alerts when several rules fired for the same key within a window, in order or not (Sigma temporal). */
export interface TemporalRule extends RuleBase {
  readonly kind: 'temporal';
  readonly rules: readonly { readonly id: string; readonly by: readonly KeyExpr[] }[];
  readonly windowUs: number;
  readonly ordered: boolean;
}

export type Rule = MatchRule | SequenceRule | SampleRule | NewTermsRule | AggregateRule | TemporalRule | BehaviorRule;

// --------------------------------------------------------------------------------------------------- behaviour

/**
 * A process activity analytic: a *root* process, then follow-on *classes* of events by it or its descendants,
 * judged by a ladder. All conditions are expressions; nothing in it is specific to one interpreter or platform.
 *
 * Marks are named conditions on process events; once a process had an event that satisfies one it carries the mark,
 * and its descendants see it as inherited. At most 64 marks over all rules of a program.
 */
export interface BehaviorRule extends RuleBase {
  readonly kind: 'behavior';
  /** Events outside this condition are invisible to the rule. */
  readonly scope: Expr;
  readonly marks: readonly { readonly name: string; readonly query: EventQuery }[];
  /** The mark that opens a session. */
  readonly root: string;
  /** Follow-on conditions. A class is satisfied through its items. */
  readonly items: readonly BehaviorItem[];
  /** Everything that is judged on a session's witnesses, outside the per-event path. */
  readonly judgement: Judgement;
}

/** One follow-on condition; an event of the session that satisfies it becomes a witness of `class`. */
export interface BehaviorItem {
  readonly id: string;
  readonly class: string;
  readonly query: EventQuery;
  /** Witnessed too when no process of the event's chain carries the root mark; it may be attributed by its path. */
  readonly unattributed?: boolean;
}
