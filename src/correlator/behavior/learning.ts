/** One rule's part in a baseline: what its sessions show, what of it is known, and what is learned and when. */
import type { BehaviorRule } from '../../rule/ir.js';
import type { Baseline } from './baseline.js';
import type { Case, Instance } from './case.js';
import { type CompiledJudgement, compileJudgement } from './compiled/judgement.js';
import { Scope } from './compiled/scope.js';
import type { Session } from './session.js';
import { instanceTuple, launchTuple, runtimeTuple, type Tuple, tupleText, workflowTuple } from './tuples.js';
import { bands, caseWindow } from './verdict.js';

/** What a session showed, learned one window later unless it turned out to be what must not be learned. */
interface Pending {
  readonly session: Session;
  readonly tuple: Tuple;
  readonly timeUs: number;
}

/** What waits to be learned, as plain data: sessions by host and root. */
export interface LearningQueueState {
  readonly pending: readonly {
    readonly host: string;
    readonly root: string;
    readonly tuple: Tuple;
    readonly timeUs: number;
  }[];
  readonly shown: readonly { readonly host: string; readonly root: string; readonly keys: readonly string[] }[];
}

const pendingMax = 16_384;
const highBand = bands.findIndex(({ severity }) => severity === 'high');
const lowBand = bands.findIndex(({ severity }) => severity === 'low');

export class Learning {
  private readonly compiled: CompiledJudgement;
  readonly #pending = new Map<string, Pending[]>();
  #pendingCount = 0;
  /** Tuples that a session has shown: it counts as one launch of each. */
  #shown = new WeakMap<Session, Set<string>>();

  constructor(
    private readonly rule: BehaviorRule,
    private readonly baseline: Baseline,
  ) {
    this.compiled = compileJudgement(rule.judgement);
  }

  /** The session's own launch was seen, or what it runs became known. */
  launched(session: Session, timeUs: number): void {
    if (this.rule.judgement.baseline !== undefined) this.#show(session, this.#launch(session), timeUs);
  }

  /** Whether the instance is usual; what it shows is noted for learning. */
  judge(session: Session, instance: Instance): boolean {
    if (this.rule.judgement.baseline === undefined) return false;
    const launch = this.#launch(session);
    const own = instanceTuple(this.rule, session, instance, launch);
    if (own === undefined) return false;
    const ofWorkflow = workflowTuple(this.rule, session, instance, launch.parts[0] ?? '');
    const tuples = ofWorkflow === undefined ? [own] : [own, ofWorkflow];
    const isLearning = this.baseline.isLearning(session.host, instance.firstUs, this.rule.id);
    const isKnown = !isLearning && tuples.some((tuple) => this.baseline.knows(session.host, tuple, instance.firstUs));
    for (const tuple of tuples) this.#show(session, tuple, instance.firstUs);
    return isKnown;
  }

  /** What the session runs, as a rule about unusual sessions asks for it. */
  runtime(session: Session): Tuple {
    const { baseline } = this;
    return runtimeTuple(session, baseline.hostRole(session.host), baseline.userRole(session.profile.user));
  }

  #launch(session: Session): Tuple {
    const role = this.baseline.hostRole(session.host);
    return launchTuple(session, role, this.baseline.userRole(session.profile.user));
  }

  #show(session: Session, tuple: Tuple, timeUs: number): void {
    const shown = this.#shown.get(session) ?? new Set<string>();
    this.#shown.set(session, shown);
    // A long-lived session shows a tuple anew each day.
    const key = `${Math.floor(timeUs / 86_400_000_000)} ${tupleText(tuple)}`;
    if (shown.has(key) || shown.size >= 4096) return;
    shown.add(key);
    if (this.#pendingCount >= pendingMax) return;
    const queue = this.#pending.get(session.host.id) ?? [];
    queue.push({ session, tuple, timeUs });
    this.#pendingCount++;
    this.#pending.set(session.host.id, queue);
  }

  /** `advance` has nothing to do for the host before. */
  dueUs(hostId: string): number {
    const queue = this.#pending.get(hostId) ?? [];
    const { windowUs } = this.rule.judgement;
    return queue.reduce((due, { timeUs }) => Math.min(due, timeUs + windowUs), Number.POSITIVE_INFINITY);
  }

  /** Learns what was shown more than a window ago, by sessions that stayed harmless. */
  advance(hostId: string, watermarkUs: number): void {
    const queue = this.#pending.get(hostId);
    if (queue === undefined) return;
    const { windowUs } = this.rule.judgement;
    const due = queue.filter(({ timeUs }) => timeUs + windowUs < watermarkUs);
    if (due.length === 0) return;
    this.#pendingCount -= due.length;
    const rest = queue.filter(({ timeUs }) => timeUs + windowUs >= watermarkUs);
    if (rest.length > 0) this.#pending.set(hostId, rest);
    else this.#pending.delete(hostId);
    for (const { session, tuple, timeUs } of due) {
      if (this.isHarmless(session)) this.baseline.saw(session.host, tuple, timeUs, this.rule.id);
    }
  }

  flush(): void {
    for (const hostId of [...this.#pending.keys()]) this.advance(hostId, Number.POSITIVE_INFINITY);
  }

  /** What waits, and what the sessions given have shown. */
  snapshot(sessions: readonly Session[]): LearningQueueState {
    const pending = [...this.#pending].flatMap(([host, queue]) =>
      queue.map(({ session, tuple, timeUs }) => ({ host, root: session.rootIdentity, tuple, timeUs })),
    );
    const shown = sessions.flatMap((session) => {
      const keys = this.#shown.get(session);
      return keys === undefined ? [] : [{ host: session.host.id, root: session.rootIdentity, keys: [...keys] }];
    });
    return { pending, shown };
  }

  /** Takes a state over; what sessions that are no longer kept have shown is not learned. */
  restore(state: LearningQueueState, sessionOf: (host: string, root: string) => Session | undefined): void {
    this.#pending.clear();
    this.#pendingCount = 0;
    this.#shown = new WeakMap();
    for (const { host, root, keys } of state.shown) {
      const session = sessionOf(host, root);
      if (session !== undefined) this.#shown.set(session, new Set(keys));
    }
    for (const { host, root, tuple, timeUs } of state.pending) {
      const session = sessionOf(host, root);
      if (session === undefined) continue;
      this.#pending.set(host, [...(this.#pending.get(host) ?? []), { session, tuple, timeUs }]);
      this.#pendingCount++;
    }
  }

  /** Nothing that must not be learned held of the session so far, and none of its cases reached high. */
  isHarmless(session: Session): boolean {
    const { compiled } = this;
    if (compiled.never(new Scope(session))) return false;
    return session.cases.every(
      (one) =>
        ((one.full ?? one.best)?.band ?? 0) < highBand &&
        !compiled.never(caseWindow(compiled, session, one, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)),
    );
  }

  /** Holds a low or medium case back while its host learns: counted once, for the review. */
  holdsBack(session: Session, target: Case): boolean {
    const { best } = target;
    if (best === undefined || best.band >= highBand || best.band < lowBand || target.alertId !== undefined)
      return false;
    if (!this.baseline.isLearning(session.host, target.lastUs, this.rule.id)) return false;
    if (!target.isHeldBack) {
      this.baseline.holdBack({
        rule: this.rule.id,
        role: this.baseline.hostRole(session.host),
        context: session.profile.context,
        scriptId: session.profile.scriptId,
        severity: bands[best.band]?.severity ?? '',
        classes: best.classes,
      });
    }
    target.isHeldBack = true;
    return true;
  }
}
