/** Partial matches of a snapshot back into the table of sequences. */
import { Section } from "../src/core/abi/program";
import { PartialRecord, SequenceFlag, SequenceRecord, StateTable, StepFlag, StepRecord } from "../src/core/abi/stateful";
import { evidenceRelease } from "./evidence";
import { waitForAbsence } from "./missing";
import {
  FLAG_ENTERED,
  FLAG_JOIN,
  FLAG_LEADING,
  FLAG_PENDING,
  FLAG_SPOILT,
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
  partialAt,
  ROLE_JOIN,
  ROLE_LEADING,
  stepRecord,
} from "./sequence";
import { entryAdd, entryTake, ruleData, stateHash, stateTable } from "./state_entries";
import { DEADLINE, tableEnter, tableFind } from "./state_table";

/** Puts the record at `from` back; takes over its evidence. False when it fits no place of the rule, or that is taken. */
export function partialRestore(rule: u32, host: u32, from: usize, chain: u32): bool {
  const flags = load<u32>(from + PartialRecord.Flags);
  const step = load<u32>(from + PartialRecord.Step);
  const key = load<u64>(from + PartialRecord.Key);
  const role = roleOf(rule, step, flags);
  const hash = stateHash(rule, role, key, host);
  const isPending = (flags & FLAG_PENDING) != 0;
  if (role == NO_ROLE || key == 0 || (!isPending && tableFind(stateTable(StateTable.Sequence), hash) != 0)) {
    evidenceRelease(chain);
    return false;
  }
  const record = entryTake(StateTable.Sequence);
  const at = partialAt(record);
  store<u32>(at + PARTIAL_RULE, rule);
  store<u32>(at + PARTIAL_FLAGS, flags & (FLAG_ENTERED | FLAG_SPOILT | FLAG_LEADING | FLAG_JOIN));
  store<u64>(at + PARTIAL_KEY, key);
  store<i64>(at + PARTIAL_START, load<i64>(from + PartialRecord.StartUs));
  store<i64>(at + PARTIAL_LAST, load<i64>(from + PartialRecord.LastUs));
  store<f64>(at + PARTIAL_TIEBREAK, load<f64>(from + PartialRecord.Tiebreak));
  store<u64>(at + PARTIAL_ORDINAL, load<u64>(from + PartialRecord.Ordinal));
  store<i64>(at + PARTIAL_FORBIDDEN, load<i64>(from + PartialRecord.ForbiddenUs));
  store<i64>(at + PARTIAL_LEADING, load<i64>(from + PartialRecord.LeadingUs));
  store<u32>(at + PARTIAL_STEP, step);
  store<u32>(at + PARTIAL_CHAIN, chain);
  store<i64>(at + DEADLINE, load<i64>(from + PartialRecord.DeadlineUs));
  entryAdd(StateTable.Sequence, rule, host, record, 1);
  if (isPending) waitForAbsence(record, load<i64>(from + PartialRecord.DeadlineUs), host);
  else tableEnter(stateTable(StateTable.Sequence), record, hash);
  return true;
}

const NO_ROLE: u32 = 0xffffffff;

/** The role of a record within its rule, if the rule has such a one. */
function roleOf(rule: u32, step: u32, flags: u32): u32 {
  const sequence = ruleData(rule, Section.Steps);
  const shape = load<u32>(sequence + SequenceRecord.Flags);
  if (step >= load<u32>(sequence + SequenceRecord.StepCount)) return NO_ROLE;
  const isJoin = (shape & SequenceFlag.Unordered) != 0;
  if (isJoin != ((flags & FLAG_JOIN) != 0)) return NO_ROLE;
  if (isJoin) return ROLE_JOIN + step;
  if ((flags & FLAG_LEADING) != 0) return (shape & SequenceFlag.HasLeading) != 0 ? ROLE_LEADING : NO_ROLE;
  const one = load<u32>(stepRecord(sequence, step) + StepRecord.Flags);
  const isFinal = (one & StepFlag.Final) != 0;
  if ((one & StepFlag.Missing) != 0 || isFinal != ((flags & FLAG_PENDING) != 0)) return NO_ROLE;
  return isFinal && (shape & SequenceFlag.HasTrailing) == 0 ? NO_ROLE : step;
}
