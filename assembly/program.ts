/** The sections of the predicate half of the program, once loaded, and its constants. */
import { Section } from "../src/core/abi/program";
import { CodeHeader, ConstantRecord, ValueType } from "../src/core/abi/predicates";
import { sectionBytes, sectionPtr } from "./config";
import { hashBoolean, hashBytes, hashNumber } from "./hash";
import { reserve } from "./memory";

export let strings: usize = 0;
export let instructions: usize = 0;
export let leaves: usize = 0;
export let nestedBlocks: usize = 0;
export let leafColumns: usize = 0;
export let expressions: usize = 0;
let constants: usize = 0;
let hashes: usize = 0;

/** Finds the sections. The values' hash seed must be set. */
export function programInit(): void {
  strings = sectionPtr(Section.Strings);
  const code = sectionPtr(Section.Code);
  if (code != 0 && sectionBytes(Section.Code) >= <u32>CodeHeader.Bytes) {
    instructions = code + load<u32>(code, CodeHeader.Instructions);
    leaves = code + load<u32>(code, CodeHeader.Leaves);
    nestedBlocks = code + load<u32>(code, CodeHeader.Nested);
    leafColumns = code + load<u32>(code, CodeHeader.Columns);
    expressions = code + load<u32>(code, CodeHeader.Expressions);
  }
  const section = sectionPtr(Section.Constants);
  if (section == 0) return;
  constants = section + 8;
  const count = load<u32>(section);
  hashes = reserve(<usize>count << 3);
  for (let i: u32 = 0; i < count; i++) store<u64>(hashes + (<usize>i << 3), hashOf(i));
}

function hashOf(i: u32): u64 {
  const type = constantType(i);
  if (type == ValueType.Text) return hashBytes(constantText(i), constantLength(i));
  if (type == ValueType.Integer || type == ValueType.Float) return hashNumber(constantNumber(i));
  if (type == ValueType.Boolean) return hashBoolean(constantNumber(i) != 0);
  return 0;
}

@inline
export function constantAt(i: u32): usize {
  return constants + <usize>i * ConstantRecord.Bytes;
}

@inline
export function constantType(i: u32): u32 {
  return load<u32>(constantAt(i), ConstantRecord.Type);
}

@inline
export function constantNumber(i: u32): f64 {
  return load<f64>(constantAt(i), ConstantRecord.Payload);
}

@inline
export function constantText(i: u32): usize {
  return strings + load<u32>(constantAt(i), ConstantRecord.Payload);
}

@inline
export function constantLength(i: u32): u32 {
  return load<u32>(constantAt(i), ConstantRecord.Length);
}

/** Hash that a cell equal to the constant has. */
@inline
export function constantHash(i: u32): u64 {
  return load<u64>(hashes + (<usize>i << 3));
}

/** Whether a number is among `count` ascending number constants from `first` on. */
export function isInNumbers(value: f64, first: u32, count: u32): bool {
  let low = first;
  let high = first + count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (constantNumber(middle) < value) low = middle + 1;
    else high = middle;
  }
  return low < first + count && constantNumber(low) == value;
}
