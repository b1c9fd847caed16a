/** Builds the alert of a case: id, evidence and the detail that says why. */
import { digest } from '../../core/digest.js';
import type { BehaviorRule } from '../../rule/ir.js';
import type { ExceptionNote } from '../exceptions.js';
import { distributionOf } from '../inventory/distribution.js';
import type { BehaviorAlert } from './alert.js';
import type { Case, Instance } from './case.js';
import { compileJudgement } from './compiled/judgement.js';
import type { BehaviorDetail } from './detail.js';
import type { Session } from './session.js';
import { bands, countedAs, removalsIn, removedBy, type Verdict } from './verdict.js';
import type { ProcessNode } from './witness.js';

/**
 * The alert for the case's best verdict. `before` is its published form, whose id is kept: an id derives from rule,
 * host, root and the first published witness, and never changes.
 */
export function alertOf(
  rule: BehaviorRule,
  session: Session,
  target: Case,
  before: BehaviorAlert | undefined,
  verdict: Verdict = target.best as Verdict,
): BehaviorAlert {
  const instances = [...target.instances.values()].sort(
    (a, b) => a.evidence.timeUs - b.evidence.timeUs || (a.key < b.key ? -1 : 1),
  );
  const first = instances[0] as Instance;
  const band = bands[verdict.band] as (typeof bands)[number];
  const isTold = instances.some((instance) => instance.evidence.eventId === session.launch?.eventId);
  const launch = session.launch === undefined || isTold ? [] : [{ step: 'root', ...session.launch }];
  return {
    id: before?.id ?? digest(rule.id, session.host.id, session.rootIdentity, first.evidence.eventId),
    ruleId: rule.id,
    revision: (before?.revision ?? 0) + 1,
    severity: band.severity,
    riskScore: band.riskScore,
    timeUs: target.lastUs,
    host: session.host,
    key: { 'process.entity_id': session.rootIdentity },
    evidence: [...launch, ...instances.map((instance) => ({ step: stepOf(instance), ...instance.evidence }))],
    suppressed: before?.suppressed ?? 0,
    detail: detailOf(rule, session, target, instances, verdict),
    ...(target.exceptionNotes.length > 0 ? { exceptions: notesOf(target, verdict) } : {}),
  };
}

/** An exception that matched, and may not hide a detection of this severity, is told to have been set aside. */
function notesOf(target: Case, verdict: Verdict): readonly ExceptionNote[] {
  return target.exceptionNotes.map((note) =>
    note.result === 'matched' && !verdict.applied.includes(note.id) ? { id: note.id, result: 'set_aside' } : note,
  );
}

function stepOf(instance: Instance): string {
  return `${instance.class}.${instance.labels[0] ?? ''}`;
}

function detailOf(
  rule: BehaviorRule,
  session: Session,
  target: Case,
  instances: readonly Instance[],
  verdict: Verdict,
): BehaviorDetail {
  const { judgement } = rule;
  const compiled = compileJudgement(judgement);
  const removals = removalsIn(compiled, session, target, verdict.fromUs, verdict.toUs);
  const removalOf = (instance: Instance): string | undefined =>
    removedBy(instance, (id) => removals.has(id), verdict.applied);
  const counted = instances.flatMap((instance) => countedAs(compiled, instance, removalOf(instance)));
  const pathJoins = counted.filter((instance) => instance.attribution === 'path_join');
  const dataQuality = [...session.profile.quality, ...(pathJoins.length > 0 ? ['path_join'] : [])];
  return {
    canonicalId: digest(rule.id, session.host.id, session.rootIdentity, String(target.startUs)),
    confidence: confidenceOf(dataQuality, verdict.weak),
    dataQuality,
    session: sessionDetail(session, target),
    classes: Object.fromEntries(
      judgement.classes
        .map(
          (spec) =>
            [
              spec.name,
              classDetail(
                verdict,
                counted.filter((instance) => instance.class === spec.name),
              ),
            ] as const,
        )
        .filter((entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== undefined),
    ),
    modifiers: verdict.modifiers,
    weak: verdict.weak,
    techniques: techniquesOf(rule, verdict, counted),
    removed: instances.flatMap((instance) => {
      const id = removalOf(instance);
      return id === undefined
        ? []
        : [{ class: instance.class, instance: instance.key, reason: removals.get(id) ?? 'exception', id }];
    }),
    attribution: counted
      .filter((instance) => instance.attribution !== 'direct')
      .map((instance) => `${instance.key}: ${instance.attribution}`),
    merged: [...target.merged].sort(),
  };
}

/** One step down for every reason to doubt, one step up when any weak modifier speaks for the detection. */
function confidenceOf(quality: readonly string[], weak: readonly string[]): 'high' | 'medium' | 'low' {
  const steps = ['high', 'medium', 'low'] as const;
  const lowered = new Set(quality).size - (weak.length > 0 ? 1 : 0);
  return steps[Math.min(Math.max(lowered, 0), steps.length - 1)] ?? 'low';
}

function sessionDetail(session: Session, target: Case): BehaviorDetail['session'] {
  const { profile } = session;
  const [root, ...ancestors] = profile.chain;
  const pathOf = (node: (typeof profile.chain)[number]): string => {
    const image = node.images.at(-1);
    return image?.executable ?? image?.name ?? '';
  };
  return {
    root: session.rootIdentity,
    ...(root?.pid === undefined ? {} : { pid: root.pid }),
    tier: profile.tier,
    ...distributionDetail(root),
    scriptId: profile.scriptId,
    ...(profile.scriptPath === undefined ? {} : { scriptPath: profile.scriptPath }),
    ...(profile.user === undefined ? {} : { user: profile.user }),
    context: profile.context,
    contextReasons: profile.contextReasons,
    images: root?.images.map((image) => image.executable ?? image.name ?? '') ?? [],
    lineage: ancestors.map((node, i) => ({
      executable: pathOf(node),
      ...(node.pid === undefined ? {} : { pid: node.pid }),
      link: profile.chain[i]?.link ?? 'none',
      implicit: node.implicit,
    })),
    ...(profile.launchUs === undefined ? {} : { timeSinceLaunchUs: Math.max(0, target.startUs - profile.launchUs) }),
  };
}

function distributionDetail(root: ProcessNode | undefined): Pick<BehaviorDetail['session'], 'distribution'> {
  const executable = root?.images.at(-1)?.executable;
  return executable === undefined ? {} : { distribution: distributionOf(executable) };
}

function classDetail(verdict: Verdict, instances: readonly Instance[]): BehaviorDetail['classes'][string] | undefined {
  const [first] = instances;
  if (first === undefined) return undefined;
  return {
    level: verdict.levels[first.class] ?? '',
    instances: instances.length,
    count: instances.reduce((total, instance) => total + instance.count, 0),
    firstUs: Math.min(...instances.map((instance) => instance.firstUs)),
    lastUs: Math.max(...instances.map((instance) => instance.lastUs)),
  };
}

function techniquesOf(rule: BehaviorRule, verdict: Verdict, counted: readonly Instance[]): readonly string[] {
  const own = rule.threat.flatMap((threat) => threat.techniques.map((technique) => technique.id));
  const ofClasses = rule.judgement.classes
    .filter((spec) => verdict.classes.includes(spec.name))
    .flatMap((spec) => spec.techniques);
  const ofInstances = counted
    .filter((instance) => verdict.classes.includes(instance.class))
    .flatMap((instance) => instance.techniques);
  return [...new Set([...own, ...ofClasses, ...ofInstances])].sort();
}
