/** Questions about the root, what started it, and when. */
import { globSet } from '../../../core/glob_set.js';
import { foldCase } from '../../../core/paths.js';
import type { BusinessHours, SessionCondition } from '../../../rule/behavior.js';
import { compileChain } from './chain.js';
import type { Priced } from './condition.js';
import type { Parts } from './parts.js';
import { foldedSet } from './patterns.js';
import type { Question } from './scope.js';

export function rootQuestions(condition: SessionCondition, parts: Parts): Priced[] {
  const { context, group, chain, users, launch, approved, outsideHours } = condition;
  const found: Priced[] = [];
  if (context !== undefined) found.push({ ask: ({ profile }) => context.includes(profile.context), cost: 1 });
  if (group !== undefined) found.push({ ask: ({ profile }) => group.includes(profile.group), cost: 1 });
  if (chain !== undefined) {
    const holds = compileChain(chain, parts.processes, parts.wrappers, parts.judgement.lineageDepth);
    found.push({ ask: ({ profile }) => holds(profile.chain, profile.effectiveParent), cost: 8 });
  }
  if (users !== undefined) found.push({ ask: userQuestion(users), cost: 5 });
  if (launch !== undefined) found.push({ ask: launchQuestion(launch), cost: 5 });
  if (approved !== undefined) found.push({ ask: approvedQuestion(approved, parts.judgement.foldsPaths), cost: 20 });
  if (outsideHours !== undefined) {
    found.push({ ask: ({ profile }) => isOutside(outsideHours, profile.launchUs), cost: 2 });
  }
  return found;
}

function userQuestion(users: readonly string[]): Question {
  const isIn = foldedSet(users);
  return ({ profile }) => profile.user !== undefined && isIn(foldCase(profile.user));
}

function launchQuestion({ field, values }: NonNullable<SessionCondition['launch']>): Question {
  const isIn = foldedSet(values);
  return ({ launch }) => {
    const value = launch?.[field];
    return value !== undefined && [value].flat().some((item) => isIn(foldCase(String(item))));
  };
}

function approvedQuestion(
  { in: list, field, anyHash }: NonNullable<SessionCondition['approved']>,
  folds: boolean,
): Question {
  const entries = list.patterns.map((entry) => {
    const space = entry.lastIndexOf(' ');
    const path = entry.slice(0, space);
    return { isPath: globSet([folds ? foldCase(path) : path]), hash: foldCase(entry.slice(space + 1)) };
  });
  return ({ profile, launch }) => {
    const { scriptKey } = profile;
    if (scriptKey === undefined) return false;
    const hashes = [launch?.[field] ?? []].flat().map((hash) => foldCase(String(hash)));
    return entries.some(({ isPath, hash }) => isPath(scriptKey) && (anyHash || hashes.includes(hash)));
  };
}

const dayMinutes = 24 * 60;

function isOutside(hours: BusinessHours, timeUs: number | undefined): boolean {
  if (timeUs === undefined) return false;
  if (hours.maintenance.some(({ fromUs, toUs }) => fromUs <= timeUs && timeUs < toUs)) return false;
  const minutes = Math.floor(timeUs / 60_000_000) + hours.utcOffsetMinutes;
  const minute = ((minutes % dayMinutes) + dayMinutes) % dayMinutes;
  // 1970-01-01 was a Thursday, day 4.
  const day = ((((Math.floor(minutes / dayMinutes) + 3) % 7) + 7) % 7) + 1;
  return !hours.intervals.some(
    (interval) => interval.days.includes(day) && interval.fromMinute <= minute && minute < interval.toMinute,
  );
}
