/** Remembers what a pure function of a text said, for the texts asked for lately. */

const entriesMax = 4096;
/** Longer texts are rarely asked for twice, and would be held here. */
const textMax = 1024;

/** `compute` with a bounded memory: everything is forgotten when it is full. */
export function remembering<T>(compute: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const found = known.get(text);
    if (found !== undefined) return found;
    const result = compute(text);
    if (text.length > textMax) return result;
    if (known.size >= entriesMax) known.clear();
    known.set(text, result);
    return result;
  };
}
