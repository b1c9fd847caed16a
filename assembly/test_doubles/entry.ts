/** Entry of the kernel that the ingest tests build: the ingest half with a host in place of the stateful half. */
export { ingest_batch, ingest_batch_check } from "../assembly/batch";
export { ingestInit } from "../assembly/ingest";
export * from "../assembly/input";
export { ingest_ndjson } from "../assembly/json_lines";
export { listItem, listLength, valueIsList } from "../assembly/lists";
export { reserve, reservedBytes } from "../assembly/memory";
export {
  cellHash,
  cellIdHash,
  cellIdLength,
  cellIdPtr,
  cellNumber,
  cellText,
  chunkSlot,
  ordinalNext,
  rowFree,
  rowHost,
  rowOrdinal,
  rowStableHash,
  rowTiebreak,
  rowTimeUs,
  rowsFree,
  touchedColumn,
  touchedCount,
} from "../assembly/rows";
export { valueGeneration } from "../assembly/value_collection";
export {
  valueColumn,
  valueHash,
  valueLength,
  valueMark,
  valueNumber,
  valuePtr,
  valueSet,
  valueTag,
  valuesFree,
  valueBytesFree,
} from "../assembly/values";
