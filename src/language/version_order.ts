/**
 * The order of versions, as regular expressions: which versions lie below, at or above one that is given. What a query
 * asks of a version depends on the value alone, and so is decided once for each distinct value.
 *
 * Semantic Versioning 2.0.0, §11: numbers by size, a pre-release below its release, build metadata without rank. As
 * Elasticsearch's `version` fields, the main part may have any number of numbers, fewer below more: `1.2` < `1.2.0`.
 */
import { escapeRegex } from './glob.js';

export type VersionOrder = '<' | '<=' | '>' | '>=';

const number = '(?:0|[1-9][0-9]*)';
const identifierCharacter = '[0-9A-Za-z-]';
const identifiers = `${identifierCharacter}+(?:\\.${identifierCharacter}+)*`;
const anyBuild = `(?:\\+${identifiers})?`;
const anyMore = `(?:\\.${number})*(?:-${identifiers})?${anyBuild}`;

/** A whole version, whatever it is. */
export const versionPattern = `${number}${anyMore}`;

const versionText = new RegExp(`^(${number}(?:\\.${number})*)(?:-(${identifiers}))?${anyBuild}$`);
/** Digits of one number in a version that is compared with; more would make the pattern too large. */
const digitsMax = 64;

interface Version {
  readonly numbers: readonly string[];
  /** Empty for a release. */
  readonly preRelease: readonly string[];
}

/** The pattern of the versions on that side of `text`; undefined where `text` is no version. Anchored by the caller. */
export function versionsBeyond(op: VersionOrder, text: string): string | undefined {
  const version = parseVersion(text);
  if (version === undefined) return undefined;
  const sides = op.startsWith('<') ? below(version) : above(version);
  const all = op.endsWith('=') ? [...sides, equalTo(version)] : sides;
  return all.join('|');
}

function parseVersion(text: string): Version | undefined {
  const match = versionText.exec(text);
  if (match === null) return undefined;
  const numbers = (match[1] as string).split('.');
  const preRelease = match[2]?.split('.') ?? [];
  const isShort = [...numbers, ...preRelease].every((part) => part.length <= digitsMax);
  return isShort && numbers.length + preRelease.length <= digitsMax ? { numbers, preRelease } : undefined;
}

const mainOf = (numbers: readonly string[]): string => numbers.join('\\.');

function equalTo({ numbers, preRelease }: Version): string {
  const suffix = preRelease.length === 0 ? '' : `-${preRelease.map(escapeRegex).join('\\.')}`;
  return `${mainOf(numbers)}${suffix}${anyBuild}`;
}

function below({ numbers, preRelease }: Version): string[] {
  const main = numbers.flatMap((part, at) => {
    const lower = numbersBelow(part).map((one) => `${mainOf([...numbers.slice(0, at), one])}${anyMore}`);
    const shorter = at === 0 ? [] : [`${mainOf(numbers.slice(0, at))}(?:-${identifiers})?${anyBuild}`];
    return [...lower, ...shorter];
  });
  const equal = mainOf(numbers);
  if (preRelease.length === 0) return [...main, `${equal}-${identifiers}${anyBuild}`];
  const tails = preRelease.flatMap((part, at) => {
    const start = preRelease.slice(0, at).map((one) => `${escapeRegex(one)}\\.`);
    const lower = identifiersBelow(part).map((one) => `${start.join('')}${one}(?:\\.${identifiers})?`);
    return at === 0 ? lower : [...lower, preRelease.slice(0, at).map(escapeRegex).join('\\.')];
  });
  return [...main, ...tails.map((tail) => `${equal}-${tail}${anyBuild}`)];
}

function above({ numbers, preRelease }: Version): string[] {
  const main = numbers.flatMap((part, at) =>
    numbersAbove(part).map((one) => `${mainOf([...numbers.slice(0, at), one])}${anyMore}`),
  );
  const equal = mainOf(numbers);
  const longer = `${equal}\\.${number}${anyMore}`;
  if (preRelease.length === 0) return [...main, longer];
  const tails = preRelease.flatMap((part, at) => {
    const start = preRelease.slice(0, at).map((one) => `${escapeRegex(one)}\\.`);
    return identifiersAbove(part).map((one) => `${start.join('')}${one}(?:\\.${identifiers})?`);
  });
  const more = `${preRelease.map(escapeRegex).join('\\.')}\\.${identifiers}`;
  return [...main, longer, `${equal}${anyBuild}`, ...[...tails, more].map((tail) => `${equal}-${tail}${anyBuild}`)];
}

// ----------------------------------------------------------------------------------------------------- numbers

/** Numbers without leading zeros below one. */
function numbersBelow(digits: string): string[] {
  const shorter =
    digits.length === 1 ? [] : [digits.length === 2 ? '[0-9]' : `(?:0|[1-9][0-9]{0,${digits.length - 2}})`];
  return [...shorter, ...ofOneLength(digits, (digit, first) => range(first ? 1 : 0, digit - 1))];
}

function numbersAbove(digits: string): string[] {
  return [...ofOneLength(digits, (digit) => range(digit + 1, 9)), `[1-9][0-9]{${digits.length},}`];
}

/** Numbers of as many digits that first differ at some digit, by one of `others`. */
function ofOneLength(digits: string, others: (digit: number, isFirst: boolean) => string): string[] {
  return [...digits].flatMap((digit, at) => {
    const differing = others(Number(digit), at === 0 && digits.length > 1);
    const rest = digits.length - at - 1;
    return differing === '' ? [] : [`${digits.slice(0, at)}${differing}${rest === 0 ? '' : `[0-9]{${rest}}`}`];
  });
}

const range = (from: number, to: number): string => (from > to ? '' : `[${from}-${to}]`);

// ------------------------------------------------------------------------------------------------- identifiers

const isNumeric = (identifier: string): boolean => /^(?:0|[1-9][0-9]*)$/.test(identifier);
/** An identifier that is not a number. */
const named = `[0-9]*[A-Za-z-]${identifierCharacter}*`;

/** In ASCII order. */
const characters = '-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

const classOf = (members: string): string => `[${members.startsWith('-') ? `${members.slice(1)}-` : members}]`;

/** Numbers are below names; names by ASCII, a beginning of another below it. */
function identifiersBelow(identifier: string): string[] {
  if (isNumeric(identifier)) return numbersBelow(identifier);
  const names = [...identifier].flatMap((character, at) => {
    const start = identifier.slice(0, at);
    const lower = characters.slice(0, characters.indexOf(character));
    const beginning = at === 0 ? [] : [escapeRegex(start)];
    return lower === '' ? beginning : [...beginning, `${escapeRegex(start)}${classOf(lower)}${identifierCharacter}*`];
  });
  return [number, ...names];
}

function identifiersAbove(identifier: string): string[] {
  if (isNumeric(identifier)) return [...numbersAbove(identifier), named];
  const names = [...identifier].flatMap((character, at) => {
    const start = identifier.slice(0, at);
    const higher = characters.slice(characters.indexOf(character) + 1);
    const digits = [...higher].filter((one) => /[0-9]/.test(one)).join('');
    const letters = [...higher].filter((one) => !/[0-9]/.test(one)).join('');
    // Digits alone would be a number, which is below every name.
    const tail = /^[0-9]*$/.test(start) ? named : `${identifierCharacter}*`;
    return [
      ...(letters === '' ? [] : [`${escapeRegex(start)}${classOf(letters)}${identifierCharacter}*`]),
      ...(digits === '' ? [] : [`${escapeRegex(start)}${classOf(digits)}${tail}`]),
    ];
  });
  return [...names, `${escapeRegex(identifier)}${identifierCharacter}+`];
}
