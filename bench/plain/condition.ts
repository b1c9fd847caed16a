/**
 * Conditions as JavaScript closures over parsed events: what a competent engineer writes without a kernel. Text tests
 * are prepared once (lower-cased literals, sets, compiled globs); nothing is recomputed per event that need not be.
 */
import type { CaseMode, Expr, FieldExpr, TextPattern } from '../../src/rule/ir.js';

/** An event as `JSON.parse` gives it: nested, dotted, or both. */
export type PlainEvent = Record<string, unknown>;
/** What a condition may ask of the process lineage; `null` where there is none. */
export interface LineageView {
  holds(relation: 'descendant' | 'child' | 'event', mark: object): boolean;
}
/** True, false, or null for "unknown": a comparison with a missing value. */
export type Truth = boolean | null;
export type Condition = (event: PlainEvent, lineage: LineageView | null) => Truth;
type Getter = (event: PlainEvent) => unknown;

/** Compiles an expression into a closure. @throws Error naming the construct that this baseline does not cover. */
export function compileCondition(expr: Expr): Condition {
  switch (expr.kind) {
    case 'literal':
      return () => expr.value as Truth;
    case 'and':
      return conjunction(expr.operands.map(compileCondition));
    case 'or':
      return disjunction(expr.operands.map(compileCondition));
    case 'not': {
      const operand = compileCondition(expr.operand);
      const missing = expr.missing === 'true' ? true : null;
      return (event, lineage) => {
        const truth = operand(event, lineage);
        return truth === null ? missing : !truth;
      };
    }
    case 'match':
      return anyValue(getter(expr.value), textTest(expr.patterns, expr.case));
    case 'compare':
      return comparison(expr.op, getter(expr.left), getter(expr.right), expr.case);
    case 'regex': {
      // RE2's leading flag group says what the flags of a RegExp say.
      const sources = expr.patterns.map((pattern) => pattern.replace(/^\(\?s\)/, ''));
      const flags = expr.case === 'exact' ? 's' : 'si';
      const tests = sources.map((source) => new RegExp(expr.anchor === 'full' ? `^(?:${source})$` : source, flags));
      return anyValue(getter(expr.value), (value) => tests.some((test) => test.test(String(value))));
    }
    case 'cidr': {
      const blocks = expr.blocks.filter((block) => block.includes('.')).map(parseBlock);
      return anyValue(getter(expr.value), (value) => {
        const address = parseIpv4(String(value));
        return address !== null && blocks.some(({ base, mask }) => (address & mask) === base);
      });
    }
    case 'isNull': {
      const get = getter(expr.value);
      return (event) => get(event) === undefined;
    }
    case 'lineage':
      return (_event, lineage) => lineage?.holds(expr.relation, expr.query) ?? false;
    default:
      throw new Error(`the plain JavaScript baseline does not cover "${expr.kind}"`);
  }
}

function conjunction(parts: readonly Condition[]): Condition {
  return (event, lineage) => {
    let result: Truth = true;
    for (const part of parts) {
      const truth = part(event, lineage);
      if (truth === false) return false;
      if (truth === null) result = null;
    }
    return result;
  };
}

function disjunction(parts: readonly Condition[]): Condition {
  return (event, lineage) => {
    let result: Truth = false;
    for (const part of parts) {
      const truth = part(event, lineage);
      if (truth === true) return true;
      if (truth === null) result = null;
    }
    return result;
  };
}

function getter(expr: Expr): Getter {
  if (expr.kind === 'literal') return () => expr.value;
  if (expr.kind === 'field') return fieldGetter(expr);
  throw new Error(`the plain JavaScript baseline does not cover "${expr.kind}" as a value`);
}

/** Reads a dotted field, nested or dotted in the event, then its fallbacks. Undefined where missing or null. */
export function fieldGetter(field: FieldExpr): Getter {
  const readers = [field.name, ...(field.fallback ?? [])].map(pathReader);
  if (readers.length === 1) return readers[0] as Getter;
  return (event) => {
    for (const read of readers) {
      const value = read(event);
      if (value !== undefined) return value;
    }
    return undefined;
  };
}

function pathReader(name: string): Getter {
  const parts = name.split('.');
  return (event) => {
    let value: unknown = event;
    for (const part of parts) {
      if (typeof value !== 'object' || value === null) return event[name] ?? undefined;
      value = (value as PlainEvent)[part];
      if (value === undefined) return event[name] ?? undefined;
    }
    return value ?? undefined;
  };
}

function anyValue(get: Getter, test: (value: unknown) => boolean): Condition {
  return (event) => {
    const value = get(event);
    if (value === undefined) return null;
    return Array.isArray(value) ? value.some(test) : test(value);
  };
}

function textTest(patterns: readonly TextPattern[], mode: CaseMode): (value: unknown) => boolean {
  const fold = (text: string): string => (mode === 'exact' ? text : text.toLowerCase());
  const equal = new Set(patterns.filter(({ type }) => type === 'equals').map(({ text }) => fold(text)));
  const tests = patterns.filter(({ type }) => type !== 'equals').map((pattern) => patternTest(pattern, fold));
  return (value) => {
    const text = fold(String(value));
    return equal.has(text) || tests.some((test) => test(text));
  };
}

function patternTest({ type, text }: TextPattern, fold: (text: string) => string): (value: string) => boolean {
  const literal = fold(text);
  if (type === 'prefix') return (value) => value.startsWith(literal);
  if (type === 'suffix') return (value) => value.endsWith(literal);
  if (type === 'contains') return (value) => value.includes(literal);
  const source = literal
    .replace(/[\\^$.+()[\]{}|]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  const glob = new RegExp(`^${source}$`, 'su');
  return (value) => glob.test(value);
}

function comparison(op: string, left: Getter, right: Getter, mode: CaseMode): Condition {
  const fold = (value: unknown): unknown =>
    mode !== 'exact' && typeof value === 'string' ? value.toLowerCase() : value;
  const compare = (a: unknown, b: unknown): boolean => {
    const x = fold(a) as number;
    const y = fold(b) as number;
    if (op === '==') return x === y;
    if (op === '!=') return x !== y;
    if (typeof x !== typeof y) return false;
    return op === '<' ? x < y : op === '<=' ? x <= y : op === '>' ? x > y : x >= y;
  };
  return (event) => {
    const a = left(event);
    const b = right(event);
    if (a === undefined || b === undefined || a === null || b === null) return null;
    return Array.isArray(a) ? a.some((item) => compare(item, b)) : compare(a, b);
  };
}

function parseBlock(block: string): { base: number; mask: number } {
  const [address, bits = '32'] = block.split('/');
  const mask = bits === '0' ? 0 : -1 << (32 - Number(bits));
  return { base: (parseIpv4(address as string) ?? 0) & mask, mask };
}

function parseIpv4(text: string): number | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  let address = 0;
  for (const part of parts) {
    const byte = Number(part);
    if (!Number.isInteger(byte) || byte < 0 || byte > 255) return null;
    address = (address << 8) | byte;
  }
  return address;
}
