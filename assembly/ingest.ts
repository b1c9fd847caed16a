/** Sets up the ingest half and hands staged chunks on. */
import { IngestConfig, IngestLimit } from "../src/core/abi/events";
import { Config } from "../src/core/abi/state";
import { applyChunk } from "./apply";
import { batchInit } from "./batch";
import { columnsInit } from "./columns";
import { hashBytes, hashInit } from "./hash";
import { heldTextInit, keepHeldTexts } from "./held_text";
import { inputInit } from "./input";
import { jsonInit } from "./json_lines";
import { settleValues } from "./json_pending";
import { chunkBegin, chunkRows, chunkSeal, rowsDefaultHost, rowsFree, rowsInit } from "./rows";
import { valuesInit } from "./values";

/** Reserves every table of the ingest half. `config` is the table of f64 words that `Config` and `IngestConfig` name. */
export function ingestInit(config: usize): void {
  hashInit((<u64>word(config, IngestConfig.SeedHigh) << 32) | <u64>word(config, IngestConfig.SeedLow));
  columnsInit(word(config, IngestConfig.ColumnsPointer));
  valuesInit(word(config, Config.ValueBytes));
  rowsInit(word(config, Config.RowCapacity));
  heldTextInit(word(config, IngestConfig.HeldIdBytes));
  batchInit(
    word(config, IngestConfig.SessionCodes),
    word(config, IngestConfig.SessionIds),
    word(config, IngestConfig.SessionIdBytes),
  );
  inputInit(word(config, Config.InputBytes), word(config, Config.MaxValueBytes));
  jsonInit(word(config, IngestConfig.GeneralScanner) != 0, word(config, Config.RouteCapacity) != 0);
  const host = word(config, IngestConfig.DefaultHostPointer);
  const hostBytes = word(config, IngestConfig.DefaultHostBytes);
  rowsDefaultHost(host, hostBytes, hashBytes(host, hostBytes));
  chunkBegin();
}

function word(config: usize, index: u32): u32 {
  return <u32>load<f64>(config + (<usize>index << 3));
}

/** Hands the staged rows on and starts the next chunk. */
export function chunkFlush(): void {
  settleValues();
  if (chunkRows() == 0) return;
  chunkSeal();
  applyChunk(chunkRows());
  keepHeldTexts();
  chunkBegin();
}

/**
 * Makes sure a slot is free, handing on the chunk when it is full. `applyChunk(0)` asks for held rows to be judged
 * before their time. False when even that freed nothing.
 */
export function ensureSlot(): bool {
  if (chunkRows() < <u32>IngestLimit.ChunkRows && rowsFree() > 0) return true;
  chunkFlush();
  if (rowsFree() == 0) applyChunk(0);
  return rowsFree() > 0;
}
