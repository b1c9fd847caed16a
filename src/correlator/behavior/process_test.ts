/** Evaluates process tests on the nodes of an ancestor chain. */
import { globMatchesAny } from '../../core/glob.js';
import { remembering } from '../../core/memo.js';
import { baseName, foldCase, type Platform, pathKey } from '../../core/paths.js';
import type { ChainTest, Judgement, PatternList, ProcessTest } from '../../rule/behavior.js';
import type { ProcessImage, ProcessNode } from './witness.js';

const foldedPatterns = new WeakMap<readonly string[], readonly string[]>();

/** The patterns case-folded; computed once per list. */
export function folded(patterns: readonly string[]): readonly string[] {
  let result = foldedPatterns.get(patterns);
  if (result === undefined) {
    result = patterns.map(foldCase);
    foldedPatterns.set(patterns, result);
  }
  return result;
}

const matchers = new WeakMap<readonly string[], (text: string) => boolean>();

/** True when `text` matches any of the patterns. The same processes and paths are asked for again and again. */
export function matchesAny(patterns: readonly string[], text: string): boolean {
  let matcher = matchers.get(patterns);
  if (matcher === undefined) {
    matcher = remembering((asked: string) => globMatchesAny(patterns, asked));
    matchers.set(patterns, matcher);
  }
  return matcher(text);
}

/** `key` lies in the list. `folds`: `key` is case-folded already and patterns are folded too. */
export function inList(list: PatternList, key: string, folds: boolean): boolean {
  const patterns = folds ? folded(list.patterns) : list.patterns;
  const except = folds ? folded(list.except) : list.except;
  return matchesAny(patterns, key) && !matchesAny(except, key);
}

/** Program name of an image, case-folded and without `.exe`. */
export function programName(image: { readonly executable?: string; readonly name?: string }): string {
  return image.executable !== undefined ? programOfPath(image.executable) : programOfName(image.name ?? '');
}

const programOfName = (name: string): string => foldCase(name).replace(/\.exe$/, '');
const programOfPath = remembering((path: string) => programOfName(baseName(path)));

const foldedKeys = new Map<Platform, (path: string) => string>();

/** The identity key of an executable's path, case-folded on every platform. */
function foldedKey(path: string, platform: Platform): string {
  let keyOf = foldedKeys.get(platform);
  if (keyOf === undefined) {
    keyOf = remembering((asked: string) => foldCase(pathKey(asked, platform)));
    foldedKeys.set(platform, keyOf);
  }
  return keyOf(path);
}

export function commandLineOf(image: ProcessImage): string {
  return image.commandLine ?? image.args?.join(' ') ?? '';
}

function imageHolds(test: ProcessTest, image: ProcessImage, platform: Platform): boolean {
  if (test.names !== undefined && !matchesAny(folded(test.names), programName(image))) return false;
  if (test.paths !== undefined && !matchesAny(folded(test.paths), foldedKey(image.executable ?? '', platform))) {
    return false;
  }
  if (test.users !== undefined && !matchesAny(folded(test.users), foldCase(image.user ?? ''))) return false;
  return test.commandLines === undefined || matchesAny(folded(test.commandLines), foldCase(commandLineOf(image)));
}

/** The last image of the node that satisfies the test's image keys, if any. */
export function imageOf(test: ProcessTest, node: ProcessNode, platform: Platform): ProcessImage | undefined {
  return node.images.findLast((image) => imageHolds(test, image, platform));
}

export function processHolds(test: ProcessTest, node: ProcessNode, platform: Platform): boolean {
  if (test.marks !== undefined && !test.marks.some((mark) => node.marks.includes(mark))) return false;
  if (test.any?.some((one) => processHolds(one, node, platform)) === false) return false;
  if (test.not !== undefined && processHolds(test.not, node, platform)) return false;
  const readsImages = [test.names, test.paths, test.commandLines, test.users].some((globs) => globs !== undefined);
  return !readsImages || imageOf(test, node, platform) !== undefined;
}

/** The root's chain: the root first, then its ancestors, nearest first. */
export function chainHolds(test: ChainTest, chain: readonly ProcessNode[], judgement: Judgement): boolean {
  const { platform, wrappers } = judgement;
  const isWrapper = (node: ProcessNode): boolean => processHolds(wrappers, node, platform);
  const holds = (node: ProcessNode | undefined): boolean =>
    node !== undefined && processHolds(test.process, node, platform);
  switch (test.at) {
    case 'root':
      return holds(chain[0]);
    case 'parent':
      return holds(chain[1]);
    case 'nearest':
      return holds(chain.slice(1).find((node) => !isWrapper(node)));
    case 'ancestor':
      return chain.slice(1, 1 + (test.depth ?? judgement.lineageDepth)).some(holds);
    case 'entry': {
      const end = chain.findIndex((node, i) => i > 0 && !isWrapper(node));
      return chain.slice(0, end < 0 ? chain.length : end).some(holds);
    }
  }
}
