/**
 * What the host tells the kernel before it starts: the configuration words and where the program's sections lie.
 * Both are static memory; sections are bytes the host wrote into memory it reserved first.
 */
import { Config } from "../src/core/abi/state";
import { Section } from "../src/core/abi/program";

const WORDS: usize = memory.data(Config.Count * 8, 16);
/** u32 address and u32 bytes of each section; absent sections are all zero. */
const SECTIONS: usize = memory.data(Section.Count * 8, 16);

/** Address of the configuration table: `Config.Count` f64 words, written by the host. */
export function configTable(): usize {
  return WORDS;
}

export function configU32(word: u32): u32 {
  return u32(load<f64>(WORDS + (usize(word) << 3)));
}

export function configI64(word: u32): i64 {
  return i64(load<f64>(WORDS + (usize(word) << 3)));
}

/** Tells the kernel where a section lies. The bytes must stay in place; the host has checked their structure. */
export function setSection(id: u32, ptr: usize, bytes: u32): void {
  if (id >= u32(Section.Count)) return;
  const at = SECTIONS + (usize(id) << 3);
  store<u32>(at, u32(ptr));
  store<u32>(at, bytes, 4);
}

/** Address of a section, 0 when the program has none. */
export function sectionPtr(id: u32): usize {
  return usize(load<u32>(SECTIONS + (usize(id) << 3)));
}

export function sectionBytes(id: u32): u32 {
  return load<u32>(SECTIONS + (usize(id) << 3), 4);
}
