/** How large the dictionaries of a session may grow, and what they cost a kernel. */

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
 * Where an encoder starts a new session unless told otherwise. A correlator of the default memory takes sessions of this
 * size; one that was given less refuses a batch that no longer fits with `BATCH_SIZE`, one that was given more takes
 * longer ones: see `Correlator.sessionLimits`.
 */
export const sessionLimitsDefault: Readonly<SessionLimits> = {
  codes: 32_768,
  ids: 16_384,
  textBytes: 3 << 20,
  idBytes: 1 << 20,
};

/** A kernel's tables for the dictionaries of one session and of one self-contained batch, and for held identities. */
export interface SessionTables {
  readonly codes: number;
  readonly ids: number;
  readonly idBytes: number;
  readonly heldIdBytes: number;
}

/** A code costs 4 bytes in each of the two dictionaries, an identity 16. */
const codeBytes = 2 * 4;
const idEntryBytes = 2 * 16;

/** Divides `bytes` of memory among them, in the proportions that endpoint events have. */
export function divideSession(bytes: number): SessionTables {
  return {
    codes: Math.max(1024, Math.floor((bytes * 0.1) / codeBytes)),
    ids: Math.max(1024, Math.floor((bytes * 0.3) / idEntryBytes)),
    idBytes: Math.floor(bytes * 0.4),
    heldIdBytes: Math.floor(bytes * 0.2),
  };
}
