/** Regular expressions of rules: RE2 syntax, time linear in the text whatever the pattern. */
import { RE2JS } from 're2js';
import type { CaseMode } from './ir.js';

/** What a regular expression condition asks, without the value it asks it of. */
export interface RegexTest {
  readonly patterns: readonly string[];
  readonly case: CaseMode;
  readonly anchor: 'full' | 'partial';
}

/**
 * Makes a test that is true for a text that any pattern matches. Patterns are compiled at the first call. `ascii` and
 * `unicode` case both fold as RE2 does, by Unicode simple folding.
 * @throws at the first call, where a pattern is not RE2: front ends have checked them.
 */
export function compileRegex({ patterns, case: mode, anchor }: RegexTest): (text: string) => boolean {
  let compiled: RE2JS[] | undefined;
  return (text) => {
    compiled ??= patterns.map((pattern) => RE2JS.compile(pattern, mode === 'exact' ? 0 : RE2JS.CASE_INSENSITIVE));
    return compiled.some((regex) => (anchor === 'full' ? regex.testExact(text) : regex.test(text)));
  };
}
