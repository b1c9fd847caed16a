/**
 * Whether a profile rests on something that a process cannot choose for itself. What it chooses (its command line, its
 * name, its modules) proves nothing: `python /tmp/x.py ansible` names Ansible too.
 */
import type { Judgement, ProcessTest, SessionCondition } from '../../rule/behavior.js';

/** Fields of a launch that the system or a package's owner decides. */
const ownedFields = /code_signature|hash|systemd|unit|cgroup|^user\.|audit_id/;

/** Whether the condition cannot hold without a guard: one of `all` has it, or each of `any`. */
export function isGuarded(condition: SessionCondition, judgement: Judgement): boolean {
  return holdsGuard(condition, judgement, new Set());
}

function holdsGuard(condition: SessionCondition, judgement: Judgement, seen: ReadonlySet<string>): boolean {
  const inner = (one: SessionCondition): boolean => holdsGuard(one, judgement, seen);
  const { all = [], any, not, fact, context, chain, path, hidden, users, launch, approved } = condition;
  if (path !== undefined || hidden !== undefined || users !== undefined || approved !== undefined) return true;
  if (chain !== undefined && isOwned(chain.process)) return true;
  if (launch !== undefined && ownedFields.test(launch.field)) return true;
  if (all.some(inner) || (any !== undefined && any.length > 0 && any.every(inner))) return true;
  // What must not lie where anybody writes has a place, too.
  if (not !== undefined && inner(not)) return true;
  if (fact !== undefined && !seen.has(fact)) {
    const named = judgement.facts.find(({ name }) => name === fact);
    if (named !== undefined && holdsGuard(named.when, judgement, new Set([...seen, fact]))) return true;
  }
  return context?.every((name) => isContextGuarded(name, judgement, seen)) === true;
}

/** Each way into the context has a guard. */
function isContextGuarded(name: string, judgement: Judgement, seen: ReadonlySet<string>): boolean {
  const ways = judgement.contexts.filter((context) => context.name === name).flatMap(({ when }) => when.flat());
  return ways.length > 0 && ways.every((way) => holdsGuard(way, judgement, seen));
}

/** A place or an account is named; a name or a command line alone is the process's own choice. */
function isOwned({ paths, users, any }: ProcessTest): boolean {
  if ([paths, users].some((list) => list !== undefined && list.length > 0)) return true;
  return any !== undefined && any.length > 0 && any.every(isOwned);
}
