/** From the witnesses of one window to a severity: classes, ladder, modifiers. Pure functions of session and case. */
import type { ClassSpec, CommandThreshold, Judgement, LevelRaise } from '../../rule/behavior.js';
import type { Severity } from '../../rule/ir.js';
import type { Case, Instance } from './case.js';
import { type ClassView, type ConditionScope, holds, type WindowView } from './condition.js';
import type { Session } from './session.js';

/** Bands of the ladder, lowest first; an `observation` is published as `informational`. */
export const bands: readonly { readonly severity: Severity; readonly riskScore: number }[] = [
  { severity: 'informational', riskScore: 1 },
  { severity: 'low', riskScore: 21 },
  { severity: 'medium', riskScore: 47 },
  { severity: 'high', riskScore: 73 },
  { severity: 'critical', riskScore: 99 },
];
const bandOf = { observation: 0, low: 1, medium: 2, high: 3, critical: 4 } as const;

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
  judgement: Judgement,
  session: Session,
  target: Case,
  fromUs: number,
  toUs: number,
): ReadonlyMap<string, string> {
  const scope = sessionScope(judgement, session);
  const applying = judgement.removals.filter((removal) => holds(removal.when, scope));
  const reasons = new Map(applying.map((removal) => [removal.id, removal.reason]));
  const { baseline } = judgement;
  const hasKnown = baseline !== undefined && [...target.instances.values()].some((instance) => instance.isKnown);
  if (hasKnown && !holds(baseline.never, caseWindow(judgement, session, target, fromUs, toUs))) {
    reasons.set(baselineRemoval, baselineRemoval);
  }
  return reasons;
}

export function removedBy(
  instance: Instance,
  removals: ReadonlyMap<string, string>,
  applied: readonly string[] = [],
): string | undefined {
  if (instance.isKnown && removals.has(baselineRemoval)) return baselineRemoval;
  const { exception } = instance;
  if (exception !== undefined && applied.includes(exception)) return exception;
  return instance.removable.find((id) => removals.has(id));
}

/** The scope of conditions on a window of a case with every instance in it, those that do not count included. */
export function caseWindow(
  judgement: Judgement,
  session: Session,
  target: Case,
  fromUs: number,
  toUs: number,
): ConditionScope {
  const instances = instancesIn(target, fromUs, toUs);
  const classes = new Map(judgement.classes.map((spec) => [spec.name, classView(spec, instances)]));
  return { ...sessionScope(judgement, session), window: { fromUs, toUs, instances, classes } };
}

function instancesIn(target: Case, fromUs: number, toUs: number): readonly Instance[] {
  return [...target.instances.values()].filter((instance) =>
    instance.times.some((timeUs) => timeUs >= fromUs && timeUs <= toUs),
  );
}

/** The scope of conditions on a session as a whole. */
export function sessionScope(judgement: Judgement, session: Session): ConditionScope {
  return { judgement, profile: session.profile, launch: session.launch?.fields, session, window: undefined };
}

/** The verdict on `[fromUs, toUs]`, both included; undefined when no row of the ladder holds. */
export function judgeWindow(
  judgement: Judgement,
  session: Session,
  target: Case,
  fromUs: number,
  toUs: number,
  applied: readonly string[] = [],
): Verdict | undefined {
  const plain = sessionScope(judgement, session);
  const removals = removalsIn(judgement, session, target, fromUs, toUs);
  const inside = instancesIn(target, fromUs, toUs);
  const counted = inside.filter((instance) => removedBy(instance, removals, applied) === undefined);
  const classes = new Map(judgement.classes.map((spec) => [spec.name, classView(spec, counted)]));
  const window: WindowView = { fromUs, toUs, instances: counted, classes };
  const scope = { ...plain, window };
  const row = judgement.ladder.find((candidate) => holds(candidate.when, scope));
  if (row === undefined) return undefined;
  const held = judgement.modifiers.filter((modifier) => holds(modifier.when, scope));
  const strong = held.filter((modifier) => modifier.strength === 'strong').map((modifier) => modifier.id);
  const band = Math.min(bandOf[row.severity] + (strong.length > 0 ? 1 : 0), bands.length - 1);
  const core = judgement.classes.filter((spec) => spec.role === 'core' && classes.get(spec.name)?.satisfied === true);
  return {
    band,
    fromUs,
    toUs,
    classes: core.map((spec) => spec.name).sort(),
    levels: Object.fromEntries(core.map((spec) => [spec.name, spec.levels[classes.get(spec.name)?.level ?? 0] ?? ''])),
    reach: core.reduce((sum, spec) => sum + (classes.get(spec.name)?.level ?? 0), 0),
    modifiers: strong,
    weak: held.filter((modifier) => modifier.strength === 'weak').map((modifier) => modifier.id),
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

function classView(spec: ClassSpec, counted: readonly Instance[]): ClassView {
  const instances = counted.filter((instance) => instance.class === spec.name);
  const observed = instances.reduce((level, instance) => Math.max(level, instance.level), -1);
  const level = spec.raises.reduce(
    (highest, raise) => Math.max(highest, fanOutLevel(spec, raise, instances)),
    observed,
  );
  const reaches = level >= spec.levels.indexOf(spec.countsFrom);
  const satisfied = instances.length > 0 && reaches && meets(spec.satisfied, instances);
  return { instances, level, satisfied };
}

function meets(satisfied: 'any' | CommandThreshold, instances: readonly Instance[]): boolean {
  if (satisfied === 'any') return true;
  if (instances.some((instance) => instance.strong)) return true;
  const telling = instances.filter((instance) => !instance.noise);
  const noise = Math.min(instances.length - telling.length, satisfied.noise);
  if (telling.length >= 1 && telling.length + noise >= satisfied.distinct) return true;
  const categories = new Set(telling.map((instance) => instance.category));
  return telling.length >= satisfied.acrossDistinct && categories.size >= satisfied.acrossCategories;
}

function fanOutLevel(spec: ClassSpec, raise: LevelRaise, instances: readonly Instance[]): number {
  if (raise.kind !== 'fanOut') return -1;
  const from = instances.filter((instance) => raise.from.includes(spec.levels[instance.level] ?? ''));
  const values = new Set(from.map((instance) => String(instance.evidence.fields[raise.field] ?? '')));
  const isWide = values.size >= raise.values || from.length >= (raise.instances ?? Number.POSITIVE_INFINITY);
  return isWide ? spec.levels.indexOf(raise.to) : -1;
}
