/**
 * The stateful rules as the rest of the kernel sees them: rows in, time in. Each rule kind lives in its own file.
 *
 * `dispatchPredicate` offers a row to the rules whose predicates it satisfies, in any order; `stateRowEnd` then judges
 * the row once for all of them, so that one event never advances two steps of one partial match.
 */

/** Builds the tables from `Config.StateBytes` and the sections of the program. Once, before the first row. */
export function stateInit(): void {}

/** Offers the row to step `step` of sequence `rule`. Takes effect at `stateRowEnd`. */
export function sequenceStep(rule: u32, step: u32, slot: u32, entity: u32): void {}

/** Says that the row ends partial matches of its key. Takes effect at `stateRowEnd`, after the steps. */
export function sequenceUntil(rule: u32, slot: u32): void {}

export function termsObserve(rule: u32, slot: u32): void {}

export function aggregateObserve(rule: u32, slot: u32): void {}

export function sampleObserve(rule: u32, step: u32, slot: u32): void {}

/** Offers an alert of another rule, or the row that made it, to part `part` of temporal rule `rule`. */
export function temporalObserve(rule: u32, part: u32, slot: u32): void {}

/** Judges what the calls above collected for the row. Called once a row, after `evaluateRow`, before `rowFree`. */
export function stateRowEnd(slot: u32): void {}

/**
 * No event of `host` earlier than `watermarkUs` will come: absence fires, partial matches and windows expire.
 * `Host.None` moves the rules across hosts.
 */
export function stateAdvance(host: u32, watermarkUs: i64): void {}

/** The stream has ended: deadlines ahead fire, samples are judged. */
export function stateFlush(): void {}
