/** One shard: a correlator that sees its part of the stream. Runs in a worker or in process; knows no threads. */
import { HostSlots } from '../core/abi/routing.js';
import { VedetteError } from '../core/errors.js';
import { formatTimeUs } from '../core/time.js';
import type { MadeAlert } from '../correlator/alert_maker.js';
import { type CorrelatorPart, startCorrelator } from '../correlator/correlator.js';
import type { SnapshotJob } from '../correlator/snapshot_job.js';
import type {
  FeedMatch,
  LinesPiece,
  OrderedAlert,
  ShardAnswer,
  ShardMessage,
  ShardOutput,
  ShardStart,
  ShardTask,
  Started,
} from './messages.js';

import { WitnessOutbox } from './witness_outbox.js';

/** Bytes of a snapshot that are written before the shard goes on with what waits: a few milliseconds. */
const pieceBytes = 2 * 1024 * 1024;
/** Rows that one piece of lines can have. */
export const pieceRowsMax = 65_536;

export class Shard {
  #correlator: CorrelatorPart | undefined;
  #feeds: ReadonlyMap<string, string> = new Map();
  #owned = new Uint8Array(HostSlots.Count);
  #matches: FeedMatch[] = [];
  #ordered: OrderedAlert[] = [];
  #forwarded: WitnessOutbox | undefined;
  /** The snapshot that is being written. */
  #writing: SnapshotJob | undefined;

  /** Does a task. Errors of the caller's making are answers, so that they cross threads whole; others are thrown. */
  async run(task: ShardTask): Promise<ShardAnswer> {
    try {
      if (task.kind === 'start') return { kind: 'started', started: await this.#start(task.start) };
      if (this.#correlator === undefined) return { kind: 'lost' };
      return this.#answer(task, this.#correlator);
    } catch (error) {
      if (!(error instanceof VedetteError) || error.code === 'KERNEL_TRAP') throw error;
      return { kind: 'error', name: error.name, code: error.code, message: error.message };
    }
  }

  #answer(task: Exclude<ShardTask, { kind: 'start' }>, correlator: CorrelatorPart): ShardAnswer {
    if (task.kind === 'push') return { kind: 'output', output: this.#push(correlator, task.message) };
    if (task.kind === 'coverage') return { kind: 'coverage', counts: correlator.coverageCounts() };
    if (task.kind === 'suppressed') return { kind: 'suppressed', alerts: correlator.suppressed() };
    if (task.kind === 'freeze') return this.#freeze(correlator, task.spare);
    if (task.kind === 'write') return this.#write();
    return {
      kind: 'stats',
      stats: correlator.stats(),
      foreignRows: correlator.kernel.foreignRows,
      exceptions: correlator.exceptions(),
    };
  }

  #freeze(correlator: CorrelatorPart, spare: ArrayBuffer): ShardAnswer {
    const startMs = performance.now();
    this.#writing = correlator.beginSnapshot(spare);
    return { kind: 'frozen', pauseMs: performance.now() - startMs };
  }

  #write(): ShardAnswer {
    if (this.#writing === undefined) return { kind: 'lost' };
    const bytes = this.#writing.step(pieceBytes);
    if (bytes === undefined) return { kind: 'writing' };
    this.#writing = undefined;
    return { kind: 'snapshot', bytes };
  }

  async #start(start: ShardStart): Promise<Started> {
    const { options, feeds, earlyFeeds, keptFields, owned, parts, isDivided, forwardsWitnesses } = start;
    const forwarded = forwardsWitnesses ? new WitnessOutbox(options.rules) : undefined;
    const correlator = await startCorrelator(options, {
      ...(forwarded === undefined
        ? {}
        : { forwardWitness: (rule, host, witness) => forwarded.add(rule.id, host, witness) }),
      earlyRules: new Set(earlyFeeds),
      keptFields,
      ordinalRows: pieceRowsMax,
      isCopied: true,
      intercept: (made, arrival) => this.#intercept(made, arrival),
    });
    correlator.kernel.setOwnedSlots(owned);
    const report =
      parts.length > 0
        ? correlator.restoreParts(parts, isDivided ? owned : undefined)
        : { kept: [], dropped: [], added: [] };
    if (parts.length > 0) forwarded?.knowAll();
    this.#forwarded = forwarded;
    this.#feeds = new Map(feeds);
    this.#owned = Uint8Array.from(owned);
    this.#writing = undefined;
    this.#correlator?.close();
    this.#correlator = correlator;
    const { fields, problems, batchColumns: columns, sessionLimits: session, kernel } = correlator;
    return { report, fields, problems, batches: { columns, session, inputCapacity: kernel.inputCapacity } };
  }

  #push(correlator: CorrelatorPart, message: ShardMessage): ShardOutput {
    this.#matches = [];
    this.#ordered = [];
    const alerts =
      message.kind === 'dictionaries' ? this.#readDictionaries(correlator, message.bytes) : apply(correlator, message);
    const output = { alerts, feeds: this.#matches, ordered: this.#ordered };
    return this.#forwarded === undefined ? output : { ...output, witnessed: this.#forwarded.take(correlator) };
  }

  #readDictionaries(correlator: CorrelatorPart, bytes: Uint8Array): ShardOutput['alerts'] {
    correlator.kernel.setOwnedSlots(new Uint8Array(HostSlots.Count));
    try {
      return correlator.push(bytes, { as: 'batch' });
    } finally {
      correlator.kernel.setOwnedSlots(this.#owned);
    }
  }

  #intercept(made: MadeAlert, arrival: number): boolean {
    const feed = this.#feeds.get(made.view.rule.id);
    if (feed !== undefined) {
      this.#matches.push(matchOf(made, arrival, feed));
      return true;
    }
    if (!made.view.isOrdered) return false;
    const { view, timeUs, alert, steps } = made;
    this.#ordered.push({ arrival, rule: view.rule.id, timeUs, alert, steps });
    return true;
  }
}

function apply(
  correlator: CorrelatorPart,
  message: Exclude<ShardMessage, { kind: 'dictionaries' }>,
): ShardOutput['alerts'] {
  switch (message.kind) {
    case 'lines':
      return message.pieces.flatMap((piece) => applyLines(correlator, piece));
    case 'batch':
      correlator.kernel.setOrdinals(message.base);
      return correlator.pushChecked(message.bytes, message.view);
    case 'advance':
      return correlator.advance(formatTimeUs(message.timeUs));
    case 'flush':
      return correlator.flush();
  }
}

function applyLines(correlator: CorrelatorPart, { base, bytes, places }: LinesPiece): ShardOutput['alerts'] {
  correlator.kernel.setOrdinals(base, places);
  return correlator.push(bytes, { as: 'ndjson' });
}

function matchOf({ timeUs, alert, steps }: MadeAlert, arrival: number, feed: string): FeedMatch {
  const [entry] = alert.evidence;
  const isEvent = entry !== undefined && entry.missing !== true;
  return {
    feed,
    arrival,
    ordinal: isEvent ? entry.ordinal : 0,
    timeUs,
    host: alert.host?.id ?? '',
    eventId: isEvent ? entry.eventId : '',
    fields: steps[0] ?? {},
    isCut: isEvent && entry.isCut === true,
  };
}
