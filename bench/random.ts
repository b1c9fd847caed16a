/** A seeded generator of pseudo-random numbers: the same seed gives the same workload on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  unit(): number;
  /** Uniform integer in [0, limit). */
  below(limit: number): number;
  /** One element of a non-empty list. */
  pick<T>(list: readonly T[]): T;
  /** An index in [0, limit), the low ones far more often: how hosts and programs are used in a fleet. */
  skewed(limit: number): number;
  /** Lower-case hexadecimal text of `length` digits. */
  hex(length: number): string;
}

/** Creates a generator; xorshift32 of Marsaglia, "Xorshift RNGs" (2003). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0 || 0x9e3779b9;
  const unit = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 0x1_0000_0000;
  };
  const below = (limit: number): number => Math.floor(unit() * limit);
  return {
    unit,
    below,
    pick: (list) => list[below(list.length)] as (typeof list)[number],
    skewed: (limit) => Math.min(limit - 1, Math.floor(limit * unit() ** 2.2)),
    hex: (length) => {
      let text = '';
      while (text.length < length)
        text += Math.floor(unit() * 0x1_0000_0000)
          .toString(16)
          .padStart(8, '0');
      return text.slice(0, length);
    },
  };
}
