/** The loop of one fuzzing worker: inputs from consecutive seeds, each announced before it is checked. */
import { inputSeed, Random } from './random.js';
import type { FuzzTarget } from './target.js';

export interface LoopOptions {
  readonly targets: readonly FuzzTarget[];
  readonly seed: number;
  /** First iteration. */
  readonly from: number;
  /** Stops before an iteration when this says so. */
  isOver(): boolean;
  /** Told before each check. */
  onStart(target: string, iteration: number): void;
}

export interface Failure {
  readonly target: string;
  readonly iteration: number;
  readonly message: string;
}

/** The input of one iteration. */
export function inputOf(target: FuzzTarget, seed: number, iteration: number): Uint8Array {
  return target.generate(new Random(inputSeed(seed, iteration)));
}

/** Runs until it is over or a promise is broken. Returns the iterations done and the failure, if any. */
export async function fuzzLoop(options: LoopOptions): Promise<{ done: number; failure?: Failure }> {
  let iteration = options.from;
  for (; !options.isOver(); iteration++) {
    const target = options.targets[iteration % options.targets.length] as FuzzTarget;
    options.onStart(target.name, iteration);
    try {
      await target.check(inputOf(target, options.seed, iteration));
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { done: iteration - options.from, failure: { target: target.name, iteration, message } };
    }
  }
  return { done: iteration - options.from };
}
