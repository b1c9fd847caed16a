/**
 * The value rules of the IR: comparison, arithmetic, text conversion, patterns and functions over single values.
 * The reference for constant folding, `explain` and the oracle; the kernel is tested against it.
 *
 * Positions and lengths of text count code points. A missing value is null; null propagates. Functions of text take
 * numbers and booleans as their text.
 */
import { type Platform, pathKey } from '../core/paths.js';
import type { ArithmeticExpr, CaseMode, CompareExpr, TextPattern } from './ir.js';

/** A whole number that came from float arithmetic or was written with a fraction: `6.0`. It divides as a float. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** One value of an expression. Whole JavaScript numbers are integers, all other numbers are floats. */
export type Value = string | number | boolean | null | Float;

/** True, false, or null where the answer depends on a missing value. */
export type Truth = boolean | null;

/** The number in a value, or undefined when it is not a number. */
export function numeric(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  return value instanceof Float ? value.value : undefined;
}

/** Makes a number value, keeping that a whole number is a float. Not finite: null. */
export function makeNumber(value: number, isFloat: boolean): Value {
  if (!Number.isFinite(value)) return null;
  return isFloat && Number.isInteger(value) ? new Float(value) : value === 0 ? 0 : value;
}

const isInteger = (value: Value): boolean => typeof value === 'number' && Number.isInteger(value);

// ------------------------------------------------------------------------------------------------------- text

/** Canonical text: strings as they are, numbers as JSON writes them (a whole float keeps `.0`), booleans as `true`, `false`. */
export function toText(value: Value): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value;
  if (value instanceof Float) return floatText(value.value);
  return String(value === 0 ? 0 : value);
}

function floatText(whole: number): string {
  const text = String(whole);
  return text.includes('e') ? text : `${text}.0`;
}

const asciiUpper = /[A-Z]/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
const asciiOnly = /^[\x00-\x7f]*$/;

function foldAscii(text: string): string {
  return asciiOnly.test(text) ? text.toLowerCase() : text.replace(asciiUpper, (letter) => letter.toLowerCase());
}

/** One member for each class of code points that simple case folding makes equal; `ı` folds to nothing else. */
function foldCodePoint(character: string): string {
  if (character === 'ı') return character;
  const upper = character.toUpperCase();
  const base = [...upper].length === 1 ? upper : character;
  const lower = base.toLowerCase();
  return [...lower].length === 1 ? lower : character;
}

/** Text in which equal under `mode` means equal. Unicode: simple case folding, code point by code point. */
export function fold(text: string, mode: CaseMode): string {
  if (mode === 'exact') return text;
  if (mode === 'ascii' || asciiOnly.test(text)) return foldAscii(text);
  let folded = '';
  for (const character of text) folded += foldCodePoint(character);
  return folded;
}

/** Orders text by its UTF-8 bytes, which is the order of code points. */
export function compareText(left: string, right: string): number {
  const a = [...left];
  const b = [...right];
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as string).codePointAt(0)! - (b[i] as string).codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** True when the whole of `text` satisfies a wildcard: `*` any run, `?` one code point. Linear space, no backtracking blow-up. */
export function matchesWildcard(text: string, pattern: string): boolean {
  const t = [...text];
  const p = [...pattern];
  let at = 0;
  let from = 0;
  let star = -1;
  let retry = 0;
  while (at < t.length) {
    if (from < p.length && p[from] === '*') {
      star = from++;
      retry = at;
    } else if (from < p.length && (p[from] === '?' || p[from] === t[at])) {
      from++;
      at++;
    } else if (star >= 0) {
      from = star + 1;
      at = ++retry;
    } else return false;
  }
  while (p[from] === '*') from++;
  return from === p.length;
}

/** Whether a value, as text, satisfies a pattern. A missing value: null. */
export function matchesPattern(value: Value, pattern: TextPattern, mode: CaseMode): Truth {
  const raw = toText(value);
  if (raw === null) return null;
  const text = fold(raw, mode);
  const wanted = fold(pattern.text, mode);
  switch (pattern.type) {
    case 'equals':
      return text === wanted;
    case 'prefix':
      return text.startsWith(wanted);
    case 'suffix':
      return text.endsWith(wanted);
    case 'contains':
      return text.includes(wanted);
    case 'wildcard':
      return matchesWildcard(text, wanted);
  }
}

// ------------------------------------------------------------------------------------------------- comparison

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** The number a text writes in JSON's grammar, or undefined. How text meets a number in a comparison. */
export function parseNumberText(text: string): number | undefined {
  if (!jsonNumber.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function comparable(value: Value): number | undefined {
  return typeof value === 'string' ? parseNumberText(value) : numeric(value);
}

function decide(op: CompareExpr['op'], order: number): boolean {
  switch (op) {
    case '==':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/**
 * Compares two values; either missing: null. Text compares by case mode and UTF-8 bytes. Text meets a number through the
 * number it writes, and a boolean through `true` and `false`. Values that cannot be compared are unequal and unordered.
 */
export function compareValues(op: CompareExpr['op'], left: Value, right: Value, mode: CaseMode): Truth {
  if (left === null || right === null) return null;
  if (typeof left === 'string' && typeof right === 'string') {
    return decide(op, compareText(fold(left, mode), fold(right, mode)));
  }
  if (typeof left === 'boolean' || typeof right === 'boolean') {
    const isEqual = numeric(left) === undefined && numeric(right) === undefined && sameBoolean(left, right, mode);
    return op === '==' ? isEqual : op === '!=' ? !isEqual : false;
  }
  const a = comparable(left);
  const b = comparable(right);
  if (a === undefined || b === undefined) return op === '!=';
  return decide(op, a < b ? -1 : a > b ? 1 : 0);
}

function sameBoolean(left: Value, right: Value, mode: CaseMode): boolean {
  return fold(toText(left) as string, mode) === fold(toText(right) as string, mode);
}

// ------------------------------------------------------------------------------------------------- arithmetic

/**
 * Computes on two numbers. Two integers give an integer (`/` and `%` truncate towards zero, the remainder has the sign
 * of the dividend). Anything that is not a number, a division by zero and a result that is not finite give null.
 */
export function arithmetic(op: ArithmeticExpr['op'], left: Value, right: Value): Value {
  const a = numeric(left);
  const b = numeric(right);
  if (a === undefined || b === undefined) return null;
  const isFloat = !isInteger(left) || !isInteger(right);
  switch (op) {
    case '+':
      return makeNumber(a + b, isFloat);
    case '-':
      return makeNumber(a - b, isFloat);
    case '*':
      return makeNumber(a * b, isFloat);
    case '/':
      return b === 0 ? null : makeNumber(isFloat ? a / b : Math.trunc(a / b), isFloat);
    case '%':
      return b === 0 ? null : makeNumber(a % b, isFloat);
  }
}

// -------------------------------------------------------------------------------------------------- addresses

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
}

function parseIpv6Groups(text: string): string[] | undefined {
  const lastColon = text.lastIndexOf(':');
  let head = text;
  if (text.includes('.')) {
    const tail = parseIpv4(text.slice(lastColon + 1));
    if (lastColon < 0 || tail === undefined) return undefined;
    head = `${text.slice(0, lastColon + 1)}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  }
  const halves = head.split('::');
  if (halves.length > 2) return undefined;
  const left = halves[0] === '' ? [] : (halves[0] as string).split(':');
  if (halves.length === 1) return left;
  const right = halves[1] === '' ? [] : (halves[1] as string).split(':');
  const zeros = 8 - left.length - right.length;
  return zeros < 1 ? undefined : [...left, ...new Array<string>(zeros).fill('0'), ...right];
}

/** An address as 128 bits; IPv4 as its IPv4-mapped form. Undefined when the text is not an address. */
export function parseAddress(text: string): { readonly bits: bigint; readonly isV4: boolean } | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return { bits: 0xffff_0000_0000n | v4, isV4: true };
  const groups = text.includes(':') ? parseIpv6Groups(text) : undefined;
  if (groups === undefined || groups.length !== 8) return undefined;
  let bits = 0n;
  for (const group of groups) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    bits = (bits << 16n) | BigInt(`0x${group}`);
  }
  return { bits, isV4: bits >> 32n === 0xffffn };
}

/** A block as its first address and prefix length, both of 128 bits. A bare address is a block of one. */
export function parseBlock(text: string): { readonly bits: bigint; readonly prefix: number } | undefined {
  const [addressText, prefixText, ...rest] = text.trim().split('/');
  const address = parseAddress(addressText as string);
  if (address === undefined || rest.length > 0) return undefined;
  const width = address.isV4 && !(addressText as string).includes(':') ? 32 : 128;
  if (prefixText !== undefined && !/^\d{1,3}$/.test(prefixText)) return undefined;
  const prefix = prefixText === undefined ? width : Number(prefixText);
  if (prefix > width) return undefined;
  const full = prefix + 128 - width;
  const hostBits = BigInt(128 - full);
  return { bits: (address.bits >> hostBits) << hostBits, prefix: full };
}

/** Whether a value is an address inside a block. A missing value: null; not an address: false. */
export function inBlock(value: Value, block: string): Truth {
  const text = toText(value);
  if (text === null) return null;
  const address = parseAddress(text);
  const range = parseBlock(block);
  if (address === undefined || range === undefined) return false;
  return (address.bits ^ range.bits) >> BigInt(128 - range.prefix) === 0n;
}

// -------------------------------------------------------------------------------------------------- functions

const asText = (value: Value | undefined): string | undefined => toText(value ?? null) ?? undefined;

const asIndex = (value: Value | undefined): number | undefined => {
  const number = value === undefined ? undefined : numeric(value);
  return number === undefined ? undefined : Math.trunc(number);
};

function textTest(test: (source: string, part: string) => boolean) {
  return ([source, part]: readonly Value[], mode: CaseMode): Value => {
    const a = asText(source);
    const b = asText(part);
    return a === undefined || b === undefined ? null : test(fold(a, mode), fold(b, mode));
  };
}

function between([source, left, right, greedy]: readonly Value[], mode: CaseMode): Value {
  const whole = asText(source);
  const first = asText(left);
  const second = asText(right);
  if (whole === undefined || first === undefined || second === undefined) return null;
  const text = [...whole];
  const folded = text.map((character) => fold(character, mode));
  const start = findText(folded, [...fold(first, mode)], 0, false);
  if (start < 0) return null;
  const from = start + [...first].length;
  const end = findText(folded, [...fold(second, mode)], from, greedy === true);
  return end < 0 ? null : text.slice(from, end).join('');
}

/** First (or last) position of `part` in `text` at or after `from`, or -1. */
function findText(text: readonly string[], part: readonly string[], from: number, last: boolean): number {
  const end = text.length - part.length;
  const matchesAt = (at: number): boolean => part.every((character, i) => text[at + i] === character);
  if (last) {
    for (let at = end; at >= from; at--) if (matchesAt(at)) return at;
    return -1;
  }
  for (let at = from; at <= end; at++) if (matchesAt(at)) return at;
  return -1;
}

function indexOf([source, part, start]: readonly Value[], mode: CaseMode): Value {
  const text = asText(source);
  const wanted = asText(part);
  if (text === undefined || wanted === undefined) return null;
  const from = Math.max(0, asIndex(start) ?? 0);
  const at = findText([...fold(text, mode)], [...fold(wanted, mode)], from, false);
  return at < 0 ? null : at;
}

function substring([source, start, end]: readonly Value[]): Value {
  const text = asText(source);
  if (text === undefined) return null;
  return [...text].slice(asIndex(start) ?? 0, asIndex(end) ?? undefined).join('');
}

const digitsOf = (base: number): string => '0123456789abcdefghijklmnopqrstuvwxyz'.slice(0, base);

/** Parses a whole number in a base from 2 to 36 (base 16 may carry `0x`), or a decimal fraction in base 10. */
function parseInBase(text: string, base: number): Value {
  if (base === 10 && /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    return makeNumber(Number(text), /[.eE]/.test(text));
  }
  const match = /^([+-]?)(0[xX])?([0-9a-zA-Z]+)$/.exec(text);
  if (match === null || base < 2 || base > 36 || (match[2] !== undefined && base !== 16)) return null;
  let value = 0;
  for (const character of (match[3] as string).toLowerCase()) {
    const digit = digitsOf(base).indexOf(character);
    if (digit < 0) return null;
    value = value * base + digit;
  }
  return makeNumber(match[1] === '-' ? -value : value, false);
}

function parse([source, base]: readonly Value[]): Value {
  if (source === undefined || source === null || typeof source === 'boolean') return null;
  return typeof source === 'string' ? parseInBase(source, asIndex(base) ?? 10) : source;
}

function concat(values: readonly Value[]): Value {
  const texts = values.map(toText);
  return texts.includes(null) ? null : texts.join('');
}

type Implementation = (args: readonly Value[], mode: CaseMode) => Value;

const implementations: Readonly<Record<string, Implementation>> = {
  add: ([a, b]) => arithmetic('+', a ?? null, b ?? null),
  arrayContains: ([item, ...wanted], mode) =>
    item == null ? null : wanted.some((value) => compareValues('==', item, value, mode) === true),
  between,
  cidrMatch: ([source, ...blocks]) =>
    source == null ? null : blocks.some((block) => inBlock(source, String(block)) === true),
  concat,
  divide: ([a, b]) => arithmetic('/', a ?? null, b ?? null),
  endsWith: textTest((source, part) => source.endsWith(part)),
  indexOf,
  length: ([source]) => {
    const text = asText(source);
    return text === undefined ? null : [...text].length;
  },
  modulo: ([a, b]) => arithmetic('%', a ?? null, b ?? null),
  multiply: ([a, b]) => arithmetic('*', a ?? null, b ?? null),
  number: parse,
  pathKey: ([path, platform]) => {
    const text = asText(path);
    return text === undefined ? null : pathKey(text, platform as Platform);
  },
  safe: ([value]) => value ?? null,
  startsWith: textTest((source, part) => source.startsWith(part)),
  string: ([value]) => toText(value ?? null),
  stringContains: textTest((source, part) => source.includes(part)),
  substring,
  subtract: ([a, b]) => arithmetic('-', a ?? null, b ?? null),
  wildcard: ([source, ...patterns], mode) =>
    source == null
      ? null
      : patterns.some((p) => matchesPattern(source, { type: 'wildcard', text: String(p) }, mode) === true),
};

/**
 * The value of a call of `functions.ts` on single values, by canonical name; a missing optional argument may be left
 * out or null. `match` and `matchLite` need a regular expression engine, and the array functions an evaluator: undefined.
 */
export function callFunction(name: string, args: readonly Value[], mode: CaseMode): Value | undefined {
  return implementations[name]?.(args, mode);
}
