/**
 * The predicate half of a rule program: atoms, jump code, expression code, candidates and keys. Imported by both
 * compilers; numbers only. All multi-byte fields are little-endian; offsets count from the start of their section.
 */

/**
 * Ranges of predicate ids; a row's true predicates are dispatched in ascending order. First those that say what a process
 * event means for its process, then marks (conditions that feed lineage, by mark bit), then all others.
 */
export const enum PredicateId {
  FirstSystem = 0,
  FirstMark = 8,
  FirstOrdinary = 72,
}

/** A jump target, or an entry of `Section.Predicates`, that decides instead of going on. */
export const enum Jump {
  /** The id is not in use: never true. */
  Unused = 0xfffffffd,
  True = 0xfffffffe,
  False = 0xffffffff,
}

// ------------------------------------------------------------------------------------------------------ atoms

/**
 * `Section.Atoms`: u32 column count, u32 offset of each column's table (0: no atoms), then the tables: one header
 * each, whose fields are u32 and whose offsets count from the start of the section.
 */
export const enum AtomTable {
  AtomCount = 0,
  PatternCount = 4,
  /** Pattern records. */
  Patterns = 8,
  /** Bitmap of gram hashes; `BitmapBits` = log2 of its bits. 0 where no pattern has an anchor gram. */
  Bitmap = 12,
  BitmapBits = 16,
  /** u32 head (entry index + 1) for each gram hash; `HeadBits` = log2 of their number. */
  Heads = 20,
  HeadBits = 24,
  /** Gram entries. */
  Grams = 28,
  /** u32 pattern index + 1 for each text hash, linear probing; `EqualsBits` = log2 of the slots. */
  Equals = 32,
  EqualsBits = 36,
  /** Longest text of an `equals` pattern: longer values skip the table. */
  EqualsLongest = 40,
  /** Scan entries: patterns without an anchor gram. */
  Scans = 44,
  ScanCount = 48,
  /** Value tests: what is not a text pattern. */
  Tests = 52,
  TestCount = 56,
  /** u32 atom ids, ascending within each run, that patterns refer to. */
  Postings = 60,
  /** Bits of {@link AtomTableFlag}. */
  Flags = 64,
  Bytes = 68,
}

export const enum AtomTableFlag {
  /** Some pattern folds by Unicode: values outside ASCII are folded by the host. */
  HasUnicode = 1,
  /** Some pattern compares as written. */
  HasExact = 2,
  /** Some pattern folds ASCII or Unicode letters. */
  HasFolded = 4,
}

/** Which form of the value a pattern reads. */
export const enum TextSpace {
  Exact = 0,
  Ascii = 1,
  Unicode = 2,
}

/** Type of a pattern. */
export const enum PatternType {
  Equals = 0,
  Prefix = 1,
  Suffix = 2,
  Contains = 3,
  Wildcard = 4,
}

/** Byte offsets in a pattern record. The text lies in `Section.Strings`; in a wildcard the bytes below stand for `*`, `?`. */
export const enum PatternRecord {
  Type = 0,
  Space = 4,
  TextOffset = 8,
  TextLength = 12,
  /** First posting and number of postings. */
  PostingStart = 16,
  PostingCount = 20,
  /** The literal that holds the anchor gram: offset within the text, and length. */
  LiteralStart = 24,
  LiteralLength = 28,
  Bytes = 32,
}

/** Bytes that cannot occur in UTF-8 stand for the wildcards in a pattern's text. */
export const enum WildcardByte {
  AnyRun = 0xff,
  AnyOne = 0xfe,
}

/** Byte offsets in a gram entry: four folded bytes at `Offset` within the pattern's literal. */
export const enum GramEntry {
  Gram = 0,
  /** Next entry of the same hash, index + 1; 0 ends the chain. */
  Next = 4,
  Pattern = 8,
  Offset = 12,
  Bytes = 16,
}

/** Byte offsets in a scan entry: two bits that the value's digest must have (0xffff: none), then the pattern. */
export const enum ScanEntry {
  FirstBit = 0,
  SecondBit = 2,
  Pattern = 4,
  Bytes = 8,
}

/** The digest of a value: bits of its bytes and byte pairs, folded. */
export const enum Digest {
  Bits = 1024,
  Multiplier = 0x9e3779b1,
}

/** A test of one value that is not a text pattern. */
export const enum ValueTest {
  /** Compares the number in the value with a constant. */
  Number = 1,
  /** As Number, only for values that are numbers (not texts that write one). */
  NumberOnly = 2,
  /** Orders the value as text against a constant. */
  Text = 3,
  /** The value is an address in one of the blocks. */
  Cidr = 4,
  /** The expression, with this value as its field, is true. */
  ExpressionTrue = 5,
  ExpressionFalse = 6,
  /** The expression is not null. */
  ExpressionKnown = 7,
}

/** Byte offsets in a value test. */
export const enum ValueTestRecord {
  Kind = 0,
  Atom = 4,
  /** {@link Comparison}. */
  Comparison = 8,
  /** {@link TextSpace} of a text comparison. */
  Space = 12,
  /** Constant index, first constant of a set or blocks, or leaf index. */
  Operand = 16,
  Count = 20,
  Bytes = 24,
}

export const enum Comparison {
  Equal = 0,
  NotEqual = 1,
  Less = 2,
  LessOrEqual = 3,
  Greater = 4,
  GreaterOrEqual = 5,
}

// -------------------------------------------------------------------------------------------------- jump code

/**
 * `Section.Predicates`: u32 count, then one u32 entry each: an instruction index or a {@link Jump}.
 * `Section.Code`: u32 instruction count, u32 leaf count, u32 nested count, u32 leaf columns, u32 expression
 * instructions, u32 offsets of: instructions, leaves, nested blocks, leaf columns, expression instructions.
 */
export const enum CodeHeader {
  InstructionCount = 0,
  LeafCount = 4,
  NestedCount = 8,
  ColumnCount = 12,
  ExpressionCount = 16,
  Instructions = 20,
  Leaves = 24,
  Nested = 28,
  Columns = 32,
  Expressions = 36,
  Bytes = 40,
}

/** A two-valued test and where to go on. Targets lie after the instruction. */
export const enum Test {
  /** The truth set of the cell holds atom `operand`. */
  Atom = 1,
  /** The cell is not missing. */
  Exists = 2,
  /** A NUMBER column compares with constant `operand`; missing: false. */
  Number = 3,
  /** A NUMBER column is in a sorted run of constants: `operand` first, `flags` unused, count in the constant before. */
  NumberSet = 4,
  /** An ID column equals string constant `operand`. */
  Id = 5,
  /** Leaf `operand` has the outcome in `flags`. */
  Leaf = 6,
  /** Regular expression `operand` holds for the cell (any value of it). */
  Host = 7,
  /** Nested block `operand` holds. */
  Nested = 8,
  /** Lineage relation `flags` to mark `operand`. */
  Lineage = 9,
}

/** Byte offsets in an instruction. */
export const enum Instruction {
  /** u8 {@link Test}. */
  Test = 0,
  /** u8: comparison, outcome or relation; bit 7: the cell is the current element's. */
  Flags = 1,
  /** u16. */
  Column = 2,
  Operand = 4,
  OnTrue = 8,
  OnFalse = 12,
  Bytes = 16,
}

/** Bit of `Instruction.Flags`: read the current element of the enclosing nested block. */
export const enum InstructionFlag {
  Element = 0x80,
  Mask = 0x7f,
}

/** Which outcome of a leaf is asked for. */
export const enum Outcome {
  False = 0,
  True = 1,
  Known = 2,
}

/** Byte offsets in a nested block: the condition, its columns, how many elements must satisfy it. */
export const enum NestedRecord {
  Entry = 0,
  ColumnStart = 4,
  ColumnCount = 8,
  Comparison = 12,
  Wanted = 16,
  Bytes = 20,
}

/** Byte offsets in a leaf: a run of expression instructions over some columns. */
export const enum LeafRecord {
  Start = 0,
  Length = 4,
  ColumnStart = 8,
  ColumnCount = 12,
  Bytes = 16,
}

/**
 * A leaf column is a u32: the column index, the element (from 1) of its list where one is named, and whether the
 * current element of the enclosing nested block is read. Both together say that it is no column of the row: then the low
 * half is a field (its index in `Section.Evidence`), and the element is 1 + the step whose event it is read from.
 */
export const enum LeafColumn {
  Mask = 0xffff,
  ItemShift = 16,
  ItemMask = 0x7fff,
  Element = 0x80000000,
}

// ------------------------------------------------------------------------------------------------ expressions

/** An operation of the expression machine. Straight-line; a null operand gives null unless said otherwise. */
export const enum Op {
  /** Pushes constant `operand`. */
  Constant = 1,
  /** Pushes the value of the leaf's column number `operand`. */
  Field = 2,
  /** Pops b and a; pushes a, or b where a is null. */
  Coalesce = 3,
  Add = 4,
  Subtract = 5,
  Multiply = 6,
  Divide = 7,
  Modulo = 8,
  /** Pops b and a; compares by `operand` ({@link Comparison}), folding by `mode`. */
  Compare = 9,
  /** Pops x; pushes whether it is null. Never null. */
  IsNull = 10,
  /** Three-valued logic. */
  And = 11,
  Or = 12,
  Not = 13,
  /** Pops x; pushes false where x is true, else true. */
  NotTrue = 14,
  /** Pops x; matches it as text against the patterns `operand` .. `operand + count - 1` of the constants. */
  Match = 15,
  Cidr = 16,
  /** Pops x; asks the host whether regular expression `operand` holds. */
  Host = 17,
  Length = 18,
  /** Pops `count` values; pushes their joined text. */
  Concat = 19,
  /** The functions below pop their arguments, last first; optional ones are always there, null where left out. */
  Between = 20,
  EndsWith = 21,
  IndexOf = 22,
  Number = 23,
  StartsWith = 24,
  String = 25,
  StringContains = 26,
  Substring = 27,
  /** Pops x; pushes it as text in the form that paths of the platform `operand` (index into `platforms` of `core/paths.ts`) compare in. */
  PathKey = 28,
}

/** Byte offsets in an expression instruction. */
export const enum OpRecord {
  /** u8 {@link Op}. */
  Op = 0,
  /** u8 {@link TextSpace}. */
  Mode = 1,
  /** u16 number of values or constants. */
  Count = 2,
  Operand = 4,
  Bytes = 8,
}

/** Values deep that the expression machine's stack is. */
export const enum ExpressionLimit {
  StackDepth = 64,
  /** Combinations of list items that one leaf is tried with. */
  Combinations = 1024,
  /** Earlier events of a sequence that one leaf reads. */
  Steps = 4,
}

/** Tag of a constant and of a value on the stack. */
export const enum ValueType {
  Null = 0,
  Text = 1,
  Integer = 2,
  Float = 3,
  Boolean = 4,
  /** Constants only: a pattern (text as in a pattern record; `Aux` = type, `Space` = space). */
  Pattern = 5,
  /** Constants only: an address block: 16 bytes in `Section.Strings`, `Aux` = prefix length. */
  Block = 6,
}

/** `Section.Constants`: u32 count, 4 bytes unused, then records. */
export const enum ConstantRecord {
  Type = 0,
  /** Bytes of a text. */
  Length = 4,
  /** f64 of a number or boolean; u32 offset of a text in `Section.Strings`. */
  Payload = 8,
  Aux = 16,
  Space = 20,
  Bytes = 24,
}

// ------------------------------------------------------------------------------------------------- candidates

/**
 * `Section.Candidates`: u32 column count, u32 offset and u32 count of the predicates without a witness (ascending
 * u32 ids), u32 offset and u32 count of the guards, then one u32 offset a column (0: no witness is there) of a u32
 * `starts[atoms + 1]` followed by its ids.
 */
export const enum CandidateHeader {
  ColumnCount = 0,
  AlwaysOffset = 4,
  AlwaysCount = 8,
  GuardsOffset = 12,
  GuardCount = 16,
  Columns = 20,
}

/** Guards at most. */
export const enum GuardLimit {
  Count = 4,
}

/** Byte offsets in a guard: a Text column of which some predicates need one of certain atoms. */
export const enum GuardRecord {
  Column = 0,
  /** Offset of u32 `starts[atoms + 1]`: the predicates that each atom lets pass. */
  Starts = 4,
  /** Offsets of the u32 ids of the predicates that need an atom of the column, and of their end. */
  Needs = 8,
  NeedsEnd = 12,
  Bytes = 16,
}

// ------------------------------------------------------------------------------------------------------- keys

/**
 * `Section.Keys`: u32 key count, u32 component count, u32 offsets of the keys and of the components; then keys
 * (u32 first component, u32 components) and components.
 */
export const enum KeyHeader {
  KeyCount = 0,
  ComponentCount = 4,
  Keys = 8,
  Components = 12,
  Bytes = 16,
}

/** Byte offsets in a key. */
export const enum KeyRecord {
  Start = 0,
  Count = 4,
  Bytes = 8,
}

/** Byte offsets in a key component. */
export const enum KeyComponent {
  /** Column index, or `KeyValue.Leaf`. */
  Column = 0,
  /** Leaf index where the component is an expression. */
  Leaf = 4,
  /** 1: a missing value joins as null. */
  Optional = 8,
  Bytes = 12,
}

export const enum KeyValue {
  Leaf = 0xffffffff,
  /** Combinations of one key that are expanded; further ones are dropped and counted. */
  CombinationsMax = 64,
}

// ------------------------------------------------------------------------------------------------------- host

/**
 * `Section.HostFunctions`: u32 count, then records: regular expressions that the host evaluates. A function holds
 * when any of its patterns does.
 */
export const enum HostFunctionRecord {
  /** {@link TextSpace}: how letters compare. */
  Space = 0,
  /** 1: the whole value must match. */
  IsFull = 4,
  /** The patterns as a JSON array of strings in `Section.Strings`. */
  TextOffset = 8,
  TextLength = 12,
  Bytes = 16,
}
