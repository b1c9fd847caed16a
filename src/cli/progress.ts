/** One progress line on a terminal, redrawn at most ten times a second; nothing elsewhere. */
import type { Io } from './io.js';

export interface Progress {
  /** Adds bytes read of the whole. */
  addBytes(count: number): void;
  addEvents(count: number): void;
  /** Clears the line, so that other output starts clean. */
  clear(): void;
}

const redrawMs = 100;

/** Creates the line for work over `totalBytes` (0: unknown, such as standard input). */
export function createProgress(io: Io, what: string, totalBytes: number): Progress {
  const startMs = Date.now();
  let bytes = 0;
  let events = 0;
  let drawnMs = 0;
  const draw = (): void => {
    const nowMs = Date.now();
    if (!io.isInteractive || nowMs - drawnMs < redrawMs) return;
    drawnMs = nowMs;
    const share = totalBytes > 0 ? `${Math.min(100, Math.floor((100 * bytes) / totalBytes))}%, ` : '';
    const rate = Math.round((events * 1000) / Math.max(1, nowMs - startMs));
    io.stderr(
      `\r\u001b[K${what}: ${share}${events.toLocaleString('en')} events, ${rate.toLocaleString('en')} events/s`,
    );
  };
  return {
    addBytes(count) {
      bytes += count;
      draw();
    },
    addEvents(count) {
      events += count;
      draw();
    },
    clear() {
      if (io.isInteractive && drawnMs > 0) io.stderr('\r\u001b[K');
      drawnMs = 0;
    },
  };
}
