/** Checks that a behaviour rule refers only to what it defines. Runs on the IR; places are those of the whole rule. */

import { marksMax } from '../../core/limits.js';
import { nearestName } from '../../core/nearest_name.js';
import type { SessionCondition } from '../../rule/behavior.js';
import type { BehaviorRule } from '../../rule/ir.js';
import { isGuarded } from './guards.js';
import type { Located, Problems } from './located.js';

/** Reports every name that nothing defines, and every profile that anyone could imitate. */
export function checkRule(rule: BehaviorRule, at: Located, problems: Problems): void {
  const { judgement } = rule;
  const known = {
    class: judgement.classes.map((spec) => spec.name),
    fact: judgement.facts.map((fact) => fact.name),
    context: [...judgement.contexts.map((spec) => spec.name), judgement.unknownContext.name],
    group: [...judgement.contexts.map((spec) => spec.group), judgement.unknownContext.group],
    mark: rule.marks.map((mark) => mark.name),
    label: [
      ...rule.items.map((item) => item.id),
      ...judgement.commands.rows.map((row) => row.id),
      ...judgement.classes.map((spec) => spec.name),
    ],
  };
  const need = (kind: keyof typeof known, names: readonly string[], where: string): void => {
    for (const name of names) {
      if (known[kind].includes(name)) continue;
      const near = nearestName(name, known[kind]);
      const remedy = near === undefined ? `known: ${known[kind].join(', ')}` : `did you mean "${near}"?`;
      problems.add(entryOf(at, where), {
        code: 'BEHAVIOR_NAME',
        message: `${where}: there is no ${kind} "${name}"`,
        remedy,
      });
    }
  };
  need('mark', [rule.root], 'root');
  for (const item of rule.items) if (item.class !== 'COMMAND') need('class', [item.class], 'items');
  need(
    'class',
    judgement.commands.rows.map((row) => row.class),
    'commands',
  );
  need('class', Object.values(judgement.bookkeeping), 'bookkeeping');
  need('class', Object.values(judgement.unusual?.findings ?? {}), 'unusual');
  need(
    'class',
    judgement.removals.flatMap(({ class: name, countsAs }) => (countsAs === undefined ? [name] : [name, countsAs])),
    'removals',
  );
  for (const [where, condition] of conditionsOf(rule)) {
    need('fact', condition.fact === undefined ? [] : [condition.fact], where);
    need('context', condition.context ?? [], where);
    need('group', condition.group ?? [], where);
    need('label', [...(condition.items ?? []), ...(condition.ordered?.steps.flat() ?? [])], where);
    const { classes } = condition;
    if (condition.preceded !== undefined) need('class', [condition.preceded.class, condition.preceded.before], where);
    need('class', [...(classes?.all ?? []), ...(classes?.any ?? []), ...(classes?.none ?? [])], where);
  }
  checkLevels(rule, at, problems);
  checkGuards(rule, at, problems);
  checkDuplicates(rule, at, problems);
  if (rule.marks.length > marksMax) {
    problems.add(entryOf(at, 'marks'), {
      code: 'BEHAVIOR_LIMIT',
      message: `${rule.marks.length} marks; all rules of a program together have at most ${marksMax}`,
      remedy: 'join marks that are always used together',
    });
  }
}

function entryOf(at: Located, key: string): Located {
  return at.entries?.get(key)?.value ?? at;
}

/** Every condition of the judgement, nested ones included, with the key of the rule it stands under. */
function conditionsOf(rule: BehaviorRule): readonly (readonly [string, SessionCondition])[] {
  const { judgement } = rule;
  const inside = (condition: SessionCondition): readonly SessionCondition[] => [
    condition,
    ...(condition.all ?? []).flatMap(inside),
    ...(condition.any ?? []).flatMap(inside),
    ...(condition.not === undefined ? [] : inside(condition.not)),
  ];
  const under = (where: string, conditions: readonly SessionCondition[]) =>
    conditions.flatMap(inside).map((condition) => [where, condition] as const);
  return [
    ...under(
      'contexts',
      judgement.contexts.flatMap((spec) => spec.when.flat()),
    ),
    ...under(
      'facts',
      judgement.facts.map((fact) => fact.when),
    ),
    ...under(
      'ladder',
      judgement.ladder.map((row) => row.when),
    ),
    ...under(
      'modifiers',
      judgement.modifiers.map((modifier) => modifier.when),
    ),
    ...under('baseline', judgement.baseline === undefined ? [] : [judgement.baseline.never]),
    ...under(
      'baseline',
      (judgement.baseline?.workflows ?? []).map(({ when }) => when),
    ),
    ...under(
      'removals',
      judgement.removals.map((removal) => removal.when),
    ),
  ];
}

function checkLevels(rule: BehaviorRule, at: Located, problems: Problems): void {
  const levelsOf = (name: string): readonly string[] =>
    rule.judgement.classes.find((spec) => spec.name === name)?.levels ?? [];
  const need = (className: string, levels: readonly string[], where: string): void => {
    for (const level of levels) {
      if (levelsOf(className).includes(level)) continue;
      const message = `${where}: class ${className} has no level "${level}"`;
      problems.add(entryOf(at, where), {
        code: 'BEHAVIOR_NAME',
        message,
        remedy: `levels: ${levelsOf(className).join(', ')}`,
      });
    }
  };
  for (const spec of rule.judgement.classes) {
    need(spec.name, [spec.countsFrom, ...spec.raises.flatMap((raise) => [raise.to, ...raise.from])], 'classes');
  }
  for (const item of rule.items) {
    const level = rule.judgement.items.find((spec) => spec.id === item.id)?.level;
    if (level !== undefined) need(item.class, [level], 'items');
  }
  for (const [where, condition] of conditionsOf(rule)) {
    if (condition.level !== undefined) need(condition.level.class, [condition.level.level], where);
  }
}

/** What takes instances out of the count, or stands for automation, must be told by more than what a process says of itself. */
function checkGuards({ judgement }: BehaviorRule, at: Located, problems: Problems): void {
  const profiles = [
    ...judgement.removals.map(({ id, when }) => ({ where: 'removals', id, when })),
    ...(judgement.baseline?.workflows ?? []).map(({ id, when }) => ({ where: 'baseline', id, when })),
  ];
  for (const { where, id, when } of profiles) {
    if (isGuarded(when, judgement)) continue;
    problems.add(entryOf(at, where), {
      code: 'BEHAVIOR_GUARD',
      message: `${where}: "${id}" rests only on what a process chooses for itself, such as its command line or name`,
      remedy: 'add a place (of an ancestor, the interpreter or the script), an account, a hash, a signature or a unit',
    });
  }
}

function checkDuplicates(rule: BehaviorRule, at: Located, problems: Problems): void {
  const { judgement } = rule;
  const groups: readonly (readonly [string, readonly string[]])[] = [
    ['items', rule.items.map((item) => item.id)],
    ['modifiers', judgement.modifiers.map((modifier) => modifier.id)],
    ['removals', judgement.removals.map((removal) => removal.id)],
  ];
  for (const [where, ids] of groups) {
    const repeated = ids.filter((id, i) => ids.indexOf(id) !== i);
    for (const id of new Set(repeated)) {
      problems.add(entryOf(at, where), { code: 'BEHAVIOR_DUPLICATE', message: `${where}: "${id}" is there twice` });
    }
  }
}
