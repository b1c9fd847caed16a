/**
 * What each host has sent, as counts: how often each counter of the program was true, and the host's first and last
 * event time. One record a host; a host that takes over another's record starts from zero.
 */
import { Health } from "../src/core/abi/coverage";
import { Config, CoverageRow } from "../src/core/abi/state";
import { configU32 } from "./config";
import { reserve } from "./memory";

let rows: usize = 0;
let rowBytes: usize = 0;
let healthAt: usize = 0;
let counters: u32 = 0;
let forgotten: u32 = 0;

/** `hosts`: records of the host table. */
export function coverageInit(hosts: u32): void {
  counters = configU32(Config.CoverageCounters);
  if (counters == 0) return;
  healthAt = (usize(CoverageRow.Counts) + (usize(counters) << 2) + 7) & ~usize(7);
  rowBytes = healthAt + Health.Bytes;
  rows = reserve(usize(hosts) * rowBytes);
}

/** An event of the host is judged. */
export function coverageSee(host: u32, timeUs: i64): void {
  if (counters == 0) return;
  const row = rows + usize(host) * rowBytes;
  const events = load<u64>(row + CoverageRow.Events);
  if (events == 0 || timeUs < load<i64>(row + CoverageRow.FirstUs)) store<i64>(row + CoverageRow.FirstUs, timeUs);
  if (events == 0 || timeUs > load<i64>(row + CoverageRow.LastUs)) store<i64>(row + CoverageRow.LastUs, timeUs);
  store<u64>(row + CoverageRow.Events, events + 1);
}

/** Counter `counter` is true of an event of the host. Stays at its greatest value when it is full. */
export function coverageCount(host: u32, counter: u32): void {
  if (counter >= counters) return;
  const at = rows + usize(host) * rowBytes + CoverageRow.Counts + (usize(counter) << 2);
  const count = load<u32>(at);
  if (count != u32.MAX_VALUE) store<u32>(at, count + 1);
}

/** The host's record goes to another host. */
export function coverageForget(host: u32): void {
  if (counters == 0) return;
  const row = rows + usize(host) * rowBytes;
  if (load<u64>(row + CoverageRow.Events) != 0) forgotten++;
  memory.fill(row, 0, rowBytes);
}

/** Address of a host's record, 0 where nothing is counted. */
export function coverageRow(host: u32): usize {
  return counters == 0 ? 0 : rows + usize(host) * rowBytes;
}

/** Address of a host's health block; only where something is counted. */
export function coverageHealth(host: u32): usize {
  return rows + usize(host) * rowBytes + healthAt;
}

/** Hosts whose counts were given up. */
export function coverageForgotten(): u32 {
  return forgotten;
}
