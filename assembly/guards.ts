/**
 * Guards: a few columns, such as the event's category, of which most predicates need a certain value. What a row's cells
 * of these columns rule out is no candidate, however many of its other values are witnesses.
 *
 * Each guard remembers, by truth set, a bit a predicate: 1 where the set lets the predicate pass.
 *
 *   guard (16 bytes)  0 cell offset | 4 record | 8 memo | 12 bits passed without any atom
 *   memo entry        u64 truth set + 1, then the bits
 */
import { CandidateHeader, GuardLimit, GuardRecord } from "../src/core/abi/predicates";
import { Section } from "../src/core/abi/program";
import { columnOffset } from "./columns";
import { sectionPtr } from "./config";
import { reserve } from "./memory";
import { SET_UNKEPT, setAtoms, setCount } from "./truth_sets";
import { valueSet } from "./values";

const GUARD: usize = 16;
const MEMO_LOG2: u32 = 6;

let guards: usize = 0;
let guardCount: u32 = 0;
let wordCount: u32 = 0;
let entryBytes: usize = 0;
/** Bits that rule nothing out. */
let everything: usize = 0;
/** For each guard, the bits that the row in hand passes. */
let passed: usize = 0;

/** Reads the guards of the candidates' section. `words`: u64 words of a bit for each predicate. */
export function guardsInit(words: u32): void {
  const section = sectionPtr(Section.Candidates);
  if (section == 0) return;
  wordCount = words;
  entryBytes = (<usize>words + 1) << 3;
  guardCount = min<u32>(load<u32>(section, CandidateHeader.GuardCount), GuardLimit.Count);
  guards = reserve(<usize>guardCount * GUARD);
  passed = reserve(<usize>GuardLimit.Count << 2);
  everything = reserve(<usize>words << 3);
  memory.fill(everything, 0xff, <usize>words << 3);
  for (let g: u32 = 0; g < guardCount; g++) {
    const guard = guards + <usize>g * GUARD;
    const record = section + load<u32>(section, CandidateHeader.GuardsOffset) + <usize>g * GuardRecord.Bytes;
    store<u32>(guard, <u32>columnOffset(load<u32>(record, GuardRecord.Column)));
    store<u32>(guard, <u32>record, 4);
    store<u32>(guard, <u32>reserve(entryBytes << MEMO_LOG2), 8);
    const bits = reserve(<usize>words << 3);
    memory.copy(bits, everything, <usize>words << 3);
    setBits(bits, section + load<u32>(record, GuardRecord.Needs), section + load<u32>(record, GuardRecord.NeedsEnd), false);
    store<u32>(guard, <u32>bits, 12);
  }
}

/** Takes the row at `row` in hand. */
export function guardsSee(row: usize): void {
  for (let g: u32 = 0; g < guardCount; g++) {
    const guard = guards + <usize>g * GUARD;
    const v = load<u32>(row + load<u32>(guard));
    const set: u32 = v == 0 ? 0 : valueSet(v);
    let bits = <usize>load<u32>(guard, 12);
    if (set == SET_UNKEPT) bits = everything;
    else if (set != 0) bits = bitsOf(guard, set);
    store<u32>(passed + (<usize>g << 2), <u32>bits);
  }
}

/** Those of the candidates in word `word` that the row in hand does not rule out. */
@inline
export function guardsPass(word: u32, candidates: u64): u64 {
  let left = candidates;
  for (let g: u32 = 0; g < guardCount; g++) left &= load<u64>(<usize>load<u32>(passed + (<usize>g << 2)) + (<usize>word << 3));
  return left;
}

function bitsOf(guard: usize, set: u32): usize {
  const slot = (set * 0x9e3779b1) >> (32 - MEMO_LOG2);
  const entry = <usize>load<u32>(guard, 8) + <usize>slot * entryBytes;
  if (load<u64>(entry) == <u64>set + 1) return entry + 8;
  store<u64>(entry, <u64>set + 1);
  memory.copy(entry + 8, <usize>load<u32>(guard, 12), <usize>wordCount << 3);
  const section = sectionPtr(Section.Candidates);
  const starts = section + load<u32>(<usize>load<u32>(guard, 4), GuardRecord.Starts);
  const atoms = setAtoms(set);
  for (let i: u32 = 0; i < setCount(set); i++) {
    const start = starts + (<usize>load<u32>(atoms + (<usize>i << 2)) << 2);
    setBits(entry + 8, section + load<u32>(start), section + load<u32>(start, 4), true);
  }
  return entry + 8;
}

/** Sets or clears the bits of the predicates whose ids lie in `[from, to)`. */
function setBits(bits: usize, from: usize, to: usize, value: bool): void {
  for (let at = from; at < to; at += 4) {
    const predicate = load<u32>(at);
    const word = bits + (<usize>(predicate >> 6) << 3);
    const bit = <u64>1 << (predicate & 63);
    store<u64>(word, value ? load<u64>(word) | bit : load<u64>(word) & ~bit);
  }
}
