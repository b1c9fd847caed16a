/**
 * The errors Vedette throws. Author mistakes are never thrown: they are collected as diagnostics
 * (`diagnostic.ts`). A limit reached is never thrown: it is counted in `stats()`.
 */

/** Stable machine-readable codes; a code never changes its meaning between releases. */
export type ErrorCode =
  | 'USAGE_OPTION'
  | 'USAGE_CLOSED'
  | 'USAGE_FLUSHED'
  | 'USAGE_MEMORY'
  | 'USAGE_DURATION'
  | 'USAGE_TIME'
  | 'USAGE_RULES'
  | 'BATCH_FORMAT'
  | 'BATCH_VERSION'
  | 'BATCH_BOUNDS'
  | 'BATCH_COLUMN'
  | 'BATCH_DICTIONARY'
  | 'BATCH_EPOCH'
  | 'BATCH_SIZE'
  | 'PROGRAM_FORMAT'
  | 'PROGRAM_LIMIT'
  | 'SNAPSHOT_FORMAT'
  | 'SNAPSHOT_VERSION'
  | 'SNAPSHOT_DAMAGED'
  | 'INPUT_UNREADABLE'
  | 'ENGINE_WORKER'
  | 'KERNEL_TRAP';

/** Base of every error thrown by Vedette. `code` is stable; `message` is one line with place and remedy. */
export class VedetteError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The caller used the API wrongly: a bad option, a call after `close()`, a budget too small. */
export class UsageError extends VedetteError {}

/** An EventBatch was refused. State is untouched; `column` names the offending column where there is one. */
export class BatchError extends VedetteError {
  readonly column: string | undefined;
  constructor(code: ErrorCode, message: string, column?: string) {
    super(code, column === undefined ? message : `column ${column}: ${message}`);
    this.column = column;
  }
}

/** Program bytes were refused before anything in them was used, or a rule set exceeds a stated limit. */
export class ProgramError extends VedetteError {}

/** A snapshot was refused before any state was touched. */
export class SnapshotError extends VedetteError {}

/** The kernel trapped: a defect of Vedette. The correlator is unusable; restore a new one from a snapshot. */
export class KernelTrap extends VedetteError {}
