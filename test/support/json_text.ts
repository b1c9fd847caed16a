/**
 * Writes events as JSON in all the ways JSON allows: white space, escapes, spellings of numbers, dotted and nested keys,
 * keys written twice, and members that no rule reads.
 */
import { Random } from '../fuzz/random.js';
import type { Source } from './generators.js';

/** One line, the same for the same seed. `JSON.parse` of it is an event equal to the given one. */
export function writeLine(event: Source, seed: number): string {
  return new JsonWriter(new Random(seed)).object(event);
}

/** Lines with the separators NDJSON readers meet: CRLF, blank lines, a byte order mark, no newline at the end. */
export function writeLines(lines: readonly string[], seed: number): string {
  const random = new Random(seed);
  const body = lines.map((line) => line + random.pick(['\n', '\n', '\n', '\r\n', '\n\n', '\n \t\n'])).join('');
  const text = random.once(4) ? body.trimEnd() : body;
  return random.once(4) ? `\ufeff${text}` : text;
}

const noise: readonly unknown[] = [
  null,
  true,
  -0.0,
  1e300,
  '\\"}',
  [],
  {},
  [[[{ a: [null] }]]],
  { '': '' },
  'ü\u{1f600}\u0001',
];

class JsonWriter {
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  object(value: Source): string {
    const members = Object.entries(value).flatMap(([name, member]) => this.member(name, member));
    if (this.random.once(3))
      members.splice(this.random.below(members.length + 1), 0, this.pair('unread', this.random.pick(noise)));
    return `{${this.space()}${members.join(`${this.space()},${this.space()}`)}${this.space()}}`;
  }

  /** Sometimes dotted instead of nested, sometimes written once before with another value. */
  private member(name: string, value: unknown): string[] {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (isObject && this.random.once(4)) {
      return Object.entries(value).map(([inner, member]) => this.pair(`${name}.${inner}`, member));
    }
    const written = this.pair(name, value);
    return !isObject && this.random.once(12)
      ? [this.pair(name, this.random.pick(noise.slice(0, 5))), written]
      : [written];
  }

  private pair(name: string, value: unknown): string {
    return `${this.text(name)}${this.space()}:${this.space()}${this.value(value)}`;
  }

  private value(value: unknown): string {
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.number(value);
    if (Array.isArray(value))
      return `[${value.map((item) => this.space() + this.value(item)).join(',')}${this.space()}]`;
    if (typeof value === 'object' && value !== null) return this.object(value as Source);
    return JSON.stringify(value);
  }

  private text(value: string): string {
    const style = this.random.below(4);
    if (style > 1) return JSON.stringify(value);
    const isEscaped = (): boolean => style === 0 || this.random.once(3);
    const units = value
      .split('')
      .map((unit) => (isEscaped() ? escapeUnit(unit, this.random) : JSON.stringify(unit).slice(1, -1)));
    return `"${joinPairs(value, units)}"`;
  }

  private number(value: number): string {
    const plain = JSON.stringify(value);
    if (!Number.isInteger(value) || Math.abs(value) > 1e15) return plain;
    return this.random.pick([plain, plain, `${plain}.0`, `${plain}e0`, `${plain}.000E+0`, `${value * 10}e-1`]);
  }

  private space(): string {
    return this.random.pick(['', '', '', ' ', '\t', '  ', '\r']);
  }
}

function escapeUnit(unit: string, random: Random): string {
  const short: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '"': '\\"', '\\': '\\\\', '/': '\\/' };
  const known = short[unit];
  if (known !== undefined && random.once(2)) return known;
  const hex = unit.charCodeAt(0).toString(16).padStart(4, '0');
  return `\\u${random.once(2) ? hex : hex.toUpperCase()}`;
}

/** Both halves of a surrogate pair are written alike: a raw half beside an escaped one is no UTF-8. */
function joinPairs(value: string, units: readonly string[]): string {
  const written = [...units];
  for (let at = 0; at + 1 < value.length; at++) {
    const isPair = /^[\ud800-\udbff][\udc00-\udfff]$/.test(value.slice(at, at + 2));
    if (!isPair) continue;
    written[at] = value.slice(at, at + 2);
    written[at + 1] = '';
  }
  return written.join('');
}
