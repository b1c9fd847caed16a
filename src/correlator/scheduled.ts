/** New-terms rules that run by Kibana's schedule: their matches come from the kernel, their runs are made here. */
import { hash128Hex } from '../core/hash.js';
import { formatTimeUs } from '../core/time.js';
import type { NewTermsRule, Rule } from '../rule/ir.js';
import { type AlertNames, type MadeAlert, makeAlert } from './alert_maker.js';
import { type CompatMatch, type CompatRun, CompatSchedule, type CompatState } from './elastic_compat.js';
import { valuesOf } from './evaluate.js';
import type { RawAlert } from './records.js';
import type { RuleView } from './rule_view.js';

/** Kibana's defaults: a run each five minutes, looking back one more; a hundred alerts a run. */
const intervalDefaultUs = 5 * 60_000_000;
const extraLookbackUs = 60_000_000;
const signalsDefault = 100;

interface Match extends CompatMatch {
  readonly made: MadeAlert;
}

interface Entry {
  readonly rule: NewTermsRule;
  readonly view: RuleView;
  readonly schedule: CompatSchedule<Match>;
}

/** Whether the rule runs by schedule rather than in event time. */
export const isScheduled = (rule: Rule): rule is NewTermsRule =>
  rule.kind === 'newTerms' && rule.mode === 'elasticCompat';

export type ScheduledState = Readonly<Record<string, CompatState<Match>>>;

const withoutViews = (key: string, value: unknown): unknown => (key === 'view' ? undefined : value);

export class Scheduled {
  readonly #entries = new Map<number, Entry>();
  readonly #names: AlertNames;

  constructor(names: AlertNames) {
    this.#names = names;
  }

  /** Adds the rule at kernel index `index`. */
  add(index: number, view: RuleView, rule: NewTermsRule): void {
    const intervalUs = rule.intervalUs ?? intervalDefaultUs;
    const schedule = new CompatSchedule<Match>({
      windowUs: rule.windowUs,
      intervalUs,
      lookbackUs: rule.lookbackUs ?? intervalUs + extraLookbackUs,
      cap: rule.maxSignals ?? signalsDefault,
    });
    this.#entries.set(index, { rule, view, schedule });
  }

  /** Takes a match of a scheduled rule; false where the rule is none. */
  take(raw: RawAlert): boolean {
    const entry = this.#entries.get(raw.rule);
    if (entry === undefined) return false;
    const made = makeAlert(raw, entry.view, this.#names);
    const [event] = made.alert.evidence;
    const eventId = event !== undefined && event.missing !== true ? event.eventId : '';
    entry.schedule.observe({ timeUs: raw.timeUs, eventId, combinations: combinationsOf(entry.rule, made), made });
    return true;
  }

  /** Makes the runs that all matches are in for. */
  advance(watermarkUs: number): MadeAlert[] {
    return this.#collect((schedule) => schedule.advance(watermarkUs));
  }

  flush(): MadeAlert[] {
    return this.#collect((schedule) => schedule.flush());
  }

  /** State of every schedule by rule id: data that JSON can write, the rule's view left out. */
  snapshot(): ScheduledState {
    const states = [...this.#entries.values()].map(({ rule, schedule }) => [rule.id, schedule.snapshot()]);
    return JSON.parse(JSON.stringify(Object.fromEntries(states), withoutViews)) as ScheduledState;
  }

  restore(state: ScheduledState): void {
    for (const { rule, view, schedule } of this.#entries.values()) {
      const own = state[rule.id];
      if (own === undefined) continue;
      const remembered = own.remembered.map(({ match, terms }) => ({
        match: { ...match, made: { ...match.made, view } },
        terms,
      }));
      schedule.restore({ ...own, remembered });
    }
  }

  /** Matches of a rule that were given up because too many would have had to be remembered. */
  losses(): { readonly rule: string; readonly reason: string; readonly host: null; readonly count: number }[] {
    return [...this.#entries.values()]
      .filter(({ schedule }) => schedule.lost > 0)
      .map(({ rule, schedule }) => ({ rule: rule.id, reason: 'history_full', host: null, count: schedule.lost }));
  }

  #collect(runs: (schedule: CompatSchedule<Match>) => CompatRun<Match>[]): MadeAlert[] {
    return [...this.#entries.values()].flatMap(({ rule, view, schedule }) =>
      runs(schedule).flatMap((run) => alertsOf(run, rule, view)),
    );
  }
}

/** Every combination of the values of the rule's fields; none where a field is missing. */
function combinationsOf(rule: NewTermsRule, made: MadeAlert): string[][] {
  let combinations: string[][] = [[]];
  for (const field of rule.fields) {
    const values = [...new Set(valuesOf(field, made.steps).map(String))];
    combinations = combinations.flatMap((combination) => values.map((value) => [...combination, value]));
  }
  return combinations;
}

function alertsOf(run: CompatRun<Match>, rule: NewTermsRule, view: RuleView): MadeAlert[] {
  const alerts = run.alerts.map(({ match, terms }): MadeAlert => {
    const key = Object.fromEntries(rule.fields.map((field, index) => [field.name, terms[index] ?? null]));
    const id = hash128Hex(JSON.stringify([rule.id, terms, match.eventId]));
    return { ...match.made, alert: { ...match.made.alert, id, key } };
  });
  if (run.capped > 0) alerts.push(summaryOf(run, view));
  return alerts;
}

/** One record for what a run's cap left over. */
function summaryOf(run: CompatRun<Match>, view: RuleView): MadeAlert {
  const { id, name, severity, riskScore, threat } = view.rule;
  const alert = {
    id: hash128Hex(JSON.stringify([id, 'capped', run.runUs])),
    rule: { id, name, severity, riskScore, threat },
    time: formatTimeUs(run.runUs),
    host: null,
    key: null,
    evidence: [],
    revision: 1,
    suppressed: run.capped,
    notes: [`capped: ${run.capped} more new terms in the run at ${formatTimeUs(run.runUs)}`],
  };
  return { view, timeUs: run.runUs, alert, steps: [] };
}
