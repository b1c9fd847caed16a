import type { Span } from '../core/diagnostic.js';
import { globMatches } from '../core/glob.js';
import type { Problem } from '../core/source_text.js';
import type { CaseMode, CidrExpr, CompareExpr, Expr, FieldExpr, MatchExpr, TextPattern } from '../rule/ir.js';
import { parseBlock } from '../rule/semantics.js';
import { addressRange } from './address_range.js';
import { parseDate } from './date_math.js';
import { type FieldType, type FieldTypes, fieldType, textFields } from './field_types.js';
import { type Glob, globOf, globPattern, globText } from './glob.js';
import { isWordText, phrasePattern, wordsOf, wordWildcardPattern } from './text_search.js';
import { type VersionOrder, versionPattern, versionsBeyond } from './version_order.js';

export interface FieldQueryOptions {
  /** Types of fields that ECS does not name, or that the caller's data hold otherwise. */
  readonly fieldTypes?: FieldTypes;
  /** Compares text without case (ASCII). Elasticsearch's keyword fields do not. */
  readonly caseInsensitive?: boolean;
  /** What `now` means in dates, in milliseconds since the epoch. Without it, dates that count from now are refused. */
  readonly nowMs?: number;
}

/** A condition that holds for every event, and one that holds for none. */
export const always: Expr = { kind: 'literal', value: true };
export const never: Expr = { kind: 'literal', value: false };

/**
 * Conditions on one field, as Elasticsearch's term-level and match queries mean them for the field's type. KQL, Kibana
 * filters and exception lists all lower through this. A name with `*` stands for every field it matches.
 */
export class FieldQueries {
  private readonly types: FieldTypes;
  private readonly case: CaseMode;
  private readonly nowMs: number | undefined;
  private readonly report: (span: Span, problem: Problem) => void;

  constructor(options: FieldQueryOptions, report: (span: Span, problem: Problem) => void) {
    this.types = options.fieldTypes ?? {};
    this.case = options.caseInsensitive === true ? 'ascii' : 'exact';
    this.nowMs = options.nowMs;
    this.report = report;
  }

  exists(name: string, span: Span): Expr {
    const missing: Expr = { kind: 'isNull', value: field(name), span };
    return { kind: 'not', operand: missing, missing: 'null', span };
  }

  /** The field has this value. `phrase`: in prose the words stand together and in order; otherwise any one of them. */
  equals(name: string, text: string, phrase: boolean, span: Span, mode: CaseMode = this.case): Expr {
    if (name.includes('*'))
      return this.anywhere(name, text, span, (type, at) => this.equalsAs(type, at, text, phrase, span, mode));
    return this.equalsAs(fieldType(name, this.types), name, text, phrase, span, mode);
  }

  /** The value as a whole satisfies a pattern; in prose, one of its words does. */
  wildcard(name: string, glob: Glob, span: Span, mode: CaseMode = this.case): Expr {
    if (name.includes('*'))
      return this.anywhere(name, undefined, span, (type, at) => wildcardAs(type, at, glob, span, mode));
    return wildcardAs(fieldType(name, this.types), name, glob, span, mode);
  }

  /** The value begins with this text; in prose, one of its words does. */
  prefix(name: string, text: string, span: Span, mode: CaseMode = this.case): Expr {
    return this.wildcard(name, globOf([text, '']), span, mode);
  }

  /** In prose, all of these words are there; elsewhere the value is this text. */
  allWords(name: string, text: string, span: Span): Expr {
    if (fieldType(name, this.types) !== 'text') return this.equals(name, text, true, span);
    const words = wordsOf(text).map((item) => this.equals(name, item, true, span));
    return words.length === 0 ? never : allOf(words, span);
  }

  /** The value lies beyond a bound: by address, date or version, by number where the bound is one, else by bytes. */
  range(name: string, op: '<' | '<=' | '>' | '>=', text: string, span: Span): Expr {
    const type = fieldType(name, this.types);
    const blocks = type === 'ip' ? addressRange(op, text) : undefined;
    if (type === 'ip' && blocks === undefined) return this.refuseAddress(text, span, 'error');
    if (blocks !== undefined) return blocks.length === 0 ? never : { kind: 'cidr', value: field(name), blocks, span };
    if (type === 'semver') return versionRange(name, op, text, span);
    const number = numberOf(text);
    if (type === 'date' || (number === undefined && looksLikeDate(text))) return this.dateRange(name, op, text, span);
    const right: Expr = number === undefined ? { kind: 'literal', value: text } : numberLiteral(number, text);
    return { kind: 'compare', op, left: field(name), right, case: this.case, span };
  }

  /**
   * In any field whose name matches. Values compare whole there, and as words in fields that are known to hold prose; a
   * block contains addresses. A text that is no value of a field's type is not found there, and nothing is told of it.
   */
  private anywhere(
    name: string,
    text: string | undefined,
    span: Span,
    query: (type: FieldType, name: string) => Expr,
  ): Expr {
    const known = [...new Set([...textFields, ...Object.keys(this.types)])];
    const isProse = (one: string): boolean => fieldType(one, this.types) === 'text' && matchesFieldName(one, name);
    const isBlock = text?.includes('/') === true && parseBlock(text) !== undefined;
    const within: Expr[] = isBlock ? [{ kind: 'cidr', value: field(name), blocks: [text], span }] : [];
    return anyOf([query('plain', name), ...within, ...known.filter(isProse).map((one) => query('text', one))], span);
  }

  private equalsAs(type: FieldType, name: string, text: string, phrase: boolean, span: Span, mode: CaseMode): Expr {
    switch (type) {
      case 'ip':
        if (parseBlock(text) !== undefined) return { kind: 'cidr', value: field(name), blocks: [text], span };
        return this.refuseAddress(text, span, 'warning') && matchOf(name, 'equals', text, mode, span);
      case 'date':
        return allOf([this.dateRange(name, '>=', text, span), this.dateRange(name, '<=', text, span)], span);
      case 'text':
        return wordsQuery(name, text, phrase, span);
      case 'semver':
        return matchOf(name, 'equals', text, mode, span);
      case 'plain':
        return plainEquals(name, text, mode, span);
    }
  }

  private dateRange(name: string, op: '<' | '<=' | '>' | '>=', text: string, span: Span): Expr {
    const date = parseDate(text, this.nowMs);
    if (typeof date === 'string') return this.refuseDate(text, date, span);
    if (op === '>=' || op === '<') return dateBound(name, op, date.fromMs, span);
    return dateBound(name, op === '>' ? '>=' : '<', date.toMs + 1, span);
  }

  private refuseDate(text: string, fault: 'syntax' | 'relative', span: Span): Expr {
    if (fault === 'relative') {
      this.report(span, {
        code: 'DATE_RELATIVE',
        message: `"${text}" counts from now, and a stream of events has no now`,
        remedy: 'Write a fixed date, or leave the condition out: a rule sees every event once, at its own time.',
      });
    } else {
      this.report(span, {
        code: 'DATE_SYNTAX',
        message: `"${text}" is not a date`,
        expected: ['2026-01-31', '2026-01-31T08:00:00Z', '2026-01-31||+1d/d', 'epoch milliseconds'],
        remedy: 'Write the date in ISO 8601; times without a zone are UTC.',
      });
    }
    return never;
  }

  private refuseAddress(text: string, span: Span, severity: 'error' | 'warning'): Expr {
    this.report(span, {
      code: 'ADDRESS_SYNTAX',
      severity,
      message: `"${text}" is not an IP address or CIDR block`,
      expected: ['192.0.2.1', '192.0.2.0/24', '2001:db8::/32'],
      remedy: 'Correct the address; Elasticsearch refuses other text on a field of type ip.',
    });
    return never;
  }
}

/** True when any operand is; patterns and blocks on one field become one list. */
export function anyOf(operands: readonly Expr[], span: Span): Expr {
  const groups = new Map<string, Expr[]>();
  for (const operand of operands) {
    const list = listKey(operand) ?? `alone ${groups.size}`;
    const group = groups.get(list);
    if (group === undefined) groups.set(list, [operand]);
    else group.push(operand);
  }
  const merged = [...groups.values()].map(mergeLists);
  return merged.length === 1 ? (merged[0] as Expr) : { kind: 'or', operands: merged, span };
}

/** True when all operands are. */
export function allOf(operands: readonly Expr[], span: Span): Expr {
  return operands.length === 1 ? (operands[0] as Expr) : { kind: 'and', operands, span };
}

/** Elasticsearch's `must_not`: true also where the operand's fields are missing. */
export function noneOf(operand: Expr, span: Span): Expr {
  return { kind: 'not', operand, missing: 'true', span };
}

/** Tells the operands that one list can hold: the same test on the same field. */
function listKey(expr: Expr): string | undefined {
  if ((expr.kind !== 'match' && expr.kind !== 'cidr') || expr.value.kind !== 'field') return undefined;
  return expr.kind === 'match' ? `match ${expr.case} ${expr.value.name}` : `cidr ${expr.value.name}`;
}

function mergeLists(group: readonly Expr[]): Expr {
  const first = group[0] as Expr;
  if (group.length === 1) return first;
  if (first.kind === 'match') return { ...first, patterns: (group as MatchExpr[]).flatMap((item) => item.patterns) };
  return { ...(first as CidrExpr), blocks: (group as CidrExpr[]).flatMap((item) => item.blocks) };
}

/** Whether a field's name matches one with `*`. */
function matchesFieldName(name: string, pattern: string): boolean {
  return globMatches(pattern.replaceAll('?', '\u0000'), name);
}

const textRegex = { case: 'unicode', anchor: 'partial' } as const;

function field(name: string): FieldExpr {
  return { kind: 'field', name };
}

function matchOf(name: string, type: TextPattern['type'], text: string, mode: CaseMode, span: Span): MatchExpr {
  return { kind: 'match', value: field(name), patterns: [{ type, text }], case: mode, span };
}

/** Text equality, and for a number written in another way than JSON writes it, equality with the number too. */
function plainEquals(name: string, text: string, mode: CaseMode, span: Span): Expr {
  const match = matchOf(name, 'equals', text, mode, span);
  const number = numberOf(text);
  if (number === undefined || String(number) === text) return match;
  const right = numberLiteral(number, text);
  return {
    kind: 'or',
    operands: [match, { kind: 'compare', op: '==', left: field(name), right, case: mode, span }],
    span,
  };
}

function wordsQuery(name: string, text: string, phrase: boolean, span: Span): Expr {
  const words = wordsOf(text);
  if (words.length === 0) return never;
  const patterns = phrase ? [phrasePattern(words)] : words.map((item) => phrasePattern([item]));
  return { kind: 'regex', value: field(name), patterns, ...textRegex, span };
}

function wildcardAs(type: FieldType, name: string, glob: Glob, span: Span, mode: CaseMode): Expr {
  if (type !== 'text') return wildcardMatch(name, glob, mode, span);
  if (!glob.every((part) => part.kind !== 'text' || isWordText(part.text)))
    return wildcardMatch(name, glob, 'unicode', span);
  return { kind: 'regex', value: field(name), patterns: [wordWildcardPattern(glob)], ...textRegex, span };
}

/** The IR's wildcard has no escape, so a pattern with a literal `*` or `?` becomes a plainer test or a regex. */
function wildcardMatch(name: string, glob: Glob, mode: CaseMode, span: Span): Expr {
  const isPlain = glob.every((part) => part.kind !== 'text' || !/[*?]/.test(part.text));
  if (isPlain) return matchOf(name, 'wildcard', globText(glob), mode, span);
  const texts = glob.filter((part) => part.kind === 'text');
  const [text] = texts;
  if (text !== undefined && texts.length === 1 && glob.every((part) => part.kind !== 'one')) {
    const opens = glob[0]?.kind === 'run';
    const closes = glob.at(-1)?.kind === 'run';
    const type = opens ? (closes ? 'contains' : 'suffix') : closes ? 'prefix' : 'equals';
    return matchOf(name, type, text.text, mode, span);
  }
  return { kind: 'regex', value: field(name), patterns: [globPattern(glob)], case: mode, anchor: 'full', span };
}

/** What is no version is above all versions, and by bytes among its like, as Elasticsearch has it. */
function versionRange(name: string, op: VersionOrder, text: string, span: Span): Expr {
  const matches = (pattern: string): Expr => {
    return { kind: 'regex', value: field(name), patterns: [pattern], case: 'exact', anchor: 'full', span };
  };
  const others: Expr = { kind: 'not', operand: matches(versionPattern), missing: 'null', span };
  const isUpward = op.startsWith('>');
  const beyond = versionsBeyond(op, text);
  if (beyond !== undefined) return isUpward ? anyOf([matches(beyond), others], span) : matches(beyond);
  const right: Expr = { kind: 'literal', value: text };
  const byBytes: Expr = { kind: 'compare', op, left: field(name), right, case: 'exact', span };
  const among = allOf([others, byBytes], span);
  return isUpward ? among : anyOf([matches(versionPattern), among], span);
}

/** The number that a text writes, or undefined. */
function numberOf(text: string): number | undefined {
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function numberLiteral(value: number, text: string): Expr {
  return /[.eE]/.test(text) ? { kind: 'literal', value, float: true } : { kind: 'literal', value };
}

function looksLikeDate(text: string): boolean {
  return /^(?:\d{4}-\d\d|now(?:$|[-+/]))/.test(text) || text.includes('||');
}

/**
 * A date bound over ISO 8601 texts in UTC, whose byte order is their order in time, and over epoch milliseconds. A bound
 * with a fraction of a second treats the texts that write none apart: there `Z` stands where others have a point.
 */
function dateBound(name: string, op: '<' | '>=', ms: number, span: Span): Expr {
  const iso = new Date(ms).toISOString();
  const second = iso.slice(0, -5);
  const isWhole = ms % 1000 === 0;
  const compare = (operator: CompareExpr['op'], value: string | number): Expr => ({
    kind: 'compare',
    op: operator,
    left: field(name),
    right: { kind: 'literal', value },
    case: 'exact',
    span,
  });
  const text = compare(op, isWhole ? second : iso.slice(0, -1));
  const epoch = compare(op, ms);
  if (isWhole) return { kind: 'or', operands: [text, epoch], span };
  if (op === '<') return { kind: 'or', operands: [text, compare('==', `${second}Z`), epoch], span };
  const later: Expr = { kind: 'and', operands: [text, noneOf(compare('==', `${second}Z`), span)], span };
  return { kind: 'or', operands: [later, epoch], span };
}
