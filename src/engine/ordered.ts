/** Rules whose alerts are piped, suppressed or capped: one publisher for all shards, in one order over all hosts. */
import type { Alert } from '../correlator/alert.js';
import { type ExceptionSet, type ExceptionState, type ExceptionUse, exceptionSet } from '../correlator/exceptions.js';
import { type CorrelatorOptions, readOptions } from '../correlator/options.js';
import { Publisher, type PublisherState } from '../correlator/publisher.js';
import { type RuleView, viewRule } from '../correlator/rule_view.js';
import { HiddenAlerts } from '../correlator/suppression.js';
import type { Rule } from '../rule/ir.js';
import type { OrderedAlert } from './messages.js';

export class OrderedRules {
  readonly #publisher: Publisher;
  readonly #exceptions: ExceptionSet | undefined;
  readonly #hidden = new HiddenAlerts();
  readonly #views: ReadonlyMap<string, RuleView>;

  constructor(options: CorrelatorOptions, rules: readonly Rule[]) {
    const settings = readOptions(options);
    this.#exceptions = exceptionSet(settings.exceptions);
    this.#publisher = new Publisher(settings, this.#exceptions, (alert) => this.#hidden.add(alert));
    this.#views = new Map(rules.map((rule) => [rule.id, viewRule(rule, settings.caps)]));
  }

  /** Takes alerts of one push, in the order of the rows that completed them, then passes on what the watermark allows. */
  take(alerts: readonly OrderedAlert[], clockAt: (ordinal: number) => number, watermarkUs: number): Alert[] {
    for (const { arrival, rule, timeUs, alert, steps } of [...alerts].sort((a, b) => a.arrival - b.arrival)) {
      const view = this.#views.get(rule);
      if (view !== undefined) this.#publisher.take({ view, timeUs, alert, steps }, clockAt(arrival - 1));
    }
    this.#publisher.release(watermarkUs);
    return this.#publisher.drain();
  }

  end(): Alert[] {
    this.#publisher.end();
    return this.#publisher.drain();
  }

  snapshot(): PublisherState {
    return this.#publisher.snapshot();
  }

  /** Apart from what may yet change. */
  exceptionsSnapshot(): readonly ExceptionState[] {
    return structuredClone(this.#exceptions?.snapshot() ?? []);
  }

  /** Takes over the state of the rules in `kept`, and what exceptions hid. */
  restore(state: PublisherState, exceptions: readonly ExceptionState[], kept: ReadonlySet<string>): void {
    this.#exceptions?.restore(exceptions);
    this.#publisher.restore(state, (id) => (kept.has(id) ? this.#views.get(id) : undefined));
  }

  /** What exceptions hid of these rules. */
  exceptions(): ExceptionUse[] {
    return this.#exceptions?.audit() ?? [];
  }

  /** The alerts of these rules that exceptions hid since the last call. */
  suppressed(): Alert[] {
    return this.#hidden.drain();
  }

  alertsOf(rule: string): number {
    return this.#publisher.counts(rule).alerts;
  }
}
