/**
 * The canonical text of a rule: JSON with members in one order, without what does not decide its meaning to a reader of
 * the text (spans, the source text). Parsing it gives the rule back. Golden tests and fingerprints read it.
 */
import type { Rule } from './ir.js';

/** Longest line that a list or object is kept on. */
const lineMax = 100;

/** Members that lead, in this order; the others follow by name. */
const leading = ['kind', 'id', 'name', 'op', 'relation', 'left', 'right', 'value', 'category', 'condition', 'query'];

/** Prints a rule. Equal rules have equal texts, however they were built. */
export function printRule(rule: Rule): string {
  const { source: _, ...content } = rule;
  return `${print(canonical(content), '')}\n`;
}

/** A copy without spans, with members in canonical order and absent ones left out. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name, member]) => member !== undefined && name !== 'span');
  members.sort(([a], [b]) => compareNames(a, b));
  return Object.fromEntries(members.map(([name, member]) => [name, canonical(member)]));
}

function compareNames(a: string, b: string): number {
  const left = leading.indexOf(a);
  const right = leading.indexOf(b);
  if (left >= 0 || right >= 0) return (left < 0 ? leading.length : left) - (right < 0 ? leading.length : right);
  return a < b ? -1 : Number(a > b);
}

function print(value: unknown, indent: string): string {
  const short = JSON.stringify(value);
  if (short.length + indent.length <= lineMax || typeof value !== 'object' || value === null) return short;
  const inner = `${indent}  `;
  const isList = Array.isArray(value);
  const parts = isList
    ? value.map((item) => print(item, inner))
    : Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}: ${print(member, inner)}`);
  const [open, close] = isList ? ['[', ']'] : ['{', '}'];
  return `${open}\n${parts.map((part) => inner + part).join(',\n')}\n${indent}${close}`;
}
