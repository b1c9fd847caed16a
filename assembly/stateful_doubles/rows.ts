/** The one row that is being judged: i64 time, u64 ordinal, f64 tiebreaker, u32 host. */
const ROW: usize = memory.data(32, 8);

export function rowBuffer(): usize {
  return ROW;
}

export function rowTimeUs(_slot: u32): i64 {
  return load<i64>(ROW);
}

export function rowOrdinal(_slot: u32): u64 {
  return load<u64>(ROW, 8);
}

export function rowTiebreak(_slot: u32): f64 {
  return load<f64>(ROW, 16);
}

export function rowHost(_slot: u32): u32 {
  return load<u32>(ROW, 24);
}
