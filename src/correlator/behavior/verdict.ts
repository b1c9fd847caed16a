/** From the witnesses of one window to a severity: classes, ladder, modifiers. Pure functions of session and case. */
import type { CommandThreshold } from '../../rule/behavior.js';
import type { Severity } from '../../rule/ir.js';
import type { Case, Instance } from './case.js';
import type { CompiledClass, CompiledJudgement, FanOut } from './compiled/judgement.js';
import { Scope, type WindowView } from './compiled/scope.js';
import type { Session } from './session.js';

/** Bands of the ladder, lowest first; an `observation` is published as `informational`. */
export const bands: readonly { readonly severity: Severity; readonly riskScore: number }[] = [
  { severity: 'informational', riskScore: 1 },
  { severity: 'low', riskScore: 21 },
  { severity: 'medium', riskScore: 47 },
  { severity: 'high', riskScore: 73 },
  { severity: 'critical', riskScore: 99 },
];

/** The judgement of one window. */
export interface Verdict {
  /** Index into {@link bands}. */
  readonly band: number;
  readonly fromUs: number;
  readonly toUs: number;
  /** Satisfied core classes, sorted. */
  readonly classes: readonly string[];
  readonly levels: Readonly<Record<string, string>>;
  /** Sum of the levels' indices. */
  readonly reach: number;
  readonly modifiers: readonly string[];
  readonly weak: readonly string[];
  /** Exceptions whose witnesses did not count. */
  readonly applied: readonly string[];
}

/** Stands among the removals where what a baseline knows does not count. */
const baselineRemoval = 'baseline';

/** Removals that apply to this session in a window, by id, with the reason. */
export function removalsIn(
  compiled: CompiledJudgement,
  session: Session,
  target: Case,
  fromUs: number,
  toUs: number,
): ReadonlyMap<string, string> {
  const scope = new Scope(session);
  const applying = compiled.removals.filter(({ when }) => when(scope));
  const reasons = new Map(applying.map(({ id, reason }) => [id, reason]));
  if (removesKnown(compiled, session, target, fromUs, toUs)) reasons.set(baselineRemoval, baselineRemoval);
  return reasons;
}

/** Something a baseline knows is in the case, and nothing in the window speaks against leaving it out. */
function removesKnown(
  compiled: CompiledJudgement,
  session: Session,
  target: Case,
  fromUs: number,
  toUs: number,
): boolean {
  if (compiled.judgement.baseline === undefined) return false;
  for (const { isKnown } of target.instances.values()) {
    if (isKnown) return !compiled.never(caseWindow(compiled, session, target, fromUs, toUs));
  }
  return false;
}

/** The removal or exception for which the instance does not count. `removes` tells whether a removal applies. */
export function removedBy(
  instance: Instance,
  removes: (id: string) => boolean,
  applied: readonly string[] = [],
): string | undefined {
  if (instance.isKnown && removes(baselineRemoval)) return baselineRemoval;
  const { exception, removable } = instance;
  if (exception !== undefined && applied.includes(exception)) return exception;
  return removable.length === 0 ? undefined : removable.find(removes);
}

/** The instance as it counts: not at all where it is removed, unless the removal names another class for it. */
export function countedAs(
  { judgement }: CompiledJudgement,
  instance: Instance,
  removal: string | undefined,
): readonly Instance[] {
  if (removal === undefined) return [instance];
  const countsAs = judgement.removals.find(({ id }) => id === removal)?.countsAs;
  return countsAs === undefined ? [] : [{ ...instance, class: countsAs }];
}

/** The scope of conditions on a window of a case with every instance in it, those that do not count included. */
export function caseWindow(
  compiled: CompiledJudgement,
  session: Session,
  target: Case,
  fromUs: number,
  toUs: number,
): Scope {
  return new Scope(session, viewOf(compiled, instancesIn(target, fromUs, toUs)));
}

function instancesIn(target: Case, fromUs: number, toUs: number): Instance[] {
  const inside: Instance[] = [];
  for (const instance of target.instances.values()) if (isWithin(instance.times, fromUs, toUs)) inside.push(instance);
  return inside;
}

function isWithin(times: readonly number[], fromUs: number, toUs: number): boolean {
  for (const timeUs of times) if (timeUs >= fromUs && timeUs <= toUs) return true;
  return false;
}

/** The verdict on `[fromUs, toUs]`, both included; undefined when no row of the ladder holds. */
export function judgeWindow(
  compiled: CompiledJudgement,
  session: Session,
  target: Case,
  fromUs: number,
  toUs: number,
  applied: readonly string[] = [],
): Verdict | undefined {
  const removes = removalTest(compiled, session, target, fromUs, toUs);
  const inside = instancesIn(target, fromUs, toUs);
  const counted = inside.flatMap((instance) => countedAs(compiled, instance, removedBy(instance, removes, applied)));
  const window = viewOf(compiled, counted);
  const scope = new Scope(session, window);
  const row = compiled.ladder.find(({ when }) => when(scope));
  return row === undefined ? undefined : verdictOf(compiled, row.band, scope, fromUs, toUs, applied);
}

/** Whether a removal applies to the session in the window; each is asked when an instance depends on it. */
function removalTest(
  compiled: CompiledJudgement,
  session: Session,
  target: Case,
  fromUs: number,
  toUs: number,
): (id: string) => boolean {
  const answers = new Map<string, boolean>();
  const ask = (id: string): boolean => {
    if (id === baselineRemoval) return removesKnown(compiled, session, target, fromUs, toUs);
    const scope = new Scope(session);
    return compiled.removals.some((removal) => removal.id === id && removal.when(scope));
  };
  return (id) => {
    const known = answers.get(id);
    if (known !== undefined) return known;
    const answer = ask(id);
    answers.set(id, answer);
    return answer;
  };
}

function verdictOf(
  { modifiers, classes }: CompiledJudgement,
  row: number,
  scope: Scope,
  fromUs: number,
  toUs: number,
  applied: readonly string[],
): Verdict {
  const strong: string[] = [];
  const weak: string[] = [];
  for (const { spec, when } of modifiers) {
    if (when(scope)) (spec.strength === 'strong' ? strong : weak).push(spec.id);
  }
  const names: string[] = [];
  const levels: Record<string, string> = {};
  let reach = 0;
  const { window } = scope;
  for (let index = 0; index < classes.length; index++) {
    const { spec } = classes[index] as CompiledClass;
    if (spec.role !== 'core' || window.satisfied[index] !== true) continue;
    const level = window.levels[index] as number;
    names.push(spec.name);
    levels[spec.name] = spec.levels[level] ?? '';
    reach += level;
  }
  return {
    band: Math.min(row + (strong.length > 0 ? 1 : 0), bands.length - 1),
    fromUs,
    toUs,
    classes: names.sort(),
    levels,
    reach,
    modifiers: strong,
    weak,
    applied,
  };
}

/** The better of two: the higher severity, then more classes, higher levels, more modifiers; on a tie the first. */
export function better(a: Verdict | undefined, b: Verdict | undefined): Verdict | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const order =
    b.band - a.band ||
    b.classes.length - a.classes.length ||
    b.reach - a.reach ||
    b.modifiers.length - a.modifiers.length;
  return order > 0 ? b : a;
}

/** What the instances make of each class. */
function viewOf({ classes, classIndex }: CompiledJudgement, instances: readonly Instance[]): WindowView {
  const levels: number[] = classes.map(() => -1);
  const satisfied: boolean[] = classes.map(() => false);
  for (const instance of instances) {
    const index = classIndex.get(instance.class);
    if (index === undefined) continue;
    levels[index] = Math.max(levels[index] as number, instance.level);
    satisfied[index] = true;
  }
  for (let index = 0; index < classes.length; index++) {
    if (satisfied[index] !== true) continue;
    const { spec, least, fanOuts } = classes[index] as CompiledClass;
    const needsAll = fanOuts.length > 0 || spec.satisfied !== 'any';
    const own = needsAll ? instances.filter((instance) => instance.class === spec.name) : [];
    for (const raise of fanOuts) levels[index] = Math.max(levels[index] as number, fanOutLevel(raise, own));
    const isReached = (levels[index] as number) >= least;
    satisfied[index] = isReached && (spec.satisfied === 'any' || meets(spec.satisfied, own));
  }
  return { instances, levels, satisfied };
}

function meets(satisfied: CommandThreshold, instances: readonly Instance[]): boolean {
  if (instances.some((instance) => instance.strong)) return true;
  const telling = instances.filter((instance) => !instance.noise);
  const noise = Math.min(instances.length - telling.length, satisfied.noise);
  if (telling.length >= 1 && telling.length + noise >= satisfied.distinct) return true;
  const categories = new Set(telling.map((instance) => instance.category));
  return telling.length >= satisfied.acrossDistinct && categories.size >= satisfied.acrossCategories;
}

function fanOutLevel(raise: FanOut, instances: readonly Instance[]): number {
  const from = instances.filter(({ level }) => raise.from.includes(level));
  if (from.length >= raise.instances) return raise.to;
  // So many values need at least as many instances.
  if (from.length < raise.values) return -1;
  const values = new Set(from.map(({ evidence }) => String(evidence.fields[raise.field] ?? '')));
  return values.size >= raise.values ? raise.to : -1;
}
