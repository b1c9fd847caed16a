/** YAML as a tree that knows where each part stands, so that every message points at its place. */
import { isAlias, isMap, isScalar, isSeq, type ParsedNode, parseDocument } from 'yaml';
import type { Diagnostic, Span } from '../../core/diagnostic.js';
import { diagnosticAt, type Problem, SourceText } from '../../core/source_text.js';

export type LocatedScalar = string | number | boolean | null;

/** One YAML value with its place. Exactly one of `scalar`, `items` and `entries` is present. */
export interface Located {
  readonly source: SourceText;
  readonly span: Span;
  readonly scalar?: LocatedScalar;
  readonly items?: readonly Located[];
  readonly entries?: ReadonlyMap<string, { readonly key: Span; readonly value: Located }>;
  /** For a plain or quoted scalar on one line: offset in the source of its first character. */
  readonly textStart?: number;
}

/** Collects what is wrong with one file and the files it includes. */
export class Problems {
  readonly list: Diagnostic[] = [];
  private readonly told = new Set<string>();

  /** Takes each problem of a place once, however often the place is read. */
  add(at: { readonly source: SourceText; readonly span: Span }, problem: Problem): void {
    const identity = `${at.source.file} ${at.span.start} ${problem.code} ${problem.message}`;
    if (this.told.has(identity)) return;
    this.told.add(identity);
    this.list.push(diagnosticAt(at.source, at.span, problem));
  }

  get hasErrors(): boolean {
    return this.list.some((problem) => problem.severity === 'error');
  }
}

/** Parses one YAML document; undefined when it is not YAML, with the reasons in `problems`. */
export function readYaml(source: SourceText, problems: Problems): Located | undefined {
  const document = parseDocument(source.text, { uniqueKeys: true, version: '1.2', prettyErrors: false });
  for (const error of document.errors) {
    problems.add(
      { source, span: { start: error.pos[0], end: error.pos[1] } },
      { code: 'BEHAVIOR_YAML', message: error.message.split('\n')[0] ?? 'not YAML' },
    );
  }
  if (document.errors.length > 0 || document.contents === null) {
    if (document.errors.length === 0) {
      problems.add({ source, span: { start: 0, end: 0 } }, { code: 'BEHAVIOR_YAML', message: 'the file is empty' });
    }
    return undefined;
  }
  return locate(document.contents, source, problems);
}

/** A value from outside a file, such as a configuration, as if it were written in a file of that name. */
export function locateValue(value: unknown, name: string, problems: Problems): Located | undefined {
  return readYaml(new SourceText(JSON.stringify(value ?? null), name), problems);
}

function locate(node: ParsedNode, source: SourceText, problems: Problems): Located {
  const span = { start: node.range[0], end: node.range[1] };
  if (isAlias(node)) {
    problems.add(
      { source, span },
      { code: 'BEHAVIOR_ALIAS', message: 'aliases are not supported; write the value out' },
    );
    return { source, span, scalar: null };
  }
  if (isSeq(node))
    return { source, span, items: node.items.map((item) => locate(item as ParsedNode, source, problems)) };
  if (isMap(node)) {
    const entries = new Map<string, { key: Span; value: Located }>();
    for (const pair of node.items) {
      const key = pair.key as ParsedNode;
      const keySpan = { start: key.range[0], end: key.range[1] };
      const value =
        pair.value === null
          ? { source, span: keySpan, scalar: null }
          : locate(pair.value as unknown as ParsedNode, source, problems);
      entries.set(isScalar(key) ? String(key.value) : source.text.slice(keySpan.start, keySpan.end), {
        key: keySpan,
        value,
      });
    }
    return { source, span, entries };
  }
  const scalar = (node as { value: unknown }).value;
  const isPlain = (node as { type?: string }).type === 'PLAIN';
  const isQuoted = ['QUOTE_SINGLE', 'QUOTE_DOUBLE'].includes((node as { type?: string }).type ?? '');
  const textStart = isPlain ? span.start : isQuoted ? span.start + 1 : undefined;
  return { source, span, scalar: scalar as LocatedScalar, ...(textStart === undefined ? {} : { textStart }) };
}
