/**
 * The judgement of behaviour rules where there is a baseline. Hosts of one role share it and lie in several shards, so
 * the shards forward their witnesses and all are judged here, as one correlator would. Witnesses are rare.
 */
import type { Alert } from '../correlator/alert.js';
import { Baseline } from '../correlator/behavior/baseline.js';
import type { BaselineData } from '../correlator/behavior/baseline_data.js';
import { Behaviors, sessionsFor } from '../correlator/behaviors.js';
import type { Unready } from '../correlator/coverage/health.js';
import { type ExceptionSet, type ExceptionState, type ExceptionUse, exceptionSet } from '../correlator/exceptions.js';
import { type CorrelatorOptions, readOptions } from '../correlator/options.js';
import { Publisher } from '../correlator/publisher.js';
import { viewRule } from '../correlator/rule_view.js';
import type { CorrelatorStats, LossCount, RuleStats } from '../correlator/stats.js';
import { HiddenAlerts } from '../correlator/suppression.js';
import { ruleFingerprint } from '../rule/fingerprint.js';
import type { BehaviorRule } from '../rule/ir.js';
import type { ForwardedWitnesses } from './messages.js';

/** State of the part: plain data. */
export interface BehaviorPartState {
  /** Fingerprints by rule id: a rule that has changed starts anew. */
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly behaviors: Readonly<Record<string, unknown>>;
  readonly baseline: BaselineData;
  readonly hosts: readonly (readonly [id: string, HostState])[];
  readonly exceptions: readonly ExceptionState[];
}

interface HostState {
  readonly watermarkUs: number;
  readonly coverage: NonNullable<ForwardedWitnesses['hosts'][number]['coverage']>;
}

/** What the part counts, beside the shards. */
export interface BehaviorPartStats {
  readonly rules: ReadonlyMap<string, Pick<RuleStats, 'alerts' | 'belowMinimum' | 'timeUs'>>;
  readonly losses: readonly LossCount[];
  readonly baseline: CorrelatorStats['baseline'];
}

/** Names that no witness of another kernel asks for. */
const noNames = { hostName: () => '', evidenceFields: new Set<string>(), evidenceValueBytes: 0, eventIdField: null };

export class BehaviorPart {
  readonly #rules: readonly BehaviorRule[];
  readonly #baseline: Baseline;
  readonly #behaviors: Behaviors;
  readonly #publisher: Publisher;
  readonly #exceptions: ExceptionSet | undefined;
  readonly #hidden = new HiddenAlerts();
  readonly #hosts = new Map<string, HostState>();

  /** `options` ask for a baseline. */
  constructor(options: CorrelatorOptions) {
    const settings = readOptions(options);
    this.#rules = settings.rules.filter((rule): rule is BehaviorRule => rule.kind === 'behavior');
    this.#baseline = new Baseline(settings.baseline ?? { mode: 'learn', learnForUs: 0 });
    this.#exceptions = exceptionSet(settings.exceptions);
    this.#behaviors = new Behaviors(noNames, {
      minSeverity: settings.minSeverity,
      sessionsMax: sessionsFor(settings.memoryBytes, this.#rules.length),
      exceptions: this.#exceptions,
      onWitness: undefined,
      baseline: this.#baseline,
    });
    this.#publisher = new Publisher(settings);
    this.#rules.forEach((rule, index) => {
      this.#behaviors.add(index, viewRule(rule, settings.caps), rule, []);
    });
  }

  /** Judges what the shards forwarded of one step. */
  take(parts: readonly (ForwardedWitnesses | undefined)[]): Alert[] {
    this.#note(parts);
    const watermarkOf = (id: number | string): number =>
      this.#hosts.get(String(id))?.watermarkUs ?? Number.NEGATIVE_INFINITY;
    for (const made of this.#behaviors.advance(watermarkOf)) this.#publisher.take(made);
    return this.#published();
  }

  /** Ends the stream. */
  flush(parts: readonly (ForwardedWitnesses | undefined)[]): Alert[] {
    this.#note(parts);
    for (const made of this.#behaviors.advance(() => Number.MAX_SAFE_INTEGER)) this.#publisher.take(made);
    for (const made of this.#behaviors.flush()) this.#publisher.take(made);
    return this.#published();
  }

  #note(parts: readonly (ForwardedWitnesses | undefined)[]): void {
    for (const { witnesses, hosts } of parts.flatMap((part) => part ?? [])) {
      for (const { rule, witness } of witnesses) this.#behaviors.take(rule, witness);
      for (const { id, watermarkUs, coverage } of hosts) {
        this.#hosts.set(id, { watermarkUs, coverage: coverage ?? this.#hosts.get(id)?.coverage ?? {} });
      }
    }
  }

  #published(): Alert[] {
    for (const { alert } of this.#behaviors.drainHidden()) this.#hidden.add(alert);
    return this.#publisher.drain().map((alert) => {
      this.#hidden.remove(alert.id);
      const coverage = this.#hosts.get(alert.host?.id ?? '')?.coverage[alert.rule.id];
      return coverage === undefined ? alert : { ...alert, coverage };
    });
  }

  baseline(): BaselineData {
    return this.#baseline.export();
  }

  /** What exceptions hid of these rules. */
  exceptions(): ExceptionUse[] {
    return this.#exceptions?.audit() ?? [];
  }

  /** The alerts that exceptions hid since the last call. */
  suppressed(): Alert[] {
    return this.#hidden.drain();
  }

  /** Rules whose baseline of the host is not in force. */
  unready(host: string, timeUs: number): Unready[] {
    return this.#baseline.unready(
      host,
      timeUs,
      this.#rules.map(({ id }) => id),
    );
  }

  /** `nowUs`: the newest watermark over all hosts. */
  stats(nowUs: number): BehaviorPartStats {
    const rules = this.#rules.map(({ id }, index) => {
      const { alerts, belowMinimum } = this.#publisher.counts(id);
      const below = belowMinimum + this.#behaviors.belowMinimum(index);
      return [id, { alerts, belowMinimum: below, timeUs: this.#behaviors.timeUs(index) }] as const;
    });
    return { rules: new Map(rules), losses: this.#behaviors.losses(), baseline: this.#baseline.stats(nowUs) };
  }

  snapshot(): BehaviorPartState {
    const fingerprints = Object.fromEntries(this.#rules.map((rule) => [rule.id, ruleFingerprint(rule)]));
    const behaviors = this.#behaviors.snapshot();
    const exceptions = this.#exceptions?.snapshot() ?? [];
    return { fingerprints, behaviors, baseline: this.#baseline.export(), hosts: [...this.#hosts], exceptions };
  }

  /** Takes over the state of rules that have not changed, and everything learned. */
  restore({ fingerprints, behaviors, baseline, hosts, exceptions }: BehaviorPartState): void {
    const kept = this.#rules.filter((rule) => fingerprints[rule.id] === ruleFingerprint(rule)).map(({ id }) => id);
    this.#baseline.restore(baseline);
    this.#behaviors.restore(Object.fromEntries(kept.map((id) => [id, behaviors[id]])));
    for (const [id, state] of hosts) this.#hosts.set(id, state);
    this.#exceptions?.restore(exceptions);
  }
}
