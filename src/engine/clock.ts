/** The time of the rules across hosts, row by row: the global watermark, which the router notes after each row. */
import type { ClockRun } from './router.js';

export interface Clock {
  /** The watermark after the row with an ordinal, in microseconds; before the first row of the push what it was. */
  readonly at: (ordinal: number) => number;
  /** The first watermark there is in the push. */
  readonly firstUs: number;
  /** The watermark after the last row. */
  readonly endUs: number;
}

const never = -(2n ** 62n);

/** The clock of one push, which begins at `startUs`. */
export function clockOf(runs: readonly ClockRun[], startUs: number): Clock {
  const at = (ordinal: number): number => {
    let timeUs = startUs;
    for (const { base, clocks } of runs) {
      if (ordinal < base) break;
      const clock = clocks[Math.min(ordinal - base, clocks.length - 1)];
      if (clock !== undefined && clock > never) timeUs = Number(clock);
    }
    return timeUs;
  };
  const first = runs.flatMap(({ clocks }) => clocks.find((clock) => clock > never) ?? [])[0];
  return { at, firstUs: first === undefined ? startUs : Number(first), endUs: at(Number.POSITIVE_INFINITY) };
}
