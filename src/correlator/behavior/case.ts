/** A case: the witnesses of one session with gaps of at most one window, merged into instances. */
import type { ExceptionNote } from '../exceptions.js';
import type { Evidence } from './session.js';
import type { Verdict } from './verdict.js';

/** Everything in a case that counts once: one path, one destination, one command. */
export interface Instance {
  readonly key: string;
  readonly class: string;
  /** Ids of the items and commands that were witnessed for it. */
  labels: string[];
  /** Index into the levels of its class. */
  level: number;
  readonly category: string;
  strong: boolean;
  noise: boolean;
  /** Removals whose instance part every one of its witnesses satisfies. */
  removable: string[];
  /** Program and arguments that an autostart item would run. */
  program: string[];
  /** Names of the destination. */
  names: string[];
  attribution: 'direct' | 'effective' | 'path_join';
  /** A baseline knew every one of its witnesses. */
  isKnown: boolean;
  techniques: string[];
  count: number;
  firstUs: number;
  lastUs: number;
  /** Times that decide membership in windows, ascending. See {@link keepTime}. */
  times: number[];
  readonly evidence: Evidence;
  /** Id of the exception that covers its witnesses. */
  readonly exception?: string;
}

export interface Case {
  startUs: number;
  lastUs: number;
  instances: Map<string, Instance>;
  /** The best verdict of any window so far. */
  best: Verdict | undefined;
  /** The best verdict with nothing hidden; undefined while no exception covers anything. */
  full: Verdict | undefined;
  /** What is told of exceptions: bounded. */
  exceptionNotes: ExceptionNote[];
  /** Exceptions already counted for this case; those past their expiry with `!`. */
  countedExceptions: string[];
  /** Band and classes of the hidden detection told last. */
  hidden: string | undefined;
  /** The published record's alert id; undefined while nothing was published. */
  alertId: string | undefined;
  /** Severity and core classes last published or suppressed, to see growth. */
  told: { severity: number; readonly classes: readonly string[]; readonly instances: number } | undefined;
  countedBelow: boolean;
  /** Learning held it back. */
  isHeldBack: boolean;
  /** Key of the suppressor that counts this case instead of its publication. */
  suppressedBy: string | undefined;
  merged: string[];
  /** Instances ever added, those dropped for bounds included. */
  instancesTotal: number;
}

/** Most instances kept of one case. */
export const caseInstancesMax = 200;
/** Of one class, the first so many are never dropped. */
const classInstancesKept = 50;

/** What one event shows of a class, at that level of it: no labels, nothing that would strengthen or remove it. */
export function blankInstance(name: string, key: string, level: number, evidence: Evidence): Instance {
  const { timeUs } = evidence;
  return {
    key,
    class: name,
    labels: [],
    level,
    category: '',
    strong: false,
    noise: false,
    removable: [],
    program: [],
    names: [],
    attribution: 'direct',
    isKnown: false,
    techniques: [],
    count: 1,
    firstUs: timeUs,
    lastUs: timeUs,
    times: [timeUs],
    evidence,
  };
}

export function createCase(timeUs: number): Case {
  return {
    startUs: timeUs,
    lastUs: timeUs,
    instances: new Map(),
    best: undefined,
    full: undefined,
    exceptionNotes: [],
    countedExceptions: [],
    hidden: undefined,
    alertId: undefined,
    told: undefined,
    countedBelow: false,
    isHeldBack: false,
    suppressedBy: undefined,
    merged: [],
    instancesTotal: 0,
  };
}

/**
 * Adds a time of an instance, dropping those that no window can tell from their neighbours: of three times within one
 * window length the middle one lies in no closed window that holds neither of the others.
 */
export function keepTime(times: number[], timeUs: number, windowUs: number): void {
  let at = times.length;
  while (at > 0 && (times[at - 1] as number) > timeUs) at--;
  if (times[at - 1] === timeUs) return;
  times.splice(at, 0, timeUs);
  for (let i = Math.max(1, at - 1); i <= at + 1 && i < times.length - 1; ) {
    if ((times[i + 1] as number) - (times[i - 1] as number) <= windowUs) times.splice(i, 1);
    else i++;
  }
}

/** Adds or merges an instance. True when it is new; false also when a bound refused it (`lost` tells). */
export function addInstance(target: Case, found: Instance, windowUs: number): { isNew: boolean; lost: number } {
  target.startUs = Math.min(target.startUs, found.firstUs);
  target.lastUs = Math.max(target.lastUs, found.lastUs);
  const known = target.instances.get(found.key);
  if (known !== undefined) {
    mergeInstance(known, found, windowUs);
    return { isNew: false, lost: 0 };
  }
  target.instances.set(found.key, found);
  target.instancesTotal++;
  return { isNew: true, lost: target.instances.size > caseInstancesMax ? dropOne(target) : 0 };
}

function mergeInstance(known: Instance, found: Instance, windowUs: number): void {
  const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])].sort();
  known.labels = union(known.labels, found.labels);
  known.names = union(known.names, found.names);
  known.techniques = union(known.techniques, found.techniques);
  known.program = known.program.length > 0 ? known.program : found.program;
  known.level = Math.max(known.level, found.level);
  known.strong ||= found.strong;
  known.noise &&= found.noise;
  known.isKnown &&= found.isKnown;
  known.removable = known.removable.filter((id) => found.removable.includes(id));
  if (found.attribution === 'direct') known.attribution = 'direct';
  known.count += found.count;
  known.firstUs = Math.min(known.firstUs, found.firstUs);
  known.lastUs = Math.max(known.lastUs, found.lastUs);
  for (const timeUs of found.times) keepTime(known.times, timeUs, windowUs);
}

/** Drops one instance of the class with most, after its first ones: what stays are the first and the last. */
function dropOne(target: Case): number {
  const sizes = new Map<string, number>();
  for (const instance of target.instances.values()) {
    sizes.set(instance.class, (sizes.get(instance.class) ?? 0) + 1);
  }
  const largest = [...sizes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0];
  let passed = 0;
  for (const instance of target.instances.values()) {
    if (instance.class !== largest || ++passed <= classInstancesKept) continue;
    target.instances.delete(instance.key);
    return 1;
  }
  return 0;
}

/** Forgets times that no window reaching `newestUs` or later can hold. */
export function pruneTimes(target: Case, beforeUs: number): void {
  for (const instance of target.instances.values()) {
    while (instance.times.length > 1 && (instance.times[1] as number) < beforeUs) instance.times.shift();
  }
}

/** Joins a later case to an earlier one that a late witness connected to it. */
export function mergeCases(into: Case, from: Case, windowUs: number): void {
  for (const instance of from.instances.values()) addInstance(into, instance, windowUs);
  into.startUs = Math.min(into.startUs, from.startUs);
  into.lastUs = Math.max(into.lastUs, from.lastUs);
  into.exceptionNotes = [...into.exceptionNotes, ...from.exceptionNotes].slice(0, 16);
  into.countedExceptions.push(...from.countedExceptions);
  into.merged.push(...from.merged);
  if (into.alertId === undefined) {
    into.alertId = from.alertId;
    into.told = from.told;
  } else if (from.alertId !== undefined) {
    into.merged.push(from.alertId);
    // The retired id is told in a revision, whether or not anything else grew.
    into.told = undefined;
  }
}
