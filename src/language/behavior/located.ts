/** YAML as a tree that knows where each part stands, so that every message points at its place. */
import type { Diagnostic, Span } from '../../core/diagnostic.js';
import { diagnosticAt, type Problem, SourceText } from '../../core/source_text.js';
import type { DocumentNode } from '../document/tree.js';
import { readYamlValues } from '../document/yaml.js';

export type LocatedScalar = string | number | boolean | null;

/** One YAML value with its place. Exactly one of `scalar`, `items` and `entries` is present. */
export interface Located {
  readonly source: SourceText;
  readonly span: Span;
  readonly scalar?: LocatedScalar;
  readonly items?: readonly Located[];
  readonly entries?: ReadonlyMap<string, { readonly key: Span; readonly value: Located }>;
  /** Of a text: the offset in the source of an offset in it. Absent where lines were folded into one. */
  readonly offsetInFile?: (offset: number) => number;
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

/** Reads one YAML document; undefined when it is not YAML, with the reasons in `problems`. */
export function readYaml(source: SourceText, problems: Problems): Located | undefined {
  const { values, faults } = readYamlValues(source.text);
  for (const { message, span } of faults) {
    const code = message.startsWith('aliases') ? 'BEHAVIOR_ALIAS' : 'BEHAVIOR_YAML';
    problems.add({ source, span }, { code, message });
  }
  const [value, second] = values;
  if (second !== undefined) {
    problems.add({ source, span: second.span }, { code: 'BEHAVIOR_YAML', message: 'a file holds one document' });
    return undefined;
  }
  if (value === undefined && faults.length === 0)
    problems.add({ source, span: { start: 0, end: 0 } }, { code: 'BEHAVIOR_YAML', message: 'the file is empty' });
  return value === undefined || faults.length > 0 ? undefined : locate(value, source);
}

/** A value from outside a file, such as a configuration, as if it were written in a file of that name. */
export function locateValue(value: unknown, name: string, problems: Problems): Located | undefined {
  return readYaml(new SourceText(JSON.stringify(value ?? null), name), problems);
}

function locate(node: DocumentNode, source: SourceText): Located {
  const { span } = node;
  switch (node.kind) {
    case 'array':
      return { source, span, items: node.items.map((item) => locate(item, source)) };
    case 'object': {
      const entries = new Map<string, { key: Span; value: Located }>();
      for (const [name, { keySpan, node: value }] of node.entries)
        entries.set(name, { key: keySpan, value: locate(value, source) });
      return { source, span, entries };
    }
    case 'string': {
      const { value, offsetInFile } = node;
      return { source, span, scalar: value, ...(source.text[span.start] === '>' ? {} : { offsetInFile }) };
    }
    default:
      return { source, span, scalar: node.value };
  }
}
