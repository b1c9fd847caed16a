/** Items: which of a witness's values decide whether it counts, what it is an instance of, and at which level. */
import { globSet, type TextTest } from '../../../core/glob_set.js';
import type { ClassSpec, ItemSpec, Judgement, LevelRaise } from '../../../rule/behavior.js';
import { textsOf } from '../fields.js';
import type { EvidenceFields } from '../witness.js';
import { type KeyTest, keyTest, listTest } from './patterns.js';
import type { Removal } from './removals.js';

/** How witnesses of an item become instances of a class. */
export interface ItemForm {
  readonly class: ClassSpec;
  /** The event's path must satisfy the test. */
  readonly path: { readonly fields: readonly string[]; readonly isIn: KeyTest } | undefined;
  readonly program: readonly string[];
  readonly techniques: readonly string[];
  /** Those of the class. */
  readonly removals: readonly Removal[];
  /** Level of a witness whose destination has these names. */
  readonly level: (names: readonly string[], fields: EvidenceFields) => number;
}

export function compileItem(
  judgement: Judgement,
  classSpec: ClassSpec,
  item: ItemSpec | undefined,
  removals: readonly Removal[],
): ItemForm {
  return {
    class: classSpec,
    path: item?.path === undefined ? undefined : { fields: item.path.fields, isIn: keyTest(item.path.in) },
    program: item?.program ?? [],
    techniques: item?.techniques ?? [],
    removals: removals.filter((removal) => removal.class === classSpec.name),
    level: levelOf(judgement, classSpec, item),
  };
}

function levelOf(judgement: Judgement, { levels, countsFrom, raises }: ClassSpec, item: ItemSpec | undefined) {
  const own = levels.indexOf(item?.level ?? countsFrom);
  const steps = raises.flatMap((raise) => (raise.kind === 'fanOut' ? [] : [levelStep(judgement, levels, raise)]));
  return (names: readonly string[], fields: EvidenceFields): number => {
    let level = own;
    for (const { from, to, applies } of steps) {
      if (level < to && from.includes(level) && applies(names, fields)) level = to;
    }
    return level;
  };
}

function levelStep(
  judgement: Judgement,
  levels: readonly string[],
  raise: Exclude<LevelRaise, { readonly kind: 'fanOut' }>,
) {
  const from = levels.flatMap((level, index) => (raise.from.includes(level) ? [index] : []));
  const applies = raise.kind === 'named' ? isNamed(listTest(raise.in, true)) : isUnnamed(judgement, raise.provides);
  return { from, to: levels.indexOf(raise.to), applies };
}

function isNamed(isIn: TextTest) {
  return (names: readonly string[]): boolean => names.some(isIn);
}

/** No name is known although the kind of source that wrote the event is declared to report `what`. */
function isUnnamed({ sources }: Judgement, what: string) {
  const declared = sources
    .filter(({ provides }) => provides.includes(what))
    .map(({ field, values }) => ({ field, isIn: globSet(values) }));
  return (names: readonly string[], fields: EvidenceFields): boolean =>
    names.length === 0 && declared.some(({ field, isIn }) => textsOf(fields, field).some(isIn));
}
