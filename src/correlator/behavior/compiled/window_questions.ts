/** Questions about the witnesses of one window, and about what the session did at which time. */
import type { ClassTest, SessionCondition } from '../../../rule/behavior.js';
import type { Instance } from '../case.js';
import type { Priced } from './condition.js';
import type { Parts } from './parts.js';
import type { Question, WindowView } from './scope.js';

export function windowQuestions(condition: SessionCondition, parts: Parts): Priced[] {
  const { classes, level, items, ordered, scriptDeletedWithinUs, preceded, wroteAndRanWithinUs } = condition;
  const found: Priced[] = [];
  if (classes !== undefined) found.push({ ask: classQuestion(classes, parts), cost: 0 });
  if (level !== undefined) found.push({ ask: levelQuestion(level, parts), cost: 0 });
  if (items !== undefined) {
    found.push({ ask: ({ window }) => window.instances.some((instance) => isLabelled(instance, items)), cost: 2 });
  }
  if (ordered !== undefined) found.push({ ask: ({ window }) => orderedHolds(ordered, window), cost: 6 });
  if (scriptDeletedWithinUs !== undefined) found.push({ ask: deletedQuestion(scriptDeletedWithinUs), cost: 1 });
  if (preceded !== undefined) found.push({ ask: precededQuestion(preceded), cost: 5 });
  if (wroteAndRanWithinUs !== undefined) {
    const isSoon = (ran: { readonly afterUs: number } | undefined): boolean =>
      ran !== undefined && ran.afterUs <= wroteAndRanWithinUs;
    found.push({ ask: ({ session }) => isSoon(session?.wroteAndRan), cost: 1 });
  }
  return found;
}

function isLabelled({ labels }: Instance, names: readonly string[]): boolean {
  for (const label of labels) if (names.includes(label)) return true;
  return false;
}

function classQuestion({ all = [], any, min = 1, none = [] }: ClassTest, { classIndex }: Parts): Question {
  // A name that is no class's is never satisfied.
  const indexes = (names: readonly string[]): readonly number[] => names.map((name) => classIndex.get(name) ?? -1);
  const [needed, counted, barred] = [indexes(all), any === undefined ? undefined : indexes(any), indexes(none)];
  return ({ window: { satisfied } }) => {
    for (const index of needed) if (satisfied[index] !== true) return false;
    for (const index of barred) if (satisfied[index] === true) return false;
    if (counted === undefined) return true;
    let count = 0;
    for (const index of counted) if (satisfied[index] === true) count++;
    return count >= min;
  };
}

function levelQuestion({ class: name, level }: { class: string; level: string }, parts: Parts): Question {
  const index = parts.classIndex.get(name) ?? -1;
  const least = parts.judgement.classes[index]?.levels.indexOf(level) ?? 0;
  return ({ window }) => window.satisfied[index] === true && (window.levels[index] as number) >= least;
}

function deletedQuestion(withinUs: number): Question {
  return (scope) => {
    const deletedUs = scope.session?.scriptDeletedUs;
    if (deletedUs === undefined) return false;
    const { launchUs } = scope.profile;
    return launchUs !== undefined && deletedUs - launchUs <= withinUs;
  };
}

function precededQuestion({ before, withinUs }: NonNullable<SessionCondition['preceded']>): Question {
  return ({ window, session }) => {
    const sources = session?.sources ?? [];
    if (sources.length === 0) return false;
    const isAfterSource = (timeUs: number): boolean =>
      sources.some((source) => source <= timeUs && timeUs - source <= withinUs);
    return window.instances.some((instance) => instance.class === before && instance.times.some(isAfterSource));
  };
}

/** Steps in order within `withinUs` of the first. A step is met by a label of an instance, or by its class. */
function orderedHolds({ steps, withinUs }: NonNullable<SessionCondition['ordered']>, window: WindowView): boolean {
  const met = (names: readonly string[]): readonly Instance[] =>
    window.instances.filter((instance) => names.includes(instance.class) || isLabelled(instance, names));
  const [first = [], ...later] = steps;
  const starting = met(first);
  if (starting.length === 0) return false;
  const following = later.map(met);
  if (following.some((instances) => instances.length === 0)) return false;
  const times = following.map(timesOf);
  return timesOf(starting).some((startUs) => {
    let atUs = startUs;
    return times.every((ofStep) => {
      const next = ofStep.find((timeUs) => timeUs >= atUs);
      if (next === undefined || next - startUs > withinUs) return false;
      atUs = next;
      return true;
    });
  });
}

/** Times of all the instances, ascending. */
function timesOf(instances: readonly Instance[]): readonly number[] {
  return instances.flatMap(({ times }) => times).sort((a, b) => a - b);
}
