/** Alerts as a readable timeline: when, host, user, rule, severity, the process chain, each piece of evidence a line. */

import { baseName } from '../core/paths.js';
import { formatTimeUs } from '../core/time.js';
import type { Alert, Evidence, MissingEvidence } from '../correlator/alert.js';
import type { EvidenceFields } from '../correlator/behavior/witness.js';
import type { ExceptionNote } from '../correlator/exceptions.js';
import type { Severity } from '../rule/ir.js';
import { type Io, paint, printable, type Style } from './io.js';

const severityStyle: Readonly<Record<Severity, Style>> = {
  informational: 'dim',
  low: 'cyan',
  medium: 'yellow',
  high: 'red',
  critical: 'magenta',
};

/** Evidence lines shown per alert; what is beyond is counted in one line. */
const evidenceLinesMax = 20;

/** Renders one alert, with a trailing blank line. Text from events is made safe to print. */
export function renderAlert(alert: Alert, io: Io): string {
  const { rule } = alert;
  const lines = [
    [
      paint(io, 'bold', alert.time),
      paint(io, severityStyle[rule.severity], rule.severity.toUpperCase().padEnd(8)),
      paint(io, 'bold', rule.id),
      printable(rule.name),
    ].join('  '),
    `  ${subjectLine(alert)}`,
  ];
  const chain = processChain(alert);
  if (chain !== undefined) lines.push(`  ${paint(io, 'dim', 'process')}  ${chain}`);
  lines.push(...detailLines(alert, io));
  for (const evidence of alert.evidence.slice(0, evidenceLinesMax)) lines.push(`    ${evidenceLine(evidence, io)}`);
  const hidden = alert.evidence.length - evidenceLinesMax;
  if (hidden > 0) lines.push(paint(io, 'dim', `    … ${hidden} more`));
  return `${lines.join('\n')}\n\n`;
}

function subjectLine(alert: Alert): string {
  const host = alert.host === null ? 'across hosts' : `host ${printable(alert.host.name ?? alert.host.id)}`;
  const user = alert.behavior?.session.user ?? firstField(alert, 'user.name');
  const parts = [host, user === undefined ? '' : `user ${printable(String(user))}`, `risk ${alert.rule.riskScore}`];
  if (alert.revision > 1) parts.push(`revision ${alert.revision}`);
  if (alert.suppressed !== undefined && alert.suppressed > 0) parts.push(`${alert.suppressed} more suppressed`);
  return parts.filter((part) => part !== '').join(', ');
}

function firstField(alert: Alert, name: string): EvidenceFields[string] | undefined {
  for (const evidence of alert.evidence) {
    if (evidence.missing === true) continue;
    const value = evidence.fields[name];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Oldest ancestor first. */
function processChain(alert: Alert): string | undefined {
  const session = alert.behavior?.session;
  if (session !== undefined) {
    const ancestors = session.lineage.map(({ executable }) => baseName(executable)).reverse();
    return [...ancestors, baseName(session.images.at(-1) ?? session.root)]
      .filter((name) => name !== '')
      .map(printable)
      .join(' > ');
  }
  const names = [firstField(alert, 'process.parent.name'), firstField(alert, 'process.name')];
  const known = names.filter((name) => name !== undefined).map(String);
  return known.length === 0 ? undefined : known.map(printable).join(' > ');
}

function detailLines(alert: Alert, io: Io): string[] {
  const detail = alert.behavior;
  const lines: string[] = [];
  if (detail !== undefined) {
    const classes = Object.entries(detail.classes).map(([name, { level }]) =>
      level === '' ? name : `${name} (${level})`,
    );
    const facts = [`context ${detail.session.context}`, classes.join(' + '), `confidence ${detail.confidence}`];
    if (detail.modifiers.length > 0) facts.push(`raised by ${detail.modifiers.join(', ')}`);
    const { scriptId, tier, distribution } = detail.session;
    lines.push(
      `  ${paint(io, 'dim', 'runs')}     ${printable(scriptId)} (${[distribution, tier].filter(Boolean).join(', ')})`,
    );
    lines.push(`  ${paint(io, 'dim', 'because')}  ${facts.filter(Boolean).map(printable).join('; ')}`);
    if (detail.dataQuality.length > 0)
      lines.push(`  ${paint(io, 'dim', 'doubts')}   ${detail.dataQuality.map(words).map(printable).join(', ')}`);
    lines.push(`  ${paint(io, 'dim', 'att&ck')}   ${detail.techniques.join(', ')}`);
  }
  const blind = Object.entries(alert.coverage ?? {}).filter(([, status]) => status !== 'full');
  if (blind.length > 0)
    lines.push(`  ${paint(io, 'dim', 'coverage')} ${blind.map(([leg, status]) => `${leg} ${status}`).join(', ')}`);
  for (const note of alert.exceptions ?? []) lines.push(`  ${paint(io, 'dim', 'exception')} ${exceptionText(note)}`);
  for (const note of alert.notes ?? []) lines.push(`  ${paint(io, 'dim', 'note')}     ${printable(note)}`);
  return lines;
}

const words = (name: string): string => name.replaceAll('_', ' ');

function exceptionText(note: ExceptionNote): string {
  const id = printable(note.id);
  switch (note.result) {
    case 'matched':
      return `${id} covers a part of it`;
    case 'set_aside':
      return `${id} matches, but may not hide this severity`;
    case 'expired':
      return `${id} would have hidden it, but expired ${formatTimeUs(note.expiresUs).slice(0, 19)}`;
    case 'near_miss':
      return `${id} nearly matches: all but ${printable(note.failed)}`;
  }
}

function evidenceLine(evidence: Evidence | MissingEvidence, io: Io): string {
  const clock = evidence.time.slice(11, 23);
  const step = evidence.step.padEnd(20);
  if (evidence.missing === true) return `${clock}  ${step}  ${paint(io, 'dim', 'no such event until then')}`;
  return `${clock}  ${paint(io, 'bold', step)}  ${printable(summary(evidence.fields))}`;
}

/** What an event did, in the words of its most telling field. */
export function summary(fields: EvidenceFields): string {
  const value = (name: string): string | undefined => {
    const found = fields[name];
    return found === undefined ? undefined : Array.isArray(found) ? found.join(' ') : String(found);
  };
  const action = value('event.action');
  const actor = value('process.name') ?? value('process.executable') ?? 'unknown process';
  const item = value('Persistence.path');
  if (item !== undefined) return `${actor} registered ${item}`;
  const address = value('destination.ip') ?? value('destination.domain');
  if (address !== undefined) {
    const domain = value('destination.domain');
    const port = value('destination.port');
    const name = domain !== undefined && domain !== address ? ` (${domain})` : '';
    return `${actor} connected to ${address}${port === undefined ? '' : `:${port}`}${name}`;
  }
  const question = value('dns.question.name');
  if (question !== undefined) return `${actor} looked up ${question}`;
  const registry = value('registry.path');
  if (registry !== undefined) return `${actor} set ${registry}`;
  const path = value('file.path');
  if (path !== undefined) return `${actor} ${fileVerb(action)} ${path}`;
  return (
    value('process.command_line') ?? value('process.args') ?? value('process.executable') ?? `${actor} ${action ?? ''}`
  );
}

const fileVerbs: Readonly<Record<string, string>> = {
  creation: 'created',
  rename: 'renamed a file to',
  deletion: 'deleted',
  open: 'opened',
};

function fileVerb(action: string | undefined): string {
  return fileVerbs[action ?? ''] ?? 'wrote';
}
