/** A coverage report as Markdown: tables by rule, platform and host, and each gap once with its remedy. */
import { formatTimeUs } from '../core/time.js';
import type { CoverageStatus } from '../correlator/alert.js';
import type { CoverageReport, HostCoverage, HostGap } from '../correlator/coverage/report.js';
import type { InputReport } from './coverage.js';
import { printable } from './io.js';

/** When, by what and with which rules a report was made. */
export interface Making {
  readonly generatedAt: string;
  readonly libraryVersion: string;
  readonly configHash: string;
}

const statuses: readonly CoverageStatus[] = ['full', 'degraded', 'blind', 'unknown'];

/** Hosts written one by one; the tables before count all. */
const hostsMax = 200;

export function coverageMarkdown(report: CoverageReport, input: InputReport, made: Making): string {
  const { hosts, period } = report;
  const shown = hosts.slice(0, hostsMax);
  const parts = [
    '# Coverage',
    `Made ${made.generatedAt} by Vedette ${made.libraryVersion}, configuration \`${made.configHash}\`.`,
    period === null
      ? 'No host was seen.'
      : `${day(period.fromUs)} to ${day(period.toUs)}: ${report.hostsTotal} hosts, ${report.hostsReporting} of them in the last day; ${input.lines} lines, ${input.unrecognised} of no known source.`,
    ...section('Rules', matrixTable(report.matrix)),
    ...report.platforms.flatMap(platformParts),
    ...shown.flatMap(hostParts),
    ...(hosts.length > shown.length ? [`${hosts.length - shown.length} more hosts are counted above.`] : []),
    ...section('Gaps', gapTable(hosts)),
  ];
  return `${parts.join('\n\n')}\n`;
}

const section = (title: string, table: string): string[] => (table === '' ? [] : [`## ${title}`, table]);

const day = (timeUs: number): string => formatTimeUs(timeUs).slice(0, 19);

function table(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly (string | number)[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text that stays in its cell, and is text. */
const cell = (value: string | number): string =>
  printable(String(value)).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('|', '\\|');

function matrixTable(matrix: CoverageReport['matrix']): string {
  const rows = Object.entries(matrix).filter(([, counts]) => statuses.some((status) => counts[status] > 0));
  return table(
    ['rule', ...statuses],
    rows.map(([rule, counts]) => [rule, ...statuses.map((status) => counts[status])]),
  );
}

function platformParts({ platform, hosts, sources, matrix, topGaps }: CoverageReport['platforms'][number]): string[] {
  return [
    `## ${cell(platform)}: ${hosts} ${hosts === 1 ? 'host' : 'hosts'}`,
    table(
      ['source', 'hosts', 'events'],
      sources.map((source) => [source.title, source.hosts, source.events]),
    ) || 'No source that the model knows.',
    matrixTable(matrix),
    topGaps.length === 0 ? '' : `Gaps by hosts: ${topGaps.map(({ code, hosts: on }) => `${code} ${on}`).join(', ')}.`,
  ].filter((part) => part !== '');
}

function hostParts(host: HostCoverage): string[] {
  const rows = host.rules
    .filter(({ status }) => status !== 'not_applicable')
    .flatMap(({ rule, status, base, legs, gaps }) =>
      Object.keys(legs).length === 0
        ? [[rule, status, codes(gaps)]]
        : [
            [rule, status, ''],
            [`${rule} base`, base.status, codes(base.gaps)],
            ...Object.entries(legs).map(([leg, verdict]) => [`${rule}.${leg}`, verdict.status, codes(verdict.gaps)]),
          ],
    );
  const classes = Object.entries(host.classes).filter(([, count]) => count > 0);
  return [
    `### ${cell(host.host.id)}`,
    `${host.platform}, ${day(host.firstSeenUs)} to ${day(host.lastSeenUs)}, ${host.events} events, ${host.pythonLaunches} Python launches.`,
    table(['rule', 'status', 'gaps'], rows),
    `Classes: ${classes.map(([name, count]) => `${name} ${count}`).join(', ') || 'none'}.`,
    pythonText(host),
  ].filter((part) => part !== '');
}

const codes = (gaps: readonly { readonly code: string }[]): string => gaps.map(({ code }) => code).join(', ');

function pythonText({ python, identity }: HostCoverage): string {
  if (python === null) return '';
  const counts = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ');
  const percent = (rate: number | null): string => (rate === null ? 'untold' : `${Math.round(rate * 100)} %`);
  return [
    `Trees: ${python.roots} (${counts(python.byTier)}), by context ${counts(python.contexts)};`,
    `context known of ${percent(python.contextKnownRate)}, lineage broken of ${percent(identity.brokenLineageRate)},`,
    `${identity.orphanFollowOns} follow-on events without a start.`,
  ].join(' ');
}

/** Each gap once, the severest first. */
function gapTable(hosts: readonly HostCoverage[]): string {
  const found = new Map<string, { readonly gap: HostGap; readonly hosts: Set<string>; readonly rules: Set<string> }>();
  for (const { host, gaps } of hosts) {
    for (const gap of gaps) {
      const known = found.get(gap.code);
      const worst = known === undefined || ranks[gap.severity] < ranks[known.gap.severity] ? gap : known.gap;
      const entry = { gap: worst, hosts: known?.hosts ?? new Set<string>(), rules: known?.rules ?? new Set<string>() };
      entry.hosts.add(host.id);
      for (const rule of gap.rules) entry.rules.add(rule);
      found.set(gap.code, entry);
    }
  }
  const rows = [...found.values()].sort((a, b) => ranks[a.gap.severity] - ranks[b.gap.severity]);
  return table(
    ['gap', 'severity', 'hosts', 'rules', 'what it means', 'what to do'],
    rows.map(({ gap, hosts: on, rules }) => [
      gap.code,
      gap.severity,
      on.size,
      [...rules].join(', '),
      gap.effect,
      gap.remedy,
    ]),
  );
}

const ranks: Readonly<Record<HostGap['severity'], number>> = { high: 0, medium: 1, low: 2 };
