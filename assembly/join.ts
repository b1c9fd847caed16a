/**
 * Sequences whose steps may come in any order (`join`): each step of a key is filled by the first event since the key's
 * last match; when all are filled that is the match.
 */
import { Section } from "../src/core/abi/program";
import { SequenceRecord, StateTable } from "../src/core/abi/stateful";
import { evidenceRelease, evidenceSetNext } from "./evidence";
import { NO_KEY } from "./group_keys";
import { emitAlert } from "./output";
import { rowTimeUs } from "./rows";
import {
  dropPartial,
  FLAG_ENTERED,
  FLAG_JOIN,
  PARTIAL_CHAIN,
  PARTIAL_FLAGS,
  PARTIAL_KEY,
  PARTIAL_RULE,
  PARTIAL_START,
  PARTIAL_STEP,
  partialAt,
  ROLE_JOIN,
} from "./sequence";
import { captureEvidence, entryAdd, entryTake, ruleData, stateHash, stateHost, stateTable } from "./state_entries";
import { FOREVER } from "./state_groups";
import { DEADLINE, tableEnter, tableFind } from "./state_table";
import { alertFired } from "./stateful";

/** Fills a step with the row unless it is filled; publishes the match when it was the last. */
export function joinFill(rule: u32, step: u32, slot: u32, key: u64): void {
  const table = stateTable(StateTable.Sequence);
  const host = stateHost(rule, slot);
  const hash = stateHash(rule, ROLE_JOIN + step, key, host);
  if (tableFind(table, hash) != 0) return;
  const evidence = captureEvidence(slot, step, rule);
  const record = entryTake(StateTable.Sequence);
  const at = partialAt(record);
  store<u32>(at + PARTIAL_RULE, rule);
  store<u32>(at + PARTIAL_FLAGS, FLAG_ENTERED | FLAG_JOIN);
  store<u32>(at + PARTIAL_STEP, step);
  store<u64>(at + PARTIAL_KEY, key);
  store<i64>(at + PARTIAL_START, rowTimeUs(slot));
  store<u32>(at + PARTIAL_CHAIN, evidence);
  store<i64>(at + DEADLINE, FOREVER);
  entryAdd(StateTable.Sequence, rule, host, record, 1);
  tableEnter(table, record, hash);
  if (!isFilled(rule, key, host)) return;
  const chain = takeChain(rule, key, host);
  emitAlert(rule, host, rowTimeUs(slot), chain, key == NO_KEY ? 0 : key, 0);
  evidenceRelease(chain);
  alertFired(rule);
}

/** Forgets what the key has filled. */
export function joinEnd(rule: u32, key: u64, host: u32): void {
  evidenceRelease(takeChain(rule, key, host));
}

function stepCount(rule: u32): u32 {
  return load<u32>(ruleData(rule, Section.Steps) + SequenceRecord.StepCount);
}

function isFilled(rule: u32, key: u64, host: u32): bool {
  const steps = stepCount(rule);
  for (let step: u32 = 0; step < steps; step++) {
    if (tableFind(stateTable(StateTable.Sequence), stateHash(rule, ROLE_JOIN + step, key, host)) == 0) return false;
  }
  return true;
}

/** Frees the key's records and returns their evidence as one chain, the last step first. */
function takeChain(rule: u32, key: u64, host: u32): u32 {
  const steps = stepCount(rule);
  let chain: u32 = 0;
  for (let step: u32 = 0; step < steps; step++) {
    const record = tableFind(stateTable(StateTable.Sequence), stateHash(rule, ROLE_JOIN + step, key, host));
    if (record == 0) continue;
    const at = partialAt(record);
    const link = load<u32>(at + PARTIAL_CHAIN);
    if (link != 0) {
      evidenceSetNext(link, chain);
      chain = link;
    }
    store<u32>(at + PARTIAL_CHAIN, 0);
    dropPartial(record);
  }
  return chain;
}
