/** Numbers shared by the host and the kernel's routing: slots of hosts, and what is noted of each row. Numbers only. */

export const enum HostSlots {
  /** Slots that hosts map to by the hash of their name. */
  Count = 256,
  /** In place of a slot: the row was skipped. */
  Skipped = 256,
}

/** Byte offset, for each row noted, of the columns of notes: offset times the rows that can be noted. */
export const enum RouteColumn {
  /** i64: time of the rules across hosts after the row. */
  Clock = 0,
  /** u32 offset of the line in the input. */
  Start = 8,
  End = 12,
  /** u32 slot of the host. */
  Slot = 16,
  RowBytes = 24,
}
