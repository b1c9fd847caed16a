/** Evidence links without values: u32 next, u32 step, u64 ordinal (all ones: absence). One block a link. */
import { Config } from "../src/core/abi/state";
import { configU32 } from "./config";
import { reserve } from "./memory";
import { rowOrdinal } from "./rows";

const MISSING: u64 = u64.MAX_VALUE;
let links: usize = 0;
let made: u32 = 1;
let free: u32 = 0;
let used: u32 = 0;

function at(link: u32): usize {
  if (links == 0) links = reserve(usize(evidenceBlockCapacity() + 1) << 4);
  return links + (usize(link) << 4);
}

export function evidenceBlockCapacity(): u32 {
  return configU32(Config.EvidenceBytes);
}

export function evidenceBlocksUsed(): u32 {
  return used;
}

export function evidenceLinksUsed(): u32 {
  return used;
}

function take(step: u32, ordinal: u64): u32 {
  let link = free;
  if (link != 0) free = load<u32>(at(link));
  else if (made <= evidenceBlockCapacity()) link = made++;
  else return 0;
  used++;
  store<u32>(at(link), 0);
  store<u32>(at(link), step, 4);
  store<u64>(at(link), ordinal, 8);
  return link;
}

export function evidenceCapture(slot: u32, step: u32, _rule: u32): u32 {
  return take(step, rowOrdinal(slot));
}

export function evidenceMissing(step: u32, _timeUs: i64, _host: u32, _rule: u32): u32 {
  return take(step, MISSING);
}

export function evidenceNext(link: u32): u32 {
  return load<u32>(at(link));
}

export function evidenceStep(link: u32): u32 {
  return load<u32>(at(link), 4);
}

export function evidenceOrdinal(link: u32): u64 {
  return load<u64>(at(link), 8);
}

export function evidenceSetNext(link: u32, next: u32): void {
  if (link != 0) store<u32>(at(link), next);
}

export function evidenceClone(chain: u32, _rule: u32): u32 {
  let first: u32 = 0;
  let last: u32 = 0;
  for (let from = chain; from != 0; from = evidenceNext(from)) {
    const link = take(evidenceStep(from), evidenceOrdinal(from));
    if (last == 0) first = link;
    else evidenceSetNext(last, link);
    last = link;
  }
  return first;
}

export function evidenceRelease(chain: u32): void {
  while (chain != 0) {
    const next = evidenceNext(chain);
    if (load<u64>(at(chain), 8) == MISSING - 1) unreachable();
    store<u64>(at(chain), MISSING - 1, 8);
    store<u32>(at(chain), free);
    free = chain;
    used--;
    chain = next;
  }
}

const ENTRY_BYTES: u32 = 16;

export function evidenceEntryBytes(_link: u32, _withValues: bool): u32 {
  return ENTRY_BYTES;
}

export function evidenceWriteEntry(link: u32, to: usize, _withValues: bool): u32 {
  store<u32>(to, evidenceStep(link));
  store<u32>(to, 0, 4);
  store<u64>(to, evidenceOrdinal(link), 8);
  return ENTRY_BYTES;
}

export function evidenceReadEntry(from: usize, limit: u32, _rule: u32): u32 {
  return limit < ENTRY_BYTES ? 0 : take(load<u32>(from), load<u64>(from, 8));
}
