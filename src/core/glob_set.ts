/**
 * Lists of globs prepared once: literals in a set, globs with one run of wildcards as plain text comparisons, the rest
 * guarded by what they begin and end with. Matches exactly what `globMatchesAny` does.
 */
import { globMatches } from './glob.js';
import { remembering } from './memo.js';

export type TextTest = (text: string) => boolean;

/** A longer list remembers its answers: asking it costs more than looking them up. */
const unrememberedMax = 12;

const never: TextTest = () => false;
const always: TextTest = () => true;
const prepared = new WeakMap<readonly string[], TextTest>();

/** True for texts that match any of the patterns. One test for each list, however often it is asked for. */
export function globSet(patterns: readonly string[]): TextTest {
  let test = prepared.get(patterns);
  if (test === undefined) {
    test = prepare(patterns);
    prepared.set(patterns, test);
  }
  return test;
}

function prepare(patterns: readonly string[]): TextTest {
  const literals = new Set(patterns.filter((pattern) => !/[*?]/.test(pattern)));
  const tests = patterns.filter((pattern) => /[*?]/.test(pattern)).map(globTest);
  if (tests.includes(always)) return always;
  const isLiteral: TextTest = literals.size === 0 ? never : (text) => literals.has(text);
  if (tests.length === 0) return isLiteral;
  const matches = anyOf(literals.size === 0 ? tests : [isLiteral, ...tests]);
  return tests.length > unrememberedMax ? remembering(matches) : matches;
}

function anyOf(tests: readonly TextTest[]): TextTest {
  const [first = never, second = never] = tests;
  if (tests.length === 1) return first;
  if (tests.length === 2) return (text) => first(text) || second(text);
  return (text) => {
    for (const test of tests) if (test(text)) return true;
    return false;
  };
}

function globTest(pattern: string): TextTest {
  const start = pattern.search(/[*?]/);
  const end = pattern.length - (pattern.match(/[^*?]*$/)?.[0].length ?? 0);
  const head = pattern.slice(0, start);
  const tail = pattern.slice(end);
  const middle = pattern.slice(start, end);
  if (/^\*+$/.test(middle)) return affixTest(head, tail);
  const inner = /^\*+([^*?]+)\*+$/.exec(middle)?.[1];
  if (inner !== undefined && head === '' && tail === '') return (text) => text.includes(inner);
  const least = pattern.replaceAll('*', '').length;
  return (text) => text.length >= least && text.startsWith(head) && text.endsWith(tail) && globMatches(pattern, text);
}

function affixTest(head: string, tail: string): TextTest {
  if (head === '') return tail === '' ? always : (text) => text.endsWith(tail);
  if (tail === '') return (text) => text.startsWith(head);
  const least = head.length + tail.length;
  return (text) => text.length >= least && text.startsWith(head) && text.endsWith(tail);
}
