import { isAlias, isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseAllDocuments, Scalar } from 'yaml';
import type { Span } from '../../core/diagnostic.js';
import { jsonDepthMax } from '../../core/limits.js';
import type { DocumentFault, DocumentNode, Entry, StringNode } from './tree.js';

/**
 * Reads the documents of a YAML 1.2 text. Duplicate keys, aliases and nesting beyond `jsonDepthMax` are refused; an
 * empty document is left out. A document with a fault gives no value.
 */
export function readYamlValues(text: string): { values: DocumentNode[]; faults: DocumentFault[] } {
  const values: DocumentNode[] = [];
  const faults: DocumentFault[] = [];
  const options = { uniqueKeys: true, version: '1.2', prettyErrors: false, lineCounter: new LineCounter() } as const;
  for (const document of parseAllDocuments(text, options)) {
    const errors = document.errors.map(({ message, pos: [start, end] }) => ({
      message: message.split('\n')[0] ?? 'not YAML',
      span: { start, end },
    }));
    faults.push(...errors);
    if (errors.length > 0 || document.contents === null) continue;
    const before = faults.length;
    const value = nodeOf(document.contents as ParsedNode, text, faults, 0);
    if (faults.length === before) values.push(value);
  }
  return { values, faults };
}

function nodeOf(node: ParsedNode, text: string, faults: DocumentFault[], depth: number): DocumentNode {
  const span: Span = { start: node.range[0], end: node.range[1] };
  if (depth > jsonDepthMax || isAlias(node)) {
    const message = isAlias(node)
      ? 'aliases are not supported; write the value out'
      : `nested deeper than ${jsonDepthMax}`;
    faults.push({ message, span });
    return { kind: 'null', value: null, span };
  }
  if (isSeq(node))
    return {
      kind: 'array',
      items: node.items.map((item) => nodeOf(item as ParsedNode, text, faults, depth + 1)),
      span,
    };
  if (isMap(node)) {
    const entries = new Map<string, Entry>();
    for (const { key, value } of node.items) {
      const keyNode = key as ParsedNode;
      const keySpan: Span = { start: keyNode.range[0], end: keyNode.range[1] };
      const name =
        isScalar(keyNode) && keyNode.value !== null ? String(keyNode.value) : text.slice(keySpan.start, keySpan.end);
      const child: DocumentNode =
        value === null
          ? { kind: 'null', value: null, span: keySpan }
          : nodeOf(value as unknown as ParsedNode, text, faults, depth + 1);
      entries.set(name, { keySpan, node: child });
    }
    return { kind: 'object', entries, span };
  }
  return scalarOf(node as Scalar.Parsed, span, text);
}

function scalarOf(node: Scalar.Parsed, span: Span, text: string): DocumentNode {
  const { value } = node;
  if (typeof value === 'string') return stringOf(node, value, span, text);
  if (typeof value === 'boolean') return { kind: 'boolean', value, span };
  if (typeof value === 'number') return { kind: 'number', value, span };
  if (typeof value === 'bigint') return { kind: 'number', value: Number(value), span };
  return { kind: 'null', value: null, span };
}

/**
 * A plain or quoted scalar that stands in the file as it reads maps offset by offset; a block scalar maps line by line,
 * since each of its lines loses the same indentation; anything else points at its start.
 */
function stringOf(node: Scalar.Parsed, value: string, span: Span, text: string): StringNode {
  const isBlock = node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED;
  if (isBlock) return { kind: 'string', value, span, offsetInFile: blockOffsets(value, span, text) };
  const start = node.type === Scalar.PLAIN ? span.start : span.start + 1;
  const isVerbatim = text.startsWith(value, start);
  return { kind: 'string', value, span, offsetInFile: (offset) => (isVerbatim ? start + offset : span.start) };
}

function blockOffsets(value: string, span: Span, text: string): (offset: number) => number {
  const bodyStart = text.indexOf('\n', span.start) + 1;
  const lineStarts: number[] = [];
  let at = bodyStart;
  for (const line of value.split('\n')) {
    const found = line === '' ? at : text.indexOf(line, at);
    lineStarts.push(found < 0 ? at : found);
    at = text.indexOf('\n', lineStarts.at(-1) as number) + 1;
  }
  return (offset) => {
    const before = value.slice(0, offset).split('\n');
    const lineStart = lineStarts[before.length - 1] ?? bodyStart;
    return lineStart + (before.at(-1) as string).length;
  };
}
