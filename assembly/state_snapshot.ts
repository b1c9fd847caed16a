/**
 * Live state as logical records (`StateRecord`), and back: what a table holds, not how. Rules and hosts are numbered as in
 * this kernel. Group keys are hashes under the kernel's seed, so a snapshot is restored into a kernel of the same seed.
 *
 * Written in pieces that fit a buffer, read record by record; a record that is damaged or fits no rule is left out.
 */
import { RuleKind } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";
import { PartialRecord, SequenceRecord, StateKind, StateRecord, StateTable } from "../src/core/abi/stateful";
import { sectionPtr } from "./config";
import { SAMPLE_EVIDENCE, SAMPLE_KIND, SAMPLE_NEXT, SAMPLE_TIME, SAMPLE_VALUE, sampleAt } from "./aggregate_samples";
import {
  WINDOW_KEY,
  WINDOW_NEWEST_US,
  WINDOW_OLDEST,
  WINDOW_QUIET_US,
  WINDOW_RULE,
  windowRestore,
  windowSampleRestore,
} from "./aggregate";
import { evidenceEntryBytes, evidenceNext, evidenceReadEntry, evidenceSetNext, evidenceWriteEntry } from "./evidence";
import { hostCount } from "./hosts";
import { KEPT_CHAIN, KEPT_COUNT, KEPT_KEY, KEPT_NEXT, KEPT_ORDINAL, KEPT_RULE, KEPT_STEP, KEPT_TIME, sampleKeep } from "./sample";
import { partialRestore } from "./sequence_restore";
import {
  PARTIAL_CHAIN,
  PARTIAL_FLAGS,
  PARTIAL_FORBIDDEN,
  PARTIAL_KEY,
  PARTIAL_LAST,
  PARTIAL_LEADING,
  PARTIAL_ORDINAL,
  PARTIAL_RULE,
  PARTIAL_START,
  PARTIAL_STEP,
  PARTIAL_TIEBREAK,
} from "./sequence";
import { ruleData, stateTable } from "./state_entries";
import { groupFirst, groupHost, groupLast, groupRule, groupsEnd, groupTable } from "./state_groups";
import { DEADLINE, GROUP, HASH, tableAt, tableEnd } from "./state_table";
import { ruleKind } from "./stateful";
import { TEMPORAL_CHAIN, TEMPORAL_FROM, TEMPORAL_KEY, TEMPORAL_PART, temporalKeep } from "./temporal";
import {
  hostTimesOf,
  hostTimesRestore,
  RECENT_CHAIN,
  RECENT_FIRST,
  RECENT_PRIOR,
  RECENT_REVISION,
  recentAt,
  recentEnd,
  recentGroup,
  recentRestore,
  termIdentity,
  termLastUs,
  termNewer,
  termRestore,
} from "./terms";

// What is written next: a phase, a record in it, and within a window or a chain of samples the next of them.
const PHASE_HOSTS: u32 = 0;
const PHASE_PARTIALS: u32 = 1;
const PHASE_TERMS: u32 = 2;
const PHASE_RECENTS: u32 = 3;
const PHASE_WINDOWS: u32 = 4;
const PHASE_KEPT: u32 = 5;
const PHASE_TEMPORAL: u32 = 6;
const PHASE_END: u32 = 7;

let phase: u32 = PHASE_END;
let record: u32 = 0;
let inner: u32 = 0;

let out: usize = 0;
let end: usize = 0;

/** Starts a snapshot: `stateExport` writes it from the beginning. State must not change until it has ended. */
export function stateExportBegin(): void {
  phase = PHASE_HOSTS;
  record = 0;
  inner = 0;
}

/** Writes the next records to `to`, at most `capacity` bytes; returns the bytes written, 0 when all have been. */
export function stateExport(to: usize, capacity: u32): u32 {
  out = to;
  end = to + capacity;
  while (phase != PHASE_END) {
    if (record >= phaseEnd()) {
      phase++;
      record = phase == PHASE_HOSTS ? 0 : 1;
      inner = 0;
    } else if (!writeCurrent()) {
      break;
    }
  }
  return u32(out - to);
}

function phaseEnd(): u32 {
  switch (phase) {
    case PHASE_HOSTS: return hostTimesOf(0) == 0 ? 0 : hostCount();
    case PHASE_PARTIALS: return tableEnd(stateTable(StateTable.Sequence));
    case PHASE_TERMS: return groupsEnd();
    case PHASE_RECENTS: return recentEnd();
    case PHASE_WINDOWS: return tableEnd(stateTable(StateTable.Aggregate));
    case PHASE_KEPT: return tableEnd(stateTable(StateTable.Sample));
    default: return tableEnd(stateTable(StateTable.Temporal));
  }
}

/** Writes what the cursor names and moves it on; false when there is no room, the cursor where it was. */
function writeCurrent(): bool {
  switch (phase) {
    case PHASE_HOSTS: return writeHostTimes();
    case PHASE_PARTIALS: return writePartial();
    case PHASE_TERMS: return writeTerm();
    case PHASE_RECENTS: return writeRecent();
    case PHASE_WINDOWS: return writeWindow();
    case PHASE_KEPT: return writeKept();
    default: return writeTemporal();
  }
}

function next(): bool {
  record++;
  inner = 0;
  return true;
}

// ------------------------------------------------------------------------------------------------------ writing

/** Begins a record of `bytes` before its evidence; 0 when it does not fit. */
function begin(kind: u32, rule: u32, host: u32, bytes: u32, chain: u32): usize {
  if (out + bytes + chainBytes(chain, true) > end && out + bytes + chainBytes(chain, false) > end) return 0;
  const at = out;
  store<u32>(at + StateRecord.Kind, kind);
  store<u32>(at + StateRecord.Rule, rule);
  store<u32>(at + StateRecord.Host, host);
  return at;
}

/** Ends a record; `chain` is written without values where those do not fit. `NO_CHAIN`: the kind has no evidence. */
function finish(at: usize, bytes: u32, chain: u32): void {
  let to = at + bytes;
  if (chain != NO_CHAIN) {
    const withValues = to + chainBytes(chain, true) <= end;
    let count: u32 = 0;
    let entry = to + 8;
    for (let link = chain; link != 0; link = evidenceNext(link), count++) entry += evidenceWriteEntry(link, entry, withValues);
    store<u32>(to, count);
    store<u32>(to, 0, 4);
    to = entry;
  }
  store<u32>(at + StateRecord.Bytes, u32(to - at));
  out = to;
}

const NO_CHAIN: u32 = 0xffffffff;

function chainBytes(chain: u32, withValues: bool): usize {
  if (chain == NO_CHAIN) return 0;
  let bytes: usize = 8;
  for (let link = chain; link != 0; link = evidenceNext(link)) bytes += evidenceEntryBytes(link, withValues);
  return bytes;
}

function writeHostTimes(): bool {
  const at = begin(StateKind.HostTimes, 0xffffffff, record, 32, NO_CHAIN);
  if (at == 0) return false;
  memory.copy(at + 16, hostTimesOf(record), 16);
  finish(at, 32, NO_CHAIN);
  return next();
}

function writePartial(): bool {
  const table = stateTable(StateTable.Sequence);
  const p = tableAt(table, record);
  // A record that waits for absence behind others of its key has no hash of its own.
  if (load<u32>(p + PARTIAL_FLAGS) == 0 || load<u32>(p + GROUP) == 0) return next();
  const chain = load<u32>(p + PARTIAL_CHAIN);
  const at = begin(StateKind.Partial, load<u32>(p + PARTIAL_RULE), groupHost(load<u32>(p + GROUP)), PartialRecord.Evidence, chain);
  if (at == 0) return false;
  store<u64>(at + PartialRecord.Key, load<u64>(p + PARTIAL_KEY));
  store<i64>(at + PartialRecord.StartUs, load<i64>(p + PARTIAL_START));
  store<i64>(at + PartialRecord.LastUs, load<i64>(p + PARTIAL_LAST));
  store<f64>(at + PartialRecord.Tiebreak, load<f64>(p + PARTIAL_TIEBREAK));
  store<u64>(at + PartialRecord.Ordinal, load<u64>(p + PARTIAL_ORDINAL));
  store<i64>(at + PartialRecord.ForbiddenUs, load<i64>(p + PARTIAL_FORBIDDEN));
  store<i64>(at + PartialRecord.LeadingUs, load<i64>(p + PARTIAL_LEADING));
  store<i64>(at + PartialRecord.DeadlineUs, load<i64>(p + DEADLINE));
  store<u32>(at + PartialRecord.Step, load<u32>(p + PARTIAL_STEP));
  store<u32>(at + PartialRecord.Flags, load<u32>(p + PARTIAL_FLAGS));
  finish(at, PartialRecord.Evidence, chain);
  return next();
}

/** `record` is a group, `inner` the term in its list: from the least to the most recently seen. */
function writeTerm(): bool {
  if (groupTable(record) != StateTable.Terms) return next();
  if (inner == 0) inner = groupFirst(record);
  if (inner == 0) return next();
  const at = begin(StateKind.Term, groupRule(record), groupHost(record), 32, NO_CHAIN);
  if (at == 0) return false;
  store<u64>(at, termIdentity(inner, record), 16);
  store<i64>(at, termLastUs(inner), 24);
  finish(at, 32, NO_CHAIN);
  if (inner == groupLast(record)) return next();
  inner = termNewer(inner);
  return true;
}

function writeRecent(): bool {
  const recent = recentAt(record);
  const term = load<u32>(recent);
  if (term == 0) return next();
  const chain = load<u32>(recent + RECENT_CHAIN);
  const group = recentGroup(record);
  const at = begin(StateKind.Recent, groupRule(group), groupHost(group), 48, chain);
  if (at == 0) return false;
  store<u64>(at, termIdentity(term, group), 16);
  store<i64>(at, load<i64>(recent + RECENT_FIRST), 24);
  store<i64>(at, load<i64>(recent + RECENT_PRIOR), 32);
  store<u64>(at, u64(load<u32>(recent + RECENT_REVISION)), 40);
  finish(at, 48, chain);
  return next();
}

/** A window, then its samples, oldest first: `inner` is the next one. */
function writeWindow(): bool {
  const w = tableAt(stateTable(StateTable.Aggregate), record);
  if (load<u64>(w + HASH) == 0) return next();
  const rule = load<u32>(w + WINDOW_RULE);
  const host = groupHost(load<u32>(w + GROUP));
  if (inner == 0) {
    const at = begin(StateKind.Window, rule, host, 40, NO_CHAIN);
    if (at == 0) return false;
    store<u64>(at, load<u64>(w + WINDOW_KEY), 16);
    store<i64>(at, load<i64>(w + WINDOW_NEWEST_US), 24);
    store<i64>(at, load<i64>(w + WINDOW_QUIET_US), 32);
    finish(at, 40, NO_CHAIN);
    inner = load<u32>(w + WINDOW_OLDEST);
    return inner == 0 ? next() : true;
  }
  const sample = sampleAt(inner);
  const chain = load<u32>(sample + SAMPLE_EVIDENCE);
  const at = begin(StateKind.Sample, rule, host, 40, chain);
  if (at == 0) return false;
  store<i64>(at, load<i64>(sample + SAMPLE_TIME), 16);
  store<u64>(at, load<u64>(sample + SAMPLE_VALUE), 24);
  store<u64>(at, u64(load<u32>(sample + SAMPLE_KIND)), 32);
  finish(at, 40, chain);
  inner = load<u32>(sample + SAMPLE_NEXT);
  return inner == 0 ? next() : true;
}

/** `record` is the first of a (rule, step, key), `inner` the next of its events. */
function writeKept(): bool {
  const table = stateTable(StateTable.Sample);
  const head = tableAt(table, record);
  if (load<u64>(head + HASH) == 0 || load<u32>(head + KEPT_COUNT) == 0) return next();
  if (inner == 0) inner = record;
  const kept = tableAt(table, inner);
  const chain = load<u32>(kept + KEPT_CHAIN);
  const at = begin(StateKind.Kept, load<u32>(kept + KEPT_RULE), groupHost(load<u32>(head + GROUP)), 48, chain);
  if (at == 0) return false;
  store<u64>(at, load<u64>(kept + KEPT_KEY), 16);
  store<u64>(at, load<u64>(kept + KEPT_ORDINAL), 24);
  store<i64>(at, load<i64>(kept + KEPT_TIME), 32);
  store<u64>(at, u64(load<u32>(kept + KEPT_STEP)), 40);
  finish(at, 48, chain);
  inner = load<u32>(kept + KEPT_NEXT);
  return inner == 0 ? next() : true;
}

function writeTemporal(): bool {
  const t = tableAt(stateTable(StateTable.Temporal), record);
  if (load<u64>(t + HASH) == 0) return next();
  const group = load<u32>(t + GROUP);
  const chain = load<u32>(t + TEMPORAL_CHAIN);
  const at = begin(StateKind.Temporal, groupRule(group), groupHost(group), 40, chain);
  if (at == 0) return false;
  store<u64>(at, load<u64>(t + TEMPORAL_KEY), 16);
  store<i64>(at, load<i64>(t + TEMPORAL_FROM), 24);
  store<u64>(at, u64(load<u32>(t + TEMPORAL_PART)), 32);
  finish(at, 40, chain);
  return next();
}

// ------------------------------------------------------------------------------------------------------ reading

/** The window that samples belong to: the one read last, 0 when it was left out. */
let window: u32 = 0;

/** Reads whole records; returns how many were taken. */
export function stateImport(from: usize, bytes: u32): u32 {
  const limit = from + bytes;
  let taken: u32 = 0;
  while (from + StateRecord.Header <= limit) {
    const size = load<u32>(from + StateRecord.Bytes);
    if (size < u32(StateRecord.Header) || (size & 7) != 0 || usize(size) > limit - from) break;
    if (readRecord(from, size)) taken++;
    from += size;
  }
  return taken;
}

function readRecord(at: usize, size: u32): bool {
  const kind = load<u32>(at + StateRecord.Kind);
  const rule = load<u32>(at + StateRecord.Rule);
  const host = load<u32>(at + StateRecord.Host);
  if (size < payloadBytes(kind) || host >= hostCount()) return false;
  if (kind == StateKind.HostTimes) {
    hostTimesRestore(host, load<i64>(at, 16), load<i64>(at, 24));
    return true;
  }
  const section = sectionPtr(Section.Rules);
  if (section == 0 || rule >= load<u32>(section) || ruleKind(rule) != ruleKindOf(kind)) return false;
  switch (kind) {
    case StateKind.Partial:
      return partialRestore(rule, host, at, readChain(at, size, PartialRecord.Evidence, rule));
    case StateKind.Term:
      if (load<u64>(at, 16) == 0) return false;
      termRestore(rule, host, load<u64>(at, 16), load<i64>(at, 24));
      return true;
    case StateKind.Recent:
      recentRestore(rule, host, load<u64>(at, 16), load<i64>(at, 24), load<i64>(at, 32), load<u32>(at, 40), readChain(at, size, 48, rule));
      return true;
    case StateKind.Window:
      window = load<u64>(at, 16) == 0 ? 0 : windowRestore(rule, host, load<u64>(at, 16), load<i64>(at, 24), load<i64>(at, 32));
      return window != 0;
    case StateKind.Sample:
      return readSample(rule, at, size);
    case StateKind.Kept:
      return readKept(rule, host, at, size);
    default:
      return readTemporal(rule, host, at, size);
  }
}

function payloadBytes(kind: u32): u32 {
  switch (kind) {
    case StateKind.Partial: return PartialRecord.Evidence + 8;
    case StateKind.Term: return 32;
    case StateKind.Recent: return 56;
    case StateKind.HostTimes: return 32;
    case StateKind.Window: return 40;
    case StateKind.Sample: return 48;
    case StateKind.Kept: return 56;
    case StateKind.Temporal: return 48;
    default: return 0xffffffff;
  }
}

function ruleKindOf(kind: u32): u32 {
  switch (kind) {
    case StateKind.Partial: return RuleKind.Sequence;
    case StateKind.Term:
    case StateKind.Recent: return RuleKind.NewTerms;
    case StateKind.Window:
    case StateKind.Sample: return RuleKind.Aggregate;
    case StateKind.Kept: return RuleKind.Sample;
    default: return RuleKind.Temporal;
  }
}

function readSample(rule: u32, at: usize, size: u32): bool {
  if (window == 0 || load<u32>(tableAt(stateTable(StateTable.Aggregate), window) + WINDOW_RULE) != rule) return false;
  const evidence = readChain(at, size, 40, rule);
  windowSampleRestore(window, load<u32>(at, 32), load<u64>(at, 24), load<i64>(at, 16), evidence);
  return true;
}

function stepCount(rule: u32): u32 {
  return load<u32>(ruleData(rule, Section.Steps) + SequenceRecord.StepCount);
}

function readKept(rule: u32, host: u32, at: usize, size: u32): bool {
  const step = load<u32>(at, 40);
  if (load<u64>(at, 16) == 0 || step >= stepCount(rule)) return false;
  sampleKeep(rule, step, host, load<u64>(at, 16), load<u64>(at, 24), load<i64>(at, 32), readChain(at, size, 48, rule));
  return true;
}

function readTemporal(rule: u32, host: u32, at: usize, size: u32): bool {
  const part = load<u32>(at, 32);
  if (load<u64>(at, 16) == 0 || part >= stepCount(rule)) return false;
  temporalKeep(rule, part, load<u64>(at, 16), host, load<i64>(at, 24), readChain(at, size, 40, rule));
  return true;
}

/** The evidence of a record as a chain; what is damaged ends it. */
function readChain(at: usize, size: u32, offset: u32, rule: u32): u32 {
  if (offset + 8 > size) return 0;
  let left = load<u32>(at + offset);
  let entry = offset + 8;
  let first: u32 = 0;
  let last: u32 = 0;
  for (; left > 0 && entry < size; left--) {
    const link = evidenceReadEntry(at + entry, size - entry, rule);
    if (link == 0) break;
    if (last == 0) first = link;
    else evidenceSetNext(last, link);
    last = link;
    entry += evidenceEntryBytes(link, true);
  }
  return first;
}
