/** Questions about what the session runs: its script, its inline code, the programs that its items would start. */
import type { TextTest } from '../../../core/glob_set.js';
import { baseName, foldCase, isAbsolute, pathKey } from '../../../core/paths.js';
import type { Judgement, SessionCondition } from '../../../rule/behavior.js';
import { entropyBits } from '../command_line.js';
import type { SessionProfile } from '../profile.js';
import type { Priced } from './condition.js';
import type { Parts } from './parts.js';
import { foldedSet, listTest } from './patterns.js';
import type { Question, Scope } from './scope.js';

export function scriptQuestions(condition: SessionCondition, { judgement }: Parts): Priced[] {
  const { mode, modules, scriptNames, path, hidden, code, inlineLengthMin, scriptEntropy } = condition;
  const found: Priced[] = [];
  if (mode !== undefined) found.push({ ask: ({ profile }) => mode.includes(profile.run.mode), cost: 1 });
  if (modules !== undefined) found.push({ ask: moduleQuestion(modules), cost: 2 });
  if (scriptNames !== undefined) found.push({ ask: nameQuestion(scriptNames), cost: 4 });
  if (path !== undefined) {
    found.push({ ask: anyPath(path.of, judgement, listTest(path.in, judgement.foldsPaths)), cost: 9 });
  }
  if (hidden !== undefined) found.push({ ask: hiddenQuestion(hidden, judgement), cost: 12 });
  if (code !== undefined) found.push({ ask: codeQuestion(code), cost: 10 });
  if (inlineLengthMin !== undefined) {
    found.push({
      ask: ({ profile: { run } }) => run.mode === 'inline' && run.payload.length >= inlineLengthMin,
      cost: 1,
    });
  }
  if (scriptEntropy !== undefined) found.push({ ask: ({ profile }) => entropyHolds(scriptEntropy, profile), cost: 15 });
  if (condition.scriptDisguised === true) {
    found.push({ ask: ({ profile }) => isDisguised(scriptNameOf(profile)), cost: 6 });
  }
  if (condition.bareScript === true) found.push({ ask: ({ profile }) => isBareScript(profile, judgement), cost: 2 });
  return found;
}

function moduleQuestion(modules: readonly string[]): Question {
  const isIn = foldedSet(modules);
  return ({ profile: { run } }) => run.mode === 'module' && isIn(foldCase(run.payload));
}

function nameQuestion(names: readonly string[]): Question {
  const isIn = foldedSet(names);
  return ({ profile }) => profile.run.mode === 'script' && isIn(foldCase(scriptNameOf(profile)));
}

type PathOf = 'script' | 'interpreter' | 'program';

/** Some normalised path of the kinds `of` satisfies the test. */
function anyPath(of: readonly PathOf[], { platform }: Judgement, test: TextTest): Question {
  const ofProgram = (words: readonly string[]): boolean => words.some((word) => test(pathKey(word, platform)));
  return (scope) =>
    of.some((which) => {
      if (which === 'program') return programs(scope).some(ofProgram);
      const key = which === 'script' ? scope.profile.scriptKey : scope.profile.interpreterKey;
      return key !== undefined && test(key);
    });
}

function programs({ window }: Scope): readonly (readonly string[])[] {
  return window.instances.map(({ program }) => program).filter((program) => program.length > 0);
}

function hiddenQuestion({ of, below, known }: NonNullable<SessionCondition['hidden']>, judgement: Judgement): Question {
  const isBelow = listTest(below, judgement.foldsPaths);
  const isKnown = foldedSet(known);
  const isHidden = (part: string): boolean => /^\.[^.]/.test(part) && !isKnown(foldCase(part));
  const directories = (key: string): readonly string[] => key.split(/[\\/]/).slice(0, -1);
  return anyPath(of, judgement, (key) => isBelow(key) && directories(key).some(isHidden));
}

function codeQuestion({ of, groups }: NonNullable<SessionCondition['code']>): Question {
  const tests = groups.map((group) => listTest(group, true));
  const matches = (text: string): boolean => {
    const folded = foldCase(text);
    return tests.every((test) => test(folded));
  };
  return (scope) =>
    of.some((which) => {
      if (which === 'program') return programs(scope).some((words) => matches(words.join(' ')));
      const { run } = scope.profile;
      return run.mode === 'inline' && matches(run.payload);
    });
}

/** File name of the script, case kept; empty when there is none. */
function scriptNameOf({ scriptPath }: SessionProfile): string {
  return scriptPath === undefined ? '' : baseName(scriptPath);
}

function entropyHolds(test: { lengthMin: number; bitsPerCharMin: number }, profile: SessionProfile): boolean {
  const stem = scriptNameOf(profile).replace(/\.[^.]+$/, '');
  if (stem.length >= 16 && /^[0-9a-f]+$/i.test(stem)) return true;
  return stem.length >= test.lengthMin && entropyBits(stem) >= test.bitsPerCharMin;
}

/** Hidden, with two extensions, or with zero-width or direction-changing characters. */
function isDisguised(name: string): boolean {
  return (
    /^\.[^.]/.test(name) ||
    /\.[a-z]{2,4}\.[a-z]{2,4}$/i.test(name) ||
    /[\u200b-\u200f\u202a-\u202e\u2066-\u2069]/.test(name)
  );
}

function isBareScript({ run, interpreterArgs }: SessionProfile, { platform }: Judgement): boolean {
  return run.mode === 'script' && interpreterArgs.length === 1 && isAbsolute(run.payload, platform);
}
