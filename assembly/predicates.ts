/** Starts the predicate half of the kernel, in the order its parts need each other. */
import { Config } from "../src/core/abi/state";
import { atomsInit } from "./atoms";
import { candidatesInit, predicateTotal } from "./candidate";
import { configU32 } from "./config";
import { machineValuesInit } from "./machine_values";
import { keysInit } from "./keys";
import { programInit } from "./program";
import { regexMemoInit } from "./regex_memo";
import { truthSetsInit } from "./truth_sets";
import { vmInit } from "./vm";

const REGEX_MEMO_BITS: u32 = 15;
const TRUTH_BYTES_LEAST: u32 = 65536;

/**
 * Reads the program's sections and reserves what predicates need. Sections, columns and the hash seed must be set; no
 * value may have been interned. The truth sets take `Config.TruthBytes`; buffers take about 11 times the longest value.
 */
export function predicatesInit(): void {
  const valueBytes = max<u32>(configU32(Config.MaxValueBytes), 1024);
  programInit();
  machineValuesInit(valueBytes << 3);
  vmInit();
  regexMemoInit(REGEX_MEMO_BITS);
  atomsInit(valueBytes);
  candidatesInit();
  truthSetsInit(max<u32>(configU32(Config.TruthBytes), TRUTH_BYTES_LEAST), predicateTotal());
  keysInit();
}
