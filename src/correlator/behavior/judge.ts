/**
 * The judgement of one behaviour rule: witnesses in, alerts and their revisions out. Synchronous and deterministic; it
 * knows no clock but event time. State is bounded; what a bound costs is counted in `losses`.
 */
import { pathKey } from '../../core/paths.js';
import type { ItemSpec, Judgement } from '../../rule/behavior.js';
import type { BehaviorItem, BehaviorRule } from '../../rule/ir.js';
import type { BehaviorAlert, BehaviorJudgeOptions, BehaviorLoss } from './alert.js';
import { lossesMax, otherHosts } from './alert.js';
import { bookkeep } from './bookkeeping.js';
import { addInstance, type Case, createCase, type Instance, mergeCases, pruneTimes } from './case.js';
import { compileItem, type ItemForm } from './compiled/items.js';
import { type CompiledJudgement, compileJudgement } from './compiled/judgement.js';
import { Exemptions } from './exemption.js';
import { textsOf } from './fields.js';
import { commandInstances, itemInstance } from './findings.js';
import { Learning, type LearningQueueState } from './learning.js';
import { Pairs, type PairsState } from './pairs.js';
import { PathJoins, type PathJoinsState } from './path_joins.js';
import { Publisher, type PublisherState } from './publish.js';
import type { Session } from './session.js';
import { SessionTable, type SessionTableState } from './session_table.js';
import type { UnusualJudge } from './unusual.js';
import { better, judgeWindow, type Verdict } from './verdict.js';
import type { Witness } from './witness.js';

export type { BehaviorAlert, BehaviorJudgeOptions, BehaviorLoss } from './alert.js';
export type { BehaviorDetail } from './detail.js';
export type { EvidenceFields, EvidenceValue, ProcessImage, ProcessNode, Witness } from './witness.js';

export interface BehaviorJudge {
  readonly rule: BehaviorRule;
  /** Judges one witness. Those of a host come in judged order, late ones excepted. Repeated events change nothing. */
  observe(witness: Witness): void;
  /** Promises that no event of the host earlier than `watermarkUs` will come, late ones excepted. */
  advance(hostId: string, watermarkUs: number): void;
  /** `advance` has nothing to do for the host before this time, unless witnesses of it come. */
  dueUs(hostId: string): number;
  /** Ends the stream: open suppression counts are published. */
  flush(): void;
  /** The alerts and revisions since the last call, in the order they arose. */
  drain(): BehaviorAlert[];
  /** The detections that exceptions hid since the last call. */
  drainHidden(): BehaviorAlert[];
  losses(): readonly BehaviorLoss[];
  /** Detections below `minSeverity` since creation. */
  readonly belowMinimum: number;
  /** The state, to be written as JSON before the next call: it may hold `JsonText`, and is not copied. */
  snapshot(): unknown;
  /** Goes on from a state read from JSON, which is the judge's own from here on. */
  restore(state: unknown): void;
}

/** A judge of events. */
export interface SessionJudge extends BehaviorJudge {
  /** Lets a rule about unusual sessions hear of this one's. Without a baseline nothing is unusual. */
  followedBy(follower: UnusualJudge): void;
}

interface JudgeState {
  readonly publisher: PublisherState;
  readonly sessions: SessionTableState;
  readonly joins: PathJoinsState;
  readonly losses: readonly BehaviorLoss[];
  readonly pairs?: PairsState;
  /** Where there is a baseline. */
  readonly learning?: LearningQueueState;
}

export function createBehaviorJudge(rule: BehaviorRule, options: BehaviorJudgeOptions = {}): SessionJudge {
  return new Judge(rule, options);
}

/** An item with what the judgement says of it; no form where its class is none of the judgement's. */
interface KnownItem {
  readonly item: BehaviorItem;
  readonly spec: ItemSpec | undefined;
  readonly form: ItemForm | undefined;
}

class Judge implements SessionJudge {
  private readonly followers: UnusualJudge[] = [];
  private readonly publisher: Publisher;
  private readonly learning: Learning | undefined;
  private readonly sessions: SessionTable;
  private readonly joins: PathJoins;
  private readonly pairs: Pairs;
  private readonly exemptions: Exemptions | undefined;
  private readonly compiled: CompiledJudgement;
  private readonly items: ReadonlyMap<string, KnownItem>;
  /** Cases that the event at hand changed. */
  private readonly pending = new Map<Case, Session>();
  private pendingOrdinal = -1;
  private readonly lossCounts = new Map<string, BehaviorLoss>();

  constructor(
    readonly rule: BehaviorRule,
    options: BehaviorJudgeOptions,
  ) {
    const { judgement } = rule;
    const lose = this.lose.bind(this);
    const { exceptions } = options;
    this.compiled = compileJudgement(judgement);
    this.exemptions = exceptions === undefined ? undefined : new Exemptions(exceptions, rule.id, judgement.platform);
    this.learning = options.baseline === undefined ? undefined : new Learning(rule, options.baseline);
    this.publisher = new Publisher(rule, options, this.exemptions, this.learning);
    this.sessions = new SessionTable(rule, this.compiled, options, lose);
    this.joins = new PathJoins(judgement, lose);
    this.pairs = new Pairs(judgement.items);
    this.items = new Map(rule.items.map((item) => [item.id, this.knownItem(item)]));
  }

  private knownItem(item: BehaviorItem): KnownItem {
    const { judgement, removals } = this.compiled;
    const spec = judgement.items.find(({ id }) => id === item.id);
    const classSpec = judgement.classes.find(({ name }) => name === item.class);
    const form = classSpec === undefined ? undefined : compileItem(judgement, classSpec, spec, removals);
    return { item, spec, form };
  }

  followedBy(follower: UnusualJudge): void {
    const { rule, learning, sessions } = this;
    if (learning === undefined || !follower.rule.judgement.unusual?.follows.includes(rule.id)) return;
    follower.follow({ rule, learning, session: (hostId, root) => sessions.byRoot(hostId, root) });
    this.followers.push(follower);
  }

  get belowMinimum(): number {
    return this.publisher.belowMinimum;
  }

  observe(witness: Witness): void {
    if (witness.ordinal !== this.pendingOrdinal) this.settle();
    this.pendingOrdinal = witness.ordinal;
    this.learnBefore(witness);
    const known = this.items.get(witness.itemId);
    if (known === undefined) return;
    const placement = this.sessions.place(witness);
    if (placement === undefined) {
      if (known.item.unattributed === true) this.observeUnattributed(witness, known);
      return;
    }
    const { session } = placement;
    if (!this.sessions.isNew(session, witness)) return;
    const isChanged = bookkeep(this.rule, placement, witness, known.item.class);
    const isLaunch = known.item.class === this.rule.judgement.bookkeeping.launch;
    if (isLaunch) {
      this.learning?.launched(session, witness.timeUs);
      this.exemptions?.launched(session, witness);
    }
    for (const follower of this.followers) follower.hear(this.rule, session, witness, isLaunch);
    const instances = this.instancesOf(session, witness, known);
    for (const instance of instances) this.add(session, instance);
    if (instances.length === 0 && isChanged) this.judgeAgain(session, witness.timeUs);
  }

  /** What the host showed a window before is learned by now, however much of the stream is judged at once. */
  private learnBefore({ host, timeUs }: Witness): void {
    if (this.learning === undefined) return;
    // A session that has been idle for long ends with this witness: who waits to tell of it does so before.
    for (const follower of this.followers) follower.heardUntil(host.id, timeUs);
    if (timeUs >= this.learning.dueUs(host.id)) this.learning.advance(host.id, timeUs);
  }

  private instancesOf(session: Session, witness: Witness, { spec, form }: KnownItem): readonly Instance[] {
    if (spec?.commands === true) return commandInstances(this.compiled, session, witness);
    // Of a context class only the paths are of use: items that nobody made are joined to them.
    const isOfUse =
      form?.class.role !== 'context' || form.class.paths || (spec !== undefined && this.pairs.isPart(spec));
    if (form === undefined || !isOfUse) return [];
    const instance = itemInstance(this.rule.judgement, session, form, witness);
    if (instance === undefined) return [];
    if (form.class.paths) {
      for (const joined of this.joins.wrote(session, instance)) this.add(session, joined);
    }
    if (spec !== undefined && this.pairs.isPart(spec)) {
      return this.pairs.take(session, spec, pathOf(this.rule.judgement, session, witness), instance);
    }
    return form.class.role === 'context' ? [] : [instance];
  }

  /**
   * An item that no session's process made: it belongs to the session that it was made for, or to the one that wrote its
   * path around that time.
   */
  private observeUnattributed(witness: Witness, known: KnownItem): void {
    const actedFor = textsOf(witness.fields, this.rule.judgement.actedFor)[0];
    const actor = actedFor === undefined ? undefined : this.sessions.byProcess(witness.host.id, actedFor);
    if (actor !== undefined) {
      if (!this.sessions.isNew(actor, witness)) return;
      for (const instance of this.instancesOf(actor, witness, known))
        this.add(actor, { ...instance, attribution: 'effective' });
      return;
    }
    const { form } = known;
    if (form === undefined || !form.class.paths) return;
    const probe = this.sessions.probe(witness);
    const instance = itemInstance(this.rule.judgement, probe, form, witness);
    if (instance === undefined) return;
    const owner = this.joins.appeared(witness.host.id, { ...instance, attribution: 'path_join' });
    const session = owner === undefined ? undefined : this.sessions.byRoot(witness.host.id, owner);
    if (session !== undefined) this.add(session, { ...instance, attribution: 'path_join' });
  }

  /** Puts an instance into its case, joins cases it connects, and judges the windows it lies in. */
  private add(session: Session, instance: Instance): void {
    const { windowUs } = this.rule.judgement;
    const timeUs = instance.firstUs;
    const target = this.caseFor(session, timeUs);
    if (target === undefined) {
      this.lose('late', session.host.id, 1);
      return;
    }
    if (this.learning?.judge(session, instance) === true) instance.isKnown = true;
    const judged = this.exemptions?.judge(session, target, instance) ?? instance;
    const { lost } = addInstance(target, judged, windowUs);
    if (lost > 0) this.lose('evidence', session.host.id, lost);
    this.judgeAround(session, target, timeUs);
  }

  private caseFor(session: Session, timeUs: number): Case | undefined {
    const { windowUs, retainUs } = this.rule.judgement;
    const newestUs = this.sessions.newestUs(session.host.id);
    if (session.cases.some((open) => open.lastUs + windowUs + retainUs < newestUs)) {
      session.cases = session.cases.filter((open) => open.lastUs + windowUs + retainUs >= newestUs);
    }
    if (timeUs + windowUs + retainUs < newestUs) return undefined;
    const near = session.cases.filter((open) => timeUs >= open.startUs - windowUs && timeUs <= open.lastUs + windowUs);
    const [first, ...others] = near;
    if (first === undefined) {
      const opened = createCase(timeUs);
      session.cases.push(opened);
      session.cases.sort((a, b) => a.startUs - b.startUs);
      return opened;
    }
    for (const other of others) {
      this.pending.delete(other);
      mergeCases(first, other, windowUs);
      session.cases.splice(session.cases.indexOf(other), 1);
    }
    return first;
  }

  /** Judges every window that holds `timeUs` and ends or begins at a kept witness; others hold no more than these. */
  private judgeAround(session: Session, target: Case, timeUs: number): void {
    const { judgement } = this.rule;
    const { windowUs } = judgement;
    // The witness is the newest of its case as a rule: then the one window that ends with it holds all others.
    const ordered = timeUs >= target.lastUs ? [timeUs - windowUs] : startsAround(target, timeUs, windowUs);
    for (const fromUs of ordered) {
      target.best = better(target.best, this.judgeOne(session, target, fromUs, fromUs + windowUs));
    }
    if (timeUs >= target.lastUs) pruneTimes(target, timeUs - windowUs - judgement.retainUs);
    this.pending.set(target, session);
  }

  /** The verdict of a window, less what exceptions cover; they hide no severity above their own, and raise none. */
  private judgeOne(session: Session, target: Case, fromUs: number, toUs: number): Verdict | undefined {
    const { compiled } = this;
    const full = judgeWindow(compiled, session, target, fromUs, toUs);
    if (this.exemptions === undefined || full === undefined) return full;
    const applied = this.exemptions.applying(session, target, full.band);
    if (applied.length === 0) return full;
    target.full = better(target.full, { ...full, applied });
    const reduced = judgeWindow(compiled, session, target, fromUs, toUs, applied);
    return reduced !== undefined && reduced.band > full.band ? full : reduced;
  }

  /** Publishes what the event so far witnessed changed: one event may satisfy several items, and is told once. */
  private settle(): void {
    if (this.pending.size === 0) return;
    for (const [target, session] of this.pending) this.publisher.consider(session, target, target.lastUs);
    this.pending.clear();
  }

  /** Something about the session as a whole changed: its open cases may weigh more. */
  private judgeAgain(session: Session, nowUs: number): void {
    const { windowUs, retainUs } = this.rule.judgement;
    for (const open of session.cases) {
      if (open.lastUs + windowUs + retainUs >= nowUs) this.judgeAround(session, open, open.lastUs);
    }
  }

  private lose(reason: BehaviorLoss['reason'], host: string, count: number): void {
    const own = `${reason} ${host}`;
    const isTold = this.lossCounts.has(own) || this.lossCounts.size < lossesMax;
    const key = isTold ? own : `${reason} ${otherHosts}`;
    const told = isTold ? host : otherHosts;
    this.lossCounts.set(key, { reason, host: told, count: count + (this.lossCounts.get(key)?.count ?? 0) });
  }

  advance(hostId: string, watermarkUs: number): void {
    this.settle();
    this.publisher.advance(hostId, watermarkUs);
    this.learning?.advance(hostId, watermarkUs);
  }

  dueUs(hostId: string): number {
    return Math.min(this.publisher.dueUs(hostId), this.learning?.dueUs(hostId) ?? Number.POSITIVE_INFINITY);
  }

  flush(): void {
    this.settle();
    this.publisher.flush();
    this.learning?.flush();
  }

  drain(): BehaviorAlert[] {
    this.settle();
    return this.publisher.drain();
  }

  drainHidden(): BehaviorAlert[] {
    this.settle();
    return this.publisher.drainHidden();
  }

  losses(): readonly BehaviorLoss[] {
    return [...this.lossCounts.values()];
  }

  snapshot(): unknown {
    this.settle();
    return {
      publisher: this.publisher.snapshot(),
      sessions: this.sessions.snapshot(),
      joins: this.joins.snapshot(),
      losses: this.losses(),
      pairs: this.pairs.snapshot(),
      ...(this.learning === undefined ? {} : { learning: this.learning.snapshot(this.sessions.all()) }),
    };
  }

  restore(state: unknown): void {
    const { publisher, sessions, joins, losses, pairs, learning } = state as JudgeState;
    this.publisher.restore(publisher);
    this.sessions.restore(sessions);
    this.joins.restore(joins);
    this.lossCounts.clear();
    for (const loss of losses) this.lossCounts.set(`${loss.reason} ${loss.host}`, loss);
    this.pairs.restore(pairs ?? []);
    if (learning !== undefined) {
      this.learning?.restore(learning, (host, root) => this.sessions.byRoot(host, root));
    }
  }
}

/** The normalised path that the witness is about. */
const pathOf = ({ platform }: Judgement, { folds }: Session, { fields }: Witness): string =>
  pathKey(textsOf(fields, 'file.path')[0] ?? '', platform, folds);

/** Starts of the windows that hold `timeUs` and begin at it or at a kept witness before it, ascending. */
function startsAround(target: Case, timeUs: number, windowUs: number): readonly number[] {
  const starts = new Set<number>([timeUs]);
  for (const { times } of target.instances.values()) {
    for (const time of times) if (time >= timeUs - windowUs && time <= timeUs) starts.add(time);
  }
  return [...starts].sort((a, b) => a - b);
}
