/** The public names that run anywhere WebAssembly does. Files, threads and durable state: `vedette/node`. */
export type { Diagnostic } from './core/diagnostic.js';
export {
  BatchError,
  KernelTrap,
  ProgramError,
  SnapshotError,
  UsageError,
  VedetteError,
} from './core/errors.js';
export type { Alert, Evidence, MissingEvidence } from './correlator/alert.js';
export { approveBaseline, type BaselineData, sealBaseline } from './correlator/behavior/baseline_data.js';
export { type Correlator, createCorrelator } from './correlator/correlator.js';
export type { CoverageReport } from './correlator/coverage/report.js';
export type { PushInput, PushOptions } from './correlator/input.js';
export type { CorrelatorOptions } from './correlator/options.js';
export type { CorrelatorStats } from './correlator/stats.js';
export { createDecoder, decodeEvents } from './event/decoder.js';
export { createEncoder, encodeEvents } from './event/encoder.js';
export { parseCoverageModel } from './language/coverage.js';
export {
  type ExceptionFileEntry,
  type ExceptionPapers,
  type ImportedExceptions,
  importExceptionItems,
} from './language/elastic/import_exceptions.js';
export { parseExceptions } from './language/exceptions.js';
export { type ParseRulesOptions, parseRules } from './language/load.js';
export type { Rule } from './rule/ir.js';
