/**
 * Numbers shared by the host and the kernel's ingest half: columns, batch views, row reasons and counters. Imported by
 * both compilers; numbers only.
 */

/** Words of the configuration table that ingest owns (f64 each, see `Config` in `state.ts`). */
export const enum IngestConfig {
  /** Seed of the kernel's hash tables, two 32-bit halves. Results never depend on it. */
  SeedLow = 32,
  SeedHigh = 33,
  /** Codes that all text dictionaries of a session, or of one self-contained batch, may hold together. */
  SessionCodes = 34,
  /** Codes that all identity dictionaries of a session, or of one self-contained batch, may hold together. */
  SessionIds = 35,
  /** Bytes of identity text kept for a session. */
  SessionIdBytes = 36,
  /** Bytes of identity text kept for held rows. */
  HeldIdBytes = 37,
  /** Address and bytes of `Section.Columns`. */
  ColumnsPointer = 38,
  ColumnsBytes = 39,
  /** Address and bytes of the host name given to rows that have none. */
  DefaultHostPointer = 40,
  DefaultHostBytes = 41,
  /** 1: NDJSON is read by the general scanner alone, no shapes are learned. The rows are the same. */
  GeneralScanner = 42,
}

/** How the cells of a column are kept. */
export const enum ColumnKind {
  /** Interned values of any JSON type, lists included. */
  Text = 1,
  /** One f64, NaN where missing. */
  Number = 2,
  /** The hash of one value and its text while the row lives. */
  Id = 3,
  /** The event time. It has no cells: it becomes the row's time. */
  Time = 4,
}

/** What a column is to the row store besides its cells. */
export const enum ColumnRole {
  None = 0,
  /** Orders rows of equal time. A Number column. */
  Tiebreak = 1,
  /** Name the host, the first present one in this order. Text or Id columns. */
  HostId = 2,
  HostName = 3,
  AgentId = 4,
}

/** Words of a record of `Section.Columns`: u32 count, then the records, then the names. Several may share a name. */
export const enum ColumnWord {
  Kind = 0,
  Role = 1,
  /** Byte offset of the name from the start of the section. */
  NameOffset = 2,
  NameBytes = 3,
  /** Bytes of the name's prefix that is its nested path, 0 for none. */
  NestedBytes = 4,
  Count = 8,
}

/** Type of an interned value, and of an entry of a batch's dictionary. */
export const enum ValueTag {
  Missing = 0,
  String = 1,
  Number = 2,
  Boolean = 3,
  List = 4,
}

/** How a column of a batch is stored. */
export const enum BatchKind {
  Text = 1,
  Number = 2,
  Id = 3,
}

/**
 * Words of the flat view of a batch that the host hands over: the header, then one record for each column of the
 * program. Every pointer is an address in linear memory; 0 where the batch has no such vector.
 */
export const enum ViewWord {
  Rows = 0,
  /** 1: codes belong to the current session. */
  IsDelta = 1,
  /** 1: the session starts with this batch. */
  StartsSession = 2,
  TimePointer = 3,
  HostPointer = 4,
  HostBytes = 5,
  Count = 8,
}

/** Words of a column record of a batch view. */
export const enum ViewColumn {
  /** `BatchKind`, or 0 where the batch lacks the column. */
  Kind = 0,
  /** u32 per row, or per item of a list column. */
  Codes = 1,
  CodeCount = 2,
  /** u32 rows + 1, for list columns. */
  ListOffsets = 3,
  /** Codes of the column that the session knew before this batch. */
  Base = 4,
  /** Entries that this batch adds. */
  Entries = 5,
  /** u32 entries + 1 into the text. */
  Offsets = 6,
  Text = 7,
  TextBytes = 8,
  /** u8 `ValueTag` per entry; 0: all are strings. */
  Tags = 9,
  /** f64 per row. */
  Numbers = 10,
  /** Bit per row, least significant first; 0: all are valid. */
  Validity = 11,
  /** 1: the codes are this batch's own, although the batch belongs to a session. */
  IsLocal = 12,
  Count = 13,
}

/** Answer of `ingest_batch_check`: `reason | column << 8`, 0 where the contents are sound. */
export const enum BatchFault {
  None = 0,
  /** A code is larger than the dictionary. */
  Code = 1,
  /** List offsets decrease or leave the codes. */
  ListOffsets = 2,
  /** Dictionary offsets decrease or leave the text. */
  Offsets = 3,
  /** A value tag is unknown, or does not fit its bytes. */
  Tag = 4,
  /** Text is not UTF-8. */
  Utf8 = 5,
  /** The dictionaries are larger than the kernel's session tables. */
  Codes = 6,
  Ids = 7,
  /** The text is larger than the kernel's value store. */
  Text = 8,
  IdText = 9,
}

/** Why a row was skipped. It took its ordinal; nothing else of it was used. */
export const enum SkipReason {
  /** Not JSON. */
  Syntax = 1,
  /** JSON, but not an object. */
  NotObject = 2,
  /** Nested deeper than 64. */
  Depth = 3,
  /** No time, or a time that cannot be read. */
  Time = 4,
  /** A line longer than the input region. */
  LineLength = 5,
  /** A line of more tokens than a quarter of the input region's bytes. */
  Tokens = 6,
  /** The row store was full. */
  RowStore = 7,
  Count = 8,
}

/** u64 counters at `ingest_counters()`. The first words count skipped rows by `SkipReason`. */
export const enum IngestCounter {
  /** Rows that took an ordinal, skipped ones too. */
  Rows = 8,
  /** Values cut to `maxValueBytes`, identity texts cut to 1 KiB, lists cut to 4096 items a row. */
  Truncated = 9,
  /** Values of another type in a Number column. */
  Mistyped = 10,
  /** Rows that were given the default host. */
  NoHost = 11,
  /** Values that no room was left for: they count as missing. */
  ValuesLost = 12,
  /** Times that the value store was collected. */
  Collections = 13,
  /** Identity texts dropped from held rows. */
  IdTextsLost = 14,
  /** NDJSON rows that the general scanner read, because their shape was not known. */
  GeneralRows = 15,
  Count = 16,
}

/** Words (u32) of an example of a skipped row at `ingest_examples()`. */
export const enum SkipExample {
  OrdinalLow = 0,
  OrdinalHigh = 1,
  /** Byte offset, in the bytes given to the call, of the place that was not understood. */
  Offset = 2,
  Reason = 3,
  Count = 4,
  /** Examples kept. */
  Max = 10,
}

/** Fixed sizes of the ingest half. */
export const enum IngestLimit {
  ChunkRows = 1024,
  /** Readable bytes after every text region. */
  Padding = 64,
  JsonDepth = 64,
  /** Items that the lists of one row may hold together. */
  RowItems = 4096,
  /** Bytes of an identity's text that are kept; its hash covers all of it. */
  IdTextBytes = 1024,
}
