/** What the engine tells subscribers of `node:diagnostics_channel`; nothing is made where nobody listens. */
import { channel } from 'node:diagnostics_channel';

export const channels = {
  /** `{ rows, alerts, ms }` for each push. */
  batch: channel('vedette:batch'),
  /**
   * `{ name, bytes, nextOrdinal, pauseMs, ms }` for each snapshot kept: how long the shards stood still for it, and how
   * long it took from then on. `{ error }` for one that could not be kept.
   */
  snapshot: channel('vedette:snapshot'),
  /** The recovery of an engine that found a state, as `engine.recovery` has it. */
  recovery: channel('vedette:recovery'),
  /** `{ shard, reason }` when a shard died and starts anew; `{ part, reason }` for the router and the global shard. */
  restart: channel('vedette:shard-restart'),
} as const;
