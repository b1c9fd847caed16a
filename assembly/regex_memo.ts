/**
 * Outcomes of regular expressions, which the host evaluates. Asked for only where a predicate gets that far, and
 * remembered by (expression, hash of the text): a small direct-mapped table, whose losers are asked for again.
 */
import { reserve } from "./memory";
import { host_call } from "./predicate_host";

const MIX: u64 = 0x9e3779b97f4a7c15;

let memo: usize = 0;
let mask: u32 = 0;

/** Reserves 2 to the power of `bits` entries of 8 bytes. */
export function regexMemoInit(bits: u32): void {
  memo = reserve(<usize>8 << bits);
  mask = (<u32>1 << bits) - 1;
}

/** Whether regular expression `index` holds for a text with this hash. */
export function regexHolds(index: u32, hash: u64, pointer: usize, length: u32): bool {
  let key = (hash ^ (<u64>(index + 1) * MIX)) * MIX;
  key ^= key >> 31;
  const at = memo + (<usize>(<u32>(key >> 40) & mask) << 3);
  // The lowest bit is the outcome; a key of all zeros but that bit cannot be told from an empty entry, so it has one set.
  const tag = (key & ~(<u64>1)) | 2;
  const known = load<u64>(at);
  if ((known & ~(<u64>1)) == tag) return (known & 1) != 0;
  const outcome = host_call(index, pointer, length) == 1;
  store<u64>(at, tag | <u64>outcome);
  return outcome;
}
