/** What lanes are given: the slices that are measured, and what is pushed before them. */
import type { LaneOptions } from './lane.js';
import { generateWorkload, takeWorkload, type WorkloadEvent, workloadPrograms, workloadStartMs } from './workload.js';

/** The first-seen rule that the live terms belong to. */
export const termsRule = `
[rule]
rule_id = "bench-program"
name = "First program on a host"
description = "Holds one term per host and program."
type = "new_terms"
language = "kuery"
query = "event.category:process and event.type:start"
risk_score = 1
severity = "low"
[rule.new_terms]
field = "new_terms_fields"
value = ["host.id", "process.executable"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-7d"
`;

/** The slices of the workload, each as `encode` gives it: more events than one slice's never lie in memory at once. */
export function sliced<T>(options: LaneOptions, encode: (events: WorkloadEvent[]) => T): T[] {
  const workload = generateWorkload(options);
  const next = (): WorkloadEvent => workload.next().value;
  return Array.from({ length: options.slices }, () => encode(Array.from({ length: options.eventsPerSlice }, next)));
}

/** Process starts a day before the workload: one of each program of its fleet, then others up to the wanted terms. */
export function* termEvents(options: LaneOptions): Generator<WorkloadEvent> {
  const known = workloadPrograms(options);
  const startMs = Date.UTC(2026, 3, 30);
  for (let index = 0; index < options.terms; index++) {
    const { hostId } = known[index % known.length] as (typeof known)[number];
    const executable = known[index]?.executable ?? `/srv/bin/${index.toString(36)}`;
    yield {
      '@timestamp': new Date(startMs + index).toISOString(),
      host: { id: hostId },
      event: { category: 'process', type: 'start', action: 'exec' },
      process: { executable },
    };
  }
}

/**
 * Events of a fleet that runs much Python, on hosts of its own, an hour before the workload: enough witnesses for the
 * judges' JavaScript to be compiled, as in a process that has run for a while.
 */
export function judgeEvents(options: LaneOptions): WorkloadEvent[] {
  return takeWorkload(
    { seed: options.seed + 1, hosts: 50, pythonShare: 0.3, startMs: workloadStartMs - 3_600_000 },
    3 * Math.min(options.eventsPerSlice, 20_480),
  );
}
