/**
 * The kernel's host-callable functions. Order of calls: the host writes `config_table`, reserves and fills the program's
 * sections, calls `kernel_init` once, then pushes rows. Nothing allocates after that.
 */
import { applyInit } from "./apply";
import { predicatesInit } from "./predicates";
import { configTable } from "./config";
import { dispatchInit } from "./dispatch";
import { evidenceInit } from "./evidence";
import { hostsInit } from "./hosts";
import { ingestInit } from "./ingest";
import { lineageInit } from "./lineage";
import { lossesInit } from "./losses";
import { outputInit } from "./output";
import { restoreInit } from "./restore";
import { routingInit } from "./routing";
import { stateInit } from "./stateful";
import { stepValuesInit } from "./step_values";
import { witnessInit } from "./witness";

export { advanceTo as advance_to, flushAll as flush_all } from "./apply";
export {
  futureRowCount as future_row_count,
  globalMaxTimeUs as global_max_time_us,
  globalWatermarkUs as global_watermark_us,
  heldRowCount as held_row_count,
  judgedRowCount as judged_row_count,
  lateRowCount as late_row_count,
} from "./apply";
export { batch_contents_check, ingest_batch, ingest_batch_check, ingest_batch_room } from "./batch";
export { configTable as config_table, setSection as set_section } from "./config";
export { coverageForgotten as coverage_forgotten, coverageRow as coverage_row } from "./coverage";
export { matchedCounts as matched_counts } from "./dispatch";
export { evidenceBlockCapacity as evidence_block_capacity, evidenceBlocksUsed as evidence_blocks_used } from "./evidence";
export {
  hostCount as host_count,
  hostNameLength as host_name_length,
  hostNamePtr as host_name_ptr,
  hostSerial as host_serial,
  hostWatermarkUs as host_watermark_us,
} from "./hosts";
export { ingest_counters, ingest_example_count, ingest_examples, ingest_skip, input_capacity, input_ptr } from "./input";
export { ingest_ndjson } from "./json_lines";
export { routeByHost as route_by_host } from "./json_route";
export { lossAt as loss_at, lossSlots as loss_slots } from "./losses";
export { memoryTouch as memory_touch, reserve as memory_reserve, reservedBytes as memory_reserved } from "./memory";
export { outputBytes as output_bytes, outputClear as output_clear, outputPtr as output_ptr } from "./output";
export {
  restoreBegin as restore_begin,
  restoreMaps as restore_maps,
  restoreRecords as restore_records,
} from "./restore";
export { snapshotBegin as snapshot_begin, snapshotNext as snapshot_next } from "./snapshot";
export { snapshotHoles as snapshot_holes } from "./snapshot_regions";
export {
  processCapacity as process_capacity,
  processCount as process_count,
  processTableBytes as process_table_bytes,
} from "./process_table";
export {
  stateRecordCapacity as state_record_capacity,
  stateRecordsUsed as state_records_used,
  stateTableBytes as state_table_bytes,
} from "./state_budget";
export { hostKnownSinceUs as host_known_since_us } from "./terms";

export { ordinalNextOf as ordinal_next, ordinalSetTo as ordinal_set } from "./rows";
export {
  foreignSlots as foreign_slots,
  ordinalTable as ordinal_table,
  ordinalUse as ordinal_use,
  routeBegin as route_begin,
  routeClocks as route_clocks,
  routeEnd as route_end,
  routeLines as route_lines,
  routePlaces as route_places,
  routeScatter as route_scatter,
  routeShards as route_shards,
} from "./routing";
export { rowsForeignCount as foreign_row_count } from "./rows";
export { ruleEntries as rule_entries } from "./state_groups";

/** Raised whenever a change makes older hosts unable to drive the kernel. */
export function abi_version(): u32 {
  return 1;
}

/** Reserves every table, as the configuration says. Once, after the sections are in place. */
export function kernel_init(): void {
  hostsInit();
  lossesInit();
  ingestInit(configTable());
  routingInit();
  predicatesInit();
  evidenceInit();
  stepValuesInit();
  outputInit();
  lineageInit();
  dispatchInit();
  witnessInit();
  stateInit();
  applyInit();
  restoreInit();
}
