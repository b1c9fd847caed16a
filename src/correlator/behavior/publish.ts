/**
 * Publication: which verdicts become alerts or revisions, under which id, and which are counted instead. Owns the
 * records of what was published.
 */
import { digest } from '../../core/digest.js';
import type { BehaviorRule } from '../../rule/ir.js';
import type { BehaviorAlert, BehaviorJudgeOptions } from './alert.js';
import { alertOf } from './alert_text.js';
import type { Case } from './case.js';
import type { Exemptions } from './exemption.js';
import type { Learning } from './learning.js';
import type { Session } from './session.js';
import { bands, type Verdict } from './verdict.js';

/** A first case of its kind, for which later equal ones are counted while its time runs. */
interface Suppressor {
  readonly key: string;
  readonly host: string;
  readonly firstUs: number;
  readonly alertId: string;
  readonly band: number;
  count: number;
  lastUs: number;
}

/** The newest form of a published alert. */
interface Published {
  alert: BehaviorAlert;
  /** Suppressors that may still add a count to it. */
  holders: number;
}

/** A case tells again after so many new instances although neither severity nor classes grew. */
const instancesToTell = 10;
const suppressorsMax = 4096;

export class Publisher {
  belowMinimum = 0;
  private readonly minimum: number;
  private readonly published = new Map<string, Published>();
  /** By key, oldest first. */
  private readonly suppressors = new Map<string, Suppressor>();
  /** The same by host. */
  private readonly ofHost = new Map<string, Set<Suppressor>>();
  private queue: BehaviorAlert[] = [];
  private hidden: BehaviorAlert[] = [];

  constructor(
    private readonly rule: BehaviorRule,
    options: BehaviorJudgeOptions,
    private readonly exemptions: Exemptions | undefined,
    private readonly learning: Learning | undefined,
  ) {
    this.minimum = bands.findIndex((band) => band.severity === (options.minSeverity ?? 'low'));
  }

  drain(): BehaviorAlert[] {
    const drained = this.queue;
    this.queue = [];
    return drained;
  }

  drainHidden(): BehaviorAlert[] {
    const drained = this.hidden;
    this.hidden = [];
    return drained;
  }

  /** Publishes, revises or counts a case whose verdict changed or whose instances grew. */
  consider(session: Session, target: Case, nowUs: number): void {
    const { best } = target;
    if (best === undefined || best.band < this.minimum) this.hide(session, target);
    if (best === undefined) return;
    if (best.band < this.minimum) {
      if (!target.countedBelow) this.belowMinimum++;
      target.countedBelow = true;
      return;
    }
    if (this.learning?.holdsBack(session, target) === true || !this.hasGrown(target)) return;
    if (target.alertId === undefined && this.suppress(session, target, nowUs)) {
      target.told = this.told(target);
      return;
    }
    this.publish(session, target, nowUs);
  }

  /** Keeps what would have been published but for exceptions, when it is first hidden and when it grows. */
  private hide(session: Session, target: Case): void {
    const { full } = target;
    if (full === undefined || full.band < this.minimum || this.exemptions === undefined) return;
    this.exemptions.count(session, target, full.applied, false);
    const form = `${full.band} ${full.classes.join()}`;
    if (target.hidden === form) return;
    target.hidden = form;
    if (this.exemptions.areObserved(full.applied)) {
      this.observe(session, target, full);
      return;
    }
    const alert = alertOf(this.rule, session, target, undefined, full);
    this.hidden.push({ ...alert, hiddenBy: full.applied });
  }

  /** An exception may ask that the detection be seen, at the lowest severity. */
  private observe(session: Session, target: Case, full: Verdict): void {
    if (this.minimum > 0) {
      if (!target.countedBelow) this.belowMinimum++;
      target.countedBelow = true;
      return;
    }
    const before = this.published.get(target.alertId ?? '');
    const alert = alertOf(this.rule, session, target, before?.alert, { ...full, band: 0 });
    target.alertId = alert.id;
    this.published.set(alert.id, { alert, holders: before?.holders ?? 0 });
    this.queue.push(alert);
  }

  private told(target: Case): NonNullable<Case['told']> {
    const { band, classes } = target.best as NonNullable<Case['best']>;
    return { severity: band, classes, instances: target.instancesTotal };
  }

  private hasGrown(target: Case): boolean {
    const { told, best } = target;
    if (told === undefined || best === undefined) return true;
    if (best.band > told.severity || best.classes.some((name) => !told.classes.includes(name))) return true;
    return target.alertId !== undefined && target.instancesTotal - told.instances >= instancesToTell;
  }

  private suppressionKey(session: Session, target: Case): string {
    const { user, scriptId, context } = session.profile;
    const classes = target.best?.classes.join('+') ?? '';
    return digest(session.host.id, user ?? '', scriptId, context, classes);
  }

  /** True when an equal case was published lately: it is counted with that one. */
  private suppress(session: Session, target: Case, nowUs: number): boolean {
    if (this.rule.judgement.suppressUs === 0) return false;
    const known = this.suppressors.get(this.suppressionKey(session, target));
    if (known === undefined) return false;
    if (nowUs >= known.firstUs + this.rule.judgement.suppressUs) {
      this.close(known);
      return false;
    }
    if ((target.best?.band ?? 0) > known.band) return false;
    this.uncount(target);
    target.suppressedBy = known.key;
    known.count++;
    known.lastUs = Math.max(known.lastUs, nowUs);
    return true;
  }

  /** A case that is told by itself after all, or under another key, is no longer counted where it was. */
  private uncount(target: Case): void {
    const counting = this.suppressors.get(target.suppressedBy ?? '');
    if (counting !== undefined && counting.count > 0) counting.count--;
    target.suppressedBy = undefined;
  }

  private publish(session: Session, target: Case, nowUs: number): void {
    this.uncount(target);
    if (target.hidden !== undefined) this.exemptions?.uncount(session, target);
    target.hidden = undefined;
    const before = target.alertId === undefined ? undefined : this.published.get(target.alertId);
    const alert = alertOf(this.rule, session, target, before?.alert);
    target.alertId = alert.id;
    target.told = this.told(target);
    this.published.set(alert.id, { alert, holders: before?.holders ?? 0 });
    this.queue.push(alert);
    this.countExpired(session, target);
    if (this.rule.judgement.suppressUs > 0) this.openSuppressor(session, target, alert.id, nowUs);
    if (this.published.size > suppressorsMax * 2) this.forgetOldest();
  }

  /** Exceptions that would have hidden it, had they not expired. */
  private countExpired(session: Session, target: Case): void {
    const expired = target.exceptionNotes.filter(({ result }) => result === 'expired').map(({ id }) => id);
    this.exemptions?.count(session, target, expired, true);
  }

  private openSuppressor(session: Session, target: Case, alertId: string, nowUs: number): void {
    const key = this.suppressionKey(session, target);
    const known = this.suppressors.get(key);
    if (known !== undefined) {
      if (known.alertId === alertId) return;
      this.close(known);
    }
    const band = target.best?.band ?? 0;
    this.keep({ key, host: session.host.id, firstUs: nowUs, alertId, band, count: 0, lastUs: nowUs });
    const record = this.published.get(alertId);
    if (record !== undefined) record.holders++;
    if (this.suppressors.size > suppressorsMax) this.close(this.suppressors.values().next().value as Suppressor);
  }

  private keep(suppressor: Suppressor): void {
    this.suppressors.set(suppressor.key, suppressor);
    const own = this.ofHost.get(suppressor.host) ?? new Set();
    this.ofHost.set(suppressor.host, own.add(suppressor));
  }

  private forget(suppressor: Suppressor): void {
    this.suppressors.delete(suppressor.key);
    const own = this.ofHost.get(suppressor.host);
    own?.delete(suppressor);
    if (own?.size === 0) this.ofHost.delete(suppressor.host);
  }

  /** Ends the counting of a suppressor; what it counted is told as a revision. */
  private close(suppressor: Suppressor): void {
    this.forget(suppressor);
    const record = this.published.get(suppressor.alertId);
    if (record === undefined) return;
    record.holders--;
    if (suppressor.count === 0) return;
    const { alert } = record;
    record.alert = {
      ...alert,
      revision: alert.revision + 1,
      suppressed: alert.suppressed + suppressor.count,
      timeUs: Math.max(alert.timeUs, suppressor.lastUs),
    };
    this.queue.push(record.alert);
  }

  private forgetOldest(): void {
    for (const [id, record] of this.published) {
      if (record.holders > 0) continue;
      this.published.delete(id);
      return;
    }
  }

  /** Tells the counts of suppressors of a host whose time has passed. */
  advance(hostId: string, watermarkUs: number): void {
    const { suppressUs } = this.rule.judgement;
    for (const suppressor of this.ofHost.get(hostId) ?? []) {
      if (watermarkUs >= suppressor.firstUs + suppressUs) this.close(suppressor);
    }
  }

  /** `advance` has nothing to do for the host before. */
  dueUs(hostId: string): number {
    let oldestUs = Number.POSITIVE_INFINITY;
    for (const { firstUs } of this.ofHost.get(hostId) ?? []) oldestUs = Math.min(oldestUs, firstUs);
    return oldestUs + this.rule.judgement.suppressUs;
  }

  flush(): void {
    for (const suppressor of [...this.suppressors.values()]) this.close(suppressor);
  }

  snapshot(): PublisherState {
    return {
      belowMinimum: this.belowMinimum,
      published: [...this.published.values()],
      suppressors: [...this.suppressors.values()],
    };
  }

  restore(state: PublisherState): void {
    this.belowMinimum = state.belowMinimum;
    this.published.clear();
    this.suppressors.clear();
    this.ofHost.clear();
    for (const record of state.published) this.published.set(record.alert.id, { ...record });
    for (const suppressor of state.suppressors) this.keep({ ...suppressor });
  }
}

export interface PublisherState {
  readonly belowMinimum: number;
  readonly published: readonly Published[];
  readonly suppressors: readonly Suppressor[];
}
