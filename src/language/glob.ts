/** A wildcard pattern with its escapes resolved: `run` is any text, `one` any one character, `text` itself. */
export type Glob = readonly GlobPart[];
export type GlobPart = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'run' | 'one' };

/** The pattern of texts with any run between each two: `['a', 'b']` is `a*b`. */
export function globOf(parts: readonly string[]): Glob {
  return parts.flatMap((text, i): GlobPart[] => {
    const own: GlobPart[] = text === '' ? [] : [{ kind: 'text', text }];
    return i === 0 ? own : [{ kind: 'run' }, ...own];
  });
}

/** Reads an Elasticsearch wildcard: `*`, `?`, and a backslash before a character that stands for itself. */
export function parseGlob(pattern: string): Glob {
  const parts: GlobPart[] = [];
  let text = '';
  const flush = (): void => {
    if (text !== '') parts.push({ kind: 'text', text });
    text = '';
  };
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i] as string;
    if (character === '*' || character === '?') {
      flush();
      parts.push({ kind: character === '*' ? 'run' : 'one' });
    } else if (character === '\\' && i + 1 < pattern.length) text += pattern[++i];
    else text += character;
  }
  flush();
  return parts;
}

/** The pattern as the IR's wildcard; right only where no text holds `*` or `?`. */
export function globText(glob: Glob): string {
  return glob.map((part) => (part.kind === 'text' ? part.text : part.kind === 'run' ? '*' : '?')).join('');
}

/** The pattern in RE2 syntax, for the whole value. */
export function globPattern(glob: Glob): string {
  return glob
    .map((part) => (part.kind === 'text' ? escapeRegex(part.text) : part.kind === 'run' ? '.*' : '.'))
    .join('');
}

/** A text that stands for itself in an RE2 pattern. */
export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
