/** Keys are evaluated by the host, which writes their combinations here. */
const KEYS: usize = memory.data(2048, 8);

@external("env", "key_evaluate")
export declare function keyEvaluate(key: u32, slot: u32): u32;

export let keyDropped: u32 = 0;

export function keyBuffer(): usize {
  return KEYS;
}

export function keyAt(i: u32): u64 {
  return load<u64>(KEYS + (usize(i) << 3));
}
