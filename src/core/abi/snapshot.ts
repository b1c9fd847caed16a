/**
 * Records of a snapshot: logical state, one record a host, process, held row or entry of a rule's table. They are
 * written through the output buffer and read back in two passes; all begin with u32 kind and u32 bytes, 8-aligned. Kinds
 * below 16 are those of the stateful rules (`StateKind`).
 * Hosts are named by their index in the kernel that wrote them, rules by theirs.
 */
export const enum SnapshotRecord {
  /** Times and counts of the kernel as a whole: {@link KernelState}. Always first. */
  Kernel = 16,
  Host = 17,
  Process = 18,
  Row = 19,
}

/**
 * What the host writes at `restore_maps` before the first record: four u32 counts, then u8 new bit of each of 64 marks,
 * then u16 new index of each column, rule, evidence field; 0xff, 0xffff where there is none. Room for a u16 of each host
 * of the snapshot follows, which the kernel fills.
 */
export const enum RestoreMaps {
  Columns = 0,
  Rules = 4,
  Fields = 8,
  Hosts = 12,
  Marks = 16,
  First = 80,
}

/** Byte offsets in the kernel record. */
export const enum KernelState {
  NextOrdinal = 8,
  LateRows = 16,
  FutureRows = 24,
  GlobalMaxUs = 32,
  GlobalWatermarkUs = 40,
  GlobalFutureUs = 48,
  GlobalFutureHost = 56,
  Bytes = 64,
}

/** Byte offsets in a host record; the name follows, padded to 8 bytes. */
export const enum HostState {
  Host = 8,
  NameLength = 12,
  Hash = 16,
  MaxTimeUs = 24,
  WatermarkUs = 32,
  FutureLastUs = 40,
  Name = 48,
}

/** Byte offsets in a process record; `ImageCount` images follow: i64 time, then five values. */
export const enum ProcessState {
  Key = 8,
  Own = 16,
  Inherited = 24,
  /** Start in microseconds << 8, flags in the low byte. */
  Start = 32,
  /** Key of the parent, 0 for none. */
  Parent = 40,
  Pid = 48,
  Host = 52,
  LastTick = 56,
  ImageCount = 60,
  Images = 64,
}

/**
 * Byte offsets in a row record; `CellCount` cells follow: u64 column, then a value; then `DeferredCount` actions: u32
 * rule, u32 action, u32 argument, u32 unused.
 */
export const enum RowState {
  Host = 8,
  /** Which heaps the row waits in: {@link RowPlace}. */
  Place = 12,
  TimeUs = 16,
  Ordinal = 24,
  Tiebreak = 32,
  CellCount = 40,
  DeferredCount = 44,
  Cells = 48,
}

/** Where a held row waits. */
export const enum RowPlace {
  Host = 1,
  Global = 2,
  Late = 4,
  Future = 8,
}

/**
 * A value: u32 tag, u32 length, then its bytes padded to 8. Text: UTF-8. Number: f64, length 8. Boolean: length 1 or 0 of
 * meaning. List: length = items, each a value. Identity: text, then its u64 hash.
 */
export const enum StateValue {
  Missing = 0,
  Text = 1,
  Number = 2,
  Boolean = 3,
  List = 4,
  Identity = 5,
}
