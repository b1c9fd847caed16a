/**
 * A part of the engine in its own thread that is built anew when its kernel fails, as the shards are: from its state at
 * the last snapshot, then every call since, in their order. What those calls answer was taken already and is dropped.
 */
import { KernelTrap } from '../core/errors.js';

/** Attempts at one call before the engine gives up: the call itself may be what fails. */
const attemptsMax = 3;

/** What a part is made of; `build` makes one from the last snapshot. */
export interface RebuiltOptions<Part> {
  readonly build: () => Promise<Part>;
  readonly onRestart: (reason: string) => void;
  /** Called before and after each call. Where a test throws a `KernelTrap` here, the kernel fails. */
  readonly probe?: (() => void) | undefined;
}

export class Rebuilt<Part extends { close(): void }> {
  #part: Part;
  #options: RebuiltOptions<Part>;
  #calls: ((part: Part) => void)[] = [];
  #restarts = 0;

  constructor(part: Part, options: RebuiltOptions<Part>) {
    this.#part = part;
    this.#options = options;
  }

  /** For what changes nothing. */
  get part(): Part {
    return this.#part;
  }

  get restarts(): number {
    return this.#restarts;
  }

  /**
   * Does a call that changes the part. `again` does to a part built anew what it did. Errors of the caller's making pass
   * and change nothing; after three failures of the kernel its error is thrown, the part as it was before the call.
   */
  async run<T>(call: (part: Part) => T, again: (part: Part, result: T) => void = call): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#options.probe?.();
        const result = call(this.#part);
        this.#options.probe?.();
        this.#calls.push((part) => again(part, result));
        return result;
      } catch (error) {
        if (!(error instanceof KernelTrap)) throw error;
        await this.#restart(error.message);
        if (attempt >= attemptsMax) throw error;
      }
    }
  }

  async #restart(reason: string): Promise<void> {
    this.#restarts++;
    this.#options.onRestart(reason);
    const part = await this.#options.build();
    for (const call of this.#calls) call(part);
    this.#part.close();
    this.#part = part;
  }

  /** A restart goes back to the state that was just taken; `build` makes a part of it. */
  rebase(build: () => Promise<Part>): void {
    this.#options = { ...this.#options, build };
    this.#calls = [];
  }
}
