/**
 * Numbers shared by the host and the kernel's stateful half: configuration words, rules, actions, losses and the
 * records of the output buffer. Imported by both compilers; numbers only.
 */

/**
 * Words of the configuration table. Each is one f64, written by the host before `kernelInit`; a module reads the ones
 * it needs. `…Bytes` words are budgets that the module divides among its own tables.
 */
export const enum Config {
  /** Hold-back of event time, in microseconds. */
  LatenessUs = 0,
  /** How far a time may lie ahead of its host's newest before it is held, in microseconds. */
  MaxSkipUs = 1,
  /** Rows the row store holds; one chunk of them is kept free for staging. */
  RowCapacity = 2,
  HostCapacity = 3,
  /** Tracked process incarnations; 0 turns lineage off. */
  ProcessCapacity = 4,
  /** Image segments kept for process records; 0 where no rule reads them. */
  ImageCapacity = 5,
  EvidenceBytes = 6,
  OutputBytes = 7,
  LossCapacity = 8,
  /** Budget of interned values: their text, tables and side arrays. */
  ValueBytes = 10,
  MaxValueBytes = 11,
  InputBytes = 12,
  /** Budget of truth sets and candidate lists. */
  TruthBytes = 13,
  /** Budget of the tables of sequences, terms, aggregates and samples. */
  StateBytes = 14,
  RuleCount = 15,
  /** 1 when some rule joins across hosts. */
  HasGlobalRules = 16,
  /** 1 when candidate lists are used, 0 when every predicate is evaluated on every row. */
  Prefilter = 17,
  /** Longest evidence value in bytes; longer ones are cut and marked. */
  EvidenceValueBytes = 20,
  /** Seconds an exited process is remembered. */
  ExitedRetentionSeconds = 21,
  /** Seconds a live process is remembered after its last activity. */
  LiveRetentionSeconds = 22,
  /** Processes one host may hold. */
  ProcessesPerHost = 23,
  /** Rows of one call whose ordinals the host can give. */
  OrdinalCapacity = 24,
  /** Rows of one call that a routing kernel can note; 0 in a kernel that judges. */
  RouteCapacity = 25,
  /** 1 when some rule is judged as its events arrive. */
  HasEarlyRules = 26,
  /** Counters of the coverage report; 0 where none is asked for. */
  CoverageCounters = 27,
  /** First counter that stands for a source, and how many do; bits of those whose sequence numbers have no holes. */
  CoverageSourceFirst = 28,
  CoverageSources = 29,
  CoverageSequenced = 30,
  /** 1 + column of the event's id, and above 16 bits 1 + column of its time of ingestion; 0 for none. */
  CoverageColumns = 31,
  /** First word owned by each half; the halves name their own words from here on. */
  IngestFirst = 32,
  PredicatesFirst = 64,
  StateFirst = 80,
  Count = 96,
}

/** No host: a rule across hosts. Real hosts start at 1. */
export const enum Host {
  None = 0,
  /** The host that events of more hosts than the table holds are booked on; lineage is not kept for it. */
  Overflow = 1,
}

/** `kind` of a rule record. */
export const enum RuleKind {
  Match = 1,
  Sequence = 2,
  Sample = 3,
  NewTerms = 4,
  Aggregate = 5,
  Temporal = 6,
  Behavior = 7,
}

/** Bits of `flags` of a rule record. */
export const enum RuleFlag {
  /** The rule joins across hosts: its events are judged behind the global watermark. */
  Global = 1,
  /** The rule judges events as they arrive, before they are held. */
  Early = 2,
  /** Some condition of the rule, or of a rule it refers to, asks about lineage. */
  Lineage = 4,
}

/** Byte offsets in a record of `Section.Rules`: u32 count, then one record a rule, all fields u32. */
export const enum RuleRecord {
  Kind = 0,
  Flags = 4,
  /** Offset in, or index of, the rule's own section: what it means is up to the kind. Behaviour: the root's mark bit. */
  Data = 8,
  Reserved = 12,
  Bytes = 16,
}

/**
 * What a true predicate does. `Section.Actions`: u32 predicate count P, u32 `starts[P + 1]`, then action records;
 * predicate p runs records `starts[p] .. starts[p + 1]` in order.
 */
export const enum Action {
  /** Publishes an alert. */
  Match = 1,
  /** Sets mark `argument` (0 to 63) on the event's process. */
  Mark = 2,
  /** Offers the event to step `argument` of a sequence. */
  SequenceStep = 3,
  SequenceUntil = 4,
  Terms = 5,
  Aggregate = 6,
  /** Offers the event to step `argument` of a sample. */
  Sample = 7,
  /**
   * Writes a witness of a behaviour rule's item if a process of the event's chain carries the rule's root mark.
   * `argument`: {@link WitnessArgument}.
   */
  Witness = 8,
  /** Says that the event is a process event of `SystemRole` `argument`. */
  System = 9,
  /** Offers the event to part `argument` of a temporal rule. */
  Temporal = 10,
  /** Counts the event for its host under counter `argument` of the coverage report. */
  Count = 11,
}

/** The argument of a witness action: the item's index in its rule, and whether the root mark is not asked for. */
export const enum WitnessArgument {
  ItemMask = 0xffff,
  Unattributed = 0x10000,
}

/** Byte offsets in a host's record of the coverage counts; a u32 for each counter follows. */
export const enum CoverageRow {
  FirstUs = 0,
  LastUs = 8,
  /** Events judged, u64. */
  Events = 16,
  Counts = 24,
}

/** Byte offsets in an action record. */
export const enum ActionRecord {
  Kind = 0,
  Rule = 4,
  Argument = 8,
  Bytes = 12,
}

/** What a process event says about its process. One event may say several; they are taken in this order. */
export const enum SystemRole {
  Fork = 0,
  Exec = 1,
  Snapshot = 2,
  Exit = 3,
}

/** Columns with a meaning of their own, `Section.Lineage`: one u32 column index each, `0xffffffff` where the program has none. */
export const enum LineageColumn {
  EntityId = 0,
  Pid = 1,
  Start = 2,
  PidVersion = 3,
  ParentEntityId = 4,
  ParentPid = 5,
  ParentStart = 6,
  Ancestry = 7,
  Executable = 8,
  Name = 9,
  CommandLine = 10,
  Args = 11,
  User = 12,
  ParentExecutable = 13,
  ParentName = 14,
  ParentCommandLine = 15,
  ParentArgs = 16,
  EventId = 17,
  Count = 20,
}

/** `relation` of a lineage condition. */
export const enum Relation {
  Descendant = 0,
  Child = 1,
  Event = 2,
}

/** How a process came to know its parent, weakest first: a stronger link replaces a weaker one, never the reverse. */
export const enum Link {
  None = 0,
  ParentPid = 1,
  Ancestry = 2,
  ParentStart = 3,
  ParentEntity = 4,
  Fork = 5,
}

/** Flags of a process record. */
export const enum ProcessFlag {
  Exited = 1,
  /** Known only from events of others or from events that are not its start. */
  Implicit = 2,
  /** Its list of ancestors was followed: later rows tell nothing more about who they are. */
  Settled = 4,
  /** Its parent was known once and has been forgotten. */
  Truncated = 8,
  /** Identified by an entity id or pid and start, not by pid alone. */
  Strong = 16,
  /** Three bits of {@link Link}. */
  LinkShift = 5,
}

/** Why something was lost. `stats().losses` prints the name. */
export const enum Loss {
  /** A row older than its host's watermark: applied as far as that is sound. */
  Late = 1,
  /** As Late, for rules across hosts. */
  LateGlobal = 2,
  /** A row judged before its time because the row store was full. */
  RowStore = 3,
  /** A host without a place in the host table. */
  HostTable = 4,
  /** A host's records dropped to make room for another host. */
  HostEvicted = 5,
  /** A process record dropped to make room. */
  Process = 6,
  /** An image segment that could not be kept. */
  Image = 7,
  /** Evidence that could not be kept. */
  Evidence = 8,
  /** An alert larger than the output buffer: its oldest evidence was left out. */
  Output = 10,
  /** A partial match dropped to make room. */
  SequenceState = 11,
  /** A remembered combination of terms dropped to make room. */
  TermsState = 12,
  /** A window or one of its entries dropped to make room. */
  AggregateState = 13,
  SampleState = 14,
  TemporalState = 15,
  /** A group key of more combinations than are expanded. */
  KeyCombinations = 16,
  /** A value that could not be interned: it counted as missing. */
  Value = 17,
  /** A truth set that could not be kept. */
  TruthSet = 18,
  /** Marks that could not be handed down to all descendants of a process. */
  MarkPropagation = 19,
  Count = 32,
}

/** Rule of a loss that no single rule bears. */
export const enum LossRule {
  None = 0xffffffff,
}

/**
 * The output buffer holds records one after another, each 8-aligned: a u32 `Output` kind, the u32 bytes of the whole
 * record, then the fields below. Drained by the host.
 */
export const enum Output {
  Alert = 1,
  Witness = 2,
}

/** Byte offsets in an alert record. Evidence entries follow, oldest first. */
export const enum AlertRecord {
  Kind = 0,
  Bytes = 4,
  Rule = 8,
  Host = 12,
  TimeUs = 16,
  KeyHash = 24,
  /** A number the rule's kind defines: the aggregate's value, as f64. */
  Value = 32,
  EvidenceCount = 40,
  Flags = 44,
  /** Ordinal of the row whose arrival completed the alert: later than that of a row that was held. u64. */
  Arrival = 48,
  /** Time of the rules across hosts before that row arrived. i64. */
  ClockUs = 56,
  Header = 64,
}

/** Byte offsets in one evidence entry. Values follow, then padding to 8 bytes. */
export const enum EvidenceEntry {
  Bytes = 0,
  Step = 4,
  Flags = 6,
  TimeUs = 8,
  Ordinal = 16,
  IdentityLow = 24,
  IdentityHigh = 32,
  Host = 40,
  ValueBytes = 44,
  Header = 48,
}

/** Bits of `flags` of an evidence entry. */
export const enum EvidenceFlag {
  /** The step was satisfied by absence: the entry has a time and no event. */
  Missing = 1,
  /** Some value was cut short or left out. */
  Cut = 2,
  /** The event's values could not be kept: identity and time only. */
  Bare = 4,
}

/** `Section.Evidence`: u32 count, then one of these words for each field. */
export const enum EvidenceWord {
  /** The column's index. */
  Column = 0xffff,
  /** Later steps of a sequence read the field: its values are kept longer than others. */
  Kept = 0x80000000,
}

/**
 * One value of an evidence entry: u16 field (index in `Section.Evidence`), u8 tag, u8 flags (1: cut), u32 bytes, the
 * bytes, padding to 4 bytes. A list is one entry of tag List whose bytes are values of the same form.
 */
export const enum EvidenceTag {
  String = 1,
  /** Text of a number. */
  Number = 2,
  Bool = 3,
  List = 4,
  /** A number as f64 bytes. */
  Float = 5,
}

/** Byte offsets in a witness record: the header, `ProcessCount` process entries, then one evidence entry. */
export const enum WitnessRecord {
  Kind = 0,
  Bytes = 4,
  Rule = 8,
  Item = 12,
  Host = 16,
  ProcessCount = 20,
  TimeUs = 24,
  Flags = 32,
  Header = 40,
}

/** Bits of `flags` of a witness record. */
export const enum WitnessFlag {
  /** The event came after its host's watermark. */
  Late = 1,
  /** There are ancestors beyond the last process entry. */
  ChainTruncated = 2,
  /** Only the header is given: late, chain and evidence are those of the witness record before. */
  Repeated = 4,
}

/**
 * Byte offsets in one process entry of a witness record: the event's own process first, then its ancestors, nearest
 * first. Image segments follow, newest first.
 */
export const enum ProcessEntry {
  Bytes = 0,
  Flags = 4,
  Identity = 8,
  Own = 16,
  Inherited = 24,
  StartUs = 32,
  Pid = 40,
  ImageCount = 44,
  Header = 48,
}

/**
 * Byte offsets in one image segment: time from which it runs, then executable, name, command line, args and user as
 * evidence values (field = `LineageColumn`), then padding to 8 bytes.
 */
export const enum ImageEntry {
  Bytes = 0,
  Reserved = 4,
  TimeUs = 8,
  Header = 16,
}
