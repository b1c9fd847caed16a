/** Which exceptions ask for their owner's attention, as of a time of the events. */
import { formatTimeUs } from '../core/time.js';
import type { Exception } from '../rule/exception.js';
import type { ExceptionUse } from './exceptions.js';

/** Why an owner should look. `renew`: expires within two weeks, and again within three days. */
export interface Attention {
  readonly kind:
    | 'renew'
    | 'expired'
    | 'came_back'
    | 'never_matched'
    | 'unused'
    | 'review'
    | 'overlaps'
    | 'inactive'
    | 'broad';
  readonly text: string;
}

const dayUs = 86_400_000_000;
const noticeDays = [3, 14];
const unusedDays = 60;
/** An exception that more of what runs would meet is broad; of fewer launches nothing is said. */
const broadShare = 0.05;
const broadLaunchesMin = 20;

/** By exception id, those that ask for nothing left out. */
export function attentionOf(uses: readonly ExceptionUse[], nowUs: number): ReadonlyMap<string, readonly Attention[]> {
  const found = uses.map((use) => [use.exception.id, [...ownAttention(use, nowUs), ...overlapsOf(use, uses)]] as const);
  return new Map(found.filter(([, list]) => list.length > 0));
}

function ownAttention(use: ExceptionUse, nowUs: number): Attention[] {
  const { exception, matched, lastMatchedUs, matchedAfterExpiry, launches, launchesCovered } = use;
  const { state, expiresUs, validFromUs, createdUs, approvedUs, reviewEveryUs, audit } = exception;
  if (isInactive(exception)) return [{ kind: 'inactive', text: `${state}: it hides nothing` }];
  const found: Attention[] = [];
  const leftDays = Math.floor((expiresUs - nowUs) / dayUs);
  const notice = noticeDays.find((days) => leftDays < days);
  if (nowUs >= expiresUs || state === 'expired') found.push({ kind: 'expired', text: `expired ${day(expiresUs)}` });
  else if (notice !== undefined)
    found.push({ kind: 'renew', text: `expires ${day(expiresUs)}, within ${notice} days` });
  if (matchedAfterExpiry > 0) {
    const text = `${matchedAfterExpiry} detections came back after the expiry: renew it or remove the cause`;
    found.push({ kind: 'came_back', text });
  }
  if (matched === 0) found.push({ kind: 'never_matched', text: 'hid nothing on these events' });
  if (launches >= broadLaunchesMin && launchesCovered > launches * broadShare) {
    const percent = Math.round((launchesCovered / launches) * 100);
    found.push({ kind: 'broad', text: `broad: ${launchesCovered} of ${launches} launches (${percent} %) meet it` });
  }
  const usedUs = lastMatchedUs ?? validFromUs;
  if (nowUs - usedUs >= unusedDays * dayUs) {
    found.push({ kind: 'unused', text: `unused for ${Math.floor((nowUs - usedUs) / dayUs)} days` });
  }
  const reviewedUs = Math.max(approvedUs ?? createdUs, ...audit.map(({ at }) => Date.parse(at) * 1000 || 0));
  if (reviewEveryUs !== undefined && nowUs - reviewedUs >= reviewEveryUs) {
    found.push({ kind: 'review', text: `due for review since ${day(reviewedUs + reviewEveryUs)}` });
  }
  return found;
}

const isInactive = ({ state }: Exception): boolean => state === 'draft' || state === 'revoked';

const day = (timeUs: number): string => formatTimeUs(timeUs).slice(0, 10);

/** Others whose scope and conditions hold wherever its own do, while both are valid. */
function overlapsOf({ exception }: ExceptionUse, uses: readonly ExceptionUse[]): Attention[] {
  if (isInactive(exception)) return [];
  return uses.flatMap(({ exception: other }) =>
    other.id !== exception.id && !isInactive(other) && covers(other, exception)
      ? [{ kind: 'overlaps' as const, text: `what it covers is covered by ${other.id}` }]
      : [],
  );
}

function covers(wide: Exception, narrow: Exception): boolean {
  const isWithin = (inner: readonly string[], outer: readonly string[]): boolean =>
    outer.length === 0 || (inner.length > 0 && inner.every((one) => outer.includes(one)));
  const texts = new Set(narrow.conditions.map((condition) => JSON.stringify(condition)));
  return (
    isWithin(narrow.scope.rules, wide.scope.rules) &&
    isWithin(narrow.scope.classes, wide.scope.classes) &&
    isWithin(narrow.scope.hosts, wide.scope.hosts) &&
    isWithin(narrow.scope.platforms, wide.scope.platforms) &&
    wide.conditions.every((condition) => texts.has(JSON.stringify(condition))) &&
    wide.validFromUs < narrow.expiresUs &&
    narrow.validFromUs < wide.expiresUs
  );
}
