/**
 * Texts that a regular expression cannot match without: what lets a value be passed over before the expression is tried.
 */

/** A literal that every matching value contains; `folds`: in any case of its letters. */
export interface RequiredLiteral {
  readonly text: string;
  readonly folds: boolean;
}

/** Shorter literals tell too little. */
const lengthMin = 3;

/**
 * The longest literal of the pattern's outermost concatenation, or undefined where it has none worth asking for.
 * Groups, classes and anything outside ASCII only end a literal, so what is found is certain.
 */
export function requiredLiteral(pattern: string): RequiredLiteral | undefined {
  let folds = false;
  let longest = '';
  let run = '';
  const end = (): void => {
    if (run.length > longest.length) longest = run;
    run = '';
  };
  for (let at = 0; at < pattern.length; ) {
    const flags = /^\(\?([a-zA-Z]+)\)/.exec(pattern.slice(at, at + 12));
    const quantifier = /^(?:[*?]|\{\d+(?:,\d*)?\})/.exec(pattern.slice(at, at + 24))?.[0];
    const character = pattern[at] as string;
    if (flags !== null) {
      folds = folds || (flags[1] as string).includes('i');
      end();
      at += flags[0].length;
    } else if (quantifier !== undefined) {
      run = run.slice(0, -1);
      end();
      at += quantifier.length;
    } else if (character === '|') return undefined;
    else if (character === '(' || character === '[') {
      end();
      const next = character === '(' ? groupEnd(pattern, at) : classEnd(pattern, at);
      if (next === undefined) return undefined;
      at = next;
    } else if (character === '\\') {
      const escaped = pattern[at + 1] ?? '';
      if (escaped === 'Q') return undefined;
      if (/[^A-Za-z0-9]/.test(escaped) && escaped < '\u0080') run += escaped;
      else end();
      at = escapeEnd(pattern, at);
    } else {
      if ('.^$+)'.includes(character) || character >= '\u0080') end();
      else run += character;
      at++;
    }
  }
  end();
  return longest.length < lengthMin ? undefined : { text: longest, folds };
}

/** Behind an escape such as `\.`, `\d`, `\x41`, `\x{10FFFF}` or `\p{Greek}`. */
function escapeEnd(pattern: string, at: number): number {
  const long = /^\\(?:[pP](?:\{[^}]*\}|.)|x(?:\{[^}]*\}|[0-9a-fA-F]{2})|[0-7]{1,3})/s.exec(pattern.slice(at, at + 64));
  return at + (long?.[0].length ?? 2);
}

/** Behind the class that opens at `at`. */
function classEnd(pattern: string, at: number): number | undefined {
  let next = at + 1;
  if (pattern[next] === '^') next++;
  if (pattern[next] === ']') next++;
  while (next < pattern.length && pattern[next] !== ']') {
    if (pattern[next] === '\\') next = escapeEnd(pattern, next);
    else if (pattern.startsWith('[:', next)) next = Math.max(next + 1, pattern.indexOf(':]', next) + 2);
    else next++;
  }
  return next < pattern.length ? next + 1 : undefined;
}

/** Behind the group that opens at `at`. */
function groupEnd(pattern: string, at: number): number | undefined {
  let depth = 0;
  for (let next: number | undefined = at; next !== undefined && next < pattern.length; ) {
    const character = pattern[next];
    if (character === '\\') {
      if (pattern[next + 1] === 'Q') return undefined;
      next = escapeEnd(pattern, next);
    } else if (character === '[') next = classEnd(pattern, next);
    else {
      if (character === '(') depth++;
      if (character === ')' && --depth === 0) return next + 1;
      next++;
    }
  }
  return undefined;
}
