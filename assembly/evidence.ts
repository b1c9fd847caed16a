/**
 * Evidence: what is kept of an event after its row is gone. A link names a step and points to a body; the body (identity,
 * time, the evidence columns' values) is shared by all links to the same row. Both come from bounded pools.
 */
import { Config, EvidenceEntry, EvidenceFlag, Loss } from "../src/core/abi/state";
import { configU32 } from "./config";
import {
  EVIDENCE_ROW_BYTES, encodeEntry, encodeRow, encoded, encodedBytes, encodedFlags, encodedHigh, encodedLow, encodedOrdinal,
  evidenceRowInit,
} from "./evidence_row";
import { countLoss } from "./losses";
import { hole, reserve } from "./memory";
import { restoredHost } from "./restore";
import { rowHost, rowOrdinal, rowTimeUs } from "./rows";

// A link: u32 next (newest first; next free while free), u32 body (0: none), u16 step, u16 flags, u32 unused, i64 time.
const LINK: usize = 24;
const LINK_BODY: usize = 4;
const LINK_STEP: usize = 8;
const LINK_FLAGS: usize = 10;
const LINK_TIME: usize = 16;

// A body is a chain of blocks. Each begins with u32 next block; the first goes on with the fields below.
const BLOCK: usize = 128;
const REST: usize = 4;
const BODY_REFS: usize = 4; // u32
const BODY_TIME: usize = 8; // i64
const BODY_ORDINAL: usize = 16; // u64
const BODY_LOW: usize = 24; // u64 identity; 0, 0 when event.id stands for it
const BODY_HIGH: usize = 32; // u64
const BODY_HOST: usize = 40; // u32
const BODY_BYTES: usize = 44; // u32 bytes of values
const BODY_FLAGS: usize = 48; // u32
const BODY_DATA: usize = 52;

let linkPool: usize = 0;
let linkCapacity: u32 = 0;
let linksMade: u32 = 1;
let freeLink: u32 = 0;

let blockPool: usize = 0;
let blockCapacity: u32 = 0;
let blocksMade: u32 = 1;
let freeBlock: u32 = 0;
let blocksUsed: u32 = 0;

/** Body of the row that was taken last, if it has one. */
let sharedBody: u32 = 0;
let sharedOrdinal: u64 = u64.MAX_VALUE;

function linkAt(link: u32): usize {
  return linkPool + usize(link) * LINK;
}

function blockAt(block: u32): usize {
  return blockPool + usize(block) * BLOCK;
}

export function evidenceInit(): void {
  evidenceRowInit();
  // One link to eight blocks' worth of bytes: a link is small, and bodies are shared.
  const bytes = configU32(Config.EvidenceBytes);
  linkCapacity = bytes / 8 / u32(LINK) + 16;
  blockCapacity = (bytes - bytes / 8) / u32(BLOCK) + 16;
  linkPool = reserve(usize(linkCapacity) * LINK);
  blockPool = reserve(usize(blockCapacity) * BLOCK);
}

/** What copies of the kernel can do without. */
export function evidenceHoles(): void {
  hole(linkAt(linksMade), linkAt(linkCapacity));
  hole(blockAt(blocksMade), blockAt(blockCapacity));
}

/** Blocks in use and in all, for `stats`. */
export function evidenceBlocksUsed(): u32 {
  return blocksUsed;
}

export function evidenceBlockCapacity(): u32 {
  return blockCapacity;
}

/**
 * Keeps the row's evidence for `step`. Returns a link without successor, or 0 when no link is left. Where only blocks
 * have run out the link is bare: time and step alone. Both are counted on `rule`.
 */
export function evidenceCapture(slot: u32, step: u32, rule: u32): u32 {
  const link = takeLink(step, rowTimeUs(slot), rowHost(slot), rule);
  if (link == 0) return 0;
  const ordinal = rowOrdinal(slot);
  if (sharedBody == 0 || sharedOrdinal != ordinal) {
    sharedBody = makeBody(slot);
    sharedOrdinal = ordinal;
  } else {
    store<u32>(blockAt(sharedBody) + BODY_REFS, load<u32>(blockAt(sharedBody) + BODY_REFS) + 1);
  }
  if (sharedBody == 0) {
    countLoss(Loss.Evidence, rule, rowHost(slot), 1);
    store<u16>(linkAt(link) + LINK_FLAGS, EvidenceFlag.Bare);
  }
  store<u32>(linkAt(link) + LINK_BODY, sharedBody);
  return link;
}

/** A link that says that `step` was satisfied by absence until `timeUs`; 0 when no link is left, counted. */
export function evidenceMissing(step: u32, timeUs: i64, host: u32, rule: u32): u32 {
  const link = takeLink(step, timeUs, host, rule);
  if (link != 0) store<u16>(linkAt(link) + LINK_FLAGS, EvidenceFlag.Missing);
  return link;
}

export function evidenceNext(link: u32): u32 {
  return load<u32>(linkAt(link));
}

export function evidenceSetNext(link: u32, next: u32): void {
  if (link != 0) store<u32>(linkAt(link), next);
}

export function evidenceStep(link: u32): u32 {
  return load<u16>(linkAt(link) + LINK_STEP);
}

export function evidenceTimeUs(link: u32): i64 {
  return load<i64>(linkAt(link) + LINK_TIME);
}

/** A chain of links to the same bodies; cut short (and counted on `rule`) where links run out. */
export function evidenceClone(chain: u32, rule: u32): u32 {
  let first: u32 = 0;
  let last: u32 = 0;
  for (let from = chain; from != 0; from = evidenceNext(from)) {
    const link = takeLink(evidenceStep(from), evidenceTimeUs(from), 0, rule);
    if (link == 0) break;
    const body = load<u32>(linkAt(from) + LINK_BODY);
    store<u32>(linkAt(link) + LINK_BODY, body);
    store<u16>(linkAt(link) + LINK_FLAGS, load<u16>(linkAt(from) + LINK_FLAGS));
    if (body != 0) store<u32>(blockAt(body) + BODY_REFS, load<u32>(blockAt(body) + BODY_REFS) + 1);
    if (last == 0) first = link;
    else store<u32>(linkAt(last), link);
    last = link;
  }
  return first;
}

/** Gives a chain back. 0 is ignored. */
export function evidenceRelease(chain: u32): void {
  while (chain != 0) {
    const p = linkAt(chain);
    const next = load<u32>(p);
    releaseBody(load<u32>(p + LINK_BODY));
    store<u32>(p, freeLink);
    freeLink = chain;
    chain = next;
  }
}

function takeLink(step: u32, timeUs: i64, host: u32, rule: u32): u32 {
  let link = freeLink;
  if (link != 0) freeLink = load<u32>(linkAt(link));
  else if (linksMade < linkCapacity) link = linksMade++;
  else {
    countLoss(Loss.Evidence, rule, host, 1);
    return 0;
  }
  const p = linkAt(link);
  store<u64>(p, 0);
  store<u16>(p + LINK_STEP, u16(step));
  store<u16>(p + LINK_FLAGS, 0);
  store<i64>(p + LINK_TIME, timeUs);
  return link;
}

function releaseBody(body: u32): void {
  if (body == 0) return;
  const refs = load<u32>(blockAt(body) + BODY_REFS);
  if (refs > 1) {
    store<u32>(blockAt(body) + BODY_REFS, refs - 1);
    return;
  }
  if (body == sharedBody) sharedBody = 0;
  while (body != 0) {
    const next = load<u32>(blockAt(body));
    store<u32>(blockAt(body), freeBlock);
    freeBlock = body;
    blocksUsed--;
    body = next;
  }
}

function takeBlock(): u32 {
  let block = freeBlock;
  if (block != 0) freeBlock = load<u32>(blockAt(block));
  else block = blocksMade++;
  blocksUsed++;
  store<u32>(blockAt(block), 0);
  return block;
}

/** Copies the row's values into blocks; 0 when too few are left. */
function makeBody(slot: u32): u32 {
  encodeRow(slot);
  return makeBodyOf(encodedOrdinal, rowTimeUs(slot), rowHost(slot));
}

/** Copies the values at hand into blocks. */
function makeBodyOf(ordinal: u64, timeUs: i64, host: u32): u32 {
  const inFirst = u32(BLOCK - BODY_DATA);
  const inRest = u32(BLOCK - REST);
  const more = encodedBytes > inFirst ? (encodedBytes - inFirst + inRest - 1) / inRest : 0;
  if (blockCapacity - 1 - blocksUsed < more + 1) return 0;
  const body = takeBlock();
  const p = blockAt(body);
  store<u32>(p + BODY_REFS, 1);
  store<i64>(p + BODY_TIME, timeUs);
  store<u64>(p + BODY_ORDINAL, ordinal);
  store<u64>(p + BODY_LOW, encodedLow);
  store<u64>(p + BODY_HIGH, encodedHigh);
  store<u32>(p + BODY_HOST, host);
  store<u32>(p + BODY_BYTES, encodedBytes);
  store<u32>(p + BODY_FLAGS, encodedFlags);
  let from = min<u32>(encodedBytes, inFirst);
  memory.copy(p + BODY_DATA, encoded, from);
  let last = body;
  while (from < encodedBytes) {
    const block = takeBlock();
    store<u32>(blockAt(last), block);
    const n = min<u32>(encodedBytes - from, inRest);
    memory.copy(blockAt(block) + REST, encoded + from, n);
    from += n;
    last = block;
  }
  return body;
}

// ------------------------------------------------------------------------------------------- output entries

/** Bytes of the output entry of a link, with its values or without. */
export function evidenceEntryBytes(link: u32, withValues: bool): u32 {
  const body = load<u32>(linkAt(link) + LINK_BODY);
  const bytes = body != 0 && withValues ? load<u32>(blockAt(body) + BODY_BYTES) : 0;
  return (EvidenceEntry.Header + bytes + 7) & ~7;
}

/** Writes the output entry of a link and returns its bytes. */
export function evidenceWriteEntry(link: u32, to: usize, withValues: bool): u32 {
  const p = linkAt(link);
  const body = load<u32>(p + LINK_BODY);
  const b = blockAt(body);
  let flags: u32 = load<u16>(p + LINK_FLAGS);
  let bytes: u32 = 0;
  if (body == 0) {
    memory.fill(to, 0, EvidenceEntry.Header);
  } else {
    if (withValues) bytes = load<u32>(b + BODY_BYTES);
    else flags |= EvidenceFlag.Cut;
    flags |= load<u32>(b + BODY_FLAGS);
    store<u64>(to + EvidenceEntry.Ordinal, load<u64>(b + BODY_ORDINAL));
    store<u64>(to + EvidenceEntry.IdentityLow, load<u64>(b + BODY_LOW));
    store<u64>(to + EvidenceEntry.IdentityHigh, load<u64>(b + BODY_HIGH));
    store<u32>(to + EvidenceEntry.Host, load<u32>(b + BODY_HOST));
  }
  const total = (EvidenceEntry.Header + bytes + 7) & ~7;
  store<u32>(to + EvidenceEntry.Bytes, total);
  store<u16>(to + EvidenceEntry.Step, load<u16>(p + LINK_STEP));
  store<u16>(to + EvidenceEntry.Flags, u16(flags));
  store<i64>(to + EvidenceEntry.TimeUs, load<i64>(p + LINK_TIME));
  store<u32>(to + EvidenceEntry.ValueBytes, bytes);
  copyValues(b, bytes, to + EvidenceEntry.Header);
  return total;
}

function copyValues(body: usize, bytes: u32, to: usize): void {
  let done = min<u32>(bytes, u32(BLOCK - BODY_DATA));
  if (done != 0) memory.copy(to, body + BODY_DATA, done);
  let block = load<u32>(body);
  while (done < bytes && block != 0) {
    const n = min<u32>(bytes - done, u32(BLOCK - REST));
    memory.copy(to + done, blockAt(block) + REST, n);
    done += n;
    block = load<u32>(blockAt(block));
  }
}

/** Copies what the chain keeps of the event taken at `step`, at most `EVIDENCE_ROW_BYTES`; returns the bytes. */
export function evidenceValues(chain: u32, step: u32, to: usize): u32 {
  let link = chain;
  while (link != 0 && evidenceStep(link) != step) link = evidenceNext(link);
  const body = link == 0 ? 0 : load<u32>(linkAt(link) + LINK_BODY);
  if (body == 0) return 0;
  const bytes = min<u32>(load<u32>(blockAt(body) + BODY_BYTES), EVIDENCE_ROW_BYTES);
  copyValues(blockAt(body), bytes, to);
  return bytes;
}

/**
 * Makes a link from an output entry, for `rule`: the inverse of `evidenceWriteEntry`. `limit` bytes lie at `from`. Entries
 * of one event read one after another share their values. 0 when the entry is damaged or no link is left.
 */
export function evidenceReadEntry(from: usize, limit: u32, rule: u32): u32 {
  if (limit < u32(EvidenceEntry.Header)) return 0;
  const bytes = load<u32>(from + EvidenceEntry.ValueBytes);
  if (bytes > EVIDENCE_ROW_BYTES || bytes > limit - u32(EvidenceEntry.Header)) return 0;
  const flags: u32 = load<u16>(from + EvidenceEntry.Flags);
  const host = restoredHost(load<u32>(from + EvidenceEntry.Host));
  const link = takeLink(load<u16>(from + EvidenceEntry.Step), load<i64>(from + EvidenceEntry.TimeUs), host, rule);
  if (link == 0 || (flags & (EvidenceFlag.Missing | EvidenceFlag.Bare)) != 0) {
    if (link != 0) store<u16>(linkAt(link) + LINK_FLAGS, u16(flags & (EvidenceFlag.Missing | EvidenceFlag.Bare)));
    return link;
  }
  const ordinal = load<u64>(from + EvidenceEntry.Ordinal);
  if (sharedBody != 0 && sharedOrdinal == ordinal) {
    store<u32>(blockAt(sharedBody) + BODY_REFS, load<u32>(blockAt(sharedBody) + BODY_REFS) + 1);
  } else {
    encodeEntry(from, bytes);
    sharedBody = makeBodyOf(ordinal, load<i64>(from + EvidenceEntry.TimeUs), host);
    sharedOrdinal = ordinal;
  }
  if (sharedBody == 0) {
    countLoss(Loss.Evidence, rule, host, 1);
    store<u16>(linkAt(link) + LINK_FLAGS, EvidenceFlag.Bare);
  }
  store<u32>(linkAt(link) + LINK_BODY, sharedBody);
  return link;
}
