/** Alerts go straight to the host, their evidence through a buffer: u32 step, u32 unused, u64 ordinal, oldest first. */
import { evidenceNext, evidenceOrdinal, evidenceStep } from "./evidence";

const STEPS: usize = memory.data(16384, 8);

@external("env", "alert")
declare function alert(rule: u32, host: u32, timeUs: f64, keyHash: u64, value: f64, flags: u32, count: u32): void;

export function stepBuffer(): usize {
  return STEPS;
}

export function emitAlert(
  rule: u32, host: u32, timeUs: i64, chain: u32, keyHash: u64, value: f64, flags: u32 = 0,
): void {
  let count: u32 = 0;
  for (let link = chain; link != 0; link = evidenceNext(link)) count++;
  let i = count;
  for (let link = chain; link != 0; link = evidenceNext(link)) {
    i--;
    store<u32>(STEPS + (usize(i) << 4), evidenceStep(link));
    store<u64>(STEPS + (usize(i) << 4), evidenceOrdinal(link), 8);
  }
  alert(rule, host, f64(timeUs), keyHash, value, flags, count);
}
