/** Coverage over many hosts: how many are how far covered, by rule and by platform. */
import { compareCodeUnits } from '../../core/order.js';
import type { CoverageStatus } from '../alert.js';
import type { CoverageReport, HostCoverage } from './report.js';

export interface PlatformCoverage {
  readonly platform: string;
  readonly hosts: number;
  /** Sources of its hosts, those of most hosts first. */
  readonly sources: readonly {
    readonly id: string;
    readonly title: string;
    readonly hosts: number;
    readonly events: number;
  }[];
  /** Rules that apply to the platform. */
  readonly matrix: CoverageReport['matrix'];
  readonly topGaps: CoverageReport['topGaps'];
}

/** The platforms of the hosts, the most hosts first. */
export function platformsOf(hosts: readonly HostCoverage[], ruleIds: readonly string[]): PlatformCoverage[] {
  const byPlatform = new Map<string, HostCoverage[]>();
  for (const host of hosts) byPlatform.set(host.platform, [...(byPlatform.get(host.platform) ?? []), host]);
  return [...byPlatform]
    .map(([platform, own]) => ({
      platform,
      hosts: own.length,
      sources: sourcesOf(own),
      matrix: applicableOf(matrixOf(own, ruleIds)),
      topGaps: topGapsOf(own),
    }))
    .sort((a, b) => b.hosts - a.hosts || compareCodeUnits(a.platform, b.platform));
}

function sourcesOf(hosts: readonly HostCoverage[]): PlatformCoverage['sources'] {
  const found = new Map<string, PlatformCoverage['sources'][number]>();
  for (const { id, title, events } of hosts.flatMap(({ sources }) => sources)) {
    const before = found.get(id) ?? { id, title, hosts: 0, events: 0 };
    found.set(id, { ...before, hosts: before.hosts + 1, events: before.events + events });
  }
  return [...found.values()].sort((a, b) => b.hosts - a.hosts || compareCodeUnits(a.id, b.id));
}

/** Rule, then status, to the number of hosts. */
export function matrixOf(hosts: readonly HostCoverage[], ruleIds: readonly string[]): CoverageReport['matrix'] {
  const none = (): Record<CoverageStatus, number> => ({
    full: 0,
    degraded: 0,
    blind: 0,
    unknown: 0,
    not_applicable: 0,
  });
  const matrix: Record<string, Record<CoverageStatus, number>> = Object.fromEntries(ruleIds.map((id) => [id, none()]));
  for (const { rules } of hosts)
    for (const { rule, status } of rules) (matrix[rule] as Record<CoverageStatus, number>)[status]++;
  return matrix;
}

const applicableOf = (matrix: CoverageReport['matrix']): CoverageReport['matrix'] =>
  Object.fromEntries(
    Object.entries(matrix).filter(([, { full, degraded, blind, unknown }]) => full + degraded + blind + unknown > 0),
  );

/** Gap codes with the number of hosts that have them, the most frequent first. */
export function topGapsOf(hosts: readonly HostCoverage[]): CoverageReport['topGaps'] {
  const counts = new Map<string, number>();
  for (const { gaps } of hosts)
    for (const code of new Set(gaps.map((gap) => gap.code))) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts]
    .map(([code, count]) => ({ code, hosts: count }))
    .sort((a, b) => b.hosts - a.hosts || compareCodeUnits(a.code, b.code));
}

/** From the first event of a host to the newest of any; null without hosts. */
export function periodOf(hosts: readonly HostCoverage[]): CoverageReport['period'] {
  if (hosts.length === 0) return null;
  return {
    fromUs: hosts.reduce((least, { firstSeenUs }) => Math.min(least, firstSeenUs), Number.POSITIVE_INFINITY),
    toUs: hosts.reduce((most, { lastSeenUs }) => Math.max(most, lastSeenUs), Number.NEGATIVE_INFINITY),
  };
}
