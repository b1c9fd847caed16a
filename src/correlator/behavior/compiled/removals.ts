/** Removals: what an instance must be for one to apply to it, and when it applies to a session. */
import type { TextTest } from '../../../core/glob_set.js';
import type { RemovalSpec } from '../../../rule/behavior.js';
import { compileCondition } from './condition.js';
import type { Parts } from './parts.js';
import { type KeyTest, keyTest, listTest } from './patterns.js';
import type { Question } from './scope.js';

export interface Removal {
  readonly id: string;
  readonly reason: string;
  readonly class: string;
  /** Whether it applies to a session. */
  readonly when: Question;
  /** Whether it may apply to an instance of its class. */
  readonly covers: (subject: RemovalSubject) => boolean;
}

/** What a removal asks of an instance. */
export interface RemovalSubject {
  /** Id of the item or command. */
  readonly label: string;
  readonly path: string | undefined;
  readonly names: readonly string[];
  /** Paths of the host are folded. */
  readonly folds: boolean;
}

export function compileRemovals(removals: readonly RemovalSpec[], parts: Parts): readonly Removal[] {
  return removals.map((spec) => ({
    id: spec.id,
    reason: spec.reason,
    class: spec.class,
    when: compileCondition(spec.when, parts),
    covers: coverage(spec),
  }));
}

function coverage({ instance }: RemovalSpec): Removal['covers'] {
  if (instance === undefined) return () => true;
  const { domain, path, items, commands } = instance;
  const isDomain: TextTest | undefined = domain === undefined ? undefined : listTest(domain, true);
  const isPath: KeyTest | undefined = path === undefined ? undefined : keyTest(path);
  return (subject) =>
    (items === undefined || items.includes(subject.label)) &&
    (commands === undefined || commands.includes(subject.label)) &&
    (isDomain === undefined || (subject.names.length > 0 && subject.names.every(isDomain))) &&
    (isPath === undefined || (subject.path !== undefined && isPath(subject.path, subject.folds)));
}

/** Ids of the removals that may apply to an instance. `removals` are those of its class. */
export function removableBy(removals: readonly Removal[], subject: RemovalSubject): string[] {
  const ids: string[] = [];
  for (const removal of removals) if (removal.covers(subject)) ids.push(removal.id);
  return ids;
}
