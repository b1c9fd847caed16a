/** Evaluates session conditions: one function per question, all over plain data. */
import { globMatchesAny } from '../../core/glob.js';
import { baseName, foldCase, isAbsolute, pathKey } from '../../core/paths.js';
import type { BusinessHours, ClassTest, Judgement, PatternList, SessionCondition } from '../../rule/behavior.js';
import type { Instance } from './case.js';
import { entropyBits } from './command_line.js';
import { chainHolds, folded, inList } from './process_test.js';
import type { Session, SessionProfile } from './session.js';
import type { EvidenceFields } from './witness.js';

/** One class within a window, removed instances left out. */
export interface ClassView {
  readonly instances: readonly Instance[];
  /** Index into the levels of the class, fan-out counted in. */
  readonly level: number;
  readonly satisfied: boolean;
}

/** The witnesses of one window. */
export interface WindowView {
  readonly fromUs: number;
  readonly toUs: number;
  /** Also those that were removed from counting. */
  readonly instances: readonly Instance[];
  readonly classes: ReadonlyMap<string, ClassView>;
}

/** What a condition is asked about. `session` and `window` are absent while a session is being described. */
export interface ConditionScope {
  readonly judgement: Judgement;
  readonly profile: SessionProfile;
  readonly launch: EvidenceFields | undefined;
  readonly session: Session | undefined;
  readonly window: WindowView | undefined;
}

/** True when every key given in the condition holds. A condition without keys holds always. */
export function holds(condition: SessionCondition, scope: ConditionScope): boolean {
  return (
    (condition.all?.every((part) => holds(part, scope)) ?? true) &&
    (condition.any?.some((part) => holds(part, scope)) ?? true) &&
    !(condition.not !== undefined && holds(condition.not, scope)) &&
    (condition.fact === undefined || factHolds(condition.fact, scope)) &&
    rootHolds(condition, scope) &&
    scriptHolds(condition, scope) &&
    windowHolds(condition, scope)
  );
}

function factHolds(name: string, scope: ConditionScope): boolean {
  const fact = scope.judgement.facts.find((candidate) => candidate.name === name);
  return fact !== undefined && holds(fact.when, scope);
}

function rootHolds(condition: SessionCondition, scope: ConditionScope): boolean {
  const { profile, judgement } = scope;
  if (condition.context !== undefined && !condition.context.includes(profile.context)) return false;
  if (condition.group !== undefined && !condition.group.includes(profile.group)) return false;
  if (condition.chain !== undefined && !chainHolds(condition.chain, profile.chain, judgement)) return false;
  if (condition.users !== undefined && !matchesFolded(condition.users, profile.user)) return false;
  if (condition.launch !== undefined && !launchHolds(condition.launch, scope.launch)) return false;
  if (condition.approved !== undefined && !isApproved(condition.approved, scope)) return false;
  return condition.outsideHours === undefined || isOutside(condition.outsideHours, profile.launchUs);
}

function matchesFolded(patterns: readonly string[], text: string | undefined): boolean {
  return text !== undefined && globMatchesAny(folded(patterns), foldCase(text));
}

function launchHolds(test: { field: string; values: readonly string[] }, fields: EvidenceFields | undefined): boolean {
  const value = fields?.[test.field];
  return value !== undefined && [value].flat().some((item) => matchesFolded(test.values, String(item)));
}

function isApproved(test: { in: PatternList; field: string; anyHash: boolean }, scope: ConditionScope): boolean {
  const { scriptKey } = scope.profile;
  if (scriptKey === undefined) return false;
  const hashes = [scope.launch?.[test.field] ?? []].flat().map((hash) => foldCase(String(hash)));
  return test.in.patterns.some((entry) => {
    const space = entry.lastIndexOf(' ');
    const [path, hash] = [entry.slice(0, space), foldCase(entry.slice(space + 1))];
    return (
      globMatchesAny(foldsOf(scope) ? folded([path]) : [path], scriptKey) && (test.anyHash || hashes.includes(hash))
    );
  });
}

const dayMinutes = 24 * 60;

function isOutside(hours: BusinessHours, timeUs: number | undefined): boolean {
  if (timeUs === undefined) return false;
  const minutes = Math.floor(timeUs / 60_000_000) + hours.utcOffsetMinutes;
  const minute = ((minutes % dayMinutes) + dayMinutes) % dayMinutes;
  // 1970-01-01 was a Thursday, day 4.
  const day = ((((Math.floor(minutes / dayMinutes) + 3) % 7) + 7) % 7) + 1;
  return !hours.intervals.some(
    (interval) => interval.days.includes(day) && interval.fromMinute <= minute && minute < interval.toMinute,
  );
}

function scriptHolds(condition: SessionCondition, scope: ConditionScope): boolean {
  const { profile } = scope;
  const { run } = profile;
  if (condition.mode !== undefined && !condition.mode.includes(run.mode)) return false;
  if (condition.modules !== undefined && !(run.mode === 'module' && matchesFolded(condition.modules, run.payload)))
    return false;
  if (condition.scriptNames !== undefined) {
    if (run.mode !== 'script' || !matchesFolded(condition.scriptNames, scriptNameOf(profile))) return false;
  }
  if (condition.path !== undefined) {
    const { of, in: list } = condition.path;
    if (!pathsOf(of, scope).some((key) => inList(list, key, foldsOf(scope)))) return false;
  }
  if (condition.hidden !== undefined && !hiddenHolds(condition.hidden, scope)) return false;
  if (condition.code !== undefined && !codeHolds(condition.code, scope)) return false;
  if (condition.inlineLengthMin !== undefined) {
    if (run.mode !== 'inline' || run.payload.length < condition.inlineLengthMin) return false;
  }
  if (condition.scriptEntropy !== undefined && !entropyHolds(condition.scriptEntropy, profile)) return false;
  if (condition.scriptDisguised === true && !isDisguised(scriptNameOf(profile))) return false;
  return condition.bareScript !== true || isBareScript(profile, scope.judgement);
}

function foldsOf(scope: ConditionScope): boolean {
  return scope.judgement.foldsPaths;
}

/** Normalised paths that a path condition looks at. */
function pathsOf(of: readonly ('script' | 'interpreter' | 'program')[], scope: ConditionScope): readonly string[] {
  const { profile } = scope;
  return of.flatMap((which) => {
    if (which === 'script') return profile.scriptKey === undefined ? [] : [profile.scriptKey];
    if (which === 'interpreter') return profile.interpreterKey === undefined ? [] : [profile.interpreterKey];
    return programs(scope).flatMap((program) => program.map((word) => pathKey(word, scope.judgement.platform)));
  });
}

function programs(scope: ConditionScope): readonly (readonly string[])[] {
  return (scope.window?.instances ?? []).map((instance) => instance.program).filter((program) => program.length > 0);
}

function hiddenHolds(
  test: {
    of: readonly ('script' | 'interpreter' | 'program')[];
    below: PatternList;
    known: readonly string[];
  },
  scope: ConditionScope,
): boolean {
  const known = folded(test.known);
  return pathsOf(test.of, scope).some((key) => {
    if (!inList(test.below, key, foldsOf(scope))) return false;
    const directories = key.split(/[\\/]/).slice(0, -1);
    return directories.some((part) => /^\.[^.]/.test(part) && !globMatchesAny(known, foldCase(part)));
  });
}

function codeHolds(
  test: { of: readonly ('inline' | 'program')[]; groups: readonly PatternList[] },
  scope: ConditionScope,
): boolean {
  const { run } = scope.profile;
  const texts = test.of.flatMap((which) => {
    if (which === 'inline') return run.mode === 'inline' ? [run.payload] : [];
    return programs(scope).map((program) => program.join(' '));
  });
  return texts.some((text) => test.groups.every((group) => inList(group, foldCase(text), true)));
}

/** File name of the script, case kept; empty when there is none. */
function scriptNameOf(profile: SessionProfile): string {
  return profile.scriptPath === undefined ? '' : baseName(profile.scriptPath);
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

function isBareScript(profile: SessionProfile, judgement: Judgement): boolean {
  const { run, interpreterArgs } = profile;
  return run.mode === 'script' && interpreterArgs.length === 1 && isAbsolute(run.payload, judgement.platform);
}

function windowHolds(condition: SessionCondition, scope: ConditionScope): boolean {
  const { window, session } = scope;
  if (condition.classes !== undefined && !classesHold(condition.classes, window)) return false;
  if (condition.level !== undefined) {
    const { class: name, level } = condition.level;
    const levels = scope.judgement.classes.find((spec) => spec.name === name)?.levels ?? [];
    const reached = window?.classes.get(name);
    if (reached === undefined || !reached.satisfied || reached.level < levels.indexOf(level)) return false;
  }
  if (condition.items !== undefined) {
    const { items } = condition;
    if (!(window?.instances.some((instance) => instance.labels.some((label) => items.includes(label))) ?? false))
      return false;
  }
  if (condition.ordered !== undefined && !orderedHolds(condition.ordered, window)) return false;
  if (condition.scriptDeletedWithinUs !== undefined) {
    const { profile } = scope;
    if (session?.scriptDeletedUs === undefined || profile.launchUs === undefined) return false;
    if (session.scriptDeletedUs - profile.launchUs > condition.scriptDeletedWithinUs) return false;
  }
  if (condition.preceded !== undefined && !precededHolds(condition.preceded, scope)) return false;
  if (condition.wroteAndRanWithinUs === undefined) return true;
  const ran = session?.wroteAndRan;
  return ran !== undefined && ran.afterUs <= condition.wroteAndRanWithinUs;
}

function precededHolds(test: { class: string; before: string; withinUs: number }, scope: ConditionScope): boolean {
  const times = (scope.window?.classes.get(test.before)?.instances ?? []).flatMap((instance) => instance.times);
  const sources = scope.session?.sources ?? [];
  return times.some((timeUs) => sources.some((source) => source <= timeUs && timeUs - source <= test.withinUs));
}

function classesHold(test: ClassTest, window: WindowView | undefined): boolean {
  const satisfied = (name: string): boolean => window?.classes.get(name)?.satisfied ?? false;
  return (
    (test.all?.every(satisfied) ?? true) &&
    (test.any === undefined || test.any.filter(satisfied).length >= (test.min ?? 1)) &&
    !(test.none?.some(satisfied) ?? false)
  );
}

/** Steps in order within `withinUs` of the first. A step is met by a label of an instance, or by its class. */
function orderedHolds(
  test: { steps: readonly (readonly string[])[]; withinUs: number },
  window: WindowView | undefined,
): boolean {
  const timesOf = (names: readonly string[]): number[] =>
    (window?.instances ?? [])
      .filter((instance) => names.includes(instance.class) || instance.labels.some((label) => names.includes(label)))
      .flatMap((instance) => instance.times)
      .sort((a, b) => a - b);
  const steps = test.steps.map(timesOf);
  return (steps[0] ?? []).some((startUs) => {
    let atUs = startUs;
    return steps.slice(1).every((times) => {
      const next = times.find((timeUs) => timeUs >= atUs);
      if (next === undefined || next - startUs > test.withinUs) return false;
      atUs = next;
      return true;
    });
  });
}
