/** How large the dictionaries of a session may grow. */

/** Totals over all columns of a session, or of one self-contained batch. */
export interface SessionLimits {
  /** Distinct values of text columns. */
  codes: number;
  /** Distinct values of identity columns. */
  ids: number;
  /** Bytes of the values of text columns, and 16 for each. */
  textBytes: number;
  /** Bytes of identities, and 8 for each. */
  idBytes: number;
}

/**
 * Where an encoder starts a new session. A kernel of the default memory takes sessions of this size; one that was given
 * less refuses a batch that no longer fits with `BATCH_SIZE`.
 */
export const sessionLimitsDefault: Readonly<SessionLimits> = {
  codes: 32_768,
  ids: 32_768,
  textBytes: 3 << 20,
  idBytes: 2 << 20,
};
