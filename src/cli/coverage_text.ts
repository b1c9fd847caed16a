/** A coverage report as text for a terminal: hosts by status, each host, then each gap once with its remedy. */
import { formatTimeUs } from '../core/time.js';
import type { CoverageStatus } from '../correlator/alert.js';
import type { Arrival } from '../correlator/coverage/health.js';
import type { CoverageReport, CoverageVerdict, HostCoverage, RuleCoverage } from '../correlator/coverage/report.js';
import type { InputReport } from './coverage.js';
import { type Io, paint, printable, type Style } from './io.js';

function inputLines({ lines, byKind, otherActions }: InputReport): string[] {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .slice(0, 12)
      .map(([name, count]) => `${printable(name)} ${count.toLocaleString('en')}`)
      .join(', ');
  const told = [`${lines.toLocaleString('en')} lines: ${list(byKind) || 'none recognised'}`];
  if (Object.keys(otherActions).length > 0) told.push(`of no class that an analytic reads: ${list(otherActions)}`);
  return told;
}

/** Hosts shown one by one. */
const hostsMax = 25;

/** The report for people at a terminal. */
export function coverageText(report: CoverageReport, input: InputReport, io: Io): string {
  const platforms = Object.entries(report.hostsByPlatform).map(([name, count]) => `${name} ${count}`);
  const hosts = report.hosts.slice(0, hostsMax);
  const lines = [paint(io, 'bold', `${report.hostsTotal} hosts (${platforms.join(', ') || 'none seen'})`), ''];
  if (report.hostsForgotten > 0)
    lines.push(`${report.hostsForgotten} more hosts were seen and given up for room; give more --memory`, '');
  const lost = report.stream.gaps.map(({ code, detail = '' }) => `${paint(io, 'yellow', code)}  ${detail}`);
  lines.push(...inputLines(input), ...lost, '');
  lines.push(...matrixLines(report), '');
  for (const host of hosts) lines.push(...hostLines(host, io), '');
  if (report.hosts.length > hosts.length)
    lines.push(`… ${report.hosts.length - hosts.length} more hosts; --json has them all`, '');
  lines.push(...gapLines(report, io));
  return `${lines.join('\n').trimEnd()}\n`;
}

const statuses: readonly CoverageStatus[] = ['full', 'degraded', 'blind', 'unknown'];

const styles: Readonly<Record<CoverageStatus, Style>> = {
  full: 'green',
  degraded: 'yellow',
  blind: 'red',
  unknown: 'magenta',
  not_applicable: 'dim',
};

/** Rules that apply somewhere, with the number of hosts of each status. */
function matrixLines({ matrix }: CoverageReport): string[] {
  const rows = Object.entries(matrix).filter(([, counts]) => statuses.some((status) => counts[status] > 0));
  if (rows.length === 0) return ['No rule applies to the hosts seen.'];
  const width = Math.max(...rows.map(([rule]) => rule.length), 'hosts by status'.length);
  return [
    `${'hosts by status'.padEnd(width)}  ${statuses.map((status) => status.padStart(8)).join('  ')}`,
    ...rows.map(
      ([rule, counts]) =>
        `${printable(rule).padEnd(width)}  ${statuses.map((status) => String(counts[status]).padStart(8)).join('  ')}`,
    ),
  ];
}

function hostLines(host: HostCoverage, io: Io): string[] {
  const sources = host.sources.map(({ title, events }) => `${title} ${events.toLocaleString('en')}`);
  const from = formatTimeUs(host.firstSeenUs).slice(0, 19);
  const to = formatTimeUs(host.lastSeenUs).slice(0, 19);
  const lines = [
    `${paint(io, 'bold', `host ${printable(host.host.id)}`)}  ${host.platform}  ${from} to ${to}`,
    `  ${host.events.toLocaleString('en')} events (${sources.join(', ') || 'of no source that the model knows'}); ${host.pythonLaunches.toLocaleString('en')} Python launches`,
  ];
  lines.push(...treeLines(host), ...healthLines(host, io));
  const applicable = host.rules.filter(({ status }) => status !== 'not_applicable');
  if (applicable.length === 0) lines.push('  no rule applies to its platform');
  for (const rule of applicable) lines.push(...ruleLines(rule, io));
  return lines;
}

/** What is known of interpreters' trees, and how sure their lineage is. */
function treeLines({ python, identity }: HostCoverage): string[] {
  if (python === null) return [];
  const { byTier, contexts, contextKnownRate, contextUnknown } = python;
  const named = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count.toLocaleString('en')}`)
      .join(', ');
  const unknown = named({
    'parent missing': contextUnknown.parentMissing,
    'in no list': contextUnknown.unlisted,
    orphan: contextUnknown.orphan,
  });
  const why = unknown === '' ? '' : ` (unknown: ${unknown})`;
  const lines = [
    `  ${python.roots.toLocaleString('en')} trees: ${named(byTier)}; context known of ${percent(contextKnownRate)}${why}: ${named(contexts)}`,
  ];
  const doubts = [
    identity.implicitRate === 0 ? '' : `${percent(identity.implicitRate)} never seen to start`,
    identity.brokenLineageRate === 0 ? '' : `${percent(identity.brokenLineageRate)} with a lineage that breaks off`,
    identity.orphanFollowOns === 0 ? '' : `${identity.orphanFollowOns} follow-on events without a start`,
  ].filter((text) => text !== '');
  return doubts.length === 0 ? lines : [...lines, `    of these ${doubts.join(', ')}`];
}

const percent = (rate: number | null): string => (rate === null ? '-' : `${Math.round(rate * 100)} %`);

/** How the host's telemetry arrived: its own line, and one for each source that has something to tell. */
function healthLines({ health, sources, gaps }: HostCoverage, io: Io): string[] {
  const own = gaps.filter(({ detail }) => detail !== undefined);
  const lines = own.map(({ code, detail = '' }) => `  ${paint(io, 'yellow', code)}  ${printable(detail)}`);
  if (sources.length > 1) {
    for (const { title, arrival } of sources) {
      const text = arrival === null ? 'arrival not told apart' : arrivalText(arrival);
      if (text !== '') lines.push(`    ${title}: ${text}`);
    }
  }
  const unnumbered = health.seqGaps === null ? 'lost events cannot be counted: no source numbers its events' : '';
  return unnumbered === '' ? lines : [...lines, `  ${paint(io, 'dim', unnumbered)}`];
}

function arrivalText({ lateEvents, duplicates, estLostEvents, clockOffset }: Arrival): string {
  const parts = [
    lateEvents > 0 ? `${lateEvents} late` : '',
    duplicates > 0 ? `${duplicates} again` : '',
    estLostEvents !== null && estLostEvents > 0 ? `about ${estLostEvents} missing` : '',
    clockOffset !== null && clockOffset !== 'within 5 minutes' ? `taken in ${clockOffset}` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

function ruleLines({ rule, status, base, legs }: RuleCoverage, io: Io): string[] {
  const parts = Object.entries(legs);
  if (parts.length === 0) return [`  ${statusText(printable(rule), { status, gaps: base.gaps }, io, 8)}`];
  return [
    `  ${statusText(printable(rule), { status, gaps: [] }, io, 8)}`,
    ...[['base', base] as const, ...parts].map(([name, verdict]) => `    ${statusText(name, verdict, io, 8)}`),
  ];
}

function statusText(name: string, { status, gaps }: CoverageVerdict, io: Io, width: number): string {
  const codes = gaps.map(({ code }) => code).join(', ');
  return `${name.padEnd(width)}  ${paint(io, styles[status], status.padEnd(8))}  ${codes}`.trimEnd();
}

interface Affected {
  readonly effect: string;
  readonly remedy: string;
  readonly hosts: Set<string>;
  readonly parts: Set<string>;
}

/** Each gap once, with what it does, what it touches and what to do. */
function gapLines({ hosts }: CoverageReport, io: Io): string[] {
  const found = new Map<string, Affected>();
  for (const { host, rules, gaps } of hosts) {
    for (const { code, effect, remedy } of gaps) {
      const entry = found.get(code) ?? { effect, remedy, hosts: new Set(), parts: new Set() };
      found.set(code, entry);
      entry.hosts.add(host.id);
    }
    for (const { rule, base, legs } of rules) {
      for (const [name, { gaps }] of [['', base] as const, ...Object.entries(legs)]) {
        for (const { code, effect, remedy } of gaps) {
          const entry = found.get(code) ?? { effect, remedy, hosts: new Set(), parts: new Set() };
          found.set(code, entry);
          entry.hosts.add(host.id);
          entry.parts.add(name === '' ? rule : `${rule}.${name}`);
        }
      }
    }
  }
  return [...found].flatMap(([code, { effect, remedy, hosts: on, parts }]) => [
    `${paint(io, 'bold', code)}  ${on.size === 1 ? printable([...on][0] ?? '') : `${on.size} hosts`}: ${[...parts].map(printable).join(', ') || 'all rules that apply'}`,
    `  why  ${effect}`,
    `  do   ${remedy}`,
  ]);
}
