/** Whether memory grows: samples over time, and the trend of those after the warm-up. */

export interface MemorySample {
  readonly ms: number;
  readonly rssBytes: number;
}

export interface MemoryTrend {
  readonly warmupMs: number;
  /** Medians of the first and the last tenth of the samples after the warm-up. */
  readonly startMiB: number;
  readonly endMiB: number;
  readonly highestMiB: number;
  /** Slope over all samples after the warm-up (Theil and Sen's median of slopes). */
  readonly mibPerHour: number;
  readonly isFlat: boolean;
}

/** Share of the run that fills tables, caches and the heap. */
const warmupShare = 0.25;
/** Growth after the warm-up that is still called flat: a share of what is resident. */
const growthShare = 0.03;
const mib = 2 ** 20;

/** The trend of samples in order of time; at least forty are needed. */
export function trendOf(samples: readonly MemorySample[]): MemoryTrend {
  const endMs = samples.at(-1)?.ms ?? 0;
  const warmupMs = endMs * warmupShare;
  const measured = samples.filter(({ ms }) => ms >= warmupMs);
  const tenth = Math.max(1, Math.floor(measured.length / 10));
  const startMiB = medianOf(measured.slice(0, tenth).map(({ rssBytes }) => rssBytes)) / mib;
  const endMiB = medianOf(measured.slice(-tenth).map(({ rssBytes }) => rssBytes)) / mib;
  const mibPerHour = (medianSlope(thinned(measured)) * 3_600_000) / mib;
  const grownMiB = Math.max(endMiB - startMiB, (mibPerHour * (endMs - warmupMs)) / 3_600_000);
  return {
    warmupMs,
    startMiB,
    endMiB,
    highestMiB: Math.max(...measured.map(({ rssBytes }) => rssBytes)) / mib,
    mibPerHour,
    isFlat: measured.length >= 40 && grownMiB <= startMiB * growthShare,
  };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** At most two hundred samples, medians of neighbours. */
function thinned(samples: readonly MemorySample[]): MemorySample[] {
  const size = Math.max(1, Math.ceil(samples.length / 200));
  return Array.from({ length: Math.floor(samples.length / size) }, (_, index) => {
    const some = samples.slice(index * size, (index + 1) * size);
    return { ms: medianOf(some.map(({ ms }) => ms)), rssBytes: medianOf(some.map(({ rssBytes }) => rssBytes)) };
  });
}

function medianSlope(samples: readonly MemorySample[]): number {
  const slopes: number[] = [];
  samples.forEach((a, index) => {
    for (const b of samples.slice(index + 1)) if (b.ms > a.ms) slopes.push((b.rssBytes - a.rssBytes) / (b.ms - a.ms));
  });
  return medianOf(slopes);
}
