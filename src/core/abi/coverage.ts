/** Numbers shared by the host and the kernel's health records, which lie behind the counts of a host (`CoverageRow`). */

/** Sizes of a host's health block: a record of the host, records of its first sources, a table of recent event ids. */
export const enum Health {
  RecordBytes = 96,
  Sources = 3,
  /** Event ids remembered of a host, each in the place that its hash names; u32 parts of hashes. A power of two. */
  Recent = 32,
  RecentAt = 384,
  Bytes = 512,
}

/** Byte offsets in a health record. */
export const enum HealthRecord {
  /** Times of the first and last event, i64 microseconds. */
  FirstUs = 0,
  LastUs = 8,
  /** Least and greatest sequence number of the run in hand, f64. */
  RunFirst = 16,
  RunLast = 24,
  /** Numbers missing from runs before, f64. */
  Missing = 32,
  Events = 40,
  Late = 44,
  /** Events that have an id, and those whose id was among the recent ones. */
  Identified = 48,
  Repeated = 52,
  /** Events of the run in hand. */
  RunCount = 56,
  /** Steps up by more than one. */
  Gaps = 60,
  /** u32 for each `ClockBucket`. */
  Clock = 64,
  /** 1 + index of the source in the model; 0 where the record is free, or the host's own. */
  Source = 88,
  /** Events beyond one for each number in runs before. */
  Extra = 92,
}

/** How far the time of ingestion lies behind the event's own. Upper ends included. */
export const enum ClockBucket {
  /** More than five minutes ahead of the event. */
  Ahead = 0,
  WithinFiveMinutes = 1,
  WithinHour = 2,
  WithinDay = 3,
  Longer = 4,
  Count = 5,
}
