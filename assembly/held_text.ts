/**
 * Texts of Id cells of rows that are held. While a chunk is applied they lie where they came from (the input, or the
 * session's dictionary); what still lives afterwards is copied here. Segments are given back when their last row is.
 */
import { IngestLimit } from "../src/core/abi/events";
import { idCellCount, idCellsOffset } from "./columns";
import { align8, copyText, reserve } from "./memory";
import { ROW_HELD_TEXT, ROW_LIVE, chunkRows, chunkSlot, rowAddress } from "./rows";

const SEGMENT_BYTES: usize = 65536;

let segments: usize = 0;
let segmentCount: u32 = 0;
/** Rows that have text in each segment. */
let residents: usize = 0;
let current: u32 = 0;
let used: usize = 0;

/** Id texts that no room was left for: the cell keeps its hash. */
export let idTextsLost: u64 = 0;

export function heldTextInit(bytes: usize): void {
  segmentCount = <u32>min<usize>(max<usize>(bytes / SEGMENT_BYTES, 2), 0xffff);
  segments = reserve(<usize>segmentCount * SEGMENT_BYTES + IngestLimit.Padding);
  residents = reserve(<usize>segmentCount << 2);
}

/** Copies the id texts of the chunk's rows that were not judged. Their sources may be overwritten afterwards. */
export function keepHeldTexts(): void {
  if (idCellCount == 0) return;
  for (let i: u32 = 0; i < chunkRows(); i++) {
    const at = rowAddress(chunkSlot(i));
    if ((load<u32>(at, 20) & ROW_LIVE) != 0) keepRow(at);
  }
}

function keepRow(at: usize): void {
  let bytes: usize = 0;
  const cells = at + idCellsOffset;
  for (let i: u32 = 0; i < idCellCount; i++) bytes += align8(load<u32>(cells + (<usize>i << 4), 12));
  if (bytes == 0) return;
  const hasRoom = bytes + 16 <= SEGMENT_BYTES && (used + bytes + 16 <= SEGMENT_BYTES || openSegment());
  for (let i: u32 = 0; i < idCellCount; i++) {
    const cell = cells + (<usize>i << 4);
    const length = load<u32>(cell, 12);
    if (length == 0) continue;
    if (!hasRoom) {
      store<u32>(cell, 0, 12);
      idTextsLost++;
      continue;
    }
    const target = segments + <usize>current * SEGMENT_BYTES + used;
    copyText(target, <usize>load<u32>(cell, 8), length);
    store<u32>(cell, <u32>target, 8);
    used += align8(length);
  }
  if (!hasRoom) return;
  store<u32>(residents + (<usize>current << 2), load<u32>(residents + (<usize>current << 2)) + 1);
  store<u32>(at, ROW_LIVE | ROW_HELD_TEXT | (current << 16), 20);
}

/** Moves on to a segment without residents, or answers false. */
function openSegment(): bool {
  for (let i: u32 = 0; i < segmentCount; i++) {
    const candidate = (current + i) % segmentCount;
    if (load<u32>(residents + (<usize>candidate << 2)) != 0) continue;
    current = candidate;
    used = 0;
    return true;
  }
  return false;
}

/** A row with text in `segment` was freed. */
export function releaseHeldText(segment: u32): void {
  const at = residents + (<usize>segment << 2);
  store<u32>(at, load<u32>(at) - 1);
}
