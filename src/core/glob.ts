/**
 * Globs over whole texts: `*` any run of characters, `?` one character, everything else literal. Linear in the text for
 * each pattern, whatever the pattern: hostile texts cost no more than others.
 */

/** True when `text` as a whole matches `pattern`. Compares as given: fold case on both sides first where wanted. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const symbol = pattern[p];
    if (symbol === '*') {
      star = p++;
      resume = t;
    } else if (symbol !== undefined && (symbol === '?' || symbol === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** True when `text` matches any of the patterns. */
export function globMatchesAny(patterns: readonly string[], text: string): boolean {
  for (const pattern of patterns) if (globMatches(pattern, text)) return true;
  return false;
}
