/**
 * The exception file: YAML or JSON with a list under `exceptions`, each with owner, reason, expiry, scope and
 * conditions. `docs/exceptions.md` describes it for those who write it.
 */
import type { Diagnostic } from '../core/diagnostic.js';
import { diagnosticAt, SourceText } from '../core/source_text.js';
import {
  type Exception,
  type ExceptionCondition,
  type ExceptionDefect,
  exceptionDaysSuggested,
  exceptionDefects,
} from '../rule/exception.js';
import { severities } from '../rule/ir.js';
import { ObjectReader, type Report } from './document/reader.js';
import { readYamlValues } from './document/yaml.js';

/**
 * Reads exceptions. One with a problem of severity `error` is left out and reported at its place; the others stand.
 * Never throws for the text.
 */
export function parseExceptions(
  text: string,
  file?: string,
): { readonly exceptions: readonly Exception[]; readonly problems: readonly Diagnostic[] } {
  const source = new SourceText(text, file);
  const problems: Diagnostic[] = [];
  const report: Report = (span, problem) => void problems.push(diagnosticAt(source, span, problem));
  const { values, faults } = readYamlValues(text);
  for (const { message, span } of faults) report(span, { code: 'EXCEPTION_YAML', message });
  const exceptions: Exception[] = [];
  for (const node of values) {
    if (node.kind !== 'object') {
      report(node.span, { code: 'EXCEPTION_FILE', message: 'an exception file is a mapping with "exceptions"' });
      continue;
    }
    const root = new ObjectReader(node, 'the exception file', report);
    for (const entry of root.objects('exceptions')) {
      const before = problems.length;
      const exception = readException(entry, report);
      for (const defect of exception === undefined ? [] : exceptionDefects(exception))
        reportDefect(entry, defect, report);
      const isUsable = problems.slice(before).every(({ severity }) => severity !== 'error');
      if (exception !== undefined && isUsable) exceptions.push(exception);
    }
    root.finish();
  }
  reportRepeats(exceptions, report);
  return { exceptions, problems };
}

function readException(entry: ObjectReader, report: Report): Exception | undefined {
  const id = entry.requiredString('id');
  const approver = entry.string('approver');
  const ticket = entry.string('ticket');
  const createdUs = readTime(entry, 'created', report) ?? readTime(entry, 'valid_from', report) ?? 0;
  const expiresUs = readTime(entry, 'expires', report);
  if (!entry.has('expires')) entry.missing('expires', `a date, usually ${exceptionDaysSuggested} days ahead`);
  const scope = entry.object('scope');
  const exception = {
    id: id ?? '',
    title: entry.requiredString('title') ?? '',
    owner: entry.string('owner') ?? '',
    reason: entry.string('reason') ?? '',
    createdUs,
    validFromUs: readTime(entry, 'valid_from', report) ?? createdUs,
    expiresUs: expiresUs ?? createdUs,
    scope: {
      rules: scope?.strings('rules', true) ?? [],
      classes: scope?.strings('classes', true) ?? [],
      hosts: scope?.strings('hosts', true) ?? [],
      platforms: scope?.strings('platforms', true) ?? [],
    },
    conditions: entry.objects('match').map((condition) => readCondition(condition)),
    effect: entry.oneOf('effect', ['suppress', 'observe'] as const) ?? 'suppress',
    maxSeverity: entry.oneOf('max_severity', severities) ?? 'medium',
    ...(approver === undefined ? {} : { approver }),
    ...(ticket === undefined ? {} : { ticket }),
  } satisfies Exception;
  scope?.finish();
  entry.finish();
  return id === undefined || expiresUs === undefined ? undefined : exception;
}

function readCondition(entry: ObjectReader): ExceptionCondition {
  const field = entry.requiredString('field') ?? '';
  const isNegated = entry.boolean('negate') ?? false;
  const is = entry.strings('is', true);
  const matches = entry.strings('matches', true);
  const exists = entry.boolean('exists');
  if (is === undefined && matches === undefined && exists === undefined)
    entry.missing('is', 'one of is, matches, exists');
  entry.finish();
  if (exists !== undefined) return { field, operator: 'exists', values: [], isNegated: isNegated !== !exists };
  return { field, operator: is === undefined ? 'matches' : 'is', values: is ?? matches ?? [], isNegated };
}

/** A date or date and time, UTC where no zone is written. */
function readTime(entry: ObjectReader, key: string, report: Report): number | undefined {
  const text = entry.string(key);
  if (text === undefined) return undefined;
  const isDate = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/.test(text);
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) || text.length === 10;
  const timeMs = isDate ? Date.parse(hasZone ? text : `${text.replace(' ', 'T')}Z`) : Number.NaN;
  if (!Number.isNaN(timeMs)) return timeMs * 1000;
  report(entry.span(key), {
    code: 'EXCEPTION_TIME',
    message: `"${key}" is not a date: ${JSON.stringify(text)}`,
    expected: ['2026-03-01', '2026-03-01T12:00:00Z'],
    remedy: 'Write the date as year-month-day, with a time if needed.',
  });
  return undefined;
}

function reportDefect(entry: ObjectReader, defect: ExceptionDefect, report: Report): void {
  const { part, condition, code, severity, message, remedy } = defect;
  const node = entry.node.entries.get(part)?.node;
  const item = condition !== undefined && node?.kind === 'array' ? node.items[condition] : undefined;
  const id = entry.string('id') ?? '';
  report(item?.span ?? entry.span(part), { code, severity, message: `exception ${id} ${message}`, remedy });
}

function reportRepeats(exceptions: readonly Exception[], report: Report): void {
  const seen = new Set<string>();
  for (const { id } of exceptions) {
    if (seen.has(id))
      report(
        { start: 0, end: 0 },
        { code: 'EXCEPTION_ID', message: `two exceptions have the id "${id}"`, remedy: 'Give each its own id.' },
      );
    seen.add(id);
  }
}
