/** EventBatches: flat columns to rows. */

export function batchInit(codes: u32, ids: u32, idBytes: usize): void {}

/** Checks the contents of the batch whose view is at `view`; `BatchFault | column << 8`, 0 where sound. */
export function ingest_batch_check(view: usize): u32 {
  return 0;
}

/** Applies a batch that {@link ingest_batch_check} found sound. Returns its rows. */
export function ingest_batch(view: usize): u32 {
  return 0;
}

/** Marks the values that the session's codes stand for. */
export function markSessionValues(): void {}
