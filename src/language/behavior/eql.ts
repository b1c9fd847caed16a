/** Conditions written in EQL inside a behaviour rule, with `$name` standing for the values of a list or setting. */
import { EmbeddedText } from '../../core/source_text.js';
import type { PatternList } from '../../rule/behavior.js';
import type { EventQuery, Expr } from '../../rule/ir.js';
import { parseEql, parseEqlExpression } from '../eql/index.js';
import type { Located } from './located.js';
import { fail, type ReadContext, readText, readTexts } from './reader.js';

const nothing: Expr = { kind: 'literal', value: false };

/** An EQL event query, `category where condition`. */
export function readQuery(context: ReadContext, node: Located): EventQuery {
  const { expanded, toOuter } = expand(context, node, readText(context, node));
  const { query, problems } = parseEql(expanded, { dialect: 'endpoint', source: locatorOf(node, toOuter) });
  context.problems.list.push(...problems);
  if (query?.kind === 'event' && query.pipes.length === 0) return query.query;
  if (query !== undefined) {
    fail(context, node, 'BEHAVIOR_EQL', 'expected the query of one event', 'write: category where condition');
  }
  return { category: null, condition: nothing };
}

/** An EQL expression without a category. */
export function readExpression(context: ReadContext, node: Located): Expr {
  const { expanded, toOuter } = expand(context, node, readText(context, node));
  const { expr, problems } = parseEqlExpression(expanded, { dialect: 'endpoint', source: locatorOf(node, toOuter) });
  context.problems.list.push(...problems);
  return expr ?? nothing;
}

/** Places inside a folded scalar cannot be mapped exactly: they point at the start of the scalar. */
function locatorOf({ source, span, offsetInFile }: Located, toOuter: (offset: number) => number): EmbeddedText {
  return new EmbeddedText(source, (offset) => offsetInFile?.(Math.max(0, toOuter(offset))) ?? span.start);
}

/**
 * Replaces each `$name` outside quotes by the values it stands for, as EQL literals separated by commas, and each
 * `${name}` inside quotes by its globs as alternatives of a regular expression.
 */
function expand(
  context: ReadContext,
  node: Located,
  text: string,
): { expanded: string; toOuter: (offset: number) => number } {
  const pieces: { readonly at: number; readonly outer: number; readonly isLiteral: boolean }[] = [];
  let expanded = '';
  let last = 0;
  for (const match of text.matchAll(/"""[\s\S]*?"""|"(?:[^"\\]|\\.)*"|\$([a-z][a-z0-9_]*)/g)) {
    const [whole, name] = match;
    if (name === undefined) {
      const inside = whole.replace(/\$\{([a-z][a-z0-9_]*)\}/g, (_, list: string) => alternatives(context, node, list));
      if (inside === whole) continue;
      pieces.push({ at: expanded.length, outer: last, isLiteral: true });
      expanded += text.slice(last, match.index);
      pieces.push({ at: expanded.length, outer: match.index, isLiteral: false });
      expanded += inside;
      last = match.index + whole.length;
      continue;
    }
    pieces.push({ at: expanded.length, outer: last, isLiteral: true });
    expanded += text.slice(last, match.index);
    pieces.push({ at: expanded.length, outer: match.index, isLiteral: false });
    const isKnown = context.lists.has(name) || context.settings.has(name);
    const values = valuesOf(context, node, name);
    expanded += values === '' && isKnown ? nobody(text.slice(0, match.index), context.settings.has(name)) : values;
    last = match.index + whole.length;
  }
  pieces.push({ at: expanded.length, outer: last, isLiteral: true });
  expanded += text.slice(last);
  const toOuter = (offset: number): number => {
    const piece = pieces.findLast((candidate) => candidate.at <= offset) ?? { at: 0, outer: 0, isLiteral: true };
    return piece.isLiteral ? piece.outer + offset - piece.at : piece.outer;
  };
  return { expanded, toOuter };
}

/** The entries of a list, which are globs, as one group of a regular expression; `/x/*` is `/x` too. */
function alternatives(context: ReadContext, node: Located, name: string): string {
  const globs = readTexts(context, { source: node.source, span: node.span, scalar: `$${name}` });
  const patterns = globs.map((glob) =>
    glob
      .replace(/[.+|{}[\]()"\\#@&<>~^$-]/g, '\\$&')
      .replace(/\/\*$/, '(/*)?')
      .replaceAll('*', '.*')
      .replaceAll('(/.*)?', '(/.*)\u0000')
      .replaceAll('?', '.')
      .replaceAll('\u0000', '?'),
  );
  return `(${patterns.length === 0 ? '\u0001' : patterns.join('|')})`;
}

/** Stands for a list without entries: a value that nothing has. */
function nobody(before: string, isNumber: boolean): string {
  if (/cidrmatch\([^()]*$/.test(before)) return '"::/128"';
  return isNumber ? '-1' : '""';
}

function valuesOf(context: ReadContext, node: Located, name: string): string {
  const reference = { source: node.source, span: node.span, scalar: `$${name}` };
  const list = context.lists.get(name);
  if (list !== undefined && list.except.length > 0) {
    fail(
      context,
      node,
      'BEHAVIOR_LIST',
      `list "${name}" has exceptions, which EQL text cannot say`,
      'use "path: { in }"',
    );
  }
  const setting = context.settings.get(name);
  const numbers = (setting?.items ?? []).filter((item) => typeof item.scalar === 'number');
  if (numbers.length > 0) {
    context.used.add(name);
    return numbers.map((item) => String(item.scalar)).join(', ');
  }
  return readTexts(context, reference).map(eqlText).join(', ');
}

/** A text as an EQL string literal. */
export function eqlText(text: string): string {
  return `"${text.replace(/[\\"]/g, (char) => `\\${char}`)}"`;
}

/** The event's path, by the first of the fields it has, matches a pattern of the list, case aside where paths fold. */
export function pathExpression(fields: readonly string[], list: PatternList, folds: boolean): Expr {
  const [name = '', ...fallback] = fields;
  return {
    kind: 'match',
    value: { kind: 'field', name, ...(fallback.length === 0 ? {} : { fallback }) },
    patterns: list.patterns.map((text) => ({ type: 'wildcard', text })),
    case: folds ? 'ascii' : 'exact',
  };
}
