/**
 * The exception file: YAML or JSON with a list under `exceptions`, each with owner, reason, expiry, scope and
 * conditions. `docs/exceptions.md` describes it for those who write it.
 */
import type { Diagnostic } from '../core/diagnostic.js';
import { parseDurationUs } from '../core/duration.js';
import { diagnosticAt, SourceText } from '../core/source_text.js';
import {
  type Exception,
  type ExceptionAudit,
  type ExceptionCondition,
  type ExceptionDefect,
  exceptionDaysSuggested,
  exceptionDefects,
  exceptionStates,
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
    const groups = readGroups(root);
    for (const entry of root.objects('exceptions')) {
      const before = problems.length;
      const exception = readException(entry, report, groups);
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

/** Host groups by name: ids or names of hosts, globs. */
function readGroups(root: ObjectReader): Readonly<Record<string, readonly string[]>> {
  const table = root.object('host_groups');
  const names = [...(table?.node.entries.keys() ?? [])];
  return Object.fromEntries(names.map((name) => [name, table?.strings(name, true) ?? []]));
}

function readException(
  entry: ObjectReader,
  report: Report,
  groups: Readonly<Record<string, readonly string[]>>,
): Exception | undefined {
  const id = entry.requiredString('id');
  const approver = entry.string('approver');
  const ticket = entry.string('ticket');
  const createdUs = readTime(entry, 'created', report) ?? readTime(entry, 'valid_from', report) ?? 0;
  const expiresUs = readTime(entry, 'expires', report);
  if (!entry.has('expires')) entry.missing('expires', `a date, usually ${exceptionDaysSuggested} days ahead`);
  const scope = entry.object('scope');
  const limits = entry.object('limits');
  const maxMatchesPerDay = limits?.number('max_matches_per_day', 1, 1_000_000);
  const hours = limits?.object('business_hours');
  const conditions = entry.objects('match').map((condition) => readCondition(condition));
  reportUnknownGroups(entry, conditions, groups, report);
  const exception = {
    id: id ?? '',
    title: entry.requiredString('title') ?? '',
    owner: entry.string('owner') ?? '',
    reason: entry.string('reason') ?? '',
    state: entry.oneOf('state', exceptionStates) ?? 'active',
    createdUs,
    ...optional('approvedUs', readTime(entry, 'approved_at', report)),
    ...optional('reviewEveryUs', readDuration(entry, 'review_every', report)),
    audit: entry.objects('audit').map(readAudit),
    validFromUs: readTime(entry, 'valid_from', report) ?? createdUs,
    expiresUs: expiresUs ?? createdUs,
    scope: {
      rules: scope?.strings('rules', true) ?? [],
      classes: scope?.strings('classes', true) ?? [],
      hosts: scope?.strings('hosts', true) ?? [],
      platforms: scope?.strings('platforms', true) ?? [],
    },
    conditions,
    effect: entry.oneOf('effect', ['suppress', 'observe'] as const) ?? 'suppress',
    maxSeverity: entry.oneOf('max_severity', severities) ?? 'medium',
    ...optional('approver', approver),
    ...optional('ticket', ticket),
    ...optional('maxMatchesPerDay', maxMatchesPerDay),
    ...(hours === undefined ? {} : { businessHours: readHours(hours, report) }),
    ...(Object.keys(groups).length === 0 ? {} : { hostGroups: groups }),
  } satisfies Exception;
  scope?.finish();
  limits?.finish();
  entry.finish();
  return id === undefined || expiresUs === undefined ? undefined : exception;
}

const optional = <Name extends string, T>(name: Name, value: T | undefined): { readonly [key in Name]?: T } =>
  (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: T };

function readAudit(entry: ObjectReader): ExceptionAudit {
  const comment = entry.string('comment');
  const read = {
    at: entry.requiredString('at') ?? '',
    actor: entry.requiredString('actor') ?? '',
    action: entry.requiredString('action') ?? '',
    ...optional('comment', comment),
  };
  entry.acceptAll({ before_hash: 'string', after_hash: 'string' });
  entry.finish();
  return read;
}

function readDuration(entry: ObjectReader, key: string, report: Report): number | undefined {
  const text = entry.string(key);
  if (text === undefined) return undefined;
  try {
    return parseDurationUs(text, key);
  } catch {
    report(entry.span(key), {
      code: 'EXCEPTION_TIME',
      message: `"${key}" is not a duration: ${JSON.stringify(text)}`,
      expected: ['30d'],
      remedy: 'Write a number and a unit, such as 30d.',
    });
    return undefined;
  }
}

function reportUnknownGroups(
  entry: ObjectReader,
  conditions: readonly ExceptionCondition[],
  groups: Readonly<Record<string, readonly string[]>>,
  report: Report,
): void {
  for (const { field, values } of conditions) {
    for (const name of field === 'host.group' ? values : []) {
      if (Object.hasOwn(groups, name)) continue;
      const message = `there is no host group "${name}"`;
      const remedy = 'Define it under host_groups, as a list of host ids or names.';
      report(entry.span('match'), { code: 'EXCEPTION_GROUP', message, remedy });
    }
  }
}

function readHours(hours: ObjectReader, report: Report): NonNullable<Exception['businessHours']> {
  const minuteOf = (interval: ObjectReader, key: string): number => {
    const text = interval.requiredString(key) ?? '0:00';
    const match = /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(text);
    if (match === null)
      report(interval.span(key), {
        code: 'EXCEPTION_TIME',
        message: `"${key}" is not a time of day`,
        expected: ['08:30'],
      });
    return match === null ? 0 : Number(match[1]) * 60 + Number(match[2]);
  };
  const names = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  const intervals = hours.objects('intervals').map((interval) => {
    const days = (interval.strings('days', true) ?? []).map((name) => {
      const day = names.indexOf(name.toLowerCase()) + 1;
      if (day === 0)
        report(interval.span('days'), { code: 'EXCEPTION_TIME', message: `"${name}" is no day`, expected: names });
      return day;
    });
    const read = { days, fromMinute: minuteOf(interval, 'from'), toMinute: minuteOf(interval, 'to') };
    interval.finish();
    return read;
  });
  const utcOffsetMinutes = hours.number('utc_offset_minutes', -14 * 60, 14 * 60) ?? 0;
  hours.finish();
  return { utcOffsetMinutes, intervals };
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
