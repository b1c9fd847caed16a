/**
 * The engine's side of one shard: one task in flight, the rest in order behind it; a journal of what the shard was given
 * since its last snapshot. A shard whose thread died or whose kernel failed starts anew from the snapshot and is given
 * the journal again; what that repeats was delivered already and is dropped.
 *
 * A snapshot is taken in a moment and written in pieces between the messages that follow. Until it is whole the one before
 * it and the journal since that one are kept; a shard that fails meanwhile is brought to that moment once more.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BatchError, ProgramError, SnapshotError, UsageError, VedetteError } from '../core/errors.js';
import type { Alert } from '../correlator/alert.js';
import type { CoverageCounts } from '../correlator/coverage/tracker.js';
import type { SessionPlace } from '../event/batch_receiver.js';
import type { ShardAnswer, ShardMessage, ShardOutput, ShardStart, Started } from './messages.js';
import type { ShardHost } from './shard_host.js';

/** Attempts at one message before the engine gives up: the message itself may be what fails. */
const attemptsMax = 3;

export interface MailboxStats {
  /** Messages that wait or are being applied. */
  readonly queued: number;
  /** Times the shard was started anew after it died. */
  readonly restarts: number;
  /** Bytes and messages since the last snapshot, which a restart would replay. */
  readonly journalBytes: number;
  readonly journalMessages: number;
  readonly threadId: number;
}

/** A snapshot that is taken. */
export interface FrozenShard {
  /** How long the shard stood still for it. */
  readonly pauseMs: number;
  /** Its bytes, once they are written. */
  readonly written: Promise<Uint8Array<ArrayBuffer>>;
}

/** The moment of a snapshot that is being written. */
interface Cut {
  /** Messages of the journal that came before it, and their bytes. */
  readonly messages: number;
  readonly bytes: number;
  /** Batches of the session that was in hand, if it goes on. */
  readonly session: readonly Uint8Array[];
}

type Answer<K extends ShardAnswer['kind']> = Extract<ShardAnswer, { kind: K }>;

export class Mailbox {
  readonly #host: ShardHost;
  readonly #onRestart: (reason: string) => void;
  #start: ShardStart | undefined;
  #journal: ShardMessage[] = [];
  #journalBytes = 0;
  /** Batches of the session in hand, and those of the session that was in hand at the last snapshot. */
  #session: Uint8Array[] = [];
  #sessionBefore: readonly Uint8Array[] = [];
  /** The snapshot that a restart goes back to, where this mailbox took it, and the memory of the one before. */
  #base: Uint8Array<ArrayBuffer> | undefined;
  #cut: Cut | undefined;
  #spare: ArrayBuffer | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #queued = 0;
  #restarts = 0;

  constructor(host: ShardHost, onRestart: (reason: string) => void) {
    this.#host = host;
    this.#onRestart = onRestart;
  }

  /** Starts the shard, or starts it anew with other rules; when that fails the shard is what it was. */
  start(start: ShardStart): Promise<Started> {
    return this.#inTurn(async () => {
      const answer = await this.#host.run({ kind: 'start', start }).catch((error: unknown) => {
        throw cannotStart(error);
      });
      if (answer.kind !== 'started') throw errorOf(answer);
      this.#start = start;
      this.#clearJournal();
      for (const bytes of this.#sessionBefore) await this.#replay({ kind: 'dictionaries', bytes });
      return answer.started;
    });
  }

  /** Gives the shard a message; answers what it came to. */
  send(message: ShardMessage): Promise<ShardOutput> {
    return this.#inTurn(async () => {
      const answer = await this.#persist(() => this.#host.run({ kind: 'push', message }));
      if (answer.kind !== 'output') throw errorOf(answer);
      this.#journal.push(message);
      this.#journalBytes += bytesOf(message);
      if (message.kind === 'batch') this.#noteSession(message.session, message.bytes);
      return answer.output;
    });
  }

  /**
   * Takes the shard's state after every message sent. Once it is written a restart goes back to it. The bytes of the
   * snapshot before the last are written over: nobody may read them any more. One at a time.
   */
  snapshot(): Promise<FrozenShard> {
    return this.#inTurn(async () => {
      const answer = await this.#persist(() => this.#freeze());
      if (answer.kind !== 'frozen') throw errorOf(answer);
      this.#cut = { messages: this.#journal.length, bytes: this.#journalBytes, session: [...this.#session] };
      const written = this.#write();
      // Whoever took the snapshot is told when it asks.
      written.catch(() => undefined);
      return { pauseMs: answer.pauseMs, written };
    });
  }

  #freeze(): Promise<ShardAnswer> {
    const spare = this.#spare ?? new ArrayBuffer(0);
    this.#spare = undefined;
    return this.#host.run({ kind: 'freeze', spare });
  }

  /** Has the snapshot written, piece by piece, behind whatever is sent meanwhile. */
  async #write(): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const bytes = await this.#inTurn(async () => {
        const answer = await this.#persist(() => this.#host.run({ kind: 'write' }));
        if (answer.kind === 'writing') return undefined;
        if (answer.kind !== 'snapshot') throw errorOf(answer);
        this.#rebase(answer.bytes);
        return answer.bytes;
      });
      if (bytes !== undefined) return bytes;
      await nextTurn();
    }
  }

  /** The snapshot is whole: a restart goes back to it. */
  #rebase(bytes: Uint8Array<ArrayBuffer>): void {
    const { messages, bytes: before, session } = this.#cut as Cut;
    this.#cut = undefined;
    this.#start = { ...(this.#start as ShardStart), parts: [bytes], isDivided: false };
    this.#spare = this.#base?.buffer;
    this.#base = bytes;
    this.#journal = this.#journal.slice(messages);
    this.#journalBytes -= before;
    this.#sessionBefore = session;
  }

  correlatorStats(): Promise<Answer<'stats'>> {
    return this.#ask('stats');
  }

  /** What the shard counted of its hosts; undefined where no coverage model was given. */
  async coverageCounts(): Promise<CoverageCounts | undefined> {
    return (await this.#ask('coverage')).counts;
  }

  /** The alerts that exceptions hid since the last call. */
  async suppressed(): Promise<readonly Alert[]> {
    return (await this.#ask('suppressed')).alerts;
  }

  /** The answer to a task that is told by its kind alone. */
  #ask<K extends 'stats' | 'coverage' | 'suppressed'>(kind: K): Promise<Answer<K>> {
    return this.#inTurn(async () => {
      const answer = await this.#persist(() => this.#host.run({ kind }));
      if (answer.kind !== kind) throw errorOf(answer);
      return answer as Answer<K>;
    });
  }

  stats(): MailboxStats {
    return {
      queued: this.#queued,
      restarts: this.#restarts,
      journalBytes: this.#journalBytes,
      journalMessages: this.#journal.length,
      threadId: this.#host.threadId,
    };
  }

  /** Messages since the last snapshot was taken, written or not. */
  get journalMessages(): number {
    return this.#journal.length - (this.#cut?.messages ?? 0);
  }

  close(): Promise<void> {
    return this.#host.close();
  }

  /** Bytes of the session in hand, which a restart would read again. */
  get sessionBytes(): number {
    return this.#session.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** Batches of the session in hand. */
  get session(): readonly Uint8Array[] {
    return this.#session;
  }

  /** The session is over: its next batch will be refused before it comes here. */
  endSession(): void {
    this.#session = [];
    if (this.#cut !== undefined) this.#cut = { ...this.#cut, session: [] };
  }

  #noteSession(place: SessionPlace, bytes: Uint8Array): void {
    if (place === 'starts') this.#session = [bytes];
    else if (place === 'continues') this.#session.push(bytes);
  }

  #clearJournal(): void {
    this.#journal = [];
    this.#journalBytes = 0;
    this.#cut = undefined;
    this.#sessionBefore = [...this.#session];
  }

  async #replay(message: ShardMessage): Promise<void> {
    const answer = await this.#host.run({ kind: 'push', message });
    if (answer.kind !== 'output') throw errorOf(answer);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#queued++;
    const done = this.#tail.then(work).finally(() => {
      this.#queued--;
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }

  /** Does a task, starting the shard anew as often as needed and allowed. */
  async #persist(run: () => Promise<ShardAnswer>): Promise<ShardAnswer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await run();
        if (answer.kind !== 'lost') return answer;
        await this.#restart('the worker was replaced');
      } catch (error) {
        if (attempt >= attemptsMax) throw error;
        await this.#restart(error instanceof Error ? error.message : String(error)).catch(() => undefined);
      }
    }
  }

  async #restart(reason: string): Promise<void> {
    if (this.#start === undefined) throw new UsageError('USAGE_CLOSED', 'the shard was never started');
    this.#restarts++;
    this.#onRestart(reason);
    const answer = await this.#host.run({ kind: 'start', start: this.#start });
    if (answer.kind !== 'started') throw errorOf(answer);
    for (const bytes of this.#sessionBefore) await this.#replay({ kind: 'dictionaries', bytes });
    for (const [index, message] of this.#journal.entries()) {
      if (index === this.#cut?.messages) await this.#freezeAgain();
      await this.#replay(message);
    }
    if (this.#journal.length === this.#cut?.messages) await this.#freezeAgain();
  }

  /** Takes the snapshot that was being written when the shard failed. */
  async #freezeAgain(): Promise<void> {
    const answer = await this.#freeze();
    if (answer.kind !== 'frozen') throw errorOf(answer);
  }
}

function bytesOf(message: ShardMessage): number {
  if (message.kind === 'batch' || message.kind === 'dictionaries') return message.bytes.length;
  if (message.kind !== 'lines') return 64;
  return message.pieces.reduce((sum, { bytes, places }) => sum + bytes.length + places.byteLength, 64);
}

function cannotStart(cause: unknown): VedetteError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new VedetteError(
    'ENGINE_WORKER',
    `a shard cannot start: ${reason}; where a bundler has moved the worker file pass workerUrl`,
    { cause },
  );
}

const errorClasses = { BatchError, ProgramError, SnapshotError, UsageError };

/** The error that crossed a thread as an answer. */
function errorOf(answer: ShardAnswer): Error {
  if (answer.kind !== 'error') return new Error(`a shard answered ${answer.kind}`);
  const known = (errorClasses as Record<string, typeof VedetteError | typeof BatchError>)[answer.name] ?? VedetteError;
  return new known(answer.code as VedetteError['code'], answer.message);
}
