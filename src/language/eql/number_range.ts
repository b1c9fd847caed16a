/**
 * Lucene's number ranges `<1-9>` as regular expressions. Bounds of one length mean numbers of that many digits; otherwise
 * numbers may have any leading zeros.
 */

/** Largest bound that Lucene takes. */
export const numberRangeMax = 2 ** 31 - 1;

/** A pattern for the decimal numbers between two bounds, which are digits and may come in either order. */
export function numberRangePattern(from: string, to: string): string {
  const [low, high] = [Number(from), Number(to)].sort((a, b) => a - b) as [number, number];
  if (from.length === to.length) return `(?:${between(padded(low, from.length), padded(high, from.length))})`;
  const parts: string[] = [];
  for (let digits = 1; digits <= String(high).length; digits++) {
    const least = Math.max(low, digits === 1 ? 0 : 10 ** (digits - 1));
    const most = Math.min(high, 10 ** digits - 1);
    if (least <= most) parts.push(between(padded(least, digits), padded(most, digits)));
  }
  return `(?:0*(?:${parts.join('|')}))`;
}

const padded = (value: number, digits: number): string => String(value).padStart(digits, '0');

/** Texts of digits from `low` to `high`, all as long. */
function between(low: string, high: string): string {
  const first = low.charAt(0);
  const last = high.charAt(0);
  if (low === '') return '';
  if (first === last) return first + between(low.slice(1), high.slice(1));
  const parts = [first + bounded(low.slice(1), '9'), last + bounded(high.slice(1), '0')];
  if (Number(last) - Number(first) > 1) parts.push(digitsFrom(Number(first) + 1, Number(last) - 1, low.length - 1));
  return `(?:${parts.join('|')})`;
}

/** Texts of digits between the bound and as many of `end`: nines from it upward, zeros downward. */
function bounded(bound: string, end: '0' | '9'): string {
  return end === '9' ? between(bound, end.repeat(bound.length)) : between(end.repeat(bound.length), bound);
}

const digitsFrom = (first: number, last: number, more: number): string =>
  `[${first}-${last}]${more === 0 ? '' : `[0-9]{${more}}`}`;
