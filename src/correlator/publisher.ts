/**
 * From made alerts to published ones: pipes, severity, suppression, caps, order. Rules that need one order over all hosts
 * wait behind the global watermark; the others pass at once.
 */
import { compareCodeUnits } from '../core/order.js';
import { type Rule, severities } from '../rule/ir.js';
import type { Alert } from './alert.js';
import type { MadeAlert } from './alert_maker.js';
import type { ExceptionSet } from './exceptions.js';
import { Cap, type CapState, Suppressor, type SuppressorState } from './folding.js';
import type { Settings } from './options.js';
import { Pipes, type StageState } from './pipes.js';
import type { RuleView } from './rule_view.js';
import { exempt } from './suppression.js';

/** The stages of one rule that folds or filters its alerts. */
interface Stages {
  readonly pipes: Pipes | undefined;
  readonly suppressor: Suppressor | undefined;
  readonly cap: Cap | undefined;
}

export interface PublishCounts {
  readonly alerts: number;
  readonly belowMinimum: number;
  readonly pipeLosses: number;
}

/** State of a publisher as plain data: rules are named by id, in `view` too. */
export interface PublisherState {
  readonly waiting: readonly MadeAlert[];
  readonly rules: readonly {
    readonly rule: string;
    readonly pipes?: readonly StageState[];
    readonly suppressor?: SuppressorState;
    readonly cap?: CapState;
  }[];
}

/** Writes a rule's view as the rule's id. */
const withRuleIds = (key: string, value: unknown): unknown => (key === 'view' ? (value as RuleView).rule.id : value);

export class Publisher {
  readonly #settings: Settings;
  readonly #stages = new Map<Rule, Stages>();
  readonly #published = new Map<string, number>();
  readonly #below = new Map<string, number>();
  readonly #pipeLosses = new Map<string, number>();
  /** Alerts of ordered rules that wait for their place. */
  #waiting: MadeAlert[] = [];
  #ready: MadeAlert[] = [];
  /** Alerts of rules that sort their results, in the order they sorted them: they come after all others. */
  #sorted: MadeAlert[] = [];

  readonly #exceptions: ExceptionSet | undefined;
  readonly #onHidden: (alert: Alert) => void;

  /** `onHidden` takes what `exceptions` hide. */
  constructor(settings: Settings, exceptions?: ExceptionSet, onHidden: (alert: Alert) => void = () => undefined) {
    this.#settings = settings;
    this.#exceptions = exceptions;
    this.#onHidden = onHidden;
  }

  /**
   * Takes an alert as the kernel or a judgement completes it. `clockUs`: the global watermark before the row that
   * completed it. What waits before that goes first, so that the order does not depend on how rows were pushed.
   */
  take(made: MadeAlert, clockUs = Number.NEGATIVE_INFINITY): void {
    if (!made.view.isOrdered || made.alert.behavior !== undefined) {
      this.#publish(made);
      return;
    }
    this.release(clockUs);
    if (this.#settings.latenessUs === 0) this.#stage(made);
    else this.#waiting.push(made);
  }

  /** Passes on what waits and lies before the global watermark. */
  release(watermarkUs: number): void {
    const passing = this.#waiting.filter((made) => made.timeUs < watermarkUs);
    if (passing.length > 0) {
      this.#waiting = this.#waiting.filter((made) => made.timeUs >= watermarkUs);
      for (const made of passing.sort(compareMade)) this.#stage(made);
    }
    for (const { cap } of this.#stages.values()) for (const made of cap?.advance(watermarkUs) ?? []) this.#out(made);
  }

  /** Ends the stream: nothing waits any longer. */
  end(): void {
    this.release(Number.POSITIVE_INFINITY);
    for (const stages of this.#stages.values()) {
      for (const made of stages.pipes?.end() ?? []) this.#fold(made, stages);
      for (const made of stages.suppressor?.end() ?? []) this.#capped(made, stages);
      for (const made of stages.cap?.end() ?? []) this.#out(made);
    }
  }

  /**
   * The alerts published since the last call, in order of (time, rule id, key, id, revision); then those that a rule's
   * own `sort` has put in order.
   */
  drain(): Alert[] {
    const drained = [...this.#ready.sort(compareMade), ...this.#sorted];
    this.#ready = [];
    this.#sorted = [];
    return drained.map((made) => made.alert);
  }

  counts(ruleId: string): PublishCounts {
    return {
      alerts: this.#published.get(ruleId) ?? 0,
      belowMinimum: this.#below.get(ruleId) ?? 0,
      pipeLosses: this.#pipeLosses.get(ruleId) ?? 0,
    };
  }

  /** Everything that waits or is remembered, by rule id: data that JSON can write. */
  snapshot(): PublisherState {
    const rules = [...this.#stages].map(([rule, { pipes, suppressor, cap }]) => ({
      rule: rule.id,
      ...(pipes === undefined ? {} : { pipes: pipes.snapshot() }),
      ...(suppressor === undefined ? {} : { suppressor: suppressor.snapshot() }),
      ...(cap === undefined ? {} : { cap: cap.snapshot() }),
    }));
    return JSON.parse(JSON.stringify({ waiting: this.#waiting, rules }, withRuleIds)) as PublisherState;
  }

  /** Takes over the state of rules that `viewOf` knows; what belongs to others is left out. */
  restore(state: PublisherState, viewOf: (ruleId: string) => RuleView | undefined): void {
    const revive = (made: MadeAlert | undefined): MadeAlert | undefined => {
      const view = made === undefined ? undefined : viewOf(made.view as unknown as string);
      return made === undefined || view === undefined ? undefined : { ...made, view };
    };
    const alive = (alerts: readonly MadeAlert[]): MadeAlert[] =>
      alerts.map(revive).filter((made) => made !== undefined);
    this.#waiting = alive(state.waiting);
    for (const { rule, pipes, suppressor, cap } of state.rules) {
      const view = viewOf(rule);
      if (view === undefined) continue;
      const stages = this.#stagesOf(view);
      stages.pipes?.restore(
        (pipes ?? []).map((one) => (one.held === undefined ? one : { ...one, held: alive(one.held) })),
      );
      stages.suppressor?.restore((suppressor ?? []).map((group) => ({ ...group, first: { ...group.first, view } })));
      if (cap === undefined) continue;
      const last = revive(cap.last);
      const { bucket, count, capped } = cap;
      const deferred = alive(cap.deferred);
      stages.cap?.restore({ bucket, count, capped, deferred, ...(last === undefined ? {} : { last }) });
    }
  }

  #stagesOf(view: RuleView): Stages {
    const { rule } = view;
    const known = this.#stages.get(rule);
    if (known !== undefined) return known;
    const onLoss = (count: number) => add(this.#pipeLosses, rule.id, count);
    const caps = this.#settings.caps === 'rule' && rule.maxSignals !== undefined;
    const stages: Stages = {
      pipes: rule.pipes === undefined || rule.pipes.length === 0 ? undefined : new Pipes(rule.pipes, onLoss),
      suppressor: rule.suppression === undefined ? undefined : new Suppressor(rule.suppression),
      // A first-seen term is seen once: were its alert dropped, nothing would ever tell of it.
      cap: caps ? new Cap(rule.maxSignals, rule.kind === 'newTerms') : undefined,
    };
    this.#stages.set(rule, stages);
    return stages;
  }

  #stage(made: MadeAlert): void {
    const stages = this.#stagesOf(made.view);
    for (const passed of stages.pipes?.take(made) ?? [made]) this.#fold(passed, stages);
  }

  #fold(made: MadeAlert, stages: Stages): void {
    if (this.#isBelow(made)) return;
    for (const passed of stages.suppressor?.take(made) ?? [made]) this.#capped(passed, stages);
  }

  #capped(made: MadeAlert, stages: Stages): void {
    for (const passed of stages.cap?.take(made) ?? [made]) this.#out(passed);
  }

  #publish(made: MadeAlert): void {
    if (!this.#isBelow(made)) this.#out(made);
  }

  #isBelow(made: MadeAlert): boolean {
    const isBlock = made.view.rule.buildingBlock === true && !this.#settings.buildingBlocks;
    const isLow = severities.indexOf(made.alert.rule.severity) < severities.indexOf(this.#settings.minSeverity);
    if (isLow && !isBlock) add(this.#below, made.view.rule.id, 1);
    return isLow || isBlock;
  }

  /** Alerts of behaviour rules come judged, witness by witness. */
  #out(made: MadeAlert): void {
    if (this.#exceptions === undefined || made.alert.behavior !== undefined) {
      this.#pass(made);
      return;
    }
    const judged = exempt(made, this.#exceptions);
    if (judged.alert.hiddenBy !== undefined) this.#onHidden(judged.alert);
    else if (judged.alert.rule.severity === made.alert.rule.severity || !this.#isBelow(judged)) this.#pass(judged);
  }

  #pass(made: MadeAlert): void {
    add(this.#published, made.view.rule.id, 1);
    const isSorted = made.view.rule.pipes?.some(({ kind }) => kind === 'sort') === true;
    (isSorted ? this.#sorted : this.#ready).push(made);
  }
}

const add = (map: Map<string, number>, key: string, count: number): void => {
  map.set(key, (map.get(key) ?? 0) + count);
};

const keyText = (made: MadeAlert): string => (made.alert.key === null ? '' : JSON.stringify(made.alert.key));

function compareMade(a: MadeAlert, b: MadeAlert): number {
  return (
    a.timeUs - b.timeUs ||
    compareCodeUnits(a.view.rule.id, b.view.rule.id) ||
    compareCodeUnits(keyText(a), keyText(b)) ||
    compareCodeUnits(a.alert.id, b.alert.id) ||
    a.alert.revision - b.alert.revision
  );
}
