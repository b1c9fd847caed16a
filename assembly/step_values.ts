/**
 * Values of the events that a partial match took before, for conditions that look back at them. A body's values lie in
 * blocks: here they are copied out, one buffer for each event that the condition in hand reads.
 */
import { ExpressionLimit } from "../src/core/abi/predicates";
import { EvidenceTag } from "../src/core/abi/state";
import { evidenceValues } from "./evidence";
import { EVIDENCE_ROW_BYTES, EVIDENCE_VALUE_HEADER, evidenceKeepsValues } from "./evidence_row";
import { setBoolean, setNull, setNumber, setText } from "./machine_values";
import { reserve, reserveText } from "./memory";
import { number_parse } from "./number_host";

const STEPS: u32 = ExpressionLimit.Steps;
const BUFFERS: u32 = 2 * STEPS;
const BUFFER: u32 = EVIDENCE_ROW_BYTES + 64;

let buffers: usize = 0;
/** Per buffer: u32 step, u32 bytes. */
let heads: usize = 0;
let used: u32 = 0;
/** Evidence of the partial match in hand, 0 for none. */
let chain: u32 = 0;

/** After the evidence. Takes no memory where no condition looks back. */
export function stepValuesInit(): void {
  if (!evidenceKeepsValues()) return;
  buffers = reserveText(BUFFERS * BUFFER);
  heads = reserve(usize(BUFFERS) << 3);
}

/** Chooses the partial match whose events are read from here on; 0: none, every value is missing. */
export function stepValuesOf(evidence: u32): void {
  chain = evidence;
  used = 0;
}

/** Makes room for the events of one more expression; values found before are no more. */
export function stepValuesOpen(): void {
  if (used + STEPS > BUFFERS) used = 0;
}

/** Address of the value of a field at a step, 0 where it is missing. */
export function stepValue(step: u32, field: u32): usize {
  if (chain == 0 || buffers == 0) return 0;
  let buffer: u32 = 0;
  while (buffer < used && load<u32>(heads + (usize(buffer) << 3)) != step) buffer++;
  if (buffer == used) {
    if (used == BUFFERS) return 0;
    store<u32>(heads + (usize(buffer) << 3), step);
    store<u32>(heads + (usize(buffer) << 3), evidenceValues(chain, step, buffers + usize(buffer * BUFFER)), 4);
    used++;
  }
  return find(buffers + usize(buffer * BUFFER), load<u32>(heads + (usize(buffer) << 3), 4), field);
}

function find(from: usize, bytes: u32, field: u32): usize {
  const end = from + bytes;
  for (let at = from; at < end; at = nextValue(at)) if (load<u16>(at) == field) return at;
  return 0;
}

@inline
function nextValue(at: usize): usize {
  return at + EVIDENCE_VALUE_HEADER + ((load<u32>(at, 4) + 3) & ~3);
}

/** Items of a value that is a list, 0 for any other, and for a list of which something was cut. */
export function stepListLength(value: usize): u32 {
  if (value == 0 || load<u8>(value, 2) != EvidenceTag.List || load<u8>(value, 3) != 0) return 0;
  const end = value + EVIDENCE_VALUE_HEADER + load<u32>(value, 4);
  let items: u32 = 0;
  for (let at = value + EVIDENCE_VALUE_HEADER; at < end; at = nextValue(at)) items++;
  return items;
}

export function stepListItem(value: usize, index: u32): usize {
  let at = value + EVIDENCE_VALUE_HEADER;
  for (let i: u32 = 0; i < index; i++) at = nextValue(at);
  return at;
}

/** Puts a value that is no list on the expression machine; null where it is missing or was cut. */
export function setStepValue(target: usize, value: usize): void {
  if (value == 0 || load<u8>(value, 3) != 0) {
    setNull(target);
    return;
  }
  const tag: u32 = load<u8>(value, 2);
  const bytes = load<u32>(value, 4);
  const data = value + EVIDENCE_VALUE_HEADER;
  if (tag == EvidenceTag.String) setText(target, data, bytes);
  else if (tag == EvidenceTag.Number) setNumber(target, number_parse(data, bytes), false);
  else if (tag == EvidenceTag.Float) setNumber(target, load<f64>(data), false);
  else if (tag == EvidenceTag.Bool) setBoolean(target, bytes == 4);
  else setNull(target);
}
