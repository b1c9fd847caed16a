import type { Report } from '../document/reader.js';
import type { StringNode } from '../document/tree.js';

const unitUs: Readonly<Record<string, number>> = {
  s: 1_000_000,
  m: 60_000_000,
  h: 3_600_000_000,
  H: 3_600_000_000,
  d: 86_400_000_000,
  w: 604_800_000_000,
};

/** Kibana's defaults: a rule looks 6 minutes back every 5 minutes. */
export const defaultIntervalUs = 300_000_000;
export const defaultLookbackUs = 360_000_000;

/** A duration such as `5m`, as `interval` and suppression write it, in microseconds. */
export function readDuration(node: StringNode, report: Report): number | undefined {
  const match = /^(\d{1,9})([smhHdw])$/.exec(node.value);
  const unit = match?.[2] === undefined ? undefined : unitUs[match[2]];
  if (unit !== undefined && Number(match?.[1]) > 0) return Number(match?.[1]) * unit;
  report(node.span, {
    code: 'RULE_VALUE',
    message: `"${node.value}" is not a duration`,
    expected: ['5m', '1h', '7d'],
    remedy: 'Write a whole number and a unit: s, m, h, d or w.',
  });
  return undefined;
}

/**
 * How far before the run a time such as `now-9m` lies, in microseconds; `now` is 0. `isRoundable` takes a rounded time
 * (`now-1d/d`) too, for a rule whose windows do not depend on it.
 */
export function readTimeBeforeRun(node: StringNode, report: Report, isRoundable = false): number | undefined {
  const match = /^now((?:[-+]\d{1,9}[smhHdw])*)(\/[smhHdwMy])?$/.exec(node.value);
  if (match !== null && (match[2] === undefined || isRoundable)) {
    let beforeUs = 0;
    for (const step of (match[1] as string).matchAll(/([-+])(\d+)(\w)/g)) {
      const us = Number(step[2]) * (unitUs[step[3] as string] as number);
      beforeUs += step[1] === '-' ? us : -us;
    }
    if (beforeUs >= 0) return beforeUs;
  }
  report(node.span, {
    code: 'RULE_VALUE',
    message: `"${node.value}" is not a time before the run`,
    expected: ['now', 'now-9m', 'now-7d'],
    remedy: 'Write now, or now minus a whole number of s, m, h, d or w; rounding has no meaning in event time.',
  });
  return undefined;
}
