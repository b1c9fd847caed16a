/** What the engine tells subscribers of `node:diagnostics_channel`; nothing is made where nobody listens. */
import { channel } from 'node:diagnostics_channel';

export const channels = {
  /** `{ rows, alerts, ms }` for each push. */
  batch: channel('vedette:batch'),
  /** `{ name, bytes, nextOrdinal, ms }` for each snapshot kept, `{ error }` for one that could not be. */
  snapshot: channel('vedette:snapshot'),
  /** The recovery of an engine that found a state, as `engine.recovery` has it. */
  recovery: channel('vedette:recovery'),
  /** `{ shard, reason }` when a shard died and starts anew; `{ part, reason }` for the router and the global shard. */
  restart: channel('vedette:shard-restart'),
} as const;
