/**
 * Exception lists of Kibana as approved exceptions: an item says what is hidden, and whoever imports it says who answers
 * for it, why and until when. Each entry becomes a condition; what a condition cannot say refuses its item by name.
 */
import type { Diagnostic } from '../../core/diagnostic.js';
import { diagnosticAt, type Problem, SourceText } from '../../core/source_text.js';
import { readJsonValues } from '../document/json.js';
import { ObjectReader, type Report } from '../document/reader.js';
import { type DocumentNode, type ObjectNode, plainValue } from '../document/tree.js';
import { parseExceptions } from '../exceptions.js';
import { parseGlob } from '../glob.js';
import { entryTypes, exceptionRecordKeys } from './exceptions.js';

/** What Kibana does not know of an item. Dates as an exception file writes them. */
export interface ExceptionPapers {
  readonly owner: string;
  readonly approver?: string;
  /** Where the item's description is shorter than a reason has to be. */
  readonly reason?: string;
  readonly ticket?: string;
  /** The day of the import: the exceptions are created and approved on it. */
  readonly created: string;
  /** An item that expires sooner by its own `expire_time` keeps that. */
  readonly expires: string;
  readonly rules: readonly string[];
  readonly hosts?: readonly string[];
  readonly maxSeverity?: string;
}

/** An entry of an exception file's `exceptions`: data that `parseExceptions` reads without a problem. */
export type ExceptionFileEntry = Readonly<Record<string, unknown>>;

export interface ImportedExceptions {
  readonly entries: readonly ExceptionFileEntry[];
  /** Items of the file, those that were refused included. */
  readonly items: number;
  readonly problems: readonly Diagnostic[];
}

/**
 * Reads items: an export of exception lists (NDJSON), an answer of the exception API (`data`), or a list. One that
 * cannot be a proper exception is left out and told at its place. Never throws for the text.
 */
export function importExceptionItems(text: string, papers: ExceptionPapers, file?: string): ImportedExceptions {
  const source = new SourceText(text, file);
  const problems: Diagnostic[] = [];
  const report: Report = (span, problem) => void problems.push(diagnosticAt(source, span, problem));
  const { values, faults } = readJsonValues(text);
  for (const { message, span } of faults) report(span, { code: 'EXCEPTION_JSON', message });
  const items = values.flatMap((value) => itemsOf(value, report));
  if (items.length === 0 && problems.length === 0) report({ start: 0, end: 1 }, nothingIn);
  const ids = new Set<string>();
  const entries = items.flatMap((node) => {
    const before = problems.length;
    const entry = entryOf(node, papers, report);
    const { id } = entry;
    if (ids.has(id)) report(placeOf(node), { code: 'EXCEPTION_ID', message: `two items have the id "${id}"` });
    ids.add(id);
    const { exceptions, problems: defects } = parseExceptions(JSON.stringify({ exceptions: [entry] }));
    if (problems.length === before)
      for (const { code, severity, message, remedy } of defects)
        report(placeOf(node), {
          code,
          severity,
          message: named(message, id),
          ...(remedy === undefined ? {} : { remedy }),
        });
    const isUsable = problems.slice(before).every(({ severity }) => severity !== 'error');
    return isUsable && exceptions.length === 1 ? [entry] : [];
  });
  return { entries, items: items.length, problems };
}

const named = (message: string, id: string): string => (message.includes(id) ? message : `exception ${id}: ${message}`);

const nothingIn: Problem = {
  code: 'EXCEPTION_FILE',
  message: 'no exception item is in this file',
  remedy: 'Export the exception list from Kibana; its items have "entries".',
};

/** The start of an item: excerpts of whole items would be as long as their lines. */
const placeOf = ({ span }: ObjectNode) => ({ start: span.start, end: span.start + 1 });

/** Items have entries; what else an export holds (the list itself, a summary) says nothing that is hidden. */
function itemsOf(value: DocumentNode, report: Report): ObjectNode[] {
  if (value.kind === 'array') return value.items.flatMap((item) => itemsOf(item, report));
  if (value.kind !== 'object') {
    report(value.span, { code: 'EXCEPTION_FILE', message: 'an exception item is an object' });
    return [];
  }
  const data = value.entries.get('data')?.node;
  if (data?.kind === 'array') return itemsOf(data, report);
  const isItem = value.entries.has('entries') || value.entries.has('item_id');
  return isItem ? [value] : [];
}

function entryOf(
  node: ObjectNode,
  papers: ExceptionPapers,
  report: Report,
): ExceptionFileEntry & { readonly id: string } {
  const item = new ObjectReader(node, 'the exception item', report);
  const id = item.string('item_id') ?? item.string('id') ?? '';
  if (id === '') item.missing('item_id', 'the id of the item');
  const title = item.string('name') ?? id;
  const description = item.string('description') ?? '';
  const platforms = item.strings('os_types') ?? [];
  const expiry = item.string('expire_time');
  const match = item.objects('entries').flatMap((entry) => conditionsOf(entry, '', report));
  const audit = [...auditOf(item), importOf(papers, item.string('list_id'))];
  item.acceptAll(exceptionRecordKeys);
  item.finish();
  return {
    id,
    title,
    owner: papers.owner,
    ...given('approver', papers.approver),
    reason: papers.reason ?? description,
    ...given('ticket', papers.ticket),
    created: papers.created,
    ...(papers.approver === undefined ? {} : { approved_at: papers.created }),
    expires: sooner(expiry, papers.expires),
    scope: {
      rules: papers.rules,
      ...(papers.hosts === undefined || papers.hosts.length === 0 ? {} : { hosts: papers.hosts }),
      ...(platforms.length === 0 ? {} : { platforms }),
    },
    match,
    ...given('max_severity', papers.maxSeverity),
    audit,
  };
}

const given = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined ? {} : { [name]: value };

const sooner = (expiry: string | undefined, expires: string): string =>
  expiry !== undefined && Date.parse(expiry) < Date.parse(expires) ? expiry : expires;

/** What Kibana's own record says: who made the item, who changed it, and what was remarked. */
function auditOf(item: ObjectReader): object[] {
  const at = (key: string): string => item.string(key) ?? '';
  const made = { at: at('created_at'), actor: at('created_by'), action: 'create' };
  const changed = { at: at('updated_at'), actor: at('updated_by'), action: 'change' };
  const comments = plainValue(item.get('comments') ?? emptyList);
  const remarks = (Array.isArray(comments) ? comments : []).map((one: Record<string, unknown>) => ({
    at: String(one.created_at ?? ''),
    actor: String(one.created_by ?? ''),
    action: 'comment',
    comment: String(one.comment ?? ''),
  }));
  const records = [made, ...(changed.at === made.at ? [] : [changed]), ...remarks];
  return records.filter(({ at: time, actor }) => time !== '' && actor !== '');
}

const emptyList: DocumentNode = { kind: 'array', items: [], span: { start: 0, end: 0 } };

const importOf = ({ owner, approver, created }: ExceptionPapers, list: string | undefined): object => ({
  at: created,
  actor: approver ?? owner,
  action: 'import',
  comment: list === undefined ? 'from Kibana' : `from the list ${list} of Kibana`,
});

function conditionsOf(entry: ObjectReader, prefix: string, report: Report): object[] {
  const name = entry.requiredString('field') ?? '';
  const type = entry.oneOf('type', entryTypes);
  if (type === undefined && !entry.has('type')) entry.missing('type', entryTypes.join(', '));
  const negate = (entry.oneOf('operator', ['included', 'excluded']) ?? 'included') === 'excluded';
  entry.accept('id', 'string');
  const refuse = (problem: Problem): never[] => {
    report(entry.span('type'), problem);
    return [];
  };
  const condition = (test: object): object[] => [
    { field: fieldOf(`${prefix}${name}`), ...test, ...(negate ? { negate } : {}) },
  ];
  const made = ((): object[] => {
    switch (type) {
      case 'match':
        return condition({ is: entry.requiredString('value') });
      case 'match_any':
        return condition({ is: entry.strings('value') });
      case 'exists':
        return condition({ exists: true });
      case 'wildcard':
        return globOf(entry.requiredString('value') ?? '', condition, refuse);
      case 'nested':
        return nestedOf(entry, name, negate, report);
      case 'list':
        entry.accept('list', 'any');
        return refuse({
          code: 'UNSUPPORTED_VALUE_LIST',
          message: `the values of "${name}" are in a value list, which is kept in Elasticsearch`,
          remedy: 'Write the values as an entry of type match_any.',
        });
      case undefined:
        return [];
    }
  })();
  entry.finish();
  return made;
}

/** A wildcard; a pattern of an exception has no escapes, so that Windows paths stand as they are. */
function globOf(value: string, condition: (test: object) => object[], refuse: (problem: Problem) => never[]): object[] {
  const parts = parseGlob(value);
  if (parts.some((part) => part.kind === 'text' && /[*?]/.test(part.text)))
    return refuse({
      code: 'EXCEPTION_PATTERN',
      message: `the wildcard ${JSON.stringify(value)} asks for a star or question mark itself`,
      remedy: 'Write a "?" in its place, which stands for any one character.',
    });
  const pattern = parts.map((part) => (part.kind === 'text' ? part.text : part.kind === 'run' ? '*' : '?')).join('');
  return condition({ matches: pattern });
}

/** Objects of which an event has one: what is asked of their parts is asked of the same one. */
const singleObjects: Readonly<Record<string, string>> = {
  'process.Ext.code_signature': 'process.code_signature',
  'process.code_signature': 'process.code_signature',
  'process.parent.Ext.code_signature': 'process.parent.code_signature',
  'process.parent.code_signature': 'process.parent.code_signature',
};

/** Signatures of the endpoint's own fields are those of ECS. */
function fieldOf(name: string): string {
  const own = Object.entries(singleObjects).find(([prefix]) => name.startsWith(`${prefix}.`));
  return own === undefined ? name : `${own[1]}${name.slice(own[0].length)}`;
}

function nestedOf(entry: ObjectReader, name: string, isNegated: boolean, report: Report): object[] {
  const inner = entry.objects('entries');
  if (singleObjects[name] === undefined || (isNegated && inner.length > 1)) {
    for (const one of inner) one.acceptAll({ field: 'any', type: 'any', operator: 'any', value: 'any' });
    report(entry.span('field'), {
      code: 'EXCEPTION_NESTED',
      message: `"${name}" is nested, and a condition cannot ask that its parts are of one object`,
      remedy: 'Write the parts as entries of their own; code signatures may stay nested.',
    });
    return [];
  }
  return inner
    .flatMap((one) => conditionsOf(one, `${name}.`, report))
    .map((one) => (isNegated ? { ...one, negate: true } : one));
}
