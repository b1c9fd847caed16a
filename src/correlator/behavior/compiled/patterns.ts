/** Pattern lists as tests over texts that are folded, or not, already. */
import { globSet, type TextTest } from '../../../core/glob_set.js';
import { foldCase } from '../../../core/paths.js';
import type { PatternList } from '../../../rule/behavior.js';

const foldedPatterns = new WeakMap<readonly string[], readonly string[]>();

/** Tests case-folded texts against the patterns in any case. */
export function foldedSet(patterns: readonly string[]): TextTest {
  let folded = foldedPatterns.get(patterns);
  if (folded === undefined) {
    folded = patterns.map(foldCase);
    foldedPatterns.set(patterns, folded);
  }
  return globSet(folded);
}

/** Tests keys against a list. `folds`: keys are case-folded, and patterns are compared folded too. */
export function listTest(list: PatternList, folds: boolean): TextTest {
  const setOf = folds ? foldedSet : globSet;
  const isIn = setOf(list.patterns);
  if (list.except.length === 0) return isIn;
  const isExcepted = setOf(list.except);
  return (key) => isIn(key) && !isExcepted(key);
}

/** Tests keys that are folded on one host and not on another. */
export type KeyTest = (key: string, folds: boolean) => boolean;

/** As {@link listTest}, where the host decides whether keys are folded. */
export function keyTest(list: PatternList): KeyTest {
  const folded = listTest(list, true);
  const exact = listTest(list, false);
  return (key, folds) => (folds ? folded(key) : exact(key));
}
